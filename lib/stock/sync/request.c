/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.c - the owner alone touches a cache; a drainer asks
 *
 * An idle owner does not answer, and the drain times out. The cache of a thread that has ended is
 * any drainer's.
 */
#include "stock/stock.h"
#include "stock/sync/pcp_serve.h"

static __always_inline struct pcp_list *pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this_thread(stock);

	if (unlikely(!pcp))
		return NULL;
	g->pcp = pcp;
	return pcp->list;
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	if (unlikely(READ_ONCE(g->pcp->want)))
		serve_drainer(g->pcp);
}

static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	struct pcp_asked asked;

	/* ours, or no thread's */
	if (pcp_index(pcp) == this_slot() || slot_lock_unowned(pcp_index(pcp)))
		return pcp->list;
	/* looks empty; but the owner of a closed one may be on its way to fill it */
	if (!list_count(pcp) && READ_ONCE(pcp->high_max)) {
		wait->served = 0;
		return NULL;
	}
	asked = ask_owner(pcp, wait->want);
	do {
		wait->served = owner_did(pcp, &asked);
		if (wait->served < 0 && slot_lock_unowned(pcp_index(pcp)))
			return pcp->list; /* its thread has ended meanwhile */
	} while (wait->served < 0 && pcp_wait(wait));
	return NULL;
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	WRITE_ONCE(pcp->want, 0);
	if (pcp_index(pcp) != this_slot())
		slot_unlock();
}

#define PCP_POLICY  request
#define PCP_FLAGS   (PCP_THREAD_ONLY | PCP_WHOLE)
#define PCP_PROBE   NULL
#define PCP_COUNT   list_count
#define PCP_WALK    list_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
