/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * alloc_fault.c - allocations that fail on purpose: which calls, of which threads, of pools and
 * zones made before and after, and that nothing is lost
 */
#include <errno.h>
#include <unistd.h>
#include <sys/syscall.h>

#include <pagepool/fault.h>

#include "pool/pool_fixture.h"

static struct pp_fault_stats fault_stats(const char *at)
{
	struct pp_fault_stats s = { .sz = sizeof(s) };

	require(!pp_fault_get_stats(at, &s));
	return s;
}

static void all_off(void)
{
	const char *const *at;

	for (at = pp_fault_names(); *at; at++)
		require(!pp_fault_set(*at, 0, 0, PP_FAULT_ALL));
}

static void names_and_errors(void **state)
{
	struct pp_fault_stats s = { .sz = sizeof(s) + 8 };
	const char *const *names = pp_fault_names();

	assert_string_equal(names[0], "page_pool_alloc");
	assert_string_equal(names[1], "zone_alloc");
	assert_null(names[2]);
	assert_int_equal(pp_fault_set("malloc", 1, 0, PP_FAULT_ALL), -EINVAL);
	assert_non_null(strstr(pp_error(), "malloc"));
	assert_int_equal(pp_fault_get_stats("", &s), -EINVAL);
	assert_int_equal(pp_fault_get_stats("zone_alloc", &s), -E2BIG);
}

/* Call @i, from 1, is to fail. */
static bool fails(uint64_t i, uint64_t every, uint64_t after)
{
	return i > after && (i - after) % every == 0;
}

/* Allocations of the kinds that there are, in turns; a page comes back at once. */
static bool pool_call(struct page_pool *pool, unsigned int kind)
{
	struct pp_page *pages[40];
	unsigned int n = 1, offset;

	if (kind % 3 == 0) {
		n = page_pool_alloc_bulk(pool, pages, 1 + kind % 40);
		require(!n || n == 1 + kind % 40);
	} else if (kind % 3 == 1) {
		pages[0] = page_pool_alloc_pages(pool);
	} else { /* above half of a page: a whole one */
		n = 1500;
		pages[0] = page_pool_alloc(pool, &offset, &n);
		n = 1;
	}
	if (!n || !pages[0])
		return false;
	page_pool_put_bulk(pages, n);
	return true;
}

static void pool_calls(void **state)
{
	struct fixture old = fixture(1024, 64, 64, 32), new;
	struct rng r = rng_init(1);
	uint64_t every, after, i, failed, before;
	unsigned int round;

	for (round = 0; round < 20; round++) {
		every = 1 + rng_below(&r, 20);
		after = rng_below(&r, 50);
		before = pool_stats(old.pool).alloc_failures;
		require(!pp_fault_set("page_pool_alloc", every, after, PP_FAULT_ALL));
		new = (struct fixture){ .zone = old.zone };
		new.pool = pool_new(old.zone, 64, 64, 32);
		for (i = 1, failed = 0; i <= 200; i++) {
			failed += fails(i, every, after);
			require(pool_call(i & 1 ? old.pool : new.pool, (unsigned int)i) ==
				!fails(i, every, after));
		}
		assert_int_equal(fault_stats("page_pool_alloc").every, every);
		assert_int_equal(fault_stats("page_pool_alloc").after, after);
		assert_int_equal(fault_stats("page_pool_alloc").calls, 200);
		assert_int_equal(fault_stats("page_pool_alloc").injected, failed);
		assert_int_equal(pool_stats(old.pool).alloc_failures - before +
					 pool_stats(new.pool).alloc_failures,
				 failed);
		all_off();
		for (i = 0; i < 50; i++)
			require(pool_call(i & 1 ? old.pool : new.pool, (unsigned int)i));
		assert_int_equal(fault_stats("page_pool_alloc").calls, 200);
		pool_check(new.pool, 0);
		page_pool_destroy(new.pool);
	}
	fixture_end(&old);
}

static void reserve_and_fragments(void **state)
{
	struct pp_zone_params zp = zone_params(256);
	struct page_pool_params p = { .sz = sizeof(p), .refill = 8, .reserve = 4 };
	struct pp_page *pages[8], *part[2];
	struct page_pool *pool;
	unsigned int offset;

	p.zone = zone_new(&zp);
	pool = page_pool_create(&p);
	assert_non_null(pool);
	part[0] = page_pool_alloc_frag(pool, &offset, 64);
	require(!pp_fault_set("page_pool_alloc", 1, 0, PP_FAULT_ALL));
	assert_int_equal(page_pool_alloc_reserve_bulk(pool, pages, 8), 4);
	part[1] = page_pool_alloc_frag(pool, &offset, 64); /* of the page at hand */
	assert_ptr_equal(part[1], part[0]);
	assert_null(page_pool_alloc_frag(pool, &offset, pp_zone_page_size(p.zone)));
	all_off();
	page_pool_put_bulk(part, 2);
	page_pool_put_bulk(pages, 4);
	page_pool_destroy(pool);
	zone_end(p.zone);
}

/* ---- threads --------------------------------------------------------------------------------- */

struct caller {
	struct pp_zone *zone;
	uint64_t thread;
	unsigned int failed;
	unsigned int go;
};

static void caller_main(void *arg)
{
	struct caller *c = arg;
	struct page_pool *pool = pool_new(c->zone, 64, 64, 32);
	unsigned int i;

	__atomic_store_n(&c->thread, (uint64_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&c->go, __ATOMIC_ACQUIRE))
		sleep_us(50);
	for (i = 0; i < 1000; i++)
		c->failed += !pool_call(pool, 1);
	pool_check(pool, 0);
	page_pool_destroy(pool);
}

static void of_one_thread(void **state)
{
	struct pp_zone_params zp = zone_params(1024);
	struct pp_zone *zone = zone_new(&zp);
	struct pinned threads[2];
	struct caller c[2];
	unsigned int self, i, mine;
	struct page_pool *pool;

	for (self = 0; self < 2; self++) {
		memset(c, 0, sizeof(c));
		for (i = 0; i < 2; i++) {
			c[i].zone = zone;
			pinned_start(&threads[i], -1, caller_main, &c[i]);
			while (!__atomic_load_n(&c[i].thread, __ATOMIC_ACQUIRE))
				sleep_us(50);
		}
		require(!pp_fault_set("page_pool_alloc", 10, 0,
				      self ? PP_FAULT_SELF : c[1].thread));
		for (i = 0; i < 2; i++)
			__atomic_store_n(&c[i].go, 1, __ATOMIC_RELEASE);
		pool = pool_new(zone, 64, 64, 32);
		for (i = mine = 0; i < 500; i++)
			mine += !pool_call(pool, 1);
		pinned_join(&threads[0]);
		pinned_join(&threads[1]);
		assert_int_equal(c[0].failed, 0);
		assert_int_equal(c[1].failed, self ? 0 : 100);
		assert_int_equal(mine, self ? 50 : 0);
		assert_int_equal(fault_stats("page_pool_alloc").thread,
				 self ? (uint64_t)syscall(SYS_gettid) : c[1].thread);
		page_pool_destroy(pool);
		all_off();
	}
	zone_end(zone);
}

/* Set and ended by one thread while others make and use pools: in the end none of them fails. */
static void setter_main(void *arg)
{
	unsigned int *stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		require(!pp_fault_set("page_pool_alloc", 2, 0, PP_FAULT_ALL));
		require(!pp_fault_set("zone_alloc", 3, 0, PP_FAULT_ALL));
		all_off();
	}
}

static void set_beside_use(void **state)
{
	struct pp_zone_params zp = zone_params(512);
	unsigned int stop = 0, round, i, failed = 0;
	struct pinned setter;
	struct page_pool *pool;
	struct pp_zone *zone;

	pinned_start(&setter, -1, setter_main, &stop);
	for (round = 0; round < 300; round++) {
		zone = zone_new(&zp);
		pool = pool_new(zone, 64, 64, 32);
		for (i = 0; i < 30; i++)
			failed += !pool_call(pool, i);
		pool_check(pool, 0);
		page_pool_destroy(pool);
		zone_end(zone);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pinned_join(&setter);
	zone = zone_new(&zp);
	pool = pool_new(zone, 64, 64, 32);
	for (i = 0; i < 100; i++)
		require(pool_call(pool, i));
	page_pool_destroy(pool);
	zone_end(zone);
	print_message("%u calls failed\n", failed);
}

/* ---- zones ----------------------------------------------------------------------------------- */

static void zone_calls(struct pp_zone *zone, struct pp_zone *other, uint64_t every, uint64_t after)
{
	uint64_t i, failed = 0, before = zone_stats(zone).alloc_failures;
	struct pp_page *pages[64];
	unsigned int n, got;

	require(!pp_fault_set("zone_alloc", every, after, PP_FAULT_ALL));
	for (i = 1; i <= 100; i++) {
		n = 1 + (unsigned int)(i % 64);
		got = pp_zone_alloc_bulk(zone, pages, n);
		require(got == (fails(i, every, after) ? 0 : n));
		failed += !got;
		pp_zone_free_bulk(zone, pages, got);
	}
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 0), 0); /* no call */
	assert_int_equal(fault_stats("zone_alloc").calls, 100);
	assert_int_equal(fault_stats("zone_alloc").injected, failed);
	assert_int_equal(zone_stats(zone).alloc_failures - before, failed);
	require(!pp_fault_set("zone_alloc", 1, 0, PP_FAULT_ALL));
	assert_int_equal(pp_zone_alloc_bulk(other, pages, 1), 0);
	all_off();
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 64), 64);
	pp_zone_free_bulk(zone, pages, 64);
	zone_check(zone, 0);
}

static void every_policy(void **state)
{
	static const uint32_t flags[] = { 0, PP_ZONE_TRACE, PP_ZONE_NO_PREP };
	const char *const *policy;
	struct pp_zone *zone, *other;
	struct pp_zone_params zp;
	unsigned int f;

	for (policy = pp_policy_names(); *policy; policy++) {
		for (f = 0; f < ARRAY_LEN(flags); f++) {
			zp = zone_params(512);
			zp.policy = *policy;
			zp.flags = flags[f];
			zone = pp_zone_create(&zp);
			if (!zone && errno == ENOTSUP) {
				print_message("without %s: %s\n", *policy, pp_error());
				continue;
			}
			require(zone);
			other = zone_new(&zp);
			zone_calls(zone, other, 1, 30);
			zone_calls(zone, other, 7, 0);
			zone_end(zone);
			zone_end(other);
		}
	}
}

/* A pool meets it where it refills, and says what it says when no page is free. */
static void pool_over_a_zone_that_fails(void **state)
{
	struct fixture f = fixture(256, 16, 16, 8);
	unsigned int got;

	take(&f, 0, 4); /* 4 of the refill are in the cache */
	require(!pp_fault_set("zone_alloc", 1, 0, PP_FAULT_ALL));
	got = page_pool_alloc_bulk(f.pool, f.pages + 4, 8);
	assert_int_equal(got, 4);
	assert_int_equal(pool_stats(f.pool).alloc_failures, 1);
	assert_null(page_pool_alloc_pages(f.pool));
	all_off();
	take(&f, 8, 8);
	give(&f, 0, 16, true);
	fixture_end(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_errors),
		cmocka_unit_test(pool_calls),
		cmocka_unit_test(reserve_and_fragments),
		cmocka_unit_test(of_one_thread),
		cmocka_unit_test(set_beside_use),
		cmocka_unit_test(every_policy),
		cmocka_unit_test(pool_over_a_zone_that_fails),
	};

	return test_main("alloc fault", tests, ARRAY_LEN(tests), 120);
}
