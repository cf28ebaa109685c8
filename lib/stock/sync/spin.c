/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin.c - wait for the cache's lock, then take the free area
 *
 * The wait is bounded: a real-time thread that preempted the holder would wait for ever.
 */
#include "stock/sync/pcp_lock.h"

static __always_inline struct pcp_list *pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this(stock);

	if (unlikely(!pcp))
		return NULL;
	if (unlikely(!cache_trylock(pcp)) && !pcp_lock_briefly(&pcp->lock))
		return NULL;
	g->pcp = pcp;
	return pcp->list;
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	cache_unlock(g->pcp);
}

static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	return seize_locked(pcp, wait);
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	cache_unlock(pcp);
}

#define PCP_POLICY  spin
#define PCP_FLAGS   0
#define PCP_PROBE   NULL
#define PCP_COUNT   list_count
#define PCP_WALK    list_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
