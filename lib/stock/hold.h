/* SPDX-License-Identifier: BSD-3-Clause */
/* hold.h - the lock of a stock, and what is done in one hold of it */
#ifndef PP_HOLD_H
#define PP_HOLD_H

#include "stock/stock.h"

/* Take the lock. False only in a signal handler, in a signal safe zone: it goes without. */
static __always_inline bool stock_lock(struct stock *stock)
{
	if (unlikely(stock->signal_safe))
		return stock_lock_safe(stock);
	if (unlikely(!pp_trylock(&stock->lock)))
		stock_lock_slow(stock);
	return true;
}

static __always_inline void stock_unlock(struct stock *stock)
{
	pp_unlock(&stock->lock);
	if (unlikely(stock->signal_safe)) {
		compiler_barrier();
		WRITE_ONCE(handler_locked, false);
	}
}

/* ---- between a list and the free area -------------------------------------------------------- */

/* The call of memcpy() is a third of what one page costs. */
static __always_inline void copy_objs(void **to, void *const *from, unsigned int n)
{
	if (n == 1)
		*to = *from;
	else if (!(PP_DEBUG || PP_POISON) ||
		 n) /* for sanitizers: of none there need not be an array */
		memcpy(to, from, n * sizeof(*to));
}

/* Move the @n coldest objects of a list that the caller holds to the free area; objects moved. */
static inline unsigned int list_to_area(struct stock *stock, struct pcp_objs list, unsigned int n)
{
	unsigned int left;

	n = min(n, *list.count);
	if (!n || !stock_lock(stock))
		return 0;
	free_area_push(&stock->area, list.obj, n);
	count_add(stock->area.moves, 1);
	stock_unlock(stock);
	left = *list.count - n;
	memmove(list.obj, list.obj + n, left * sizeof(*list.obj));
	WRITE_ONCE(*list.count, left);
	return n;
}

/* The same, warmest first: without moving what stays, for lists that are to be emptied. */
static inline unsigned int list_top_to_area(struct stock *stock, struct pcp_objs list,
					    unsigned int n)
{
	n = min(n, *list.count);
	if (!n || !stock_lock(stock))
		return 0;
	free_area_push(&stock->area, list.obj + (*list.count - n), n);
	count_add(stock->area.moves, 1);
	stock_unlock(stock);
	WRITE_ONCE(*list.count, *list.count - n);
	return n;
}

/*
 * How many of the free area's objects may go to a cache: a stock that runs short fills none, nor
 * does one of which a run is sought.
 */
static inline unsigned int stock_spare(const struct stock *stock, unsigned int want)
{
	const struct free_area *area = &stock->area;
	uint32_t batch = READ_ONCE(stock->batch);

	if (unlikely(area->ops))
		return area->ops->spare(area, want);
	if (free_area_count(area) <= (uint64_t)batch || area->seekers)
		return 0;
	/* a streak leaves others half */
	return (unsigned int)min((uint64_t)want, max((uint64_t)batch, free_area_count(area) / 2));
}

#endif /* PP_HOLD_H */
