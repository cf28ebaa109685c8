/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * searches.c - a search that finds nothing ends in time, and one for runs misses none
 *
 * Looks into structs: an owner is stopped in the middle of its turn, and a zone is locked.
 */
#include <signal.h>

#include <pagepool/memory.h>

#include "pool/invariants.h"

#define PAGES	 256u
#define DRAIN_US 5000u

static struct pp_page *held[PAGES];

/* A pool with 8 pages in its cache, and an owner that is stopped in its turn. */
static struct page_pool *stopped_owner(struct pp_zone *zone)
{
	struct page_pool *pool = pool_new(zone, 64, 32, 8);
	struct pp_page *page = page_pool_alloc_pages(pool);

	require(page);
	page_pool_put_page(pool, page, true);
	require(pool->count == 8);
	page_pool_disable_direct_recycling(pool); /* it is another thread's from here on */
	turn_begin(pool);
	return pool;
}

/* Each wait for the owner is bounded by drain_us, and so is what a search repeats. */
static void a_stopped_owner_is_awaited_once(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	struct page_pool *pool;
	struct pp_zone *zone;
	unsigned int n = 0, k;
	uint64_t start;

	zp.drain_us = DRAIN_US;
	zone = zone_new(&zp);
	zone_has_runs = true;
	pool = stopped_owner(zone);
	start = now_ns();
	while ((k = pp_zone_alloc_bulk(zone, held + n, 1)))
		n += k;
	assert_int_equal(n, PAGES - 8);
	assert_int_equal(pp_zone_alloc_order_bulk(zone, 1, held + n, 1), 0);
	/* two of them; with 500 rounds each it is 5 s */
	assert_in_range(now_ns() - start, 2 * DRAIN_US * 1000ull, 200 * DRAIN_US * 1000ull);
	turn_end(pool);
	assert_int_equal(pp_zone_alloc_bulk(zone, held + n, 8), 8);
	pp_zone_free_bulk(zone, held, PAGES);
	page_pool_destroy(pool);
	zone_end(zone);
	zone_has_runs = false;
}

/* ---- runs beside single pages ---------------------------------------------------------------- */

#define SMALL	64u
#define IN_USE	4u /* most single pages at once */
#define ROUNDS	100000u
#define LAST_NS 1500000000ull

struct single {
	struct pp_zone *zone;
	bool stop;
};

static void use_single_pages(void *arg)
{
	struct single *s = arg;
	struct pp_page *pages[IN_USE];
	unsigned int i, n;

	for (i = 0; !READ_ONCE(s->stop); i++) {
		n = pp_zone_alloc_bulk(s->zone, pages, 1 + i % IN_USE);
		pp_zone_free_bulk(s->zone, pages, n);
	}
}

/* A page in use breaks one run at most. What its user's cache was refilled with breaks none. */
static void runs_are_found_beside_refills(void **state)
{
	struct pp_zone_params zp = zone_params(SMALL);
	struct pinned thread;
	struct single s = { 0 };
	unsigned int i, n, k;
	uint64_t start;

	zp.batch = 8;
	zp.high = SMALL;
	zp.drain_us = 5000000; /* a holder that lost its CPU for longer is an excuse */
	s.zone = zone_new(&zp);
	zone_has_runs = true;
	pinned_start(&thread, (int)test_cpu(1 % test_cpus()), use_single_pages, &s);
	start = now_ns();
	for (i = 0; i < ROUNDS && now_ns() - start < LAST_NS; i++) {
		n = 0;
		while ((k = pp_zone_alloc_order_bulk(s.zone, 1, held + n, 1)))
			n += k;
		pp_zone_free_order_bulk(s.zone, held, n);
		if (n < SMALL / 2 - IN_USE)
			fail_msg("round %u: %u runs of %u", i, n, SMALL / 2);
	}
	WRITE_ONCE(s.stop, true);
	pinned_join(&thread);
	zone_end(s.zone);
	zone_has_runs = false;
}

/* ---- a contended lock ------------------------------------------------------------------------ */

static void take_one(void *arg)
{
	require(pp_zone_alloc_bulk(arg, held, 1) == 1);
}

/* No handler's call: it waits, and debug builds do not take it for a handler that does. */
static void threads_wait_for_a_signal_safe_zone(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	struct pinned thread;
	struct pp_zone *zone;

	zp.flags = PP_ZONE_SIGNAL_SAFE;
	zone = zone_new(&zp);
	require(stock_lock(zone->stock));
	pinned_start(&thread, -1, take_one, zone);
	while (!(READ_ONCE(zone->stock->lock.word) & LOCK_WAITERS))
		sleep_us(100);
	stock_unlock(zone->stock);
	pinned_join(&thread);
	pp_zone_free_bulk(zone, held, 1);
	zone_end(zone);
}

/* A handler has no pools: a pool allocation drains and trims whatever signals its thread blocks. */
static void pools_search_for_threads_that_block_signals(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	struct page_pool *idle, *pool;
	struct pp_zone *zone;
	sigset_t some, old;

	zp.flags = PP_ZONE_SIGNAL_SAFE;
	zone = zone_new(&zp);
	idle = pool_new(zone, PAGES, PAGES, PAGES);
	pool = pool_new(zone, 64, 16, 8);
	require(page_pool_alloc_bulk(idle, held, PAGES) == PAGES);
	page_pool_put_bulk(held, PAGES);
	require(pool_stats(idle).cache == PAGES);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &some, &old);
	assert_int_equal(page_pool_alloc_bulk(pool, held, PAGES), PAGES);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	page_pool_put_bulk(held, PAGES);
	page_pool_destroy(pool);
	page_pool_destroy(idle);
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stopped_owner_is_awaited_once),
		cmocka_unit_test(runs_are_found_beside_refills),
		cmocka_unit_test(threads_wait_for_a_signal_safe_zone),
		cmocka_unit_test(pools_search_for_threads_that_block_signals),
	};

	return test_main("searches", tests, ARRAY_LEN(tests), 120);
}
