/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk.c - pages for programs that own their AF_XDP sockets: set up, counters, the end
 *
 * Built without libxdp: rings are pointers, and the kernel's structs come from
 * its own header. The rings themselves are in xsk/ring.c, chunks in xsk/chunk.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

#include <pagepool/error.h>
#include <pagepool/memory.h>
#include <pagepool/xsk.h>
#include <pagepool/zone.h>

#include "xsk/priv.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define XSK_FLAGS     (PP_XSK_UNALIGNED | PP_XSK_NEED_WAKEUP)
#define XSK_CHUNK_MIN 2048u /* the kernel's, for aligned ones */

/* ---- parameters -------------------------------------------------------------------------------*/

#define XSK_PARAMS_MAX 4096u /* a larger sz is none */

static int xsk_params(struct pp_xsk_params *to, const struct pp_xsk_params *from)
{
	const unsigned char *byte = (const unsigned char *)from;
	size_t i;

	if (from->sz > XSK_PARAMS_MAX)
		return pp_set_error(E2BIG, "xsk: parameters of %zu bytes", from->sz);
	for (i = sizeof(*to); i < from->sz; i++)
		if (byte[i])
			return pp_set_error(E2BIG,
					    "xsk: parameters of %zu bytes, of which this "
					    "library knows %zu",
					    from->sz, sizeof(*to));
	memset(to, 0, sizeof(*to));
	memcpy(to, from, from->sz < sizeof(*to) ? from->sz : sizeof(*to));
	return 0;
}

int pp_xsk_umem_init(struct pp_xsk_umem *umem, struct pp_zone *zone, const void *area,
		     uint32_t flags)
{
	uintptr_t base = (uintptr_t)pp_zone_base(zone);
	uintptr_t first = area ? (uintptr_t)area : base;
	uint32_t size = pp_zone_page_size(zone);

	if (!pp_zone_page_table(zone))
		return pp_set_error(EINVAL, "xsk: zone %s is a depot, which has no pages",
				    pp_zone_name(zone));
	if (flags & ~PP_XSK_UNALIGNED)
		return pp_set_error(EINVAL, "xsk: unknown flags %#x", flags);
	if (first > base)
		return pp_set_error(EINVAL,
				    "xsk: the UMEM begins behind zone %s; register at least "
				    "the zone's memory",
				    pp_zone_name(zone));
	if (!flags && (base - first) % size)
		return pp_set_error(EINVAL,
				    "xsk: zone %s begins %llu bytes into the UMEM, which is no "
				    "multiple of its pages of %u",
				    pp_zone_name(zone), (unsigned long long)(base - first), size);
	umem->table = pp_zone_page_table(zone);
	umem->pages = pp_zone_pages(zone);
	umem->offset = base - first;
	umem->shift = (uint32_t)__builtin_ctz(size);
	umem->flags = flags;
	return 0;
}

static int xsk_cursor(struct pp_xsk_cursor *c, const struct pp_xsk_ring *ring, const char *name)
{
	uint32_t producer, consumer;

	memset(c, 0, sizeof(*c));
	if (!ring->size)
		return 0;
	if (!ring->producer || !ring->consumer || !ring->ring || ring->size & (ring->size - 1))
		return pp_set_error(EINVAL,
				    "xsk: %s ring of %u entries: not a power of two, or not mapped",
				    name, ring->size);
	producer = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	consumer = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	if (producer != consumer)
		return pp_set_error(
			EINVAL,
			"xsk: %u entries are in the %s ring already; let pp_xsk_refill() "
			"and pp_xsk_tx() make the first",
			producer - consumer, name);
	c->ring = *ring;
	c->mine = producer;
	c->other = producer;
	return 0;
}

static int xsk_rings(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	int err;

	if (!p->rx.size && !p->tx.size)
		return pp_set_error(EINVAL, "xsk: neither RX nor TX ring");
	if (p->rx.size && (!p->fill.size || !p->pool))
		return pp_set_error(EINVAL, "xsk: an RX ring, and no %s to fill it from",
				    p->pool ? "fill ring" : "pool");
	if (p->tx.size && !p->comp.size)
		return pp_set_error(EINVAL, "xsk: a TX ring, and no completion ring");
	err = xsk_cursor(&xsk->r.rx, &p->rx, "RX");
	if (!err)
		err = xsk_cursor(&xsk->r.fill, &p->fill, "fill");
	if (!err)
		err = xsk_cursor(&xsk->t.tx, &p->tx, "TX");
	if (!err)
		err = xsk_cursor(&xsk->t.comp, &p->comp, "completion");
	return err;
}

/* Unaligned chunks are whole pages to us; aligned ones are cut from them if they are smaller. */
static int xsk_chunk_size(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	uint32_t size = pp_zone_page_size(p->zone);
	uint32_t chunk = p->chunk_size ? p->chunk_size : size;

	xsk->chunk = chunk;
	xsk->chunk_shift = xsk->umem.shift;
	if (chunk <= size && (chunk == size || p->flags & PP_XSK_UNALIGNED))
		return 0;
	if (chunk > size || chunk < XSK_CHUNK_MIN || chunk & (chunk - 1) ||
	    size / chunk > XSK_CHUNKS_MAX)
		return pp_set_error(EINVAL,
				    "xsk: chunks of %u in pages of %u; aligned chunks are "
				    "pages, or a half to a %uth of them and %u or more",
				    chunk, size, XSK_CHUNKS_MAX, XSK_CHUNK_MIN);
	xsk->chunk_shift = (uint32_t)__builtin_ctz(chunk);
	return 0;
}

/*
 * A fill ring twice as large as what is posted: the kernel shows a received frame before
 * it shows the slot of the fill ring that it came from.
 */
static int xsk_sizes(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	uint32_t frames = p->frames;

	if (!p->rx.size)
		return 0;
	if (frames > p->fill.size)
		return pp_set_error(EINVAL, "xsk: %u frames in a fill ring of %u", frames,
				    p->fill.size);
	if (!frames) {
		frames = p->fill.size > 1 ? p->fill.size / 2 : 1;
		if (frames > p->rx.size)
			frames = p->rx.size;
	}
	if (p->batch > PP_BULK_MAX)
		return pp_set_error(EINVAL, "xsk: batch %u, at most %u", p->batch, PP_BULK_MAX);
	xsk->frames = frames;
	xsk->batch = p->batch ? p->batch : 64;
	if (xsk->batch > frames / 2)
		xsk->batch = frames / 2 ? frames / 2 : 1;
	return 0;
}

int pp_xsk_init(struct pp_xsk *xsk, const struct pp_xsk_params *params)
{
	struct pp_xsk_params p;
	int err;

	err = xsk_params(&p, params);
	if (err)
		return err;
	memset(xsk, 0, sizeof(*xsk));
	if (!p.zone)
		p.zone = p.pool ? page_pool_zone(p.pool) : NULL;
	if (!p.zone)
		return pp_set_error(EINVAL, "xsk: neither pool nor zone");
	if (p.pool && (page_pool_zone_set(p.pool) || page_pool_zone(p.pool) != p.zone))
		return pp_set_error(EINVAL, "xsk: pool %s takes pages from elsewhere than zone %s",
				    page_pool_name(p.pool), pp_zone_name(p.zone));
	if (p.flags & ~XSK_FLAGS)
		return pp_set_error(EINVAL, "xsk: unknown flags %#x", p.flags & ~XSK_FLAGS);
	err = pp_xsk_umem_init(&xsk->umem, p.zone, p.umem, p.flags & PP_XSK_UNALIGNED);
	if (!err)
		err = xsk_rings(xsk, &p);
	if (!err)
		err = xsk_chunk_size(xsk, &p);
	if (!err)
		err = xsk_sizes(xsk, &p);
	if (!err)
		err = pp_zone_pin(p.zone);
	if (err)
		return err;
	if (xsk->chunk_shift < xsk->umem.shift)
		err = pp_xsk_chunks_init(xsk);
	if (err) {
		pp_zone_unpin(p.zone);
		return err;
	}
	xsk->zone = p.zone;
	xsk->pool = p.pool;
	xsk->flags = p.flags;
	xsk->fd = p.fd;
	xsk->port = p.port;
	pp_xsk_marks(xsk);
	return 0;
}

/* ---- counters ---------------------------------------------------------------------------------*/

/* several threads may ask at once: each field is a word of its own */
static void xsk_kernel_read(struct pp_xsk *xsk)
{
	int fd = __atomic_load_n(&xsk->fd, __ATOMIC_RELAXED);
	struct xdp_statistics st;
	socklen_t len = sizeof(st);
	uint64_t now[6];
	unsigned int i;

	memset(&st, 0, sizeof(st));
	if (fd < 0 || getsockopt(fd, SOL_XDP, XDP_STATISTICS, &st, &len))
		return;
	now[0] = st.rx_dropped;
	now[1] = st.rx_ring_full;
	now[2] = st.rx_fill_ring_empty_descs;
	now[3] = st.rx_invalid_descs;
	now[4] = st.tx_invalid_descs;
	now[5] = st.tx_ring_empty_descs;
	for (i = 0; i < 6; i++)
		__atomic_store_n(&xsk->kernel[i], now[i], __ATOMIC_RELAXED);
}

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

int pp_xsk_get_stats(struct pp_xsk *xsk, struct pp_xsk_stats *stats)
{
	struct pp_xsk_stats now = { .sz = stats->sz };
	uint32_t frames = LOAD(xsk->frames);

	if (stats->sz > sizeof(now))
		return pp_set_error(E2BIG, "xsk: statistics of %zu bytes, this library knows %zu",
				    stats->sz, sizeof(now));
	xsk_kernel_read(xsk);
	now.rx_packets = LOAD(xsk->r.st.packets);
	now.rx_bytes = LOAD(xsk->r.st.bytes);
	now.rx_dropped = LOAD(xsk->r.st.dropped);
	now.rx_bad = LOAD(xsk->r.st.bad);
	now.rx_nombuf = LOAD(xsk->r.st.nombuf);
	now.refilled = LOAD(xsk->r.st.refilled);
	now.posted = LOAD(xsk->r.posted);
	now.debt = now.posted < frames ? frames - now.posted : 0;
	now.tx_packets = LOAD(xsk->t.st.packets);
	now.tx_bytes = LOAD(xsk->t.st.bytes);
	now.tx_dropped = LOAD(xsk->t.st.dropped);
	now.tx_bad = LOAD(xsk->t.st.bad);
	now.comp_bad = LOAD(xsk->t.st.comp_bad);
	now.tx_out = LOAD(xsk->t.out);
	now.kicks = LOAD(xsk->t.st.kicks);
	now.kick_errors = LOAD(xsk->t.st.kick_errors);
	now.reclaimed = LOAD(xsk->reclaimed);
	now.gone = LOAD(xsk->t.gone);
	now.kernel_rx_dropped = LOAD(xsk->kernel[0]);
	now.kernel_rx_ring_full = LOAD(xsk->kernel[1]);
	now.kernel_fill_empty = LOAD(xsk->kernel[2]);
	now.kernel_rx_invalid = LOAD(xsk->kernel[3]);
	now.kernel_tx_invalid = LOAD(xsk->kernel[4]);
	now.kernel_tx_empty = LOAD(xsk->kernel[5]);
	memcpy(stats, &now, stats->sz);
	return 0;
}

/* ---- the end ----------------------------------------------------------------------------------*/

/* After close() no frame with the socket's marks is in use by the kernel, wherever it was. */
static uint64_t xsk_pages_fini(struct pp_xsk *xsk, uint32_t *unsent)
{
	struct pp_page *home[XSK_REAP];
	unsigned int n = 0;
	uint64_t i, found = 0;
	uint32_t mark;

	for (i = 0; i < xsk->umem.pages && xsk->r.posted + xsk->t.out; i++) {
		mark = xsk_mark(xsk->umem.table + i);
		if (mark == xsk->mark_fill)
			xsk->r.posted--;
		else if (mark == xsk->mark_tx)
			xsk->t.out--, ++*unsent;
		else
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

uint64_t pp_xsk_fini(struct pp_xsk *xsk)
{
	uint32_t unsent = 0;
	uint64_t found;

	if (!xsk->zone)
		return 0;
	if (xsk->r.chunks || xsk->t.chunks)
		found = pp_xsk_chunks_fini(xsk, &unsent);
	else
		found = xsk_pages_fini(xsk, &unsent);
	if (unsent > xsk->t.lost)
		xsk_count(&xsk->t.st.dropped, unsent - xsk->t.lost);
	xsk->reclaimed = found;
	xsk->frames = 0;
	xsk->fd = -1;
	pp_zone_unpin(xsk->zone);
	xsk->zone = NULL;
	return found;
}
