/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * life.c - the life of a page at random, from several threads: arguments as in variant.h
 *
 * A naive model beside the library knows the holder of each page, of each block whether
 * the firmware gave it and how often it is isolated. A page that is handed out twice, out of
 * a range that its taker has isolated for certain, or of a block that was given to the system while
 * it was in use, is caught at once; at every rest all five states must be what the model says,
 *
 *   free + cached + in_flight + isolated + unaccepted == managed
 *
 * PP_LIFE_STEPS=N does so many steps, PP_LIFE_SECONDS=S runs so long, PP_SEED=N repeats.
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "variant.h"

#define BLOCK	1024u /* pages of 2 KiB */
#define BLOCKS	12u
#define PAGES	((BLOCKS - 1) * BLOCK + 300)
#define NESTED	2u
#define THREADS 4u
#define HELD	400u

static struct pp_zone *zone;
static bool refuses;
static uint64_t rests;

/* the model */
static unsigned char owner[PAGES];
static unsigned char have[BLOCKS];

struct isolation {
	uint64_t first;
	uint64_t n; /* 0: none */
	bool hard;
};

struct worker {
	struct rng rng;
	unsigned int id;
	unsigned int n;
	struct pp_page *held[HELD];
	struct pp_page *range;
	uint64_t range_n;
	struct isolation isolated[NESTED];
	uint64_t steps;
	uint64_t done[10];
};

static bool covers(const struct isolation *isolation, uint64_t block)
{
	return isolation->n && isolation->first / BLOCK <= block &&
	       (isolation->first + isolation->n - 1) / BLOCK >= block;
}

static void got(struct worker *w, struct pp_page *page, uint64_t n)
{
	uint64_t first = page_index(zone, page), i;
	unsigned int k;

	for (i = first / BLOCK; i <= (first + n - 1) / BLOCK; i++) {
		require(i < BLOCKS && __atomic_load_n(&have[i], __ATOMIC_ACQUIRE));
		for (k = 0; k < NESTED; k++)
			require(!w->isolated[k].hard || !covers(&w->isolated[k], i));
	}
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

static void end_isolation(struct worker *w, unsigned int k)
{
	struct isolation *isolation = &w->isolated[k];

	if (isolation->n && isolation->hard)
		require(!pp_zone_isolate_hard_undo(zone, isolation->first, isolation->n));
	else if (isolation->n)
		require(!pp_zone_isolate_undo(zone, isolation->first, isolation->n));
	isolation->n = 0;
}

/* Of any length, over others' ranges and one's own, and undone in any order. */
static void op_isolate(struct worker *w)
{
	unsigned int k = rng_below(&w->rng, NESTED);
	struct isolation *isolation = &w->isolated[k];
	uint64_t first = rng_below(&w->rng, PAGES), n = 1 + rng_below(&w->rng, BLOCK);
	int err;

	end_isolation(w, k);
	n = n < PAGES - first ? n : PAGES - first;
	isolation->hard = rng_below(&w->rng, 2);
	err = isolation->hard ? pp_zone_isolate_hard(zone, first, n, 300)
			      : pp_zone_isolate(zone, first, n);
	require(!err || (isolation->hard && err == -ETIMEDOUT));
	isolation->first = first;
	isolation->n = err ? 0 : n;
}

static void op_offline(struct worker *w)
{
	uint64_t block = rng_below(&w->rng, BLOCKS), n = 1 + rng_below(&w->rng, 2), i;
	int err;

	n = block + n < BLOCKS ? n * BLOCK : PAGES - block * BLOCK;
	err = pp_zone_offline(zone, block * BLOCK, n, 200);
	require(!err || err == -EBUSY || err == -ETIMEDOUT);
	w->done[9] += !err;
	/* what I have was not given away */
	for (i = 0; !err && i < w->n; i++)
		require(page_index(zone, w->held[i]) - block * BLOCK >= n);
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
		end_isolation(w, rng_below(&w->rng, NESTED));
		break;
	case 4:
		op_offline(w);
		break;
	case 5:
		require(pp_zone_shrink(zone, rng_below(&w->rng, BLOCKS) << 21) >= 0);
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

static uint64_t block_of(const void *base)
{
	return (uint64_t)((const unsigned char *)base - (const unsigned char *)pp_zone_base(zone)) /
	       (BLOCK * 2048);
}

static int firmware(void *arg, void *base, size_t len)
{
	if (__atomic_load_n(&refuses, __ATOMIC_RELAXED))
		return -EIO;
	require(!__atomic_exchange_n(&have[block_of(base)], 1, __ATOMIC_ACQ_REL));
	return 0;
}

static void unaccept(void *arg, void *base, size_t len)
{
	size_t i;

	require(__atomic_exchange_n(&have[block_of(base)], 0, __ATOMIC_ACQ_REL));
	/* nobody may be using it any more */
	for (i = 0; i < len; i += 2048)
		require(!__atomic_load_n(
			&owner[((unsigned char *)base + i - (unsigned char *)pp_zone_base(zone)) /
			       2048],
			__ATOMIC_ACQUIRE));
}

/* ---- the rest: library and model side by side ------------------------------------------------ */

static bool is_isolated(const struct worker *workers, uint64_t block)
{
	unsigned int i, k;

	for (i = 0; i < THREADS; i++)
		for (k = 0; k < NESTED; k++)
			if (covers(&workers[i].isolated[k], block))
				return true;
	return false;
}

/* Page by page; false: not so, or not yet. */
static bool agrees(const struct worker *workers)
{
	struct pp_audit a = { .sz = sizeof(a) };
	uint64_t used = 0, absent = 0, kept = 0, i;
	struct pp_zone_stats s = zone_stats(zone);

	for (i = 0; i < PAGES; i++) {
		/* pairs with firmware() in the acceptor, which may be at work; see check_all() */
		if (!__atomic_load_n(&have[i / BLOCK], __ATOMIC_ACQUIRE))
			absent++;
		else if (!owner[i])
			kept += is_isolated(workers, i / BLOCK);
		used += owner[i] > 0;
	}
	require(!pp_zone_audit(zone, &a));
	/* a page in a cache that was not drained is not isolated yet */
	return s.managed == PAGES && s.unaccepted == absent && s.in_flight == used &&
	       s.isolated <= kept && s.isolated + s.cached >= kept &&
	       s.free + s.cached + s.in_flight + s.isolated + s.unaccepted == PAGES &&
	       a.double_free == 0 && a.leaked == used;
}

static void check_all(const struct worker *workers, bool has_acceptor)
{
	double end = now_s() + 10;
	uint64_t held = 0;
	unsigned int i;
	bool ok;

	if (!(rests & 1))
		drain_done(pp_zone_drain_all(zone, 1000));
	/* a thread of the zone may be at what it was asked for last */
	while (!(ok = agrees(workers)) && has_acceptor && now_s() < end)
		sleep_us(1000);
	require(ok);
	for (i = 0; i < THREADS; i++)
		held += out(&workers[i]);
	pp_zone_maintain(zone); /* a decay that met an owner inside left more than high */
	if (!has_acceptor)
		zone_check(zone, held);
}

static struct worker workers[THREADS];

static void work_and_rest(uint64_t steps, bool has_acceptor)
{
	struct pinned threads[THREADS];
	unsigned int i, k;

	for (i = 0; i < THREADS; i++) {
		workers[i].steps = steps;
		pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(0), work, &workers[i]);
	}
	for (i = 0; i < THREADS; i++)
		pinned_join(&threads[i]);
	check_all(workers, has_acceptor);
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < NESTED; k++)
			if (rng_below(&workers[i].rng, 3))
				end_isolation(&workers[i], k);
	rests++;
}

static struct pp_zone_params life_params(void)
{
	static const struct pp_zone_ops ops = { firmware, unaccept };
	struct pp_zone_params p = variant_params(PAGES, 16, 64);

	p.ops = &ops;
	p.drain_us = 500;
	p.idle_ms = 1;
	p.flags |= PP_ZONE_LAZY;
	if (variant_is_signal_safe())
		p.flags |= PP_ZONE_ACCEPT_THREAD;
	return p;
}

static void go_home(void)
{
	unsigned int i, k;

	for (i = 0; i < THREADS; i++) {
		for (k = 0; k < NESTED; k++)
			end_isolation(&workers[i], k);
		op_free(&workers[i], HELD);
		end_range(&workers[i]);
	}
	pp_zone_drain_all(zone, 1000000);
	check_all(workers, variant_is_signal_safe());
}

static void everything(void **state)
{
	const struct pp_zone_params p = life_params();
	const char *env = getenv("PP_LIFE_STEPS");
	uint64_t steps = 0, most = env ? strtoull(env, NULL, 0) : 0, done[10] = { 0 };
	double start = now_s(), end = start + test_seconds("PP_LIFE_SECONDS", 1, 60);
	unsigned int i, k;

	zone = zone_new(&p);
	for (i = 0; i < THREADS; i++) {
		workers[i].rng = rng_init(i);
		workers[i].id = i + 1;
	}
	/* a busy machine does few steps in that time */
	while ((most ? steps < most : now_s() < end) || rests < 2 || !zone_stats(zone).releases) {
		work_and_rest(2000, p.flags & PP_ZONE_ACCEPT_THREAD);
		steps += 2000 * THREADS;
	}
	go_home();
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < 10; k++)
			done[k] += workers[i].done[k];
	print_message("# %.1f s, %llu steps, %llu rests, %llu contig, %llu isolate, %llu of %llu "
		      "offline, %llu accepts, %llu releases\n",
		      now_s() - start, (unsigned long long)steps, (unsigned long long)rests,
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
			 getenv("PP_LIFE_STEPS")
				 ? 3600
				 : 60 + (unsigned int)test_seconds("PP_LIFE_SECONDS", 2, 60) * 2);
}
