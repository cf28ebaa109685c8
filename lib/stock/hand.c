/* SPDX-License-Identifier: BSD-3-Clause */
/* hand.c - a drain moves the list, not its objects */
#include "stock/hand.h"
#include "stock/hold.h"

/* Both lists change their places, by one store: a process that dies has done it or not. */
static void swap_lists(struct pcp *pcp, uint32_t count, uint32_t handed)
{
	const union pcp_hold now = {
		.count = count,
		.handed = handed << 1 | !(pcp->hold.handed & 1),
	};

	WRITE_ONCE(pcp->hold.both, now.both);
	compiler_barrier();
	pcp_find_list(pcp);
}

/* A rest that was handed over before and is short goes to the stack, so that its list is free. */
static bool other_list_is_free(struct free_area *area, struct pcp *pcp)
{
	uint32_t left = pcp_handed(pcp);

	if (left > READ_ONCE(pcp->batch))
		return false;
	if (left) {
		/* first: after a death here recover_area() finds them in both places */
		free_area_push(area, pcp_handed_list(pcp)->obj, left);
		compiler_barrier();
		WRITE_ONCE(pcp->hold.handed, pcp->hold.handed & 1);
		WRITE_ONCE(area->listed, area->listed - left);
	}
	return true;
}

unsigned int pcp_hand_over(struct stock *stock, struct pcp *pcp)
{
	struct free_area *area = &stock->area;
	unsigned int n = pcp->hold.count;

	if (!n || !stock_lock(stock))
		return 0;
	if (unlikely(area->ops) || !other_list_is_free(area, pcp)) {
		n = 0;
	} else {
		/* first: a count finds them here or there */
		free_area_list(area, pcp, n);
		swap_lists(pcp, 0, n);
		count_add(area->moves, 1);
	}
	stock_unlock(stock);
	return n;
}

bool pcp_take_back(struct stock *stock, struct pcp *pcp, unsigned int want)
{
	struct free_area *area = &stock->area;
	uint32_t n = pcp_handed(pcp);

	if (n < want || n > pcp_limit(pcp) || area->ops || area->seekers ||
	    free_area_count(area) <= (uint64_t)n + READ_ONCE(stock->batch))
		return false;
	swap_lists(pcp, n, 0);
	WRITE_ONCE(area->listed, area->listed - n);
	count_add(area->moves, 1);
	return true;
}
