/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conformance.c - what every policy must do alike; arguments as in variant.h
 */
#include <errno.h>
#include <string.h>

#include "variant.h"

static struct pp_zone *policy_zone(uint64_t pages, uint32_t batch, uint32_t high, uint32_t flags)
{
	struct pp_zone_params p = variant_params(pages, batch, high);

	p.headroom = 64;
	p.flags |= flags;
	return zone_new(&p);
}

static void round_trip(void **state)
{
	struct pp_zone *zone = policy_zone(512, 16, 64, 0);
	struct pp_page *pages[PP_BULK_MAX];
	struct rng r = rng_init(10);
	unsigned int i, k, n;

	for (i = 0; i < 2000; i++) {
		n = 1 + rng_below(&r, i % 10 ? 70 : PP_BULK_MAX);
		require(pp_zone_alloc_bulk(zone, pages, n) == n);
		pages_distinct(zone, pages, n);
		for (k = 0; k < n; k++)
			page_is_fresh(zone, pages[k]);
		pp_zone_free_bulk(zone, pages, n);
	}
	zone_end(zone);
}

/* a call for no pages moves none, into this core's cache either */
static void none_at_all(void **state)
{
	struct pp_zone *zone = policy_zone(512, 16, 64, 0);
	struct pp_page *pages[1];

	pin_to(test_cpu(0));
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 0), 0);
	pp_zone_free_bulk(zone, pages, 0);
	assert_int_equal(zone_stats(zone).cached, 0);
	assert_int_equal(zone_stats(zone).refills, 0);
	unpin();
	zone_end(zone);
}

static void take_whole_zone(struct pp_zone *zone)
{
	struct pp_page *pages[PP_BULK_MAX];
	struct pp_list list = PP_LIST_INIT;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		assert_int_equal(pp_zone_alloc_bulk(zone, pages, PP_BULK_MAX), 333);
		assert_int_equal(pp_zone_alloc_bulk(zone, pages + 333, 1), 0);
		zone_check(zone, 333);
		pp_zone_free_bulk(zone, pages, 333);
		assert_int_equal(pp_zone_alloc_bulk_list(zone, 1000, &list), 333);
		pp_zone_free_bulk_list(zone, &list);
		memset(pages, 0, sizeof(pages));
		assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, 400), 333);
		pp_zone_free_bulk(zone, pages, 333);
	}
	zone_end(zone);
}

/* prepared pages, and bare ones, which other code hands out */
static void whole_zone(void **state)
{
	take_whole_zone(policy_zone(333, 16, 64, 0));
	take_whole_zone(policy_zone(333, 16, 64, PP_ZONE_NO_PREP));
}

struct hand {
	struct pp_zone *zone;
	struct pp_page *pages[64];
	unsigned int n;
	unsigned int core;
};

static void hand_take(void *arg)
{
	struct hand *h = arg;

	h->n = pp_zone_alloc_bulk(h->zone, h->pages, 64);
	h->core = pp_zone_this_core(h->zone);
}

static void hand_give(void *arg)
{
	struct hand *h = arg;

	pp_zone_free_bulk(h->zone, h->pages, h->n);
}

static void cross(struct pp_zone *zone)
{
	struct hand h = { .zone = zone };
	unsigned int i, n = test_cpus();

	for (i = 0; i < 50; i++) {
		run_on((int)test_cpu(i % n), hand_take, &h);
		assert_int_equal(h.n, 64);
		zone_check(h.zone, 64);
		run_on((int)test_cpu((i + 1) % n), hand_give, &h);
		zone_check(h.zone, 0);
	}
	zone_end(h.zone);
}

/* taken on one core by a thread that is gone, freed on another; more than a batch at a time */
static void across_cores(void **state)
{
	cross(policy_zone(64, 8, 32, 0));
	cross(policy_zone(64, 8, 32, PP_ZONE_NO_PREP));
}

/* every page in the cache of a core, or of a live thread, that is idle: others get them all */
static void idle_cache(void **state)
{
	struct hand a = { .zone = policy_zone(64, 16, 64, 0) };
	struct hand b = { .zone = a.zone };
	struct puppet owner;

	need_two_cpus();
	puppet_start(&owner, (int)test_cpu(0));
	puppet_do(&owner, hand_take, &a);
	assert_int_equal(a.n, 64);
	puppet_do(&owner, hand_give, &a);
	assert_int_equal(pp_zone_cached(a.zone, a.core), 64);
	if (!variant_of_threads())
		assert_int_equal(a.core, test_cpu(0));
	run_on((int)test_cpu(1), hand_take, &b);
	if (variant_drains_idle()) {
		assert_int_equal(b.n, 64);
		pages_distinct(b.zone, b.pages, 64);
	} else {
		/* asked, and not come by: once it does, they are there */
		assert_int_equal(b.n, 0);
		assert_int_equal(pp_zone_drain(a.zone, a.core, 1000), -ETIMEDOUT);
		puppet_do(&owner, hand_take, &a);
		puppet_do(&owner, hand_give, &a);
	}
	zone_check(a.zone, b.n);
	run_on((int)test_cpu(1), hand_give, &b);
	puppet_end(&owner);
	/* nobody's any more: no policy waits for it */
	drain_done(pp_zone_drain_all(a.zone, 1000000));
	assert_int_equal(cached_pages(a.zone), 0);
	assert_int_equal(zone_stats(a.zone).free, 64);
	zone_end(a.zone);
}

/* a drain counts what it moves, of one's own cache too, and leaves nothing */
static void drain_counts(void **state)
{
	struct hand h = { .zone = policy_zone(256, 16, 64, 0) };
	unsigned int cached;

	pin_to(test_cpu(0));
	hand_take(&h);
	hand_give(&h);
	cached = pp_zone_cached(h.zone, h.core);
	assert_true(cached >= 48);
	assert_true(h.core < pp_zone_cores(h.zone));
	assert_int_equal(pp_zone_this_core(h.zone), h.core);
	assert_int_equal(pp_zone_drain(h.zone, h.core, 1000), cached);
	assert_int_equal(pp_zone_cached(h.zone, h.core), 0);
	assert_int_equal(zone_stats(h.zone).drained_pages, cached);
	assert_int_equal(zone_stats(h.zone).free, 256);
	assert_int_equal(pp_zone_drain(h.zone, h.core, 0), 0);
	assert_int_equal(pp_zone_drain_all(h.zone, 0), 0);
	assert_int_equal(pp_zone_drain(h.zone, pp_zone_cores(h.zone), 0), -EINVAL);
	unpin();
	zone_end(h.zone);
}

struct churner {
	struct pp_zone *zone;
	unsigned int id;
	bool migrates;
	double end;
	uint64_t rounds;
};

static void churn(void *arg)
{
	struct churner *c = arg;
	struct rng r = rng_init(20 + c->id);
	struct pp_page *pages[48];
	unsigned int n, k;

	while (now_s() < c->end || !c->rounds) {
		n = 1 + rng_below(&r, 48);
		require(pp_zone_alloc_bulk(c->zone, pages, n) == n);
		for (k = 0; k < n; k++)
			__atomic_store_n(pages[k]->addr, (unsigned char)c->id, __ATOMIC_RELAXED);
		if (c->migrates)
			pin_to(test_cpu(rng_below(&r, test_cpus())));
		for (k = 0; k < n; k++)
			require(__atomic_load_n(pages[k]->addr, __ATOMIC_RELAXED) ==
				(unsigned char)c->id);
		pp_zone_free_bulk(c->zone, pages, n);
		c->rounds++;
	}
}

/* more threads than cores, some of which migrate, while another thread drains */
static void crowd(void **state)
{
	/* enough in the free area, however many cores have a full cache */
	struct pp_zone *zone = policy_zone(512 + 256 * (cores_of_machine() + 8), 16, 64, 0);
	struct churner c[6];
	struct pinned threads[6];
	double end = now_s() + 0.7;
	unsigned int i, done = 0;

	for (i = 0; i < 6; i++) {
		c[i] = (struct churner){ .zone = zone, .id = i, .migrates = i & 1, .end = end };
		pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(i / 2 % test_cpus()), churn,
			     &c[i]);
	}
	/* on a busy machine perhaps only once the threads have ended */
	while (now_s() < end || !done) {
		done += drain_done(pp_zone_drain_all(zone, 200000));
		sleep_us(500);
	}
	for (i = 0; i < 6; i++) {
		pinned_join(&threads[i]);
		require(c[i].rounds > 0);
	}
	zone_end(zone);
}

static void thread_exit(void **state)
{
	struct pp_zone *zone = policy_zone(256, 16, 64, 0);
	struct hand h[4];
	unsigned int round, i;

	for (round = 0; round < 50; round++) {
		for (i = 0; i < 4; i++) {
			h[i].zone = zone;
			run_on(-1, hand_take, &h[i]);
			require(h[i].n == 64);
		}
		for (i = 0; i < 4; i++)
			run_on(-1, hand_give, &h[i]);
	}
	zone_end(zone);
}

static void windows_untraced(struct pp_zone *zone)
{
	struct pp_window_stats w = { .sz = sizeof(w) };

	assert_int_equal(pp_zone_windows(zone, &w), -ENODATA);
}

static void windows_traced(struct pp_zone *zone, uint64_t least)
{
	struct pp_window_stats w = { .sz = sizeof(w) };

	assert_int_equal(pp_zone_windows(zone, &w), 0);
	print_message("# %llu windows, cycles: median %llu p99 %llu p99.9 %llu max %llu; "
		      "most pages %llu\n",
		      (unsigned long long)w.windows, (unsigned long long)w.median_cycles,
		      (unsigned long long)w.p99_cycles, (unsigned long long)w.p999_cycles,
		      (unsigned long long)w.max_cycles, (unsigned long long)w.max_pages);
	assert_true(w.windows >= least);
	/* a free of 32 pages is one window for each batch of 16 */
	assert_true(w.windows <= 2 * least);
	assert_true(w.median_cycles > 0);
	/* quantiles are upper bounds of buckets: they may be 1/8 beyond the longest window */
	assert_true(w.median_cycles <= w.p99_cycles);
	assert_true(w.p99_cycles <= w.p999_cycles);
	assert_true(w.p999_cycles <= w.max_cycles + w.max_cycles / 8 + 1);
	/* nothing of this lasts a second */
	assert_true(w.max_cycles < pp_cycles_hz());
	assert_true(w.max_pages >= 32);
	assert_true(w.max_pages <= 64);
	/* only a policy that masks signals has a cost of masking */
	assert_int_equal(w.masks, policy_is("irqsave") ? w.windows : 0);
	assert_true(policy_is("irqsave") ? w.mask_cycles > w.masks : !w.mask_cycles);
	w.sz += 8;
	assert_int_equal(pp_zone_windows(zone, &w), -E2BIG);
}

static void windows(void **state)
{
	struct pp_zone *zone = policy_zone(256, 16, 64, 0);
	struct pp_page *pages[32];
	unsigned int i;

	pin_to(test_cpu(0));
	for (i = 0; i < 1000; i++) {
		assert_int_equal(pp_zone_alloc_bulk(zone, pages, 32), 32);
		pp_zone_free_bulk(zone, pages, 32);
	}
	unpin();
	if (variant.flags & PP_ZONE_TRACE)
		windows_traced(zone, 2000 - zone_stats(zone).fallbacks);
	else
		windows_untraced(zone);
	zone_end(zone);
}

static bool cycles_agree(uint64_t hz)
{
	double t0 = now_s(), t;
	uint64_t a = pp_cycles(), b;

	while (now_s() < t0 + 0.05)
		;
	b = pp_cycles();
	t = now_s() - t0;
	return (double)(b - a) > 0.95 * t * (double)hz && (double)(b - a) < 1.05 * t * (double)hz;
}

static void cycles(void **state)
{
	uint64_t hz = pp_cycles_hz();
	unsigned int i, good = 0;

	assert_true(hz > 1000000);
	assert_int_equal(pp_cycles_hz(), hz);
	/* a reader that is preempted between its two clocks proves nothing */
	for (i = 0; i < 10 && good < 2; i++)
		good += cycles_agree(hz);
	assert_int_equal(good, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_at_all), cmocka_unit_test(round_trip),
		cmocka_unit_test(whole_zone),  cmocka_unit_test(across_cores),
		cmocka_unit_test(idle_cache),  cmocka_unit_test(drain_counts),
		cmocka_unit_test(crowd),       cmocka_unit_test(thread_exit),
		cmocka_unit_test(windows),     cmocka_unit_test(cycles),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests), 120);
}
