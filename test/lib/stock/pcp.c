/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp.c - a core's cache: its limits, its batches, its drains
 */
#include <errno.h>
#include <string.h>

#include "harness.h"

static struct pp_zone *small_zone(uint64_t pages, uint32_t batch, uint32_t high)
{
	struct pp_zone_params p = zone_params(pages);

	p.batch = batch;
	p.high = high;
	return zone_new(&p);
}

static void high(void **state)
{
	static const uint32_t highs[] = { 1, 2, 4, 7, 16, 64, 256, 1000 };
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int h, i, n, got, me = test_cpu(0);
	struct rng r = rng_init(3);
	struct pp_zone *zone;

	pin_to(me);
	for (h = 0; h < ARRAY_LEN(highs); h++) {
		zone = small_zone(1024, 0, highs[h]);
		for (i = 0; i < 300; i++) {
			n = 1 + rng_below(&r, i & 1 ? PP_BULK_MAX : 9);
			got = pp_zone_alloc_bulk(zone, pages, n);
			require(got == n);
			require(pp_zone_cached(zone, me) <= highs[h]);
			for (; got > n / 2; got--) {
				pp_zone_free_bulk(zone, &pages[got - 1], 1);
				require(pp_zone_cached(zone, me) <= highs[h]);
			}
			pp_zone_free_bulk(zone, pages, got);
			require(pp_zone_cached(zone, me) <= highs[h]);
		}
		assert_int_equal(zone_stats(zone).fallbacks, 0);
		zone_end(zone);
	}
	unpin();
}

static void batch(void **state)
{
	struct pp_zone *zone = small_zone(256, 8, 32);
	unsigned int i, before, after, drops = 0, me = test_cpu(0);
	struct pp_page *pages[64];

	pin_to(me);
	assert_int_equal(zone_stats(zone).batch, 8);
	assert_int_equal(zone_stats(zone).high, 32);
	/* one page wanted, one batch moved */
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 1), 1);
	assert_int_equal(zone_stats(zone).refills, 1);
	assert_true(pp_zone_cached(zone, me) > 0);
	assert_true(pp_zone_cached(zone, me) <= 8);
	/* the rest of that batch costs no refill */
	for (i = 1; pp_zone_cached(zone, me); i++) {
		assert_int_equal(pp_zone_alloc_bulk(zone, &pages[i], 1), 1);
		assert_int_equal(zone_stats(zone).refills, 1);
	}
	pp_zone_free_bulk(zone, pages, i);
	assert_true(pp_zone_drain(zone, me, 1000) >= 0);

	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 64), 64);
	assert_true(pp_zone_drain(zone, me, 1000) >= 0);
	assert_int_equal(zone_stats(zone).flushes, 0);
	for (i = 0; i < 64; i++) {
		before = pp_zone_cached(zone, me);
		pp_zone_free_bulk(zone, &pages[i], 1);
		after = pp_zone_cached(zone, me);
		if (after == before + 1)
			continue;
		/* an overflow moves one batch, not the whole cache */
		assert_true(before + 1 > after);
		assert_true(before + 1 - after <= 8);
		drops++;
	}
	assert_true(drops >= 4);
	assert_int_equal(zone_stats(zone).flushes, drops);
	zone_end(zone);
	unpin();
}

/* what was freed last is warm, and allocated first; the cold end overflows */
static void warm_first(void **state)
{
	struct pp_zone *zone = small_zone(256, 8, 32);
	struct pp_page *pages[64], *page;
	unsigned int i;

	pin_to(test_cpu(0));
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 64), 64);
	for (i = 0; i < 64; i++) {
		pp_zone_free_bulk(zone, &pages[i], 1);
		assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
		assert_ptr_equal(page, pages[i]);
		pp_zone_free_bulk(zone, &page, 1);
	}
	zone_end(zone);
	unpin();
}

static void high_below_n(void **state)
{
	struct pp_zone *zone = small_zone(600, 2, 4);
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int n;

	for (n = 1; n <= PP_BULK_MAX; n += 7) {
		require(pp_zone_alloc_bulk(zone, pages, n) == n);
		pages_distinct(zone, pages, n);
		pp_zone_free_bulk(zone, pages, n);
		zone_check(zone, 0);
	}
	zone_end(zone);
}

static void drain(void **state)
{
	struct pp_zone *zone = small_zone(128, 16, 64);
	unsigned int me = test_cpu(0), cached, i;
	struct pp_page *pages[40];
	struct pp_zone_stats s;

	pin_to(me);
	assert_int_equal(pp_zone_drain(zone, pp_zone_cores(zone), 0), -EINVAL);
	assert_int_equal(pp_zone_drain(zone, UINT32_MAX, 0), -EINVAL);
	assert_int_equal(pp_zone_cached(zone, pp_zone_cores(zone)), 0);
	assert_int_equal(pp_zone_cached(zone, UINT32_MAX), 0);
	for (i = 0; i < pp_zone_cores(zone); i++)
		assert_int_equal(pp_zone_drain(zone, i, 0), 0);
	assert_int_equal(zone_stats(zone).drained_pages, 0);

	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 40), 40);
	pp_zone_free_bulk(zone, pages, 40);
	cached = pp_zone_cached(zone, me);
	assert_true(cached >= 40);
	s = zone_stats(zone);
	assert_int_equal(pp_zone_drain(zone, me, 0), cached);
	assert_int_equal(pp_zone_cached(zone, me), 0);
	assert_int_equal(zone_stats(zone).drained_pages, s.drained_pages + cached);
	assert_true(zone_stats(zone).drains > s.drains);
	assert_int_equal(zone_stats(zone).free, 128);
	assert_int_equal(pp_zone_drain(zone, me, 0), 0);
	assert_int_equal(pp_zone_drain_all(zone, 0), 0);
	zone_end(zone);
	unpin();
}

static void fill_cache(void *arg)
{
	struct pp_zone *zone = arg;
	struct pp_page *pages[64];

	require(pp_zone_alloc_bulk(zone, pages, 64) == 64);
	pp_zone_free_bulk(zone, pages, 64);
}

static void drain_all(void **state)
{
	struct pp_zone *zone = small_zone(1024, 64, 128);
	uint64_t cached;
	unsigned int i;

	for (i = 0; i < test_cpus() && i < 8; i++)
		run_on((int)test_cpu(i), fill_cache, zone);
	cached = zone_stats(zone).cached;
	assert_true(cached >= 64 * (i < 8 ? i : 8));
	assert_int_equal(pp_zone_drain_all(zone, 1000), cached);
	assert_int_equal(zone_stats(zone).cached, 0);
	zone_end(zone);
}

struct taker {
	struct pp_zone *zone;
	struct pp_page *pages[65];
	unsigned int step;
	unsigned int got;
};

static void take_everything(void *arg)
{
	struct taker *t = arg;
	unsigned int n;

	do {
		n = pp_zone_alloc_bulk(t->zone, t->pages + t->got, t->step);
		t->got += n;
	} while (n && t->got < 64);
	require(pp_zone_alloc_bulk(t->zone, t->pages + t->got, 1) == 0);
}

/* 64 pages, all of them in the cache of a core that is idle: another core gets all 64 */
static void idle_cache(void **state)
{
	static const unsigned int steps[] = { 1, 3, 16, 64 };
	struct pp_zone *zone;
	struct taker t;
	unsigned int i;

	need_two_cpus();
	for (i = 0; i < ARRAY_LEN(steps); i++) {
		zone = small_zone(64, 16, 64);
		run_on((int)test_cpu(0), fill_cache, zone);
		assert_int_equal(pp_zone_cached(zone, test_cpu(0)), 64);
		assert_int_equal(zone_stats(zone).free, 0);
		memset(&t, 0, sizeof(t));
		t.zone = zone;
		t.step = steps[i];
		run_on((int)test_cpu(1), take_everything, &t);
		assert_int_equal(t.got, 64);
		pages_distinct(zone, t.pages, 64);
		assert_int_equal(pp_zone_cached(zone, test_cpu(0)), 0);
		assert_true(zone_stats(zone).drains >= 1);
		assert_true(zone_stats(zone).drained_pages >= 64);
		assert_true(zone_stats(zone).alloc_failures >= 1);
		if (steps[i] == 1 || steps[i] == 64)
			assert_int_equal(zone_stats(zone).alloc_failures, 1);
		zone_check(zone, 64);
		pp_zone_free_bulk(zone, t.pages, 64);
		zone_end(zone);
	}
}

struct churner {
	struct pp_zone *zone;
	unsigned int stop;
	uint64_t rounds;
	uint64_t short_answers;
};

static void churn(void *arg)
{
	struct churner *c = arg;
	struct pp_page *pages[32];
	unsigned int got;

	while (!c->rounds || !__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		got = pp_zone_alloc_bulk(c->zone, pages, 32);
		c->short_answers += got < 32;
		pp_zone_free_bulk(c->zone, pages, got);
		c->rounds++;
	}
}

/* neither a busy owner nor a core shared with two of them can hold a drain up for long */
static void drain_timeout(void **state)
{
	struct pp_zone *zone = small_zone(512, 32, 128);
	struct churner c[3] = { { .zone = zone }, { .zone = zone }, { .zone = zone } };
	struct pinned threads[3];
	double t, worst = 0;
	unsigned int i;
	long err;

	for (i = 0; i < 3; i++)
		pinned_start(&threads[i], (int)test_cpu(0), churn, &c[i]);
	for (i = 0; i < 200; i++) {
		t = now_s();
		err = pp_zone_drain(zone, test_cpu(0), i & 1 ? 500 : 0);
		t = now_s() - t;
		worst = t > worst ? t : worst;
		drain_done(err);
		t = now_s();
		err = pp_zone_drain_all(zone, 200);
		worst = now_s() - t > worst ? now_s() - t : worst;
		drain_done(err);
		sleep_us(200);
	}
	for (i = 0; i < 3; i++)
		__atomic_store_n(&c[i].stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 3; i++) {
		pinned_join(&threads[i]);
		require(c[i].rounds > 0);
		require(c[i].short_answers == 0);
	}
	print_message("# slowest of 400 drains: %.3f ms, %llu timeouts\n", worst * 1e3,
		      (unsigned long long)zone_stats(zone).drain_timeouts);
	assert_true(worst < 2.0);
	zone_end(zone);
}

/* the fast path does not wait for drains: a fallback is allowed, a failure is not */
static void drain_flood(void **state)
{
	struct pp_zone *zone = small_zone(512, 32, 128);
	struct churner c = { .zone = zone };
	struct pinned thread;
	double end = now_s() + 0.5;
	uint64_t drains = 0;

	pinned_start(&thread, (int)test_cpu(0), churn, &c);
	while (now_s() < end) {
		drains += drain_done(pp_zone_drain(zone, test_cpu(0), 20000));
	}
	__atomic_store_n(&c.stop, 1, __ATOMIC_RELAXED);
	pinned_join(&thread);
	print_message("# %llu drains beside %llu rounds, %llu fallbacks\n",
		      (unsigned long long)drains, (unsigned long long)c.rounds,
		      (unsigned long long)zone_stats(zone).fallbacks);
	assert_true(drains > 0);
	assert_int_equal(c.short_answers, 0);
	assert_true(c.rounds > 0);
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(high),	       cmocka_unit_test(batch),
		cmocka_unit_test(warm_first),  cmocka_unit_test(high_below_n),
		cmocka_unit_test(drain),       cmocka_unit_test(drain_all),
		cmocka_unit_test(idle_cache),  cmocka_unit_test(drain_timeout),
		cmocka_unit_test(drain_flood),
	};

	return test_main("pcp", tests, ARRAY_LEN(tests), 120);
}
