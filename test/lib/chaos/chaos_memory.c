/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_memory.c - operations of memory.h: ranges, isolation, memory that comes and goes
 *
 * While a range is isolated or given back, free pages of it are out of reach: no answer that is
 * short meanwhile is judged.
 */
#include <errno.h>

#include "chaos/chaos.h"

/* a range of whole blocks' worth, or any */
static uint64_t range(struct chaos_worker *w, uint64_t *n)
{
	uint64_t pages = pp_zone_pages(w->z->zone), first;

	first = rng_below(&w->rng, (unsigned int)pages);
	*n = 1 + rng_below(&w->rng, (unsigned int)(pages - first));
	return first;
}

/* the pages of a range are single ones: kept so far as there is room, or given back together */
static void have_range(struct chaos_worker *w, struct pp_page *first, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		chaos_got(w->z, first + i, 0, w->id + 1);
	if (n <= chaos_room(w) && rng_below(&w->rng, 2)) {
		for (i = 0; i < n; i++)
			w->hold->pages[w->hold->n++] = first + i;
		return;
	}
	for (i = 0; i < n; i++)
		chaos_lose(w->z, first + i, 0);
	pp_zone_free_contig(w->z->zone, first, n);
	chaos_give(w->z, (int64_t)n);
}

static void op_contig(struct chaos_worker *w)
{
	enum pp_contig mode = w->z->ranges ? rng_below(&w->rng, 3) : rng_below(&w->rng, 2);
	int64_t hidden = mode == PP_CONTIG_HARD ? CHAOS_UNKNOWN : 0;
	uint64_t n = 1 + rng_below(&w->rng, rng_below(&w->rng, 4) ? 32 : 600);
	struct pp_page *first;
	int err;

	chaos_take(w->z, (int64_t)n + hidden);
	err = pp_zone_alloc_contig(w->z->zone, n, 1u << rng_below(&w->rng, 5), mode, 300, &first);
	require(!err || err == -EBUSY || err == -ETIMEDOUT);
	chaos_give(w->z, hidden + (err ? (int64_t)n : 0));
	if (!err)
		have_range(w, first, n);
}

static void op_isolate(struct chaos_worker *w)
{
	bool hard = rng_below(&w->rng, 2);
	uint64_t n, first = range(w, &n);
	int err;

	if (!w->z->ranges)
		return;
	chaos_take(w->z, CHAOS_UNKNOWN);
	err = hard ? pp_zone_isolate_hard(w->z->zone, first, n, 500)
		   : pp_zone_isolate(w->z->zone, first, n);
	require(!err || (hard && err == -ETIMEDOUT));
	if (!err) {
		err = pp_zone_isolate_test(w->z->zone, first, n);
		require(!err || err == -EBUSY);
		err = hard ? pp_zone_isolate_hard_undo(w->z->zone, first, n)
			   : pp_zone_isolate_undo(w->z->zone, first, n);
		require(!err);
	}
	chaos_give(w->z, CHAOS_UNKNOWN);
}

static void op_offline(struct chaos_worker *w)
{
	uint32_t block = pp_zone_block_pages(w->z->zone);
	uint64_t first = rng_below(&w->rng, 2) ? block : 0;
	uint64_t n = first ? pp_zone_pages(w->z->zone) - block : block;
	int err;

	if (!w->z->ranges)
		return;
	chaos_take(w->z, CHAOS_UNKNOWN);
	err = pp_zone_offline(w->z->zone, first, n, 300);
	require(!err || err == -EBUSY || err == -ETIMEDOUT);
	chaos_give(w->z, CHAOS_UNKNOWN);
}

static void op_shrink(struct chaos_worker *w)
{
	int64_t err;

	if (!w->z->ranges)
		return;
	chaos_take(w->z, CHAOS_UNKNOWN);
	err = pp_zone_shrink(w->z->zone, rng_below(&w->rng, 2) << 21);
	require(err >= 0 || err == -EBUSY);
	chaos_give(w->z, CHAOS_UNKNOWN);
}

static void op_pin(struct chaos_worker *w)
{
	require(!pp_zone_pin(w->z->zone));
	if (rng_below(&w->rng, 2))
		pp_zone_maintain(w->z->zone);
	pp_zone_unpin(w->z->zone);
}

/* asked for pages by another thread's PP_CONTIG_HARD: takes and frees, as it may */
static void reclaim(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct pp_page *page;

	if (pp_zone_alloc_bulk(zone, &page, 1))
		pp_zone_free_bulk(zone, &page, 1);
}

static void op_reclaimer(struct chaos_worker *w)
{
	struct pp_reclaimer reclaimer = { .reclaim = reclaim };

	if (!w->z->ranges)
		return;
	/* the page that reclaim() takes */
	chaos_take(w->z, CHAOS_THREADS);
	pp_zone_reclaimer_add(w->z->zone, &reclaimer);
	sleep_us(rng_below(&w->rng, 200));
	pp_zone_reclaimer_del(w->z->zone, &reclaimer);
	chaos_give(w->z, CHAOS_THREADS);
}

const struct chaos_op chaos_memory_ops[] = {
	{ "pp_zone_alloc_contig", op_contig, 6 },
	{ "pp_zone_isolate", op_isolate, 4 },
	{ "pp_zone_offline", op_offline, 2 },
	{ "pp_zone_shrink", op_shrink, 4 },
	{ "pp_zone_pin", op_pin, 1 },
	{ "pp_zone_reclaimer_add", op_reclaimer, 1 },
	{ NULL, NULL, 0 },
};
