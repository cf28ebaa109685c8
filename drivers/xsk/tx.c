/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/tx.c - transmission: into the TX ring
 *
 *   pages marked mark_tx == t.out       (TX ring, kernel, completion ring)
 *
 * The short loop serves single pages of the zone with one user and without metadata. See xsk/rx.c
 * for the reason why it copies to locals.
 */
#include <string.h>

#include "xsk/complete.h"

#define ETH_MIN 14u

/* ---- packets, one by one ----------------------------------------------------------------------*/

static bool in_place(const struct pp_xsk *xsk, const struct pp_page *page)
{
	return page->zone == xsk->zone && page->shift == xsk->umem.shift &&
	       __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) <= 1;
}

/*
 * The kernel calls all other pages invalid, and might never complete them. It judges the MTU, which
 * may change. It refuses a packet without room for metadata in front, also if it has none.
 */
static bool may_send(const struct pp_xsk *xsk, const struct pp_page *page)
{
	return page->len && page->len <= xsk->chunk - xsk->room &&
	       (uint64_t)page->data_off + page->len <= pp_page_size(page) && !xsk_mark(page);
}

static struct pp_page *tx_next(const struct pp_xsk *xsk, const struct pp_page *page)
{
	return xsk->pieces > 1 ? page->next : NULL;
}

/* Descriptors of a packet; 0: it can never be sent. @copy: it may be once it is copied. */
static unsigned int tx_pieces(const struct pp_xsk *xsk, const struct pp_page *head, bool *copy)
{
	const struct pp_page *page;
	unsigned int n = 0;

	*copy = !in_place(xsk, head);
	if (head->len < ETH_MIN || (*copy && (!(xsk->flags & PP_XSK_COPY) || tx_next(xsk, head))))
		return 0;
	for (page = head; page; page = tx_next(xsk, page))
		if (++n > xsk->pieces || !may_send(xsk, page) ||
		    (page != head && !in_place(xsk, page)))
			return 0;
	return n;
}

/* frees a packet that can never be sent; a page that a ring has was not the caller's */
static __attribute__((noinline, cold)) void tx_refuse(struct pp_xsk *xsk, struct pp_page *page)
{
	unsigned int left = xsk_put(page, xsk->pieces > 1);

	xsk_count(left ? &xsk->t.st.bad : &xsk->t.st.dropped, 1);
}

/*
 * A page of another zone is outside the UMEM, and a page with more than one user cannot be
 * marked for each of them. NULL: the pool has no page, and the caller keeps @page.
 */
static __attribute__((noinline)) struct pp_page *tx_copy(struct pp_xsk *xsk, struct pp_page *page)
{
	struct pp_page *copy = page_pool_alloc_pages(xsk->pool);

	if (!copy) {
		xsk_count(&xsk->t.st.nombuf, 1);
		return NULL;
	}
	if (page->len > pp_page_tailroom(copy))
		copy->data_off = 0;
	copy->len = page->len;
	copy->tstamp = page->tstamp;
	memcpy(pp_page_data(copy), pp_page_data(page), page->len);
	page_pool_put_bulk(&page, 1);
	return copy;
}

static void tx_post(struct pp_xsk *xsk, struct pp_page *page)
{
	uint32_t options = xsk->prepare ? pp_xsk_tx_meta(xsk, page) : 0;
	uint32_t mark = xsk->mark_tx, idx = 0;
	struct pp_page *next;
	struct xdp_desc *desc;

	for (; page; page = next) {
		next = tx_next(xsk, page);
		if (next)
			page->next = NULL;
		pp_xsk_tx_make_room(xsk, page);
		xsk_ring_prod__reserve(&xsk->t.tx, 1, &idx);
		desc = xsk_ring_prod__tx_desc(&xsk->t.tx, idx);
		desc->addr = pp_xsk_addr(&xsk->umem, page, page->data_off);
		desc->len = page->len;
		desc->options = options | (next ? XDP_PKT_CONTD : 0);
		options = 0;
		xsk_set_mark(page, mark);
		mark = xsk->mark_tx | XSK_KIND_TX_MORE;
		xsk_add(&xsk->t.out, 1);
	}
}

/* false: the packet stays the caller's */
static bool tx_one(struct pp_xsk *xsk, struct pp_page *page)
{
	bool copy;
	unsigned int n = tx_pieces(xsk, page, &copy);

	if (unlikely(!n)) {
		tx_refuse(xsk, page);
		return true;
	}
	if (xsk_tx_space(xsk, n) < n)
		return false;
	if (unlikely(copy))
		page = tx_copy(xsk, page);
	if (unlikely(!page))
		return false;
	tx_post(xsk, page);
	return true;
}

/* ---- packets of one page, many at once --------------------------------------------------------*/

/* The packets of @pages up to the first that is not sent as it is, into @desc; how many. */
static inline unsigned int tx_run(const struct pp_xsk *xsk, struct xdp_desc *desc,
				  struct pp_page *const *pages, unsigned int n)
{
	const uint64_t page_size = (uint64_t)1 << xsk->umem.shift;
	const struct pp_zone *const zone = xsk->zone;
	const unsigned char *const base = xsk->base;
	const uint32_t mark = xsk->mark_tx;
	struct pp_page *page;
	uint64_t len, off;
	size_t i;

	for (i = 0; i < n; i++, desc++) {
		page = pages[i];
		len = page->len;
		off = page->data_off;
		if (unlikely(page->zone != zone || xsk_mark(page) ||
			     __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) > 1 ||
			     len < ETH_MIN || off + len > page_size))
			break;
		desc->addr = (uint64_t)(page->addr - base) + off;
		desc->len = (uint32_t)len;
		desc->options = 0;
		xsk_set_mark(page, mark);
	}
	return (unsigned int)i;
}

/* as tx_run(), into @n slots that are free */
static inline unsigned int tx_plain(struct pp_xsk *xsk, struct pp_page *const *pages,
				    unsigned int n)
{
	uint32_t at = xsk->t.tx.cached_prod, idx, run;
	unsigned int k = 0, got;

	do {
		run = xsk_run(n - k, at + k, xsk->t.tx.size);
		got = tx_run(xsk, xsk_ring_prod__tx_desc(&xsk->t.tx, at + k), pages + k, run);
		k += got;
	} while (got == run && k < n);
	xsk_ring_prod__reserve(&xsk->t.tx, k, &idx); /* libxdp has no way to give one back */
	xsk_add(&xsk->t.out, k);
	return k;
}

static inline unsigned int tx_some(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	uint32_t first = xsk->t.tx.cached_prod, space = xsk_tx_room(xsk, n * xsk->pieces);
	unsigned int i = 0;

	if (unlikely(xsk->flags & PP_XSK_TX_TSTAMP))
		xsk->t.now = xsk_now_ns(CLOCK_TAI); /* the kernel's own clock */
	if (likely(xsk->plain && !xsk->prepare))
		i = tx_plain(xsk, pages, space < n ? space : n);
	while (unlikely(i < n) && tx_one(xsk, pages[i]))
		i++;
	pp_xsk_tx_submit(xsk, xsk->t.tx.cached_prod - first);
	return i;
}

unsigned int pp_xsk_tx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	unsigned int i = 0;
	uint64_t end = 0;

	if (unlikely(xsk->t.chunks))
		return 0;
	do {
		i += tx_some(xsk, pages + i, n - i);
	} while (unlikely(i < n) && pp_xsk_tx_wait(xsk, &end));
	return i;
}
