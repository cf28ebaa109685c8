/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rcu.c - the drainer switches the list away under its one reader
 *
 * The owner marks its section with two plain stores. The drainer puts an empty list in the place of
 * the live one, makes the owner's CPU pass a barrier, and waits until no section uses the old list.
 */
#include "base/barrier.h"
#include "stock/stock.h"

static __always_inline struct pcp_objs pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this_thread(stock);

	if (unlikely(!pcp))
		return no_objs();
	g->inside = pcp->rcu.inside + 1;
	WRITE_ONCE(pcp->rcu.inside, g->inside);
	compiler_barrier(); /* pairs with the membarrier in old_is_ours() */
	g->pcp = pcp;
	/* pairs with the release in pcp_seize() of pcp_switch.h: the spare is empty */
	return list_objs(load_acquire(&pcp->list));
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	/* pairs with the acquire in reader_left() */
	store_release(&g->pcp->rcu.inside, g->inside + 1);
}

static inline bool reader_left(const struct pcp *pcp)
{
	uint32_t old = pcp->switched.old_inside;

	return !(old & 1) || load_acquire(&pcp->rcu.inside) != old;
}

/* The old list's only reader has left: false if that can not be known in time. */
static inline bool old_is_ours(struct pcp *pcp, struct pcp_wait *wait)
{
	if (!pcp->switched.fenced) {
		/* pairs with the compiler barrier in pcp_enter() */
		pcp->switched.fenced = barrier_threads();
		pcp->switched.old_inside = load_acquire(&pcp->rcu.inside);
	}
	while (pcp->switched.fenced && !reader_left(pcp)) {
		if (!pcp_wait(wait))
			return false;
	}
	return pcp->switched.fenced;
}

#include "stock/sync/pcp_switch.h"

#define PCP_POLICY  rcu
#define PCP_FLAGS   (PCP_THREAD_ONLY | PCP_WHOLE | PCP_SWITCHES)
#define PCP_PROBE   barrier_register
#define PCP_COUNT   switched_count
#define PCP_WALK    switched_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
