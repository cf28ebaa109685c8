/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * isolate.c - ranges out of use and back, under each policy; arguments as in variant.h
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "variant.h"

#define BLOCK 1024u /* pages of 2 KiB */
#define PAGES (6 * BLOCK + 100)

static struct pp_page *held[PAGES];

static unsigned int take_all(struct pp_zone *zone)
{
	unsigned int n = 0;

	while (n < PAGES && pp_zone_alloc_bulk(zone, held + n, 1))
		n++;
	return n;
}

static void give(struct pp_zone *zone, unsigned int from, unsigned int n)
{
	unsigned int k;

	for (; n; n -= k, from += k) {
		k = n < 64 ? n : 64;
		pp_zone_free_bulk(zone, held + from, k);
	}
}

static unsigned int count_in(struct pp_zone *zone, unsigned int n, uint64_t first, uint64_t last)
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++)
		k += page_index(zone, held[i]) >= first && page_index(zone, held[i]) <= last;
	return k;
}

static void empty_range(void **state)
{
	struct pp_zone *zone = variant_zone(PAGES, 16, 64);
	unsigned int n;

	assert_int_equal(pp_zone_block_pages(zone), BLOCK);
	assert_int_equal(pp_zone_isolate(zone, BLOCK + 5, 1), 0);
	assert_int_equal(zone_stats(zone).isolated, BLOCK);
	assert_int_equal(pp_zone_isolate_test(zone, BLOCK, BLOCK), 0);
	assert_int_equal(pp_zone_isolate_test(zone, BLOCK - 1, 2), -EBUSY);
	zone_check(zone, 0);
	n = take_all(zone);
	assert_int_equal(n, PAGES - BLOCK);
	assert_int_equal(count_in(zone, n, BLOCK, 2 * BLOCK - 1), 0);
	zone_check(zone, n);
	assert_int_equal(pp_zone_isolate_undo(zone, BLOCK + 5, 1), 0);
	assert_int_equal(zone_stats(zone).isolated, 0);
	n += pp_zone_alloc_bulk(zone, held + n, 1);
	assert_int_equal(n, PAGES - BLOCK + 1);
	give(zone, 0, n);
	zone_end(zone);
}

/* Pages in use are isolated when they come home, and are not handed out again. */
static void pages_in_use(void **state)
{
	struct pp_zone *zone = variant_zone(PAGES, 16, 64);
	unsigned int n = take_all(zone);

	assert_int_equal(n, PAGES);
	assert_int_equal(pp_zone_isolate_hard(zone, 2 * BLOCK, 2 * BLOCK, 100000), 0);
	assert_int_equal(zone_stats(zone).isolated, 0);
	assert_int_equal(pp_zone_isolate_test(zone, 2 * BLOCK, 2 * BLOCK), -EBUSY);
	give(zone, 0, n);
	assert_int_equal(zone_stats(zone).isolated, 2 * BLOCK);
	assert_int_equal(pp_zone_isolate_test(zone, 2 * BLOCK, 2 * BLOCK), 0);
	assert_int_equal(cached_pages(zone), 0);
	zone_check(zone, 0);
	n = take_all(zone);
	assert_int_equal(n, PAGES - 2 * BLOCK);
	assert_int_equal(count_in(zone, n, 2 * BLOCK, 4 * BLOCK - 1), 0);
	give(zone, 0, n);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 2 * BLOCK, 2 * BLOCK), 0);
	assert_int_equal(take_all(zone), PAGES);
	give(zone, 0, PAGES);
	zone_end(zone);
}

/* Caches stay open: pages that overflow from them are filtered on their way, by any thread. */
static void overflow(void **state)
{
	struct pp_zone *zone = variant_zone(PAGES, 16, 64);
	struct pp_zone_stats s;
	unsigned int n, i;

	pin_to(test_cpu(0)); /* one cache */
	n = take_all(zone);
	assert_int_equal(n, PAGES);
	assert_int_equal(pp_zone_isolate(zone, 2 * BLOCK, 2 * BLOCK), 0);
	for (i = 0; i < n; i++) {
		if (page_index(zone, held[i]) / BLOCK / 2 != 1)
			continue;
		pp_zone_free_bulk(zone, &held[i], 1);
		held[i] = NULL;
	}
	s = zone_stats(zone);
	assert_int_equal(s.free, 0);
	assert_int_equal(s.isolated + s.cached, 2 * BLOCK);
	assert_true(s.cached <= s.high);
	pp_zone_drain_all(zone, 100000);
	assert_int_equal(zone_stats(zone).isolated + zone_stats(zone).cached, 2 * BLOCK);
	assert_int_equal(zone_stats(zone).free, 0);
	assert_int_equal(pp_zone_isolate_undo(zone, 2 * BLOCK, 2 * BLOCK), 0);
	for (i = 0; i < n; i++)
		if (held[i])
			pp_zone_free_bulk(zone, &held[i], 1);
	zone_end(zone);
	unpin();
}

static void nesting(void **state)
{
	struct pp_zone *zone = variant_zone(PAGES, 16, 64);

	assert_int_equal(pp_zone_isolate(zone, 0, 3 * BLOCK), 0);
	assert_int_equal(pp_zone_isolate_hard(zone, 2 * BLOCK, 2 * BLOCK, 100000), 0);
	assert_int_equal(pp_zone_isolate(zone, 2 * BLOCK, 1), 0);
	assert_int_equal(zone_stats(zone).isolated, 4 * BLOCK);
	assert_int_equal(pp_zone_isolate_undo(zone, 0, 3 * BLOCK), 0);
	assert_int_equal(zone_stats(zone).isolated, 2 * BLOCK);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 2 * BLOCK, 2 * BLOCK), 0);
	assert_int_equal(zone_stats(zone).isolated, BLOCK);
	assert_int_equal(pp_zone_isolate_undo(zone, 2 * BLOCK, 1), 0);
	assert_int_equal(zone_stats(zone).isolated, 0);
	assert_int_equal(pp_zone_isolate_undo(zone, 2 * BLOCK, 1), -EINVAL);
	/* the last block is a part of one */
	assert_int_equal(pp_zone_isolate(zone, PAGES - 1, 1), 0);
	assert_int_equal(zone_stats(zone).isolated, 100);
	assert_int_equal(pp_zone_isolate_undo(zone, PAGES - 1, 1), 0);
	zone_end(zone);
}

/* One of two isolations is undone: what comes home then still is not handed out. */
static void nested_pages_in_use(void **state)
{
	struct pp_zone *zone = variant_zone(PAGES, 16, 64);
	unsigned int n = take_all(zone);

	assert_int_equal(n, PAGES);
	assert_int_equal(pp_zone_isolate_hard(zone, BLOCK, BLOCK, 100000), 0);
	assert_int_equal(pp_zone_isolate(zone, BLOCK, BLOCK), 0);
	assert_int_equal(pp_zone_isolate_undo(zone, BLOCK, BLOCK), 0);
	give(zone, 0, n);
	assert_int_equal(zone_stats(zone).isolated, BLOCK);
	n = take_all(zone);
	assert_int_equal(n, PAGES - BLOCK);
	give(zone, 0, n);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, BLOCK, BLOCK), 0);
	zone_end(zone);
}

static void bad_ranges(void **state)
{
	struct pp_zone *zone = variant_zone(PAGES, 16, 64);

	assert_int_equal(pp_zone_isolate(zone, 0, 0), -EINVAL);
	assert_int_equal(pp_zone_isolate(zone, PAGES, 1), -EINVAL);
	assert_int_equal(pp_zone_isolate(zone, 1, PAGES), -EINVAL);
	assert_int_equal(pp_zone_isolate(zone, 1, UINT64_MAX), -EINVAL);
	assert_int_equal(pp_zone_isolate_hard(zone, UINT64_MAX, 2, 0), -EINVAL);
	assert_int_equal(pp_zone_isolate_undo(zone, 0, 1), -EINVAL);
	zone_end(zone);
}

/* ---- races ----------------------------------------------------------------------------------- */

#define WORKERS 3u

static struct {
	struct pp_zone *zone;
	uint64_t first; /* of the range that must not be handed out, while epoch is odd */
	uint64_t epoch;
	bool stop;
	uint64_t frees;
	uint64_t checked;
} race;

static void churn(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	struct pp_page *mine[200];
	unsigned int n = 0, k;

	while (!__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		k = 1 + rng_below(&r, 32);
		if (n + k <= 200 && rng_below(&r, 2)) {
			n += pp_zone_alloc_bulk(race.zone, mine + n, k);
		} else if (n) {
			k = k < n ? k : n;
			n -= k;
			pp_zone_free_bulk(race.zone, mine + n, k);
		}
	}
	pp_zone_free_bulk(race.zone, mine, n);
}

/* ---- the same, as often as it goes: small blocks, so that a round takes microseconds --------- */

#define SMALL	    32u /* pages of 64 KiB in a block */
#define SMALL_PAGES (6 * SMALL + 5)

/* Nobody else may have the range while it is isolated for certain. */
static bool sure_of(uint64_t epoch, uint64_t *first)
{
	*first = __atomic_load_n(&race.first, __ATOMIC_SEQ_CST);
	return (epoch & 1) && epoch == __atomic_load_n(&race.epoch, __ATOMIC_SEQ_CST);
}

/* A range of pages, which may want the very blocks that are isolated. */
static uint64_t take_range(struct rng *r)
{
	uint64_t n = 1 + rng_below(r, 40), i, first, epoch;
	struct pp_page *page;

	epoch = __atomic_load_n(&race.epoch, __ATOMIC_SEQ_CST);
	if (pp_zone_alloc_contig(race.zone, n, 1, rng_below(r, 3), 200, &page))
		return 0;
	if (sure_of(epoch, &first))
		for (i = 0; i < n; i++)
			require(page_index(race.zone, page + i) - first >= 2 * SMALL);
	pp_zone_free_contig(race.zone, page, n);
	return n;
}

/* Runs of two have caches of their own, which are closed and filtered as well. */
static void take_runs(struct rng *r)
{
	struct pp_page *runs[4];
	uint64_t first, epoch;
	unsigned int k, i;

	epoch = __atomic_load_n(&race.epoch, __ATOMIC_SEQ_CST);
	k = pp_zone_alloc_order_bulk(race.zone, 1, runs, 1 + rng_below(r, 4));
	if (sure_of(epoch, &first))
		for (i = 0; i < k; i++)
			require(page_index(race.zone, runs[i]) - first >= 2 * SMALL);
	pp_zone_free_order_bulk(race.zone, runs, k);
}

static void churn_small(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	uint64_t first, frees = 0, epoch;
	struct pp_page *mine[40];
	unsigned int n = 0, k, i;

	while (!__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		k = 1 + rng_below(&r, 8);
		if (!rng_below(&r, 4000)) {
			frees += take_range(&r);
		} else if (!rng_below(&r, 16)) {
			take_runs(&r);
		} else if (n + k <= 40 && rng_below(&r, 2)) {
			epoch = __atomic_load_n(&race.epoch, __ATOMIC_SEQ_CST);
			k = pp_zone_alloc_bulk(race.zone, mine + n, k);
			if (sure_of(epoch, &first)) {
				__atomic_fetch_add(&race.checked, k, __ATOMIC_RELAXED);
				for (i = n; i < n + k; i++)
					require(page_index(race.zone, mine[i]) - first >=
						2 * SMALL);
			}
			n += k;
		} else if (n) {
			k = k < n ? k : n;
			n -= k;
			pp_zone_free_bulk(race.zone, mine + n, k);
			frees += k;
		}
	}
	pp_zone_free_bulk(race.zone, mine, n);
	__atomic_fetch_add(&race.frees, frees, __ATOMIC_RELAXED);
}

/* True: all pages of the range came home meanwhile. */
static bool one_round(struct rng *r, unsigned int *late)
{
	uint64_t first = rng_below(r, 5) * SMALL;
	unsigned int spins = rng_below(r, 64);
	bool home;

	if (pp_zone_isolate_hard(race.zone, first, 2 * SMALL, 20000)) {
		++*late;
		return false;
	}
	__atomic_store_n(&race.first, first, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&race.epoch, 1, __ATOMIC_SEQ_CST);
	while (spins--)
		pp_cycles();
	if (rng_below(r, 1000) == 0)
		sleep_us(rng_below(r, 500));
	home = !pp_zone_isolate_test(race.zone, first, 2 * SMALL);
	__atomic_fetch_add(&race.epoch, 1, __ATOMIC_SEQ_CST);
	require(!pp_zone_isolate_hard_undo(race.zone, first, 2 * SMALL));
	return home;
}

/* A thread of policy request may have no time to look whether its cache was closed. */
static bool seen_enough(void)
{
	return policy_is("request") || __atomic_load_n(&race.checked, __ATOMIC_RELAXED) > 0;
}

/*
 * With the hard guarantee no page of the range is handed out, whatever races. As long as
 * PP_ISOLATE_SECONDS, or PP_ISOLATE_ROUNDS times.
 */
static void hard_race(void **state)
{
	double start = now_s(), end = start + test_seconds("PP_ISOLATE_SECONDS", 1.5, 60);
	const char *env = getenv("PP_ISOLATE_ROUNDS");
	unsigned int most = env ? (unsigned int)atoi(env) : 0;
	unsigned int i, rounds = 0, late = 0, full = 0;
	struct pp_zone_params p = variant_params(SMALL_PAGES, 2, 8);
	struct pinned threads[WORKERS];
	struct rng r = rng_init(99);

	p.page_size = 65536;
	zone_has_runs = true;
	race.zone = zone_new(&p);
	race.stop = false;
	race.epoch = race.frees = race.checked = 0;
	for (i = 0; i < WORKERS; i++)
		pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(0), churn_small,
			     (void *)(uintptr_t)(i + 1));
	/* a busy machine does few rounds in that time */
	for (; most ? rounds < most : now_s() < end || (!seen_enough() && now_s() < start + 30);
	     rounds++)
		full += one_round(&r, &late);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < WORKERS; i++)
		pinned_join(&threads[i]);
	print_message("# %.1f s, %u rounds, %u times all home, %u timeouts, %llu pages freed, %llu "
		      "handed out while isolated\n",
		      now_s() - start, rounds - late, full, late, (unsigned long long)race.frees,
		      (unsigned long long)race.checked);
	assert_true(race.checked > 0 || policy_is("request"));
	assert_true(rounds - late > 10 || policy_is("request"));
	pp_zone_drain_all(race.zone, 1000000);
	zone_end(race.zone);
}

struct isolator {
	uint64_t first;
	unsigned int rounds;
};

static void isolate_often(void *arg)
{
	struct isolator *me = arg;

	while (!me->rounds || !__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		require(!pp_zone_isolate(race.zone, me->first, 2 * BLOCK));
		require(!pp_zone_isolate_undo(race.zone, me->first, 2 * BLOCK));
		me->rounds++;
	}
}

/* Disjoint ranges at the same time, beside threads that allocate and free. */
static void disjoint(void **state)
{
	struct isolator isolators[3] = { { 0, 0 }, { 2 * BLOCK, 0 }, { 4 * BLOCK, 0 } };
	struct pinned threads[3], worker;
	unsigned int i;

	race.zone = variant_zone(PAGES, 16, 64);
	race.stop = false;
	pinned_start(&worker, -1, churn, (void *)7);
	for (i = 0; i < 3; i++)
		pinned_start(&threads[i], -1, isolate_often, &isolators[i]);
	sleep_us(500000);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 3; i++)
		pinned_join(&threads[i]);
	pinned_join(&worker);
	assert_true(isolators[0].rounds && isolators[1].rounds && isolators[2].rounds);
	assert_int_equal(zone_stats(race.zone).isolated, 0);
	pp_zone_drain_all(race.zone, 1000000);
	zone_end(race.zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_range),
		cmocka_unit_test(pages_in_use),
		cmocka_unit_test(overflow),
		cmocka_unit_test(nesting),
		cmocka_unit_test(nested_pages_in_use),
		cmocka_unit_test(bad_ranges),
		cmocka_unit_test(hard_race),
		cmocka_unit_test(disjoint),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests),
			 getenv("PP_ISOLATE_ROUNDS")
				 ? 3600
				 : 60 + (unsigned int)test_seconds("PP_ISOLATE_SECONDS", 2, 60) *
						   2);
}
