/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_csum.c - tx_csum=on asks only a device that can do it, and never sends a wrong sum
 *
 * usage: af_xdp_csum MODE, in a namespace with the veth px0 - px1
 *
 * A veth has no zero-copy mode and no xsk-features: the kernel's answers are changed on their way
 * to the library.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

#include "judge.h"
#include "rig.h"

static bool old_kernel; /* that knows no TX metadata */
static bool zero_copy; /* the sockets say so */
static bool virtio; /* the driver says so */
static enum {
	HONEST,
	FEATURES,
	SHORT,
	LONG,
	REFUSED,
	SILENT,
	ANSWERS
} answer;
static unsigned int questions;

/* the library's calls come here */
int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct xdp_umem_reg_meta *reg = value;

	if (old_kernel && level == SOL_XDP && name == XDP_UMEM_REG && reg->tx_metadata_len) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	struct xdp_options *opts = value;
	int err = (int)syscall(SYS_getsockopt, fd, level, name, value, len);

	if (!err && zero_copy && level == SOL_XDP && name == XDP_OPTIONS)
		opts->flags |= XDP_OPTIONS_ZEROCOPY;
	return err;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct ethtool_drvinfo *info;
	struct ifreq *ifr;
	va_list args;
	int err;

	va_start(args, request);
	ifr = va_arg(args, struct ifreq *);
	va_end(args);
	err = (int)syscall(SYS_ioctl, fd, request, ifr);
	if (err || !virtio || request != SIOCETHTOOL)
		return err;
	info = (struct ethtool_drvinfo *)ifr->ifr_data;
	if (info->cmd == ETHTOOL_GDRVINFO)
		strcpy(info->driver, "virtio_net");
	return 0;
}

static struct nlattr *find_features(char *message, size_t len)
{
	size_t at = NLMSG_LENGTH(GENL_HDRLEN);
	struct nlattr *attr;

	for (; at + sizeof(*attr) <= len; at += NLA_ALIGN(attr->nla_len)) {
		attr = (struct nlattr *)(message + at);
		if (attr->nla_type == NETDEV_A_DEV_XSK_FEATURES && attr->nla_len == 12)
			return attr;
	}
	return NULL;
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, buf, size, flags, NULL, NULL);
	struct nlmsghdr *nl = buf;
	struct nlattr *features;
	uint64_t value = NETDEV_XSK_FLAGS_TX_CHECKSUM;

	if (n <= 0 || nl->nlmsg_type == GENL_ID_CTRL)
		return n;
	features = find_features(buf, (size_t)n);
	CHECK(features);
	questions++;
	memcpy((char *)features + NLA_HDRLEN, &value, answer == HONEST ? 0 : sizeof(value));
	if (answer == SHORT) {
		features->nla_len = NLA_HDRLEN + 4;
	} else if (answer == LONG) {
		features->nla_len = 0xfff0;
	} else if (answer == REFUSED) {
		nl->nlmsg_type = NLMSG_ERROR;
	} else if (answer == SILENT) {
		errno = EAGAIN;
		return -1;
	}
	return n;
}

/* UDP over IPv4 with a wrong sum */
static struct pp_page *make_udp(struct page_pool *pool)
{
	static const unsigned char head[] =
		"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0\x45\0\0\x24\0\0\0\0\x40"
		"\x11\0\0\x0a\0\0\1\x0a\0\0\2\x03\xe8\x07\xd0\0\x10\0\7";
	struct pp_page *page = page_pool_alloc_pages(pool);
	unsigned char *data;

	CHECK(page);
	data = pp_page_data(page);
	page->len = 50;
	memcpy(data, head, 42);
	memcpy(data + 42, "payload!", 8);
	return page;
}

/* of a packet that went from one end to the other; @asked: the kernel was told to finish it */
static enum sum sum_sent(struct rig *rig, bool *asked)
{
	struct xsk_ring_prod *tx = &to_xdp(rig->q[0])->xsk->t.tx;
	uint64_t end = now_ms() + 5000;
	struct pp_page *page = NULL;
	struct verdict verdict;

	CHECK(frames_sent(rig, 0, make_udp(rig->pool)) == 1);
	*asked = xsk_ring_prod__tx_desc(tx, tx->cached_prod - 1)->options & XDP_TX_METADATA;
	while (!pp_rx_burst(rig->q[1], &page, 1) && now_ms() < end)
		pp_tx_clean(rig->q[0]);
	CHECK(page && page->len == 50);
	verdict = judge(pp_page_data(page), page->len);
	page_pool_put_bulk(&page, 1);
	wait_complete(rig, 0, 1);
	return verdict.l4;
}

static void test_one(const char *what, const char *port, bool ask, const char *info)
{
	struct rig rig;
	bool asked;
	enum sum sum;

	rig_open(&rig, port, "px1");
	sum = sum_sent(&rig, &asked);
	printf("af_xdp_csum: %s: %s: %s\n", mode, what, pp_netdev_info(rig.dev[0]));
	CHECK(asked == ask);
	CHECK(ask || sum == SUM_RIGHT); /* a veth leaves what was asked to the other end */
	CHECK(info ? strstr(pp_netdev_info(rig.dev[0]), info) != NULL
		   : !strstr(pp_netdev_info(rig.dev[0]), "checksums"));
	rig_down(&rig);
}

/* a driver in zero-copy mode that sums up and tells no times: the port asks for none */
static void test_times(void)
{
	struct pp_netdev_stats st;
	struct rig rig;
	bool asked;

	answer = FEATURES;
	rig_open(&rig, "px0,tx_csum=on,tx_tstamp=on", "px1");
	CHECK(strstr(pp_netdev_info(rig.dev[0]), "no sending times: the driver tells none"));
	CHECK(!strstr(pp_netdev_info(rig.dev[0]), "checksums"));
	sum_sent(&rig, &asked);
	CHECK(asked && !(pp_xsk_flags(to_xdp(rig.q[0])->xsk) & PP_XSK_TX_TSTAMP));
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 1 && !st.tx_tstamps);
	rig_down(&rig);
}

int main(int argc, char **argv)
{
	static const char by_port[] =
		"checksums by the port: the driver has none in zero-copy mode";

	if (argc != 2) {
		fprintf(stderr, "usage: af_xdp_csum MODE\n");
		return 2;
	}
	mode = argv[1];
	test_one("copy", "px0,tx_csum=on", true, NULL);
	test_one("software", "px0,tx_csum=sw", false, NULL);
	old_kernel = true;
	test_one("no metadata", "px0,tx_csum=on", false, "the kernel has no TX metadata");
	test_one("no metadata, software", "px0,tx_csum=sw", false, NULL);
	old_kernel = false;
	virtio = true;
	test_one("virtio_net", "px0,tx_csum=on", false, "virtio_net in copy mode may leave them");
	virtio = false;
	zero_copy = true;
	questions = 0;
	for (answer = HONEST; answer < ANSWERS; answer++)
		test_one("zero-copy", "px0,tx_csum=on", answer == FEATURES,
			 answer == FEATURES ? NULL : by_port);
	CHECK(questions == ANSWERS);
	test_one("zero-copy, software", "px0,tx_csum=sw", false, NULL);
	CHECK(questions == ANSWERS);
	test_times();
	return 0;
}
