/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * promise.c - an allocation fails only if no page of the zone is free anywhere: promise POLICY
 *
 * In each round the last pages of a zone lie in an idle pool, and threads that want fewer run short
 * at once: one of them trims the pool, and the others must find the pages on their way. 300 rounds
 * a scene, 5,000 with PP_FULL=1, or PP_PROMISE_ROUNDS.
 */
#include <string.h>

#include <pagepool/memory.h>
#include <pagepool/zone_set.h>

#include "variant.h"

#define PAGES	256
#define IDLE	16
#define THREADS 4

enum by {
	BY_ZONE,
	BY_POOL,
	BY_SET,
	BY_ORDER,
	BY_TRIM
};

struct taker {
	struct pinned thread;
	unsigned int id;
	struct page_pool *pool;
	uint64_t short_answers;
};

static struct pp_zone *zone;
static struct pp_zone_set *set;
static struct page_pool *idle;
static pthread_barrier_t line;
static enum by by;
static unsigned int order, rounds;

static unsigned int take(struct taker *t, struct pp_page **pages, unsigned int n)
{
	switch (by) {
	case BY_POOL:
		return page_pool_alloc_bulk(t->pool, pages, n);
	case BY_SET:
		return pp_zone_set_alloc_bulk(set, pages, n);
	case BY_ORDER:
		return pp_zone_alloc_order_bulk(zone, order, pages, n);
	default:
		return pp_zone_alloc_bulk(zone, pages, n);
	}
}

static void give(struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	if (by == BY_POOL)
		page_pool_put_bulk(pages, n);
	else if (by == BY_SET)
		pp_zone_set_free_bulk(set, pages, n);
	else
		for (i = 0; i < n; i++)
			pp_page_put(pages[i]);
}

/* 4 threads want 1 to 3 of 16: 4 are free whatever happens. */
static void taker_main(void *arg)
{
	struct taker *t = arg;
	struct rng r = rng_init(t->id);
	struct pp_page *pages[3];
	unsigned int i, n, got;

	if (by == BY_POOL)
		t->pool = pool_new(zone, 16, 8, 8);
	for (i = 0; i < rounds; i++) {
		n = by == BY_ORDER ? 1 : 1 + rng_below(&r, 3);
		pthread_barrier_wait(&line); /* the pages are in the idle pool */
		if (by == BY_TRIM && t->id == 0) {
			page_pool_trim(idle, 0, 1000000);
			got = n = 0;
		} else {
			got = take(t, pages, n);
		}
		t->short_answers += got < n;
		pthread_barrier_wait(&line); /* all have what they get */
		give(pages, got);
		if (by == BY_POOL)
			page_pool_trim(t->pool, 0, 1000000);
		pthread_barrier_wait(&line);
	}
	page_pool_destroy(t->pool);
}

/* All free pages into the idle pool; this is its owner. */
static void collect(unsigned int all)
{
	struct pp_page *pages[IDLE];
	unsigned int got = page_pool_alloc_bulk(idle, pages, all);

	require(got == all);
	page_pool_put_bulk(pages, got);
	require(pool_stats(idle).cache == all);
}

static void race(enum by how, unsigned int all)
{
	struct taker takers[THREADS];
	uint64_t short_answers = 0;
	unsigned int i;

	by = how;
	memset(takers, 0, sizeof(takers));
	pthread_barrier_init(&line, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		takers[i].id = i;
		pinned_start(&takers[i].thread, (int)test_cpu(i % test_cpus()), taker_main,
			     &takers[i]);
	}
	for (i = 0; i < rounds; i++) {
		collect(all);
		pthread_barrier_wait(&line);
		pthread_barrier_wait(&line);
		pthread_barrier_wait(&line);
	}
	for (i = 0; i < THREADS; i++) {
		pinned_join(&takers[i].thread);
		short_answers += takers[i].short_answers;
	}
	pthread_barrier_destroy(&line);
	print_message("# %u rounds, %llu short answers\n", rounds,
		      (unsigned long long)short_answers);
	assert_int_equal(short_answers, 0);
}

static struct pp_zone_params params(void)
{
	struct pp_zone_params p = variant_params(PAGES, 8, 64);

	p.drain_us = 5000000; /* a holder that lost its CPU for longer is an excuse */
	return p;
}

static struct page_pool *idle_pool(unsigned int run)
{
	struct page_pool_params p = { .sz = sizeof(p),
				      .zone = set ? NULL : zone,
				      .set = set,
				      .pool_size = 64,
				      .cache_size = 64,
				      .refill = 32,
				      .order = run };

	return page_pool_create(&p);
}

/* @how: the takers; all but the last pages of the zone are in use. */
static void scene(enum by how)
{
	struct pp_zone_params p = params();
	struct pp_page *rest[PAGES];

	zone = zone_new(&p);
	assert_int_equal(pp_zone_alloc_bulk(zone, rest, PAGES - IDLE), PAGES - IDLE);
	idle = idle_pool(0);
	assert_non_null(idle);
	race(how, IDLE);
	page_pool_destroy(idle);
	pp_zone_free_bulk(zone, rest, PAGES - IDLE);
	zone_end(zone);
}

static void by_zone(void **state)
{
	scene(BY_ZONE);
}

static void by_pools(void **state)
{
	scene(BY_POOL);
}

static void beside_trims(void **state)
{
	scene(BY_TRIM);
}

static void by_set(void **state)
{
	const struct pp_zone_params p = params();
	const struct pp_zone_set_params sp = { .sz = sizeof(sp), .zone = &p };
	struct pp_page *rest[PAGES];

	set = pp_zone_set_create(&sp);
	assert_non_null(set);
	zone = pp_zone_set_zone(set, pp_zone_set_this_node(set));
	assert_int_equal(pp_zone_set_alloc_bulk(set, rest, PAGES - IDLE), PAGES - IDLE);
	idle = idle_pool(0);
	assert_non_null(idle);
	race(BY_SET, IDLE);
	page_pool_destroy(idle);
	pp_zone_set_free_bulk(set, rest, PAGES - IDLE);
	assert_int_equal(pp_zone_set_destroy(set), 0);
	set = NULL;
}

static void by_orders(void **state)
{
	struct pp_zone_params p = params();
	struct pp_page *runs[PAGES];
	unsigned int n;

	for (order = 1; order <= 3; order++) {
		zone = zone_new(&p);
		zone_has_runs = true;
		n = (PAGES >> order) - IDLE / 2;
		assert_int_equal(pp_zone_alloc_order_bulk(zone, order, runs, n), n);
		idle = idle_pool(order);
		assert_non_null(idle);
		race(BY_ORDER, IDLE / 2);
		page_pool_destroy(idle);
		pp_zone_free_order_bulk(zone, runs, n);
		zone_end(zone);
		zone_has_runs = false;
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_zone),	cmocka_unit_test(by_pools),
		cmocka_unit_test(beside_trims), cmocka_unit_test(by_set),
		cmocka_unit_test(by_orders),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	if (!variant_drains_idle()) {
		printf("%s promises no drain of an idle owner: no allocation is promised either\n",
		       variant.policy);
		return 0;
	}
	rounds = (unsigned int)test_seconds("PP_PROMISE_ROUNDS", 300, 5000);
	return test_main("promise", tests, ARRAY_LEN(tests), 140 + rounds / 100);
}
