/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone/control.c - how much the caches may hold: set, disabled, and shrunk by the tick
 */
#include "zone/zone.h"

int pp_zone_pcp_set(struct pp_zone *zone, uint32_t high, uint32_t batch)
{
	not_a_handler();
	return stock_set(zone->stock, high, batch);
}

/* Single pages first: while they are disabled no stock of runs is made. */
int pp_zone_pcp_disable(struct pp_zone *zone, unsigned int timeout_us)
{
	struct stock *stock;
	unsigned int k;
	int err = 0;

	not_a_handler();
	for_each_stock(stock, zone, k) {
		err = stock_disable(stock, timeout_us);
		if (err)
			break;
	}
	while (err && k--) {
		if (zone_stock(zone, k))
			stock_enable(&zone->stock[k]);
	}
	return err;
}

void pp_zone_pcp_enable(struct pp_zone *zone)
{
	struct stock *stock;
	unsigned int k;

	not_a_handler();
	for_each_run_stock(stock, zone, k)
		stock_enable(stock);
	stock_enable(zone->stock);
}
