/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/rx.c - reception: out of the RX ring, into the fill ring
 *
 *   pages marked mark_fill == r.posted    (fill ring, kernel, RX ring)
 *
 * The engine believes an address from the kernel only if the page has the mark.
 *
 * The short loops are the cost of reception in user space. They copy the socket's fields to locals
 * first: the compiler cannot know that a store to a page or a ring leaves the socket alone, and
 * would read it again for every packet. Each walks a ring in runs, at most one to the ring's end
 * and one from its beginning, and so wraps no index for every packet. From the first descriptor on
 * that is not ordinary, the careful loop takes over.
 */
#include <stddef.h>
#include <string.h>

#include "xsk/priv.h"

#define RETRY_NS 100000u /* an empty pool drains every core's cache: not in every round */

/* ---- the fill ring ----------------------------------------------------------------------------*/

unsigned int pp_xsk_debt(const struct pp_xsk *xsk)
{
	return xsk_owed(xsk);
}

static __attribute__((noinline)) void pool_is_short(struct pp_xsk *xsk, uint32_t missing)
{
	xsk->r.retry_ns = xsk_now_ns(CLOCK_MONOTONIC) + RETRY_NS;
	xsk_count(&xsk->r.st.nombuf, missing);
}

/* An address in the fill ring has no offset, so that it is the same in both modes. */
static inline void post_run(struct pp_page *const *pages, uint64_t *slots, uint32_t n,
			    const unsigned char *const base, const uint32_t mark)
{
	struct pp_page *page;
	size_t i;

#pragma GCC unroll 4
	for (i = 0; i < n; i++) {
		page = pages[i];
		xsk_set_mark(page, mark);
		slots[i] = (uint64_t)(page->addr - base);
	}
}

/* Pages first, slots after: libxdp has no way to give a reserved slot back. */
static unsigned int post_pages(struct pp_xsk *xsk, unsigned int want)
{
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int n = page_pool_alloc_bulk(xsk->pool, pages, want);
	uint32_t idx = 0, at, run;

	if (unlikely(n && pages[0]->shift != xsk->umem.shift)) {
		page_pool_put_bulk(pages, n); /* a pool of runs, which are no chunks */
		return 0;
	}
	xsk_ring_prod__reserve(&xsk->r.fill, n, &idx);
	for (at = 0; at < n; at += run) {
		run = xsk_run(n - at, idx + at, xsk->r.fill.size);
		post_run(pages + at, (uint64_t *)xsk_ring_prod__fill_addr(&xsk->r.fill, idx + at),
			 run, xsk->base, xsk->mark_fill);
	}
	return n;
}

static unsigned int post_batch(struct pp_xsk *xsk, unsigned int want)
{
	unsigned int n;

	if (unlikely(!want))
		return 0;
	n = unlikely(xsk->r.chunks) ? pp_xsk_post_chunks(xsk, want) : post_pages(xsk, want);
	if (likely(n)) {
		xsk_ring_prod__submit(&xsk->r.fill, n);
		xsk_add(&xsk->r.posted, n);
	}
	if (unlikely(n < want))
		pool_is_short(xsk, want - n);
	return n;
}

unsigned int pp_xsk_refill(struct pp_xsk *xsk)
{
	unsigned int total = 0, want, n;

	if (likely(!xsk_owed(xsk)))
		return 0;
	if (unlikely(xsk->r.retry_ns)) {
		if (xsk_now_ns(CLOCK_MONOTONIC) < xsk->r.retry_ns)
			return 0;
		xsk->r.retry_ns = 0;
	}
	do {
		want = xsk_prod_nb_free(&xsk->r.fill, xsk->batch);
		n = post_batch(xsk, want < xsk->batch ? want : xsk->batch);
		total += n;
	} while (n == xsk->batch && xsk_owed(xsk));
	xsk_count(&xsk->r.st.refilled, total);
	return total;
}

/* ---- packets, one by one ----------------------------------------------------------------------*/

/* drops a packet: frees the pages that came, and later the others as they come */
static void rx_skip(struct pp_xsk *xsk)
{
	if (xsk->r.pieces)
		xsk_put(xsk->r.head, true);
	xsk->r.pieces = 0;
	xsk->r.skip = true;
}

static inline uint64_t meta_tstamp(const unsigned char *meta)
{
	uint64_t tstamp;

	memcpy(&tstamp, meta + offsetof(struct pp_rx_meta, tstamp), sizeof(tstamp));
	return tstamp;
}

static void rx_add(struct pp_xsk *xsk, struct pp_page *page, const struct xdp_desc *desc,
		   uint32_t off)
{
	xsk_set_mark(page, 0);
	xsk_add(&xsk->r.posted, -1u);
	page->next = NULL;
	page->data_off = (uint16_t)off;
	page->len = desc->len;
	page->port = xsk->port;
	page->tstamp = PP_TSTAMP_NONE;
	if (xsk->flags & PP_XSK_RX_META && !xsk->r.pieces && off >= sizeof(struct pp_rx_meta))
		page->tstamp = meta_tstamp(page->addr + off - sizeof(struct pp_rx_meta));
	if (xsk->r.pieces++) {
		xsk->r.tail->next = page;
		xsk->r.bytes += desc->len;
	} else {
		xsk->r.head = page;
		xsk->r.bytes = desc->len;
	}
	xsk->r.tail = page;
	if (xsk->r.skip || xsk->r.pieces > xsk->pieces ||
	    (uint64_t)off + desc->len > pp_page_size(page))
		rx_skip(xsk);
}

/* the packet that @desc completes; NULL: none, or it is dropped */
static struct pp_page *rx_one(struct pp_xsk *xsk, const struct xdp_desc *desc)
{
	bool more = desc->options & XDP_PKT_CONTD, alone = !more && !xsk->r.pieces && !xsk->r.skip;
	uint32_t off = 0;
	struct pp_page *page = xsk_page(xsk, desc->addr, xsk->mark_fill, &off);
	bool skip;

	if (likely(page)) {
		rx_add(xsk, page, desc, off);
	} else {
		xsk_count(&xsk->r.st.bad, 1);
		if (alone)
			return NULL;
		rx_skip(xsk);
	}
	if (more)
		return NULL;
	skip = xsk->r.skip;
	xsk->r.skip = false;
	xsk->r.pieces = 0;
	if (skip)
		xsk_count(&xsk->r.st.dropped, 1);
	return skip ? NULL : xsk->r.head;
}

/* @n descriptors from @idx on; complete packets into @pages */
static __attribute__((noinline)) unsigned int rx_careful(struct pp_xsk *xsk, struct pp_page **pages,
							 uint32_t n, uint32_t idx, uint64_t *bytes)
{
	struct pp_page *page;
	unsigned int k = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		page = rx_one(xsk, xsk_ring_cons__rx_desc(&xsk->r.rx, idx + i));
		if (!page)
			continue;
		pages[k++] = page;
		*bytes += xsk->r.bytes;
	}
	return k;
}

/* ---- packets of one page, many at once --------------------------------------------------------*/

/* data_off and port, which are half a word of a page, for one store */
static inline void set_off_port(struct pp_page *page, uint32_t off, uint32_t port)
{
	uint32_t half = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? off + (port << 16)
								  : (off << 16) + port;

	memcpy((char *)page + offsetof(struct pp_page, data_off), &half, sizeof(half));
}

/*
 * @n descriptors as far as they are ordinary, each a packet into @pages; how many. Options make
 * @len very large. A shift by a variable costs the processor three operations, by a constant one:
 * hence @shift and @offset, which are the socket's. @front: bytes of metadata that a program wrote
 * in front of each packet; a packet that begins lower in its page fails the check of the end.
 */
static inline __attribute__((always_inline)) unsigned int
rx_run(const struct pp_xsk *xsk, const struct xdp_desc *desc, uint32_t n, struct pp_page **pages,
       uint64_t *bytes, const unsigned int shift, const uint64_t offset, const uint32_t front)
{
	const uint64_t memory = xsk->umem.pages << shift, page_size = (uint64_t)1 << shift;
	const uint32_t mark = xsk->mark_fill, port = xsk->port;
	struct pp_page *const table = xsk->umem.table, *page, **out = pages;
	const struct xdp_desc *const end = desc + n;
	uint64_t sum = 0, addr, len, off;

	for (; desc != end; desc++) {
		addr = desc->addr - offset - front;
		if (unlikely(addr >= memory))
			break;
		page = table + (addr >> shift);
		off = addr & (page_size - 1);
		len = desc->len | (uint64_t)desc->options << 32;
		if (unlikely(xsk_mark(page) != mark || off + len > page_size - front))
			break;
		xsk_set_mark(page, 0);
		page->len = (uint32_t)len;
		set_off_port(page, (uint32_t)off + front, port);
		page->tstamp = front ? meta_tstamp(page->addr + off) : PP_TSTAMP_NONE;
		sum += len;
		*out++ = page;
	}
	*bytes += sum;
	return (unsigned int)(out - pages);
}

static inline __attribute__((always_inline)) unsigned int
rx_run_sized(const struct pp_xsk *xsk, const struct xdp_desc *desc, uint32_t n,
	     struct pp_page **pages, uint64_t *bytes, const uint32_t front)
{
	const uint64_t offset = xsk->umem.offset;
	const unsigned int shift = xsk->umem.shift;

	if (likely(shift == 12 && !offset))
		return rx_run(xsk, desc, n, pages, bytes, 12, 0, front);
	if (likely(shift == 11 && !offset))
		return rx_run(xsk, desc, n, pages, bytes, 11, 0, front);
	return rx_run(xsk, desc, n, pages, bytes, shift, offset, front);
}

/* @n descriptors from @idx on up to the first that is not ordinary; how many */
static inline unsigned int rx_plain(struct pp_xsk *xsk, struct pp_page **pages, uint32_t n,
				    uint32_t idx, uint64_t *bytes)
{
	const struct xdp_desc *desc;
	unsigned int k = 0, got;
	uint32_t run;

	if (unlikely(xsk->r.pieces || xsk->r.skip))
		return 0;
	do {
		run = xsk_run(n - k, idx + k, xsk->r.rx.size);
		desc = xsk_ring_cons__rx_desc(&xsk->r.rx, idx + k);
		if (unlikely(xsk->flags & PP_XSK_RX_META))
			got = rx_run_sized(xsk, desc, run, pages + k, bytes,
					   sizeof(struct pp_rx_meta));
		else
			got = rx_run_sized(xsk, desc, run, pages + k, bytes, 0);
		k += got;
	} while (got == run && k < n);
	xsk_add(&xsk->r.posted, -k);
	return k;
}

/* never more descriptors at once than packets wanted: each packet has at least one */
static __attribute__((noinline)) unsigned int rx_rest(struct pp_xsk *xsk, struct pp_page **pages,
						      unsigned int n, uint64_t *bytes)
{
	uint32_t avail, idx;
	unsigned int k = 0;

	while (k < n && (avail = xsk_ring_cons__peek(&xsk->r.rx, n - k, &idx))) {
		k += rx_careful(xsk, pages + k, avail, idx, bytes);
		xsk_ring_cons__release(&xsk->r.rx, avail);
	}
	return k;
}

unsigned int pp_xsk_rx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	uint32_t avail = n, idx = 0;
	uint64_t bytes = 0;
	unsigned int k = 0;

	if (likely(xsk->plain)) {
		avail = xsk_ring_cons__peek(&xsk->r.rx, n, &idx);
		if (avail) {
			k = rx_plain(xsk, pages, avail, idx, &bytes);
			xsk_ring_cons__cancel(&xsk->r.rx, avail - k);
			xsk_ring_cons__release(&xsk->r.rx, k);
		}
	} else if (xsk->r.chunks) {
		return 0;
	}
	if (unlikely(k < avail))
		k += rx_rest(xsk, pages + k, avail - k, &bytes);
	if (!k) {
		xsk_rx_wake(xsk);
		return 0;
	}
	xsk_count(&xsk->r.st.packets, k);
	xsk_count(&xsk->r.st.bytes, bytes);
	return k;
}
