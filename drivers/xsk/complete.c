/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/complete.c - transmission behind the TX ring: the kernel sends, and completes
 *
 * The engine believes a completion only if the page has the mark. So a completion that comes
 * twice, or for an address that was never sent, is a counted error and not a double free. A page
 * behind the first of a packet has a mark of its own, which tells completed packets from pages.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "xsk/complete.h"

#define PER_KICK     32u /* packets that one sendto() takes at least, if so many wait */
#define PAUSE_ROUNDS 16u /* rounds to let pass after the kernel said no */

/* the pages of a burst of completions */
struct done {
	struct pp_page *pages[XSK_REAP];
	unsigned int n;
	unsigned int more; /* pages behind the first of a packet, which went home apart */
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
		/* no packet is lost: it leaves once there is memory, or the link is up */
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
static struct pp_page *completed_page(struct pp_xsk *xsk, uint64_t addr, uint32_t *len, bool *more)
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

/*
 * All other completions. The kernel tells how many packets it dropped, not which. @keep: the
 * caller gets a packet's first page alone.
 */
static __attribute__((noinline)) void reap_careful(struct pp_xsk *xsk, struct done *done,
						   unsigned int n, uint32_t idx, bool keep)
{
	struct pp_page *page;
	unsigned int i;
	bool more, lost;
	uint32_t len;

	done->n = done->sent = 0;
	done->bytes = 0;
	for (i = 0; i < n; i++) {
		page = completed_page(xsk, *xsk_ring_cons__comp_addr(&xsk->t.comp, idx + i), &len,
				      &more);
		if (unlikely(!page))
			continue;
		lost = !more && xsk->t.lost;
		if (lost) {
			xsk_add(&xsk->t.lost, -1u);
		} else {
			done->bytes += len;
			done->sent += !more;
		}
		if (!more && xsk->flags & PP_XSK_TX_TSTAMP)
			pp_xsk_tx_stamped(xsk, page, lost);
		if (keep && more) {
			page_pool_put_bulk(&page, 1);
			done->more++;
			continue;
		}
		done->pages[done->n++] = page;
	}
}

/* takes at most @want completions; how many */
static inline unsigned int reap_some(struct pp_xsk *xsk, struct done *done, unsigned int want,
				     bool keep)
{
	uint32_t idx;
	unsigned int n = xsk_ring_cons__peek(&xsk->t.comp, want, &idx);

	if (!n)
		return 0;
	done->more = 0;
	if (likely(xsk->plain && !xsk->t.lost && !(xsk->flags & PP_XSK_TX_TSTAMP)))
		reap_plain(xsk, done, n, idx);
	else
		reap_careful(xsk, done, n, idx, keep);
	xsk_ring_cons__release(&xsk->t.comp, n);
	xsk_add(&xsk->t.out, -(done->n + done->more));
	xsk_count(&xsk->t.st.packets, done->sent);
	xsk_count(&xsk->t.st.bytes, done->bytes);
	if (unlikely(done->n + done->more < n))
		xsk_count(&xsk->t.st.comp_bad, n - done->n - done->more);
	return n;
}

unsigned int pp_xsk_complete(struct pp_xsk *xsk)
{
	uint32_t before = xsk->t.out;
	struct done done;
	unsigned int n;

	if (before && xsk_waiting(xsk))
		kick_in_turn(xsk);
	if (unlikely(xsk->flags & PP_XSK_TX_KEEP))
		return 0;
	/* also without packets out: wrong completions would fill the ring unseen */
	do {
		n = reap_some(xsk, &done, XSK_REAP, false);
		if (n)
			page_pool_put_bulk(done.pages, done.n);
	} while (n == XSK_REAP);
	return before - xsk->t.out;
}

/* The caller's time, of reception or to be sent at, is no time of sending. */
static void forget_times(struct pp_page *const *pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		pages[i]->tstamp = PP_TSTAMP_NONE;
}

unsigned int pp_xsk_completed(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	unsigned int k, want;
	struct done done;

	if (xsk->t.chunks)
		return 0;
	if (xsk->t.out && xsk_waiting(xsk))
		kick_in_turn(xsk);
	for (k = 0; k < n; k += done.n) {
		want = n - k < XSK_REAP ? n - k : XSK_REAP;
		if (!reap_some(xsk, &done, want, true))
			break;
		if (!(xsk->flags & PP_XSK_TX_TSTAMP))
			forget_times(done.pages, done.n);
		memcpy(pages + k, done.pages, done.n * sizeof(*pages));
	}
	return k;
}

/* ---- for the TX ring --------------------------------------------------------------------------*/

void pp_xsk_tx_submit(struct pp_xsk *xsk, uint32_t sent)
{
	if (!sent)
		return;
	xsk_ring_prod__submit(&xsk->t.tx, sent);
	kick_in_turn(xsk);
}

bool pp_xsk_tx_wait(struct pp_xsk *xsk, uint64_t *end)
{
	struct pollfd poll_fd = { .fd = xsk->fd, .events = POLLOUT };
	uint32_t room = xsk->t.comp.size - xsk->t.out;
	uint64_t now;

	if (!xsk->wait_ms || xsk->t.gone)
		return false;
	if (xsk->flags & PP_XSK_TX_KEEP && room <= xsk_prod_nb_free(&xsk->t.tx, room))
		return false; /* the TX ring has room, and only pp_xsk_completed() makes more */
	now = xsk_now_ns(CLOCK_MONOTONIC);
	if (!*end)
		*end = now + xsk->wait_ms * 1000000ull;
	if (now >= *end)
		return false;
	if (pp_xsk_complete(xsk))
		return true;
	/* in copy mode poll() sends; it returns while the ring is at most half full */
	if (poll(&poll_fd, 1, (int)((*end - now) / 1000000 + 1)) > 0 &&
	    !(poll_fd.revents & POLLOUT))
		return false;
	pp_xsk_complete(xsk);
	return true;
}
