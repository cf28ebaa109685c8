/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order.h - runs of 2^1 .. 2^3 pages through caches of their own
 *
 * Each of these orders has a zone of its own inside the zone, made when it is first asked for:
 * the same caches and policies, over the first pages of runs that come from the outer zone's
 * buddy and go back there. Larger runs have no cache. Lock order: inner zone, outer zone.
 */
#ifndef PP_ORDER_H
#define PP_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#define CACHED_ORDERS 4u /* 1 .. 3; of order 0 the zone itself is the cache */

struct pp_page;
struct pp_zone;
struct pp_page;
struct pp_zone_stats;

/* What the inner zones, and their caches of these cores, have goes to the buddy; pages moved. */
long orders_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		  unsigned int timeout_us);
/* Pages in their caches of a core; a gauge. */
uint64_t orders_cached(const struct pp_zone *zone, unsigned int core);
/* With the caches of the zone: nest as they do. 0 or -ETIMEDOUT, and none is disabled. */
int orders_disable(struct pp_zone *zone, unsigned int timeout_us);
void orders_enable(struct pp_zone *zone);
/* There are isolated pages: nothing stays in the inner zones' free areas, or goes out there. */
void orders_filter(struct pp_zone *zone, bool filter);
void orders_free(struct pp_zone *zone);
/* Add what they hold and did, in pages, to free, cached, allocs, frees, refills and flushes. */
void orders_stats(struct pp_zone *zone, struct pp_zone_stats *stats);

/*
 * As pp_zone_alloc_order_bulk() and pp_zone_free_order_bulk(), for page_pool.c: no preparation,
 * and pages that the pool has marked as home
 */
unsigned int zone_take_order(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n);
void zone_free_order(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* The inner zones' part of zone_run_moves(). */
uint64_t orders_moves(const struct pp_zone *zone);

/* zone_take_order() as far as no other core is asked */
unsigned int zone_take_order_undrained(struct pp_zone *zone, unsigned int order, void **objs,
				       unsigned int n);

#endif /* PP_ORDER_H */
