/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * contig.c - ranges of pages in three modes: free, in caches, in use, not accepted yet
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "harness.h"

#define BLOCK 1024u /* pages of 2 KiB */
#define PAGES (4 * BLOCK)

static struct pp_page *held[PAGES];

static void is_range(struct pp_zone *zone, struct pp_page *first, uint64_t n, uint64_t align)
{
	uint64_t i;

	assert_int_equal(page_index(zone, first) % align, 0);
	assert_true(page_index(zone, first) + n <= pp_zone_pages(zone));
	for (i = 0; i < n; i++) {
		page_is_fresh(zone, first + i);
		require(first[i].addr == first->addr + i * pp_zone_page_size(zone));
		memset(first[i].addr, 0xa5, pp_zone_page_size(zone));
	}
}

static unsigned int take_all(struct pp_zone *zone)
{
	unsigned int n = 0;

	while (n < PAGES && pp_zone_alloc_bulk(zone, held + n, 1))
		n++;
	return n;
}

static void sizes(void **state)
{
	static const uint64_t counts[] = { 1, 2, 3, 63, 512, 513, 1024, 1025, 3000, PAGES };
	static const uint64_t aligns[] = { 0, 1, 2, 64, 1024 };
	struct pp_zone_params p = zone_params(PAGES);
	unsigned int i, k, mode;
	struct pp_page *first;
	struct pp_zone *zone;

	zone = zone_new(&p);
	for (mode = PP_CONTIG_FAST; mode <= PP_CONTIG_HARD; mode++)
		for (i = 0; i < ARRAY_LEN(counts); i++)
			for (k = 0; k < ARRAY_LEN(aligns); k++) {
				assert_int_equal(pp_zone_alloc_contig(zone, counts[i], aligns[k],
								      mode, 1000, &first),
						 0);
				is_range(zone, first, counts[i], aligns[k] ? aligns[k] : 1);
				zone_check(zone, counts[i]);
				pp_zone_free_contig(zone, first, counts[i]);
			}
	assert_int_equal(pp_zone_alloc_contig(zone, 0, 1, 0, 0, &first), -EINVAL);
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES + 1, 1, 0, 0, &first), -EINVAL);
	assert_int_equal(pp_zone_alloc_contig(zone, 1, 3, 0, 0, &first), -EINVAL);
	assert_int_equal(pp_zone_alloc_contig(zone, 1, 1, 3, 0, &first), -EINVAL);
	zone_end(zone);
}

/* One page of a range is in a core's cache: fast does not see it, normal gets it. */
static void in_a_cache(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct pp_page *first;
	struct pp_zone *zone;

	p.high = 512;
	p.batch = 64;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_alloc_bulk(zone, held, 64), 64);
	pp_zone_free_bulk(zone, held, 64);
	assert_true(zone_stats(zone).cached >= 64);
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES, 1, PP_CONTIG_FAST, 0, &first), -EBUSY);
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES, 1, PP_CONTIG_NORMAL, 0, &first), 0);
	zone_check(zone, PAGES);
	pp_zone_free_contig(zone, first, PAGES);
	zone_end(zone);
}

struct user {
	struct pp_page *page;
	unsigned int asked;
	unsigned int patience;
	uint64_t first, n;
};

static void give_back(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct user *u = arg;

	u->first = first;
	u->n = n;
	if (u->asked++ < u->patience || !u->page)
		return;
	pp_zone_free_bulk(zone, &u->page, 1);
	u->page = NULL;
}

/* A holder that learns of a second one while it is asked. */
struct guide {
	struct user user;
	struct pp_reclaimer second;
	bool added;
};

static void ask_second(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct guide *g = arg;

	if (!g->added)
		pp_zone_reclaimer_add(zone, &g->second);
	g->added = true;
}

static void reclaimer_adds_another(void **state)
{
	struct pp_zone_params p = zone_params(BLOCK);
	struct guide g = { .user.patience = 1, .second = { .reclaim = give_back, .arg = &g.user } };
	struct pp_reclaimer r = { .reclaim = ask_second, .arg = &g };
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *first;

	require(pp_zone_alloc_bulk(zone, &g.user.page, 1) == 1);
	pp_zone_reclaimer_add(zone, &r);
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, 1, PP_CONTIG_HARD, 5000000, &first), 0);
	assert_true(g.added);
	pp_zone_reclaimer_del(zone, &g.second);
	pp_zone_reclaimer_del(zone, &r);
	pp_zone_free_contig(zone, first, BLOCK);
	zone_end(zone);
}

/* Every second page is in use: only hard gets a range, if the users give back. */
static void in_use(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct user user = { .patience = 3 };
	struct pp_reclaimer r = { .reclaim = give_back, .arg = &user };
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *first;
	unsigned int i, n = take_all(zone);
	double start;

	assert_int_equal(n, PAGES);
	/* all but one page of the third block come home */
	for (i = 0; i < n; i++) {
		if (page_index(zone, held[i]) == 2 * BLOCK + 500)
			user.page = held[i];
		else if (page_index(zone, held[i]) / BLOCK == 2)
			pp_zone_free_bulk(zone, &held[i], 1);
		else
			continue;
		held[i] = NULL;
	}
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, BLOCK, PP_CONTIG_FAST, 0, &first),
			 -EBUSY);
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, BLOCK, PP_CONTIG_NORMAL, 0, &first),
			 -EBUSY);
	start = now_s();
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, BLOCK, PP_CONTIG_HARD, 50000, &first),
			 -ETIMEDOUT);
	assert_true(now_s() - start >= 0.05 && now_s() - start < 1);
	assert_int_equal(zone_stats(zone).isolated, 0);
	zone_check(zone, PAGES - BLOCK + 1);
	pp_zone_reclaimer_add(zone, &r);
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, BLOCK, PP_CONTIG_HARD, 1000000, &first),
			 0);
	assert_int_equal(user.asked, 4);
	assert_int_equal(user.first, 2 * BLOCK);
	assert_int_equal(user.n, BLOCK);
	pp_zone_reclaimer_del(zone, &r);
	is_range(zone, first, BLOCK, BLOCK);
	zone_check(zone, PAGES);
	assert_int_equal(pp_zone_alloc_contig(zone, 1, 1, PP_CONTIG_HARD, 1000, &first),
			 -ETIMEDOUT);
	assert_int_equal(user.asked, 4);
	/* they are single pages: one by one is as good */
	for (i = 0; i < BLOCK; i++)
		pp_zone_free_bulk(
			zone, &(struct pp_page *){ &pp_zone_page_table(zone)[2 * BLOCK + i] }, 1);
	for (i = 0; i < n; i++)
		if (held[i])
			pp_zone_free_bulk(zone, &held[i], 1);
	zone_end(zone);
}

static void of_a_lazy_zone(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct pp_page *first;
	struct pp_zone *zone;

	p.flags = PP_ZONE_LAZY;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_alloc_contig(zone, 10, 1, PP_CONTIG_FAST, 0, &first), -EBUSY);
	assert_int_equal(pp_zone_alloc_contig(zone, 3 * BLOCK, 1, PP_CONTIG_NORMAL, 0, &first), 0);
	is_range(zone, first, 3 * BLOCK, 1);
	assert_int_equal(zone_stats(zone).unaccepted, BLOCK);
	zone_check(zone, 3 * BLOCK);
	pp_zone_free_contig(zone, first, 3 * BLOCK);
	zone_end(zone);
}

/* ---- beside others --------------------------------------------------------------------------- */

static struct {
	struct pp_zone *zone;
	bool stop;
	uint64_t got[3];
	uint64_t busy;
} race;

/*
 * A block that another thread has isolated is wholly free, or not accepted: others look elsewhere,
 * where pages are missing, and leave it as it was.
 */
static void beside_isolation(uint32_t flags)
{
	struct pp_zone_params p = zone_params(2 * BLOCK);
	struct user user = { 0 };
	struct pp_reclaimer r = { .reclaim = give_back, .arg = &user };
	struct pp_page *first;
	struct pp_zone *zone;
	unsigned int n;

	p.flags = flags;
	p.low = 1;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_isolate(zone, BLOCK, BLOCK), 0);
	n = take_all(zone);
	assert_int_equal(n, BLOCK);
	user.page = held[--n];
	while (n)
		pp_zone_free_bulk(zone, &held[--n], 1);
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, 1, PP_CONTIG_NORMAL, 0, &first), -EBUSY);
	pp_zone_reclaimer_add(zone, &r);
	assert_int_equal(pp_zone_alloc_contig(zone, BLOCK, 1, PP_CONTIG_HARD, 1000000, &first), 0);
	assert_int_equal(user.asked, 1);
	pp_zone_reclaimer_del(zone, &r);
	assert_int_equal(page_index(zone, first), 0);
	assert_int_equal(zone_stats(zone).accepts, flags & PP_ZONE_LAZY ? 1 : 0);
	pp_zone_free_contig(zone, first, BLOCK);
	assert_int_equal(pp_zone_isolate_undo(zone, BLOCK, BLOCK), 0);
	zone_end(zone);
}

static void isolated_by_others(void **state)
{
	beside_isolation(0);
	beside_isolation(PP_ZONE_LAZY);
}

static void churn(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	struct pp_page *mine[600];
	unsigned int n = 0, k;

	while (!__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		k = 1 + rng_below(&r, 32);
		if (n + k <= 600 && rng_below(&r, 2)) {
			n += pp_zone_alloc_bulk(race.zone, mine + n, k);
		} else {
			k = k < n ? k : n;
			n -= k;
			pp_zone_free_bulk(race.zone, mine + n, k);
		}
	}
	for (; n; n--)
		pp_zone_free_bulk(race.zone, mine + n - 1, 1);
}

static void take_ranges(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg + 100);
	struct pp_page *first;
	enum pp_contig mode;
	uint64_t n, i;
	int err;

	while (!__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		n = 1 + rng_below(&r, 900);
		mode = rng_below(&r, 3);
		err = pp_zone_alloc_contig(race.zone, n, 1u << rng_below(&r, 6), mode, 2000,
					   &first);
		require(!err || err == -EBUSY || (err == -ETIMEDOUT && mode == PP_CONTIG_HARD));
		__atomic_fetch_add(err ? &race.busy : &race.got[mode], 1, __ATOMIC_RELAXED);
		for (i = 0; !err && i < n; i++) {
			memset(first[i].addr, (int)(uintptr_t)arg, 64);
			require(first[i].pool == NULL && first[i].refs == 1);
		}
		for (i = 0; !err && i < n; i++)
			require(first[i].addr[63] == (unsigned char)(uintptr_t)arg);
		if (!err)
			pp_zone_free_contig(race.zone, first, n);
	}
}

static void beside_others(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct pinned threads[4];
	unsigned int i;

	memset(&race, 0, sizeof(race));
	p.flags = PP_ZONE_LAZY;
	race.zone = zone_new(&p);
	for (i = 0; i < 4; i++)
		pinned_start(&threads[i], -1, i & 1 ? churn : take_ranges,
			     (void *)(uintptr_t)(i + 1));
	sleep_us((unsigned int)(1e6 * test_seconds("PP_CONTIG_SECONDS", 0.8, 30)));
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++)
		pinned_join(&threads[i]);
	print_message("# fast %llu, normal %llu, hard %llu ranges, %llu refused\n",
		      (unsigned long long)race.got[0], (unsigned long long)race.got[1],
		      (unsigned long long)race.got[2], (unsigned long long)race.busy);
	assert_true(race.got[0] && race.got[1] && race.got[2]);
	pp_zone_drain_all(race.zone, 1000000);
	zone_end(race.zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(in_a_cache),
		cmocka_unit_test(in_use),
		cmocka_unit_test(reclaimer_adds_another),
		cmocka_unit_test(of_a_lazy_zone),
		cmocka_unit_test(beside_others),
		cmocka_unit_test(isolated_by_others),
	};

	return test_main("contig", tests, ARRAY_LEN(tests),
			 60 + (unsigned int)test_seconds("PP_CONTIG_SECONDS", 2, 60) * 2);
}
