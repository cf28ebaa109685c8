/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_launch.c - the time to send each packet at, as far as the kernel
 *
 * usage: af_xdp_launch MODE, in a namespace with the veth px0 - px1
 *
 * A veth has no launch times: its xsk-features are changed on their way to the library. It hands
 * the time on to the far end, which takes it for that of reception.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

#define FRAMES 200u
#define FUTURE (4000000000ull * 1000000000)

static bool offered;

/* the library's calls come here */
ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, buf, size, flags, NULL, NULL);
	const uint64_t value = NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO;
	const struct nlmsghdr *nl = buf;
	struct nlattr *attr;
	char *at;

	if (n <= 0 || nl->nlmsg_type == GENL_ID_CTRL || !offered)
		return n;
	for (at = (char *)buf + NLMSG_LENGTH(GENL_HDRLEN); at < (char *)buf + n;
	     at += NLA_ALIGN(attr->nla_len)) {
		attr = (struct nlattr *)(void *)at;
		if (attr->nla_type == NETDEV_A_DEV_XSK_FEATURES)
			memcpy(at + NLA_HDRLEN, &value, sizeof(value));
	}
	return n;
}

static int far_end(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = 0xb588 };
	const struct timeval patience = { .tv_sec = 5 };
	const int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	at.sll_ifindex = (int)if_nametoindex("px1");
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)));
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)));
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	return fd;
}

/* when the far end says that it received frame @seq */
static uint64_t time_of(int fd, uint32_t seq)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	unsigned char frame[2048];
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct timespec ts;

	CHECK(recvmsg(fd, &msg, 0) == 100 && !memcmp(frame + 14, &seq, sizeof(seq)));
	CHECK(control.head.cmsg_type == SO_TIMESTAMPNS);
	memcpy(&ts, CMSG_DATA(&control.head), sizeof(ts));
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void wait_sent(struct pp_netdev *dev, uint64_t n)
{
	struct pp_netdev_stats st = { .sz = sizeof(st) };
	uint64_t end = now_ms() + 2000;

	do {
		pp_tx_clean(pp_netdev_queue(dev, 0));
		CHECK(!pp_netdev_get_stats(dev, &st));
	} while (st.tx_packets < n && now_ms() < end);
	CHECK(st.tx_packets == n && !st.errors && !st.tx_dropped);
}

/* every third packet has none; @foreign: packets are of another zone, and sent as copies */
static void test_launch(const char *options, bool foreign)
{
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = make_zone() };
	struct pp_zone *zone = foreign ? make_zone() : np.zone;
	struct page_pool *pool = make_pool(zone);
	struct pp_netdev *dev;
	struct pp_page *page;
	int fd = far_end();
	uint64_t at;
	char spec[96];
	uint32_t i;

	snprintf(spec, sizeof(spec), "af_xdp:px0,tx_launch=on,mode=%s%s", mode, options);
	dev = pp_netdev_open(spec, &np);
	CHECK(dev);
	for (i = 0; i < FRAMES; i++) {
		page = make_frame(pool, 100, i);
		page->tstamp = i % 3 ? FUTURE + i : PP_TSTAMP_NONE;
		CHECK(pp_tx_burst(pp_netdev_queue(dev, 0), &page, 1) == 1);
		at = time_of(fd, i);
		CHECK(i % 3 ? at == FUTURE + i : at < FUTURE);
	}
	wait_sent(dev, FRAMES);
	printf("af_xdp_launch: %s: %u packets\n", spec, FRAMES);
	close(fd);
	pp_netdev_close(dev);
	page_pool_destroy(pool);
	if (foreign)
		check_home(zone);
	check_home(np.zone);
}

static void test_refused(void)
{
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = make_zone() };

	CHECK(!pp_netdev_open("af_xdp:px0,tx_launch=on", &np) && errno == EOPNOTSUPP);
	CHECK(strstr(pp_error(), "tx-launch-time-fifo") &&
	      strstr(pp_error(), "leave tx_launch out"));
	CHECK(!pp_netdev_open("af_xdp:px0,tx_launch=on,socket=3", &np) && errno == EINVAL);
	check_home(np.zone);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: af_xdp_launch MODE\n");
		return 2;
	}
	mode = argv[1];
	test_refused();
	offered = true;
	test_launch("", false);
	test_launch(",tx_tstamp=on,tx_csum=on", false);
	test_launch(",sg=on", false);
	test_launch("", true);
	return 0;
}
