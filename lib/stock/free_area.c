/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * free_area.c - objects in lists of caches that were handed over
 *
 * listed and handed follow from the caches' counts: a process that inherits the stock's lock from a
 * dead one makes them anew (share.c).
 */
#include "stock/free_area.h"
#include "stock/pcp.h"

void free_area_list(struct free_area *area, struct pcp *pcp, unsigned int n)
{
	WRITE_ONCE(area->listed, area->listed + n);
	if (pcp->linked)
		return;
	pcp->linked = true;
	pcp->next_handed = area->handed;
	area->handed = pcp;
}

static void unlink_first(struct free_area *area)
{
	area->handed->linked = false;
	area->handed = area->handed->next_handed;
}

/* Up to @n objects of the first list that has some: where they are, and how many. */
static unsigned int pop_part(struct free_area *area, void ***objs, unsigned int n)
{
	struct pcp *pcp;

	while (area->listed && !pcp_handed(area->handed))
		unlink_first(area);
	if (!area->listed)
		return 0;
	pcp = area->handed;
	n = min(n, pcp_handed(pcp));
	WRITE_ONCE(pcp->hold.handed, pcp->hold.handed - (n << 1));
	WRITE_ONCE(area->listed, area->listed - n);
	*objs = pcp_handed_list(pcp)->obj + pcp_handed(pcp);
	return n;
}

unsigned int __coldpath free_area_pop_listed(struct free_area *area, void **objs, unsigned int n)
{
	unsigned int got = 0, k;
	void **from = NULL;

	while (got < n && (k = pop_part(area, &from, n - got))) {
		memcpy(objs + got, from, k * sizeof(*objs));
		got += k;
	}
	return got;
}

unsigned int __coldpath free_area_gather(struct free_area *area, unsigned int n)
{
	unsigned int got = 0, k;
	void **from = NULL;

	while (got < n && (k = pop_part(area, &from, n - got))) {
		free_area_push(area, from, k);
		got += k;
	}
	return got;
}

void free_area_walk(const struct free_area *area,
		    void (*see)(void *arg, void *const *objs, uint64_t n), void *arg)
{
	const struct pcp *pcp;

	see(arg, area->obj, area->count);
	for (pcp = area->handed; pcp; pcp = pcp->next_handed)
		see(arg, pcp_handed_list(pcp)->obj, pcp_handed(pcp));
}
