/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/ring.c - what a program does with its AF_XDP socket in every round, in pages
 *
 *   pages marked mark_fill == r.posted    (fill ring, kernel, RX ring)
 *   pages marked mark_tx   == t.out       (TX ring, kernel, completion ring)
 *
 * The kernel's answers are believed only if they agree with the mark.
 */
#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/if_xdp.h>

#include "xsk/priv.h"

#define XSK_RETRY_NS 100000u /* an empty pool drains every core's cache: not in every round */
#define XSK_PER_KICK 32u /* most packets that one sendto() takes in copy mode */

/* The highest bit is ours: af_xdp counts its sockets from 1, dpdk its queues from 2^30. */
#define XSK_MARK ((uint32_t)1 << 31)

void pp_xsk_marks(struct pp_xsk *xsk)
{
	static uint32_t marks;
	uint32_t mark = __atomic_fetch_add(&marks, 2, __ATOMIC_RELAXED) & ~XSK_SHARED;

	xsk->mark_fill = XSK_MARK | mark;
	xsk->mark_tx = XSK_MARK | (mark + 1);
}

/* ---- reception --------------------------------------------------------------------------------*/

/* the page of an address from the kernel if it has the mark, otherwise NULL */
static inline struct pp_page *xsk_page(const struct pp_xsk *xsk, uint64_t addr, uint32_t mark,
				       uint32_t *off)
{
	struct pp_page *page = pp_xsk_page(&xsk->umem, addr, off);

	return likely(page) && likely(xsk_mark(page) == mark) ? page : NULL;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint32_t xsk_owed(const struct pp_xsk *xsk)
{
	uint32_t owed = xsk->frames - xsk->r.posted;

	return owed >= xsk->batch ? owed : 0;
}

unsigned int pp_xsk_debt(const struct pp_xsk *xsk)
{
	return xsk_owed(xsk);
}

static __attribute__((noinline)) void xsk_pool_short(struct pp_xsk *xsk, uint32_t missing)
{
	xsk->r.retry_ns = now_ns() + XSK_RETRY_NS;
	xsk_count(&xsk->r.st.nombuf, missing);
}

/* Pages first, slots after: a slot that was taken and not written would be read all the same. */
static unsigned int xsk_post(struct pp_xsk *xsk, unsigned int want)
{
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int n = page_pool_alloc_bulk(xsk->pool, pages, want), i;

	if (unlikely(n && pages[0]->shift != xsk->umem.shift)) {
		page_pool_put_bulk(pages, n); /* a pool of runs, which are no chunks */
		return 0;
	}
	for (i = 0; i < n; i++) {
		xsk_set_mark(pages[i], xsk->mark_fill);
		*ring_addr(&xsk->r.fill, i) = pp_xsk_addr(&xsk->umem, pages[i], 0);
	}
	return n;
}

unsigned int pp_xsk_refill(struct pp_xsk *xsk)
{
	unsigned int total = 0, want, n;

	if (likely(!xsk_owed(xsk)))
		return 0;
	if (unlikely(xsk->r.retry_ns)) {
		if (now_ns() < xsk->r.retry_ns)
			return 0;
		xsk->r.retry_ns = 0;
	}
	do {
		want = ring_space(&xsk->r.fill, xsk->batch);
		n = 0;
		if (want)
			n = xsk->r.chunks ? pp_xsk_post_chunks(xsk, want) : xsk_post(xsk, want);
		if (n) {
			ring_submit(&xsk->r.fill, n);
			xsk_add(&xsk->r.posted, n);
			total += n;
		}
		if (unlikely(n < want))
			xsk_pool_short(xsk, want - n);
	} while (n == xsk->batch && xsk_owed(xsk));
	xsk_count(&xsk->r.st.refilled, total);
	return total;
}

/*
 * A buffer of a packet that takes several of them, or one that says that it is longer
 * than its buffer: for programs that deal with one buffer at a time it can only be dropped.
 */
__attribute__((noinline)) void pp_xsk_rx_drop(struct pp_xsk *xsk, struct pp_page *page,
					      const struct xdp_desc *desc)
{
	xsk->r.multi = desc->options & XSK_PKT_CONTD;
	xsk_add(&xsk->r.posted, -1u);
	xsk_count(&xsk->r.st.dropped, 1);
	page_pool_put_bulk(&page, 1);
}

__attribute__((noinline)) void pp_xsk_rx_wake(struct pp_xsk *xsk)
{
	/* the driver below sleeps if it found the fill ring empty */
	if (xsk->flags & PP_XSK_NEED_WAKEUP && ring_needs_wakeup(xsk, &xsk->r.fill))
		(void)recvfrom(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

unsigned int pp_xsk_rx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	unsigned int avail = ring_avail(&xsk->r.rx, n), i, k = 0;
	const struct xdp_desc *desc;
	struct pp_page *page;
	uint64_t bytes = 0;
	uint32_t off;

	if (unlikely(xsk->r.chunks))
		return 0;
	if (!avail) {
		pp_xsk_rx_wake(xsk);
		return 0;
	}
	for (i = 0; i < avail; i++) {
		desc = ring_desc(&xsk->r.rx, i);
		page = xsk_page(xsk, desc->addr, xsk->mark_fill, &off);
		if (unlikely(!page)) {
			xsk_count(&xsk->r.st.bad, 1);
			continue;
		}
		xsk_set_mark(page, 0);
		if (unlikely(!xsk_rx_whole(xsk, desc, off))) {
			pp_xsk_rx_drop(xsk, page, desc);
			continue;
		}
		page->data_off = (uint16_t)off;
		page->len = desc->len;
		page->port = xsk->port;
		page->tstamp = PP_TSTAMP_NONE;
		pages[k++] = page;
		bytes += desc->len;
	}
	ring_release(&xsk->r.rx, avail);
	xsk_add(&xsk->r.posted, -k);
	xsk_count(&xsk->r.st.packets, k);
	xsk_count(&xsk->r.st.bytes, bytes);
	return k;
}

/* ---- transmission -----------------------------------------------------------------------------*/

static inline uint32_t xsk_waiting(const struct pp_xsk *xsk)
{
	return xsk->t.tx.mine - __atomic_load_n(xsk->t.tx.ring.consumer, __ATOMIC_ACQUIRE);
}

static __attribute__((noinline)) void xsk_kick_failed(struct pp_xsk *xsk, int err)
{
	switch (err) {
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
 * In copy mode one call takes XSK_PER_KICK packets and then says EAGAIN, as it does when
 * the socket's send buffer is full; EBUSY means that one packet was dropped and will be
 * completed all the same, and that those behind it wait for another call.
 */
unsigned int pp_xsk_kick(struct pp_xsk *xsk)
{
	uint32_t waiting = xsk->t.tx.ring.size ? xsk_waiting(xsk) : 0;
	uint32_t again = waiting / XSK_PER_KICK + 1;
	uint32_t calls;

	for (calls = waiting + again; waiting && calls && !xsk->t.gone; calls--) {
		if (!ring_needs_wakeup(xsk, &xsk->t.tx))
			break;
		xsk_count(&xsk->t.st.kicks, 1);
		if (sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0) {
			waiting = xsk_waiting(xsk);
			break;
		}
		if (errno == EBUSY) {
			xsk_add(&xsk->t.lost, 1);
			xsk_count(&xsk->t.st.dropped, 1);
		} else if (errno != EAGAIN) {
			xsk_kick_failed(xsk, errno);
			break;
		} else if (!--again) {
			break;
		}
		waiting = xsk_waiting(xsk);
	}
	return waiting;
}

/* one completed address; NULL if it is none of ours */
static inline struct pp_page *xsk_completed(struct pp_xsk *xsk, uint64_t addr, uint32_t *len)
{
	struct pp_page *page;

	if (unlikely(xsk->t.chunks))
		return pp_xsk_chunk_take(xsk, xsk->t.chunks, addr, NULL, len);
	page = xsk_page(xsk, addr, xsk->mark_tx, NULL);
	if (likely(page)) {
		*len = page->len;
		xsk_set_mark(page, 0);
	}
	return page;
}

static unsigned int xsk_reap(struct pp_xsk *xsk)
{
	struct pp_page *done[XSK_REAP], *page;
	unsigned int n = ring_avail(&xsk->t.comp, XSK_REAP), i, k = 0, sent = 0;
	uint64_t bytes = 0;
	uint32_t len;

	for (i = 0; i < n; i++) {
		page = xsk_completed(xsk, *ring_addr(&xsk->t.comp, i), &len);
		if (unlikely(!page))
			continue;
		done[k++] = page;
		if (unlikely(xsk->t.lost)) {
			xsk->t.lost--; /* how many were dropped is known, not which */
			continue;
		}
		bytes += len;
		sent++;
	}
	if (!n)
		return 0;
	ring_release(&xsk->t.comp, n);
	xsk_add(&xsk->t.out, -k);
	page_pool_put_bulk(done, k);
	xsk_count(&xsk->t.st.packets, sent);
	xsk_count(&xsk->t.st.bytes, bytes);
	if (unlikely(k < n))
		xsk_count(&xsk->t.st.comp_bad, n - k);
	return n;
}

unsigned int pp_xsk_complete(struct pp_xsk *xsk)
{
	uint32_t before = xsk->t.out;

	if (before)
		pp_xsk_kick(xsk);
	/* with nothing out as well: wrong completions would fill the ring unseen */
	while (xsk_reap(xsk) == XSK_REAP)
		;
	return before - xsk->t.out;
}

static inline bool xsk_may_send(const struct pp_xsk *xsk, const struct pp_page *page)
{
	return page->zone == xsk->zone && page->shift == xsk->umem.shift && page->len &&
	       page->len <= xsk->chunk && page->data_off + page->len <= pp_page_size(page) &&
	       __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) <= 1;
}

/* a page that is not sent, and all the same not the caller's any more */
static __attribute__((noinline)) void xsk_tx_refuse(struct pp_xsk *xsk, struct pp_page *page)
{
	if (xsk_mark(page)) {
		xsk_count(&xsk->t.st.bad, 1);
		return;
	}
	page_pool_put_bulk(&page, 1);
	xsk_count(&xsk->t.st.dropped, 1);
}

static uint32_t xsk_tx_space(struct pp_xsk *xsk, uint32_t n)
{
	uint32_t space = ring_space(&xsk->t.tx, n);
	uint32_t room = xsk->t.comp.ring.size - xsk->t.out;

	/* each frame also needs a slot of the completion ring */
	return space < room ? space : room;
}

/* slots for up to @n packets; if these are too few, completes first */
uint32_t pp_xsk_tx_room(struct pp_xsk *xsk, uint32_t n)
{
	uint32_t space = xsk_tx_space(xsk, n);

	if (likely(space == n))
		return space;
	pp_xsk_complete(xsk);
	return xsk_tx_space(xsk, n);
}

void pp_xsk_tx_submit(struct pp_xsk *xsk, uint32_t sent)
{
	if (!sent)
		return;
	ring_submit(&xsk->t.tx, sent);
	xsk_add(&xsk->t.out, sent);
	pp_xsk_kick(xsk);
}

unsigned int pp_xsk_tx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	uint32_t space = pp_xsk_tx_room(xsk, n), sent = 0;
	struct xdp_desc *desc;
	struct pp_page *page;
	unsigned int i;

	if (unlikely(xsk->t.chunks))
		return 0;
	for (i = 0; i < n; i++) {
		page = pages[i];
		if (unlikely(xsk_mark(page) || !xsk_may_send(xsk, page))) {
			xsk_tx_refuse(xsk, page);
			continue;
		}
		if (unlikely(sent == space))
			break;
		desc = ring_desc(&xsk->t.tx, sent);
		desc->addr = pp_xsk_addr(&xsk->umem, page, page->data_off);
		desc->len = page->len;
		desc->options = 0;
		xsk_set_mark(page, xsk->mark_tx);
		sent++;
	}
	pp_xsk_tx_submit(xsk, sent);
	return i;
}
