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

static __always_inline struct pcp_list *pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this(stock);

	if (unlikely(!pcp || !cache_trylock(pcp)))
		return NULL;
	g->pcp = pcp;
	return pcp->list;
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	if (unlikely(READ_ONCE(g->pcp->want)))
		serve_drainer(g->pcp);
	cache_unlock(g->pcp);
}

static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	struct pcp_asked asked;

	if (!READ_ONCE(pcp->lock) && cache_trylock(pcp))
		return pcp->list;
	asked = ask_owner(pcp, wait->want);
	do {
		if (!READ_ONCE(pcp->lock) && cache_trylock(pcp)) {
			WRITE_ONCE(pcp->want, 0);
			return pcp->list;
		}
		wait->served = owner_did(pcp, &asked);
	} while (wait->served < 0 && pcp_wait(wait));
	return NULL;
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	cache_unlock(pcp);
}

static void trylock_recover(struct pcp *pcp, process_id dead, uint64_t *lost)
{
	if (!share_inherit(&pcp->lock, dead))
		return;
	share_drop_list(pcp->list, lost);
	WRITE_ONCE(pcp->want, 0);
	cache_unlock(pcp);
}

#define PCP_POLICY  trylock
#define PCP_FLAGS   (PCP_SIGNAL_SAFE | PCP_SHAREABLE)
#define PCP_PROBE   NULL
#define PCP_COUNT   list_count
#define PCP_WALK    list_walk
#define PCP_RECOVER trylock_recover
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
