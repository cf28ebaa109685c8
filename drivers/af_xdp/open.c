/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/open.c - build a queue: its socket, memory, rings, and how much it may post */
#include <stdio.h>
#include <string.h>

#include <pagepool/error.h>
#include <pagepool/memory.h>

#include "af_xdp/port.h"

static void xdp_csum_here(struct xdp_dev *xd, struct xdp_queue *x, const char *note)
{
	x->tx_csum = CSUM_SOFTWARE;
	xd->csum_note = note;
}

/* Linux 6.8 takes the length as it is, later ones only with the flag that says so */
static int xdp_register_meta(struct xdp_dev *xd, struct xdp_queue *x, struct xdp_umem_reg_meta *reg)
{
	int err;

	reg->tx_metadata_len = xd->tx_launch ? XDP_TX_META_LAUNCH_LEN : sizeof(struct xdp_tx_meta);
	reg->flags |= XDP_UMEM_TX_METADATA_LEN;
	err = pp_xdp_socket_register(&x->s, reg);
	if (err == -EINVAL) {
		reg->flags &= ~(uint32_t)XDP_UMEM_TX_METADATA_LEN;
		err = pp_xdp_socket_register(&x->s, reg);
	}
	if (err == -EINVAL && (xd->tx_tstamp || xd->tx_launch))
		return pp_set_error(EOPNOTSUPP,
				    "this kernel has no TX metadata for %s, Linux 6.8 has; leave "
				    "%s out",
				    xd->xif.name, xd->tx_tstamp ? "tx_tstamp" : "tx_launch");
	if (err == -EINVAL) {
		xdp_csum_here(xd, x, "checksums by the port: the kernel has no TX metadata");
		reg->tx_metadata_len = 0;
		err = pp_xdp_socket_register(&x->s, reg);
	}
	x->tx_room = reg->tx_metadata_len;
	return err;
}

static int xdp_register(struct xdp_dev *xd, struct xdp_queue *x)
{
	struct pp_zone *zone = xd->dev.params.zone;
	struct xdp_umem_reg_meta reg = {
		.addr = (uint64_t)(uintptr_t)pp_zone_base(zone),
		.len = pp_zone_pages(zone) * pp_zone_page_size(zone),
		.chunk_size = xd->chunk,
		.headroom = pp_zone_headroom(zone),
		.flags = xd->unaligned ? XDP_UMEM_UNALIGNED_CHUNK_FLAG : 0,
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
	if (x->tx_csum == CSUM_DEVICE || xd->tx_tstamp || xd->tx_launch)
		err = xdp_register_meta(xd, x, &reg);
	else
		err = pp_xdp_socket_register(&x->s, &reg);
	if (err == -EOPNOTSUPP)
		return err;
	if (err == -ENOBUFS)
		return pp_set_error(ENOBUFS,
				    "not allowed to lock %llu KiB of packet memory for %s; raise "
				    "the limit (ulimit -l), or run with CAP_IPC_LOCK",
				    (unsigned long long)reg.len >> 10, xd->xif.name);
	return err ? pp_xdp_error(err, &xd->xif, "register packet memory") : 0;
}

/* Its rings are empty: the program that passed it on has posted no frame, see doc/ports.md. */
static int xdp_adopt(struct xdp_dev *xd, struct xdp_queue *x)
{
	int err = pp_xdp_socket_adopt(&x->s, xd->socket_fd, xd->fill_size);

	switch (err) {
	case 0:
		break;
	case -EINVAL:
		return pp_set_error(EINVAL,
				    "socket=%d of %s has rings of other sizes than %u (RX, TX, "
				    "completion) and %u (fill)",
				    xd->socket_fd, xd->xif.name, XDP_RX_SIZE, xd->fill_size);
	case -ENOTCONN:
		return pp_set_error(ENOTCONN, "socket=%d is not bound; bind it to %s first",
				    xd->socket_fd, xd->xif.name);
	default:
		return pp_set_error(-err,
				    "socket=%d is no AF_XDP socket: %s; pass the descriptor "
				    "on, without close-on-exec",
				    xd->socket_fd, strerror(-err));
	}
	err = pp_zone_pin(xd->dev.params.zone);
	if (!err)
		x->pinned = xd->dev.params.zone;
	return err;
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

	if (xd->wakeup)
		flags |= XDP_USE_NEED_WAKEUP;
	if (xd->how.frags)
		flags |= XDP_USE_SG;
	if (xd->zerocopy == ZC_ON)
		flags |= XDP_ZEROCOPY;
	else if (xd->zerocopy == ZC_OFF || xd->prog->mode == PP_XDP_SKB)
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
	const int prefer = 1, budget = (int)xd->napi.budget, us = (int)xd->busy_poll_us;
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

/* Without suspension the port goes on, as without busy polling, and says so. */
static int xdp_interrupts(struct xdp_dev *xd, struct xdp_queue *x, unsigned int queue)
{
	int err = pp_napi_open(&x->napi, &xd->xif, queue, x->s.fd, &xd->napi);

	if (err && xd->napi.asked.mask)
		return err;
	if (!err && xd->napi.suspend_us)
		err = pp_napi_suspend(&x->napi, &xd->xif, queue, x->s.fd, &xd->napi);
	if (err) {
		snprintf(xd->suspend_text, sizeof(xd->suspend_text), "%s", pp_error());
		xd->busy_poll_note = "interrupts not suspended";
	} else if (xd->napi.suspend_us && !xd->suspend_text[0]) {
		xd->busy_poll_note = "interrupts suspended while packets come";
	}
	return 0;
}

/* @asked: what the engine was created with; it has asked the device */
static void xdp_note_offers(struct xdp_dev *xd, const struct xdp_queue *x, uint32_t asked)
{
	const uint32_t lacks = asked & ~pp_xsk_flags(x->xsk);

	if (lacks & PP_XSK_TX_CSUM)
		xd->csum_note =
			xd->is_zerocopy
				? "checksums by the port: the driver has none in zero-copy mode"
				: "checksums by the port: virtio_net in copy mode may leave them";
	if (lacks & PP_XSK_TX_TSTAMP)
		xd->tstamp_note = "no sending times: the driver tells none";
}

/*
 * How many frames to post. A device that receives without a copy takes frames off the fill ring
 * long before it needs them.
 */
static int xdp_set_share(struct xdp_dev *xd, struct xdp_queue *x)
{
	const struct pp_zone *zone = xd->dev.params.zone;
	uint32_t frames = xd->fill_size;

	if (!xd->is_zerocopy && frames > XDP_RX_SIZE)
		frames = XDP_RX_SIZE;
	x->share = pp_xdp_share_take(zone, frames, xd->nqueues);
	if (!x->share)
		return pp_set_error(ENOMEM,
				    "the zone's %llu pages are too few for another queue; give it "
				    "more pages",
				    (unsigned long long)pp_zone_pages(zone));
	return 0;
}

static uint32_t xdp_flags(const struct xdp_dev *xd, const struct xdp_queue *x)
{
	static const uint32_t csum[] = {
		[CSUM_OFF] = 0,
		[CSUM_DEVICE] = PP_XSK_TX_CSUM,
		[CSUM_SOFTWARE] = PP_XSK_TX_CSUM_SW,
	};

	return PP_XSK_COPY | csum[x->tx_csum] | (xd->wakeup ? PP_XSK_NEED_WAKEUP : 0) |
	       (xd->how.frags ? PP_XSK_SG : 0) | (xd->tx_tstamp ? PP_XSK_TX_TSTAMP : 0) |
	       (xd->tx_launch ? PP_XSK_TX_LAUNCH : 0) |
	       (xd->dev.params.tx_keep ? PP_XSK_TX_KEEP : 0) |
	       (xd->unaligned ? PP_XSK_UNALIGNED : 0) | (xd->how.rx_meta ? PP_XSK_RX_META : 0);
}

static int xdp_give_pages(struct xdp_dev *xd, struct xdp_queue *x)
{
	struct pp_xsk_params p = {
		.sz = sizeof(p),
		.pool = x->q.pool,
		.zone = xd->dev.params.zone,
		.flags = xdp_flags(xd, x),
		.chunk_size = xd->chunk,
		.tx_metadata_len = x->tx_room,
		.fd = x->s.fd,
		.port = xd->dev.params.port,
		.frames = x->share,
		.batch = xd->dev.params.refill,
		.rx = x->s.ring[XDP_RING_RX],
		.fill = x->s.ring[XDP_RING_FILL],
		.tx = x->s.ring[XDP_RING_TX],
		.comp = x->s.ring[XDP_RING_COMP],
		.ifindex = x->tx_room ? (uint32_t)xd->xif.index : 0,
	};

	if (pp_xsk_private != sizeof(*x->xsk))
		return pp_set_error(ENOTSUP,
				    "af_xdp: libpagepool-xsk and libpagepool-netdev are of "
				    "different builds; install both of one version");
	x->xsk = pp_xsk_create(&p);
	if (!x->xsk)
		return -errno;
	xdp_note_offers(xd, x, p.flags);
	pp_xsk_refill(x->xsk);
	return 0;
}

static int xdp_open_socket(struct xdp_dev *xd, struct xdp_queue *x, unsigned int queue)
{
	int err;

	if (xd->socket_fd >= 0)
		return xdp_adopt(xd, x);
	err = xdp_register(xd, x);
	return err ? err : xdp_bind(xd, x, queue);
}

int pp_xdp_open_queue(struct xdp_dev *xd, unsigned int queue)
{
	struct xdp_queue *x;
	int err;

	x = to_xdp(pp_netdev_add_queue(&xd->dev, sizeof(*x), &pp_xdp_queue_ops));
	if (!x)
		return -errno;
	x->s.fd = -1;
	pp_napi_init(&x->napi);
	x->tx_csum = xd->tx_csum;
	err = xdp_open_socket(xd, x, queue);
	if (err)
		return err;
	xd->is_zerocopy = xsk_is_zerocopy(x->s.fd);
	err = xdp_interrupts(xd, x, queue);
	if (err)
		return err;
	if (xd->busy_poll_us && !xd->napi.suspend_us)
		xd->busy_poll_note = xdp_busy_poll(xd, x);
	err = xdp_set_share(xd, x);
	if (!err)
		err = xdp_give_pages(xd, x);
	if (err || !xd->prog)
		return err;
	return pp_xdp_prog_set(xd->prog, &xd->xif, queue, x->s.fd);
}
