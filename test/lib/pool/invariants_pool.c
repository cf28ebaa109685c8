/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * invariants_pool.c - what must always hold, 1 to 5 of 18: a pool's counts and references
 *
 * One test each, named after the list in the kernel semantics that this project started from.
 * Longer tests of the same are named in the comments. Counters are set to where they would wrap in
 * the kernel, and slots of the cache and the ring are read.
 */
#include "pool/invariants.h"

/* ---- 1: hold - release == cache + ring + outstanding ----------------------------------------- */

/* Random traffic of an owner and of others; the balance after each step. */
static void traffic(struct page_pool *pool, unsigned int steps)
{
	struct pp_page *held[96], *extra[16];
	struct rng r = rng_init(1);
	unsigned int n = 0, k, e = 0;

	while (steps--) {
		k = 1 + rng_below(&r, 24);
		if (rng_below(&r, 2) && n + k <= ARRAY_LEN(held)) {
			n += page_pool_alloc_bulk(pool, held + n, k);
		} else if (n) {
			k = k < n ? k : n;
			n -= k;
			if (rng_below(&r, 3) == 0)
				page_pool_disable_direct_recycling(pool);
			if (e < ARRAY_LEN(extra) && rng_below(&r, 2)) {
				extra[e++] = held[n];
				pp_page_get(held[n]);
			}
			page_pool_put_bulk(held + n, k);
			page_pool_enable_direct_recycling(pool);
		}
		pool_check(pool, n);
		while (e && rng_below(&r, 2))
			pp_page_put(extra[--e]);
	}
	page_pool_put_bulk(held, n);
	while (e)
		pp_page_put(extra[--e]);
	pool_check(pool, 0);
}

/* A page that comes home twice is counted, and nothing else: never less than none in flight. */
static void put_twice(struct page_pool *pool)
{
	struct pp_page *page = page_pool_alloc_pages(pool), *part;
	int64_t inflight = page_pool_inflight(pool);
	unsigned int offset;

	require(page);
	page_pool_put_page(pool, page, true);
	if (!PP_DEBUG) {
		page_pool_put_page(pool, page, true);
		page_pool_put_bulk(&page, 1);
		assert_int_equal(pool_stats(pool).double_puts, 2);
	}
	assert_int_equal(page_pool_inflight(pool), inflight);
	pool_check(pool, 0);
	/* the page that fragments are cut from is out, also when all of them are home */
	part = page_pool_alloc_frag(pool, &offset, 100);
	require(part);
	pool_check(pool, 1);
	page_pool_put_page(pool, part, true);
	pool_check(pool, 1);
}

/*
 * The same while the page waits for the holder of the zone's lock, which a signal handler that gave
 * it back could not take; this thread is that holder, too. What no zone prepares is left clean.
 */
static void twice_while_deferred(uint32_t flags)
{
	struct pp_zone_params zp = zone_params(64);
	bool caught = !PP_DEBUG && !(flags & PP_ZONE_NO_PREP);
	unsigned int i, k, times = caught ? 3 : 1;
	struct pp_page *pages[10], *again;
	struct page_pool *pool;
	struct pp_zone *zone;

	zp.flags = PP_ZONE_SIGNAL_SAFE | flags;
	zone = zone_new(&zp);
	pool = pool_new(zone, 2, 16, 16);
	require(page_pool_alloc_bulk(pool, pages, 10) == 10);
	page_pool_disable_direct_recycling(pool);
	page_pool_put_bulk(pages + 8, 2); /* the ring is full */
	require(!pp_zone_pcp_disable(zone, 1000000));
	require(stock_lock(zone->stock));
	for (k = 0; k < times; k++) {
		page_pool_put_bulk((struct pp_page *[]){ pages[0], pages[1], pages[2] }, 3);
		for (i = 3; i < 8; i++)
			page_pool_put_page(pool, pages[i], false);
	}
	require(zone->stock->deferred);
	stock_unlock(zone->stock);
	pp_zone_pcp_enable(zone);
	zone_check(zone, (uint64_t)page_pool_inflight(pool));
	for (i = 0, again = pages[0]; caught && i < 2; i++)
		page_pool_put_bulk(&again, 1);
	assert_int_equal(zone_stats(zone).double_puts, caught ? 2 * 8 + 2 : 0);
	for (i = 0; i < 8; i++)
		assert_true(caught || PP_DEBUG || !pages[i]->next);
	assert_int_equal(page_pool_inflight(pool), 8);
	page_pool_enable_direct_recycling(pool);
	pool_check(pool, 0);
	page_pool_destroy(pool);
	zone_end(zone);
}

static void invariant_01_put_twice_while_deferred(void **state)
{
	twice_while_deferred(0);
	twice_while_deferred(PP_ZONE_NO_PREP);
}

/*
 * The kernel's counters have 32 bits and wrap; ours have 64, and begin here just before 2^32, and
 * where 2^63 would be next, which is what an ended pool counts up to: its limit.
 */
static void invariant_01_hold_release_balance(void **state)
{
	static const uint64_t starts[] = { 0, U32_WRAP - 300, THE_END - 40000 };
	struct pp_zone_params zp = zone_params(256);
	struct page_pool *pool;
	struct pp_zone *zone;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(starts); i++) {
		zone = zone_new(&zp);
		pool = pool_new(zone, 16, 32, 16);
		counters_begin_at(pool, starts[i]);
		ring_begins_at(pool, UINT32_MAX - 50);
		traffic(pool, 3000);
		assert_true(pool->hold - starts[i] > 300 && pool->hold - starts[i] < 39000);
		assert_true(pool_stats(pool).recycle_ring > starts[i] + 50);
		assert_int_equal(page_pool_inflight(pool), pool->count + ring_count(&pool->ring));
		put_twice(pool);
		zone_check(zone, (uint64_t)page_pool_inflight(pool));
		page_pool_destroy(pool);
		zone_end(zone); /* 0 after destroy */
	}
}

/*
 * And in every snapshot by another thread, where nothing comes from the zone, and the owner rests
 * now and then; that is told apart from an owner which was taken off its CPU in a turn: long
 * reads then get a gauge.
 */
struct watched {
	struct page_pool *pool;
	unsigned int stop; /* atomic */
};

#define SNAPSHOTS 10000u

static void busy_main(void *arg)
{
	struct watched *w = arg;
	struct pp_page *pages[32];
	unsigned int n = 0, rest;
	struct rng r = rng_init(2);

	page_pool_enable_direct_recycling(w->pool);
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		n = n % 32 + 1;
		require(page_pool_alloc_bulk(w->pool, pages, n) == n);
		page_pool_put_bulk(pages, n);
		if (rng_below(&r, 4))
			continue;
		for (rest = rng_below(&r, 100); rest; rest--)
			cpu_relax();
	}
	page_pool_disable_direct_recycling(w->pool);
}

static void invariant_01_snapshots(void **state)
{
	struct fixture f = fixture(64, 64, 64, 64);
	struct watched w = { .pool = f.pool };
	unsigned int seen = 0, wrong = 0, gauges = 0;
	struct page_pool_stats s;
	struct pinned owner;
	uint32_t turn, now;

	need_two_cpus();
	take(&f, 0, 64);
	give(&f, 0, 64, true);
	pinned_start(&owner, (int)test_cpu(1), busy_main, &w);
	pin_to(test_cpu(0));
	while (!READ_ONCE(f.pool->cached))
		cpu_relax();
	while (seen < SNAPSHOTS) {
		turn = READ_ONCE(f.pool->turn);
		s = pool_stats(f.pool);
		now = READ_ONCE(f.pool->turn);
		seen += now != turn; /* the others prove nothing */
		if (s.outstanding + s.cache == 64 && s.inflight == 64)
			continue;
		wrong += !(now & 1);
		gauges += now & 1;
	}
	__atomic_store_n(&w.stop, 1, __ATOMIC_RELAXED);
	pinned_join(&owner);
	unpin();
	print_message("# %u snapshots were wrong, %u of a turn\n", wrong, gauges);
	assert_true(wrong <= SNAPSHOTS / 1000);
	page_pool_enable_direct_recycling(f.pool);
	fixture_end(&f);
}

/* ---- 2: bounds ------------------------------------------------------------------------------- */

/* The kernel's ring may be full up to 15 early; ours is full when it is full. */
static void invariant_02_cache_and_ring_bounds(void **state)
{
	struct fixture f = fixture(4096, 0, 0, 0);
	struct pp_page *more[PP_BULK_MAX];
	struct page_pool_stats s;
	unsigned int i;

	ring_begins_at(f.pool, UINT32_MAX - 700); /* wraps on the way */
	for (i = 0; i < 3; i++) {
		take(&f, 0, 512);
		require(page_pool_alloc_bulk(f.pool, more, 512) == 512);
		page_pool_put_bulk(f.pages, 512);
		s = pool_stats(f.pool);
		assert_int_equal(s.cache, 128);
		page_pool_put_bulk(more, 512);
		s = pool_stats(f.pool);
		assert_int_equal(s.cache, 128);
		assert_true(s.ring <= 1024);
		assert_int_equal(f.pool->ring.tail - f.pool->ring.head, s.ring);
	}
	take(&f, 0, 512);
	require(page_pool_alloc_bulk(f.pool, more, 512) == 512);
	page_pool_disable_direct_recycling(f.pool);
	page_pool_put_bulk(f.pages, 512);
	page_pool_put_bulk(more, 512);
	page_pool_enable_direct_recycling(f.pool);
	take(&f, 0, 512);
	require(page_pool_alloc_bulk(f.pool, more, 512) == 512);
	page_pool_disable_direct_recycling(f.pool);
	page_pool_put_bulk(f.pages, 512);
	s = pool_stats(f.pool);
	page_pool_put_bulk(more, 512);
	page_pool_enable_direct_recycling(f.pool);
	assert_int_equal(pool_stats(f.pool).ring, s.ring + 512 < 1024 ? s.ring + 512 : 1024);
	fixture_end(&f);
}

/* ---- 3: a page at home is nobody else's ------------------------------------------------------ */

static void invariant_03_page_at_home_is_sole(void **state)
{
	struct fixture f = fixture(512, 64, 64, 16);
	const struct pp_page *home[128];
	struct rng r = rng_init(3);
	unsigned int i, k, n, round;

	for (round = 0; round < 200; round++) {
		n = 1 + rng_below(&r, 100);
		take(&f, 0, n);
		for (i = 0; i < n; i++) {
			k = rng_below(&r, 3);
			page_pool_fragment_page(f.pages[i], (int)k + 1);
			if (rng_below(&r, 4) == 0) {
				page_pool_ref_page(f.pages[i]);
				k++;
			}
			while (k--)
				page_pool_put_page(f.pool, f.pages[i], false);
		}
		if (round & 1)
			give_remote(&f, 0, n);
		else
			page_pool_put_bulk(f.pages, n);
		n = pages_at_home(f.pool, home);
		assert_true(n > 0);
		for (i = 0; i < n; i++) {
			assert_int_equal(home[i]->refs, 1);
			assert_int_equal(home[i]->pp_refs, 1);
			assert_int_equal(home[i]->owner, 0);
			assert_ptr_equal(home[i]->pool, f.pool);
		}
	}
	fixture_end(&f);
}

/* ---- 4: another user holds the page ---------------------------------------------------------- */

static void invariant_04_elevated_reference_leaves(void **state)
{
	struct fixture f = fixture(64, 16, 16, 8);
	struct pp_page *page;

	counters_begin_at(f.pool, U32_WRAP - 1);
	take(&f, 0, 1);
	page = f.pages[0];
	pp_page_get(page);
	pp_page_get(page);
	page_pool_put_page(f.pool, page, true);
	assert_int_equal(pool_stats(f.pool).recycle_released_ref, U32_WRAP);
	assert_int_equal(pool_stats(f.pool).recycle_cached, U32_WRAP - 1);
	assert_null(page->pool);
	assert_int_equal(page_pool_inflight(f.pool), 7); /* what the refill took, less this one */
	pool_check(f.pool, 0);
	zone_check(f.zone, 8);
	pp_page_put(page);
	zone_check(f.zone, 8);
	pp_page_put(page); /* the last holder, and the only one that frees it */
	zone_check(f.zone, 7);
	assert_int_equal(page->refs, 1);
	fixture_end(&f);
}

/* ---- 5: the last reference, raced (longer: page_pool_threads, last_reference) ---------------- */

struct dropper {
	struct fixture *f;
	unsigned int *arrived;
	unsigned int n;
};

static void drop(void *arg)
{
	struct dropper *d = arg;
	unsigned int i;

	for (i = 0; i < d->n; i++) {
		meet(d->arrived, i);
		page_pool_put_page(d->f->pool, d->f->pages[i], false);
	}
}

static void invariant_05_last_reference_race(void **state)
{
	struct fixture f = fixture(512, 256, 32, 16);
	unsigned int i, round, arrived;
	struct pinned threads[2];
	struct dropper d = { &f, &arrived, 100 };

	for (round = 0; round < 20; round++) {
		arrived = 0;
		take(&f, 0, d.n);
		for (i = 0; i < d.n; i++)
			page_pool_fragment_page(f.pages[i], 2);
		for (i = 0; i < 2; i++)
			pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), drop, &d);
		for (i = 0; i < 2; i++)
			pinned_join(&threads[i]);
		assert_int_equal(pool_stats(f.pool).recycle_ring, d.n * (round + 1));
		for (i = 0; i < d.n; i++)
			assert_int_equal(f.pages[i]->pp_refs, 1);
	}
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariant_01_hold_release_balance),
		cmocka_unit_test(invariant_01_put_twice_while_deferred),
		cmocka_unit_test(invariant_01_snapshots),
		cmocka_unit_test(invariant_02_cache_and_ring_bounds),
		cmocka_unit_test(invariant_03_page_at_home_is_sole),
		cmocka_unit_test(invariant_04_elevated_reference_leaves),
		cmocka_unit_test(invariant_05_last_reference_race),
	};

	return test_main("invariants of the pool", tests, ARRAY_LEN(tests), 120);
}
