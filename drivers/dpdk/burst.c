/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk/burst.c - receiving and sending: mbufs become pages, and pages mbufs */
#include <string.h>

#include "dpdk/pool.h"

#define ONE_REF_ONE_SEGMENT ((uint32_t)1 << 16 | 1)

/* ---- receiving ------------------------------------------------------------------------------- */

/* an mbuf of another pool, in several segments, or shared: copied into a page, or NULL */
static __rte_noinline struct pp_page *rx_copy(struct dpdk_queue *dq, struct rte_mbuf *m)
{
	struct pp_page *page = NULL;
	const void *from;

	if (m->pkt_len <=
	    pp_zone_page_size(dq->q.dev->params.zone) - pp_zone_headroom(dq->q.dev->params.zone)) {
		page = page_pool_alloc_pages(dq->q.pool);
		if (!page)
			pp_stat_add(&dq->q.stats.rx_nombuf, 1);
	}
	if (!page) {
		pp_stat_add(&dq->q.stats.rx_dropped, 1);
	} else {
		from = rte_pktmbuf_read(m, 0, m->pkt_len, pp_page_data(page));
		if (from != pp_page_data(page))
			memcpy(pp_page_data(page), from, m->pkt_len);
		page->len = m->pkt_len;
		pp_stat_add(&dq->q.stats.copied, 1);
	}
	rte_pktmbuf_free(m);
	return page;
}

/* the page of an unshared mbuf with the packet behind it in one piece; or NULL */
static inline struct pp_page *rx_plain(const struct dpdk_queue *dq, const struct rte_mbuf *m)
{
	uintptr_t page_at = ((uintptr_t)m - dq->base) >> dq->shift << dq->shift;
	uint64_t off = (uintptr_t)m->buf_addr + m->data_off - dq->base - page_at;
	struct pp_page *page;
	uint32_t counts;

	memcpy(&counts, &m->refcnt, sizeof(counts));
	if (unlikely(counts != ONE_REF_ONE_SEGMENT || page_at >= dq->span || off > UINT16_MAX ||
		     off + m->data_len > (uint64_t)1 << dq->shift))
		return NULL;
	page = dq->table + (page_at >> dq->shift);
	dpdk_page_tag(page, 0);
	page->len = m->data_len;
	page->data_off = (uint16_t)off;
	return page;
}

unsigned int dpdk_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct dpdk_queue *dq = (struct dpdk_queue *)q;
	struct rte_mbuf *mbufs[PP_BURST_MAX];
	unsigned int i, k = 0, got;
	struct pp_page *page;
	uint64_t bytes = 0;

	got = rte_eth_rx_burst(dq->port_id, (uint16_t)q->index, mbufs, (uint16_t)n);
	for (i = 0; i < got; i++) {
		page = rx_plain(dq, mbufs[i]);
		if (unlikely(!page))
			page = rx_copy(dq, mbufs[i]);
		if (unlikely(!page))
			continue;
		page->port = q->dev->params.port;
		page->tstamp = PP_TSTAMP_NONE;
		bytes += page->len;
		pages[k++] = page;
	}
	pp_stat_add(&q->stats.rx_packets, k);
	pp_stat_add(&q->stats.rx_bytes, bytes);
	return k;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* only this port holds the page, and an mbuf fits in front of the packet */
static inline bool tx_is_plain(const struct dpdk_queue *dq, const struct pp_page *page)
{
	return page->zone == dq->q.dev->params.zone && page->data_off >= DPDK_FRONT &&
	       page->len >= DPDK_FRAME_MIN && __atomic_load_n(&page->refs, __ATOMIC_RELAXED) == 1 &&
	       __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) == 1 &&
	       (uint64_t)page->data_off + page->len <= (uint64_t)1 << dq->shift;
}

/* a page with little room in front of its packet has its mbuf at the beginning */
static inline struct rte_mbuf *tx_mbuf(const struct dpdk_queue *dq, struct pp_page *page)
{
	uintptr_t number = (uintptr_t)(page - dq->table);
	uint32_t color = dpdk_color(dq, number);
	struct rte_mbuf *m;

	if (unlikely(page->data_off < DPDK_FRONT + color))
		color = 0;
	m = dpdk_mbuf_at(dq, number, color);
	dpdk_page_tag(page, dq->tag);
	dpdk_mbuf_fill(m, &dq->sent, DPDK_FRONT);
	m->buf_len = (uint16_t)(dq->sent.buf_len - color);
	m->data_off = (uint16_t)(page->data_off - DPDK_FRONT - color);
	m->data_len = (uint16_t)page->len;
	m->pkt_len = page->len;
	return m;
}

/* sends the plain pages at the beginning of @pages, *run of them; RETURN: those taken */
static inline unsigned int tx_run(struct dpdk_queue *dq, struct pp_page **pages, unsigned int n,
				  unsigned int *run)
{
	struct rte_mbuf *mbufs[PP_BURST_MAX];
	unsigned int i, sent = 0;
	uint64_t bytes = 0;

	for (i = 0; i < n && likely(tx_is_plain(dq, pages[i])); i++) {
		mbufs[i] = tx_mbuf(dq, pages[i]);
		bytes += pages[i]->len;
	}
	*run = i;
	if (likely(i)) {
		dpdk_free_begin(dq);
		sent = rte_eth_tx_burst(dq->port_id, (uint16_t)dq->q.index, mbufs, (uint16_t)i);
		dpdk_free_end(dq);
	}
	for (i = sent; i < *run; i++) {
		bytes -= pages[i]->len; /* the device did not take it: still the caller's */
		dpdk_page_tag(pages[i], 0);
	}
	pp_stat_add(&dq->q.stats.tx_packets, sent);
	pp_stat_add(&dq->q.stats.tx_bytes, bytes);
	return sent;
}

/* one page that is not plain: dropped if no device could send it, else copied; false: not taken */
static __rte_noinline bool tx_copy(struct dpdk_queue *dq, struct pp_page *page)
{
	uint32_t size = 1u << dq->shift, front = RTE_MAX(DPDK_FRONT, dq->front);
	struct pp_page *copy;
	unsigned int run;

	if (page->len < DPDK_FRAME_MIN || page->len > size - front ||
	    (uint64_t)page->data_off + page->len > pp_page_size(page)) {
		page_pool_put_bulk(&page, 1);
		pp_stat_add(&dq->q.stats.tx_dropped, 1);
		return true;
	}
	copy = page_pool_alloc_pages(dq->q.pool);
	if (!copy) {
		pp_stat_add(&dq->q.stats.rx_nombuf, 1);
		return false;
	}
	copy->data_off = (uint16_t)front;
	copy->len = page->len;
	memcpy(pp_page_data(copy), pp_page_data(page), page->len);
	if (!tx_run(dq, &copy, 1, &run)) {
		page_pool_put_bulk(&copy, 1);
		return false;
	}
	pp_stat_add(&dq->q.stats.copied, 1);
	page_pool_put_bulk(&page, 1);
	return true;
}

unsigned int dpdk_tx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct dpdk_queue *dq = (struct dpdk_queue *)q;
	unsigned int run, sent, done = 0;

	for (;;) {
		sent = tx_run(dq, pages + done, n - done, &run);
		done += sent;
		if (likely(done == n) || sent < run || !tx_copy(dq, pages[done]))
			return done;
		if (++done == n)
			return done;
	}
}
