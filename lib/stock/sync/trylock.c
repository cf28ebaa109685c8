/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trylock.c - try the cache's lock; the loser takes the free area
 *
 * A drainer that finds the owner inside leaves a request, which the owner serves before it unlocks.
 * A drainer that fought for the lock would starve: an owner in a tight loop retakes it before its
 * release is seen. doc/sync.md has the promises of all policies and their barriers.
 */
#include "stock/sync/pcp_lock.h"
#include "stock/sync/pcp_serve.h"

static __always_inline struct pcp_objs pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this(stock);

	if (unlikely(!pcp || !cache_trylock(pcp)))
		return no_objs();
	g->pcp = pcp;
	return held_objs(pcp);
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	if (unlikely(READ_ONCE(g->pcp->want)))
		serve_drainer(g->pcp);
	cache_unlock(g->pcp);
}

static inline struct pcp_objs pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	struct pcp_asked asked;

	if (!READ_ONCE(pcp->lock) && cache_trylock(pcp))
		return held_objs(pcp);
	asked = ask_owner(pcp, wait->want);
	do {
		if (!READ_ONCE(pcp->lock) && cache_trylock(pcp)) {
			WRITE_ONCE(pcp->want, 0);
			return held_objs(pcp);
		}
		wait->served = owner_did(pcp, &asked);
	} while (wait->served < 0 && pcp_wait(wait));
	return no_objs();
}

static inline void pcp_release(struct pcp *pcp, struct pcp_objs objs)
{
	cache_unlock(pcp);
}

static void trylock_recover(struct pcp *pcp, process_id dead, uint64_t *lost)
{
	if (!share_inherit(&pcp->lock, dead))
		return;
	pcp_find_list(pcp);
	share_drop(&pcp->hold.count, lost);
	WRITE_ONCE(pcp->want, 0);
	cache_unlock(pcp);
}

#define PCP_POLICY  trylock
#define PCP_FLAGS   (PCP_SIGNAL_SAFE | PCP_SHAREABLE | PCP_HANDS)
#define PCP_PROBE   NULL
#define PCP_COUNT   held_count
#define PCP_WALK    held_walk
#define PCP_RECOVER trylock_recover
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
