/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_switch.h - seize a cache by putting an empty list in the place of its list
 *
 * The policy defines old_is_ours(pcp, wait): whether, after its barrier, no owner can use
 * the list that was switched away any more; false if that can not be known in time.
 */
#ifndef PP_PCP_SWITCH_H
#define PP_PCP_SWITCH_H

#include "stock/hold.h"

/* The old list is empty and not in use any more: it is the next to be switched to. */
static inline void retire_old(struct pcp *pcp)
{
	pcp->switched.spare = pcp->switched.old;
	WRITE_ONCE(pcp->switched.old, NULL);
}

static inline void switch_list(struct pcp *pcp)
{
	if (unlikely(!pcp->switched.spare))
		pcp->switched.spare = pcp_second_list(pcp);
	pcp->switched.fenced =
		false; /* first: or the barrier before would pass for the one after */
	store_release(&pcp->list, pcp->switched.spare);
}

/*
 * What an earlier drain could not empty, for want of time or a barrier or, in a signal
 * handler, of the stock's lock, comes first. Then the live list is switched all the
 * same, or this drain would have looked at nothing that is in use.
 */
static inline struct pcp_objs pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	if (!pcp_lock_wait(&pcp->drain, wait))
		return no_objs();
	if (pcp->switched.old) {
		if (!old_is_ours(pcp, wait))
			goto gave_up;
		list_to_area(pcp->stock, list_objs(pcp->switched.old), pcp->switched.old->count);
		if (pcp->switched.old->count)
			return list_objs(pcp->switched.old);
		retire_old(pcp);
	}
	WRITE_ONCE(pcp->switched.old, pcp->list); /* first: a count finds its pages there */
	switch_list(pcp);
	if (old_is_ours(pcp, wait))
		return list_objs(pcp->switched.old);
gave_up:
	pp_unlock(&pcp->drain);
	return no_objs();
}

static inline void pcp_release(struct pcp *pcp, struct pcp_objs objs)
{
	if (!*objs.count)
		retire_old(pcp);
	pp_unlock(&pcp->drain);
}

/* Pages that a drainer just switches away are seen all the time. */
static inline unsigned int switched_count(const struct pcp *pcp)
{
	/* acquire: pairs with the release in switch_list(), before which old was set */
	const struct pcp_list *list = load_acquire(&pcp->list);
	const struct pcp_list *old = READ_ONCE(pcp->switched.old);

	return READ_ONCE(list->count) + (old && old != list ? READ_ONCE(old->count) : 0);
}

static inline void switched_walk(const struct pcp *pcp,
				 void (*see)(void *arg, void *const *objs, uint64_t n), void *arg)
{
	see(arg, pcp->list->obj, pcp->list->count);
	if (pcp->switched.old)
		see(arg, pcp->switched.old->obj, pcp->switched.old->count);
}

#endif /* PP_PCP_SWITCH_H */
