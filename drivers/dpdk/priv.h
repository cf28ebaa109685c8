/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/priv.h - what the files of the driver "dpdk" share
 *
 * A page as DPDK sees it, an object of a mempool:
 *
 *   0        64         192                                     page size
 *   | objhdr | rte_mbuf | room in front | packet ...            |
 *                       ^ buf_addr of what is sent; what is received has
 *                         RTE_PKTMBUF_HEADROOM or the zone's headroom, if that is more, to spare
 *
 * An mbuf is only an mbuf while DPDK has its page: it is written whole when the page goes to
 * DPDK, because whoever had it in between may have used the room. So every page of a zone is an
 * object of every queue's mempool, nothing is written into pages that others hold, and page and
 * mbuf are found from each other by arithmetic alone.
 */
#ifndef PP_DPDK_PRIV_H
#define PP_DPDK_PRIV_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "netdev/priv.h"

#define DPDK_OBJ_HEADER 64u
#define DPDK_FRONT	(DPDK_OBJ_HEADER + (unsigned int)sizeof(struct rte_mbuf))
#define DPDK_FRAME_MIN	14u /* an Ethernet header */

_Static_assert(sizeof(struct rte_mbuf) == 128, "the layout of a page");
_Static_assert(sizeof(struct rte_mempool_objhdr) <= DPDK_OBJ_HEADER, "the layout of a page");

/**
 * struct dpdk_queue - a pair of ethdev queues and the mempool that feeds them
 * @base, @span: the zone's memory
 * @table:       the zone's pages
 * @port_id:     ethdev port
 * @shift:       log2 of the page size
 * @front:       where the room in front of received packets begins: DPDK_FRONT and private area
 * @tag:         pp_page.owner of the pages that the device has; no other queue's, or driver's
 * @reaps:       the device has rte_eth_tx_done_cleanup()
 * @mp:          the pool's pages as mbufs
 * @received:    an mbuf as it goes to DPDK to be filled, but for addresses
 * @sent:        an mbuf as it goes to DPDK to be sent, but for addresses and lengths
 */
struct dpdk_queue {
	struct pp_queue q;
	uintptr_t base;
	size_t span;
	struct pp_page *table;
	uint16_t port_id;
	uint8_t shift;
	uint32_t front;
	uint32_t tag;
	bool reaps;
	struct rte_mempool *mp;
	struct rte_mbuf received;
	struct rte_mbuf sent;
};

static inline struct rte_mbuf *dpdk_mbuf_of(const struct dpdk_queue *dq, const struct pp_page *page)
{
	return (struct rte_mbuf *)(dq->base + ((uintptr_t)(page - dq->table) << dq->shift) +
				   DPDK_OBJ_HEADER);
}

/* @obj lies in the zone, see dpdk_in_zone() */
static inline struct pp_page *dpdk_page_of(const struct dpdk_queue *dq, const void *obj)
{
	return dq->table + (((uintptr_t)obj - dq->base) >> dq->shift);
}

/* where the page is: with the device, or, 0, not */
static inline void dpdk_page_tag(struct pp_page *page, uint32_t tag)
{
	__atomic_store_n(&page->owner, tag, __ATOMIC_RELAXED);
}

static inline bool dpdk_in_zone(const struct dpdk_queue *dq, const void *at)
{
	return (uintptr_t)at - dq->base < dq->span;
}

/*
 * dpdk/mbuf.c. The queue's thread is the only one that takes mbufs out of its mempool, as it is
 * the pool's owner; anybody gives them back.
 */
int dpdk_pool_create(struct dpdk_queue *dq);
void dpdk_pool_free(struct dpdk_queue *dq);
int dpdk_ops_register(void);
/* brings home what the device should have given back when it was closed; RETURN: pages */
unsigned long dpdk_pool_reclaim(struct dpdk_queue *dq);
unsigned int dpdk_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n);
unsigned int dpdk_tx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n);

/*
 * dpdk/eal.c. Opening and closing is one at a time: these two lock and unlock, and keep what
 * DPDK's libraries print meanwhile. dpdk_said(): the first line of it, "": nothing.
 */
int dpdk_enter(const char *devargs);
void dpdk_leave(void);
const char *dpdk_said(void);

/* A zone becomes known to EAL with its first port, and is forgotten with the last one. */
int dpdk_zone_get(struct pp_zone *zone);
void dpdk_zone_put(struct pp_zone *zone);
size_t dpdk_zone_span(struct pp_zone *zone); /* whole pages of the system */

#endif /* PP_DPDK_PRIV_H */
