/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin.c - take the cache's lock, however long it takes
 *
 * The kernel's second attempt: simple, no second path, and an owner that waits for
 * drains. In userspace it also waits for a preempted holder, which is why it is
 * not the default: with more threads than cores it stalls for time slices.
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

static __noinline void wait_for_holder(struct pcp *pcp)
{
	struct pcp_wait wait = { .timeout_us = UINT32_MAX };

	do
		pcp_wait(&wait);
	while (READ_ONCE(pcp->lock) || lock_taken(pcp));
}

static __always_inline struct pcp_list *pcp_enter(struct pp_zone *zone, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this(zone);

	if (unlikely(!pcp))
		return NULL;
	if (unlikely(lock_taken(pcp)))
		wait_for_holder(pcp);
	g->pcp = pcp;
	return pcp->list;
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	unlock(g->pcp);
}

static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	while (lock_taken(pcp)) {
		if (!pcp_wait(wait))
			return NULL;
	}
	return pcp->list;
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	(void)list;
	unlock(pcp);
}

#define PCP_POLICY spin
#include "../pcp_impl.h"
