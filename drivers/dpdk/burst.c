/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk/burst.c - receiving and sending: mbufs become pages, and pages mbufs */
#include <string.h>

#include "dpdk/clone.h"
#include "dpdk/pool.h"

/* refcnt and nb_segs of an mbuf, refs and pp_refs of a page, by one load or store */
#define ONE_REF_ONE_SEGMENT ((uint32_t)1 << 16 | 1)
#define ONE_REF_TWICE	    ((uint64_t)1 << 32 | 1)
typedef uint64_t __attribute__((__may_alias__)) two_counts;

/* ---- receiving ------------------------------------------------------------------------------- */

/* copies an mbuf of another pool, in several segments, or shared into a page; NULL: dropped */
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
static __rte_always_inline struct pp_page *rx_plain(const struct dpdk_map *map, bool inside,
						    const struct rte_mbuf *m)
{
	struct pp_page *page = dpdk_page_of(map, m);
	uint64_t off, len = m->data_len;
	uint32_t counts;

	memcpy(&counts, &m->refcnt, sizeof(counts));
	if (unlikely(counts != ONE_REF_ONE_SEGMENT || !dpdk_in_zone(map, m)))
		return NULL;
	off = (uintptr_t)m->buf_addr + m->data_off - (uintptr_t)page->addr;
	if (unlikely(off > map->room || off + len > map->room))
		return NULL;
	if (inside)
		dpdk_page_tag(page, 0);
	page->len = (uint32_t)len;
	page->data_off = (uint16_t)off;
	return page;
}

static __rte_always_inline unsigned int rx_convert(struct dpdk_queue *dq, bool inside,
						   struct rte_mbuf **mbufs, struct pp_page **pages,
						   unsigned int n)
{
	const struct dpdk_map map = dq->map;
	uint16_t port = dq->q.dev->params.port;
	struct pp_page *page;
	uint64_t bytes = 0;
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		page = rx_plain(&map, inside, mbufs[i]);
		if (unlikely(!page))
			page = rx_copy(dq, mbufs[i]);
		if (unlikely(!page))
			continue;
		page->port = port;
		page->tstamp = PP_TSTAMP_NONE;
		bytes += page->len;
		pages[k++] = page;
	}
	pp_stat_add(&dq->q.stats.rx_packets, k);
	pp_stat_add(&dq->q.stats.rx_bytes, bytes);
	return k;
}

unsigned int dpdk_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct dpdk_queue *dq = (struct dpdk_queue *)q;
	struct rte_mbuf *mbufs[PP_BURST_MAX];

	if (unlikely(dpdk_is_called(dq, &rte_eth_fp_ops[dq->port_id].rxq)))
		n = dpdk_rx_called(dq, mbufs, (uint16_t)n);
	else
		n = rte_eth_rx_burst(dq->port_id, (uint16_t)q->index, mbufs, (uint16_t)n);
	return dq->inside ? rx_convert(dq, true, mbufs, pages, n)
			  : rx_convert(dq, false, mbufs, pages, n);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* lays an mbuf out anew: its buffer is outside the page, or begins behind the packet */
static __rte_noinline bool tx_lay(const struct dpdk_queue *dq, struct rte_mbuf *m,
				  const struct pp_page *page)
{
	uint32_t front = dpdk_front(&dq->map, page);

	if (front > page->data_off)
		front = dq->map.least;
	if (front > page->data_off)
		return false; /* the mbuf itself would be in the way */
	dpdk_mbuf_lay(dq, m, page, front);
	return true;
}

/*
 * The mbuf of a page that only this port holds, with a packet that a device may send; its pool is
 * not set. NULL: the page needs a copy, or can never be sent. A length below DPDK_FRAME_MIN wraps,
 * and then is too large.
 */
static __rte_always_inline struct rte_mbuf *
tx_mbuf(const struct dpdk_queue *dq, const struct dpdk_map *map, bool inside, struct pp_page *page)
{
	struct rte_mbuf *m = dpdk_mbuf_of(map, inside, page);
	uint32_t off = page->data_off, len = page->len;
	uint64_t front;

	if (unlikely(__atomic_load_n((const two_counts *)&page->refs, __ATOMIC_RELAXED) !=
			     ONE_REF_TWICE ||
		     (int64_t)map->room - DPDK_FRAME_MIN - off < len - DPDK_FRAME_MIN))
		return NULL;
	front = (uintptr_t)m->buf_addr - (uintptr_t)page->addr;
	if (inside || unlikely(front > off)) {
		if (!tx_lay(dq, m, page))
			return NULL;
		front = (uintptr_t)m->buf_addr - (uintptr_t)page->addr;
	}
	if (inside)
		dpdk_page_tag(page, map->tag);
	m->data_off = (uint16_t)(off - front);
	m->ol_flags = 0;
	m->packet_type = 0;
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
	return m;
}

/* makes mbufs of @pages up to the first page that needs a copy; RETURN: how many */
static __rte_always_inline unsigned int tx_fill(const struct dpdk_queue *dq, bool inside,
						struct pp_page **pages, unsigned int n,
						struct rte_mbuf **mbufs, uint64_t *bytes)
{
	const struct pp_zone *zone = dq->q.dev->params.zone;
	const struct dpdk_map map = dq->map;
	struct rte_mempool *mp = dq->mp;
	struct rte_mbuf *m;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < n && likely(pages[i]->zone == zone); i++) {
		m = tx_mbuf(dq, &map, inside, pages[i]);
		if (unlikely(!m))
			break;
		m->pool = mp;
		mbufs[i] = m;
		sum += m->pkt_len;
	}
	*bytes = sum;
	return i;
}

/*
 * The device did not take @mbufs, which are the caller's @pages again: some devices, and callbacks,
 * change the order of a burst. RETURN: their bytes.
 */
static __rte_noinline uint64_t tx_left(const struct dpdk_queue *dq, struct rte_mbuf **mbufs,
				       struct pp_page **pages, unsigned int n)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		pages[i] = dpdk_page_of(&dq->map, mbufs[i]);
		dpdk_page_tag(pages[i], 0);
		bytes += pages[i]->len;
	}
	return bytes;
}

static inline unsigned int tx_send(struct dpdk_queue *dq, struct rte_mbuf **mbufs, unsigned int n)
{
	unsigned int sent;

	dpdk_free_begin(dq);
	if (unlikely(dpdk_is_called(dq, &rte_eth_fp_ops[dq->port_id].txq)))
		sent = dpdk_tx_called(dq, mbufs, (uint16_t)n);
	else
		sent = rte_eth_tx_burst(dq->port_id, (uint16_t)dq->q.index, mbufs, (uint16_t)n);
	dpdk_free_end(dq);
	return sent;
}

/* sends @pages up to the first that needs a copy, *run of them; RETURN: those taken */
static inline unsigned int tx_run(struct dpdk_queue *dq, struct pp_page **pages, unsigned int n,
				  unsigned int *run)
{
	struct rte_mbuf *mbufs[PP_BURST_MAX];
	unsigned int sent = 0;
	uint64_t bytes;

	*run = dq->inside ? tx_fill(dq, true, pages, n, mbufs, &bytes)
			  : tx_fill(dq, false, pages, n, mbufs, &bytes);
	if (likely(*run))
		sent = tx_send(dq, mbufs, *run);
	if (unlikely(sent < *run))
		bytes -= tx_left(dq, mbufs + sent, pages + sent, *run - sent);
	pp_stat_add(&dq->q.stats.tx_packets, sent);
	pp_stat_add(&dq->q.stats.tx_bytes, bytes);
	return sent;
}

/* drops a page that no device could send, sends a copy of any other; false: it is not taken */
static __rte_noinline bool tx_copy(struct dpdk_queue *dq, struct pp_page *page)
{
	uint32_t front = dq->map.front;
	struct pp_page *copy;
	unsigned int run;

	if (page->len < DPDK_FRAME_MIN || page->len > dq->map.room - front ||
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
