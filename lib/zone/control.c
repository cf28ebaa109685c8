/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone/control.c - how much the caches may hold: set, disabled, and shrunk by the tick
 */
#include "zone/zone.h"

static void set_caches(struct pp_zone *zone, uint32_t high_min, uint32_t high_max, uint32_t batch)
{
	struct pcp *pcp;
	unsigned int i;

	WRITE_ONCE(zone->batch, batch);
	for (i = 0; i < zone->cores; i++) {
		pcp = pcp_at(zone->pcps, zone->pcp_stride, i);
		WRITE_ONCE(pcp->batch, batch);
		WRITE_ONCE(pcp->high_min, high_min);
		/* seq_cst: pairs with llist.c's push, which reserves before it looks */
		__atomic_store_n(&pcp->high_max, high_max, __ATOMIC_SEQ_CST);
		WRITE_ONCE(pcp->high, high_min);
	}
}

int pp_zone_pcp_set(struct pp_zone *zone, uint32_t high, uint32_t batch)
{
	int err = 0;

	if (high < 1 || high > zone->pcps->capacity)
		return pp_set_error(EINVAL, "high: %u is not in 1 .. %u, the zone's high_max", high,
				    zone->pcps->capacity);
	if (batch < 1 || batch > high || batch > PP_BULK_MAX)
		return pp_set_error(EINVAL, "batch: %u is not in 1 .. high %u, or above %u", batch,
				    high, PP_BULK_MAX);
	not_a_handler();
	pp_lock(&zone->control);
	if (zone->disabled)
		err = pp_set_error(EBUSY, "the caches are disabled; enable them first");
	else
		set_caches(zone, high, high, batch);
	pp_unlock(&zone->control);
	return err;
}

static void open_caches(struct pp_zone *zone)
{
	set_caches(zone, zone->saved_high_min, zone->saved_high_max, zone->saved_batch);
}

/*
 * Whoever was inside a cache when it was closed has left when the forced drain has
 * been there, and whoever came later has seen that it is closed.
 */
static int close_caches(struct pp_zone *zone, unsigned int timeout_us)
{
	unsigned int i;
	long k;

	zone->saved_high_min = zone->pcps->high_min;
	zone->saved_high_max = zone->pcps->high_max;
	zone->saved_batch = zone->batch;
	set_caches(zone, 0, 0, 1);
	for (i = 0; i < zone->cores; i++) {
		do
			k = zone_drain_core(zone, i, 0, timeout_us, true);
		while (k > 0);
		if (k == 0)
			continue;
		open_caches(zone);
		return pp_set_error(ETIMEDOUT, "cache %u was held for more than %u us", i,
				    timeout_us);
	}
	return 0;
}

int pp_zone_pcp_disable(struct pp_zone *zone, unsigned int timeout_us)
{
	int err = 0;

	not_a_handler();
	if (!pp_lock_timed(&zone->control, timeout_us))
		return pp_set_error(ETIMEDOUT,
				    "another thread has been closing or setting the caches for "
				    "more than %u us",
				    timeout_us);
	if (!zone->disabled)
		err = close_caches(zone, timeout_us);
	if (!err) {
		err = orders_disable(zone, timeout_us);
		if (err && !zone->disabled)
			open_caches(zone);
	}
	if (!err)
		WRITE_ONCE(zone->disabled, zone->disabled + 1);
	pp_unlock(&zone->control);
	return err;
}

void pp_zone_pcp_enable(struct pp_zone *zone)
{
	not_a_handler();
	pp_lock(&zone->control);
	if (zone->disabled) {
		orders_enable(zone);
		WRITE_ONCE(zone->disabled, zone->disabled - 1);
		if (!zone->disabled)
			open_caches(zone);
	}
	pp_unlock(&zone->control);
}

long pp_zone_maintain(struct pp_zone *zone)
{
	struct pcp *pcp;
	uint32_t count;
	unsigned int i;
	long moved = 0, k;

	for (i = 0; i < zone->cores; i++) {
		pcp = pcp_at(zone->pcps, zone->pcp_stride, i);
		count = pcp_count(pcp);
		if (!pcp_tune_decay(pcp, count))
			continue;
		k = zone_drain_core(zone, i, pcp_limit(pcp), 0, false);
		moved += k > 0 ? k : 0;
	}
	clients_trim_idle(&zone->clients);
	zone_shrink_idle(zone);
	return moved;
}
