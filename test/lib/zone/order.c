/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order.c - runs of 2^order pages, from caches and from the buddy; arguments as in variant.h
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "variant.h"

#define PAGES (8 * 1024u) /* of 2 KiB */

static struct pp_page *held[PAGES];

static void is_run(struct pp_zone *zone, const struct pp_page *page, unsigned int order)
{
	assert_int_equal(page_index(zone, page) % (1u << order), 0);
	assert_int_equal(pp_page_order(page), order);
	assert_int_equal(pp_page_size(page), 2048u << order);
	assert_int_equal(pp_page_tailroom(page), pp_page_size(page) - 64);
	assert_int_equal(page->data_off, 64);
	assert_int_equal(page->len, 0);
	assert_true(page->refs == 1 && page->pp_refs == 1 && !page->pool && !page->owner);
}

static struct pp_zone *new_zone(uint32_t flags)
{
	struct pp_zone_params p = variant_params(PAGES, 16, 64);

	p.headroom = 64;
	p.flags |= flags;
	return zone_new(&p);
}

/* All of the zone at each order, without overlap, and all of it as single pages afterwards. */
static void every_order(void **state)
{
	struct pp_zone *zone = new_zone(0);
	unsigned int order, n, k, i, b;

	for (order = 0; order <= PP_ORDER_MAX; order++)
		for (b = 1; b <= 512; b *= 8) {
			n = 0;
			while ((k = pp_zone_alloc_order_bulk(zone, order, held + n, b)))
				n += k;
			/* another thread's cache would keep some; we are alone */
			assert_int_equal(n, PAGES >> order);
			for (i = 0; i < n; i++) {
				is_run(zone, held[i], order);
				memset(held[i]->addr, (int)i, pp_page_size(held[i]));
			}
			for (i = 0; i < n; i++) {
				k = pp_page_size(held[i]);
				require(held[i]->addr[0] == (unsigned char)i);
				require(!memcmp(held[i]->addr, held[i]->addr + 1, k - 1));
			}
			zone_check(zone, PAGES);
			for (i = 0; i < n; i += k) {
				k = n - i < b ? n - i : b;
				pp_zone_free_order_bulk(zone, held + i, k);
			}
			for (i = 0; i < PAGES; i += k)
				assert_true((k = pp_zone_alloc_bulk(zone, held + i, 64)));
			pages_distinct(zone, held, PAGES);
			for (i = 0; i < PAGES; i++)
				require(pp_page_order(held[i]) == 0);
			zone_check(zone, PAGES);
			for (i = 0; i < PAGES; i += 16)
				pp_zone_free_bulk(zone, held + i, 16);
		}
	errno = 0;
	assert_int_equal(pp_zone_alloc_order_bulk(zone, PP_ORDER_MAX + 1, held, 1), 0);
	assert_int_equal(errno, EINVAL);
	zone_end(zone);
}

/* One page in use out of 16: nothing of order 4, and counted. */
static void does_not_merge(void **state)
{
	struct pp_zone *zone = new_zone(0);
	unsigned int i, kept = 0;

	for (i = 0; i < PAGES; i++)
		assert_int_equal(pp_zone_alloc_bulk(zone, held + i, 1), 1);
	for (i = 0; i < PAGES; i++) {
		if (page_index(zone, held[i]) % 16 == 5)
			held[kept++] = held[i];
		else
			pp_zone_free_bulk(zone, held + i, 1);
	}
	assert_int_equal(pp_zone_alloc_order_bulk(zone, 4, held + kept, 1), 0);
	assert_int_equal(zone_stats(zone).alloc_failures, 1);
	assert_int_equal(pp_zone_alloc_order_bulk(zone, 3, held + kept, 512), PAGES / 16);
	zone_check(zone, kept + PAGES / 2);
	for (i = 0; i < PAGES / 16; i++) /* the last reference knows the order */
		pp_page_put(held[kept + i]);
	for (i = 0; i < kept; i++)
		pp_zone_free_bulk(zone, held + i, 1);
	zone_end(zone);
}

/* Runs lie in this core's cache: they count as cached, come back, and a drain frees them. */
static void caches(void **state)
{
	struct pp_zone *zone = new_zone(0);
	struct pp_zone_stats s;
	unsigned int i;

	assert_int_equal(pp_zone_alloc_order_bulk(zone, 2, held, 8), 8);
	zone_check(zone, 32);
	pp_zone_free_order_bulk(zone, held, 8);
	s = zone_stats(zone);
	if (variant_is_signal_safe())
		assert_int_equal(s.cached, 0);
	else
		assert_true(s.cached >= 8);
	zone_check(zone, 0);
	/* disabled: none may stay */
	assert_int_equal(pp_zone_pcp_disable(zone, 100000), 0);
	assert_int_equal(zone_stats(zone).cached, 0);
	for (i = 1; i < 4; i++) {
		assert_int_equal(pp_zone_alloc_order_bulk(zone, i, held, 4), 4);
		pp_zone_free_order_bulk(zone, held, 4);
	}
	assert_int_equal(zone_stats(zone).cached, 0);
	zone_check(zone, 0);
	pp_zone_pcp_enable(zone);
	for (i = 1; i < 4; i++) {
		assert_int_equal(pp_zone_alloc_order_bulk(zone, i, held, 4), 4);
		pp_zone_free_order_bulk(zone, held, 4);
	}
	pp_zone_drain_all(zone, 100000);
	assert_true(zone_stats(zone).cached == 0 || !variant_drains_idle());
	zone_end(zone);
}

/* Each page counts once, though a run goes to the runs' stack, and from there to the buddy. */
static void drains_count_once(void **state)
{
	struct pp_zone *zone = new_zone(0);
	uint64_t before;
	unsigned int i;
	long moved;

	for (i = 1; i < 4; i++) {
		assert_int_equal(pp_zone_alloc_order_bulk(zone, i, held, 4), 4);
		pp_zone_free_order_bulk(zone, held, 4);
	}
	before = zone_stats(zone).cached;
	moved = pp_zone_drain_all(zone, 100000);
	if (variant_drains_idle())
		assert_int_equal(moved, before);
	else
		assert_true(moved >= 0 && (uint64_t)moved <= before);
	zone_end(zone);
}

static void isolated(void **state)
{
	struct pp_zone *zone = new_zone(0);
	unsigned int n = 0, k, i;

	for (k = 0; k < 3; k++)
		n += pp_zone_alloc_order_bulk(zone, 1 + k, held + n, 100);
	assert_int_equal(n, 300);
	assert_int_equal(pp_zone_isolate_hard(zone, 0, 1024, 100000), 0);
	pp_zone_free_order_bulk(zone, held, n);
	assert_int_equal(pp_zone_isolate_test(zone, 0, 1024), 0);
	assert_int_equal(zone_stats(zone).isolated, 1024);
	zone_check(zone, 0);
	n = 0;
	while ((k = pp_zone_alloc_order_bulk(zone, 2, held + n, 64)))
		n += k;
	assert_int_equal(n, (PAGES - 1024) / 4);
	for (i = 0; i < n; i++)
		require(page_index(zone, held[i]) >= 1024);
	for (i = 0; i < n; i++)
		pp_zone_free_order_bulk(zone, held + i, 1);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 0, 1024), 0);
	zone_end(zone);
}

/* Jumbo frames: 8 KiB and more in one buffer. */
static void pools(void **state)
{
	struct pp_zone *zone = new_zone(variant_is_signal_safe() ? 0 : PP_ZONE_LAZY);
	struct page_pool_params p = { .sz = sizeof(p), .zone = zone, .order = 3 };
	struct page_pool *pool;
	unsigned int i;

	p.order = 10;
	assert_null(page_pool_create(&p));
	assert_non_null(strstr(pp_error(), "order"));
	for (p.order = 1; p.order <= 9; p.order += 2) {
		p.pool_size = 8;
		p.cache_size = 8;
		p.refill = 4;
		pool = page_pool_create(&p);
		assert_non_null(pool);
		assert_int_equal(page_pool_alloc_bulk(pool, held, 12), 12);
		for (i = 0; i < 12; i++) {
			assert_ptr_equal(held[i]->pool, pool);
			assert_int_equal(pp_page_size(held[i]), 2048u << p.order);
			assert_non_null(pp_page_put_tail(held[i], (2048u << p.order) - 64));
		}
		assert_int_equal(pool_stats(pool).alloc_slow_ho, 3);
		assert_int_equal(pool_stats(pool).alloc_slow, 0);
		zone_check(zone, 12u << p.order);
		page_pool_put_bulk(held, 12);
		pool_check(pool, 0);
		assert_int_equal(page_pool_alloc_bulk(pool, held, 3), 3);
		page_pool_put_page(pool, held[0], true);
		pp_page_get(held[1]);
		page_pool_put_page(pool, held[1], false);
		pp_page_put(held[1]);
		page_pool_destroy(pool);
		page_pool_put_page(held[2]->pool, held[2], false);
		pp_zone_drain_all(zone, 100000);
		zone_check(zone, 0);
	}
	zone_end(zone);
}

/* ---- beside others --------------------------------------------------------------------------- */

static struct pp_zone *shared;
static bool stop;

static void churn(void *arg)
{
	struct rng r = rng_init((uintptr_t)arg);
	struct pp_page *mine[128];
	unsigned int n = 0, i, k, got, order;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		k = 1 + rng_below(&r, 16);
		order = rng_below(&r, 5);
		if (n + k <= 128 && rng_below(&r, 2)) {
			got = pp_zone_alloc_order_bulk(shared, order, mine + n, k);
			for (i = n; i < n + got; i++) {
				require(pp_page_order(mine[i]) == order);
				/* the first and the last bytes of it are ours alone */
				memset(mine[i]->addr, (int)(uintptr_t)arg, 8);
				memset(mine[i]->addr + pp_page_size(mine[i]) - 8,
				       (int)(uintptr_t)arg, 8);
			}
			n += got;
		} else {
			k = k < n ? k : n;
			n -= k;
			for (i = n; i < n + k; i++)
				require(mine[i]->addr[7] == (unsigned char)(uintptr_t)arg &&
					mine[i]->addr[pp_page_size(mine[i]) - 8] ==
						(unsigned char)(uintptr_t)arg);
			pp_zone_free_order_bulk(shared, mine + n, k);
		}
		if (rng_below(&r, 2000) == 0)
			drain_done(pp_zone_drain_all(shared, 1000));
	}
	pp_zone_free_order_bulk(shared, mine, n);
}

static void together(void **state)
{
	struct pinned threads[3];
	unsigned int i;

	stop = false;
	shared = new_zone(0);
	for (i = 0; i < 3; i++)
		pinned_start(&threads[i], -1, churn, (void *)(uintptr_t)(i + 1));
	sleep_us(700000);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 3; i++)
		pinned_join(&threads[i]);
	pp_zone_drain_all(shared, 1000000);
	zone_end(shared);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order), cmocka_unit_test(does_not_merge),
		cmocka_unit_test(caches),      cmocka_unit_test(drains_count_once),
		cmocka_unit_test(isolated),    cmocka_unit_test(pools),
		cmocka_unit_test(together),
	};
	int refused;

	zone_has_runs = true;
	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests), 120);
}
