/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_serve.h - an owner that empties its cache because a drainer asked
 *
 * want is how many pages the drainer would like; the owner, on its way out, moves a
 * batch and takes that off, until want is 0 or the cache is empty.
 */
#ifndef PP_PCP_SERVE_H
#define PP_PCP_SERVE_H

#include "../zone.h"

static __noinline void serve_drainer(struct pcp *pcp)
{
	uint32_t want = READ_ONCE(pcp->want), k;

	k = list_to_zone(pcp->zone, pcp->list, min(want, max(READ_ONCE(pcp->batch), 1u)));
	WRITE_ONCE(pcp->served, pcp->served + k);
	/* pairs with the acquire in ask_owner(): what was moved is in the zone */
	store_release(&pcp->want, k && pcp->list->count ? want - k : 0);
}

/* One look at what became of the request; pages that the owner moved since @served, or -1. */
static inline long ask_owner(struct pcp *pcp, uint32_t served)
{
	/* pairs with the release in serve_drainer() */
	if (load_acquire(&pcp->want))
		return -1;
	return (long)(uint32_t)(READ_ONCE(pcp->served) - served);
}

#endif /* PP_PCP_SERVE_H */
