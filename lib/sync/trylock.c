/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trylock.c - try the cache's lock; whoever loses takes the zone (Gorman 2022)
 *
 * The owner never waits, not even for a drain. A drainer raises want first, which
 * the owner reads on the same line before it tries: otherwise an owner in a tight
 * loop retakes the lock before its release is seen, and the drainer starves.
 */
#include "../zone.h"

static __always_inline bool lock_taken(struct pcp *pcp)
{
	/* pairs with the release in unlock() */
	return __atomic_exchange_n(&pcp->lock, 1, __ATOMIC_ACQUIRE);
}

static __always_inline void unlock(struct pcp *pcp)
{
	/* pairs with the exchange in lock_taken() */
	store_release(&pcp->lock, 0);
}

static __always_inline struct pcp_list *pcp_enter(struct pp_zone *zone, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this(zone);

	if (unlikely(!pcp || READ_ONCE(pcp->want) || lock_taken(pcp)))
		return NULL;
	g->pcp = pcp;
	return pcp->list;
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	unlock(g->pcp);
}

static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	bool taken;

	count_add_shared(pcp->want, 1);
	while ((taken = lock_taken(pcp)) && pcp_wait(wait))
		;
	count_add_shared(pcp->want, -1);
	return taken ? NULL : pcp->list;
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	(void)list;
	unlock(pcp);
}

#define PCP_POLICY trylock
#include "../pcp_impl.h"
