/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/suspend.c - interrupts that stay suspended while a queue's thread finds packets */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "af_xdp/port.h"
#include "xsk/uapi.h"

/*
 * Busy polling wants both to be set. Without packets the kernel's timer polls DEFER times, every
 * FLUSH_NS, before the device's interrupts are on: 0.2 ms in which a packet waits up to 20 us.
 */
#define DEFER	 10u
#define FLUSH_NS 20000u

static int suspend_refuse(int err, const struct pp_iface *xif, const char *why,
			  const char *what_to_do)
{
	return pp_napi_refuse(err, xif, NAPI_SUSPEND, why, what_to_do);
}

static int epoll_open(struct xdp_napi *n, const struct pp_iface *xif, int fd,
		      const struct xdp_napi_params *how)
{
	const struct xdp_epoll_params params = {
		.busy_poll_usecs = how->look_us,
		.busy_poll_budget = (uint16_t)how->budget,
		.prefer_busy_poll = 1,
	};
	struct epoll_event event = { .events = EPOLLIN };

	n->ep = epoll_create1(EPOLL_CLOEXEC);
	if (n->ep < 0)
		return suspend_refuse(-errno, xif, strerror(errno),
				      "allow more descriptors (ulimit -n)");
	if (ioctl(n->ep, XDP_EPIOCSPARAMS, &params))
		return suspend_refuse(
			-EOPNOTSUPP, xif, "this kernel's epoll does no busy polling",
			"take Linux 6.13 with CONFIG_NET_RX_BUSY_POLL, or leave suspend out");
	if (epoll_ctl(n->ep, EPOLL_CTL_ADD, fd, &event))
		return suspend_refuse(-errno, xif, strerror(errno), "leave suspend out");
	return 0;
}

/* Asks in the order of the kernels that answer, and reports the first lack. */
static int suspend_find(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
			uint32_t *id)
{
	uint32_t polled = pp_napi_of_socket(fd);
	struct xdp_napi_values now;
	int err = 0;

	*id = polled;
	if (!polled)
		err = pp_napi_named(&n->genl, xif->index, queue, id);
	if (!err && !*id)
		return pp_napi_unnamed(xif, NAPI_SUSPEND, queue);
	if (!err)
		err = pp_napi_get(&n->genl, *id, &now);
	if (!err && !(now.mask >> NAPI_SUSPEND & 1))
		err = -EOPNOTSUPP;
	if (err)
		return pp_napi_refused(err, xif, NAPI_SUSPEND);
	if (!polled)
		return suspend_refuse(-EOPNOTSUPP, xif,
				      "this kernel does not poll AF_XDP in copy mode",
				      "take Linux 6.16, or leave suspend out");
	if (n->id && n->id != *id)
		return suspend_refuse(-EOPNOTSUPP, xif, "its socket polls another queue's NAPI",
				      "leave suspend out");
	return 0;
}

static int suspend_set(struct xdp_napi *n, const struct pp_iface *xif, uint32_t id,
		       const struct xdp_napi_params *how)
{
	struct xdp_napi_values v = {
		.mask = 1u << NAPI_SUSPEND | 1u << NAPI_DEFER | 1u << NAPI_FLUSH,
		.v = { DEFER, FLUSH_NS, 1000ull * how->suspend_us, 0 },
	};
	int err;

	v.mask &= ~how->asked.mask;
	err = pp_napi_change(n, id, &v);
	return err ? pp_napi_refused(err, xif, NAPI_SUSPEND) : 0;
}

int pp_napi_suspend(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		    const struct xdp_napi_params *how)
{
	uint32_t id;
	int err;

	err = suspend_find(n, xif, queue, fd, &id);
	if (!err)
		err = suspend_set(n, xif, id, how);
	if (!err)
		err = epoll_open(n, xif, fd, how);
	if (!err)
		return 0;
	if (n->ep >= 0)
		close(n->ep);
	n->ep = -1;
	if (!how->asked.mask)
		pp_napi_close(n);
	else
		(void)pp_napi_restore(n, ~how->asked.mask);
	return err;
}

/* Without a timeout epoll_wait() does not poll at all; the shortest one sleeps as good as never. */
bool pp_napi_look(struct xdp_napi *n)
{
	const struct xdp_timespec shortest = { .tv_nsec = 1 };
	struct epoll_event event;

	n->suspended = syscall(SYS_epoll_pwait2, n->ep, &event, 1, &shortest, NULL, 0) > 0 &&
		       event.events & EPOLLIN;
	return n->suspended;
}
