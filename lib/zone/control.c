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

int pp_zone_pcp_disable(struct pp_zone *zone, unsigned int timeout_us)
{
	int err;

	not_a_handler();
	err = stock_disable(zone->stock, timeout_us);
	if (err)
		return err;
	err = orders_disable(zone, timeout_us);
	if (err)
		stock_enable(zone->stock);
	return err;
}

void pp_zone_pcp_enable(struct pp_zone *zone)
{
	not_a_handler();
	orders_enable(zone);
	stock_enable(zone->stock);
}

long pp_zone_maintain(struct pp_zone *zone)
{
	struct pcp *pcp;
	uint32_t count;
	unsigned int i;
	long moved = 0, k;

	for (i = 0; i < zone->stock->cores; i++) {
		pcp = stock_pcp(zone->stock, i);
		count = pcp_count(pcp);
		if (!pcp_tune_decay(pcp, count))
			continue;
		k = stock_drain_core(zone->stock, i, pcp_limit(pcp), 0, false);
		moved += k > 0 ? k : 0;
	}
	clients_trim_idle(&zone->clients);
	zone_shrink_idle(zone);
	return moved;
}
