/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/xsk.c - pages for sockets on AF_XDP: counters, and the end */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pagepool/error.h>
#include <pagepool/memory.h>
#include <pagepool/share.h>

#include "xsk/priv.h"

const uint32_t pp_xsk_private = sizeof(struct pp_xsk);

const struct pp_xsk_umem *pp_xsk_get_umem(const struct pp_xsk *xsk)
{
	return &xsk->umem;
}

uint32_t pp_xsk_flags(const struct pp_xsk *xsk)
{
	return xsk->flags;
}

/* ---- counters ---------------------------------------------------------------------------------*/

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

/* several threads may ask at once: each field is a word of its own */
static void kernel_read(struct pp_xsk *xsk)
{
	int fd = LOAD(xsk->fd);
	struct xdp_statistics st;
	socklen_t len = sizeof(st);
	const uint64_t *from = (const uint64_t *)&st;
	uint64_t *to = (uint64_t *)&xsk->kernel;
	unsigned int i;

	memset(&st, 0, sizeof(st));
	if (fd < 0 || getsockopt(fd, SOL_XDP, XDP_STATISTICS, &st, &len))
		return;
	for (i = 0; i < sizeof(st) / sizeof(*to); i++)
		__atomic_store_n(to + i, from[i], __ATOMIC_RELAXED);
}

static void stats_rx(const struct pp_xsk *xsk, struct pp_xsk_stats *now)
{
	uint32_t frames = LOAD(xsk->frames);

	now->rx_packets = LOAD(xsk->r.st.packets);
	now->rx_bytes = LOAD(xsk->r.st.bytes);
	now->rx_dropped = LOAD(xsk->r.st.dropped);
	now->rx_bad = LOAD(xsk->r.st.bad);
	now->rx_nombuf = LOAD(xsk->r.st.nombuf);
	now->refilled = LOAD(xsk->r.st.refilled);
	now->posted = LOAD(xsk->r.posted);
	now->debt = now->posted < frames ? frames - now->posted : 0;
}

static void stats_tx(const struct pp_xsk *xsk, struct pp_xsk_stats *now)
{
	now->tx_packets = LOAD(xsk->t.st.packets);
	now->tx_bytes = LOAD(xsk->t.st.bytes);
	now->tx_dropped = LOAD(xsk->t.st.dropped);
	now->tx_bad = LOAD(xsk->t.st.bad);
	now->tx_nombuf = LOAD(xsk->t.st.nombuf);
	now->comp_bad = LOAD(xsk->t.st.comp_bad);
	now->tx_out = LOAD(xsk->t.out);
	now->kicks = LOAD(xsk->t.st.kicks);
	now->kick_errors = LOAD(xsk->t.st.kick_errors);
	now->gone = LOAD(xsk->t.gone);
	now->tx_tstamps = LOAD(xsk->t.st.tstamps);
	now->tx_latency_sum_ns = LOAD(xsk->t.st.latency_sum);
	now->tx_latency_max_ns = LOAD(xsk->t.st.latency_max);
	now->tx_tstamp_last = LOAD(xsk->t.st.tstamp_last);
}

int pp_xsk_get_stats(struct pp_xsk *xsk, struct pp_xsk_stats *stats)
{
	struct pp_xsk_stats now = { .sz = stats->sz };

	if (stats->sz > sizeof(now))
		return pp_set_error(E2BIG, "xsk: statistics of %zu bytes, this library knows %zu",
				    stats->sz, sizeof(now));
	kernel_read(xsk);
	stats_rx(xsk, &now);
	stats_tx(xsk, &now);
	now.reclaimed = LOAD(xsk->reclaimed);
	now.kernel_rx_dropped = LOAD(xsk->kernel.rx_dropped);
	now.kernel_rx_ring_full = LOAD(xsk->kernel.rx_ring_full);
	now.kernel_fill_empty = LOAD(xsk->kernel.rx_fill_ring_empty_descs);
	now.kernel_rx_invalid = LOAD(xsk->kernel.rx_invalid_descs);
	now.kernel_tx_invalid = LOAD(xsk->kernel.tx_invalid_descs);
	now.kernel_tx_empty = LOAD(xsk->kernel.tx_ring_empty_descs);
	memcpy(stats, &now, stats->sz);
	return 0;
}

/* ---- the end ----------------------------------------------------------------------------------*/

/* is @mark of a page in this socket's rings? takes it off the count */
static bool reclaim_mark(struct pp_xsk *xsk, uint32_t mark, uint32_t *unsent)
{
	if (mark == xsk->mark_fill)
		xsk->r.posted--;
	else if (mark == xsk->mark_tx)
		xsk->t.out--, ++*unsent;
	else if (mark == (xsk->mark_tx | XSK_KIND_TX_MORE))
		xsk->t.out--;
	else
		return false;
	return true;
}

/*
 * After close() the kernel uses no page with the socket's marks, wherever it was. In a zone that
 * processes share the sockets of the others have the same numbers.
 */
static uint64_t reclaim_pages(struct pp_xsk *xsk, uint32_t *unsent)
{
	uint32_t self = pp_zone_self(xsk->zone);
	struct pp_page *home[XSK_REAP];
	unsigned int n = 0;
	uint64_t i, found = 0;

	for (i = 0; i < xsk->umem.pages && xsk->r.posted + xsk->t.out; i++) {
		if (self && pp_zone_holder(xsk->zone, xsk->umem.table + i) != self)
			continue;
		if (!reclaim_mark(xsk, xsk_mark(xsk->umem.table + i), unsent))
			continue;
		xsk_set_mark(xsk->umem.table + i, 0);
		home[n++] = xsk->umem.table + i;
		found++;
		if (n == XSK_REAP) {
			page_pool_put_bulk(home, n);
			n = 0;
		}
	}
	page_pool_put_bulk(home, n);
	return found;
}

uint64_t pp_xsk_reclaim(struct pp_xsk *xsk)
{
	uint32_t unsent = 0;
	uint64_t found;

	if (!xsk->zone)
		return 0;
	if (xsk->r.chunks || xsk->t.chunks)
		found = pp_xsk_chunks_reclaim(xsk, &unsent);
	else
		found = reclaim_pages(xsk, &unsent);
	if (xsk->r.pieces)
		xsk_put(xsk->r.head, true);
	xsk->r.pieces = 0;
	if (unsent > xsk->t.lost)
		xsk_count(&xsk->t.st.dropped, unsent - xsk->t.lost);
	xsk->t.lost = 0;
	xsk->reclaimed = found;
	xsk->frames = 0;
	__atomic_store_n(&xsk->fd, -1, __ATOMIC_RELAXED);
	pp_zone_unpin(xsk->zone);
	xsk->zone = NULL;
	return found;
}

void pp_xsk_destroy(struct pp_xsk *xsk)
{
	if (!xsk)
		return;
	pp_xsk_reclaim(xsk);
	free(xsk);
}
