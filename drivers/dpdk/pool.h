/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk/pool.h - a queue's mempool, of which each mbuf lies in a page */
#ifndef PP_DPDK_POOL_H
#define PP_DPDK_POOL_H

#include "dpdk/priv.h"

int dpdk_ops_register(void);

/* The queue on which this thread sends or reaps at the moment; NULL: none. */
extern __thread struct dpdk_queue *dpdk_sending
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * Only the queue's thread takes mbufs out of its mempool, because it owns the pool; any thread
 * gives them back.
 */
int dpdk_pool_create(struct dpdk_queue *dq);
void dpdk_pool_free(struct dpdk_queue *dq);
/* takes back pages that the device kept when it was closed; RETURN: pages */
unsigned long dpdk_pool_reclaim(struct dpdk_queue *dq);

/* between these two, pages that the device gives back one at a time are put in bulk */
static inline void dpdk_free_begin(struct dpdk_queue *dq)
{
	dpdk_sending = dq;
}

static inline void dpdk_free_end(struct dpdk_queue *dq)
{
	dpdk_sending = NULL;
	if (likely(dq->nfreed))
		page_pool_put_bulk(dq->freed, dq->nfreed);
	dq->nfreed = 0;
}

#endif /* PP_DPDK_POOL_H */
