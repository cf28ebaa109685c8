/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/queue.c - what goes on on the rings of an AF_XDP socket, and sending
 *
 * Ownership. A frame that the kernel holds is tagged in pp_page.owner with the
 * socket and with the ring that it went into; the kernel's answers are believed
 * only if they agree with the tag. So a completion that comes twice, or for an
 * address that was never sent, is a counted error and not a double free, and
 * once the socket is closed every frame with its tag is ours again:
 *
 *   frames tagged FILL == posted        (fill ring, kernel, RX ring)
 *   frames tagged TX   == tx_out        (TX ring, kernel, completion ring)
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

#include "af_xdp/priv.h"
#include "af_xdp/queue.h"

#define REAP_BATCH  64u
#define TX_PER_KICK 32u /* packets that one sendto() takes at least, if so many wait */
#define PAUSE_POLLS 16u /* polls to let pass after the kernel said no */
#define ETH_MIN	    14u

/* what a burst of completions brings home */
struct done {
	struct pp_page *pages[REAP_BATCH];
	unsigned int n;
	unsigned int sent; /* packets */
	uint64_t bytes; /* of these */
};

/* Whole packets, all of them sent. Locals for the same reason as in af_xdp/rx.c. */
static inline void reap_plain(const struct xdp_queue *x, struct done *done, unsigned int n,
			      uint32_t idx)
{
	const __u64 *addrs = xsk_ring_cons__comp_addr(&x->s.comp, 0);
	struct pp_page *const table = x->table, *page, **out = done->pages;
	const uint64_t npages = x->npages;
	const uint32_t owner = x->owner_tx;
	const unsigned int shift = x->shift;
	uint64_t bytes = 0, frame;
	uint32_t end = idx + n;

	for (; idx != end; idx++) {
		frame = addrs[idx & (XDP_TX_SIZE - 1)] >> shift;
		if (unlikely(frame >= npages))
			continue;
		page = table + frame;
		if (unlikely(xdp_owner_get(page) != owner))
			continue;
		xdp_owner_set(page, 0);
		bytes += page->len;
		*out++ = page;
	}
	done->n = done->sent = (unsigned int)(out - done->pages);
	done->bytes = bytes;
}

/* Packets of several pages, some that the kernel dropped, or with sending times. */
static __attribute__((noinline)) void reap_special(struct xdp_queue *x, struct done *done,
						   unsigned int n, uint32_t idx)
{
	struct pp_page *page, *more;
	unsigned int i;
	uint64_t addr;

	done->n = done->sent = 0;
	done->bytes = 0;
	for (i = 0; i < n; i++) {
		addr = *xsk_ring_cons__comp_addr(&x->s.comp, idx + i);
		page = xdp_page(x, addr, x->owner_tx);
		more = NULL;
		if (unlikely(!page && x->sg))
			page = more = xdp_page(x, addr, x->owner_tx | XDP_OWNER_TX_MORE);
		if (unlikely(!page))
			continue;
		xdp_owner_set(page, 0);
		done->pages[done->n++] = page;
		if (unlikely(more)) {
			done->bytes += page->len;
			continue;
		}
		if (unlikely(x->tx_lost)) {
			x->tx_lost--;
			continue;
		}
		done->bytes += page->len;
		done->sent++;
		if (unlikely(x->tx_tstamp))
			pp_xdp_tx_stamped(x, page);
	}
}

/* Bring home what was sent. The kernel's EBUSY tells how many it dropped, not which. */
unsigned int pp_xdp_reap(struct xdp_queue *x)
{
	unsigned int total = 0, n;
	struct done done;
	uint32_t idx;

	do {
		n = xsk_ring_cons__peek(&x->s.comp, REAP_BATCH, &idx);
		if (!n)
			break;
		if (likely(!x->sg && !x->tx_lost && !x->tx_tstamp))
			reap_plain(x, &done, n, idx);
		else
			reap_special(x, &done, n, idx);
		xsk_ring_cons__release(&x->s.comp, n);
		page_pool_put_bulk(done.pages, done.n);
		x->tx_out -= done.n;
		total += done.n;
		pp_stat_add(&x->q.stats.tx_packets, done.sent);
		pp_stat_add(&x->q.stats.tx_bytes, done.bytes);
		if (unlikely(done.n < n)) {
			pp_stat_add(&x->q.stats.tx_bad, n - done.n);
			pp_stat_add(&x->q.stats.errors, n - done.n);
		}
	} while (n == REAP_BATCH);
	return total;
}

static __attribute__((noinline, cold)) void xdp_kick_failed(struct xdp_queue *x, int err)
{
	x->kick_pause = PAUSE_POLLS;
	switch (err) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
		/* nothing is lost: what waits goes out once there is memory */
		break;
	case ENETDOWN:
		/* or once the link is up */
		pp_iface_link_seen(&to_xdp_dev(x->q.dev)->xif, PP_LINK_DOWN);
		break;
	case ENXIO:
	case ENODEV:
		x->gone = true;
		/* fall through */
	default:
		pp_stat_add(&x->q.stats.errors, 1);
	}
}

/*
 * Make the kernel send. In copy mode a kernel before 6.18 takes TX_PER_KICK packets and
 * then says EAGAIN, as any does when the socket's send buffer is full; EBUSY means that
 * one packet was dropped and will be completed all the same, and that those
 * behind it wait for another call.
 */
void pp_xdp_kick(struct xdp_queue *x)
{
	uint32_t waiting = xdp_tx_waiting(x);
	uint32_t again = waiting / TX_PER_KICK + 1;
	uint32_t calls;

	if (x->kick_pause) {
		x->kick_pause--;
		return;
	}
	for (calls = waiting + again; waiting && calls && !x->gone; calls--) {
		if (x->wakeup && !xsk_ring_prod__needs_wakeup(&x->s.tx))
			return;
		if (sendto(x->s.fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
			return;
		if (errno == EBUSY) {
			x->tx_lost++;
			pp_stat_add(&x->q.stats.tx_dropped, 1);
		} else if (errno != EAGAIN || !--again) {
			xdp_kick_failed(x, errno);
			return;
		}
		waiting = xdp_tx_waiting(x);
	}
}

/* What keeps frames moving in either direction, whichever call the user makes. */
static inline unsigned int xdp_turn(struct xdp_queue *x)
{
	unsigned int n = 0;

	if (x->tx_out) {
		if (xdp_tx_waiting(x))
			pp_xdp_kick(x);
		n = pp_xdp_reap(x);
		if (n)
			x->fill_pause = 0;
	}
	pp_xdp_refill(x);
	return n;
}

/*
 * Whoever only sends learns from here that the interface is gone; who receives as
 * well first gets what is left in the RX ring.
 */
static unsigned int xdp_tx_clean(struct pp_queue *q)
{
	struct xdp_queue *x = to_xdp(q);

	if (unlikely(x->gone) && (!xsk_cons_nb_avail(&x->s.rx, 1) || !x->look--)) {
		pp_xdp_gone(x);
		return 0;
	}
	return xdp_turn(x);
}

/* The driver below sleeps if it found the fill ring empty, or polls only when asked to. */
static inline void xdp_rx_idle(struct xdp_queue *x)
{
	if (unlikely(x->gone || !x->look--)) {
		pp_xdp_look(x);
		return;
	}
	if (x->busy_poll || (x->wakeup && xsk_ring_prod__needs_wakeup(&x->s.fill)))
		(void)recvfrom(x->s.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static unsigned int xdp_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct xdp_queue *x = to_xdp(q);
	unsigned int k;

	if (unlikely(x->sg))
		k = pp_xdp_sg_receive(x, pages, n);
	else
		k = pp_xdp_receive(x, pages, n);
	if (!k)
		xdp_rx_idle(x);
	if (likely(!x->gone || k))
		xdp_turn(x);
	return k;
}

/*
 * A page of another zone is outside the UMEM, and a page with more than one user
 * cannot be tagged for each of them: both are copied into a page of the queue's
 * own pool. NULL: none is free, and the caller keeps @page.
 */
static __attribute__((noinline)) struct pp_page *xdp_tx_copy(struct xdp_queue *x,
							     struct pp_page *page)
{
	struct pp_page *copy = page_pool_alloc_pages(x->q.pool);

	if (!copy) {
		pp_stat_add(&x->q.stats.rx_nombuf, 1);
		return NULL;
	}
	if (page->len > pp_page_tailroom(copy))
		copy->data_off = 0;
	copy->len = page->len;
	memcpy(pp_page_data(copy), pp_page_data(page), page->len);
	page_pool_put_bulk(&page, 1);
	return copy;
}

/* The kernel judges the MTU, which may change; what it would call an invalid descriptor is ours. */
static inline bool xdp_tx_valid(const struct xdp_queue *x, const struct pp_page *page)
{
	uint32_t size = 1u << x->shift;

	return page->len >= ETH_MIN && xdp_tx_fits(x, page) &&
	       (page->zone != x->q.dev->params.zone || page->data_off + page->len <= size);
}

static __attribute__((noinline, cold)) void xdp_tx_drop(struct xdp_queue *x, struct pp_page *page)
{
	pp_packet_put(&page, 1);
	pp_stat_add(&x->q.stats.tx_dropped, 1);
}

static uint32_t xdp_tx_space(struct xdp_queue *x, uint32_t n)
{
	uint32_t space = xsk_prod_nb_free(&x->s.tx, n);

	/* each frame also needs a slot of the completion ring, which is as large */
	if (space > XDP_TX_SIZE - x->tx_out)
		space = XDP_TX_SIZE - x->tx_out;
	return space;
}

/*
 * The packets of @pages up to the first that is not sent as it is, into slots that are free:
 * single pages of our zone with one user, and nothing asked of the kernel. How many.
 */
static inline unsigned int tx_plain(struct xdp_queue *x, struct pp_page *const *pages,
				    unsigned int n)
{
	const struct pp_zone *const zone = x->q.dev->params.zone;
	const unsigned char *const base = x->base;
	const uint64_t size = (uint64_t)1 << x->shift;
	const uint32_t owner = x->owner_tx;
	uint32_t at = x->s.tx.cached_prod, idx;
	struct xdp_desc *const ring = xsk_ring_prod__tx_desc(&x->s.tx, 0), *desc;
	struct pp_page *page;
	uint64_t len, off;
	unsigned int i;

	for (i = 0; i < n; i++) {
		page = pages[i];
		len = page->len;
		off = page->data_off;
		if (unlikely(page->zone != zone || xdp_owner_get(page) ||
			     __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) > 1 ||
			     len < ETH_MIN || off + len > size))
			break;
		desc = ring + ((at + i) & (XDP_TX_SIZE - 1));
		desc->addr = (uint64_t)(page->addr - base) + off;
		desc->len = (uint32_t)len;
		desc->options = 0;
		xdp_owner_set(page, owner);
	}
	xsk_ring_prod__reserve(&x->s.tx, i, &idx); /* libxdp has no way to give one back */
	return i;
}

static unsigned int xdp_tx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct xdp_queue *x = to_xdp(q);
	struct xdp_desc *desc;
	struct pp_page *page;
	uint32_t space = xdp_tx_space(x, n);
	uint32_t sent = 0, idx = 0, want = n;
	unsigned int i = 0, pieces;

	if (unlikely(x->tx_tstamp))
		x->tx_now = pp_xdp_now();
	if (unlikely(x->sg))
		want = n * PP_PACKET_PAGES_MAX;
	if (unlikely(space < want)) {
		xdp_turn(x);
		space = xdp_tx_space(x, want);
	}
	if (likely(!x->sg && !x->tx_prepare))
		i = sent = tx_plain(x, pages, space < n ? space : n);
	for (; i < n; i++) {
		page = pages[i];
		if (unlikely(!xdp_tx_valid(x, page))) {
			xdp_tx_drop(x, page);
			continue;
		}
		if (unlikely(x->sg && page->next)) {
			pieces = pp_xdp_sg_pages(x, page);
			if (!pieces) {
				xdp_tx_drop(x, page);
				continue;
			}
			if (sent + pieces > space)
				break;
			pp_xdp_sg_post(x, page);
			sent += pieces;
			continue;
		}
		if (unlikely(sent == space))
			break;
		if (unlikely(!xdp_tx_in_place(x, page))) {
			page = xdp_tx_copy(x, page);
			if (!page)
				break;
		}
		xsk_ring_prod__reserve(&x->s.tx, 1, &idx);
		desc = xsk_ring_prod__tx_desc(&x->s.tx, idx);
		desc->options = unlikely(x->tx_prepare) ? pp_xdp_tx_meta(x, page) : 0;
		desc->addr = xdp_addr(x, page) + page->data_off;
		desc->len = page->len;
		xdp_owner_set(page, x->owner_tx);
		sent++;
	}
	if (sent) {
		xsk_ring_prod__submit(&x->s.tx, sent);
		x->tx_out += sent;
		pp_xdp_kick(x);
	}
	return i;
}

const struct pp_queue_ops pp_xdp_queue_ops = {
	.rx_burst = xdp_rx_burst,
	.tx_burst = xdp_tx_burst,
	.tx_clean = xdp_tx_clean,
};
