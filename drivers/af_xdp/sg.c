/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/sg.c - packets of several pages (sg=on): chains through pp_page.next
 *
 * The kernel splits a long packet over buffers, one descriptor each, of which all but
 * the last say XDP_PKT_CONTD. The head of a chain that is being sent is tagged TX, as
 * every other packet; the pages behind it are tagged XDP_OWNER_TX_MORE, so that
 * completions of packets and of pages can be told apart.
 */
#include "af_xdp/queue.h"

/* what came of a packet goes home, and the rest of it too when it comes */
static void sg_drop(struct xdp_queue *x)
{
	pp_packet_put(&x->sg_head, x->sg_pages ? 1 : 0);
	x->sg_pages = 0;
	x->sg_skip = true;
}

static void sg_add(struct xdp_queue *x, struct pp_page *page, const struct xdp_desc *desc)
{
	xdp_owner_set(page, 0);
	page->next = NULL;
	page->data_off = (uint16_t)(desc->addr & ((1u << x->shift) - 1));
	page->len = desc->len;
	page->port = x->port;
	page->tstamp = PP_TSTAMP_NONE;
	x->posted--;
	if (x->sg_pages++)
		x->sg_tail->next = page;
	else
		x->sg_head = page;
	x->sg_tail = page;
	if (x->sg_skip || x->sg_pages > PP_PACKET_PAGES_MAX)
		sg_drop(x);
}

static void sg_bad(struct xdp_queue *x)
{
	pp_stat_add(&x->q.stats.rx_bad, 1);
	pp_stat_add(&x->q.stats.errors, 1);
	sg_drop(x);
}

/* true: the packet is complete, and good */
static bool sg_end(struct xdp_queue *x)
{
	bool good = !x->sg_skip;

	if (!good)
		pp_stat_add(&x->q.stats.rx_dropped, 1);
	x->sg_skip = false;
	x->sg_pages = 0;
	return good;
}

/* no more descriptors at once than packets wanted: each packet has at least one */
unsigned int pp_xdp_sg_receive(struct xdp_queue *x, struct pp_page **pages, unsigned int n)
{
	unsigned int avail, i, k = 0;
	const struct xdp_desc *desc;
	const struct pp_page *p;
	struct pp_page *page;
	uint64_t bytes = 0;
	uint32_t idx;

	while (k < n && (avail = xsk_ring_cons__peek(&x->s.rx, n - k, &idx))) {
		for (i = 0; i < avail; i++) {
			desc = xsk_ring_cons__rx_desc(&x->s.rx, idx + i);
			page = xdp_page(x, desc->addr, x->owner_fill);
			if (likely(page))
				sg_add(x, page, desc);
			else
				sg_bad(x);
			if (!(desc->options & XDP_PKT_CONTD) && sg_end(x))
				pages[k++] = x->sg_head;
		}
		xsk_ring_cons__release(&x->s.rx, avail);
	}
	for (i = 0; i < k; i++)
		for (p = pages[i]; p; p = p->next)
			bytes += p->len;
	pp_stat_add(&x->q.stats.rx_packets, k);
	pp_stat_add(&x->q.stats.rx_bytes, bytes);
	return k;
}

/* a packet that was cut off by the end of the port */
void pp_xdp_sg_forget(struct xdp_queue *x)
{
	sg_drop(x);
	x->sg_skip = false;
}

unsigned int pp_xdp_sg_pages(const struct xdp_queue *x, const struct pp_page *head)
{
	const struct pp_page *page;
	unsigned int n = 0;

	for (page = head; page; page = page->next) {
		if (!page->len || page->data_off + page->len > 1u << x->shift ||
		    !xdp_tx_fits(x, page) || !xdp_tx_in_place(x, page) || ++n > PP_PACKET_PAGES_MAX)
			return 0;
	}
	return n;
}

void pp_xdp_sg_post(struct xdp_queue *x, struct pp_page *head)
{
	uint32_t owner = x->owner_tx, idx = 0;
	uint32_t options = x->tx_prepare ? pp_xdp_tx_meta(x, head) : 0;
	struct pp_page *page, *next;
	struct xdp_desc *desc;

	for (page = head; page; page = next) {
		next = page->next;
		page->next = NULL;
		pp_xdp_tx_make_room(x, page);
		xsk_ring_prod__reserve(&x->s.tx, 1, &idx);
		desc = xsk_ring_prod__tx_desc(&x->s.tx, idx);
		desc->addr = xdp_addr(x, page) + page->data_off;
		desc->len = page->len;
		desc->options = options | (next ? XDP_PKT_CONTD : 0);
		options = 0;
		xdp_owner_set(page, owner);
		owner = x->owner_tx | XDP_OWNER_TX_MORE;
	}
}
