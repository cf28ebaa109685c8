/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * invariants_pcp.c - what must always hold, 11 to 14 and 18 of 18: the cores' caches
 *
 * One test each, under the default policy; pcp_control.c, pcp_tuning.c, signals.c and life.c show
 * the same at length and under every policy. A cache is held from outside by its lock, as a
 * drainer or a preempted owner would.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <pagepool/memory.h>

#include "stock/sync/pcp_lock.h"
#include "zone/zone.h"
#include "harness.h"

#define U32_WRAP ((uint64_t)1 << 32)
#define BATCH	 4u
#define HIGH	 16u
#define MOST	 1024u

static struct pp_page *pages[8192];

static struct pp_zone *tuned_zone(void)
{
	struct pp_zone_params p = zone_params(ARRAY_LEN(pages));

	p.batch = BATCH;
	p.high = HIGH;
	p.high_max = MOST;
	return zone_new(&p);
}

static struct pp_zone *fixed_zone(uint32_t flags)
{
	struct pp_zone_params p = zone_params(1024);

	p.batch = 16;
	p.high = 64;
	p.flags = flags;
	return zone_new(&p);
}

static struct pcp *pcp_of(struct pp_zone *zone, unsigned int core)
{
	return stock_pcp(zone->stock, core);
}

/* ---- 11: count, high, and their bounds ------------------------------------------------------- */

/* Runs count by their pages. Counters near 2^32, where the kernel's per-CPU ones wrap. */
static void invariant_11_count_and_high(void **state)
{
	struct pp_zone *zone = tuned_zone();
	struct rng r = rng_init(11);
	unsigned int core, i, k, have = 0;
	struct pp_page *runs[8];
	struct pcp *pcp;

	pin_to(test_cpu(0));
	core = pp_zone_this_core(zone);
	pcp = pcp_of(zone, core);
	pcp->allocs = pcp->frees = U32_WRAP - 100;
	pcp->raises = pcp->decays = pcp->refills = pcp->flushes = U32_WRAP - 1;
	for (i = 0; i < 10000; i++) {
		k = 1 + rng_below(&r, rng_below(&r, 8) ? 8 : 300);
		if (rng_below(&r, 2) && have + k <= ARRAY_LEN(pages) / 2) {
			require(pp_zone_alloc_bulk(zone, pages + have, k) == k);
			have += k;
		} else if (k <= have) {
			have -= k;
			pp_zone_free_bulk(zone, pages + have, k);
			require(pp_zone_cached(zone, core) <= zone_stats(zone).high);
		}
		if (rng_below(&r, 100) == 0)
			pp_zone_maintain(zone);
		require(pp_zone_cached(zone, core) == pcp->hold.count);
		require(zone_stats(zone).high >= HIGH && zone_stats(zone).high <= MOST);
	}
	assert_true(pcp->allocs > U32_WRAP && pcp->refills >= U32_WRAP);
	zone_check(zone, have);
	pp_zone_free_bulk(zone, pages, have < 512 ? have : 512);
	for (i = 512; i < have; i += k) {
		k = have - i < 512 ? have - i : 512;
		pp_zone_free_bulk(zone, pages + i, k);
	}
	zone_has_runs = true;
	require(pp_zone_alloc_order_bulk(zone, 2, runs, 8) == 8);
	pp_zone_drain(zone, core, 100000);
	assert_int_equal(pp_zone_cached(zone, core), 0);
	pp_zone_free_order_bulk(zone, runs, 8);
	k = pp_zone_cached(zone, core);
	assert_true(k >= 4 && k % 4 == 0);
	zone_check(zone, 0);
	zone_has_runs = false;
	pp_zone_drain_all(zone, 100000);
	unpin();
	zone_end(zone);
}

/* ---- 12: disabled is empty, whatever races --------------------------------------------------- */

static struct {
	struct pp_zone *zone;
	bool stop;
	unsigned int closed; /* disablers that are inside */
	unsigned int closings;
} race;

static unsigned int cached(struct pp_zone *zone)
{
	unsigned int i, sum = 0;

	for (i = 0; i < pp_zone_cores(zone); i++)
		sum += pp_zone_cached(zone, i);
	return sum;
}

static void churn(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	struct pp_page *mine[32];
	unsigned int n;

	while (!__atomic_load_n(&race.stop, __ATOMIC_RELAXED)) {
		n = 1 + rng_below(&r, 32);
		require(pp_zone_alloc_bulk(race.zone, mine, n) == n);
		pp_zone_free_bulk(race.zone, mine, n);
	}
}

static void disable(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	unsigned int i;

	while (!__atomic_load_n(&race.stop, __ATOMIC_RELAXED)) {
		if (!drain_done(pp_zone_pcp_disable(race.zone, 100000)))
			continue;
		__atomic_fetch_add(&race.closings, 1, __ATOMIC_RELAXED);
		for (i = rng_below(&r, 200); i; i--)
			require(cached(race.zone) == 0);
		pp_zone_pcp_enable(race.zone);
		sched_yield();
	}
}

/* Differs: disablers nest, where the kernel's wait for each other; closed is closed for both. */
static void invariant_12_disable_is_empty(void **state)
{
	struct pinned threads[4];
	struct pp_page *some[64];
	unsigned int i;

	race.zone = fixed_zone(0);
	race.stop = false;
	for (i = 0; i < 4; i++)
		pinned_start(&threads[i], -1, i < 2 ? churn : disable, (void *)(uintptr_t)(20 + i));
	sleep_us(300000);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++)
		pinned_join(&threads[i]);
	assert_true(race.closings > 0);
	assert_int_equal(zone_stats(race.zone).high, 64);
	assert_int_equal(zone_stats(race.zone).batch, 16);
	require(pp_zone_alloc_bulk(race.zone, some, 64) == 64);
	assert_int_equal(pp_zone_pcp_disable(race.zone, 100000), 0);
	for (i = 0; i < 32; i++) {
		pp_zone_free_bulk(race.zone, &some[i], 1);
		assert_int_equal(cached(race.zone), 0);
	}
	pp_zone_pcp_enable(race.zone);
	pp_zone_free_bulk(race.zone, some + 32, 32);
	assert_true(cached(race.zone) > 0);
	zone_end(race.zone);
}

/* ---- 13: nobody waits for a drainer ---------------------------------------------------------- */

static struct {
	struct pp_zone *zone;
	unsigned int got;
} handler;

static void take_and_give(int sig)
{
	struct pp_page *mine[8];

	handler.got = pp_zone_alloc_bulk(handler.zone, mine, 8);
	pp_zone_free_bulk(handler.zone, mine, handler.got);
}

static void invariant_13_no_wait_for_a_drainer(void **state)
{
	struct pp_zone *zone = fixed_zone(PP_ZONE_SIGNAL_SAFE);
	struct pp_page *mine[32];
	struct pcp *pcp;

	pin_to(test_cpu(0));
	pcp = pcp_of(zone, pp_zone_this_core(zone));
	require(pp_zone_alloc_bulk(zone, mine, 8) == 8);
	pp_zone_free_bulk(zone, mine, 8);
	assert_true(pcp->hold.count > 0);
	zone->stock->fallbacks = U32_WRAP - 1;
	require(cache_trylock(pcp)); /* for good, as it looks from here */
	assert_int_equal(pp_zone_alloc_bulk(zone, mine, 32), 32);
	pp_zone_free_bulk(zone, mine, 16);
	assert_int_equal(zone_stats(zone).fallbacks, U32_WRAP + 1);
	assert_int_equal(pp_zone_drain(zone, pp_zone_this_core(zone), 0), -ETIMEDOUT);
	/* and a handler that interrupted the thread inside */
	handler.zone = zone;
	signal(SIGUSR1, take_and_give);
	raise(SIGUSR1);
	assert_int_equal(handler.got, 8);
	cache_unlock(pcp);
	raise(SIGUSR1);
	assert_int_equal(handler.got, 8);
	signal(SIGUSR1, SIG_DFL);
	pp_zone_free_bulk(zone, mine + 16, 16);
	WRITE_ONCE(pcp->want, 0);
	unpin();
	zone_end(zone);
}

/* ---- 14: draining all ------------------------------------------------------------------------ */

static void drain_all(void *arg)
{
	__atomic_fetch_add((long *)arg, pp_zone_drain_all(race.zone, 1000000), __ATOMIC_RELAXED);
}

static void fill_cache(void *arg)
{
	struct pp_page *some[48];

	require(pp_zone_alloc_bulk(race.zone, some, 48) == 48);
	pp_zone_free_bulk(race.zone, some, 48);
}

/*
 * Differs: there is no drain of all zones, and no mutex, so that no call returns because another
 * drains: each comes back when every cache was empty once, and a page counts for one of them.
 * A cache that is held costs its time limit and the others are drained; one that looks empty is
 * passed over, unless it must be certain (disable).
 */
static void invariant_14_drain_all_is_complete(void **state)
{
	struct pinned threads[3];
	unsigned int i, there;
	struct pcp *empty;
	long moved = 0;

	race.zone = fixed_zone(0);
	for (i = 0; i < test_cpus(); i++)
		run_on((int)test_cpu(i), fill_cache, NULL);
	there = cached(race.zone);
	assert_true(there > 0);
	for (i = 0; i < 3; i++)
		pinned_start(&threads[i], -1, drain_all, &moved);
	for (i = 0; i < 3; i++)
		pinned_join(&threads[i]);
	assert_int_equal(moved, there);
	assert_int_equal(cached(race.zone), 0);

	run_on((int)test_cpu(0), fill_cache, NULL);
	empty = pcp_of(race.zone, test_cpu(test_cpus() - 1));
	if (test_cpus() > 1)
		assert_int_equal(empty->hold.count, 0);
	else
		require(pp_zone_drain_all(race.zone, 0) > 0);
	require(cache_trylock(empty));
	assert_int_equal(pp_zone_drain_all(race.zone, 0) >= 0, 1); /* not even looked at */
	assert_int_equal(pp_zone_pcp_disable(race.zone, 0), -ETIMEDOUT);
	empty->hold.count = 0;
	cache_unlock(empty);
	WRITE_ONCE(empty->want, 0);
	assert_int_equal(cached(race.zone), 0);
	assert_int_equal(pp_zone_pcp_disable(race.zone, 100000), 0);
	pp_zone_pcp_enable(race.zone);
	zone_end(race.zone);
}

/* ---- 18: tuning ------------------------------------------------------------------------------ */

/* empties the cache, one page at a time, then one more: how many pages did that refill take? */
static unsigned int refill_size(struct pp_zone *zone, unsigned int core, unsigned int *n)
{
	uint64_t before;

	while (pp_zone_cached(zone, core))
		require(pp_zone_alloc_bulk(zone, &pages[(*n)++], 1) == 1);
	before = zone_stats(zone).free;
	require(pp_zone_alloc_bulk(zone, &pages[(*n)++], 1) == 1);
	return (unsigned int)(before - zone_stats(zone).free) - 1;
}

/* What an idle cache with @count pages and this @high may come down to in one tick. */
static uint64_t lowest_after_a_tick(uint64_t high, uint64_t count)
{
	uint64_t burst = count > 32 * BATCH ? count - 32 * BATCH : 0, eighth = high - high / 8;
	uint64_t low = burst > eighth ? burst : eighth;

	return low > HIGH ? low : HIGH;
}

static void invariant_18_auto_tune(void **state)
{
	struct pp_zone *zone = tuned_zone();
	unsigned int core, n = 0, i, size = 0, last = 0;
	uint64_t flushes, high, count;

	pin_to(test_cpu(0));
	core = pp_zone_this_core(zone);
	pcp_of(zone, core)->raises = pcp_of(zone, core)->decays = U32_WRAP - 2;
	for (i = 0; i < 20 && size < 32 * BATCH; i++) {
		size = refill_size(zone, core, &n);
		/* doubled, or held back by what the cache may have at this point */
		assert_true(i ? size >= last && size <= 2 * last : size == BATCH);
		last = size;
	}
	assert_int_equal(size, 32 * BATCH);
	assert_int_equal(refill_size(zone, core, &n), 32 * BATCH); /* and no further */
	assert_true(zone_stats(zone).high_raises > U32_WRAP);
	while (n < 3 * MOST)
		refill_size(zone, core, &n);
	flushes = zone_stats(zone).flushes;
	while (zone_stats(zone).flushes == flushes)
		pp_zone_free_bulk(zone, &pages[--n], 1);
	assert_int_equal(refill_size(zone, core, &n), BATCH << (5 >> 1));
	while (n)
		pp_zone_free_bulk(zone, &pages[--n], 1);
	for (i = 0, high = MOST + 1; i < 200 && high != zone_stats(zone).high; i++) {
		high = zone_stats(zone).high;
		count = pp_zone_cached(zone, core);
		pp_zone_maintain(zone);
		assert_int_equal(zone_stats(zone).high, lowest_after_a_tick(high, count));
		assert_true(pp_zone_cached(zone, core) <= zone_stats(zone).high);
	}
	assert_true(high >= HIGH && high < HIGH + 8); /* an eighth of less than 8 is nothing */
	unpin();
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariant_11_count_and_high),
		cmocka_unit_test(invariant_12_disable_is_empty),
		cmocka_unit_test(invariant_13_no_wait_for_a_drainer),
		cmocka_unit_test(invariant_14_drain_all_is_complete),
		cmocka_unit_test(invariant_18_auto_tune),
	};

	return test_main("invariants of the cores' caches", tests, ARRAY_LEN(tests), 120);
}
