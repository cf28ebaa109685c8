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

#include "xsk/priv.h"

/* ---- owners of chunks -------------------------------------------------------------------------*/

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
 * chunks. The part that begins there is freed; at the latest the next page begins at a chunk.
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
