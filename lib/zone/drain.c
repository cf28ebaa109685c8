/* SPDX-License-Identifier: BSD-3-Clause */
/* drain.c - the cores' caches: drained with what clients keep, and how much they may hold */
#include "zone/share.h"

long runs_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		unsigned int timeout_us)
{
	struct stock *stock;
	long moved = 0;
	unsigned int k, i;

	for_each_run_stock(stock, zone, k) {
		for (i = first; i <= last && i < stock->cores; i++)
			moved += max(stock_drain_core(stock, i, 0, timeout_us, false), 0l) << k;
		/* even if it seems empty: a refill on its way has come to its cache then */
		runs_spill(stock);
	}
	return moved;
}

long pp_zone_drain(struct pp_zone *zone, unsigned int core, unsigned int timeout_us)
{
	long moved;

	if (zone->stock->signal_safe)
		not_a_handler();
	moved = stock_drain_one(zone->stock, core, timeout_us);
	return moved < 0 ? moved : moved + runs_drain(zone, core, core, timeout_us);
}

long pp_zone_drain_all(struct pp_zone *zone, unsigned int timeout_us)
{
	bool timeout = false;
	long moved;

	if (zone->stock->signal_safe)
		not_a_handler();
	moved = stock_drain(zone->stock, timeout_us, &timeout);
	moved += runs_drain(zone, 0, zone->stock->cores, timeout_us);
	if (timeout)
		return pp_set_error(ETIMEDOUT, "a core's cache was held for more than %u us",
				    timeout_us);
	return moved;
}

bool zone_drain_once(struct pp_zone *zone)
{
	bool timeout = false;

	clients_trim(&zone->clients, UINT64_MAX, zone->stock->drain_us, &timeout);
	stock_drain(zone->stock, zone->stock->drain_us, &timeout);
	runs_drain(zone, 0, zone->stock->cores, zone->stock->drain_us);
	return !timeout;
}

/* ---- a search for runs ----------------------------------------------------------------------- */

static void count_seekers(struct pp_zone *zone, unsigned int n)
{
	stock_lock(zone->stock);
	count_add(zone->stock->area.seekers, n); /* run_spare() reads it without this lock */
	stock_unlock(zone->stock);
}

void zone_seek_begin(struct pp_zone *zone)
{
	count_seekers(zone, 1);
}

void zone_seek_end(struct pp_zone *zone)
{
	count_seekers(zone, -1u);
}

/* ---- how much the caches may hold ------------------------------------------------------------ */

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
	if (zone->shared)
		return zone_close(zone, timeout_us);
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
	if (zone->shared) {
		zone_open(zone);
		return;
	}
	for_each_run_stock(stock, zone, k)
		stock_enable(stock);
	stock_enable(zone->stock);
}
