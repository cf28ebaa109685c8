/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/napi.c - interrupts that stay suspended while a queue's thread finds packets
 *
 * The settings stay after a kill. So a record names those that were there before, and the next
 * port on the queue restores them first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pagepool/error.h>

#include "af_xdp/port.h"
#include "xsk/uapi.h"

/*
 * Busy polling wants both to be set. Without packets the kernel's timer polls DEFER times, every
 * FLUSH_NS, before the device's interrupts are on: 0.2 ms in which a packet waits up to 20 us.
 */
#define DEFER	 10u
#define FLUSH_NS 20000u
#define BUDGET	 64u /* packets a poll; more needs CAP_NET_ADMIN */

static int suspend_refuse(int err, const struct pp_iface *xif, const char *why,
			  const char *what_to_do)
{
	return pp_set_error(-err, "interrupts of %s are not suspended: %s; %s", xif->name, why,
			    what_to_do);
}

/* --- settings -------------------------------------------------------------------- */

static int napi_get_values(struct pp_genl *g, uint32_t id, struct xdp_napi_values *v)
{
	const struct pp_genl_attr attr = { NETDEV_A_NAPI_ID, sizeof(id), &id };
	struct pp_genl_answer answer;
	int err = pp_genl_ask(g, NETDEV_CMD_NAPI_GET, 0, &attr, 1, &answer);

	if (err)
		return err;
	if (pp_genl_get(&answer.nl, NETDEV_A_NAPI_DEFER_HARD_IRQS, &v->defer_hard_irqs,
			sizeof(v->defer_hard_irqs)) ||
	    pp_genl_get_uint(&answer.nl, NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT, &v->gro_flush_ns) ||
	    pp_genl_get_uint(&answer.nl, NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT, &v->suspend_ns))
		return -EOPNOTSUPP;
	return 0;
}

static int napi_set_values(struct pp_genl *g, uint32_t id, const struct xdp_napi_values *v)
{
	const struct pp_genl_attr attrs[] = {
		{ NETDEV_A_NAPI_ID, sizeof(id), &id },
		{ NETDEV_A_NAPI_DEFER_HARD_IRQS, sizeof(v->defer_hard_irqs), &v->defer_hard_irqs },
		{ NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT, sizeof(v->gro_flush_ns), &v->gro_flush_ns },
		{ NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT, sizeof(v->suspend_ns), &v->suspend_ns },
	};
	struct pp_genl_answer answer;

	return pp_genl_ask(g, NETDEV_CMD_NAPI_SET, NLM_F_ACK, attrs, 4, &answer);
}

/* --- the NAPI of a queue ---------------------------------------------------------- */

/* the NAPI that the socket knows, and epoll polls; 0: none */
static uint32_t socket_napi(int fd)
{
	socklen_t len = sizeof(uint32_t);
	uint32_t id = 0;

	return getsockopt(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &len) ? 0 : id;
}

/* the NAPI of a queue by the kernel; *@id is 0 if the driver names none */
static int queue_napi(struct pp_genl *g, int ifindex, uint32_t queue, uint32_t *id)
{
	const uint32_t rx = NETDEV_QUEUE_TYPE_RX;
	const struct pp_genl_attr attrs[] = {
		{ NETDEV_A_QUEUE_ID, sizeof(queue), &queue },
		{ NETDEV_A_QUEUE_IFINDEX, sizeof(ifindex), &ifindex },
		{ NETDEV_A_QUEUE_TYPE, sizeof(rx), &rx },
	};
	struct pp_genl_answer answer;
	int err = pp_genl_ask(g, NETDEV_CMD_QUEUE_GET, 0, attrs, 3, &answer);

	if (err || pp_genl_get(&answer.nl, NETDEV_A_QUEUE_NAPI_ID, id, sizeof(*id)))
		*id = 0;
	return err;
}

/* --- the record ------------------------------------------------------------------- */

static void record_write(const struct xdp_napi *n)
{
	char line[64];

	snprintf(line, sizeof(line), "%08x %08x %016llx %016llx\n", n->id,
		 n->before.defer_hard_irqs, (unsigned long long)n->before.gro_flush_ns,
		 (unsigned long long)n->before.suspend_ns);
	pp_record_write(&n->record, line);
}

/* @n has the settings of a killed process to restore, if there are some */
static void record_open(struct xdp_napi *n, int ifindex, uint32_t queue, bool create)
{
	unsigned long long flush, suspend;
	unsigned int id, defer;
	char name[64], line[64];

	snprintf(name, sizeof(name), "napi-%llu-%d-%u", (unsigned long long)pp_record_net(),
		 ifindex, queue);
	pp_record_open(&n->record, name, create, line, sizeof(line));
	if (sscanf(line, "%8x %8x %16llx %16llx", &id, &defer, &flush, &suspend) != 4)
		return;
	n->id = id;
	n->before = (struct xdp_napi_values){ defer, flush, suspend };
}

/* A NAPI that is gone takes no settings: numbers of NAPIs do not come again. */
static int napi_restore(struct xdp_napi *n)
{
	int err = n->id ? -EBADF : 0;

	if (n->id && n->genl.fd >= 0)
		err = napi_set_values(&n->genl, n->id, &n->before);
	if (pp_record_done(err))
		n->id = 0;
	return n->id ? err : 0;
}

/* --- ports ------------------------------------------------------------------------ */

static int epoll_open(struct xdp_napi *n, const struct pp_iface *xif, int fd, uint32_t look_us)
{
	const struct xdp_epoll_params params = {
		.busy_poll_usecs = look_us,
		.busy_poll_budget = BUDGET,
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

static int set_refused(int err, const struct pp_iface *xif)
{
	if (err == -EPERM || err == -EACCES)
		return suspend_refuse(err, xif, "no permission to set its NAPI",
				      "run as root, or add CAP_NET_ADMIN");
	if (err == -EOPNOTSUPP || err == -EINVAL)
		return suspend_refuse(-EOPNOTSUPP, xif, "this kernel has no irq-suspend-timeout",
				      "take Linux 6.13, or leave suspend out");
	return suspend_refuse(err, xif, strerror(-err), "leave suspend out");
}

/* Asks in the order of the kernels that answer, and reports the first lack. */
static int napi_find(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd)
{
	uint32_t polled = socket_napi(fd), id = polled;
	char why[96];
	int err = 0;

	if (!polled)
		err = queue_napi(&n->genl, xif->index, queue, &id);
	if (!err && !id) {
		snprintf(why, sizeof(why), "its driver names no NAPI for queue %u", queue);
		return suspend_refuse(-EOPNOTSUPP, xif, why, "leave suspend out");
	}
	if (!err)
		err = napi_get_values(&n->genl, id, &n->before);
	if (err)
		return set_refused(err, xif);
	if (!polled)
		return suspend_refuse(-EOPNOTSUPP, xif,
				      "this kernel does not poll AF_XDP in copy mode",
				      "take Linux 6.16, or leave suspend out");
	n->id = id;
	return 0;
}

static int napi_set(struct xdp_napi *n, const struct pp_iface *xif, uint32_t suspend_us)
{
	const struct xdp_napi_values values = { DEFER, FLUSH_NS, 1000ull * suspend_us };
	int err;

	record_write(n);
	err = napi_set_values(&n->genl, n->id, &values);
	if (err && err != -EAGAIN) /* an answer: nothing was set */
		n->id = 0;
	return err ? set_refused(err, xif) : 0;
}

void pp_napi_init(struct xdp_napi *n)
{
	n->ep = -1;
	n->genl.fd = -1;
	n->record.fd = -1;
}

int pp_napi_open(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		 const struct xdp_suspend *how)
{
	int err;

	record_open(n, xif->index, queue, how->suspend_us);
	if (!how->suspend_us && n->record.fd < 0)
		return 0;
	err = pp_genl_open(&n->genl);
	if (!how->suspend_us) {
		pp_napi_close(n);
		return 0;
	}
	if (err)
		err = suspend_refuse(-EOPNOTSUPP, xif,
				     "this kernel has no netdev family of netlink",
				     "take Linux 6.13, or leave suspend out");
	else if ((err = napi_restore(n)))
		err = set_refused(err, xif);
	else
		err = napi_find(n, xif, queue, fd);
	if (!err)
		err = napi_set(n, xif, how->suspend_us);
	if (!err)
		err = epoll_open(n, xif, fd, how->look_us);
	if (err)
		pp_napi_close(n);
	return err;
}

/* The interface, and its NAPI, may be gone. */
void pp_napi_close(struct xdp_napi *n)
{
	if (n->ep >= 0)
		close(n->ep);
	n->ep = -1;
	pp_record_end(&n->record, !napi_restore(n));
	n->id = 0;
	pp_genl_close(&n->genl);
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
