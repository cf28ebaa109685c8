/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp.c - ports on AF_XDP sockets: a zone's memory is the UMEM
 *
 * Each queue has a socket with its own registration of the whole zone: so the
 * queues of all ports share one memory, frames travel between them, and each may
 * come and go by itself, which the sockets of a shared UMEM can not.
 *
 * The fill ring is twice the RX ring, and no more frames than the RX ring holds
 * are posted in copy mode: the kernel shows a received frame before it shows
 * the slot of the fill ring that it came from, so that a fill ring without
 * slack looks full at times.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "af_xdp_queue.h"

#define XDP_FILL_SIZE	  (2 * XDP_RX_SIZE)
#define XDP_HEADROOM	  256u /* the kernel's own, in front of what the zone asks for */
#define XDP_CHUNK_RESERVE 704u /* a chunk has at least this beside the zone's headroom */

#define XDP_FLUSH_MS 100u /* that all queues of a stopped port have to send what waits */

enum xdp_zc {
	ZC_AUTO,
	ZC_ON,
	ZC_OFF,
};

static void xdp_get_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	unsigned int i;

	for (i = 0; i < dev->nqueues; i++)
		pp_xdp_kernel_stats(to_xdp(dev->queues[i]), stats);
	stats->link_downs += __atomic_load_n(&xd->downs, __ATOMIC_RELAXED);
}

static void xdp_stop(struct pp_netdev *dev)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	struct xdp_queue *x;
	unsigned int i, ms = XDP_FLUSH_MS;

	for (i = 0; i < dev->nqueues && xd->prog; i++)
		pp_xdp_prog_unset(xd->prog, xd->first + i);
	for (i = 0; i < dev->nqueues; i++) {
		x = to_xdp(dev->queues[i]);
		if (x->s.map[XDP_RING_COMP])
			ms = pp_xdp_flush(x, ms);
	}
	pp_xdp_prog_put(xd->prog);
	xd->prog = NULL;
	for (i = 0; i < dev->nqueues; i++)
		pp_xdp_close_queue(to_xdp(dev->queues[i]));
}

static void xdp_close(struct pp_netdev *dev)
{
	xdp_stop(dev);
	pp_xdp_if_close(&to_xdp_dev(dev)->xif);
	pthread_mutex_destroy(&to_xdp_dev(dev)->lock);
}

static int xdp_parse(struct xdp_dev *xd, struct pp_args *args)
{
	static const char *const modes[] = { "auto", "native", "skb", NULL };
	static const char *const zerocopy[] = { "auto", "on", "off", NULL };
	static const char *const wakeup[] = { "on", "off", NULL };
	unsigned int mode = XDP_MODE_AUTO;
	int err;

	xd->nqueues = 1;
	xd->fill_size = XDP_FILL_SIZE;
	err = pp_args_u32(args, "queues", 1, PP_QUEUES_MAX, &xd->nqueues);
	if (!err)
		err = pp_args_u32(args, "queue", 0, UINT16_MAX, &xd->first);
	if (!err)
		err = pp_args_word(args, "mode", modes, &mode);
	if (!err)
		err = pp_args_word(args, "zerocopy", zerocopy, &xd->zerocopy);
	if (!err)
		err = pp_args_word(args, "wakeup", wakeup, &xd->wakeup);
	if (!err)
		err = pp_args_u32(args, "busy_poll", 1, 100000, &xd->busy_poll_us);
	if (!err)
		err = pp_args_u32(args, "fill", 64, 32768, &xd->fill_size);
	if (err)
		return err;
	xd->how.mode = mode;
	xd->how.queues = xd->first + xd->nqueues;
	if (xd->fill_size & (xd->fill_size - 1))
		return pp_set_error(EINVAL, "fill=%u is no power of two; try fill=%u",
				    xd->fill_size, 1u << (31 - __builtin_clz(xd->fill_size)));
	if (xd->how.mode == XDP_MODE_SKB && xd->zerocopy == ZC_ON)
		return pp_set_error(EINVAL, "zerocopy=on needs native XDP; take mode=native or "
					    "leave zerocopy out");
	return 0;
}

/* What would fail late, or not fail and lose packets. */
static int xdp_check(struct xdp_dev *xd)
{
	const struct xdp_if *xif = &xd->xif;
	uint32_t size = pp_zone_page_size(xd->dev.params.zone);
	uint32_t headroom = pp_zone_headroom(xd->dev.params.zone);

	if (size != 2048 && size != 4096)
		return pp_set_error(EINVAL, "AF_XDP takes pages of 2048 or 4096 bytes, not %u",
				    size);
	if (headroom > size - XDP_CHUNK_RESERVE)
		return pp_set_error(EINVAL,
				    "a headroom of %u bytes is more than AF_XDP allows in pages of "
				    "%u, which is %u",
				    headroom, size, size - XDP_CHUNK_RESERVE);
	xd->longest = size - XDP_HEADROOM - headroom;
	if (xif->mtu + XDP_ETH_OVERHEAD > xd->longest)
		return pp_set_error(EMSGSIZE,
				    "%s has MTU %u, frames of up to %u bytes, and a page of %u "
				    "holds %u; %sset the MTU: ip link set dev %s mtu %u",
				    xif->name, xif->mtu, xif->mtu + XDP_ETH_OVERHEAD, size,
				    xd->longest, size < 4096 ? "take pages of 4096 or " : "",
				    xif->name, xd->longest - XDP_ETH_OVERHEAD);
	if (xif->channels && xd->first + xd->nqueues > xif->channels)
		return pp_set_error(
			EINVAL, "%s has no queue %u: it has %u, numbered from 0 (ethtool -l %s)",
			xif->name, xd->first + xd->nqueues - 1, xif->channels, xif->name);
	return 0;
}

static int xdp_register(struct xdp_dev *xd, struct xdp_queue *x)
{
	struct pp_zone *zone = xd->dev.params.zone;
	struct xdp_umem_reg_meta reg = {
		.addr = (uint64_t)(uintptr_t)pp_zone_base(zone),
		.len = pp_zone_pages(zone) << x->shift,
		.chunk_size = pp_zone_page_size(zone),
		.headroom = pp_zone_headroom(zone),
	};
	int err;

	err = pp_xdp_socket_open(&x->s);
	if (err == -EAFNOSUPPORT)
		return pp_set_error(EAFNOSUPPORT, "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)");
	if (err)
		return pp_xdp_error(err, &xd->xif, "open an AF_XDP socket");
	/* the kernel takes these very pages of memory: none may come, or go, behind its back */
	err = pp_zone_pin(zone);
	if (err)
		return err;
	x->pinned = zone;
	err = pp_xdp_socket_register(&x->s, &reg);
	if (err == -ENOBUFS)
		return pp_set_error(ENOBUFS,
				    "not allowed to lock %llu KiB of packet memory for %s; raise "
				    "the limit (ulimit -l), or run with CAP_IPC_LOCK",
				    (unsigned long long)reg.len >> 10, xd->xif.name);
	return err ? pp_xdp_error(err, &xd->xif, "register packet memory") : 0;
}

static int xdp_bind_error(int err, const struct xdp_dev *xd, unsigned int queue)
{
	const char *name = xd->xif.name;

	switch (err) {
	case -EBUSY:
		return pp_set_error(EBUSY,
				    "queue %u of %s is in use by another socket; stop its owner or "
				    "take another queue with queue=K",
				    queue, name);
	case -EINVAL:
		return pp_set_error(EINVAL, "%s has no queue %u, or not for AF_XDP (ethtool -l %s)",
				    name, queue, name);
	case -EOPNOTSUPP:
		return pp_set_error(EOPNOTSUPP,
				    "the driver of %s cannot do zero-copy; leave zerocopy=on out",
				    name);
	default:
		return pp_xdp_error(err, &xd->xif, "bind an AF_XDP socket");
	}
}

static int xdp_bind(struct xdp_dev *xd, struct xdp_queue *x, unsigned int queue)
{
	uint16_t flags = 0;
	int err;

	if (x->wakeup)
		flags |= XDP_USE_NEED_WAKEUP;
	if (xd->zerocopy == ZC_ON)
		flags |= XDP_ZEROCOPY;
	else if (xd->zerocopy == ZC_OFF || xd->prog->mode == XDP_MODE_SKB)
		flags |= XDP_COPY;
	/* neither: the kernel tries zero-copy first */
	err = pp_xdp_socket_rings(&x->s, xd->fill_size);
	if (err)
		return pp_xdp_error(err, &xd->xif, "make the rings");
	err = pp_xdp_socket_bind(&x->s, xd->xif.index, queue, flags);
	return err ? xdp_bind_error(err, xd, queue) : 0;
}

static const char *xdp_busy_poll(struct xdp_dev *xd, struct xdp_queue *x)
{
	const int prefer = 1, budget = 64, us = (int)xd->busy_poll_us;
	socklen_t len = sizeof(int);
	int napi = 0;

	if (setsockopt(x->s.fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof(prefer)) ||
	    setsockopt(x->s.fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)) ||
	    setsockopt(x->s.fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)))
		return errno == EPERM ? "busy poll refused: needs CAP_NET_ADMIN"
				      : "busy poll refused by the kernel";
	x->busy_poll = true;
	if (getsockopt(x->s.fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &napi, &len) || !napi)
		return "busy poll inert: no NAPI behind the queue yet";
	return "busy poll";
}

static void xdp_is_zerocopy(struct xdp_dev *xd, const struct xdp_queue *x)
{
	struct xdp_options opts = { 0 };
	socklen_t len = sizeof(opts);

	if (!getsockopt(x->s.fd, SOL_XDP, XDP_OPTIONS, &opts, &len))
		xd->is_zerocopy = opts.flags & XDP_OPTIONS_ZEROCOPY;
}

/*
 * How many frames to post. A device that receives without a copy takes frames
 * off the fill ring long before it needs them. No port posts more than a quarter
 * of the zone: two ports on a small zone must leave each other something to send.
 */
static void xdp_set_target(struct xdp_dev *xd, struct xdp_queue *x)
{
	uint64_t share = pp_zone_pages(xd->dev.params.zone) / 4 / xd->nqueues;
	uint32_t target = xd->fill_size;

	if (!xd->is_zerocopy && target > XDP_RX_SIZE)
		target = XDP_RX_SIZE;
	if (target > share)
		target = share ? (uint32_t)share : 1;
	x->target = target;
	x->batch = xd->dev.params.refill ? xd->dev.params.refill : 64;
	if (x->batch > target / 2)
		x->batch = target / 2 ? target / 2 : 1;
}

static int xdp_open_queue(struct xdp_dev *xd, unsigned int queue)
{
	static uint32_t sockets; /* 0 is never used: it is the owner "nobody" */
	struct pp_zone *zone = xd->dev.params.zone;
	struct xdp_queue *x;
	uint32_t id;
	int err;

	x = to_xdp(pp_netdev_add_queue(&xd->dev, sizeof(*x), &pp_xdp_queue_ops));
	if (!x)
		return -errno;
	id = __atomic_add_fetch(&sockets, 1, __ATOMIC_RELAXED) << XDP_OWNER_BITS;
	x->owner_fill = id | XDP_OWNER_FILL;
	x->owner_tx = id | XDP_OWNER_TX;
	x->s.fd = -1;
	x->table = pp_zone_page_table(zone);
	x->npages = pp_zone_pages(zone);
	x->shift = (unsigned int)__builtin_ctz(pp_zone_page_size(zone));
	x->port = xd->dev.params.port;
	x->wakeup = xd->wakeup == 0;

	err = xdp_register(xd, x);
	if (err)
		return err;
	err = xdp_bind(xd, x, queue);
	if (err)
		return err;
	xdp_is_zerocopy(xd, x);
	if (xd->busy_poll_us)
		xd->busy_poll_note = xdp_busy_poll(xd, x);
	xdp_set_target(xd, x);
	pp_xdp_refill(x);
	return pp_xdp_prog_set(xd->prog, &xd->xif, queue, x->s.fd);
}

static void xdp_describe(struct xdp_dev *xd)
{
	const char *note = xd->busy_poll_note;
	bool why = xd->prog->fallback[0];

	snprintf(xd->dev.info, sizeof(xd->dev.info), "%s%s%s%s, %s, %u queue%s%s%s",
		 xd->prog->mode == XDP_MODE_SKB ? "skb" : "native", why ? " (" : "",
		 xd->prog->fallback, why ? ")" : "", xd->is_zerocopy ? "zero-copy" : "copy",
		 xd->nqueues, xd->nqueues == 1 ? "" : "s", note ? ", " : "", note ? note : "");
}

static int xdp_open(struct pp_netdev *dev, struct pp_args *args)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	unsigned int i;
	int err;

	/* close() comes after a failed open, and 0 is a descriptor */
	xd->xif.ctl = -1;
	pthread_mutex_init(&xd->lock, NULL);
	err = xdp_parse(xd, args);
	if (err)
		return err;
	err = pp_xdp_if_query(pp_args_positional(args), &xd->xif);
	if (err)
		return err;
	err = xdp_check(xd);
	if (err)
		return err;
	memcpy(dev->mac, xd->xif.mac, sizeof(dev->mac));

	/* program first: until the sockets are in its map, it passes everything on */
	xd->prog = pp_xdp_prog_get(&xd->xif, &xd->how);
	if (!xd->prog)
		return -errno;
	if (xd->zerocopy == ZC_ON && xd->prog->mode == XDP_MODE_SKB)
		err = pp_set_error(EOPNOTSUPP,
				   "zerocopy=on needs native XDP, not to be had on %s: %s",
				   xd->xif.name, xd->prog->fallback);
	for (i = 0; !err && i < xd->nqueues; i++)
		err = xdp_open_queue(xd, xd->first + i);
	if (err)
		return err;
	xdp_describe(xd);
	return 0;
}

const struct pp_netdev_ops pp_af_xdp_ops = {
	.name = "af_xdp",
	.dev_size = sizeof(struct xdp_dev),
	.open = xdp_open,
	.stop = xdp_stop,
	.close = xdp_close,
	.event = pp_xdp_event,
	.get_stats = xdp_get_stats,
};
