/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * isolate.c - take a range of blocks out of use, and put it back
 *
 * While there is an isolation, whatever enters or leaves the free area is looked at, page
 * by page (isolating_ops), and no core's cache is refilled from it. Caches are another
 * matter: a drain gets what is in them now; only closed caches stay without such pages.
 */
#include <pagepool/memory.h>

#include "zone/zone.h"

/* Pages looked at for each hold of the zone's lock. */
#define SWEEP 2048u

int zone_range(const struct pp_zone *zone, uint64_t first, uint64_t n, struct block_range *range)
{
	*range = (struct block_range){ 0 };
	if (!n || first >= zone->managed || n > zone->managed - first)
		return pp_set_error(EINVAL, "zone %s: %llu pages from %llu on: there are %llu",
				    zone->stock->name, (unsigned long long)n,
				    (unsigned long long)first, (unsigned long long)zone->managed);
	range->first = first >> zone->buddy.block_shift;
	range->last = (first + n - 1) >> zone->buddy.block_shift;
	return 0;
}

static int isolate_blocks(struct pp_zone *zone, const struct block_range *range)
{
	struct stock *stock;
	unsigned int k;
	uint64_t block;
	int err = 0;

	pp_lock(&zone->isolate_lock);
	stock_lock(zone->stock);
	for (block = range->first; block <= range->last && !err; block++) {
		if (zone->buddy.isolated[block] == UINT16_MAX)
			err = pp_set_error(EOVERFLOW, "zone %s: 65535 isolations nest",
					   zone->stock->name);
	}
	for (block = range->first; block <= range->last && !err; block++) {
		zone->isolated_blocks += !zone->buddy.isolated[block];
		buddy_isolate(&zone->buddy, block);
	}
	if (!err)
		WRITE_ONCE(zone->stock->area.ops, &isolating_ops);
	stock_unlock(zone->stock);
	for_each_run_stock(stock, zone, k)
		runs_spill(stock);
	pp_unlock(&zone->isolate_lock);
	return err;
}

/* The pages on the stack, a part at a time, so that no holder keeps the lock for long. */
static void sweep_area(struct pp_zone *zone)
{
	uint64_t from = 0;
	bool done;

	/* what is pushed from now on is looked at, and no list is handed over */
	do {
		stock_lock(zone->stock);
		done = !free_area_gather(&zone->stock->area, SWEEP);
		stock_unlock(zone->stock);
	} while (!done);
	do {
		stock_lock(zone->stock);
		done = area_sweep(zone, &from, SWEEP);
		stock_unlock(zone->stock);
	} while (!done);
}

/* @drain: the caches are open */
static int zone_isolate(struct pp_zone *zone, const struct block_range *range, bool drain)
{
	int err = isolate_blocks(zone, range);

	if (err)
		return err;
	sweep_area(zone);
	if (drain)
		zone_drain_once(zone);
	return 0;
}

int pp_zone_isolate(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct block_range range;
	int err = zone_alone(zone, "isolation") ?: zone_range(zone, first, n, &range);

	return err ? err : zone_isolate(zone, &range, true);
}

int pp_zone_isolate_hard(struct pp_zone *zone, uint64_t first, uint64_t n, unsigned int timeout_us)
{
	struct block_range range;
	int err = zone_alone(zone, "isolation") ?: zone_range(zone, first, n, &range);

	if (!err)
		err = pp_zone_pcp_disable(zone, timeout_us);
	if (err)
		return err;
	err = zone_isolate(zone, &range, false);
	if (err)
		pp_zone_pcp_enable(zone);
	return err;
}

int pp_zone_isolate_undo(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct block_range range;
	uint64_t block;
	int err = zone_range(zone, first, n, &range);

	if (err)
		return err;
	pp_lock(&zone->isolate_lock);
	stock_lock(zone->stock);
	for (block = range.first; block <= range.last && !err; block++) {
		if (!zone->buddy.isolated[block])
			err = pp_set_error(EINVAL, "zone %s: block %llu is not isolated",
					   zone->stock->name, (unsigned long long)block);
	}
	for (block = range.first; block <= range.last && !err; block++) {
		zone->isolated_blocks -= zone->buddy.isolated[block] == 1;
		buddy_restore(&zone->buddy, block);
	}
	if (!zone->isolated_blocks)
		WRITE_ONCE(zone->stock->area.ops, NULL);
	stock_unlock(zone->stock);
	pp_unlock(&zone->isolate_lock);
	return err;
}

int pp_zone_isolate_hard_undo(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	int err = pp_zone_isolate_undo(zone, first, n);

	if (!err)
		pp_zone_pcp_enable(zone);
	return err;
}

bool zone_range_home(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	const struct buddy *buddy = &zone->buddy;
	uint64_t end = first + n, next;
	bool home = true;

	stock_lock(zone->stock);
	for (; first < end && home; first = next) {
		next = min(end, ((first >> buddy->block_shift) + 1) << buddy->block_shift);
		home = buddy->isolated[first >> buddy->block_shift] &&
		       (!block_test(zone->blocks.accepted, first >> buddy->block_shift) ||
			buddy_run(buddy, first, next - first) == next - first);
	}
	stock_unlock(zone->stock);
	return home;
}

int pp_zone_isolate_test(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct block_range range;
	int err = zone_range(zone, first, n, &range);

	if (err || zone_range_home(zone, first, n))
		return err;
	return pp_set_error(EBUSY, "zone %s: pages of this range are not isolated, or not home",
			    zone->stock->name);
}

uint32_t pp_zone_block_pages(const struct pp_zone *zone)
{
	return 1u << zone->buddy.block_shift;
}
