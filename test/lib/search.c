/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * search.c - a search that finds nothing ends in time
 *
 * Looks into structs: an owner is stopped in the middle of its turn.
 */
#include <pagepool/memory.h>

#include "invariants.h"

#define PAGES	 256u
#define DRAIN_US 5000u

static struct pp_page *held[PAGES];

/* A pool with 8 pages in its cache, whose owner is stopped in its turn. */
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
static void stopped_owner_is_awaited_once_or_twice(void **state)
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
	/* two of them, some rounds each; 500 rounds are 2.5 s */
	assert_in_range(now_ns() - start, 2 * DRAIN_US * 1000ull, 200 * DRAIN_US * 1000ull);
	turn_end(pool);
	assert_int_equal(pp_zone_alloc_bulk(zone, held + n, 8), 8);
	pp_zone_free_bulk(zone, held, PAGES);
	page_pool_destroy(pool);
	zone_end(zone);
	zone_has_runs = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_owner_is_awaited_once_or_twice),
	};

	return test_main("search", tests, ARRAY_LEN(tests), 120);
}
