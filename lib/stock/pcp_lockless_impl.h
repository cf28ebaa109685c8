/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_lockless_impl.h - bulk allocation and free for caches that are never held
 *
 * The policy gives core_pop(stock, objs, n), all of @n or 0 pages from this core's cache,
 * and core_push(stock, objs, n), false if they do not fit. Between the cache and the free area
 * pages move under the stock's lock, so that a search sees each of them on its way.
 */
#include "base/trace.h"
#include "stock/hold.h"

static __always_inline void window_end(struct stock *stock, uint64_t start, unsigned int pages)
{
	struct pcp *pcp = pcp_this(stock);

	if (pcp)
		trace_window(pcp->trace, cycles_now() - start, pages);
}

/* The cache has less than @n: the rest comes from the free area, and some for the cache. */
static __noinline unsigned int cache_refill(struct stock *stock, void **objs, unsigned int n)
{
	struct pcp *pcp = pcp_this(stock);
	struct free_area *area = &stock->area;
	unsigned int got = 0, more;

	if (!n) /* core_pop() of none gives 0, as one that finds too few */
		return 0;
	/* a look from outside: the list may change, or be another one, before the pop */
	more = pcp ? min(READ_ONCE(READ_ONCE(pcp->list)->count), n) : 0;
	if (more && core_pop(stock, objs, more))
		got = more;
	if (!pcp || !stock_lock(stock))
		return got;
	got += free_area_pop(area, objs + got, n - got);
	more = stock_spare(stock, pcp_streak_refill(pcp, READ_ONCE(stock->batch_max)));
	/* from one array into the other: off here before others can see them there */
	more = free_area_lend(area, more);
	if (more && !core_push(stock, area->obj + area->count, more))
		free_area_restore(area, more);
	count_add(area->moves, !!more);
	stock_unlock(stock);
	count_add(pcp->refills, 1);
	return got;
}

static __noinline bool cache_flush(struct stock *stock, void *const *objs, unsigned int n)
{
	struct pcp *pcp = pcp_this(stock);
	struct free_area *area = &stock->area;
	unsigned int k;

	if (!pcp || !stock_lock(stock))
		return false;
	k = pcp_streak_flush(pcp, READ_ONCE(READ_ONCE(pcp->list)->count),
			     READ_ONCE(stock->batch_max));
	k = free_area_room(area, k);
	if (k && core_pop(stock, area->obj + area->count, k))
		free_area_restore(area, k);
	if (!core_push(stock, objs, n))
		free_area_push(area, objs, n);
	count_add(area->moves, 1);
	stock_unlock(stock);
	count_add(pcp->flushes, 1);
	return true;
}

static __always_inline unsigned int do_alloc_bulk(struct stock *stock, void **objs, unsigned int n,
						  const bool traced)
{
	uint64_t start = traced ? cycles_now() : 0;
	unsigned int got = n;

	if (unlikely(!core_pop(stock, objs, n)))
		got = cache_refill(stock, objs, n);
	if (traced)
		window_end(stock, start, n);
	return got;
}

static __always_inline bool do_free_bulk(struct stock *stock, void *const *objs, unsigned int n,
					 const bool traced)
{
	uint64_t start = traced ? cycles_now() : 0;
	bool done = core_push(stock, objs, n) || cache_flush(stock, objs, n);

	if (traced)
		window_end(stock, start, n);
	return done;
}

static __noinline unsigned int take_all_refill(struct stock *stock, void **objs, unsigned int n,
					       stock_more_fn *more)
{
	unsigned int got = cache_refill(stock, objs, n);

	return likely(got == n) ? n : more(stock, objs, n, got);
}

static __always_inline unsigned int take_all(struct stock *stock, void **objs, unsigned int n,
					     stock_more_fn *more)
{
	return likely(core_pop(stock, objs, n)) ? n : take_all_refill(stock, objs, n, more);
}

static __noinline void give_all_flush(struct stock *stock, void *const *objs, unsigned int n)
{
	if (unlikely(!stock_caches(stock, n)))
		stock_give_slow(stock, objs, n);
	else if (unlikely(!cache_flush(stock, objs, n)))
		stock_give_area(stock, objs, n);
}

static __always_inline void give_all(struct stock *stock, void *const *objs, unsigned int n)
{
	if (unlikely(!core_push(stock, objs, n)))
		give_all_flush(stock, objs, n);
}

static __noinline int get_all_refill(struct stock *stock, void **objs, unsigned int n)
{
	unsigned int got = stock_caches(stock, n) ? cache_refill(stock, objs, n) : 0;

	return likely(got == n) ? 0 : stock_get_slow(stock, objs, n, got);
}

/* One that fits needs no frame: the rest is jumped to. */
static __always_inline int get_all(struct stock *stock, void **objs, unsigned int n)
{
	return likely(core_pop(stock, objs, n)) ? 0 : get_all_refill(stock, objs, n);
}

static __noinline int put_all_flush(struct stock *stock, void *const *objs, unsigned int n)
{
	return stock_caches(stock, n) && cache_flush(stock, objs, n)
		       ? 0
		       : stock_put_slow(stock, objs, n);
}

static __always_inline int put_all(struct stock *stock, void *const *objs, unsigned int n)
{
	return likely(core_push(stock, objs, n)) ? 0 : put_all_flush(stock, objs, n);
}
