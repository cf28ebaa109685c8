/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin.c - wait for the cache's lock, then take the free area
 *
 * The wait is bounded: a real-time thread that preempted the holder would wait for ever.
 */
#include "stock/sync/pcp_lock.h"

static __always_inline struct pcp_objs pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this(stock);

	if (unlikely(!pcp))
		return no_objs();
	if (unlikely(!cache_trylock(pcp)) && !pcp_lock_briefly(&pcp->lock))
		return no_objs();
	g->pcp = pcp;
	return held_objs(pcp);
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	cache_unlock(g->pcp);
}

static inline struct pcp_objs pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	return seize_locked(pcp, wait);
}

static inline void pcp_release(struct pcp *pcp, struct pcp_objs objs)
{
	cache_unlock(pcp);
}

#define PCP_POLICY  spin
#define PCP_FLAGS   PCP_HANDS
#define PCP_PROBE   NULL
#define PCP_COUNT   held_count
#define PCP_WALK    held_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
