/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * range_race.c - ranges that several threads want at once: isolated, offline, taken in one piece
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "variant.h"

#define BLOCK  32u /* pages of 64 KiB */
#define BLOCKS 8u
#define PAGES  (BLOCKS * BLOCK)

static struct {
	struct pp_zone *zone;
	bool stop;
	uint64_t done[8];
} race;

static bool going(void)
{
	return !__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE);
}

static void count(unsigned int what)
{
	__atomic_fetch_add(&race.done[what], 1, __ATOMIC_RELAXED);
}

static struct pp_zone *small_blocks(uint32_t flags)
{
	struct pp_zone_params p = variant_params(PAGES, 2, 8);

	p.page_size = 65536;
	p.flags |= flags;
	p.drain_us = 2000;
	if (variant_is_signal_safe() && (p.flags & PP_ZONE_LAZY))
		p.flags |= PP_ZONE_ACCEPT_THREAD;
	return zone_new(&p);
}

static void churn(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	struct pp_page *mine[60];
	unsigned int n = 0, k;

	while (going()) {
		k = 1 + rng_below(&r, 8);
		if (n + k <= 60 && rng_below(&r, 2)) {
			n += pp_zone_alloc_bulk(race.zone, mine + n, k);
		} else if (n) {
			k = k < n ? k : n;
			n -= k;
			pp_zone_free_bulk(race.zone, mine + n, k);
		}
	}
	pp_zone_free_bulk(race.zone, mine, n);
}

/* This thread does not get pages that it has isolated, although others isolate or undo the same. */
static void isolate(void *arg)
{
	struct rng r = rng_init(100 + (uintptr_t)arg);
	uint64_t first, n;
	struct pp_page *pages[8];
	unsigned int k, i;
	int err;

	while (going()) {
		first = rng_below(&r, PAGES);
		n = 1 + rng_below(&r, (unsigned int)(PAGES - first));
		n = n < 3 * BLOCK ? n : 3 * BLOCK;
		err = pp_zone_isolate_hard(race.zone, first, n, 2000);
		require(!err || err == -ETIMEDOUT);
		if (err)
			continue;
		k = pp_zone_alloc_bulk(race.zone, pages, 8);
		for (i = 0; i < k; i++)
			require(page_index(race.zone, pages[i]) / BLOCK < first / BLOCK ||
				page_index(race.zone, pages[i]) / BLOCK > (first + n - 1) / BLOCK);
		pp_zone_free_bulk(race.zone, pages, k);
		require(!pp_zone_isolate_hard_undo(race.zone, first, n));
		count(0);
	}
}

static void offline(void *arg)
{
	struct rng r = rng_init(7);
	uint64_t first, n;
	int err;

	while (going()) {
		first = rng_below(&r, BLOCKS);
		n = 1 + rng_below(&r, (unsigned int)(BLOCKS - first));
		err = pp_zone_offline(race.zone, first * BLOCK, n * BLOCK, 500);
		require(!err || err == -EBUSY || err == -ETIMEDOUT);
		count(err ? 1 : 2);
	}
}

static void contig(void *arg)
{
	struct rng r = rng_init(200 + (uintptr_t)arg);
	struct pp_page *first;
	uint64_t n;
	int err;

	while (going()) {
		n = 1 + rng_below(&r, 3 * BLOCK);
		err = pp_zone_alloc_contig(race.zone, n, 1, PP_CONTIG_HARD, 500, &first);
		require(!err || err == -EBUSY || err == -ETIMEDOUT);
		count(err ? 3 : 4);
		if (err)
			continue;
		/* nobody gives my memory back */
		memset(first->addr, 0x5a, n << 16);
		require(first->addr[(n << 16) - 1] == 0x5a);
		pp_zone_free_contig(race.zone, first, n);
	}
}

static void everybody_wants_the_same(void **state)
{
	void (*const fns[])(void *) = { churn, churn, isolate, isolate, offline, contig, contig };
	struct pinned threads[ARRAY_LEN(fns)];
	unsigned int i;

	memset(&race, 0, sizeof(race));
	race.zone = small_blocks(PP_ZONE_LAZY);
	for (i = 0; i < ARRAY_LEN(fns); i++)
		pinned_start(&threads[i], -1, fns[i], (void *)(uintptr_t)i);
	sleep_us((unsigned int)(test_seconds("PP_RANGE_SECONDS", 0.7, 30) * 1e6));
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < ARRAY_LEN(fns); i++)
		pinned_join(&threads[i]);
	print_message("# %llu isolated, %llu of %llu offline, %llu of %llu ranges\n",
		      (unsigned long long)race.done[0], (unsigned long long)race.done[2],
		      (unsigned long long)(race.done[1] + race.done[2]),
		      (unsigned long long)race.done[4],
		      (unsigned long long)(race.done[3] + race.done[4]));
	assert_true(policy_is("request") || (race.done[0] && race.done[2] && race.done[4]));
	pp_zone_drain_all(race.zone, 1000000);
	assert_int_equal(zone_stats(race.zone).isolated, 0);
	zone_end(race.zone);
}

/* ---- a range of which another thread has pages ----------------------------------------------- */

static struct {
	struct pp_page *pages[PAGES];
	uint64_t first;
	uint64_t n;
	bool asked;
} holder;

static void ask(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n)
{
	if (__atomic_load_n(&holder.asked, __ATOMIC_ACQUIRE))
		return; /* often, for the same */
	holder.first = first;
	holder.n = n;
	__atomic_store_n(&holder.asked, true, __ATOMIC_RELEASE);
}

/* Gives back what was asked for, in its own time, and from its own core. */
static void hold(void *arg)
{
	unsigned int i;

	while (!__atomic_load_n(&holder.asked, __ATOMIC_ACQUIRE))
		sleep_us(500);
	for (i = 0; i < PAGES; i++) {
		if (!holder.pages[i])
			continue;
		if (page_index(race.zone, holder.pages[i]) - holder.first < holder.n) {
			pp_zone_free_bulk(race.zone, &holder.pages[i], 1);
			holder.pages[i] = NULL;
		}
		if (i % 16 == 0)
			sleep_us(100);
	}
}

static void given_back_by_another_thread(void **state)
{
	struct pp_reclaimer reclaimer = { .reclaim = ask };
	struct pp_page *first;
	struct pinned thread;
	unsigned int i, n = 0;

	memset(&holder, 0, sizeof(holder));
	race.zone = small_blocks(0);
	for (i = 0; i < PAGES; i++)
		require(pp_zone_alloc_bulk(race.zone, &holder.pages[i], 1) == 1);
	assert_int_equal(pp_zone_alloc_contig(race.zone, 40, 8, PP_CONTIG_HARD, 1000, &first),
			 -ETIMEDOUT);
	pp_zone_reclaimer_add(race.zone, &reclaimer);
	pinned_start(&thread, -1, hold, NULL);
	assert_int_equal(pp_zone_alloc_contig(race.zone, 40, 8, PP_CONTIG_HARD, 5000000, &first),
			 0);
	pinned_join(&thread);
	pp_zone_reclaimer_del(race.zone, &reclaimer);
	assert_int_equal(page_index(race.zone, first) % 8, 0);
	for (i = 0; i < PAGES; i++)
		n += holder.pages[i] != NULL;
	/* no more than was asked for */
	assert_int_equal(n, PAGES - holder.n);
	pp_zone_free_contig(race.zone, first, 40);
	for (i = 0; i < PAGES; i++)
		if (holder.pages[i])
			pp_zone_free_bulk(race.zone, &holder.pages[i], 1);
	pp_zone_drain_all(race.zone, 1000000);
	zone_end(race.zone);
}

/* While a range is waited for, its last page's holder isolates it for certain, then gives it up. */
static void isolate_and_give(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct pp_page **last = arg;

	if (!*last)
		return;
	require(!pp_zone_isolate_hard(zone, BLOCK, 2 * BLOCK, 100000));
	pp_zone_free_bulk(zone, last, 1);
	*last = NULL;
}

static void others_isolation_is_left_alone(void **state)
{
	struct pp_page *last, *first = NULL;
	struct pp_reclaimer reclaimer = { .reclaim = isolate_and_give, .arg = &last };
	struct pp_zone *zone = small_blocks(0);

	require(pp_zone_alloc_bulk(zone, &last, 1) == 1);
	pp_zone_reclaimer_add(zone, &reclaimer);
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES, 1, PP_CONTIG_HARD, 200000, &first),
			 -EBUSY);
	assert_null(last);
	assert_int_equal(pp_zone_isolate_test(zone, BLOCK, 2 * BLOCK), 0);
	assert_int_equal(zone_stats(zone).isolated, 2 * BLOCK);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, BLOCK, 2 * BLOCK), 0);
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES, 1, PP_CONTIG_HARD, 200000, &first), 0);
	pp_zone_reclaimer_del(zone, &reclaimer);
	pp_zone_free_contig(zone, first, PAGES);
	zone_end(zone);
}

/* What was isolated once is undone once, and a hard one's undo opens no caches twice. */
static void undone_too_often(void **state)
{
	struct pp_zone *zone = small_blocks(0);

	assert_int_equal(pp_zone_isolate_hard(zone, 0, BLOCK, 100000), 0);
	assert_int_equal(pp_zone_isolate_hard(zone, BLOCK, BLOCK, 100000), 0);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 0, BLOCK), 0);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 0, BLOCK), -EINVAL);
	assert_int_equal(pp_zone_isolate_undo(zone, 0, 2 * BLOCK), -EINVAL); /* half of it is not */
	/* the other one still holds the caches closed */
	assert_int_equal(pp_zone_pcp_set(zone, 8, 2), -EBUSY);
	assert_int_equal(zone_stats(zone).isolated, BLOCK);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, BLOCK, BLOCK), 0);
	assert_int_equal(pp_zone_pcp_set(zone, 8, 2), 0);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_wants_the_same),
		cmocka_unit_test(given_back_by_another_thread),
		cmocka_unit_test(others_isolation_is_left_alone),
		cmocka_unit_test(undone_too_often),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests),
			 60 + (unsigned int)test_seconds("PP_RANGE_SECONDS", 1, 30) * 2);
}
