/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_impl.h - bulk allocation, bulk free and drain, written once for every policy
 *
 * A policy file defines PCP_POLICY, PCP_FLAGS, PCP_PROBE, PCP_COUNT, PCP_WALK and PCP_RECOVER, as
 * struct pcp_policy has them, and four functions, then includes this:
 *
 *   pcp_enter(stock, guard)   owner side: this core's objects; none, take the zone path
 *   pcp_exit(guard)          the end of that hold
 *   pcp_seize(pcp, wait)     any thread: that core's objects; or none: the wait is over, or
 *                            wait->served says that the owner has done it
 *   pcp_release(pcp, objs)   the end of that hold
 *
 * and gets two instances: plain, and traced, which times every hold. What is constant in
 * an instance is a constant here, so that the plain one pays nothing for the other.
 */
#include "base/trace.h"
#include "stock/hand.h"
#include "stock/hold.h"

static __always_inline struct pcp_objs hold_begin(struct stock *stock, struct pcp_guard *g,
						  const bool traced)
{
	struct pcp_objs list;

	if (traced)
		g->before = cycles_now();
	list = pcp_enter(stock, g);
	if (traced)
		g->start = cycles_now();
	return list;
}

static __always_inline void hold_end(struct pcp_guard *g, unsigned int pages, const bool traced)
{
	struct pcp_trace *trace = g->pcp->trace;
	uint64_t last = traced ? cycles_now() : 0, end;

	pcp_exit(g);
	if (!traced)
		return;
	end = cycles_now();
	/* leaving may serve a drainer, which is part of the window; unmasking is not */
	trace_window(trace, ((PCP_FLAGS)&PCP_MASKS ? last : end) - g->start, pages);
	if ((PCP_FLAGS)&PCP_MASKS)
		trace_mask(trace, g->start - g->before + end - last);
}

/*
 * The cache has less than @n: give what there is, then take the rest and some for
 * the cache in one hold of the zone's lock.
 */
static __noinline unsigned int cache_refill(struct stock *stock, struct pcp *pcp,
					    struct pcp_objs list, void **objs, unsigned int n)
{
	unsigned int got = *list.count, more = pcp_tune_refill(pcp, READ_ONCE(stock->batch_max));

	memcpy(objs, list.obj, got * sizeof(*objs));
	WRITE_ONCE(*list.count, 0);
	if (!stock_lock(stock))
		return got;
	count_add(pcp->refills, 1);
	if ((PCP_FLAGS)&PCP_HANDS && unlikely(stock->area.listed) &&
	    pcp_take_back(stock, pcp, n - got)) {
		stock_unlock(stock);
		more = pcp->hold.count - (n - got);
		WRITE_ONCE(pcp->hold.count, more);
		memcpy(objs + got, pcp->list->obj + more, (n - got) * sizeof(*objs));
		return n;
	}
	got += free_area_pop(&stock->area, objs + got, n - got);
	more = free_area_pop(&stock->area, list.obj, stock_spare(stock, more));
	/* before the unlock: a search that finds the free area empty must find them here */
	WRITE_ONCE(*list.count, more);
	count_add(stock->area.moves, !!more);
	stock_unlock(stock);
	return got;
}

/*
 * The cache would overflow: a batch of its coldest pages goes to the zone first. If
 * that makes no room (it is closed, or smaller than @n) the pages go past it.
 */
static __noinline bool cache_flush(struct stock *stock, struct pcp *pcp, struct pcp_objs list,
				   void *const *objs, unsigned int n)
{
	list_to_area(stock, list, pcp_tune_flush(pcp, *list.count, n, READ_ONCE(stock->batch_max)));
	count_add(pcp->flushes, 1);
	if (*list.count + n > pcp_limit(pcp))
		return false;
	memcpy(list.obj + *list.count, objs, n * sizeof(*objs));
	WRITE_ONCE(*list.count, *list.count + n);
	return true;
}

static __always_inline unsigned int do_alloc_bulk(struct stock *stock, void **objs, unsigned int n,
						  const bool traced)
{
	struct pcp_guard g;
	struct pcp_objs list = hold_begin(stock, &g, traced);
	unsigned int got = n, count;

	if (unlikely(!list.obj))
		return 0;
	count = *list.count;
	if (likely(count >= n)) {
		/* a block, not reversed: twice as fast as a loop that pops */
		WRITE_ONCE(*list.count, count - n);
		copy_objs(objs, list.obj + (count - n), n);
	} else {
		got = cache_refill(stock, g.pcp, list, objs, n);
	}
	count_add(g.pcp->allocs, got);
	hold_end(&g, n, traced);
	return got;
}

static __always_inline bool do_free_bulk(struct stock *stock, void *const *objs, unsigned int n,
					 const bool traced)
{
	struct pcp_guard g;
	struct pcp_objs list = hold_begin(stock, &g, traced);
	bool done = true;
	uint32_t count;

	if (unlikely(!list.obj))
		return false;
	count = *list.count;
	if (likely(count + n <= pcp_limit(g.pcp))) {
		copy_objs(list.obj + count, objs, n);
		compiler_barrier(); /* a process that dies here has given none */
		WRITE_ONCE(*list.count, count + n);
	} else {
		done = cache_flush(stock, g.pcp, list, objs, n);
	}
	count_add(g.pcp->frees, done ? n : 0);
	hold_end(&g, n, traced);
	return done;
}

static __always_inline unsigned int take_all(struct stock *stock, void **objs, unsigned int n,
					     stock_more_fn *more)
{
	unsigned int got = do_alloc_bulk(stock, objs, n, false);

	return likely(got == n) ? n : more(stock, objs, n, got);
}

static __always_inline void give_all(struct stock *stock, void *const *objs, unsigned int n)
{
	if (unlikely(!stock_caches(stock, n)))
		stock_give_slow(stock, objs, n);
	else if (unlikely(!do_free_bulk(stock, objs, n, false)))
		stock_give_area(stock, objs, n);
}

static __always_inline int get_all(struct stock *stock, void **objs, unsigned int n)
{
	unsigned int got = stock_caches(stock, n) ? do_alloc_bulk(stock, objs, n, false) : 0;

	return likely(got == n) ? 0 : stock_get_slow(stock, objs, n, got);
}

static __always_inline int put_all(struct stock *stock, void *const *objs, unsigned int n)
{
	if (likely(stock_caches(stock, n)) && likely(do_free_bulk(stock, objs, n, false)))
		return 0;
	return stock_put_slow(stock, objs, n);
}
