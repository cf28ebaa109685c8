/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/genl.c - the kernel's netdev family of generic netlink */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "xsk/genl.h"
#include "xsk/uapi.h"

#define ROOM	    128u /* for a question's attributes */
#define HEADERS_LEN ((uint32_t)NLMSG_LENGTH(GENL_HDRLEN))

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr gen;
	char attrs[ROOM];
};

static int send_request(int fd, uint16_t family, uint8_t command, uint16_t flags,
			const struct pp_genl_attr *attrs, unsigned int n)
{
	struct request r = {
		.nl.nlmsg_type = family,
		.nl.nlmsg_flags = NLM_F_REQUEST | flags,
		.gen.cmd = command,
		.gen.version = 1,
	};
	struct nlattr head;
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < n; i++) {
		head.nla_len = (uint16_t)(NLA_HDRLEN + attrs[i].len);
		head.nla_type = attrs[i].type;
		if (at + NLA_ALIGN(head.nla_len) > sizeof(r.attrs))
			return -E2BIG;
		memcpy(r.attrs + at, &head, sizeof(head));
		memcpy(r.attrs + at + NLA_HDRLEN, attrs[i].value, attrs[i].len);
		at += NLA_ALIGN(head.nla_len);
	}
	r.nl.nlmsg_len = HEADERS_LEN + (uint32_t)at;
	return send(fd, &r, r.nl.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* the errno that a message brings: 0 in an acknowledgement; -EPROTO if it makes no sense */
static int message_error(const struct nlmsghdr *nl)
{
	int err = -EPROTO;

	if (nl->nlmsg_len >= NLMSG_LENGTH(sizeof(err)))
		memcpy(&err, (const char *)nl + NLMSG_HDRLEN, sizeof(err));
	return err > 0 ? -EPROTO : err;
}

static bool message_fits(const struct nlmsghdr *nl, size_t room)
{
	return room >= sizeof(*nl) && nl->nlmsg_len >= sizeof(*nl) && nl->nlmsg_len <= room;
}

static int netlink_ask(int fd, uint16_t family, uint8_t command, uint16_t flags,
		       const struct pp_genl_attr *attrs, unsigned int n,
		       struct pp_genl_answer *answer)
{
	int err = send_request(fd, family, command, flags, attrs, n);
	ssize_t len;

	if (err)
		return err;
	len = recv(fd, answer, sizeof(*answer), 0);
	if (len < 0)
		return -errno;
	if (!message_fits(&answer->nl, (size_t)len))
		return -EPROTO;
	if (answer->nl.nlmsg_type == NLMSG_ERROR) {
		err = message_error(&answer->nl);
		return !err && !(flags & NLM_F_ACK) ? -EPROTO : err;
	}
	return answer->nl.nlmsg_len < HEADERS_LEN ? -EPROTO : 0;
}

int pp_genl_open(struct pp_genl *g, const char *family)
{
	const struct pp_genl_attr name = { CTRL_ATTR_FAMILY_NAME, (uint16_t)(strlen(family) + 1),
					   family };
	const struct timeval soon = { .tv_sec = 1 };
	const int on = 1;
	struct pp_genl_answer answer;
	int err;

	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		return -errno;
	(void)setsockopt(g->fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	(void)setsockopt(g->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(g->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	err = netlink_ask(g->fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, &name, 1, &answer);
	if (!err && pp_genl_get(&answer.nl, CTRL_ATTR_FAMILY_ID, &g->family, sizeof(g->family)))
		err = -EPROTO;
	if (err)
		pp_genl_close(g);
	return err;
}

void pp_genl_close(struct pp_genl *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

int pp_genl_ask(struct pp_genl *g, uint8_t command, uint16_t flags,
		const struct pp_genl_attr *attrs, unsigned int n, struct pp_genl_answer *answer)
{
	return netlink_ask(g->fd, g->family, command, flags, attrs, n, answer);
}

/* 0 or -errno as the last message came, 1: there are more */
static int dump_part(const struct nlmsghdr *nl, size_t len,
		     void (*each)(const struct nlmsghdr *nl, void *arg), void *arg)
{
	size_t size;

	for (; len; len -= size) {
		if (!message_fits(nl, len))
			return -EPROTO;
		if (nl->nlmsg_type == NLMSG_DONE)
			return 0;
		if (nl->nlmsg_type == NLMSG_ERROR)
			return message_error(nl);
		if (nl->nlmsg_len < HEADERS_LEN)
			return -EPROTO;
		each(nl, arg);
		size = NLMSG_ALIGN(nl->nlmsg_len) < len ? NLMSG_ALIGN(nl->nlmsg_len) : len;
		nl = (const struct nlmsghdr *)(const void *)((const char *)nl + size);
	}
	return 1;
}

int pp_genl_dump(struct pp_genl *g, uint8_t command, const struct pp_genl_attr *attrs,
		 unsigned int n, void (*each)(const struct nlmsghdr *nl, void *arg), void *arg)
{
	int err = send_request(g->fd, g->family, command, NLM_F_DUMP, attrs, n);
	struct pp_genl_answer answer;
	ssize_t len;

	if (err)
		return err;
	do {
		len = recv(g->fd, &answer, sizeof(answer), 0);
		err = len < 0 ? -errno : dump_part(&answer.nl, (size_t)len, each, arg);
	} while (err == 1);
	return err;
}

/* the value of the attribute among those from @at_len on, and its length; NULL: it is not there */
static const char *find_attr(const struct nlmsghdr *nl, uint32_t at_len, uint16_t type,
			     size_t *value_len)
{
	const char *at = (const char *)nl + at_len;
	const char *end = (const char *)nl + nl->nlmsg_len;
	struct nlattr attr;

	while (end - at >= NLA_HDRLEN) {
		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > end - at)
			return NULL;
		if ((attr.nla_type & NLA_TYPE_MASK) == type) {
			*value_len = attr.nla_len - (size_t)NLA_HDRLEN;
			return at + NLA_HDRLEN;
		}
		if (NLA_ALIGN(attr.nla_len) >= end - at)
			return NULL;
		at += NLA_ALIGN(attr.nla_len);
	}
	return NULL;
}

int pp_genl_get(const struct nlmsghdr *nl, uint16_t type, void *value, uint16_t len)
{
	size_t has = 0;
	const char *at = find_attr(nl, HEADERS_LEN, type, &has);

	if (!at || has < len)
		return -1;
	memcpy(value, at, len);
	return 0;
}

/* The kernel repeats the header of the request only, as the socket asks for. */
const char *pp_genl_reason(const struct pp_genl_answer *answer)
{
	const char *text = NULL;
	size_t len = 0;

	if (answer->nl.nlmsg_type == NLMSG_ERROR && answer->nl.nlmsg_flags & NLM_F_ACK_TLVS)
		text = find_attr(&answer->nl, NLMSG_LENGTH(sizeof(struct nlmsgerr)),
				 NLMSGERR_ATTR_MSG, &len);
	return text && len && !text[len - 1] ? text : "";
}

int pp_genl_get_uint(const struct nlmsghdr *nl, uint16_t type, uint64_t *value)
{
	uint32_t small;

	if (!pp_genl_get(nl, type, value, sizeof(*value)))
		return 0;
	if (pp_genl_get(nl, type, &small, sizeof(small)))
		return -1;
	*value = small;
	return 0;
}

uint64_t pp_xdp_dev_features(int ifindex, uint16_t attribute)
{
	const struct pp_genl_attr index = { NETDEV_A_DEV_IFINDEX, sizeof(ifindex), &ifindex };
	struct pp_genl_answer answer;
	uint64_t features = 0;
	struct pp_genl g;

	if (pp_genl_open(&g, "netdev"))
		return 0;
	if (!pp_genl_ask(&g, NETDEV_CMD_DEV_GET, 0, &index, 1, &answer) &&
	    pp_genl_get(&answer.nl, attribute, &features, sizeof(features)))
		features = 0;
	pp_genl_close(&g);
	return features;
}
