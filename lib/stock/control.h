/* SPDX-License-Identifier: BSD-3-Clause */
/* stock/control.h - what the caches hold, and what they may */
#ifndef PP_STOCK_CONTROL_H
#define PP_STOCK_CONTROL_H

#include "stock/stock.h"

/* Call @see() with all objects of the free area and the caches. No call runs in the stock. */
void stock_walk(struct stock *stock, void (*see)(void *arg, void *const *objs, uint64_t n),
		void *arg);
/* free, cached, batch, high and the counters; under the lock. */
void stock_stats(struct stock *stock, struct pp_zone_stats *stats);

/* As pp_depot_pcp_set(), pp_depot_pcp_disable() and pp_depot_pcp_enable(). */
int stock_set(struct stock *stock, uint32_t high, uint32_t batch);
int stock_disable(struct stock *stock, unsigned int timeout_us);
void stock_enable(struct stock *stock);

#endif /* PP_STOCK_CONTROL_H */
