/* SPDX-License-Identifier: BSD-3-Clause */
/* drain.h - what caches and clients of a zone keep goes back to it */
#ifndef PP_DRAIN_H
#define PP_DRAIN_H

#include "zone/zone.h"

/* Runs in the caches of these cores, and in the stack behind them, go to the buddy; pages moved. */
long runs_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		unsigned int timeout_us);
/*
 * Trim the clients, and drain every core's caches, of pages and of runs. False: a holder of a pool
 * or of a cache did not let go in time.
 */
bool zone_drain_once(struct pp_zone *zone);

/*
 * A search for pages beside each other. Single pages move all the time: until the end none goes
 * from the free area to a cache.
 */
void zone_seek_begin(struct pp_zone *zone);
void zone_seek_end(struct pp_zone *zone);

#endif /* PP_DRAIN_H */
