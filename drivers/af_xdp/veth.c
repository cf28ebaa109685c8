/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * veth.c - the far end of a veth, which is often in another network namespace
 *
 * The kernel tells the far end's number and an id of its namespace. No call leads from the id to
 * the namespace, so the driver asks those with a name, and those of processes, for theirs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "af_xdp/priv.h"

#define NSID_NONE (-1)

struct request {
	struct nlmsghdr nh;
	union {
		struct ifinfomsg link;
		struct rtgenmsg net;
	};
	char attrs[64];
};

/* the answer of RTM_GETLINK */
struct cable {
	bool veth;
	int peer;
	int nsid;
};

static void put_attr(struct nlmsghdr *nh, unsigned short type, const void *data, unsigned short len)
{
	struct rtattr *rta = (struct rtattr *)((char *)nh + NLMSG_ALIGN(nh->nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	nh->nlmsg_len = NLMSG_ALIGN(nh->nlmsg_len) + (unsigned int)RTA_ALIGN(rta->rta_len);
}

/* asks one question for an answer of @type; its length, or -errno */
static int ask_kernel(int fd, struct request *req, unsigned short type, void *answer, size_t size)
{
	const struct nlmsghdr *nh = answer;
	ssize_t got;

	req->nh.nlmsg_flags = NLM_F_REQUEST;
	if (send(fd, req, req->nh.nlmsg_len, 0) < 0)
		return -errno;
	got = recv(fd, answer, size, 0);
	if (got < 0)
		return -errno;
	return NLMSG_OK(nh, (size_t)got) && nh->nlmsg_type == type ? (int)got : -ENOENT;
}

static bool is_veth(const struct rtattr *info)
{
	const struct rtattr *rta = RTA_DATA(info);
	int left = (int)RTA_PAYLOAD(info);

	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left))
		if (rta->rta_type == IFLA_INFO_KIND)
			return RTA_PAYLOAD(rta) >= 4 && !memcmp(RTA_DATA(rta), "veth", 4);
	return false;
}

static void read_cable(int fd, int index, struct cable *c)
{
	struct request req = { .nh.nlmsg_type = RTM_GETLINK };
	char answer[16384] __attribute__((aligned(8)));
	const struct nlmsghdr *nh = (struct nlmsghdr *)answer;
	const struct rtattr *rta;
	int left;

	memset(c, 0, sizeof(*c));
	c->nsid = NSID_NONE;
	req.nh.nlmsg_len = NLMSG_LENGTH(sizeof(req.link));
	req.link.ifi_index = index;
	if (ask_kernel(fd, &req, RTM_NEWLINK, answer, sizeof(answer)) < 0)
		return;
	rta = IFLA_RTA(NLMSG_DATA(nh));
	left = (int)IFLA_PAYLOAD(nh);
	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
		if (rta->rta_type == IFLA_LINKINFO)
			c->veth = is_veth(rta);
		else if (rta->rta_type == IFLA_LINK)
			memcpy(&c->peer, RTA_DATA(rta), sizeof(c->peer));
		else if (rta->rta_type == IFLA_LINK_NETNSID)
			memcpy(&c->nsid, RTA_DATA(rta), sizeof(c->nsid));
	}
}

/* the id that this namespace has for that of the descriptor @ns */
static int nsid_of(int fd, int ns)
{
	struct request req = { .nh.nlmsg_type = RTM_GETNSID };
	char answer[512] __attribute__((aligned(8)));
	const struct nlmsghdr *nh = (struct nlmsghdr *)answer;
	const struct rtattr *rta;
	int left, nsid = NSID_NONE;

	req.nh.nlmsg_len = NLMSG_LENGTH(sizeof(req.net));
	put_attr(&req.nh, NETNSA_FD, &ns, sizeof(ns));
	if (ask_kernel(fd, &req, RTM_NEWNSID, answer, sizeof(answer)) < 0)
		return NSID_NONE;
	rta = (struct rtattr *)((char *)NLMSG_DATA(nh) + NLMSG_ALIGN(sizeof(req.net)));
	left = (int)NLMSG_PAYLOAD(nh, sizeof(req.net));
	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left))
		if (rta->rta_type == NETNSA_NSID)
			memcpy(&nsid, RTA_DATA(rta), sizeof(nsid));
	return nsid;
}

/* a descriptor of namespace @nsid among the entries of @dir, or -1 */
static int find_namespace(int fd, int nsid, const char *dir, const char *suffix)
{
	char path[320];
	struct dirent *e;
	DIR *d = opendir(dir);
	int ns = -1;

	while (d && ns < 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.' ||
		    (suffix[0] && (e->d_name[0] < '0' || e->d_name[0] > '9')))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, e->d_name, suffix);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		if (ns >= 0 && nsid_of(fd, ns) != nsid) {
			close(ns);
			ns = -1;
		}
	}
	if (d)
		closedir(d);
	return ns;
}

/* Runs in a thread of its own, because a thread may be unable to return to its namespace. */
static void *open_there(void *arg)
{
	int *fd = arg, ns = *fd;

	*fd = -1;
	if (!setns(ns, CLONE_NEWNET))
		*fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return NULL;
}

static int socket_in(int ns)
{
	pthread_t thread;
	int fd = ns;

	if (pthread_create(&thread, NULL, open_there, &fd))
		return -1;
	pthread_join(thread, NULL);
	return fd;
}

enum pp_far pp_veth_far(const struct pp_iface *iface, int *index, int *ctl)
{
	struct cable c = { 0 };
	int fd, ns;

	*ctl = -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return PP_FAR_NONE;
	read_cable(fd, iface->index, &c);
	*index = c.peer;
	if (c.veth && c.nsid == NSID_NONE) {
		*ctl = fcntl(iface->ctl, F_DUPFD_CLOEXEC, 0);
	} else if (c.veth) {
		ns = find_namespace(fd, c.nsid, "/run/netns", "");
		if (ns < 0)
			ns = find_namespace(fd, c.nsid, "/proc", "/ns/net");
		if (ns >= 0) {
			*ctl = socket_in(ns);
			close(ns);
		}
	}
	close(fd);
	if (!c.veth)
		return PP_FAR_NONE;
	return *ctl < 0 ? PP_FAR_HIDDEN : PP_FAR_FOUND;
}
