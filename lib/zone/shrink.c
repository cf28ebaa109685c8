/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shrink.c - give memory back to the system: a range, what is free, what was idle
 *
 * The addresses stay, and the blocks are unaccepted again: the zone grows by itself.
 */
#include <pagepool/memory.h>

#include "zone/share.h"

/* A block that cannot be accepted again is lost; a device would keep the old memory. */
static int check_may_shrink(const struct pp_zone *zone)
{
	if (READ_ONCE(zone->blocks.pins))
		return pp_set_error(EBUSY,
				    "zone %s: a device has all of its memory (pp_zone_pin); "
				    "close the port first",
				    zone->stock->name);
	if (zone->stock->signal_safe && !zone->blocks.has_thread)
		return pp_set_error(ENOTSUP,
				    "zone %s: signal safe without an acceptor thread; "
				    "it could not grow again",
				    zone->stock->name);
	return zone_alone(zone, "giving memory back");
}

/* Under the zone's lock, all pages of the block in the buddy: they are addresses from here on. */
static void take_block(struct pp_zone *zone, uint64_t block)
{
	uint64_t n = block_pages(&zone->buddy, block);

	buddy_take_range(&zone->buddy, block << zone->buddy.block_shift, n);
	block_clear(zone->blocks.accepted, block);
	WRITE_ONCE(zone->blocks.unaccepted, zone->blocks.unaccepted + n);
}

/* A claimed block, which it unclaims. 1: given back; 0: not wholly free, or pinned; or -errno. */
static int release_if_free(struct pp_zone *zone, uint64_t block, bool isolated)
{
	bool take;
	int err;

	stock_lock(zone->stock);
	take = !zone->blocks.pins && (isolated || !zone->buddy.isolated[block]) &&
	       zone->buddy.block_free[block] == block_pages(&zone->buddy, block);
	if (take)
		take_block(zone, block);
	stock_unlock(zone->stock);
	if (!take) {
		block_unclaim(zone, block);
		return 0;
	}
	err = block_release(zone, block);
	return err ? err : 1;
}

/* ---- a range --------------------------------------------------------------------------------- */

int zone_wait_home(struct pp_zone *zone, uint64_t first, uint64_t n, uint64_t deadline_ns)
{
	const struct timespec nap = { .tv_nsec = 50000 };

	while (!zone_range_home(zone, first, n)) {
		if (now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		clients_reclaim(&zone->clients, first, n);
		if (zone_range_home(zone, first, n))
			return 0;
		nanosleep(&nap, NULL);
	}
	return 0;
}

/* An isolated block with all pages home; others may be accepting it, or taking it as we do. */
static int offline_block(struct pp_zone *zone, uint64_t block, uint64_t deadline_ns)
{
	struct blocks *b = &zone->blocks;
	uint32_t seen = load_acquire(&b->changed);
	int err = 0;

	while (!err && !block_claim(zone, block, true)) {
		if (!block_test(b->busy, block) && !block_test(b->accepted, block))
			return 0;
		err = block_wait(zone, block, seen, deadline_ns);
		seen = load_acquire(&b->changed);
	}
	if (err)
		return -EBUSY;
	err = release_if_free(zone, block, true);
	if (!err)
		return pp_set_error(EBUSY, "zone %s: pages of this range are in use",
				    zone->stock->name);
	return min(err, 0);
}

int pp_zone_offline(struct pp_zone *zone, uint64_t first, uint64_t n, unsigned int timeout_us)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)timeout_us * 1000, block;
	struct block_range range;
	int err = zone_range(zone, first, n, &range);

	if (err)
		return err;
	block = ((uint64_t)1 << zone->buddy.block_shift) - 1;
	if ((first & block) || (((first + n) & block) && first + n != zone->managed))
		return pp_set_error(EINVAL, "offline: pages %llu .. %llu are not whole blocks",
				    (unsigned long long)first, (unsigned long long)(first + n - 1));
	err = check_may_shrink(zone);
	if (!err)
		err = pp_zone_isolate_hard(zone, first, n, timeout_us);
	if (err)
		return err;
	err = zone_wait_home(zone, first, n, deadline_ns);
	if (err)
		err = pp_set_error(EBUSY, "zone %s: pages of this range are in use",
				   zone->stock->name);
	for (block = range.first; block <= range.last && !err; block++)
		err = offline_block(zone, block, deadline_ns);
	pp_zone_isolate_hard_undo(zone, first, n);
	return err;
}

/* ---- what is free ---------------------------------------------------------------------------- */

static int64_t shrink_to(struct pp_zone *zone, uint64_t pages)
{
	uint64_t block = zone->blocks.nr, given = 0, n;
	int err = 0;

	zone_spill(zone);
	/* from the top: the low ones are accepted first */
	while (block-- && err >= 0) {
		n = block_pages(&zone->buddy, block);
		if (zone->managed - READ_ONCE(zone->blocks.unaccepted) < pages + n)
			break;
		if (READ_ONCE(zone->buddy.block_free[block]) < n)
			continue;
		err = block_claim(zone, block, true) ? release_if_free(zone, block, false) : 0;
		given += err > 0 ? n : 0;
	}
	return err < 0 && !given ? err : (int64_t)(given << zone->shift);
}

int64_t pp_zone_shrink(struct pp_zone *zone, uint64_t bytes)
{
	int err = check_may_shrink(zone);

	if (err)
		return err;
	zone_drain_once(zone);
	bytes = min(bytes, zone->managed << zone->shift);
	return shrink_to(zone, (bytes + (1u << zone->shift) - 1) >> zone->shift);
}

/* ---- a device has all of it ------------------------------------------------------------------ */

int pp_zone_pin(struct pp_zone *zone)
{
	int err;

	stock_lock(zone->stock);
	count_add(zone->blocks.pins, 1);
	stock_unlock(zone->stock);
	err = blocks_need(zone, 0, zone->blocks.nr - 1, UINT64_MAX);
	if (err)
		pp_zone_unpin(zone);
	return err;
}

void pp_zone_unpin(struct pp_zone *zone)
{
	stock_lock(zone->stock);
	if (zone->blocks.pins)
		count_add(zone->blocks.pins, -1u);
	stock_unlock(zone->stock);
}

/* ---- what was idle: the tick ----------------------------------------------------------------- */

static void shrink_idle(struct pp_zone *zone)
{
	struct blocks *b = &zone->blocks;
	uint64_t used, keep = 0, now = now_ns();

	if (likely(!b->idle_ms) || check_may_shrink(zone) || !pp_trylock(&b->idle_lock))
		return;
	used = zone->managed - READ_ONCE(b->unaccepted);
	used -= min(used, zone_usable(zone)); /* in use, cached or isolated */
	if (!b->idle_since_ns)
		b->idle_since_ns = now;
	b->idle_peak = max(b->idle_peak, used);
	if (now - b->idle_since_ns >= (uint64_t)b->idle_ms * 1000000) {
		keep = b->idle_peak + b->low;
		b->idle_since_ns = now;
		b->idle_peak = used;
	}
	if (keep)
		shrink_to(zone, keep);
	pp_unlock(&b->idle_lock);
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
	zone_bury(zone, 0);
	shrink_idle(zone);
	return moved;
}
