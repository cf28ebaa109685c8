/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scale/hold.c - how long a zone's lock is held, measured from outside
 *
 * Pages that come from the core's cache and go back there cost the calls and no lock. A
 * slice that overflows the cache costs more; the difference, divided by its visits to the
 * zone, is the hold. It is an upper bound.
 *
 * Two cores that take turns find the zone's lines, the lock's and those of the pages it
 * moves, in each other's caches. A turn then takes longer than alone. But for two
 * transfers, the turn's and the lock's, the difference is the price of these lines.
 */
#include <stdlib.h>

#include "scale/measure.h"

#define ROUNDS	4u /* of a batch: short beside a time slice of the scheduler */
#define BATCHES 101u

struct visitor {
	struct pp_zone *zone;
	unsigned int bulk;
	unsigned int has;
	bool short_of;
	struct pp_page *page[SCALE_SLICE + PP_BULK_MAX];
};

/* a slice is taken in one turn and given back in the next */
static void take_turn(void *visitor)
{
	struct visitor *v = visitor;

	if (v->has) {
		scale_give(v->zone, v->page, v->has, v->bulk);
		v->has = 0;
		return;
	}
	v->has = scale_take(v->zone, v->page, v->bulk);
	v->short_of |= v->has < SCALE_SLICE;
}

static double one_turn(struct visitor *v)
{
	double batch[BATCHES];
	unsigned int i, k;
	uint64_t start;

	for (k = 0; k < BATCHES; k++) {
		start = pp_cycles();
		for (i = 0; i < ROUNDS; i++)
			take_turn(v);
		batch[k] = (double)(pp_cycles() - start) / ROUNDS;
	}
	return bench_median(batch, BATCHES);
}

/* half of the time for as many pages that never leave the core's cache: a turn is half */
static double cached_turn(struct visitor *v)
{
	struct bench_subject s = { .ctx = v->zone };
	unsigned long loops = SCALE_SLICE / v->bulk + !!(SCALE_SLICE % v->bulk);
	double batch[BATCHES];
	unsigned int k;

	for (k = 0; k < BATCHES; k++)
		batch[k] = (double)bench_run_zone(&s, v->bulk, loops * ROUNDS) / ROUNDS / 2;
	return bench_median(batch, BATCHES);
}

static int measure_turns(struct visitor *v, unsigned int core, struct scale_hold *hold)
{
	double alone, cached, both, empty, visits;

	one_turn(v); /* warm */
	visits = (double)scale_visits(v->zone);
	alone = one_turn(v);
	visits = ((double)scale_visits(v->zone) - visits) / (ROUNDS * BATCHES);
	cached = cached_turn(v);
	both = bench_turns(core, ROUNDS, take_turn, &v[0], &v[1]);
	empty = bench_turns(core, ROUNDS, NULL, NULL, NULL);
	if (both < 0 || empty < 0)
		return -1;
	hold->transfer = empty / 2;
	hold->local = visits > 0 && alone > cached ? (alone - cached) / visits : 0;
	hold->remote = hold->local;
	both = both / 2 - 2 * hold->transfer;
	if (visits > 0 && both > alone)
		hold->remote += (both - alone) / visits;
	return 0;
}

int scale_measure_hold(struct bench *b, const char *policy, unsigned int bulk,
		       struct scale_hold *hold)
{
	struct pp_zone *zone = scale_zone_open(policy, 2);
	struct visitor *v = bench_alloc(2, sizeof(*v)); /* of the two cores */
	int err = zone && v ? 0 : -1;

	if (!err) {
		v[0].zone = v[1].zone = zone;
		v[0].bulk = v[1].bulk = bulk;
		err = measure_turns(v, b->opts.cores[1], hold);
	}
	free(v);
	return bench_zone_close(b, zone) ? -1 : err;
}
