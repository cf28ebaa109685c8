/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.c - one thread: parameters, recycling rules, and every counter of scripted sequences
 */
#include <errno.h>
#include <string.h>

#include "harness.h"

struct fixture {
	struct pp_zone *zone;
	struct page_pool *pool;
	struct pp_page *pages[PP_BULK_MAX];
};

static struct fixture fixture(uint64_t pages, uint32_t ring, uint32_t cache, uint32_t refill)
{
	struct pp_zone_params p = zone_params(pages);
	struct fixture f;

	p.headroom = 256;
	f.zone = zone_new(&p);
	f.pool = pool_new(f.zone, ring, cache, refill);
	return f;
}

static void fixture_end(struct fixture *f)
{
	pool_check(f->pool, 0);
	page_pool_destroy(f->pool);
	zone_end(f->zone);
}

static void take(struct fixture *f, unsigned int at, unsigned int n)
{
	unsigned int i;

	require(page_pool_alloc_bulk(f->pool, f->pages + at, n) == n);
	for (i = at; i < at + n; i++) {
		page_is_fresh(f->zone, f->pages[i]);
		require(f->pages[i]->pool == f->pool);
	}
}

static void give(struct fixture *f, unsigned int at, unsigned int n, bool direct)
{
	unsigned int i;

	for (i = at; i < at + n; i++)
		page_pool_put_page(f->pool, f->pages[i], direct);
}

static void give_main(void *arg)
{
	struct fixture *f = arg;
	unsigned int i;

	for (i = 0; f->pages[i]; i++)
		page_pool_put_page(f->pool, f->pages[i], false);
}

/* pages @at .. @at + @n are returned by a thread that does not own the pool */
static void give_remote(struct fixture *f, unsigned int at, unsigned int n)
{
	struct fixture r = { .pool = f->pool };

	memcpy(r.pages, f->pages + at, n * sizeof(*r.pages));
	run_on(-1, give_main, &r);
}

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
	struct page_pool_params p = { sizeof(p), NULL, zone, ring, cache, refill };

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
	rejected(zone, 1, 0, 0, "ring");
	rejected(zone, 3, 0, 0, "ring");
	rejected(zone, 1000, 0, 0, "ring");
	rejected(zone, 32768, 0, 0, "ring");
	rejected(zone, UINT32_MAX, 0, 0, "ring");
	rejected(zone, 0, 4097, 0, "cache");
	rejected(zone, 0, UINT32_MAX, 0, "cache");
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

	/* the same in bulk: one of three stays with somebody */
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
		cmocka_unit_test(slow_and_fast),
		cmocka_unit_test(cache_full),
		cmocka_unit_test(ring_refill),
		cmocka_unit_test(sum_of_allocations),
		cmocka_unit_test(exhaustion),
		cmocka_unit_test(lifo),
		cmocka_unit_test(elevated_reference),
		cmocka_unit_test(fragments),
		cmocka_unit_test(bulk_put_mixed),
		cmocka_unit_test(owner_change),
		cmocka_unit_test(destroy_with_pages_out),
		cmocka_unit_test(destroy_with_fragments_out),
		cmocka_unit_test(pools_after_each_other),
	};

	return test_main("page_pool", tests, ARRAY_LEN(tests), 60);
}
