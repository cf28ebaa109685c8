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

#include "crew.h"
#include "scale/measure.h"

#define ROUNDS	20u
#define BATCHES 15u

struct turns {
	struct pp_zone *zone;
	unsigned int core;
	unsigned int bulk; /* 0: nothing but turns */
	unsigned int turn __attribute__((aligned(128)));
};

struct visitor {
	struct turns *turns;
	unsigned int has;
	bool short_of;
	struct pp_page *page[SCALE_SLICE + PP_BULK_MAX];
};

/* a slice is taken in one turn and given back in the next */
static void take_turn(struct visitor *v)
{
	struct turns *t = v->turns;

	if (!t->bulk)
		return;
	if (v->has) {
		scale_give(t->zone, v->page, v->has, t->bulk);
		v->has = 0;
		return;
	}
	v->has = scale_take(t->zone, v->page, t->bulk);
	v->short_of |= v->has < SCALE_SLICE;
}

static void *other_core(void *arg)
{
	struct visitor v = { .turns = arg };
	unsigned int i;

	for (i = 0; i < ROUNDS * BATCHES; i++) {
		bench_await(&v.turns->turn, 2 * i + 1);
		take_turn(&v);
		__atomic_store_n(&v.turns->turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* cycles of a turn of each of two cores; negative after bench_error() */
static double both_turns(struct turns *t)
{
	struct visitor v = { .turns = t };
	double batch[BATCHES];
	unsigned int i, k;
	pthread_t thread;
	uint64_t start;

	t->turn = 0;
	if (bench_thread(&thread, t->core, other_core, t))
		return -1;
	for (k = 0; k < BATCHES; k++) {
		start = pp_cycles();
		for (i = k * ROUNDS; i < (k + 1) * ROUNDS; i++) {
			take_turn(&v);
			__atomic_store_n(&t->turn, 2 * i + 1, __ATOMIC_RELEASE);
			bench_await(&t->turn, 2 * i + 2);
		}
		batch[k] = (double)(pp_cycles() - start) / ROUNDS;
	}
	pthread_join(thread, NULL);
	return bench_median(batch, BATCHES);
}

static double one_turn(struct turns *t)
{
	struct visitor v = { .turns = t };
	double batch[BATCHES];
	unsigned int i, k;
	uint64_t start;

	for (k = 0; k < BATCHES; k++) {
		start = pp_cycles();
		for (i = 0; i < ROUNDS; i++)
			take_turn(&v);
		batch[k] = (double)(pp_cycles() - start) / ROUNDS;
	}
	return bench_median(batch, BATCHES);
}

/* half of the time for as many pages that never leave the core's cache: a turn is half */
static double cached_turn(struct turns *t)
{
	struct bench_subject s = { .ctx = t->zone };
	unsigned long loops = SCALE_SLICE / t->bulk + !!(SCALE_SLICE % t->bulk);
	double batch[BATCHES];
	unsigned int k;

	for (k = 0; k < BATCHES; k++)
		batch[k] = (double)bench_run_zone(&s, t->bulk, loops * ROUNDS) / ROUNDS / 2;
	return bench_median(batch, BATCHES);
}

static int measure_turns(struct turns *t, struct scale_hold *hold)
{
	double alone, cached, both, empty, visits;
	unsigned int bulk = t->bulk;

	one_turn(t); /* warm */
	visits = (double)scale_visits(t->zone);
	alone = one_turn(t);
	visits = ((double)scale_visits(t->zone) - visits) / (ROUNDS * BATCHES);
	cached = cached_turn(t);
	both = both_turns(t);
	t->bulk = 0;
	empty = both_turns(t);
	t->bulk = bulk;
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
	struct turns t = { .core = b->opts.cores[1], .bulk = bulk };
	int err;

	t.zone = scale_zone_open(policy, 2);
	if (!t.zone)
		return -1;
	err = measure_turns(&t, hold);
	return bench_zone_close(b, t.zone) ? -1 : err;
}
