/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/netdev.c - what an interface's driver does with the metadata of what is sent
 *
 * For zero-copy mode the kernel's netdev family of generic netlink tells. Two questions: the
 * number of the family, then the interface's xsk-features. Everything is local and answered at
 * once; no answer, or one that does not parse, counts as no feature.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

#include "af_xdp/priv.h"
#include "xsk/uapi.h"

#define FAMILY "netdev"

/* a question with one attribute */
struct request {
	struct nlmsghdr nl;
	struct genlmsghdr gen;
	struct nlattr attr;
	char value[16];
};

/* an answer, aligned for its headers */
struct answer {
	struct nlmsghdr nl;
	char rest[8176];
};

static int netlink_ask(int fd, uint16_t family, uint8_t command, uint16_t attr, const void *value,
		       uint16_t len, struct answer *answer)
{
	struct request request = {
		.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN + NLA_HDRLEN + NLA_ALIGN(len)),
		.nl.nlmsg_type = family,
		.nl.nlmsg_flags = NLM_F_REQUEST,
		.gen.cmd = command,
		.gen.version = 1,
		.attr.nla_len = (uint16_t)(NLA_HDRLEN + len),
		.attr.nla_type = attr,
	};
	ssize_t n;

	memcpy(request.value, value, len);
	if (send(fd, &request, request.nl.nlmsg_len, 0) < 0)
		return -1;
	n = recv(fd, answer, sizeof(*answer), 0);
	if (n < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) || answer->nl.nlmsg_len > n ||
	    answer->nl.nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN) ||
	    answer->nl.nlmsg_type == NLMSG_ERROR)
		return -1;
	return 0;
}

/* copy attribute @type of @len bytes */
static int get_attr(const struct answer *answer, uint16_t type, void *value, uint16_t len)
{
	const char *at = (const char *)answer + NLMSG_LENGTH(GENL_HDRLEN);
	const char *end = (const char *)answer + answer->nl.nlmsg_len;
	struct nlattr attr;

	while (end - at >= NLA_HDRLEN) {
		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > end - at)
			return -1;
		if ((attr.nla_type & NLA_TYPE_MASK) == type) {
			if (attr.nla_len < NLA_HDRLEN + len)
				return -1;
			memcpy(value, at + NLA_HDRLEN, len);
			return 0;
		}
		if (NLA_ALIGN(attr.nla_len) >= end - at)
			return -1;
		at += NLA_ALIGN(attr.nla_len);
	}
	return -1;
}

uint64_t pp_xdp_xsk_features(int ifindex)
{
	const struct timeval soon = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	uint32_t index = (uint32_t)ifindex;
	uint64_t features = 0;
	struct answer answer;
	uint16_t family;

	if (fd < 0)
		return 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	if (!netlink_ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, FAMILY,
			 sizeof(FAMILY), &answer) &&
	    !get_attr(&answer, CTRL_ATTR_FAMILY_ID, &family, sizeof(family)) &&
	    !netlink_ask(fd, family, NETDEV_CMD_DEV_GET, NETDEV_A_DEV_IFINDEX, &index,
			 sizeof(index), &answer) &&
	    get_attr(&answer, NETDEV_A_DEV_XSK_FEATURES, &features, sizeof(features)))
		features = 0;
	close(fd);
	return features;
}

bool pp_xdp_builds_of_pages(const struct pp_iface *xif)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };

	memcpy(ifr.ifr_name, xif->name, sizeof(ifr.ifr_name));
	return !ioctl(xif->ctl, SIOCETHTOOL, &ifr) && !strcmp(info.driver, "virtio_net");
}
