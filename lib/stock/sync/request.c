/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.c - the owner alone touches a cache; a drainer asks
 *
 * An idle owner does not answer, and the drain times out. The cache of a thread that has ended is
 * any drainer's.
 */
#include "stock/stock.h"
#include "stock/sync/pcp_serve.h"

static __always_inline struct pcp_objs pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this_thread(stock);

	if (unlikely(!pcp))
		return no_objs();
	g->pcp = pcp;
	return held_objs(pcp);
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	if (unlikely(READ_ONCE(g->pcp->want)))
		serve_drainer(g->pcp);
}

static inline struct pcp_objs pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	struct pcp_asked asked;

	/* ours, or no thread's */
	if (pcp_index(pcp) == this_slot() || slot_lock_unowned(pcp_index(pcp)))
		return held_objs(pcp);
	/* looks empty; but the owner of a closed one may be on its way to fill it */
	if (!held_count(pcp) && READ_ONCE(pcp->high_max)) {
		wait->served = 0;
		return no_objs();
	}
	asked = ask_owner(pcp, wait->want);
	do {
		wait->served = owner_did(pcp, &asked);
		if (wait->served < 0 && slot_lock_unowned(pcp_index(pcp)))
			return held_objs(pcp); /* its thread has ended meanwhile */
	} while (wait->served < 0 && pcp_wait(wait));
	return no_objs();
}

static inline void pcp_release(struct pcp *pcp, struct pcp_objs objs)
{
	WRITE_ONCE(pcp->want, 0);
	if (pcp_index(pcp) != this_slot())
		slot_unlock();
}

#define PCP_POLICY  request
#define PCP_FLAGS   (PCP_THREAD_ONLY | PCP_WHOLE | PCP_HANDS)
#define PCP_PROBE   NULL
#define PCP_COUNT   held_count
#define PCP_WALK    held_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
