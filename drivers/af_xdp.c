/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp.c - ports on AF_XDP sockets: a zone's memory is the UMEM
 *
 * Each queue has a socket with its own registration of the whole zone, because
 * libxdp cannot reopen a socket of a shared UMEM while another one lives.
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

#include <linux/if_xdp.h>

#include <pagepool/memory.h>

#include "af_xdp_priv.h"
#include "af_xdp_queue.h"

#define XDP_FILL_SIZE	  (2 * XDP_RX_SIZE)
#define XDP_HEADROOM	  256u /* the kernel's own, in front of what the zone asks for */
#define XDP_CHUNK_RESERVE 704u /* a chunk has at least this beside the zone's headroom */
#define ETH_OVERHEAD	  18u /* header and one VLAN tag, beyond the MTU */

#define XDP_FLUSH_MS 100u /* that all queues of a stopped port have to send what waits */

enum xdp_zc {
	ZC_AUTO,
	ZC_ON,
	ZC_OFF,
};

struct xdp_dev {
	struct pp_netdev dev;
	struct xdp_if xif;
	struct xdp_prog prog;
	uint32_t first;
	uint32_t nqueues;
	unsigned int mode;
	unsigned int zerocopy;
	unsigned int wakeup;
	uint32_t busy_poll_us;
	uint32_t fill_size;
	bool is_zerocopy;
	const char *busy_poll_note;
};

static void xdp_get_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	unsigned int i;

	for (i = 0; i < dev->nqueues; i++)
		pp_xdp_kernel_stats(to_xdp(dev->queues[i]), stats);
}

/* The queue stays busy while a ring is mapped; closing waits for the kernel's receive path. */
static void xdp_close_socket(struct xdp_queue *x)
{
	if (x->fd >= 0)
		pp_xdp_kernel_stats(x, &x->kernel);
	__atomic_store_n(&x->fd, -1, __ATOMIC_RELAXED);
	if (x->xsk)
		xsk_socket__delete(x->xsk);
	x->xsk = NULL;
	if (x->umem)
		xsk_umem__delete(x->umem);
	x->umem = NULL;
	if (x->pinned)
		pp_zone_unpin(x->pinned);
	x->pinned = NULL;
}

static void xdp_stop(struct pp_netdev *dev)
{
	struct xdp_dev *xd = (struct xdp_dev *)dev;
	struct xdp_queue *x;
	unsigned int i, ms = XDP_FLUSH_MS;

	for (i = 0; i < dev->nqueues; i++)
		pp_xdp_prog_unset(&xd->prog, xd->first + i);
	for (i = 0; i < dev->nqueues; i++) {
		x = to_xdp(dev->queues[i]);
		if (x->xsk)
			ms = pp_xdp_flush(x, ms);
	}
	pp_xdp_prog_detach(&xd->prog);
	for (i = 0; i < dev->nqueues; i++) {
		x = to_xdp(dev->queues[i]);
		xdp_close_socket(x);
		pp_xdp_bring_home(x);
	}
}

static int xdp_parse(struct xdp_dev *xd, struct pp_args *args)
{
	static const char *const modes[] = { "auto", "native", "skb", NULL };
	static const char *const zerocopy[] = { "auto", "on", "off", NULL };
	static const char *const wakeup[] = { "on", "off", NULL };
	int err;

	xd->nqueues = 1;
	xd->fill_size = XDP_FILL_SIZE;
	err = pp_args_u32(args, "queues", 1, PP_QUEUES_MAX, &xd->nqueues);
	if (!err)
		err = pp_args_u32(args, "queue", 0, UINT16_MAX, &xd->first);
	if (!err)
		err = pp_args_word(args, "mode", modes, &xd->mode);
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
	if (xd->fill_size & (xd->fill_size - 1))
		return pp_set_error(EINVAL, "fill=%u is no power of two; try fill=%u",
				    xd->fill_size, 1u << (31 - __builtin_clz(xd->fill_size)));
	if (xd->mode == XDP_MODE_SKB && xd->zerocopy == ZC_ON)
		return pp_set_error(EINVAL, "zerocopy=on needs native XDP; take mode=native or "
					    "leave zerocopy out");
	return 0;
}

/* What would fail late, or not fail and lose packets. */
static int xdp_check(const struct xdp_dev *xd)
{
	const struct xdp_if *xif = &xd->xif;
	uint32_t size = pp_zone_page_size(xd->dev.params.zone);
	uint32_t headroom = pp_zone_headroom(xd->dev.params.zone);
	uint32_t capacity;

	if (size != 2048 && size != 4096)
		return pp_set_error(EINVAL, "AF_XDP takes pages of 2048 or 4096 bytes, not %u",
				    size);
	if (headroom > size - XDP_CHUNK_RESERVE)
		return pp_set_error(EINVAL,
				    "a headroom of %u bytes is more than AF_XDP allows in pages of "
				    "%u, which is %u",
				    headroom, size, size - XDP_CHUNK_RESERVE);
	capacity = size - XDP_HEADROOM - headroom;
	if (xif->mtu + ETH_OVERHEAD > capacity)
		return pp_set_error(EMSGSIZE,
				    "%s has MTU %u, frames of up to %u bytes, and a page of %u "
				    "holds %u; %sset the MTU: ip link set dev %s mtu %u",
				    xif->name, xif->mtu, xif->mtu + ETH_OVERHEAD, size, capacity,
				    size < 4096 ? "take pages of 4096 or " : "", xif->name,
				    capacity - ETH_OVERHEAD);
	if (xif->channels && xd->first + xd->nqueues > xif->channels)
		return pp_set_error(
			EINVAL, "%s has no queue %u: it has %u, numbered from 0 (ethtool -l %s)",
			xif->name, xd->first + xd->nqueues - 1, xif->channels, xif->name);
	return 0;
}

static int xdp_umem(struct xdp_dev *xd, struct xdp_queue *x)
{
	struct pp_zone *zone = xd->dev.params.zone;
	struct xsk_umem_config cfg = {
		.fill_size = xd->fill_size,
		.comp_size = XDP_TX_SIZE,
		.frame_size = pp_zone_page_size(zone),
		.frame_headroom = pp_zone_headroom(zone),
	};
	uint64_t len = pp_zone_pages(zone) << x->shift;
	int err;

	/* the kernel takes these very pages of memory: none may come, or go, behind its back */
	err = pp_zone_pin(zone);
	if (err)
		return err;
	x->pinned = zone;
	err = xsk_umem__create(&x->umem, pp_zone_base(zone), len, &x->fill, &x->comp, &cfg);
	if (err == -ENOBUFS)
		return pp_set_error(ENOBUFS,
				    "not allowed to lock %llu KiB of packet memory for %s; raise "
				    "the limit (ulimit -l), or run with CAP_IPC_LOCK",
				    (unsigned long long)len >> 10, xd->xif.name);
	if (err == -EAFNOSUPPORT)
		return pp_set_error(EAFNOSUPPORT, "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)");
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

/*
 * The kernel keeps a queue for 10 to 40 ms after its socket was closed, also by
 * a kill: wait for it.
 */
static int xdp_bind(struct xdp_dev *xd, struct xdp_queue *x, unsigned int queue)
{
	struct xsk_socket_config cfg = {
		.rx_size = XDP_RX_SIZE,
		.tx_size = XDP_TX_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	};
	unsigned int ms = 0;
	int err;

	if (x->wakeup)
		cfg.bind_flags |= XDP_USE_NEED_WAKEUP;
	if (xd->zerocopy == ZC_ON)
		cfg.bind_flags |= XDP_ZEROCOPY;
	else if (xd->zerocopy == ZC_OFF || xd->prog.mode == XDP_MODE_SKB)
		cfg.bind_flags |= XDP_COPY;
	/* neither: the kernel tries zero-copy first */

	for (;;) {
		err = xsk_socket__create_shared(&x->xsk, xd->xif.name, queue, x->umem, &x->rx,
						&x->tx, &x->fill, &x->comp, &cfg);
		if (err != -EBUSY || ms >= XDP_RETRY_MS)
			break;
		pp_xdp_sleep_ms(XDP_RETRY_STEP_MS);
		ms += XDP_RETRY_STEP_MS;
	}
	if (err) {
		x->xsk = NULL;
		return xdp_bind_error(err, xd, queue);
	}
	return 0;
}

static const char *xdp_busy_poll(struct xdp_dev *xd, struct xdp_queue *x)
{
	const int prefer = 1, budget = 64, us = (int)xd->busy_poll_us;
	socklen_t len = sizeof(int);
	int napi = 0;

	if (setsockopt(x->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof(prefer)) ||
	    setsockopt(x->fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)) ||
	    setsockopt(x->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)))
		return errno == EPERM ? "busy poll refused: needs CAP_NET_ADMIN"
				      : "busy poll refused by the kernel";
	x->busy_poll = true;
	if (getsockopt(x->fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &napi, &len) || !napi)
		return "busy poll inert: no NAPI behind the queue yet";
	return "busy poll";
}

static void xdp_is_zerocopy(struct xdp_dev *xd, const struct xdp_queue *x)
{
	struct xdp_options opts = { 0 };
	socklen_t len = sizeof(opts);

	if (!getsockopt(x->fd, SOL_XDP, XDP_OPTIONS, &opts, &len))
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
	x->fd = -1;
	x->table = pp_zone_page_table(zone);
	x->npages = pp_zone_pages(zone);
	x->shift = (unsigned int)__builtin_ctz(pp_zone_page_size(zone));
	x->port = xd->dev.params.port;
	x->wakeup = xd->wakeup == 0;

	err = xdp_umem(xd, x);
	if (err)
		return err;
	err = xdp_bind(xd, x, queue);
	if (err)
		return err;
	x->fd = xsk_socket__fd(x->xsk);
	xdp_is_zerocopy(xd, x);
	if (xd->busy_poll_us)
		xd->busy_poll_note = xdp_busy_poll(xd, x);
	xdp_set_target(xd, x);
	pp_xdp_refill(x);
	return pp_xdp_prog_set(&xd->prog, &xd->xif, queue, x->fd);
}

static void xdp_describe(struct xdp_dev *xd)
{
	const char *note = xd->busy_poll_note;
	bool why = xd->prog.fallback[0];

	snprintf(xd->dev.info, sizeof(xd->dev.info), "%s%s%s%s, %s, %u queue%s%s%s",
		 xd->prog.mode == XDP_MODE_SKB ? "skb" : "native", why ? " (" : "",
		 xd->prog.fallback, why ? ")" : "", xd->is_zerocopy ? "zero-copy" : "copy",
		 xd->nqueues, xd->nqueues == 1 ? "" : "s", note ? ", " : "", note ? note : "");
}

static int xdp_open(struct pp_netdev *dev, struct pp_args *args)
{
	struct xdp_dev *xd = (struct xdp_dev *)dev;
	unsigned int i;
	int err;

	/* close() comes after a failed open, and 0 is a descriptor */
	xd->prog.map_fd = -1;
	xd->prog.prog_fd = -1;
	xd->prog.link_fd = -1;

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
	err = pp_xdp_prog_attach(&xd->prog, &xd->xif, xd->mode, xd->first + xd->nqueues);
	if (!err && xd->zerocopy == ZC_ON && xd->prog.mode == XDP_MODE_SKB)
		err = pp_set_error(EOPNOTSUPP,
				   "zerocopy=on needs native XDP, not to be had on %s: %s",
				   xd->xif.name, xd->prog.fallback);
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
	.close = xdp_stop,
	.get_stats = xdp_get_stats,
};
