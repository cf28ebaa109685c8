/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * invariants_pool.c - what must always hold, 1 to 10 of 18: the pool
 *
 * One test each, named after the list in the kernel semantics that this project started from.
 * Longer tests of the same are named in the comments. Against the library's objects: counters
 * are set to where they would wrap in the kernel, slots of the cache and the ring are read, and
 * the linker's --wrap shows what goes to the zone, and what is freed.
 */
#include "fake_nodes.h"

#include <pagepool/memory.h>

#include "../../lib/page_pool.h"
#include "pool_fixture.h"

#define U32_WRAP ((uint64_t)1 << 32)
#define THE_END	 ((uint64_t)1 << 63) /* what an ended pool counts up to */

/* ---- what the linker lets us see ------------------------------------------------------------- */

void __real_pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
void __wrap_pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
void __real_free(void *mem);
void __wrap_free(void *mem);

static struct {
	struct page_pool *pools[4]; /* their ring locks must be free when pages go to the zone */
	uint64_t pages_to_zone;
	void *memory; /* how often is it freed? */
	unsigned int frees;
} seen;

void __wrap_pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(seen.pools) && seen.pools[i]; i++) {
		require(pp_trylock(&seen.pools[i]->ring.lock));
		pp_unlock(&seen.pools[i]->ring.lock);
	}
	__atomic_fetch_add(&seen.pages_to_zone, n, __ATOMIC_RELAXED);
	__real_pp_zone_free_bulk(zone, pages, n);
}

void __wrap_free(void *mem)
{
	if (mem && mem == __atomic_load_n(&seen.memory, __ATOMIC_RELAXED))
		__atomic_fetch_add(&seen.frees, 1, __ATOMIC_RELAXED);
	__real_free(mem);
}

/* A pool that has nothing may have come by that in any number of steps. */
static void counters_begin_at(struct page_pool *pool, uint64_t at)
{
	require(pool->hold == pool->release);
	pool->hold = at;
	pool->release = at;
	pool->fast = at;
	pool->cached = at;
	pool->released_ref = at;
	pool->ring.produced = at;
	pool->ring.refused = at;
}

/* The ring's indices have 32 bits and run freely, so these do wrap. */
static void ring_begins_at(struct page_pool *pool, uint32_t at)
{
	require(!ring_count(&pool->ring));
	pool->ring.head = pool->ring.tail = at;
	pool->ring.head_seen = pool->ring.tail_seen = at;
}

/* Every page that waits in the pool; how many. */
static unsigned int pages_at_home(const struct page_pool *pool, const struct pp_page **pages)
{
	uint32_t i, n = 0;

	for (i = 0; i < pool->count; i++)
		pages[n++] = pool->cache[i];
	for (i = pool->ring.head; i != pool->ring.tail; i++)
		pages[n++] = pool->ring.slot[i & (pool->ring.size - 1)];
	return n;
}

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
		zone_check(zone, (uint64_t)page_pool_inflight(pool));
		page_pool_destroy(pool);
		zone_end(zone); /* 0 after destroy */
	}
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

/* ---- 4: somebody else holds the page --------------------------------------------------------- */

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
	pp_page_put(page); /* the last holder, and the only one who frees it */
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

/* ---- 6: pages of another node (longer: pool_nodes) ------------------------------------------- */

static void put_ring(void *arg)
{
	page_pool_put_bulk(arg, 64);
}

/*
 * As the kernel does: a refill gives one foreign page back, and stops there. Differs: what is
 * waived is a choice of the pool's, and a refill that waived is no "ring empty" in the counters.
 */
static void invariant_06_waive_one_a_refill(void **state)
{
	struct page_pool_params p = { .sz = sizeof(p), .pool_size = 64, .cache_size = 32 };
	struct pp_page *pages[64];
	struct page_pool_stats s;
	struct page_pool *pool;
	unsigned int i;

	fake_nodes(2);
	p.set = set_new(256, 0, 0);
	p.refill = 16;
	p.node = pp_node_param(0);
	pool = page_pool_create(&p);
	require(pool && page_pool_alloc_bulk(pool, pages, 64) == 64);
	run_on(-1, put_ring, pages);
	require(page_pool_alloc_bulk(pool, pages, 1) == 1);
	page_pool_put_page(pool, pages[0], true);
	s = pool_stats(pool);
	assert_true(s.cache > 0 && s.ring > 0);
	assert_int_equal(page_pool_update_nid(pool, 1), 0);
	assert_int_equal(pool_stats(pool).cache, 0);
	assert_int_equal(pool_stats(pool).ring, s.ring);
	for (i = 1; i <= s.ring; i++) {
		require(page_pool_alloc_bulk(pool, pages, 16) == 16);
		assert_int_equal(pages_on(pages, 16, 1), 16);
		assert_int_equal(pool_stats(pool).alloc_waive, i);
		assert_int_equal(pool_stats(pool).ring, s.ring - i);
		page_pool_put_bulk(pages, 16);
		page_pool_update_nid(pool, 1); /* the next one must refill */
	}
	pool_check(pool, 0);
	page_pool_destroy(pool);
	set_end(p.set);
}

/* ---- 7: the slow path gets a part ------------------------------------------------------------ */

static struct {
	int refuse; /* the next so many blocks */
	unsigned int accepted;
	unsigned int gone;
} map;

static int map_accept(void *arg, void *base, size_t len)
{
	if (map.refuse-- > 0)
		return -EIO;
	map.accepted++;
	return 0;
}

static void map_unaccept(void *arg, void *base, size_t len)
{
	map.gone++;
}

static const struct pp_zone_ops map_ops = { map_accept, map_unaccept };

static void all_different(const struct page_pool *pool, struct pp_zone *zone)
{
	const struct pp_page *home[256];
	unsigned int n = pages_at_home(pool, home);

	pages_distinct(zone, (struct pp_page *const *)home, n);
}

/* Where the kernel fails to map a page for DMA, a block of ours can not be accepted. */
static void invariant_07_partial_slow_path(void **state)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 512 + 40, .page_size = 4096 };
	struct fixture f = fixture(40, 64, 64, 64);
	unsigned int n;

	take(&f, 0, 10);
	assert_int_equal(pool_stats(f.pool).alloc_slow, 1);
	assert_int_equal(pool_stats(f.pool).cache, 30);
	all_different(f.pool, f.zone);
	assert_int_equal(page_pool_alloc_bulk(f.pool, f.pages + 10, 31), 30);
	assert_int_equal(pool_stats(f.pool).alloc_failures, 1);
	assert_int_equal(pool_stats(f.pool).alloc_slow, 1);
	pages_distinct(f.zone, f.pages, 40);
	pool_check(f.pool, 40);
	page_pool_put_bulk(f.pages, 40);
	fixture_end(&f);

	memset(&map, 0, sizeof(map));
	zp.flags = PP_ZONE_LAZY;
	zp.low = 1;
	zp.ops = &map_ops;
	f.zone = zone_new(&zp);
	f.pool = pool_new(f.zone, 512, 128, 64);
	take(&f, 0, 1);
	map.refuse = 1000;
	for (n = 1; n < 512 && page_pool_alloc_bulk(f.pool, f.pages + n, 1); n++)
		;
	assert_true(n == 512 || n == 40); /* the block that was accepted, and no page more */
	assert_int_equal(map.accepted, 1);
	all_different(f.pool, f.zone);
	pages_distinct(f.zone, f.pages, n);
	pool_check(f.pool, n);
	page_pool_put_bulk(f.pages, n);
	fixture_end(&f);
	assert_int_equal(map.gone, 1);
}

/* ---- 8: bulk returns of several pools -------------------------------------------------------- */

/* The ring's lock is looked at whenever pages go to the zone: see __wrap_pp_zone_free_bulk(). */
static void invariant_08_mixed_bulk_return(void **state)
{
	struct pp_zone_params zp = zone_params(512);
	struct pp_zone *zone = zone_new(&zp);
	struct pp_page *pages[200];
	struct page_pool_stats s;
	struct page_pool *pool;
	struct rng r = rng_init(8);
	struct pp_page *page;
	unsigned int i, k;
	uint64_t before;

	for (i = 0; i < 3; i++) {
		seen.pools[i] = pool_new(zone, 16, 8, 8);
		counters_begin_at(seen.pools[i], U32_WRAP - 5);
	}
	for (i = 0; i < 150; i++)
		require(page_pool_alloc_bulk(seen.pools[i % 3], pages + i, 1) == 1);
	require(pp_zone_alloc_bulk(zone, pages + 150, 50) == 50);
	for (i = 199; i; i--) {
		k = rng_below(&r, i + 1);
		page = pages[i];
		pages[i] = pages[k];
		pages[k] = page;
	}
	for (i = 0; i < 3; i++)
		page_pool_disable_direct_recycling(seen.pools[i]);
	before = seen.pages_to_zone;
	page_pool_put_bulk(pages, 200);
	assert_int_equal(seen.pages_to_zone - before, 3 * (50 - 16) + 50);
	for (i = 0; i < 3; i++) {
		s = pool_stats(seen.pools[i]);
		assert_int_equal(s.ring, 16);
		assert_int_equal(s.recycle_ring, U32_WRAP - 5 + 16);
		assert_int_equal(s.recycle_ring_full, U32_WRAP - 5 + 50 - 16); /* the kernel: 1 */
		pool_check(seen.pools[i], 0);
	}
	zone_check(zone,
		   3 * 16 + seen.pools[0]->count + seen.pools[1]->count + seen.pools[2]->count);
	for (i = 3; i--;) {
		pool = seen.pools[i];
		seen.pools[i] = NULL; /* its lock is not to be looked at any more */
		page_pool_destroy(pool);
	}
	zone_end(zone);
}

/* ---- 9: the end while others push (longer: page_pool_threads, destroy_race) ------------------ */

struct pusher {
	struct pp_page *pages[40];
	unsigned int *go;
};

static void push(void *arg)
{
	struct pusher *p = arg;
	unsigned int i;

	while (!__atomic_load_n(p->go, __ATOMIC_ACQUIRE))
		;
	for (i = 0; i < ARRAY_LEN(p->pages); i += 4)
		page_pool_put_bulk(p->pages + i, 4);
}

/* The sanitizers see whoever touches the pool too late; freed once is seen here. */
static void invariant_09_destroy_beside_producers(void **state)
{
	struct pp_zone_params zp = zone_params(256);
	struct pp_zone *zone = zone_new(&zp);
	struct rng r = rng_init(9);
	struct pinned threads[2];
	struct pusher p[2];
	struct page_pool *pool;
	unsigned int i, go, round;

	for (round = 0; round < 100; round++) {
		pool = pool_new(zone, round & 1 ? 4 : 64, 16, 8);
		seen.memory = pool;
		seen.frees = 0;
		go = 0;
		for (i = 0; i < 2; i++) {
			require(page_pool_alloc_bulk(pool, p[i].pages, 40) == 40);
			p[i].go = &go;
			pinned_start(&threads[i], -1, push, &p[i]);
		}
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		if (rng_below(&r, 2))
			sleep_us(rng_below(&r, 80));
		page_pool_destroy(pool);
		for (i = 0; i < 2; i++)
			pinned_join(&threads[i]);
		assert_int_equal(seen.frees, 1);
		zone_check(zone, 0);
	}
	memset(&seen, 0, sizeof(seen));
	zone_end(zone);
}

/* ---- 10: the end while pages are out --------------------------------------------------------- */

/*
 * Differs: nobody retries once a second and nothing is warned of; the thread that brings the last
 * page frees the pool, at once. What the kernel maps for a device is a block here: it goes once,
 * with the zone, which refuses to end before.
 */
static void invariant_10_destroy_with_pages_out(void **state)
{
	static const uint64_t starts[] = { 0, U32_WRAP - 2, THE_END - 200 };
	struct pp_zone_params zp = zone_params(64);
	struct fixture f = { .pages = { NULL } };
	unsigned int i;

	zp.ops = &map_ops;
	for (i = 0; i < ARRAY_LEN(starts); i++) {
		memset(&map, 0, sizeof(map));
		f.zone = zone_new(&zp);
		f.pool = pool_new(f.zone, 16, 16, 8);
		counters_begin_at(f.pool, starts[i]);
		take(&f, 0, 5);
		seen.memory = f.pool;
		seen.frees = 0;
		page_pool_destroy(f.pool);
		assert_int_equal(seen.frees, 0);
		zone_check(f.zone, 5);
		assert_int_equal(pp_zone_destroy(f.zone), -EBUSY);
		assert_int_equal(map.gone, 0);
		page_pool_put_page(f.pool, f.pages[0], false);
		page_pool_put_bulk(f.pages + 1, 3);
		assert_int_equal(seen.frees, 0);
		zone_check(f.zone, 1);
		page_pool_put_page(f.pool, f.pages[4], false);
		assert_int_equal(seen.frees, 1);
		zone_end(f.zone);
		assert_int_equal(map.gone, 1);
	}
	memset(&seen, 0, sizeof(seen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariant_01_hold_release_balance),
		cmocka_unit_test(invariant_02_cache_and_ring_bounds),
		cmocka_unit_test(invariant_03_page_at_home_is_sole),
		cmocka_unit_test(invariant_04_elevated_reference_leaves),
		cmocka_unit_test(invariant_05_last_reference_race),
		cmocka_unit_test(invariant_06_waive_one_a_refill),
		cmocka_unit_test(invariant_07_partial_slow_path),
		cmocka_unit_test(invariant_08_mixed_bulk_return),
		cmocka_unit_test(invariant_09_destroy_beside_producers),
		cmocka_unit_test(invariant_10_destroy_with_pages_out),
	};

	return test_main("invariants of the pool", tests, ARRAY_LEN(tests), 120);
}
