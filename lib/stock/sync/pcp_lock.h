/* SPDX-License-Identifier: BSD-3-Clause */
/* pcp_lock.h - the word that guards a core's cache, for the policies that lock */
#ifndef PP_PCP_LOCK_H
#define PP_PCP_LOCK_H

#include "stock/stock.h"

static __always_inline bool cache_trylock(struct pcp *pcp)
{
	uint32_t unlocked = 0;

	/*
	 * Pairs with the release in cache_unlock(). Not an exchange: a failed attempt must leave
	 * the holder's name there, by which its death is noticed.
	 */
	return __atomic_compare_exchange_n(&pcp->lock, &unlocked, lock_word, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static __always_inline void cache_unlock(struct pcp *pcp)
{
	/* pairs with the exchange in cache_trylock() */
	store_release(&pcp->lock, 0);
}

static inline struct pcp_objs seize_locked(struct pcp *pcp, struct pcp_wait *wait)
{
	while (!cache_trylock(pcp)) {
		if (!pcp_wait(wait))
			return no_objs();
	}
	return held_objs(pcp);
}

#endif /* PP_PCP_LOCK_H */
