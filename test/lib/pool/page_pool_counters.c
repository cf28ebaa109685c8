/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool_counters.c - recycling rules, and every counter of scripted sequences
 */
#include "pool/pool_fixture.h"

struct expected {
	uint64_t fast, slow, empty, refill, cached, cache_full, ring, ring_full, released, failures;
	uint64_t in_cache, in_ring, out;
};

#define SAME(field, want)                                                                     \
	do {                                                                                  \
		if (s.field != (want)) {                                                      \
			print_error("line %d: " #field " is %llu, not %llu\n", line,          \
				    (unsigned long long)s.field, (unsigned long long)(want)); \
			bad = true;                                                           \
		}                                                                             \
	} while (0)

static void counters_are(struct page_pool *pool, const struct expected *e, int line)
{
	struct page_pool_stats s = pool_stats(pool);
	bool bad = false;

	SAME(alloc_fast, e->fast);
	SAME(alloc_slow, e->slow);
	SAME(alloc_slow_ho, 0);
	SAME(alloc_empty, e->empty);
	SAME(alloc_refill, e->refill);
	SAME(alloc_waive, 0);
	SAME(recycle_cached, e->cached);
	SAME(recycle_cache_full, e->cache_full);
	SAME(recycle_ring, e->ring);
	SAME(recycle_ring_full, e->ring_full);
	SAME(recycle_released_ref, e->released);
	SAME(alloc_failures, e->failures);
	SAME(cache, e->in_cache);
	SAME(ring, e->in_ring);
	SAME(outstanding, e->out);
	SAME(wrong_owner, 0);
	if (bad)
		fail();
	pool_check(pool, e->out);
}

#define COUNTERS(f, ...) counters_are((f).pool, &(struct expected){ __VA_ARGS__ }, __LINE__)

/* the sizes of the kernel: cache 128, refill 64 */
static void slow_and_fast(void **state)
{
	struct fixture f = fixture(1024, 0, 0, 0);

	COUNTERS(f, .fast = 0);
	take(&f, 0, 1);
	COUNTERS(f, .slow = 1, .empty = 1, .in_cache = 63, .out = 1);
	assert_int_equal(zone_stats(f.zone).in_flight, 64);
	take(&f, 1, 1);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 1, .in_cache = 62, .out = 2);
	take(&f, 2, 62);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 63, .out = 64);
	take(&f, 64, 32);
	COUNTERS(f, .slow = 2, .empty = 2, .fast = 63 + 31, .in_cache = 32, .out = 96);
	give(&f, 0, 96, true);
	COUNTERS(f, .slow = 2, .empty = 2, .fast = 94, .cached = 96, .in_cache = 128);
	take(&f, 0, 128);
	COUNTERS(f, .slow = 2, .empty = 2, .fast = 94 + 128, .cached = 96, .out = 128);
	pages_distinct(f.zone, f.pages, 128);
	give(&f, 0, 128, false);
	COUNTERS(f, .slow = 2, .empty = 2, .fast = 222, .cached = 224, .in_cache = 128);
	fixture_end(&f);
}

static void cache_full(void **state)
{
	struct fixture f = fixture(1024, 64, 32, 16);

	take(&f, 0, 128);
	COUNTERS(f, .slow = 8, .empty = 8, .fast = 120, .out = 128);
	give(&f, 0, 32, true);
	COUNTERS(f, .slow = 8, .empty = 8, .fast = 120, .cached = 32, .in_cache = 32, .out = 96);
	give(&f, 32, 40, true);
	COUNTERS(f, .slow = 8, .empty = 8, .fast = 120, .cached = 32, .cache_full = 40, .ring = 40,
		 .in_cache = 32, .in_ring = 40, .out = 56);
	give(&f, 72, 56, false);
	COUNTERS(f, .slow = 8, .empty = 8, .fast = 120, .cached = 32, .cache_full = 96, .ring = 64,
		 .ring_full = 32, .in_cache = 32, .in_ring = 64);
	assert_int_equal(zone_stats(f.zone).in_flight, 96);
	/* 32 from the cache, then a refill of 16 from the ring, of which 8 are left */
	take(&f, 0, 40);
	COUNTERS(f, .slow = 8, .empty = 8, .fast = 120 + 32 + 7, .refill = 1, .cached = 32,
		 .cache_full = 96, .ring = 64, .ring_full = 32, .in_cache = 8, .in_ring = 48,
		 .out = 40);
	give(&f, 0, 40, true);
	fixture_end(&f);
}

static void ring_refill(void **state)
{
	struct fixture f = fixture(1024, 0, 0, 0);

	take(&f, 0, 64);
	give_remote(&f, 0, 10);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 63, .ring = 10, .in_ring = 10, .out = 54);
	/* ten from the ring, then the ring is empty, then the zone */
	take(&f, 0, 10);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 63 + 9, .refill = 1, .ring = 10, .out = 64);
	take(&f, 64, 1);
	COUNTERS(f, .slow = 2, .empty = 2, .fast = 72, .refill = 1, .ring = 10, .in_cache = 63,
		 .out = 65);
	give_remote(&f, 0, 65);
	COUNTERS(f, .slow = 2, .empty = 2, .fast = 72, .refill = 1, .ring = 75, .in_cache = 63,
		 .in_ring = 65);
	/* across all three stores in one call */
	take(&f, 0, 63 + 65 + 32);
	COUNTERS(f, .slow = 3, .empty = 3, .fast = 72 + 63 + 63 + 0 + 31, .refill = 3, .ring = 75,
		 .in_cache = 32, .out = 160);
	pages_distinct(f.zone, f.pages, 160);
	give(&f, 0, 160, true);
	fixture_end(&f);
}

static void sum_of_allocations(void **state)
{
	static const uint32_t sizes[][3] = {
		{ 0, 0, 0 }, { 2, 1, 1 }, { 64, 4096, 512 }, { 1024, 3, 2 }, { 16384, 100, 100 }
	};
	struct rng r = rng_init(30);
	struct page_pool_stats s;
	unsigned int i, k, n;
	struct fixture f;
	uint64_t sum;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		f = fixture(2048, sizes[i][0], sizes[i][1], sizes[i][2]);
		sum = 0;
		for (k = 0; k < 300; k++) {
			n = 1 + rng_below(&r, k & 1 ? 40 : PP_BULK_MAX);
			take(&f, 0, n);
			pages_distinct(f.zone, f.pages, n);
			sum += n;
			s = pool_stats(f.pool);
			require(s.alloc_fast + s.alloc_refill + s.alloc_slow == sum);
			pool_check(f.pool, n);
			require(!sizes[i][0] || s.ring <= sizes[i][0]);
			require(s.cache <= (sizes[i][1] ? sizes[i][1] : 128));
			if (k % 3)
				page_pool_put_bulk(f.pages, n);
			else
				give(&f, 0, n, k & 1);
			pool_check(f.pool, 0);
		}
		s = pool_stats(f.pool);
		require(s.recycle_cached + s.recycle_ring + s.recycle_ring_full == sum);
		require(s.recycle_cache_full == s.recycle_ring + s.recycle_ring_full);
		fixture_end(&f);
	}
}

static void exhaustion(void **state)
{
	struct fixture f = fixture(100, 0, 0, 0);

	assert_int_equal(page_pool_alloc_bulk(f.pool, f.pages, 200), 100);
	COUNTERS(f, .slow = 2, .empty = 3, .fast = 98, .failures = 1, .out = 100);
	assert_null(page_pool_alloc_pages(f.pool));
	assert_int_equal(pool_stats(f.pool).alloc_failures, 2);
	give(&f, 99, 1, false);
	assert_ptr_equal(page_pool_alloc_pages(f.pool), f.pages[99]);
	give(&f, 0, 100, false);
	fixture_end(&f);
}

static void elevated_reference(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);
	struct pp_page *page;

	take(&f, 0, 2);
	page = f.pages[0];
	pp_page_get(page);
	page_pool_put_page(f.pool, page, true);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 1, .released = 1, .in_cache = 62, .out = 1);
	assert_int_equal(page_pool_inflight(f.pool), 63);
	/* it left the pool, but is not home: the other holder has it */
	zone_check(f.zone, 64);
	assert_int_equal(page->refs, 1);
	pp_page_put(page);
	zone_check(f.zone, 63);
	give(&f, 1, 1, true);

	/* the same in bulk: one of three stays with a user */
	take(&f, 0, 3);
	pp_page_get(f.pages[1]);
	page = f.pages[1];
	page_pool_put_bulk(f.pages, 3);
	assert_int_equal(pool_stats(f.pool).recycle_released_ref, 2);
	pp_page_put(page);

	/* a reference that is gone before the put does not count */
	take(&f, 0, 1);
	pp_page_get(f.pages[0]);
	pp_page_put(f.pages[0]);
	give(&f, 0, 1, true);
	assert_int_equal(pool_stats(f.pool).recycle_released_ref, 2);
	fixture_end(&f);
}

static void fragments(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);
	unsigned int i;

	take(&f, 0, 1);
	page_pool_fragment_page(f.pages[0], 4);
	for (i = 0; i < 3; i++) {
		give(&f, 0, 1, i & 1);
		COUNTERS(f, .slow = 1, .empty = 1, .in_cache = 63, .out = 1);
	}
	page_pool_ref_page(f.pages[0]);
	give(&f, 0, 1, false);
	COUNTERS(f, .slow = 1, .empty = 1, .in_cache = 63, .out = 1);
	give(&f, 0, 1, false);
	COUNTERS(f, .slow = 1, .empty = 1, .cached = 1, .in_cache = 64);
	assert_int_equal(f.pages[0]->pp_refs, 1);
	assert_int_equal(f.pages[0]->refs, 1);

	/* the same page three times in one bulk: the third is the last */
	take(&f, 0, 1);
	page_pool_fragment_page(f.pages[0], 3);
	f.pages[1] = f.pages[2] = f.pages[0];
	page_pool_put_bulk(f.pages, 3);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 1, .cached = 2, .in_cache = 64);
	fixture_end(&f);
}

static void owner_change(void **state)
{
	struct fixture f = fixture(256, 64, 32, 16);

	take(&f, 0, 16);
	page_pool_disable_direct_recycling(f.pool);
	give(&f, 0, 4, false);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 15, .ring = 4, .in_ring = 4, .out = 12);
	page_pool_enable_direct_recycling(f.pool);
	page_pool_enable_direct_recycling(f.pool);
	give(&f, 4, 4, false);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 15, .ring = 4, .cached = 4, .in_cache = 4,
		 .in_ring = 4, .out = 8);
	give_remote(&f, 8, 8);
	COUNTERS(f, .slow = 1, .empty = 1, .fast = 15, .ring = 12, .cached = 4, .in_cache = 4,
		 .in_ring = 12);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_and_fast), cmocka_unit_test(cache_full),
		cmocka_unit_test(ring_refill),	 cmocka_unit_test(sum_of_allocations),
		cmocka_unit_test(exhaustion),	 cmocka_unit_test(elevated_reference),
		cmocka_unit_test(fragments),	 cmocka_unit_test(owner_change),
	};

	return test_main("page_pool_counters", tests, ARRAY_LEN(tests), 60);
}
