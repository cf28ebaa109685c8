/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spread_device.h - a device with channels and RSS, in place of the kernel
 *
 * It is a table behind ioctl(), and behind send() and recv() of netlink: no interface of a test
 * machine has RSS. It refuses what the kernel refuses.
 */
#ifndef SPREAD_DEVICE_H
#define SPREAD_DEVICE_H

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

#include "af_xdp/priv.h"
#include "port.h"
#include "xsk/uapi.h"

#define ENTRIES	 128u
#define CHANNELS 8u
#define FAMILY	 77u
#define NO_RIGHT "no permission; run as root, or add CAP_NET_ADMIN"
#define TOO_LOW	 "requested channel counts are too low for existing indirection table settings"

/*
 * @rx:       channels of that kind alone, which no option changes
 * @custom:   the table is not the default
 * @err:      what setting says, 0: it works; @rss_err: of the table alone
 * @busy:     attempts to set channels that fail first
 * @alone:    the kernel has no ethtool family of netlink
 * @too_few:  a set of channels would have left the table without a queue
 */
static struct device {
	uint32_t combined;
	uint32_t rx;
	uint32_t table[ENTRIES];
	bool custom;
	int err;
	int rss_err;
	unsigned int busy;
	bool alone;
	bool too_few;
	unsigned int sets;
} * device;

static struct pp_iface iface;

static void device_default(void)
{
	unsigned int i;

	device->custom = false;
	for (i = 0; i < ENTRIES; i++)
		device->table[i] = i % device->combined;
}

static int no(int err)
{
	errno = err;
	return -1;
}

/* --- the namespace, by getsockopt() ---------------------------------------------------- */

#define NO_COOKIE UINT64_MAX

static uint64_t cookie; /* 0: the kernel's; NO_COOKIE: as Linux before 5.14 */

/* in place of libc's */
int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (level != SOL_SOCKET || name != SO_NETNS_COOKIE || !cookie)
		return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
	if (cookie == NO_COOKIE)
		return no(ENOPROTOOPT);
	memcpy(value, &cookie, sizeof(cookie));
	return 0;
}

/* --- RSS, by ioctl() ----------------------------------------------------------------- */

/* as ethtool -X sends it: 0x39, entries, the queue of each, all in 4 bytes */
static int set_table(const uint32_t *words)
{
	unsigned int i;

	if (device->err || device->rss_err)
		return no(device->err ? device->err : device->rss_err);
	device->sets++;
	if (!words[1]) {
		device_default();
		return 0;
	}
	if (words[1] != ENTRIES)
		return no(EINVAL);
	for (i = 0; i < ENTRIES; i++)
		if (words[2 + i] >= device->combined)
			return no(EINVAL);
	memcpy(device->table, words + 2, sizeof(device->table));
	device->custom = true;
	return 0;
}

static int fake_ethtool(void *data)
{
	struct ethtool_rxnfc *nfc = data;
	uint32_t *words = data;

	switch (words[0]) {
	case ETHTOOL_GRXRINGS:
		nfc->data = device->combined;
		return 0;
	case 0x38:
		if (words[1] && words[1] < ENTRIES)
			return no(EINVAL);
		if (words[1])
			memcpy(words + 2, device->table, sizeof(device->table));
		words[1] = ENTRIES;
		return 0;
	case 0x39:
		return set_table(words);
	}
	return no(EOPNOTSUPP);
}

/* in place of libc's */
int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *ifr;
	va_list ap;

	va_start(ap, request);
	ifr = va_arg(ap, void *);
	va_end(ap);
	if (request == SIOCETHTOOL)
		return fake_ethtool(ifr->ifr_data);
	if (request != SIOCGIFNAME)
		return (int)syscall(SYS_ioctl, fd, request, ifr);
	strcpy(ifr->ifr_name, iface.name);
	return 0;
}

/* --- channels, by netlink ------------------------------------------------------------- */

static struct {
	struct nlmsghdr nl;
	char rest[240];
} answer;

static void add(uint16_t type, const void *value, uint16_t len)
{
	const struct nlattr attr = { (uint16_t)(NLA_HDRLEN + len), type };
	char *end = (char *)&answer + NLMSG_ALIGN(answer.nl.nlmsg_len);

	memcpy(end, &attr, sizeof(attr));
	memcpy(end + NLA_HDRLEN, value, len);
	answer.nl.nlmsg_len = (uint32_t)(end - (char *)&answer) + NLA_HDRLEN + len;
}

static void answer_error(int err, const char *reason)
{
	int *at = NLMSG_DATA(&answer.nl);

	answer.nl.nlmsg_type = NLMSG_ERROR;
	answer.nl.nlmsg_len = NLMSG_LENGTH(sizeof(struct nlmsgerr));
	*at = -err;
	if (reason) {
		answer.nl.nlmsg_flags = NLM_F_ACK_TLVS;
		add(NLMSGERR_ATTR_MSG, reason, (uint16_t)(strlen(reason) + 1));
	}
}

static void set_channels(uint32_t n)
{
	uint32_t i, most = 0;

	for (i = 0; i < ENTRIES; i++)
		if (device->table[i] > most)
			most = device->table[i];
	if (device->err)
		return answer_error(device->err, NULL);
	if (device->busy && device->busy--)
		return answer_error(EINVAL, NULL);
	if (n > CHANNELS)
		return answer_error(EINVAL, "requested channel count exceeds maximum");
	if (device->custom && most >= n) {
		device->too_few = true;
		return answer_error(EINVAL, TOO_LOW);
	}
	device->sets++;
	device->combined = n;
	if (!device->custom)
		device_default();
	answer_error(0, NULL);
}

/* In place of libc's. Bytes of requests as ethtool 6.1 and the kernel have them. */
ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	static const unsigned char get[] = { 17, 1, 0, 0, 12, 0, 1, 0x80, 8, 0, 1, 0 };
	static const unsigned char set[] = { 18, 1, 0, 0, 12, 0, 1, 0x80, 8, 0, 1, 0 };
	const unsigned char *gen = (const unsigned char *)buf + NLMSG_HDRLEN;
	const uint32_t max = CHANNELS;
	const uint16_t family = FAMILY;
	struct nlmsghdr nl;
	uint32_t word;

	memcpy(&nl, buf, sizeof(nl));
	assert_int_equal(nl.nlmsg_len, size);
	memset(&answer, 0, sizeof(answer));
	answer.nl.nlmsg_type = nl.nlmsg_type;
	answer.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	if (nl.nlmsg_type == GENL_ID_CTRL) {
		assert_string_equal((const char *)gen + 8, "ethtool");
		if (device->alone)
			answer_error(ENOENT, NULL);
		else
			add(CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
		return (ssize_t)size;
	}
	assert_int_equal(nl.nlmsg_type, FAMILY);
	memcpy(&word, gen + sizeof(get), sizeof(word));
	assert_int_equal(word, iface.index);
	if (!memcmp(gen, get, sizeof(get))) {
		assert_int_equal(size, 32);
		add(ETHTOOL_A_CHANNELS_RX_MAX, &device->rx, sizeof(max));
		add(ETHTOOL_A_CHANNELS_RX_COUNT, &device->rx, sizeof(max));
		add(ETHTOOL_A_CHANNELS_COMBINED_MAX, &max, sizeof(max));
		add(ETHTOOL_A_CHANNELS_COMBINED_COUNT, &device->combined, sizeof(max));
		return (ssize_t)size;
	}
	assert_memory_equal(gen, set, sizeof(set));
	assert_int_equal(nl.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(size, 40);
	assert_memory_equal(gen + 16, "\x08\x00\x09\x00", 4);
	memcpy(&word, gen + 20, sizeof(word));
	set_channels(word);
	return (ssize_t)size;
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	memcpy(buf, &answer, answer.nl.nlmsg_len);
	return answer.nl.nlmsg_len;
}

#endif /* SPREAD_DEVICE_H */
