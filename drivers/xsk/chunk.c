/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/chunk.c - chunks that are smaller than pages: each is a fragment of one
 *
 *   entries of r.chunks that are not 0 == r.posted    (fill ring, kernel, RX ring)
 *   entries of t.chunks that are not 0 == t.out       (TX ring, kernel, completion ring)
 *   a chunk's bit in pp_page.owner is set while some socket's table has it
 *
 * A table has one writer, so that it needs no atomic instruction; the chunks of a page may be with
 * several sockets and threads, so that its owner word does.
 */
#include <errno.h>
#include <stdlib.h>

#include <pagepool/error.h>

#include "xsk/chunk.h"
#include "xsk/priv.h"
#include "xsk/tx.h"

/* ---- owners of chunks -------------------------------------------------------------------------*/

static inline uint64_t chunk_index(const struct pp_xsk *xsk, const struct pp_page *page,
				   uint32_t off)
{
	return ((uint64_t)(page - xsk->umem.table) << (xsk->umem.shift - xsk->chunk_shift)) +
	       (off >> xsk->chunk_shift);
}

static inline uint32_t chunk_bit(const struct pp_xsk *xsk, uint32_t off)
{
	return (uint32_t)1 << (off >> xsk->chunk_shift);
}

/* False: a ring has it already, or has the page as a whole. */
static bool chunk_claim(struct pp_page *page, uint32_t bit)
{
	uint32_t owner = xsk_mark(page);

	do {
		if (owner && ((owner & XSK_SHARED) != XSK_SHARED || owner & bit))
			return false;
	} while (!__atomic_compare_exchange_n(&page->owner, &owner, owner | XSK_SHARED | bit, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* The last chunk leaves the 0 behind that a page at home has. */
static void chunk_release(struct pp_page *page, uint32_t bit)
{
	uint32_t owner = xsk_mark(page), left;

	do {
		left = owner & ~bit;
		if (left == XSK_SHARED)
			left = 0;
	} while (!__atomic_compare_exchange_n(&page->owner, &owner, left, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
}

struct pp_page *pp_xsk_chunk_take(struct pp_xsk *xsk, uint16_t *chunks, uint64_t addr,
				  uint32_t *off, uint32_t *len)
{
	uint32_t at = 0;
	struct pp_page *page = pp_xsk_page(&xsk->umem, addr, &at);
	uint64_t i;

	if (unlikely(!page))
		return NULL;
	i = chunk_index(xsk, page, at);
	if (unlikely(!chunks[i]))
		return NULL;
	if (off)
		*off = at;
	if (len)
		*len = chunks[i];
	chunks[i] = 0;
	chunk_release(page, chunk_bit(xsk, at));
	return page;
}

/* ---- reception --------------------------------------------------------------------------------*/

/*
 * A fragment of another size, which another user of the pool took, leaves the pool between two
 * chunks. What begins there goes back; at the latest the next page begins at a chunk.
 */
static struct pp_page *chunk_alloc(struct pp_xsk *xsk, unsigned int *off)
{
	struct pp_page *page = page_pool_alloc_frag(xsk->pool, off, xsk->chunk);

	while (unlikely(page && page->shift == xsk->umem.shift && *off & (xsk->chunk - 1))) {
		page_pool_put_page(xsk->pool, page, false);
		page = page_pool_alloc_frag(xsk->pool, off, xsk->chunk);
	}
	if (unlikely(page && page->shift != xsk->umem.shift)) {
		page_pool_put_page(xsk->pool, page, false); /* a pool of runs */
		return NULL;
	}
	return page;
}

/*
 * The pool may give out a chunk that a ring has: then a put came from a thread that did not own
 * the chunk, and the reference that we have now is the one which that ring will drop.
 */
unsigned int pp_xsk_post_chunks(struct pp_xsk *xsk, unsigned int want)
{
	unsigned int n = 0, off;
	struct pp_page *page;
	uint32_t idx = 0;

	while (n < want) {
		page = chunk_alloc(xsk, &off);
		if (!page)
			break;
		if (unlikely(!chunk_claim(page, chunk_bit(xsk, off))))
			continue;
		xsk->r.chunks[chunk_index(xsk, page, off)] = 1;
		xsk_ring_prod__reserve(&xsk->r.fill, 1, &idx);
		*xsk_ring_prod__fill_addr(&xsk->r.fill, idx) = pp_xsk_addr(&xsk->umem, page, off);
		n++;
	}
	return n;
}

static bool chunk_is_packet(const struct pp_xsk *xsk, const struct xdp_desc *desc, uint32_t off)
{
	return !(desc->options & XDP_PKT_CONTD) && !xsk->r.skip &&
	       desc->len <= xsk->chunk - (off & (xsk->chunk - 1));
}

/* a part of a packet that takes several chunks, or one that is longer than its chunk */
static __attribute__((noinline)) void chunk_drop(struct pp_xsk *xsk, struct pp_page *page,
						 const struct xdp_desc *desc)
{
	xsk->r.skip = desc->options & XDP_PKT_CONTD;
	xsk_add(&xsk->r.posted, -1u);
	xsk_count(&xsk->r.st.dropped, !xsk->r.skip);
	page_pool_put_bulk(&page, 1);
}

unsigned int pp_xsk_rx_chunks(struct pp_xsk *xsk, struct pp_xsk_chunk *chunks, unsigned int n)
{
	const struct xdp_desc *desc;
	unsigned int avail, i, k = 0;
	struct pp_page *page;
	uint64_t bytes = 0;
	uint32_t off, idx;

	if (unlikely(!xsk->r.chunks))
		return 0;
	avail = xsk_ring_cons__peek(&xsk->r.rx, n, &idx);
	if (!avail) {
		xsk_rx_wake(xsk);
		return 0;
	}
	for (i = 0; i < avail; i++) {
		desc = xsk_ring_cons__rx_desc(&xsk->r.rx, idx + i);
		page = pp_xsk_chunk_take(xsk, xsk->r.chunks, desc->addr, &off, NULL);
		if (unlikely(!page)) {
			xsk_count(&xsk->r.st.bad, 1);
			continue;
		}
		if (unlikely(!chunk_is_packet(xsk, desc, off))) {
			chunk_drop(xsk, page, desc);
			continue;
		}
		chunks[k++] = (struct pp_xsk_chunk){ page, off, desc->len };
		bytes += desc->len;
	}
	xsk_ring_cons__release(&xsk->r.rx, avail);
	xsk_add(&xsk->r.posted, -k);
	xsk_count(&xsk->r.st.packets, k);
	xsk_count(&xsk->r.st.bytes, bytes);
	return k;
}

void pp_xsk_put_chunks(const struct pp_xsk_chunk *chunks, unsigned int n)
{
	struct pp_page *home[XSK_REAP];
	unsigned int i, k;

	for (i = 0; i < n; i += k) {
		for (k = 0; k < XSK_REAP && i + k < n; k++)
			home[k] = chunks[i + k].page;
		page_pool_put_bulk(home, k);
	}
}

/* ---- transmission -----------------------------------------------------------------------------*/

static bool chunk_may_send(const struct pp_xsk *xsk, const struct pp_xsk_chunk *c)
{
	uint32_t size = xsk->chunk;

	return c->page->zone == xsk->zone && c->page->shift == xsk->umem.shift &&
	       c->off < pp_page_size(c->page) && c->len && c->len <= size - (c->off & (size - 1));
}

/* A ring has it. The chunks of another zone's page are not known: a ring has such a page whole. */
static bool chunk_in_ring(const struct pp_xsk *xsk, const struct pp_xsk_chunk *c)
{
	uint32_t owner = xsk_mark(c->page);

	if ((owner & XSK_SHARED) != XSK_SHARED)
		return owner;
	if (c->page->zone != xsk->zone)
		return false;
	return c->off >= pp_page_size(c->page) || owner & chunk_bit(xsk, c->off);
}

/* A chunk that can never be sent goes home, unless a ring has it: then it was not the caller's. */
static __attribute__((noinline)) void chunk_refuse(struct pp_xsk *xsk, const struct pp_xsk_chunk *c)
{
	if (chunk_in_ring(xsk, c)) {
		xsk_count(&xsk->t.st.bad, 1);
		return;
	}
	pp_xsk_put_chunks(c, 1);
	xsk_count(&xsk->t.st.dropped, 1);
}

static void chunk_post(struct pp_xsk *xsk, const struct pp_xsk_chunk *c)
{
	struct xdp_desc *desc;
	uint32_t idx = 0;

	xsk->t.chunks[chunk_index(xsk, c->page, c->off)] = (uint16_t)c->len;
	xsk_ring_prod__reserve(&xsk->t.tx, 1, &idx);
	desc = xsk_ring_prod__tx_desc(&xsk->t.tx, idx);
	desc->addr = pp_xsk_addr(&xsk->umem, c->page, c->off);
	desc->len = c->len;
	desc->options = 0;
}

unsigned int pp_xsk_tx_chunks(struct pp_xsk *xsk, const struct pp_xsk_chunk *chunks, unsigned int n)
{
	const struct pp_xsk_chunk *c;
	uint32_t space, sent = 0;
	unsigned int i;

	if (unlikely(!xsk->t.chunks))
		return 0;
	space = pp_xsk_tx_room(xsk, n);
	for (i = 0; i < n; i++) {
		c = chunks + i;
		if (unlikely(!chunk_may_send(xsk, c))) {
			chunk_refuse(xsk, c);
			continue;
		}
		if (unlikely(sent == space))
			break;
		if (unlikely(!chunk_claim(c->page, chunk_bit(xsk, c->off)))) {
			xsk_count(&xsk->t.st.bad, 1);
			continue;
		}
		chunk_post(xsk, c);
		sent++;
	}
	xsk_add(&xsk->t.out, sent);
	pp_xsk_tx_submit(xsk, sent);
	return i;
}

/* ---- the beginning and the end ----------------------------------------------------------------*/

static uint64_t chunk_count(const struct pp_xsk *xsk)
{
	return xsk->umem.pages << (xsk->umem.shift - xsk->chunk_shift);
}

int pp_xsk_chunks_init(struct pp_xsk *xsk)
{
	uint64_t n = chunk_count(xsk);

	if (xsk->r.rx.size)
		xsk->r.chunks = calloc(n, sizeof(*xsk->r.chunks));
	if (xsk->t.tx.size)
		xsk->t.chunks = calloc(n, sizeof(*xsk->t.chunks));
	if ((xsk->r.chunks || !xsk->r.rx.size) && (xsk->t.chunks || !xsk->t.tx.size))
		return 0;
	free(xsk->r.chunks);
	free(xsk->t.chunks);
	return pp_set_error(ENOMEM, "xsk: no memory for a record of %llu chunks; use larger chunks",
			    (unsigned long long)n);
}

static uint64_t table_reclaim(struct pp_xsk *xsk, uint16_t *chunks, uint32_t *out)
{
	uint64_t i, n = chunks ? chunk_count(xsk) : 0, found = 0;
	struct pp_page *page;
	uint32_t off;

	for (i = 0; i < n && *out; i++) {
		page = pp_xsk_chunk_take(xsk, chunks, xsk->umem.offset + (i << xsk->chunk_shift),
					 &off, NULL);
		if (!page)
			continue;
		page_pool_put_bulk(&page, 1);
		--*out;
		found++;
	}
	free(chunks);
	return found;
}

uint64_t pp_xsk_chunks_reclaim(struct pp_xsk *xsk, uint32_t *unsent)
{
	uint64_t found;

	*unsent = xsk->t.out;
	found = table_reclaim(xsk, xsk->r.chunks, &xsk->r.posted);
	found += table_reclaim(xsk, xsk->t.chunks, &xsk->t.out);
	xsk->r.chunks = NULL;
	xsk->t.chunks = NULL;
	return found;
}
