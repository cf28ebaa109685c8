/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_tuning.c - high and batch move with the load: kernel-semantics, invariants 11 and 18
 *
 * rseq and llist have no hold in which to tune: their caches stay at high. The batch of a cache of
 * fixed size grows under each policy.
 */
#include <string.h>

#include "variant.h"

#define BATCH 4u
#define HIGH  16u
#define MOST  1024u
#define PAGES 20000u

static struct pp_page *pages[PAGES];

static struct pp_zone *tuned_zone(void)
{
	struct pp_zone_params p = variant_params(PAGES, BATCH, HIGH);

	p.high_max = MOST;
	return zone_new(&p);
}

/* empties the cache, one page at a time, then one more: how many pages did that refill take? */
static unsigned int refill_size(struct pp_zone *zone, unsigned int *n)
{
	unsigned int core = pp_zone_this_core(zone);
	uint64_t before;

	while (pp_zone_cached(zone, core))
		require(pp_zone_alloc_bulk(zone, &pages[(*n)++], 1) == 1);
	before = zone_stats(zone).free;
	require(pp_zone_alloc_bulk(zone, &pages[(*n)++], 1) == 1);
	return (unsigned int)(before - zone_stats(zone).free) - 1;
}

static unsigned int streak(struct pp_zone *zone, unsigned int *n, unsigned int most)
{
	unsigned int size = 0, i;

	for (i = 0; i < 12 && size < most; i++)
		size = refill_size(zone, n);
	return size;
}

static void give_back(struct pp_zone *zone, unsigned int n)
{
	while (n)
		pp_zone_free_bulk(zone, &pages[--n], 1);
}

static void alloc_streak_doubles(void **state)
{
	struct pp_zone *zone = tuned_zone();
	unsigned int i, n = 0, size, last = BATCH;

	pin_to(test_cpu(0));
	for (i = 0; i < 12; i++) {
		size = refill_size(zone, &n);
		/* doubled, or held back by what the cache may have: never more, never less */
		assert_true(size <= 2 * last);
		assert_true(size >= last || !i);
		assert_true(size <= 32 * BATCH);
		last = size;
	}
	assert_int_equal(last, variant_tunes() ? 32 * BATCH : BATCH);
	assert_int_equal(zone_stats(zone).high_raises > 0, variant_tunes());
	assert_true(zone_stats(zone).high <= MOST);
	give_back(zone, n);
	unpin();
	zone_end(zone);
}

/* each overflow of the cache by a free is one step back */
static void free_halves(void **state)
{
	struct pp_zone *zone = tuned_zone();
	uint64_t flushes;
	unsigned int n = 0, size;

	pin_to(test_cpu(0));
	size = streak(zone, &n, 32 * BATCH);
	if (variant_tunes()) {
		assert_int_equal(size, 32 * BATCH);
		/* more than a cache can hold */
		while (n < 2 * MOST)
			refill_size(zone, &n);
		flushes = zone_stats(zone).flushes;
		while (zone_stats(zone).flushes == flushes)
			pp_zone_free_bulk(zone, &pages[--n], 1);
		/* the factor is a shift: 5 >> 1 == 2 */
		assert_int_equal(refill_size(zone, &n), BATCH << 2);
		/* and the streak goes on from there */
		assert_int_equal(refill_size(zone, &n), BATCH << 3);
	}
	give_back(zone, n);
	unpin();
	zone_end(zone);
}

static void free_streak_raises(void **state)
{
	struct pp_zone *zone = tuned_zone();
	unsigned int core, i, n = 2000;

	pin_to(test_cpu(0));
	core = pp_zone_this_core(zone);
	for (i = 0; i < n; i++)
		require(pp_zone_alloc_bulk(zone, &pages[i], 1) == 1);
	for (; i; i--) {
		pp_zone_free_bulk(zone, &pages[i - 1], 1);
		require(pp_zone_cached(zone, core) <= zone_stats(zone).high);
		require(zone_stats(zone).high <= MOST);
	}
	if (variant_tunes())
		assert_true(zone_stats(zone).high > HIGH);
	else
		assert_int_equal(zone_stats(zone).high, HIGH);
	unpin();
	zone_end(zone);
}

/* an eighth a tick, or down to count - 32 * batch; an idle cache's too, from any thread */
static void idle_decay(void **state)
{
	struct pp_zone *zone = tuned_zone();
	unsigned int core, i, n = 0;
	uint64_t high, next;

	pin_to(test_cpu(0));
	core = pp_zone_this_core(zone);
	streak(zone, &n, 32 * BATCH);
	give_back(zone, n);
	high = zone_stats(zone).high;
	for (i = 0; i < 100; i++) {
		pp_zone_maintain(zone);
		next = zone_stats(zone).high;
		assert_true(next <= high);
		assert_true(next >= high - high / 8);
		assert_true(next >= HIGH);
		assert_true(pp_zone_cached(zone, core) <= next);
		high = next;
	}
	/* an eighth of less than 8 pages is none */
	assert_true(high < HIGH + 8);
	assert_int_equal(zone_stats(zone).high_decays > 0, variant_tunes());
	unpin();
	zone_end(zone);
}

/* invariant 11, tuned, at random: within its high after every free; high within its bounds */
static void high_after_every_free(void **state)
{
	struct pp_zone *zone = tuned_zone();
	struct rng r = rng_init(50);
	unsigned int steps = (unsigned int)test_seconds("PP_TUNING_STEPS", 5000, 20000);
	unsigned int core, i, k, have = 0;

	pin_to(test_cpu(0));
	core = pp_zone_this_core(zone);
	for (i = 0; i < steps; i++) {
		k = 1 + rng_below(&r, rng_below(&r, 8) ? 8 : 300);
		if (rng_below(&r, 2) && have + k <= PAGES / 2) {
			require(pp_zone_alloc_bulk(zone, pages + have, k) == k);
			have += k;
		} else if (k <= have) {
			have -= k;
			pp_zone_free_bulk(zone, pages + have, k);
			require(pp_zone_cached(zone, core) <= zone_stats(zone).high);
		}
		if (rng_below(&r, 100) == 0)
			pp_zone_maintain(zone);
		require(zone_stats(zone).high >= HIGH && zone_stats(zone).high <= MOST);
	}
	give_back(zone, have);
	unpin();
	zone_end(zone);
}

/* ---- caches of fixed size -------------------------------------------------------------------- */

#define FIXED	    64u
#define FIXED_BATCH (FIXED / 4)

/* @batch 0: it grows up to the whole cache */
static struct pp_zone *fixed_zone(uint64_t size, uint32_t batch)
{
	struct pp_zone_params p = variant_params(size, batch, FIXED);

	p.high_max = FIXED;
	return zone_new(&p);
}

/* fills the cache, one page at a time, and once more: how many pages left it? */
static unsigned int flush_size(struct pp_zone *zone, unsigned int *n)
{
	unsigned int core = pp_zone_this_core(zone), before;

	do {
		before = pp_zone_cached(zone, core);
		pp_zone_free_bulk(zone, &pages[--*n], 1);
	} while (pp_zone_cached(zone, core) > before);
	return before + 1 - pp_zone_cached(zone, core);
}

static void streak_grows(void **state)
{
	static const unsigned int sizes[] = { FIXED_BATCH, 2 * FIXED_BATCH, FIXED, FIXED, FIXED };
	struct pp_zone *zone = fixed_zone(PAGES, 0);
	unsigned int i, n = 0;

	pin_to(test_cpu(0));
	assert_int_equal(zone_stats(zone).batch, FIXED_BATCH);
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		assert_int_equal(refill_size(zone, &n), sizes[i]);
	while (n < 8 * FIXED)
		require(pp_zone_alloc_bulk(zone, &pages[n++], 1) == 1);
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		assert_int_equal(flush_size(zone, &n), sizes[i]);
	give_back(zone, n);
	unpin();
	zone_end(zone);
}

/* a core that swings around empty and full, and a batch that the caller chose */
static void no_streak(void **state)
{
	struct pp_zone *swings = fixed_zone(PAGES, 0), *chosen = fixed_zone(PAGES, FIXED_BATCH);
	unsigned int i, n = 0, most = 4 * FIXED;

	pin_to(test_cpu(0));
	while (n < most)
		require(pp_zone_alloc_bulk(swings, &pages[n++], 1) == 1);
	for (i = 0; i < 4; i++) {
		assert_int_equal(flush_size(swings, &n), FIXED_BATCH);
		assert_int_equal(refill_size(swings, &n), FIXED_BATCH);
	}
	give_back(swings, n);
	for (i = n = 0; i < 6; i++)
		assert_int_equal(refill_size(chosen, &n), FIXED_BATCH);
	for (i = 0; i < 3; i++)
		assert_int_equal(flush_size(chosen, &n), FIXED_BATCH);
	give_back(chosen, n);
	unpin();
	zone_end(swings);
	zone_end(chosen);
}

/* each call of pp_zone_maintain() takes a doubling back */
static void idle_streak(void **state)
{
	struct pp_zone *zone = fixed_zone(PAGES, 0);
	unsigned int n = 0, i;

	pin_to(test_cpu(0));
	for (i = 0; i < 4; i++)
		refill_size(zone, &n);
	pp_zone_maintain(zone);
	assert_int_equal(refill_size(zone, &n), 2 * FIXED_BATCH);
	pp_zone_maintain(zone);
	pp_zone_maintain(zone);
	assert_int_equal(refill_size(zone, &n), FIXED_BATCH);
	give_back(zone, n);
	unpin();
	zone_end(zone);
}

struct keeper {
	struct pp_zone *zone;
	uint64_t calls;
	bool stop;
};

static void maintain(void *arg)
{
	struct keeper *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_RELAXED)) {
		pp_zone_maintain(k->zone);
		__atomic_fetch_add(&k->calls, 1, __ATOMIC_RELAXED);
	}
}

/* the decay of streaks and the streaks themselves, at once; a race detector sees it, too */
static void maintain_beside_owner(void **state)
{
	struct keeper k = { .zone = tuned_zone() };
	unsigned int i, n, got, rounds = 0;
	struct pinned thread;

	need_two_cpus();
	pin_to(test_cpu(0));
	pinned_start(&thread, (int)test_cpu(1), maintain, &k);
	while (rounds++ < 200 || !__atomic_load_n(&k.calls, __ATOMIC_RELAXED)) {
		for (n = 0; n < 2000; n += got)
			got = pp_zone_alloc_bulk(k.zone, pages + n, BATCH);
		for (i = 0; i < n; i += BATCH)
			pp_zone_free_bulk(k.zone, pages + i, BATCH);
	}
	__atomic_store_n(&k.stop, true, __ATOMIC_RELAXED);
	pinned_join(&thread);
	unpin();
	pp_zone_maintain(k.zone); /* a decay that met the owner inside left more than high */
	zone_end(k.zone);
}

/* pp_zone_pcp_set() chooses a batch; closing and opening the caches keeps what there was */
static void set_ends_streaks(void **state)
{
	struct pp_zone *zone = fixed_zone(PAGES, 0);
	unsigned int i, n = 0;

	pin_to(test_cpu(0));
	assert_int_equal(pp_zone_pcp_disable(zone, 1000000), 0);
	pp_zone_pcp_enable(zone);
	for (i = 0; i < 3; i++)
		refill_size(zone, &n);
	assert_int_equal(refill_size(zone, &n), FIXED);
	assert_int_equal(pp_zone_pcp_set(zone, FIXED, FIXED_BATCH), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(refill_size(zone, &n), FIXED_BATCH);
	give_back(zone, n);
	unpin();
	zone_end(zone);
}

/* a zone that runs short: a streak takes a batch, or at most half of what is free */
static void streak_leaves_half(void **state)
{
	struct pp_zone *zone = fixed_zone(8 * FIXED, 0);
	uint64_t free_before, got;
	unsigned int n = 0;

	pin_to(test_cpu(0));
	while (n < 8 * FIXED) {
		free_before = zone_stats(zone).free;
		require(pp_zone_alloc_bulk(zone, &pages[n++], 1) == 1);
		got = free_before - zone_stats(zone).free;
		require(got <= 1 + FIXED_BATCH || got <= 1 + free_before / 2);
	}
	assert_int_equal(pp_zone_alloc_bulk(zone, &pages[n], 1), 0);
	give_back(zone, n);
	unpin();
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_streak_doubles),
		cmocka_unit_test(free_halves),
		cmocka_unit_test(free_streak_raises),
		cmocka_unit_test(idle_decay),
		cmocka_unit_test(high_after_every_free),
		cmocka_unit_test(streak_grows),
		cmocka_unit_test(no_streak),
		cmocka_unit_test(set_ends_streaks),
		cmocka_unit_test(idle_streak),
		cmocka_unit_test(maintain_beside_owner),
		cmocka_unit_test(streak_leaves_half),
	};
	int refused;

	variant_parse(argc, argv);
	variant.tuned = true;
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests), 120);
}
