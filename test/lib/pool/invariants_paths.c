/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * invariants_paths.c - what must always hold, 6 to 10 of 18: a pool's refills, bulk returns, end
 *
 * The linker's --wrap shows what goes to the zone, and what is freed.
 */
#include "fake_nodes.h"

#include <pagepool/memory.h>

#include "pool/invariants.h"

/* ---- what the linker lets us see ------------------------------------------------------------- */

void __real_pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
void __wrap_pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
void __real_zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
void __wrap_zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
void __real_free(void *mem);
void __wrap_free(void *mem);

static struct {
	struct page_pool *pools[4]; /* their ring locks must be free when pages go to the zone */
	uint64_t pages_to_zone;
	void *memory; /* how often is it freed? */
	unsigned int frees;
} seen;

static void look(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(seen.pools) && seen.pools[i]; i++) {
		require(pp_trylock(&seen.pools[i]->ring.lock));
		pp_unlock(&seen.pools[i]->ring.lock);
	}
	__atomic_fetch_add(&seen.pages_to_zone, n, __ATOMIC_RELAXED);
}

void __wrap_pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	look(n);
	__real_pp_zone_free_bulk(zone, pages, n);
}

void __wrap_zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	look(n);
	__real_zone_give_back(zone, pages, n);
}

void __wrap_free(void *mem)
{
	if (mem && mem == __atomic_load_n(&seen.memory, __ATOMIC_RELAXED))
		__atomic_fetch_add(&seen.frees, 1, __ATOMIC_RELAXED);
	__real_free(mem);
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

static void close_main(void *arg)
{
	require(!pool_close(arg, 1000000));
}

/* a thread is trimming it at that moment: the cache follows with the first turn afterwards */
static void updated(enum pp_numa numa, bool by_put)
{
	struct page_pool_params p = { .sz = sizeof(p), .cache_size = 64, .refill = 32 };
	bool kept = numa == PP_NUMA_KEEP;
	struct page_pool *pool;
	struct pp_page *page, *other;

	fake_nodes(2);
	p.set = set_new(256, 0, 0);
	p.node = pp_node_param(0);
	p.numa = numa;
	pool = page_pool_create(&p);
	require(pool);
	page = page_pool_alloc_pages(pool);
	run_on(-1, close_main, pool);
	assert_int_equal(page_pool_update_nid(pool, 1), 0);
	assert_int_equal(page_pool_nid(pool), 1);
	other = page_pool_alloc_pages(pool);
	assert_int_equal(other->node, 1); /* around the cache */
	assert_int_equal(pool_stats(pool).cache, 31);
	pool_open(pool);
	if (by_put) {
		page_pool_put_page(pool, page, true);
		assert_int_equal(pool_stats(pool).cache, kept ? 32 : 1);
		page = page_pool_alloc_pages(pool);
		assert_int_equal(page->node, 0); /* a return is not asked where it is from */
	} else {
		page_pool_put_page(pool, other, true);
		other = page_pool_alloc_pages(pool);
		assert_int_equal(other->node, 1);
		page_pool_put_page(pool, other, true);
		other = page_pool_alloc_pages(pool);
	}
	assert_int_equal(pool_stats(pool).cache, kept ? 31 : 0);
	page_pool_put_page(pool, other, true);
	page_pool_put_page(pool, page, true); /* and it is flushed once */
	assert_int_equal(pool_stats(pool).cache, kept ? 33 : 2);
	pool_check(pool, 0);
	page_pool_destroy(pool);
	set_end(p.set);
}

static void invariant_06_new_node_while_trimmed(void **state)
{
	updated(PP_NUMA_WAIVE, false);
	updated(PP_NUMA_WAIVE, true);
	updated(PP_NUMA_FLUSH, false);
	updated(PP_NUMA_FLUSH, true);
	updated(PP_NUMA_KEEP, false);
	updated(PP_NUMA_KEEP, true);
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

/* The sanitizers see a touch of the pool that comes too late; freed once is seen here. */
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
		cmocka_unit_test(invariant_06_waive_one_a_refill),
		cmocka_unit_test(invariant_06_new_node_while_trimmed),
		cmocka_unit_test(invariant_07_partial_slow_path),
		cmocka_unit_test(invariant_08_mixed_bulk_return),
		cmocka_unit_test(invariant_09_destroy_beside_producers),
		cmocka_unit_test(invariant_10_destroy_with_pages_out),
	};

	return test_main("invariants of the pool's paths", tests, ARRAY_LEN(tests), 120);
}
