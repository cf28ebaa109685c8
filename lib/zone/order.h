/* SPDX-License-Identifier: BSD-3-Clause */
/* order.h - runs of pages for the floor of pools */
#ifndef PP_ORDER_H
#define PP_ORDER_H

struct pp_page;
struct pp_zone;

/*
 * As pp_zone_alloc_order_bulk() and pp_zone_free_order_bulk(), for pools: no preparation,
 * and pages that the pool has marked as home
 */
unsigned int zone_take_runs(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n);
void zone_free_runs(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* zone_take_runs() as far as no other core is asked */
unsigned int zone_take_runs_near(struct pp_zone *zone, unsigned int order, void **objs,
				 unsigned int n);

#endif /* PP_ORDER_H */
