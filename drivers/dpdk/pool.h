/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk/pool.h - a queue's mempool, of which each mbuf lies in a page */
#ifndef PP_DPDK_POOL_H
#define PP_DPDK_POOL_H

#include "dpdk/priv.h"

int dpdk_ops_register(void);

/*
 * Only the queue's thread takes mbufs out of its mempool, because it owns the pool; any thread
 * gives them back.
 */
int dpdk_pool_create(struct dpdk_queue *dq);
void dpdk_pool_free(struct dpdk_queue *dq);
/* takes back pages that the device kept when it was closed */
void dpdk_pool_reclaim(struct dpdk_queue *dq);

/* lays @page's mbuf out anew, with a buffer that begins at offset @front of the page */
void dpdk_mbuf_lay(const struct dpdk_queue *dq, struct rte_mbuf *m, const struct pp_page *page,
		   uint32_t front) __rte_cold;

/* takes pages from the device, and returns them to their pools */
void dpdk_put(const struct dpdk_queue *dq, struct pp_page **pages, unsigned int n);

/* between these two, pages that the device gives back one at a time are put in bulk */
static inline void dpdk_free_begin(struct dpdk_queue *dq)
{
	__atomic_store_n(&dq->sender, __builtin_thread_pointer(), __ATOMIC_RELAXED);
}

static inline void dpdk_free_end(struct dpdk_queue *dq)
{
	__atomic_store_n(&dq->sender, NULL, __ATOMIC_RELAXED);
	if (likely(dq->nfreed))
		dpdk_put(dq, dq->freed, dq->nfreed);
	dq->nfreed = 0;
}

#endif /* PP_DPDK_POOL_H */
