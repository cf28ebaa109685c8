/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_serve.h - an owner that empties its cache because a drainer asked
 *
 * want is how many pages the drainer would like. The owner, on its way out, hands the list over if
 * that is all of them. Else it moves a batch and takes that off, until want is 0 or the cache is
 * empty. It counts an empty cache in answers. Several drainers share want, and the one that gets
 * hold of the cache clears it. So only served and answers tell what the owner did
 * (test/model/trylock.pml).
 */
#ifndef PP_PCP_SERVE_H
#define PP_PCP_SERVE_H

#include "stock/hand.h"
#include "stock/hold.h"

static __noinline void serve_drainer(struct pcp *pcp)
{
	/* pairs with the release in ask_owner(): a later holder sees that it was closed */
	uint32_t want = load_acquire(&pcp->want), k;

	k = want >= pcp->capacity ? pcp_hand_over(pcp->stock, pcp) : 0;
	if (!k)
		k = list_top_to_area(pcp->stock, held_objs(pcp),
				     min(want, max(READ_ONCE(pcp->batch), 1u)));
	if (!k && pcp->hold.count) /* a handler without the stock's lock: the next one does it */
		return;
	WRITE_ONCE(pcp->served, pcp->served + k);
	if (!pcp->hold.count)
		WRITE_ONCE(pcp->answers, pcp->answers + 1);
	/* pairs with the acquire in owner_did(): what was moved is in the free area */
	store_release(&pcp->want, pcp->hold.count ? want - k : 0);
}

/* What the owner was asked for, and what it had done until then. */
struct pcp_asked {
	uint32_t want;
	uint32_t served;
	uint32_t answers;
};

static inline struct pcp_asked ask_owner(struct pcp *pcp, uint32_t want)
{
	struct pcp_asked asked;

	/* seq_cst: after the store of high_max in set_bounds(), so that no answer is from before */
	asked.served = __atomic_load_n(&pcp->served, __ATOMIC_SEQ_CST);
	asked.answers = __atomic_load_n(&pcp->answers, __ATOMIC_SEQ_CST);
	asked.want = want;
	store_release(&pcp->want, want);
	return asked;
}

/* One look at what became of the request; pages that the owner moved since, or -1. */
static inline long owner_did(struct pcp *pcp, const struct pcp_asked *asked)
{
	uint32_t served;

	/* pairs with the release in serve_drainer() */
	if (load_acquire(&pcp->want))
		return -1;
	served = READ_ONCE(pcp->served) - asked->served;
	if (served || READ_ONCE(pcp->answers) != asked->answers)
		return (long)served;
	/* another drainer's hold ended our request with its own */
	store_release(&pcp->want, asked->want);
	return -1;
}

#endif /* PP_PCP_SERVE_H */
