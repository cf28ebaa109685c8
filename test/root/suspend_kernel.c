/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * suspend_kernel.c - see suspend_kernel.h
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "suspend_kernel.h"
#include "xsk/uapi.h"

enum suspend_kernel kernel;
uint32_t napi;
unsigned int looks;
unsigned int epoll_budget;

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == XDP_EPIOCSPARAMS)
		epoll_budget = ((const struct xdp_epoll_params *)arg)->busy_poll_budget;
	if (kernel == NO_EPOLL && request == XDP_EPIOCSPARAMS) {
		errno = ENOTTY;
		return -1;
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static unsigned int command; /* of the last question */

ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	const struct nlmsghdr *nl = buf;
	struct genlmsghdr *gen = NLMSG_DATA(nl);

	if (size >= NLMSG_LENGTH(GENL_HDRLEN) && nl->nlmsg_len == size) {
		command = nl->nlmsg_type == GENL_ID_CTRL ? 0 : gen->cmd;
		if (kernel == NOT_ALLOWED && command == NETDEV_CMD_NAPI_SET)
			gen->cmd = UINT8_MAX; /* none: nothing is set */
	}
	return syscall(SYS_sendto, fd, buf, size, flags, NULL, 0);
}

static void refuse(struct nlmsghdr *nl, int err)
{
	nl->nlmsg_type = NLMSG_ERROR;
	memcpy(NLMSG_DATA(nl), &err, sizeof(err));
}

static void hide(struct nlmsghdr *nl, uint16_t type)
{
	char *at = (char *)nl + NLMSG_LENGTH(GENL_HDRLEN), *end = (char *)nl + nl->nlmsg_len;
	struct nlattr *attr;

	for (; at < end; at += NLA_ALIGN(attr->nla_len)) {
		attr = (struct nlattr *)(void *)at;
		if (attr->nla_type == type)
			attr->nla_type = 1000;
	}
}

/* the queue's answer names the NAPI, too */
static ssize_t add_napi(struct nlmsghdr *nl)
{
	const struct nlattr attr = { NLA_HDRLEN + sizeof(napi), NETDEV_A_QUEUE_NAPI_ID };
	char *end = (char *)nl + nl->nlmsg_len;

	memcpy(end, &attr, sizeof(attr));
	memcpy(end + NLA_HDRLEN, &napi, sizeof(napi));
	nl->nlmsg_len += attr.nla_len;
	return attr.nla_len;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	int err = (int)syscall(SYS_getsockopt, fd, level, name, value, len);

	if (!err && level == SOL_SOCKET && name == SO_INCOMING_NAPI_ID && kernel != NO_NAPI &&
	    kernel != OLD && kernel != NO_COPY)
		memcpy(value, &napi, sizeof(napi));
	return err;
}

/* looks at the NAPI are counted */
long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	va_list args;
	long a[6];
	unsigned int i;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(args, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	looks += number == SYS_epoll_pwait2;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, buf, size, flags, NULL, NULL);
	struct nlmsghdr *nl = buf;

	if (n < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN))
		return n;
	if (kernel == NO_FAMILY && !command)
		refuse(nl, -ENOENT);
	if (kernel == OLD && command == NETDEV_CMD_QUEUE_GET)
		refuse(nl, -EOPNOTSUPP);
	if (kernel == NO_COPY && command == NETDEV_CMD_QUEUE_GET)
		return n + add_napi(nl);
	if (kernel == NO_SUSPEND && command == NETDEV_CMD_NAPI_GET)
		hide(nl, NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT);
	if (kernel == NO_THREADED && command == NETDEV_CMD_NAPI_GET)
		hide(nl, NETDEV_A_NAPI_THREADED);
	if (kernel == NOT_ALLOWED && command == NETDEV_CMD_NAPI_SET)
		refuse(nl, -EPERM);
	if (kernel == SHORT)
		return 20;
	if (kernel == CUT && command == NETDEV_CMD_NAPI_GET)
		nl->nlmsg_len += 4;
	if (kernel == SILENT && command == NETDEV_CMD_NAPI_SET) {
		errno = EAGAIN;
		return -1;
	}
	return n;
}
