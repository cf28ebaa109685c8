/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/life.c - the events of a queue besides packets: interfaces that go, the end, counters
 *
 * When an interface is deleted, or moved to another namespace, the kernel unbinds its sockets, and
 * answers ENXIO from then on. The queue's thread then closes the socket, which waits until no
 * receive path uses it any more, and takes the frames in all four rings back: the other ports can
 * have them while the program goes on.
 */
#include <errno.h>

#include <pagepool/memory.h>

#include "af_xdp/port.h"

#define LOOK_POLLS 1024u /* idle polls between two questions: some 0.2 ns each */

/* A receive without a buffer is the cheapest question, and takes no packet. */
void pp_xdp_look(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	x->look = LOOK_POLLS;
	if (recvfrom(x->s.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) >= 0)
		pp_iface_link_seen(&xd->xif, PP_LINK_UP);
	else if (errno == ENETDOWN)
		pp_iface_link_seen(&xd->xif, PP_LINK_DOWN);
	else if (errno == ENXIO)
		__atomic_store_n(&x->xsk->t.gone, 1, __ATOMIC_RELAXED);
	if (x->xsk->t.gone)
		pp_xdp_gone(x);
}

void pp_xdp_gone(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	pp_stat_add(&x->q.stats.rx_dropped, xsk_cons_nb_avail(&x->xsk->r.rx, XDP_RX_SIZE));
	pp_iface_link_seen(&xd->xif, PP_LINK_GONE);
	x->xsk->flags &= ~PP_XSK_TX_KEEP;
	pp_xsk_complete(x->xsk);
	x->q.ops = &pp_iface_gone_ops;
	pp_xdp_close_queue(x);
	/* the last one's release makes all their stores visible with pp_netdev_done() */
	if (__atomic_add_fetch(&xd->gone, 1, __ATOMIC_ACQ_REL) == xd->nqueues)
		__atomic_store_n(&xd->dev.done, true, __ATOMIC_RELEASE);
}

const char *pp_xdp_event(struct pp_netdev *dev)
{
	struct xdp_dev *xd = to_xdp_dev(dev);

	if (xd->suspend_text[0] && !xd->suspend_told) {
		xd->suspend_told = true;
		return xd->suspend_text;
	}
	if (!xd->offload_told) {
		xd->offload_told = true;
		if (pp_offload_text(xd->offload)[0])
			return pp_offload_text(xd->offload);
	}
	return pp_iface_event(&xd->xif, xd->longest);
}

static void stats_add(struct pp_netdev_stats *to, const struct pp_xsk_stats *st)
{
	to->rx_packets += st->rx_packets;
	to->rx_bytes += st->rx_bytes;
	to->rx_dropped += st->rx_dropped + st->kernel_rx_dropped + st->kernel_rx_ring_full +
			  st->kernel_rx_invalid;
	to->rx_nombuf += st->rx_nombuf + st->tx_nombuf;
	to->rx_bad += st->rx_bad;
	to->rx_fill_empty += st->kernel_fill_empty;
	to->rx_ring_full += st->kernel_rx_ring_full;
	to->rx_invalid += st->kernel_rx_invalid;
	to->tx_packets += st->tx_packets;
	to->tx_bytes += st->tx_bytes;
	to->tx_dropped += st->tx_dropped;
	to->tx_bad += st->comp_bad;
	to->tx_invalid += st->kernel_tx_invalid;
	to->tx_ring_empty += st->kernel_tx_empty;
	to->errors +=
		st->rx_bad + st->tx_bad + st->comp_bad + st->kick_errors + st->kernel_tx_invalid;
	to->tx_tstamps += st->tx_tstamps;
	to->tx_latency_sum_ns += st->tx_latency_sum_ns;
	if (to->tx_latency_max_ns < st->tx_latency_max_ns)
		to->tx_latency_max_ns = st->tx_latency_max_ns;
	if (to->tx_tstamp_last < st->tx_tstamp_last)
		to->tx_tstamp_last = st->tx_tstamp_last;
}

/* In copy mode a packet that found no frame is in two of the kernel's counters. */
void pp_xdp_queue_stats(struct xdp_queue *x, struct pp_netdev_stats *stats)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	if (!x->xsk)
		return;
	pthread_mutex_lock(&xd->lock);
	pp_xsk_get_stats(x->xsk, &st);
	pthread_mutex_unlock(&xd->lock);
	stats_add(stats, &st);
}

unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms)
{
	x->xsk->flags &= ~PP_XSK_TX_KEEP;
	for (;;) {
		x->xsk->t.pause = 0;
		if (pp_xsk_complete(x->xsk))
			continue;
		if (!x->xsk->t.out || x->xsk->t.gone || !ms)
			return ms;
		pp_xdp_sleep_ms(1);
		ms--;
	}
}

void pp_xdp_close_queue(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);
	struct pp_xsk_stats last = { .sz = sizeof(last) };

	pp_napi_close(&x->napi);
	pthread_mutex_lock(&xd->lock);
	if (x->xsk && x->s.fd >= 0)
		pp_xsk_get_stats(x->xsk, &last); /* the engine keeps the kernel's answer */
	pp_xdp_socket_close(&x->s);
	if (x->xsk)
		pp_xsk_reclaim(x->xsk);
	pthread_mutex_unlock(&xd->lock);
	if (x->share)
		pp_xdp_share_drop(xd->dev.params.zone, x->share);
	x->share = 0;
	if (x->pinned)
		pp_zone_unpin(x->pinned);
	x->pinned = NULL;
}
