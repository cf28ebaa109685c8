/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_impl.h - bulk allocation, bulk free and drain, written once for every policy
 *
 * A policy file defines PCP_POLICY and four functions, then includes this:
 *
 *   pcp_enter(zone, guard)   owner side: this core's list, or NULL: take the zone path
 *   pcp_exit(guard)          the end of that hold
 *   pcp_seize(pcp, wait)     any thread: that core's list, or NULL when the wait is over
 *   pcp_release(pcp, list)   the end of that hold
 *
 * and gets two instances: plain, and traced, which times every hold. What is constant in
 * an instance is a constant here, so that the plain one pays nothing for the other.
 */
#ifndef PCP_POLICY
#error "define PCP_POLICY and the four verbs first"
#endif

#include "trace.h"
#include "zone.h"

static __always_inline struct pcp_list *hold_begin(struct pp_zone *zone, struct pcp_guard *g,
						   const bool traced)
{
	struct pcp_list *list = pcp_enter(zone, g);

	if (traced && list)
		g->start = cycles_now();
	return list;
}

static __always_inline void hold_end(struct pcp_guard *g, unsigned int pages, const bool traced)
{
	struct pcp_trace *trace = g->pcp->trace;
	uint64_t cycles = traced ? cycles_now() - g->start : 0;

	pcp_exit(g);
	if (traced)
		trace_window(trace, cycles, pages);
}

/*
 * The cache has less than @n: give what there is, then take the rest and a batch
 * for the cache in one hold of the zone's lock.
 */
static __noinline unsigned int refill(struct pp_zone *zone, struct pcp *pcp, struct pcp_list *list,
				      void **objs, unsigned int n)
{
	unsigned int got = list->count, more;

	memcpy(objs, list->obj, got * sizeof(*objs));
	pp_lock(&zone->lock);
	got += free_area_pop(&zone->area, objs + got, n - got);
	more = free_area_pop(&zone->area, list->obj, min(pcp->batch, pcp->high));
	pp_unlock(&zone->lock);
	WRITE_ONCE(list->count, more);
	count_add(pcp->refills, 1);
	return got;
}

/*
 * The cache would overflow: a batch of its coldest pages goes to the zone first.
 * @n <= batch <= high makes room enough; with high at 0 all of @n go past.
 */
static __noinline void flush(struct pp_zone *zone, struct pcp *pcp, struct pcp_list *list,
			     void *const *objs, unsigned int n)
{
	unsigned int k = min(list->count, pcp->batch), left = list->count - k, keep;

	keep = min(n, pcp->high > left ? pcp->high - left : 0);
	pp_lock(&zone->lock);
	free_area_push(&zone->area, list->obj, k);
	free_area_push(&zone->area, objs + keep, n - keep);
	pp_unlock(&zone->lock);
	memmove(list->obj, list->obj + k, left * sizeof(*objs));
	memcpy(list->obj + left, objs, keep * sizeof(*objs));
	WRITE_ONCE(list->count, left + keep);
	count_add(pcp->flushes, 1);
}

static __always_inline unsigned int do_alloc_bulk(struct pp_zone *zone, void **objs, unsigned int n,
						  const bool traced)
{
	struct pcp_guard g;
	struct pcp_list *list = hold_begin(zone, &g, traced);
	unsigned int got = n;

	if (unlikely(!list))
		return 0;
	if (likely(list->count >= n)) {
		/* a block, not reversed: twice as fast as a loop that pops */
		WRITE_ONCE(list->count, list->count - n);
		memcpy(objs, list->obj + list->count, n * sizeof(*objs));
	} else {
		got = refill(zone, g.pcp, list, objs, n);
	}
	count_add(g.pcp->allocs, got);
	hold_end(&g, n, traced);
	return got;
}

static __always_inline bool do_free_bulk(struct pp_zone *zone, void *const *objs, unsigned int n,
					 const bool traced)
{
	struct pcp_guard g;
	struct pcp_list *list = hold_begin(zone, &g, traced);

	if (unlikely(!list))
		return false;
	if (likely(list->count + n <= g.pcp->high)) {
		memcpy(list->obj + list->count, objs, n * sizeof(*objs));
		WRITE_ONCE(list->count, list->count + n);
	} else {
		flush(zone, g.pcp, list, objs, n);
	}
	count_add(g.pcp->frees, n);
	hold_end(&g, n, traced);
	return true;
}

/* The coldest first, so that a drain which ends early leaves the owner the warm ones. */
static __always_inline long do_drain(struct pp_zone *zone, struct pcp *pcp, uint32_t timeout_us,
				     const bool traced)
{
	struct pcp_wait wait = { .timeout_us = timeout_us };
	struct pcp_list *list = pcp_seize(pcp, &wait);
	unsigned int k, left;
	uint64_t cycles = 0;

	if (!list)
		return -ETIMEDOUT;
	if (traced)
		cycles = cycles_now();
	k = min(list->count, max(pcp->batch, 1u));
	left = list->count - k;
	pp_lock(&zone->lock);
	free_area_push(&zone->area, list->obj, k);
	pp_unlock(&zone->lock);
	memmove(list->obj, list->obj + k, left * sizeof(*list->obj));
	WRITE_ONCE(list->count, left);
	if (traced)
		cycles = cycles_now() - cycles;
	pcp_release(pcp, list);
	if (traced)
		trace_window(pcp->trace, cycles, k);
	return (long)k;
}

static unsigned int plain_alloc_bulk(struct pp_zone *zone, void **objs, unsigned int n)
{
	return do_alloc_bulk(zone, objs, n, false);
}

static unsigned int traced_alloc_bulk(struct pp_zone *zone, void **objs, unsigned int n)
{
	return do_alloc_bulk(zone, objs, n, true);
}

static bool plain_free_bulk(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	return do_free_bulk(zone, objs, n, false);
}

static bool traced_free_bulk(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	return do_free_bulk(zone, objs, n, true);
}

static long plain_drain(struct pp_zone *zone, struct pcp *pcp, uint32_t timeout_us)
{
	return do_drain(zone, pcp, timeout_us, false);
}

static long traced_drain(struct pp_zone *zone, struct pcp *pcp, uint32_t timeout_us)
{
	return do_drain(zone, pcp, timeout_us, true);
}

#define PCP_PASTE_(a, b) a##b
#define PCP_PASTE(a, b)	 PCP_PASTE_(a, b)
#define PCP_STRING_(a)	 #a
#define PCP_STRING(a)	 PCP_STRING_(a)

const struct pcp_policy PCP_PASTE(pcp_, PCP_POLICY) = {
	.name = PCP_STRING(PCP_POLICY),
	.plain = { plain_alloc_bulk, plain_free_bulk, plain_drain },
	.traced = { traced_alloc_bulk, traced_free_bulk, traced_drain },
};
