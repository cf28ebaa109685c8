/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softmask.c - lazy masking: the owner says in a flag that it is inside
 *
 * A handler that finds the flag set goes to the free area. A drainer raises keep_out, makes the
 * owner's CPU pass a barrier, and waits for the flag to fall.
 */
#include "base/barrier.h"
#include "stock/stock.h"

static __always_inline struct pcp_objs pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this_thread(stock);

	if (unlikely(!pcp || READ_ONCE(pcp->softmask.inside)))
		return no_objs();
	WRITE_ONCE(pcp->softmask.inside, 1);
	compiler_barrier(); /* pairs with the membarrier in pcp_seize() */
	/* acquire: pairs with the release in pcp_release() */
	if (unlikely(load_acquire(&pcp->softmask.keep_out))) {
		store_release(&pcp->softmask.inside, 0);
		return no_objs();
	}
	g->pcp = pcp;
	return held_objs(pcp);
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	/* pairs with the acquire in pcp_seize() */
	store_release(&g->pcp->softmask.inside, 0);
}

static inline void let_owner_in(struct pcp *pcp)
{
	store_release(&pcp->softmask.keep_out, 0);
	pp_unlock(&pcp->drain);
}

static inline struct pcp_objs pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	if (!pcp_lock_wait(&pcp->drain, wait))
		return no_objs();
	WRITE_ONCE(pcp->softmask.keep_out, 1);
	if (!barrier_threads()) /* pairs with the compiler barrier in pcp_enter() */
		goto gave_up;
	while (load_acquire(&pcp->softmask.inside)) {
		if (!pcp_wait(wait))
			goto gave_up;
	}
	return held_objs(pcp);
gave_up:
	let_owner_in(pcp);
	return no_objs();
}

static inline void pcp_release(struct pcp *pcp, struct pcp_objs objs)
{
	let_owner_in(pcp);
}

#define PCP_POLICY  softmask
#define PCP_FLAGS   (PCP_THREAD_ONLY | PCP_SIGNAL_SAFE | PCP_WHOLE | PCP_HANDS)
#define PCP_PROBE   barrier_register
#define PCP_COUNT   held_count
#define PCP_WALK    held_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
