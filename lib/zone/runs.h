/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runs.h - runs of 2^1 .. 2^3 pages have caches of their own
 *
 * Each of these orders has a stock of its own in the zone, made at its first use: the same caches
 * and policies, over the first pages of runs. Its free area is a short stack in front of the buddy.
 * Larger runs have no cache.
 */
#ifndef PP_RUNS_H
#define PP_RUNS_H

#include "zone/zone.h"

/* Between the buddy and a user, any order. @freed: pages that count as freed here. */
unsigned int runs_take_buddy(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n);
void runs_give_buddy(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n,
		     uint64_t freed);

/* NULL: no cache for this order, or not now. Handlers have none. */
struct stock *runs_cached(struct pp_zone *zone, unsigned int order);

/* The free runs that no cache has go to the buddy. */
void runs_spill(struct stock *stock);

#endif /* PP_RUNS_H */
