/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_switch.h - seize a cache by putting an empty list in the place of its list
 *
 * The policy defines old_is_ours(pcp, wait): whether, after its barrier, nobody can use
 * the list that was switched away any more; false if that can not be known in time.
 */
#ifndef PP_PCP_SWITCH_H
#define PP_PCP_SWITCH_H

#include "stock/hold.h"

/* The old list, which nobody uses any more, is empty: it is the next to be switched to. */
static inline void retire_old(struct pcp *pcp)
{
	pcp->spare = pcp->old;
	WRITE_ONCE(pcp->old, NULL);
}

static inline void switch_list(struct pcp *pcp)
{
	pcp->fenced = false; /* first: nobody may take the barrier before for the one after */
	store_release(&pcp->list, pcp->spare);
}

/*
 * What an earlier drain could not empty, for want of time or a barrier or, in a signal
 * handler, of the zone's lock, comes first. Then the live list is switched all the
 * same, or this drain would have looked at nothing that is in use.
 */
static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	if (!pcp_lock_wait(&pcp->drain, wait))
		return NULL;
	if (pcp->old) {
		if (!old_is_ours(pcp, wait))
			goto gave_up;
		list_to_area(pcp->stock, pcp->old, pcp->old->count);
		if (pcp->old->count)
			return pcp->old;
		retire_old(pcp);
	}
	WRITE_ONCE(pcp->old, pcp->list); /* first: whoever counts must find its pages */
	switch_list(pcp);
	if (old_is_ours(pcp, wait))
		return pcp->old;
gave_up:
	pp_unlock(&pcp->drain);
	return NULL;
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	if (!list->count)
		retire_old(pcp);
	pp_unlock(&pcp->drain);
}

#endif /* PP_PCP_SWITCH_H */
