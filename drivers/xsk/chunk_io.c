/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/chunk_io.c - packets in chunks smaller than pages */
#include "xsk/complete.h"

/* ---- reception --------------------------------------------------------------------------------*/

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

/* frees a chunk that can never be sent, unless a ring has it: then it was not the caller's */
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

static unsigned int tx_some(struct pp_xsk *xsk, const struct pp_xsk_chunk *chunks, unsigned int n)
{
	uint32_t space = xsk_tx_room(xsk, n), sent = 0;
	const struct pp_xsk_chunk *c;
	unsigned int i;

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

unsigned int pp_xsk_tx_chunks(struct pp_xsk *xsk, const struct pp_xsk_chunk *chunks, unsigned int n)
{
	unsigned int i = 0;
	uint64_t end = 0;

	if (unlikely(!xsk->t.chunks))
		return 0;
	do {
		i += tx_some(xsk, chunks + i, n - i);
	} while (unlikely(i < n) && pp_xsk_tx_wait(xsk, &end));
	return i;
}
