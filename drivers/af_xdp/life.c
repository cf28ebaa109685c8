/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/life.c - what happens to a queue besides packets: interfaces that go, the end, counters
 *
 * When an interface is deleted, or moved to another namespace, the kernel unbinds
 * its sockets and tells whoever asks (ENXIO). The queue's thread then closes the
 * socket, which waits until no receive path uses it any more, and takes the frames
 * in all four rings back: the other ports can have them while the program goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pagepool/memory.h>

#include "af_xdp/queue.h"

#define HOME_BATCH 64u
#define LOOK_POLLS 1024u /* idle polls between two questions: some 0.2 ns each */

/* Asks as cheaply as that goes: nothing is received this way. */
void pp_xdp_look(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	x->look = LOOK_POLLS;
	if (recvfrom(x->s.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) >= 0)
		pp_iface_link_seen(&xd->xif, PP_LINK_UP);
	else if (errno == ENETDOWN)
		pp_iface_link_seen(&xd->xif, PP_LINK_DOWN);
	else if (errno == ENXIO)
		x->gone = true;
	if (x->gone)
		pp_xdp_gone(x);
}

void pp_xdp_gone(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	pp_stat_add(&x->q.stats.rx_dropped, xsk_cons_nb_avail(&x->s.rx, XDP_RX_SIZE));
	pp_iface_link_seen(&xd->xif, PP_LINK_GONE);
	pp_xdp_reap(x);
	x->target = 0;
	x->q.ops = &pp_iface_gone_ops;
	pp_xdp_close_queue(x);
	/* the last one's release makes what all of them did visible with pp_netdev_done() */
	if (__atomic_add_fetch(&xd->gone, 1, __ATOMIC_ACQ_REL) == xd->nqueues)
		__atomic_store_n(&xd->dev.done, true, __ATOMIC_RELEASE);
}

const char *pp_xdp_event(struct pp_netdev *dev)
{
	struct xdp_dev *xd = to_xdp_dev(dev);

	if (!xd->offload_told) {
		xd->offload_told = true;
		if (xd->offload && pp_offload_text(xd->offload)[0])
			return pp_offload_text(xd->offload);
	}
	return pp_iface_event(&xd->xif, xd->longest);
}

static void kernel_stats(const struct xdp_queue *x, struct pp_netdev_stats *stats)
{
	struct xdp_statistics st;
	socklen_t len = sizeof(st);

	memset(&st, 0, sizeof(st));
	if (getsockopt(x->s.fd, SOL_XDP, XDP_STATISTICS, &st, &len))
		return;
	stats->rx_dropped += st.rx_dropped + st.rx_ring_full + st.rx_invalid_descs;
	stats->rx_fill_empty += st.rx_fill_ring_empty_descs;
	stats->rx_ring_full += st.rx_ring_full;
	stats->rx_invalid += st.rx_invalid_descs;
	stats->tx_invalid += st.tx_invalid_descs;
	stats->tx_ring_empty += st.tx_ring_empty_descs;
	stats->errors += st.tx_invalid_descs;
}

/* What only the kernel counts. In copy mode a packet that found no frame is in two counters. */
void pp_xdp_kernel_stats(struct xdp_queue *x, struct pp_netdev_stats *stats)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	pthread_mutex_lock(&xd->lock);
	if (x->s.fd >= 0) {
		kernel_stats(x, stats);
	} else {
		stats->rx_dropped += x->kernel.rx_dropped;
		stats->rx_fill_empty += x->kernel.rx_fill_empty;
		stats->rx_ring_full += x->kernel.rx_ring_full;
		stats->rx_invalid += x->kernel.rx_invalid;
		stats->tx_invalid += x->kernel.tx_invalid;
		stats->tx_ring_empty += x->kernel.tx_ring_empty;
		stats->errors += x->kernel.errors;
	}
	pthread_mutex_unlock(&xd->lock);
}

unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms)
{
	x->target = 0; /* nothing more is posted */
	for (;;) {
		x->kick_pause = 0;
		if (xdp_tx_waiting(x))
			pp_xdp_kick(x);
		if (pp_xdp_reap(x))
			continue;
		if (!x->tx_out || x->gone || !ms)
			return ms;
		pp_xdp_sleep_ms(1);
		ms--;
	}
}

/* After close() no frame with the socket's tag is in use by the kernel, wherever it was. */
static void bring_home(struct xdp_queue *x)
{
	struct pp_page *home[HOME_BATCH];
	unsigned int n = 0;
	uint32_t owner, unsent = 0;
	uint64_t i;

	for (i = 0; i < x->npages && x->posted + x->tx_out; i++) {
		owner = xdp_owner_get(x->table + i);
		if (owner == x->owner_fill)
			x->posted--;
		else if (owner == x->owner_tx)
			x->tx_out--, unsent++;
		else if (owner == (x->owner_tx | XDP_OWNER_TX_MORE))
			x->tx_out--;
		else
			continue;
		xdp_owner_set(x->table + i, 0);
		home[n++] = x->table + i;
		if (n == HOME_BATCH) {
			page_pool_put_bulk(home, n);
			n = 0;
		}
	}
	page_pool_put_bulk(home, n);
	if (unsent > x->tx_lost)
		pp_stat_add(&x->q.stats.tx_dropped, unsent - x->tx_lost);
	x->tx_lost = 0;
}

void pp_xdp_close_queue(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);
	struct xdp_socket s;

	pthread_mutex_lock(&xd->lock);
	if (x->s.fd >= 0)
		kernel_stats(x, &x->kernel);
	s = x->s;
	memset(&x->s, 0, sizeof(x->s));
	x->s.fd = -1;
	pthread_mutex_unlock(&xd->lock);

	pp_xdp_socket_close(&s);
	bring_home(x);
	pp_xdp_sg_forget(x);
	if (x->share)
		pp_xdp_share_drop(xd->dev.params.zone, x->share);
	x->share = 0;
	if (x->pinned)
		pp_zone_unpin(x->pinned);
	x->pinned = NULL;
}
