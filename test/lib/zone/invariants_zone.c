/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * invariants_zone.c - what must always hold, 15 to 17 of 18: isolation, bulk allocation, memory
 * on demand
 *
 * One test each; isolate.c, bulk.c and accept.c show the same at length.
 */
#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include <pagepool/memory.h>

#include "stock/sync/pcp_lock.h"
#include "zone/zone.h"
#include "harness.h"

#define U32_WRAP ((uint64_t)1 << 32)
#define BLOCK	 512u /* pages of 4 KiB */

static struct pp_page *held[4 * BLOCK];

static struct pp_zone *zone_of(uint64_t pages, uint32_t flags, const struct pp_zone_ops *ops)
{
	struct pp_zone_params p = zone_params(pages);

	p.page_size = 4096;
	p.batch = 16;
	p.high = 64;
	p.flags = flags;
	p.ops = ops;
	p.drain_us = 5000000; /* how long an allocation waits for another thread's block, too */
	return zone_new(&p);
}

static struct pcp *this_pcp(struct pp_zone *zone)
{
	return stock_pcp(zone->stock, pp_zone_this_core(zone));
}

static unsigned int take_all(struct pp_zone *zone)
{
	unsigned int n = 0;

	while (n < ARRAY_LEN(held) && pp_zone_alloc_bulk(zone, held + n, 1))
		n++;
	return n;
}

static void give(struct pp_zone *zone, unsigned int from, unsigned int n)
{
	unsigned int k;

	for (; n; n -= k, from += k) {
		k = n < 16 ? n : 16;
		pp_zone_free_bulk(zone, held + from, k);
	}
}

static unsigned int in_block(struct pp_zone *zone, unsigned int n, uint64_t block)
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++)
		k += page_index(zone, held[i]) / BLOCK == block;
	return k;
}

/* ---- 15: isolated blocks --------------------------------------------------------------------- */

/* The free past a cache that is held asks what its block is now, not what it was. */
static void free_past_the_cache(struct pp_zone *zone)
{
	unsigned int n = take_all(zone), i;
	struct pcp *pcp = this_pcp(zone);

	require(n == 2 * BLOCK);
	assert_int_equal(pp_zone_isolate(zone, BLOCK, BLOCK), 0);
	require(cache_trylock(pcp));
	for (i = 0; i < n; i++)
		pp_zone_free_bulk(zone, &held[i], 1);
	cache_unlock(pcp);
	assert_true(zone_stats(zone).fallbacks >= n);
	assert_int_equal(zone_stats(zone).isolated, BLOCK);
	assert_int_equal(pp_zone_isolate_test(zone, BLOCK, BLOCK), 0);
	n = take_all(zone);
	assert_int_equal(n, BLOCK);
	assert_int_equal(in_block(zone, n, 1), 0);
	give(zone, 0, n);
	assert_int_equal(pp_zone_isolate_undo(zone, BLOCK, BLOCK), 0);
	assert_int_equal(zone_stats(zone).free + zone_stats(zone).cached, 2 * BLOCK);
}

/* As in the kernel: for certain only with the caches disabled, which isolate_hard does. */
static void invariant_15_isolated_never_through_a_cache(void **state)
{
	struct pp_zone *zone = zone_of(2 * BLOCK, 0, NULL);
	unsigned int n, i;

	pin_to(test_cpu(0));
	zone->stock->fallbacks = U32_WRAP - 10;
	free_past_the_cache(zone);
	n = take_all(zone);
	/* the last pages to come home fill this core's cache: let them be of both blocks */
	for (i = 0; i < BLOCK; i++) {
		pp_zone_free_bulk(zone, &held[i], 1);
		pp_zone_free_bulk(zone, &held[n - 1 - i], 1);
	}
	assert_true(pp_zone_cached(zone, pp_zone_this_core(zone)) > 32);
	assert_int_equal(pp_zone_isolate_hard(zone, 0, BLOCK, 100000), 0);
	assert_int_equal(pp_zone_cached(zone, pp_zone_this_core(zone)), 0);
	for (i = 0; i < 3; i++) {
		n = take_all(zone);
		assert_int_equal(n, BLOCK);
		assert_int_equal(in_block(zone, n, 0), 0);
		give(zone, 0, n);
		assert_int_equal(pp_zone_cached(zone, pp_zone_this_core(zone)), 0);
	}
	zone_check(zone, 0);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 0, BLOCK), 0);
	assert_int_equal(take_all(zone), 2 * BLOCK);
	give(zone, 0, 2 * BLOCK);
	unpin();
	zone_end(zone);
}

/* ---- 16: bulk allocation --------------------------------------------------------------------- */

/* what each call promises of @pages, of which @had were there */
static void check_filled(struct pp_page *const *pages, unsigned int n, unsigned int result,
			 unsigned int had)
{
	unsigned int i, there = 0;

	for (i = 0; i < n; i++)
		there += pages[i] != NULL;
	require(there >= had && result <= n);
	for (i = 0; i < result; i++)
		require(pages[i]);
	require(result == n || !pages[result]);
}

/*
 * Differs: where the kernel falls back to one page (one missing, cache locked, first removal
 * failed), the rest comes from the zone in the same call.
 */
static void invariant_16_bulk_fills_holes(void **state)
{
	struct pp_zone *zone = zone_of(300, 0, NULL);
	struct pp_page *pages[64] = { NULL }, *before[64];
	struct rng r = rng_init(16);
	struct pcp *pcp;
	unsigned int i, had, got, round;

	pin_to(test_cpu(0));
	pcp = this_pcp(zone);
	zone->stock->alloc_failures = U32_WRAP - 1;
	for (round = 0; round < 500; round++) {
		for (i = had = 0; i < 64; i++) {
			if (pages[i] && rng_below(&r, 2)) {
				pp_zone_free_bulk(zone, &pages[i], 1);
				pages[i] = NULL;
			}
			had += pages[i] != NULL;
		}
		memcpy(before, pages, sizeof(pages));
		if (round & 1)
			require(cache_trylock(pcp));
		got = pp_zone_alloc_bulk_fill(zone, pages, 64);
		if (round & 1)
			cache_unlock(pcp);
		WRITE_ONCE(pcp->want, 0);
		assert_int_equal(got, 64);
		check_filled(pages, 64, got, had);
		for (i = 0; i < 64; i++)
			assert_true(!before[i] || before[i] == pages[i]);
		pages_distinct(zone, pages, 64);
	}
	/* one missing; none missing; then the zone has 36 of 64 */
	require(pp_zone_alloc_bulk(zone, held, 200) == 200);
	pp_zone_free_bulk(zone, &pages[63], 1);
	pages[63] = NULL;
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, 64), 64);
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, 64), 64);
	memset(before, 0, sizeof(before));
	before[40] = pages[0];
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, before, 64), 36);
	check_filled(before, 64, 36, 1);
	assert_ptr_equal(before[40], pages[0]);
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, before, 64), 36);
	assert_int_equal(zone_stats(zone).alloc_failures, U32_WRAP + 1);
	give(zone, 0, 200);
	pp_zone_free_bulk(zone, before, 36);
	pp_zone_free_bulk(zone, pages, 64);
	unpin();
	zone_end(zone);
}

/* ---- 17: memory on demand -------------------------------------------------------------------- */

static struct {
	sem_t asked; /* a thread is being kept waiting */
	sem_t go;
	bool hold;
	unsigned int now;
	unsigned int calls;
} fw;

static int fw_accept(void *arg, void *base, size_t len)
{
	require(len == BLOCK * 4096u);
	__atomic_fetch_add(&fw.calls, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&fw.hold, __ATOMIC_RELAXED)) {
		sem_post(&fw.asked);
		while (sem_wait(&fw.go))
			;
	}
	return 0;
}

static const struct pp_zone_ops fw_ops = { fw_accept, NULL };

struct taker {
	struct pp_zone *zone;
	struct pp_page *pages[64];
	unsigned int got;
};

static void take_some(void *arg)
{
	struct taker *t = arg;

	t->got = pp_zone_alloc_bulk(t->zone, t->pages, 64);
}

/*
 * One block, two threads that both find nothing: it is accepted once, and both have their pages.
 * Meanwhile another zone answers at once. Differs: there is no guard block behind the one that is
 * accepted, since nothing here reads beyond a page.
 */
static void invariant_17_lazy_commit_once(void **state)
{
	struct pp_zone *zone = zone_of(BLOCK, PP_ZONE_LAZY, &fw_ops);
	struct pp_zone *other = zone_of(BLOCK, 0, NULL);
	struct pinned threads[2];
	struct taker t[2] = { { .zone = zone }, { .zone = zone } };
	unsigned int i;

	memset(&fw, 0, sizeof(fw));
	sem_init(&fw.asked, 0, 0);
	sem_init(&fw.go, 0, 0);
	fw.hold = true;
	for (i = 0; i < 2; i++)
		pinned_start(&threads[i], -1, take_some, &t[i]);
	while (sem_wait(&fw.asked))
		;
	sleep_us(20000); /* the other one comes, and must not ask again */
	/* returns although the acceptor does not, until it is posted */
	assert_int_equal(pp_zone_alloc_bulk(other, held, 64), 64);
	pp_zone_free_bulk(other, held, 64);
	assert_int_equal(zone_stats(zone).unaccepted, BLOCK);
	sem_post(&fw.go);
	sem_post(&fw.go); /* should there be two, this must fail, not hang */
	for (i = 0; i < 2; i++)
		pinned_join(&threads[i]);
	assert_int_equal(fw.calls, 1);
	assert_int_equal(t[0].got + t[1].got, 128);
	assert_int_equal(zone_stats(zone).accepts, 1);
	assert_int_equal(zone_stats(zone).unaccepted, 0);
	memcpy(held, t[0].pages, sizeof(t[0].pages));
	memcpy(held + 64, t[1].pages, sizeof(t[1].pages));
	pages_distinct(zone, held, 128);
	give(zone, 0, 128);
	zone_end(zone);
	zone_end(other);
	sem_destroy(&fw.asked);
	sem_destroy(&fw.go);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariant_15_isolated_never_through_a_cache),
		cmocka_unit_test(invariant_16_bulk_fills_holes),
		cmocka_unit_test(invariant_17_lazy_commit_once),
	};

	return test_main("invariants of the zone", tests, ARRAY_LEN(tests), 120);
}
