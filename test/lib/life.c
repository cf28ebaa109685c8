/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * life.c - the life of a page at random, from several threads: arguments as in variant.h
 *
 * A model beside the library has a byte for each page, set by whoever was given it and cleared
 * before it goes back: a page that is handed out twice, or whose block was given to the system
 * while it was in use (its content is gone), is caught at once. At every rest the ledger must
 * add up.
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "variant.h"

#define BLOCK	1024u /* pages of 2 KiB */
#define PAGES	(5 * BLOCK + 300)
#define THREADS 4u
#define HELD	400u

static struct pp_zone *zone;
static unsigned char owner[PAGES];
static bool refuses;
static uint64_t rests;

struct worker {
	struct rng rng;
	unsigned int id;
	unsigned int n;
	struct pp_page *held[HELD];
	struct pp_page *range;
	uint64_t range_n;
	uint64_t isolated; /* block + 1 */
	bool hard;
	uint64_t steps;
	uint64_t done[10];
};

static void got(struct worker *w, struct pp_page *page, uint64_t n)
{
	uint64_t first = page_index(zone, page), i;

	for (i = first; i < first + n; i++) {
		require(i < PAGES);
		require(!__atomic_exchange_n(&owner[i], w->id, __ATOMIC_ACQ_REL));
		memset((unsigned char *)pp_zone_base(zone) + i * 2048, (int)w->id, 16);
	}
}

static void lose(struct worker *w, struct pp_page *page, uint64_t n)
{
	uint64_t first = page_index(zone, page), i;

	for (i = first; i < first + n; i++) {
		require(((unsigned char *)pp_zone_base(zone))[i * 2048 + 15] == w->id);
		require(__atomic_exchange_n(&owner[i], 0, __ATOMIC_ACQ_REL) == w->id);
	}
}

static void op_alloc(struct worker *w)
{
	unsigned int order = rng_below(&w->rng, 4) ? 0 : rng_below(&w->rng, 6), k, i;

	k = 1 + rng_below(&w->rng, order ? 4 : 40);
	k = k < HELD - w->n ? k : HELD - w->n;
	if (!k)
		return;
	k = pp_zone_alloc_order_bulk(zone, order, w->held + w->n, k);
	for (i = 0; i < k; i++)
		got(w, w->held[w->n + i], 1u << order);
	w->n += k;
}

static void op_free(struct worker *w, unsigned int k)
{
	unsigned int i;

	k = k < w->n ? k : w->n;
	w->n -= k;
	for (i = w->n; i < w->n + k; i++)
		lose(w, w->held[i], 1u << pp_page_order(w->held[i]));
	pp_zone_free_order_bulk(zone, w->held + w->n, k);
}

static void end_range(struct worker *w)
{
	if (w->range) {
		lose(w, w->range, w->range_n);
		pp_zone_free_contig(zone, w->range, w->range_n);
	}
	w->range = NULL;
}

static void op_range(struct worker *w)
{
	end_range(w);
	w->range_n = 1 + rng_below(&w->rng, 1500);
	if (!pp_zone_alloc_contig(zone, w->range_n, 1u << rng_below(&w->rng, 5),
				  rng_below(&w->rng, 3), 300, &w->range))
		got(w, w->range, w->range_n);
	else
		w->range = NULL;
}

static void end_isolation(struct worker *w)
{
	uint64_t first = (w->isolated - 1) * BLOCK;

	if (w->isolated && w->hard)
		require(!pp_zone_isolate_hard_undo(zone, first, 1));
	else if (w->isolated)
		require(!pp_zone_isolate_undo(zone, first, 1));
	w->isolated = 0;
}

static void op_isolate(struct worker *w)
{
	uint64_t block = rng_below(&w->rng, 6);
	int err;

	end_isolation(w);
	w->hard = rng_below(&w->rng, 2);
	err = w->hard ? pp_zone_isolate_hard(zone, block * BLOCK, 1, 300)
		      : pp_zone_isolate(zone, block * BLOCK, 1);
	require(!err || (w->hard && err == -ETIMEDOUT));
	w->isolated = err ? 0 : block + 1;
}

static void op_offline(struct worker *w)
{
	uint64_t block = rng_below(&w->rng, 6);
	int err = pp_zone_offline(zone, block * BLOCK, block == 5 ? 300 : BLOCK, 200);

	require(!err || err == -EBUSY || err == -ETIMEDOUT);
	w->done[9] += !err;
}

static void op_rare(struct worker *w)
{
	unsigned int k = rng_below(&w->rng, 8);

	w->done[k]++;
	switch (k) {
	case 0:
		op_range(w);
		break;
	case 1:
		end_range(w);
		break;
	case 2:
		op_isolate(w);
		break;
	case 3:
		end_isolation(w);
		break;
	case 4:
		op_offline(w);
		break;
	case 5:
		require(pp_zone_shrink(zone, rng_below(&w->rng, 6) << 21) >= 0);
		break;
	case 6:
		drain_done(pp_zone_drain_all(zone, 300));
		break;
	default:
		__atomic_store_n(&refuses, rng_below(&w->rng, 2), __ATOMIC_RELAXED);
		pp_zone_maintain(zone);
	}
}

static void work(void *arg)
{
	struct worker *w = arg;
	uint64_t i;

	for (i = 0; i < w->steps; i++) {
		switch (rng_below(&w->rng, 400)) {
		case 0:
			op_rare(w);
			break;
		case 1 ... 200:
			op_alloc(w);
			break;
		default:
			op_free(w, 1 + rng_below(&w->rng, 40));
		}
	}
	if (rng_below(&w->rng, 2))
		op_free(w, HELD);
}

static uint64_t out(const struct worker *w)
{
	uint64_t n = w->range ? w->range_n : 0;
	unsigned int i;

	for (i = 0; i < w->n; i++)
		n += 1u << pp_page_order(w->held[i]);
	return n;
}

static int firmware(void *arg, void *base, size_t len)
{
	return __atomic_load_n(&refuses, __ATOMIC_RELAXED) ? -EIO : 0;
}

static void unaccept(void *arg, void *base, size_t len)
{
	size_t i;

	/* nobody may be using it any more */
	for (i = 0; i < len; i += 2048)
		require(!__atomic_load_n(
			&owner[((unsigned char *)base + i - (unsigned char *)pp_zone_base(zone)) /
			       2048],
			__ATOMIC_ACQUIRE));
}

static const struct pp_zone_ops ops = { firmware, unaccept };

static void everything(void **state)
{
	static struct worker workers[THREADS];
	struct pp_zone_params p = variant_params(PAGES, 16, 64);
	double end = now_s() + test_seconds("PP_LIFE_SECONDS", 1.5, 60);
	struct pinned threads[THREADS];
	uint64_t steps = 0, held, done[10] = { 0 };
	unsigned int i, k;

	p.ops = &ops;
	p.drain_us = 500;
	p.idle_ms = 1;
	p.flags |= PP_ZONE_LAZY;
	if (variant_is_signal_safe())
		p.flags |= PP_ZONE_ACCEPT_THREAD;
	zone = zone_new(&p);
	for (i = 0; i < THREADS; i++) {
		workers[i].rng = rng_init(i);
		workers[i].id = i + 1;
	}
	/* a busy machine does few steps in that time */
	while (now_s() < end || rests < 2 || !zone_stats(zone).releases) {
		for (i = 0; i < THREADS; i++) {
			workers[i].steps = 2000;
			steps += workers[i].steps;
			pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(0), work, &workers[i]);
		}
		for (held = i = 0; i < THREADS; i++) {
			pinned_join(&threads[i]);
			held += out(&workers[i]);
		}
		for (i = 0; i < THREADS; i++)
			end_isolation(&workers[i]);
		if (!(p.flags & PP_ZONE_ACCEPT_THREAD))
			zone_check(zone, held);
		rests++;
	}
	for (i = 0; i < THREADS; i++) {
		op_free(&workers[i], HELD);
		end_range(&workers[i]);
		for (k = 0; k < 10; k++)
			done[k] += workers[i].done[k];
	}
	pp_zone_drain_all(zone, 1000000);
	print_message("# %llu steps, %llu rests, %llu contig, %llu isolate, %llu of %llu offline, "
		      "%llu accepts, %llu releases\n",
		      (unsigned long long)steps, (unsigned long long)rests,
		      (unsigned long long)done[0], (unsigned long long)done[2],
		      (unsigned long long)done[9], (unsigned long long)done[4],
		      (unsigned long long)zone_stats(zone).accepts,
		      (unsigned long long)zone_stats(zone).releases);
	assert_true(rests > 1 && zone_stats(zone).releases > 0);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(everything) };
	int refused;

	zone_has_runs = true;
	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests),
			 60 + (unsigned int)test_seconds("PP_LIFE_SECONDS", 2, 60) * 2);
}
