/* SPDX-License-Identifier: BSD-3-Clause */
/* take.h - objects past this core's cache: the free area, every core's cache, searches */
#ifndef PP_TAKE_H
#define PP_TAKE_H

#include "stock/stock.h"

/* From the free area, and back there. */
unsigned int stock_take_area(struct stock *stock, void **objs, unsigned int n);
void stock_give_area(struct stock *stock, void *const *objs, unsigned int n);

/*
 * Drain one cache. @keep: objects that may stay; @force: visit it even if it looks empty.
 * Objects moved, or -ETIMEDOUT.
 */
long stock_drain_core(struct stock *stock, unsigned int core, uint32_t keep, uint32_t timeout_us,
		      bool force);
/* As pp_depot_drain(). */
long stock_drain_one(struct stock *stock, unsigned int core, unsigned int timeout_us);
/* Every cache. Objects moved; *@timeout becomes true if a holder did not let go in time. */
long stock_drain(struct stock *stock, uint32_t timeout_us, bool *timeout);
/* Every cache, one after the other, until there is enough. */
unsigned int stock_take_caches(struct stock *stock, void **objs, unsigned int n, bool *timeout);

/*
 * All of @n objects, of which @objs has @got, or none and -ENOBUFS; and back. What is more than a
 * batch goes past the caches: it comes from a cache above, and ours would only be in the way.
 */
int stock_get_slow(struct stock *stock, void **objs, unsigned int n, unsigned int got);
int stock_put_slow(struct stock *stock, void *const *objs, unsigned int n);

/* depot.c: struct pp_depot begins with its stock. */
static __always_inline struct stock *stock_of_depot(struct pp_depot *depot)
{
	return (struct stock *)depot;
}

static __always_inline bool stock_caches(const struct stock *stock, unsigned int n)
{
	return n <= READ_ONCE(stock->batch);
}

/* ---- a search that fails must have looked everywhere ----------------------------------------- */

/*
 * An allocation that finds nothing looked at one place after the other, and free objects move
 * between them: in refills, flushes, drains and trims. It may fail only if none moved meanwhile.
 * Each kind of move is counted where it happens. Objects on their way are in no place at all. A
 * search can see that, too: it happens under the stock's lock or in an owner's turn, or it is
 * announced (zone_move_begin()).
 */
struct search {
	struct stock *stock;
	/* Up to @n objects from every place in turn; *@timeout: a holder did not let go in time. */
	unsigned int (*look)(const struct search *search, void **objs, unsigned int n,
			     bool *timeout);
	/*
	 * How often free objects moved, and whether some are on their way. Equal before and
	 * after a look, and none on their way after it: each object was in one place all the
	 * time, and was there when the search looked, unless another allocation took it.
	 */
	uint64_t (*moves)(const struct search *search, bool *on_their_way);
	/* Objects that seem to be free now: a gauge. NULL: not asked. */
	uint64_t (*seen)(const struct search *search);
};

/*
 * Look until there are @n, or a look that found too little is one that counts. A look is repeated
 * for at most the stock's drain_us. A holder that does not let go for as long ends it, too.
 */
unsigned int search_everywhere(const struct search *search, void **objs, unsigned int n);

/* Objects in the free area and the caches: a gauge. */
uint64_t stock_seen(const struct stock *stock);

#endif /* PP_TAKE_H */
