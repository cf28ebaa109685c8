/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.c - parameters, mixed returns, and the end of a pool, in one thread
 */
#include <errno.h>

#include "pool/pool_fixture.h"

static void params(void **state)
{
	struct longer {
		struct page_pool_params p;
		uint64_t tail[2];
	} l;
	struct pp_zone_params zp = zone_params(64);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pool;

	memset(&l, 0, sizeof(l));
	l.p.zone = zone;
	l.p.sz = sizeof(l);
	l.p.name = "rx0";
	pool = page_pool_create(&l.p);
	assert_non_null(pool);
	assert_string_equal(page_pool_name(pool), "rx0");
	assert_ptr_equal(page_pool_zone(pool), zone);
	assert_int_equal(page_pool_inflight(pool), 0);
	assert_int_equal(zone_stats(zone).in_flight, 0);
	page_pool_destroy(pool);
	l.tail[1] = 1;
	errno = 0;
	assert_null(page_pool_create(&l.p));
	assert_int_equal(errno, E2BIG);

	/* an older program: name and zone alone */
	memset(&l, 0xff, sizeof(l));
	l.p.sz = offsetof(struct page_pool_params, pool_size);
	l.p.name = NULL;
	l.p.zone = zone;
	pool = page_pool_create(&l.p);
	assert_non_null(pool);
	assert_string_equal(page_pool_name(pool), "pool");
	page_pool_destroy(pool);
	page_pool_destroy(NULL);
	zone_end(zone);
}

static void rejected(struct pp_zone *zone, uint32_t ring, uint32_t cache, uint32_t refill,
		     const char *name)
{
	struct page_pool_params p = { .sz = sizeof(p),
				      .zone = zone,
				      .pool_size = ring,
				      .cache_size = cache,
				      .refill = refill };

	errno = 0;
	if (page_pool_create(&p)) {
		print_error("ring %u cache %u refill %u was accepted\n", ring, cache, refill);
		fail();
	}
	if (errno != EINVAL || !strstr(pp_error(), name)) {
		print_error("bad %s: errno %d, the sentence is \"%s\"\n", name, errno, pp_error());
		fail();
	}
}

static void params_bad(void **state)
{
	struct pp_zone_params zp = zone_params(64);
	struct pp_zone *zone = zone_new(&zp);

	rejected(NULL, 0, 0, 0, "zone");
	rejected(zone, 1, 0, 0, "pool_size");
	rejected(zone, 3, 0, 0, "pool_size");
	rejected(zone, 1000, 0, 0, "pool_size");
	rejected(zone, 32768, 0, 0, "pool_size");
	rejected(zone, UINT32_MAX, 0, 0, "pool_size");
	rejected(zone, 0, 4097, 0, "cache_size");
	rejected(zone, 0, UINT32_MAX, 0, "cache_size");
	rejected(zone, 0, 128, 129, "refill");
	rejected(zone, 0, 64, 65, "refill");
	rejected(zone, 0, 4096, 513, "refill");
	rejected(zone, 0, 4096, UINT32_MAX, "refill");
	zone_end(zone);
}

static void stats_size(void **state)
{
	struct fixture f = fixture(64, 0, 0, 0);
	struct page_pool_stats s = { .sz = sizeof(s) + 8 };

	assert_int_equal(page_pool_get_stats(f.pool, &s), -E2BIG);
	s.sz = offsetof(struct page_pool_stats, alloc_waive);
	s.alloc_waive = 4711;
	assert_int_equal(page_pool_get_stats(f.pool, &s), 0);
	assert_int_equal(s.alloc_waive, 4711);
	fixture_end(&f);
}

static void lifo(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);
	struct pp_page *page;

	take(&f, 0, 8);
	give(&f, 0, 8, true);
	page = page_pool_alloc_pages(f.pool);
	assert_ptr_equal(page, f.pages[7]);
	page_pool_recycle_direct(f.pool, page);
	page_pool_put_full_page(f.pool, page_pool_alloc_pages(f.pool), false);
	fixture_end(&f);
}

static void bulk_put_mixed(void **state)
{
	struct pp_zone_params zp = zone_params(1024);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pools[3];
	struct pp_page *pages[120];
	unsigned int i, round;

	for (i = 0; i < 3; i++)
		pools[i] = pool_new(zone, 8, 4, 4);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 120; i++) {
			if (i % 4 < 3)
				pages[i] = page_pool_alloc_pages(pools[i % 4]);
			else
				require(pp_zone_alloc_bulk(zone, &pages[i], 1) == 1);
			require(pages[i] && pages[i]->pool == (i % 4 < 3 ? pools[i % 4] : NULL));
		}
		page_pool_put_bulk(pages, 120);
		for (i = 0; i < 3; i++) {
			struct page_pool_stats s = pool_stats(pools[i]);

			/* 2 of the last refill were there, 30 came back: 12 stay in the pool */
			require(s.cache == 4 && s.ring == 8 && s.outstanding == 0);
			pool_check(pools[i], 0);
			require(s.recycle_cached + s.recycle_ring + s.recycle_ring_full ==
				30 * (round + 1));
			require(s.recycle_ring_full == 20 * (round + 1));
		}
		zone_check(zone, 3 * 12);
	}
	page_pool_put_bulk(pages, 0);
	for (i = 0; i < 3; i++)
		page_pool_destroy(pools[i]);
	zone_end(zone);
}

/* The holder of a page need not know whether it is of a pool. */
static void put_without_a_pool(void **state)
{
	struct fixture f = fixture(64, 16, 16, 8);

	assert_int_equal(pp_zone_alloc_bulk(f.zone, f.pages, 2), 2);
	page_pool_put_page(NULL, f.pages[0], false);
	page_pool_put_page(f.pool, f.pages[1], true);
	assert_int_equal(page_pool_inflight(f.pool), 0);
	take(&f, 0, 2);
	page_pool_put_page(NULL, f.pages[0], false);
	page_pool_put_page(NULL, f.pages[1], true);
	assert_int_equal(pool_stats(f.pool).outstanding, 0);
	assert_int_equal(pool_stats(f.pool).wrong_owner, 0);
	fixture_end(&f);
}

static void destroy_with_pages_out(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);

	take(&f, 0, 100);
	give_remote(&f, 0, 20);
	page_pool_destroy(f.pool);
	/* cache and ring went home at once */
	zone_check(f.zone, 80);
	assert_int_equal(pp_zone_destroy(f.zone), -EBUSY);
	give(&f, 20, 30, false);
	zone_check(f.zone, 50);
	page_pool_put_bulk(f.pages + 50, 49);
	zone_check(f.zone, 1);
	give_remote(&f, 99, 1);
	zone_end(f.zone);
}

static void destroy_with_fragments_out(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);

	take(&f, 0, 3);
	page_pool_fragment_page(f.pages[0], 2);
	pp_page_get(f.pages[1]);
	page_pool_destroy(f.pool);
	give(&f, 0, 1, false);
	zone_check(f.zone, 3);
	give(&f, 1, 1, false);
	zone_check(f.zone, 3);
	give(&f, 2, 1, false);
	zone_check(f.zone, 2);
	give(&f, 0, 1, false);
	zone_check(f.zone, 1);
	pp_page_put(f.pages[1]);
	zone_end(f.zone);
}

static void pools_after_each_other(void **state)
{
	struct pp_zone_params zp = zone_params(128);
	struct pp_zone *zone = zone_new(&zp);
	struct pp_page *pages[128];
	struct page_pool *pool;
	unsigned int i, k;

	/* pages that were in a pool are nobody's again */
	for (i = 0; i < 20; i++) {
		pool = pool_new(zone, 0, 0, 0);
		require(page_pool_alloc_bulk(pool, pages, 128) == 128);
		page_pool_put_bulk(pages, 128);
		page_pool_destroy(pool);
		require(pp_zone_alloc_bulk(zone, pages, 128) == 128);
		for (k = 0; k < 128; k++) {
			page_is_fresh(zone, pages[k]);
			require(pages[k]->pool == NULL);
		}
		page_pool_put_bulk(pages, 128);
		zone_check(zone, 0);
	}
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(params),
		cmocka_unit_test(params_bad),
		cmocka_unit_test(stats_size),
		cmocka_unit_test(lifo),
		cmocka_unit_test(bulk_put_mixed),
		cmocka_unit_test(put_without_a_pool),
		cmocka_unit_test(destroy_with_pages_out),
		cmocka_unit_test(destroy_with_fragments_out),
		cmocka_unit_test(pools_after_each_other),
	};

	return test_main("page_pool", tests, ARRAY_LEN(tests), 60);
}
