/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/clone.c - callbacks of the program may clone the mbufs of a port
 *
 * rte_pktmbuf_clone() counts the users of a buffer in the mbuf in front of it. A page has none
 * there. So while callbacks run, the page counts as an external buffer. The counter of its users
 * lies in the mbuf's slot, and has one reference to the page.
 *
 * net_af_xdp's mbufs are in front of their buffers and need none of this.
 */
#include "dpdk/clone.h"

static struct rte_mbuf_ext_shared_info *info_of(struct rte_mbuf *m)
{
	return RTE_PTR_SUB(m, DPDK_SLOT_MBUF);
}

/* the counter's reference; pages that a program took from the zone itself have no pool */
static void page_get(struct pp_page *page)
{
	if (page->pool)
		page_pool_ref_page(page);
	else
		pp_page_get(page);
}

/* the last clone was freed, by any thread */
static void clone_freed(void *addr, void *arg)
{
	struct pp_page *page = arg;

	(void)addr;
	page_pool_put_bulk(&page, 1);
}

/* @m and the segments behind it, but for those that have another buffer than their page */
static void share_begin(const struct dpdk_queue *dq, struct rte_mbuf *m)
{
	struct rte_mbuf_ext_shared_info *info;

	for (; m; m = m->next) {
		if (!dpdk_in_zone(&dq->map, m) || !RTE_MBUF_DIRECT(m))
			continue;
		info = info_of(m);
		info->free_cb = clone_freed;
		info->fcb_opaque = dpdk_page_of(&dq->map, m);
		page_get(info->fcb_opaque);
		rte_mbuf_ext_refcnt_set(info, 1);
		m->shinfo = info;
		m->ol_flags |= RTE_MBUF_F_EXTERNAL;
	}
}

/* False: a segment has a clone. The clone keeps its reference to the page. */
static bool share_end(const struct dpdk_queue *dq, struct rte_mbuf *m)
{
	struct pp_page *page;
	bool sole = true;

	for (; m; m = m->next) {
		if (!dpdk_in_zone(&dq->map, m) || !RTE_MBUF_HAS_EXTBUF(m) ||
		    m->shinfo != info_of(m))
			continue;
		m->ol_flags &= ~RTE_MBUF_F_EXTERNAL;
		page = dpdk_page_of(&dq->map, m);
		if (rte_mbuf_ext_refcnt_update(m->shinfo, -1))
			sole = false;
		else if (page->pool)
			page_pool_unref_page(page, 1);
		else
			pp_page_put(page);
	}
	return sole;
}

/* a packet that has a clone stays with it; the engine, which may write, gets a copy */
static struct rte_mbuf *copy_of(struct dpdk_queue *dq, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, dq->mp, 0, UINT32_MAX);

	rte_pktmbuf_free(m);
	pp_stat_add(copy ? &dq->q.stats.copied : &dq->q.stats.rx_dropped, 1);
	return copy;
}

uint16_t dpdk_rx_called(struct dpdk_queue *dq, struct rte_mbuf **mbufs, uint16_t n)
{
	const struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[dq->port_id];
	uint16_t i, k = 0, got, index = (uint16_t)dq->q.index;
	struct rte_mbuf *m;
	void *called;

	got = ops->rx_pkt_burst(ops->rxq.data[index], mbufs, n);
	for (i = 0; i < got; i++)
		share_begin(dq, mbufs[i]);
	called = dpdk_callbacks(&ops->rxq, index);
	if (called)
		got = rte_eth_call_rx_callbacks(dq->port_id, index, mbufs, got, n, called);
	for (i = 0; i < got; i++) {
		m = mbufs[i];
		if (!share_end(dq, m))
			m = copy_of(dq, m);
		if (m)
			mbufs[k++] = m;
	}
	return k;
}

uint16_t dpdk_tx_called(struct dpdk_queue *dq, struct rte_mbuf **mbufs, uint16_t n)
{
	const struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[dq->port_id];
	uint16_t i, send = n, index = (uint16_t)dq->q.index;
	void *called = dpdk_callbacks(&ops->txq, index);

	for (i = 0; i < n; i++)
		share_begin(dq, mbufs[i]);
	if (called)
		send = rte_eth_call_tx_callbacks(dq->port_id, index, mbufs, n, called);
	for (i = 0; i < n; i++)
		share_end(dq, mbufs[i]); /* behind @send are those that a filter holds back */
	return ops->tx_pkt_burst(ops->txq.data[index], mbufs, send);
}
