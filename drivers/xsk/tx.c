/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/tx.c - transmission: into the TX ring, and out of the completion ring
 *
 *   pages marked mark_tx == t.out       (TX ring, kernel, completion ring)
 *
 * The engine believes a completion only if the page has the mark. So a completion that comes
 * twice, or for an address that was never sent, is a counted error and not a double free. A page
 * behind the first of a packet has a mark of its own, which tells completed packets from pages.
 *
 * The short loops serve single pages of the zone with one user, of which nothing is asked. See
 * xsk/rx.c for why they copy to locals.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "xsk/chunk.h"
#include "xsk/meta.h"
#include "xsk/priv.h"
#include "xsk/tx.h"

#define PER_KICK     32u /* packets that one sendto() takes at least, if so many wait */
#define PAUSE_ROUNDS 16u /* rounds to let pass after the kernel said no */
#define ETH_MIN	     14u

/* what a burst of completions brings home */
struct done {
	struct pp_page *pages[XSK_REAP];
	unsigned int n;
	unsigned int sent; /* packets */
	uint64_t bytes; /* of these */
};

/* ---- the kernel -------------------------------------------------------------------------------*/

static __attribute__((noinline, cold)) void kick_failed(struct pp_xsk *xsk, int err)
{
	xsk->t.pause = PAUSE_ROUNDS;
	xsk->t.err = err;
	switch (err) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENETDOWN:
		/* nothing is lost: what waits goes out once there is memory, or the link is up */
		break;
	case ENXIO:
	case ENODEV:
		__atomic_store_n(&xsk->t.gone, 1, __ATOMIC_RELAXED);
		/* fall through */
	default:
		xsk_count(&xsk->t.st.kick_errors, 1);
	}
}

/*
 * In copy mode a kernel before 6.18 takes PER_KICK packets and then says EAGAIN, as any does when
 * the socket's send buffer is full. EBUSY means that one packet was dropped and will be completed
 * all the same, and that those behind it wait for another call.
 */
unsigned int pp_xsk_kick(struct pp_xsk *xsk)
{
	uint32_t waiting = xsk_waiting(xsk);
	uint32_t again = waiting / PER_KICK + 1;
	uint32_t calls;

	for (calls = waiting + again; waiting && calls && !xsk->t.gone; calls--) {
		if (xsk->flags & PP_XSK_NEED_WAKEUP && !xsk_ring_prod__needs_wakeup(&xsk->t.tx))
			break;
		xsk_count(&xsk->t.st.kicks, 1);
		if (sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
			return xsk_waiting(xsk);
		if (errno == EBUSY) {
			xsk_add(&xsk->t.lost, 1);
			xsk_count(&xsk->t.st.dropped, 1);
		} else if (errno != EAGAIN || !--again) {
			kick_failed(xsk, errno);
			break;
		}
		waiting = xsk_waiting(xsk);
	}
	return waiting;
}

/* as part of another call: a kernel that said no is not asked in every round */
static inline void kick_in_turn(struct pp_xsk *xsk)
{
	if (unlikely(xsk->t.pause))
		xsk->t.pause--;
	else
		pp_xsk_kick(xsk);
}

/* ---- completions ------------------------------------------------------------------------------*/

/* Packets of one page, all of them sent; the pages of @n addresses from @addrs on to @out. */
static inline struct pp_page **reap_run(const struct pp_xsk *xsk, const uint64_t *addrs, uint32_t n,
					struct pp_page **out, uint64_t *bytes)
{
	const uint64_t npages = xsk->umem.pages, offset = xsk->umem.offset;
	struct pp_page *const table = xsk->umem.table, *page;
	const unsigned int shift = xsk->umem.shift;
	const uint32_t mark = xsk->mark_tx;
	uint64_t sum = 0, frame;
	size_t i;

	for (i = 0; i < n; i++) {
		frame = (addrs[i] - offset) >> shift;
		if (unlikely(frame >= npages))
			continue;
		page = table + frame;
		if (unlikely(xsk_mark(page) != mark))
			continue;
		xsk_set_mark(page, 0);
		sum += page->len;
		*out++ = page;
	}
	*bytes += sum;
	return out;
}

static inline void reap_plain(const struct pp_xsk *xsk, struct done *done, unsigned int n,
			      uint32_t idx)
{
	struct pp_page **out = done->pages;
	uint32_t at, run;

	done->bytes = 0;
	for (at = 0; at < n; at += run) {
		run = xsk_run(n - at, idx + at, xsk->t.comp.size);
		out = reap_run(xsk,
			       (const uint64_t *)xsk_ring_cons__comp_addr(&xsk->t.comp, idx + at),
			       run, out, &done->bytes);
	}
	done->n = done->sent = (unsigned int)(out - done->pages);
}

/* The page, or NULL: it is none of ours. @more: its packet is completed by another page. */
static struct pp_page *completed(struct pp_xsk *xsk, uint64_t addr, uint32_t *len, bool *more)
{
	struct pp_page *page;

	*more = false;
	if (xsk->t.chunks)
		return pp_xsk_chunk_take(xsk, xsk->t.chunks, addr, NULL, len);
	page = xsk_page(xsk, addr, xsk->mark_tx, NULL);
	if (!page && xsk->pieces > 1) {
		page = xsk_page(xsk, addr, xsk->mark_tx | XSK_KIND_TX_MORE, NULL);
		*more = true;
	}
	if (page) {
		*len = page->len;
		xsk_set_mark(page, 0);
	}
	return page;
}

/* Everything else: of the packets that the kernel dropped it tells how many, not which. */
static __attribute__((noinline)) void reap_careful(struct pp_xsk *xsk, struct done *done,
						   unsigned int n, uint32_t idx)
{
	struct pp_page *page;
	unsigned int i;
	uint32_t len;
	bool more;

	done->n = done->sent = 0;
	done->bytes = 0;
	for (i = 0; i < n; i++) {
		page = completed(xsk, *xsk_ring_cons__comp_addr(&xsk->t.comp, idx + i), &len,
				 &more);
		if (unlikely(!page))
			continue;
		done->pages[done->n++] = page;
		if (!more && xsk->t.lost) {
			xsk_add(&xsk->t.lost, -1u);
			continue;
		}
		done->bytes += len;
		done->sent += !more;
		if (!more && xsk->flags & PP_XSK_TX_TSTAMP)
			pp_xsk_tx_stamped(xsk, page);
	}
}

static unsigned int reap(struct pp_xsk *xsk)
{
	struct done done;
	uint32_t idx;
	unsigned int n = xsk_ring_cons__peek(&xsk->t.comp, XSK_REAP, &idx);

	if (!n)
		return 0;
	if (likely(xsk->plain && !xsk->t.lost && !(xsk->flags & PP_XSK_TX_TSTAMP)))
		reap_plain(xsk, &done, n, idx);
	else
		reap_careful(xsk, &done, n, idx);
	xsk_ring_cons__release(&xsk->t.comp, n);
	page_pool_put_bulk(done.pages, done.n);
	xsk_add(&xsk->t.out, -done.n);
	xsk_count(&xsk->t.st.packets, done.sent);
	xsk_count(&xsk->t.st.bytes, done.bytes);
	if (unlikely(done.n < n))
		xsk_count(&xsk->t.st.comp_bad, n - done.n);
	return n;
}

unsigned int pp_xsk_complete(struct pp_xsk *xsk)
{
	uint32_t before = xsk->t.out;

	if (before && xsk_waiting(xsk))
		kick_in_turn(xsk);
	/* with nothing out as well: wrong completions would fill the ring unseen */
	while (reap(xsk) == XSK_REAP)
		;
	return before - xsk->t.out;
}

/* ---- packets, one by one ----------------------------------------------------------------------*/

static uint32_t tx_space(struct pp_xsk *xsk, uint32_t n)
{
	uint32_t space = xsk_prod_nb_free(&xsk->t.tx, n);
	uint32_t room = xsk->t.comp.size - xsk->t.out;

	/* each frame also needs a slot of the completion ring */
	return space < room ? space : room;
}

uint32_t pp_xsk_tx_room(struct pp_xsk *xsk, uint32_t n)
{
	uint32_t space = tx_space(xsk, n);

	if (likely(space >= n))
		return space;
	pp_xsk_complete(xsk);
	return tx_space(xsk, n);
}

void pp_xsk_tx_submit(struct pp_xsk *xsk, uint32_t sent)
{
	if (!sent)
		return;
	xsk_ring_prod__submit(&xsk->t.tx, sent);
	kick_in_turn(xsk);
}

static bool in_place(const struct pp_xsk *xsk, const struct pp_page *page)
{
	return page->zone == xsk->zone && page->shift == xsk->umem.shift &&
	       __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) <= 1;
}

/*
 * What the kernel would call invalid, and might never complete. It judges the MTU, which may
 * change. It refuses a packet without room for metadata in front, also if there is none.
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

/* A packet that can never be sent goes home; a page that a ring has was not the caller's. */
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
	if (tx_space(xsk, n) < n)
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

unsigned int pp_xsk_tx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	uint32_t first = xsk->t.tx.cached_prod, space = pp_xsk_tx_room(xsk, n * xsk->pieces);
	unsigned int i = 0;

	if (unlikely(xsk->t.chunks))
		return 0;
	if (unlikely(xsk->flags & PP_XSK_TX_TSTAMP))
		xsk->t.now = pp_xsk_tx_time();
	if (likely(xsk->plain && !xsk->prepare))
		i = tx_plain(xsk, pages, space < n ? space : n);
	while (unlikely(i < n) && tx_one(xsk, pages[i]))
		i++;
	pp_xsk_tx_submit(xsk, xsk->t.tx.cached_prod - first);
	return i;
}
