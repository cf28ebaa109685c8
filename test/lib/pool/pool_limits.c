/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_limits.c - max_outstanding, the reserve, low water, budgets of bytes
 */
#include <errno.h>
#include <string.h>

#include "pool/pool_fixture.h"

struct told {
	unsigned int calls;
	uint64_t available;
	/* what the callback does */
	struct pp_page *give[64];
	unsigned int ngive;
	struct pp_page *taken[64];
	unsigned int ntake;
	struct page_pool *trim;
	struct page_pool *destroy;
};

static void on_pressure(void *arg, struct page_pool *pool, uint64_t available)
{
	struct told *t = arg;

	t->calls++;
	t->available = available;
	page_pool_put_bulk(t->give, t->ngive);
	t->ngive = 0;
	t->ntake = page_pool_alloc_bulk(pool, t->taken, t->ntake);
	if (t->trim)
		require(page_pool_trim(t->trim, 0, 1000) >= 0);
	page_pool_destroy(t->destroy);
	t->destroy = NULL;
}

static struct page_pool *limited(struct pp_zone *zone, struct page_pool_params p)
{
	struct page_pool *pool;

	p.sz = sizeof(p);
	p.zone = zone;
	pool = page_pool_create(&p);
	require(pool);
	return pool;
}

#define LOW(t, water) .low_water = (water), .pressure = on_pressure, .pressure_arg = (t)

/* The callback returns pages and takes some, while its pool has a refill in its hands. */
static void callback_uses_its_pool(void **state)
{
	struct told t = { 0 };
	struct fixture f = { 0 };
	struct pp_zone_params zp = zone_params(256);

	f.zone = zone_new(&zp);
	f.pool = limited(
		f.zone, (struct page_pool_params){ .refill = 32, .cache_size = 48, LOW(&t, 1000) });
	for (t.ngive = 0; t.ngive < 40; t.ngive++)
		require(pp_zone_alloc_bulk(f.zone, &t.give[t.ngive], 1));
	t.ntake = 20;
	assert_int_equal(page_pool_alloc_bulk(f.pool, f.pages, 60), 60);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.ntake, 20);
	pool_check(f.pool, 80);
	page_pool_put_bulk(t.taken, 20);
	page_pool_put_bulk(f.pages, 60);
	fixture_end(&f);
}

static void callback_returns_much(void **state)
{
	struct told t = { 0 };
	struct fixture f = { 0 };
	struct pp_zone_params zp = zone_params(512);
	unsigned int i;

	f.zone = zone_new(&zp);
	f.pool = limited(f.zone,
			 (struct page_pool_params){ .refill = 32, .cache_size = 48, LOW(&t, 430) });
	assert_int_equal(page_pool_alloc_bulk(f.pool, f.pages, 64), 64);
	assert_int_equal(t.calls, 0);
	memcpy(t.give, f.pages, 48 * sizeof(*t.give));
	t.ngive = 48;
	assert_int_equal(page_pool_alloc_bulk(f.pool, f.pages + 64, 32), 32);
	assert_int_equal(t.calls, 1);
	pool_check(f.pool, 48);
	for (i = 48; i < 96; i++)
		page_pool_put_page(f.pool, f.pages[i], false);
	fixture_end(&f);
}

static void callback_trims_and_destroys(void **state)
{
	struct told t = { 0 };
	struct fixture f = fixture(256, 0, 0, 0);
	struct page_pool *pool = limited(f.zone, (struct page_pool_params){ LOW(&t, 200) });

	take(&f, 0, 64);
	give(&f, 0, 64, true);
	t.destroy = f.pool;
	t.trim = pool;
	assert_int_equal(page_pool_alloc_bulk(pool, f.pages, 100), 100);
	assert_int_equal(t.calls, 1);
	page_pool_put_bulk(f.pages, 100);
	f.pool = pool;
	fixture_end(&f);
}

/* What is left is what can still be had: a refill that just came is not lost. */
static void low_water_is_exact(void **state)
{
	struct told t = { 0 };
	struct fixture f = { 0 };
	struct pp_zone_params zp = zone_params(100);

	f.zone = zone_new(&zp);
	f.pool = limited(f.zone,
			 (struct page_pool_params){ .refill = 50, .cache_size = 50, LOW(&t, 40) });
	take(&f, 0, 1); /* 99 */
	take(&f, 1, 49); /* 50, without a refill */
	take(&f, 50, 10); /* 40 */
	assert_int_equal(t.calls, 0);
	take(&f, 60, 40); /* 0, without a refill: nobody looked */
	assert_int_equal(t.calls, 0);
	assert_null(page_pool_alloc_pages(f.pool));
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.available, 0);
	assert_null(page_pool_alloc_pages(f.pool)); /* once */
	assert_int_equal(t.calls, 1);
	give_remote(&f, 0, 100);
	take(&f, 0, 60); /* 40 again, by two refills: told anew */
	assert_int_equal(t.calls, 1);
	take(&f, 60, 40);
	assert_null(page_pool_alloc_pages(f.pool));
	assert_int_equal(t.calls, 2);
	give(&f, 0, 100, true);
	fixture_end(&f);
}

struct trimmer {
	struct page_pool *pool;
	unsigned int stop;
};

static void trim_main(void *arg)
{
	struct trimmer *t = arg;

	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE))
		page_pool_trim(t->pool, 0, 1000);
}

/* Pages that a trim carries to the zone are nobody's: they must not count against the limit. */
static void limit_beside_trims(void **state)
{
	struct pp_zone_params zp = zone_params(2048);
	struct fixture f = { .zone = zone_new(&zp) };
	struct trimmer t = { 0 };
	double end = now_s() + test_seconds("PP_LIMIT_SECONDS", 0.7, 5);
	struct pinned thread;
	unsigned int n;

	t.pool = f.pool = limited(f.zone, (struct page_pool_params){ .max_outstanding = 100,
								     .cache_size = 512 });
	assert_int_equal(page_pool_alloc_bulk(f.pool, f.pages, 200), 100);
	assert_int_equal(pool_stats(f.pool).alloc_limited, 1);
	page_pool_put_bulk(f.pages, 100);
	pinned_start(&thread, -1, trim_main, &t);
	while (now_s() < end) {
		n = page_pool_alloc_bulk(f.pool, f.pages, 100);
		require(n == 100);
		require(!page_pool_alloc_pages(f.pool));
		page_pool_put_bulk(f.pages, 100);
	}
	__atomic_store_n(&t.stop, 1, __ATOMIC_RELEASE);
	pinned_join(&thread);
	fixture_end(&f);
}

/* The reserve is for calls that ask for it, whatever the limit, also while the pool is trimmed. */
static void reserve(void **state)
{
	struct pp_zone_params zp = zone_params(64);
	struct fixture f = { .zone = zone_new(&zp) };
	struct page_pool_stats s;
	unsigned int n;

	f.pool = limited(f.zone, (struct page_pool_params){ .reserve = 16, .refill = 8 });
	for (n = 0; (f.pages[n] = page_pool_alloc_pages(f.pool)); n++)
		;
	assert_int_equal(n, 48);
	assert_int_equal(page_pool_alloc_reserve_bulk(f.pool, f.pages + n, 10), 10);
	assert_int_equal(page_pool_alloc_reserve_bulk(f.pool, f.pages + n + 10, 10), 6);
	page_is_fresh(f.zone, f.pages[n + 12]);
	assert_null(page_pool_alloc_pages(f.pool));
	s = pool_stats(f.pool);
	assert_int_equal(s.alloc_reserve, 16);
	assert_int_equal(s.outstanding, 64);
	assert_int_equal(s.inflight, 64);
	page_pool_put_bulk(f.pages, 64);
	assert_true(page_pool_trim(f.pool, 0, 0) == 64);
	take(&f, 0, 40); /* refills fill the reserve first */
	s = pool_stats(f.pool);
	assert_int_equal(s.reserve, 16);
	assert_int_equal(s.inflight, s.cache + s.ring + s.reserve + s.outstanding);
	page_pool_put_bulk(f.pages, 40);
	page_pool_destroy(f.pool);
	zone_end(f.zone);
}

static void bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		unsigned int cache;
	} of[] = { { 1, 2 }, { 2048 * 10, 10 }, { UINT64_MAX, 4096 } };
	struct pp_zone_params zp = zone_params(8192);
	struct fixture f = { .zone = zone_new(&zp) };
	struct page_pool_params p = { .sz = sizeof(p), .zone = f.zone, .cache_bytes = 4096 };
	unsigned int i, k;

	f.pool = NULL;
	p.refill = 1;
	assert_null(page_pool_create(&p));
	assert_int_equal(errno, EINVAL);
	for (i = 0; i < ARRAY_LEN(of); i++) {
		struct pp_page **many = calloc(8192, sizeof(*many));

		f.pool = limited(f.zone, (struct page_pool_params){ .cache_bytes = of[i].bytes });
		for (k = 0; k < 8192; k++)
			require((many[k] = page_pool_alloc_pages(f.pool)));
		for (k = 0; k < 8192; k++)
			page_pool_put_page(f.pool, many[k], true);
		assert_int_equal(pool_stats(f.pool).cache, of[i].cache);
		fixture_end(&f);
		f.zone = zone_new(&zp);
		free(many);
	}
	zone_end(f.zone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(callback_uses_its_pool),
		cmocka_unit_test(callback_returns_much),
		cmocka_unit_test(callback_trims_and_destroys),
		cmocka_unit_test(low_water_is_exact),
		cmocka_unit_test(limit_beside_trims),
		cmocka_unit_test(reserve),
		cmocka_unit_test(bytes),
	};

	return test_main("pool limits", tests, ARRAY_LEN(tests), 60);
}
