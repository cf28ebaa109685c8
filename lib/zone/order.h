/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order.h - runs of 2^1 .. 2^3 pages through caches of their own
 *
 * Each of these orders has a stock of its own in the zone, made at its first use: the same caches
 * and policies, over the first pages of runs. Its free area is a short stack in front of
 * the buddy. Larger runs have no cache.
 */
#ifndef PP_ORDER_H
#define PP_ORDER_H

struct pp_page;
struct pp_zone;

#define CACHED_ORDERS 4u /* 0 .. 3; of order 0 are single pages */

struct stock;

/* The free runs that no cache has go to the buddy; of these cores' caches, too, and pages moved. */
void runs_spill(struct stock *stock);
long runs_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		unsigned int timeout_us);

/*
 * As pp_zone_alloc_order_bulk() and pp_zone_free_order_bulk(), for page_pool.c: no preparation,
 * and pages that the pool has marked as home
 */
unsigned int zone_take_order(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n);
void zone_free_order(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* zone_take_order() as far as no other core is asked */
unsigned int zone_take_order_undrained(struct pp_zone *zone, unsigned int order, void **objs,
				       unsigned int n);

#endif /* PP_ORDER_H */
