/* SPDX-License-Identifier: BSD-3-Clause */
/* stock/control.h - what the caches hold, and what they may */
#ifndef PP_STOCK_CONTROL_H
#define PP_STOCK_CONTROL_H

#include "stock/stock.h"

/* pcp_count(), but of llist without the reservations */
unsigned int stock_cached(const struct stock *stock, unsigned int core);
/* free, cached, batch, high and the counters; under the lock. */
void stock_stats(struct stock *stock, struct pp_zone_stats *stats);

/* As pp_depot_pcp_set(), pp_depot_pcp_disable() and pp_depot_pcp_enable(). */
int stock_set(struct stock *stock, uint32_t high, uint32_t batch);
int stock_disable(struct stock *stock, unsigned int timeout_us);
void stock_enable(struct stock *stock);

#endif /* PP_STOCK_CONTROL_H */
