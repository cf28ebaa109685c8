/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sizes.c - counts and sizes at and beyond every edge: none, with no array; more than a bulk; what
 * does not fit the argument's own arithmetic
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <pagepool/control.h>
#include <pagepool/depot.h>
#include <pagepool/memory.h>
#include <pagepool/zone_set.h>

#include "harness.h"

#define PAGES 3000u
#define MANY  2000u

static struct pp_page *pages[PAGES + 1];

static struct pp_zone *start(const char *policy)
{
	struct pp_zone_params p = zone_params(PAGES);

	p.policy = policy;
	return zone_new(&p);
}

/* ---- counts ---------------------------------------------------------------------------------- */

static void none(void **state)
{
	const char *const *policy;
	struct pp_list list = PP_LIST_INIT;
	struct page_pool *pool;
	struct pp_zone *zone;

	for (policy = pp_policy_names(); *policy; policy++) {
		if (pp_policy_check(*policy))
			continue;
		zone = start(*policy);
		pool = pool_new(zone, 16, 16, 8);
		assert_int_equal(pp_zone_alloc_bulk(zone, NULL, 0), 0);
		assert_int_equal(pp_zone_alloc_bulk_fill(zone, NULL, 0), 0);
		assert_int_equal(pp_zone_alloc_bulk_list(zone, 0, &list), 0);
		assert_int_equal(pp_zone_alloc_order_bulk(zone, 0, NULL, 0), 0);
		assert_int_equal(pp_zone_alloc_order_bulk(zone, 2, NULL, 0), 0);
		assert_int_equal(page_pool_alloc_bulk(pool, NULL, 0), 0);
		assert_int_equal(page_pool_alloc_reserve_bulk(pool, NULL, 0), 0);
		pp_zone_free_bulk(zone, NULL, 0);
		pp_zone_free_bulk_list(zone, &list);
		pp_zone_free_order_bulk(zone, NULL, 0);
		pp_zone_free_contig(zone, pp_zone_page_table(zone), 0);
		page_pool_put_bulk(NULL, 0);
		assert_int_equal(zone_stats(zone).alloc_failures, 0);
		assert_int_equal(pool_stats(pool).alloc_failures, 0);
		page_pool_destroy(pool);
		zone_end(zone);
	}
}

/* More than one bulk there and back, and more than there is. */
static void zone_counts(void **state)
{
	static const unsigned int counts[] = { 513, 1000, MANY, PAGES, PAGES + 1, UINT_MAX };
	const char *const *policy;
	struct pp_zone *zone;
	unsigned int i, want;

	for (policy = pp_policy_names(); *policy; policy++) {
		if (pp_policy_check(*policy))
			continue;
		zone = start(*policy);
		for (i = 0; i < ARRAY_LEN(counts); i++) {
			want = counts[i] < PAGES ? counts[i] : PAGES;
			assert_int_equal(pp_zone_alloc_bulk(zone, pages, counts[i]), want);
			pages_distinct(zone, pages, want);
			pp_zone_free_bulk(zone, pages, want);
			assert_int_equal(pp_zone_alloc_order_bulk(zone, 0, pages, counts[i]), want);
			pp_zone_free_order_bulk(zone, pages, want);
			zone_check(zone, 0);
		}
		zone_end(zone);
	}
}

static void fill_counts(void **state)
{
	struct pp_zone *zone = start(NULL);
	unsigned int i, n, round;

	for (round = 0; round < 3; round++) {
		n = (unsigned int[]){ 1000, MANY, PAGES + 1 }[round];
		memset(pages, 0, sizeof(pages));
		assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, n), n < PAGES ? n : PAGES);
		n = n < PAGES ? n : PAGES;
		pages_distinct(zone, pages, n);
		/* every third slot again */
		for (i = 0; i < n; i += 3) {
			pp_zone_free_bulk(zone, &pages[i], 1);
			pages[i] = NULL;
		}
		assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, n), n);
		pages_distinct(zone, pages, n);
		pp_zone_free_bulk(zone, pages, n);
		zone_check(zone, 0);
	}
	/* the zone runs short in the second part: the first slot that stayed empty is named */
	require(pp_zone_alloc_bulk(zone, pages, PAGES - 700) == PAGES - 700);
	memset(pages + PAGES - 700, 0, 701 * sizeof(*pages));
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, PAGES + 1), PAGES);
	assert_null(pages[PAGES]);
	pp_zone_free_bulk(zone, pages, PAGES);
	zone_end(zone);
}

/* Runs with and without a cache of their own, 1,024 at once. */
static void order_counts(void **state)
{
	struct pp_zone_params p = zone_params(8 * 1024);
	struct pp_zone *zone;
	unsigned int order, n, want;

	zone_has_runs = true;
	zone = zone_new(&p);
	for (order = 1; order < 5; order++) {
		want = 8 * 1024 >> order;
		n = pp_zone_alloc_order_bulk(zone, order, pages, want > PAGES ? PAGES : want);
		assert_int_equal(n, want > PAGES ? PAGES : want);
		pp_zone_free_order_bulk(zone, pages, n);
		zone_check(zone, 0);
	}
	n = pp_zone_alloc_order_bulk(zone, 3, pages, UINT_MAX);
	assert_int_equal(n, 1024);
	pp_zone_free_order_bulk(zone, pages, n);
	assert_int_equal(pp_zone_alloc_order_bulk(zone, UINT_MAX, pages, 1), 0);
	zone_end(zone);
	zone_has_runs = false;
}

static void pool_counts(void **state)
{
	struct pp_zone *zone = start(NULL);
	struct page_pool *pool = pool_new(zone, 1024, 128, 64), *other = pool_new(zone, 64, 64, 32);
	unsigned int i;

	/* by the owner; by another thread, through the ring; after a trim */
	for (i = 0; i < 3; i++) {
		assert_int_equal(page_pool_alloc_bulk(pool, pages, MANY), MANY);
		pages_distinct(zone, pages, MANY);
		if (i == 1)
			page_pool_disable_direct_recycling(pool);
		page_pool_put_bulk(pages, MANY);
		page_pool_enable_direct_recycling(pool);
		pool_check(pool, 0);
		require(page_pool_trim(pool, 0, 1000000) >= 0);
	}
	assert_int_equal(page_pool_alloc_bulk(pool, pages, UINT_MAX), PAGES);
	page_pool_put_bulk(pages, PAGES);
	assert_int_equal(page_pool_alloc_reserve_bulk(pool, pages, PAGES + 1), PAGES);
	page_pool_put_bulk(pages, PAGES);
	require(page_pool_trim(pool, 0, 1000000) >= 0);
	/* of two pools and of none, in turns; the first 600 are all of one */
	for (i = 0; i < MANY; i++)
		require((i < 600 || i % 3 == 0 ? page_pool_alloc_bulk(pool, pages + i, 1)
			 : i % 3 == 1	       ? page_pool_alloc_bulk(other, pages + i, 1)
					       : pp_zone_alloc_bulk(zone, pages + i, 1)) == 1);
	page_pool_put_bulk(pages, MANY);
	pool_check(pool, 0);
	pool_check(other, 0);
	assert_int_equal(pool_stats(pool).double_puts + pool_stats(other).double_puts, 0);
	page_pool_destroy(pool);
	page_pool_destroy(other);
	zone_end(zone);
}

static void set_counts(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	struct pp_zone_set_params p = { .sz = sizeof(p), .zone = &zp };
	struct pp_zone_set *set = pp_zone_set_create(&p);
	unsigned int n;
	int nodes;

	require(set);
	nodes = __builtin_popcountll(pp_zone_set_nodes(set));
	assert_int_equal(pp_zone_set_alloc_bulk(set, NULL, 0), 0);
	n = pp_zone_set_alloc_bulk(set, pages, MANY);
	assert_int_equal(n, MANY);
	pp_zone_set_free_bulk(set, pages, n);
	pp_zone_set_free_bulk(set, NULL, 0);
	assert_int_equal(pp_zone_set_order(set, 0, NULL, 0), nodes);
	assert_int_equal(pp_zone_set_destroy(set), 0);
}

static struct pp_page foreign[MANY];

static unsigned int foreign_out;

static unsigned int foreign_alloc(void *arg, struct page_pool *pool, struct pp_page **out,
				  unsigned int n)
{
	unsigned int i;

	require(n && n <= PP_BULK_MAX);
	for (i = 0; i < n && foreign_out < MANY; i++)
		out[i] = &foreign[foreign_out++];
	return i;
}

static void foreign_release(void *arg, struct page_pool *pool, struct pp_page **back,
			    unsigned int n)
{
	require(n && n <= PP_BULK_MAX);
	foreign_out -= n;
}

/* A provider never sees more than a bulk, however many are wanted while the pool is closed. */
static void provider_counts(void **state)
{
	static const struct page_pool_provider provider = { .alloc_bulk = foreign_alloc,
							    .release_bulk = foreign_release };
	struct page_pool_params p = { .sz = sizeof(p), .provider = &provider, .pool_size = 2 };
	static unsigned char buffer[2048];
	struct page_pool *pool;
	unsigned int i;

	for (i = 0; i < MANY; i++)
		pp_page_init(&foreign[i], buffer, 11);
	p.headroom = PP_DATA_OFF_MAX + 1;
	assert_null(page_pool_create(&p));
	assert_int_equal(errno, EINVAL);
	p.headroom = 0;
	pool = page_pool_create(&p);
	require(pool);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, UINT_MAX), MANY);
	page_pool_disable_direct_recycling(pool);
	page_pool_put_bulk(pages, MANY);
	page_pool_destroy(pool);
	assert_int_equal(foreign_out, 0);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* sz decides how much is read: a wrong one is an answer. */
static void params_sizes(void **state)
{
	static const size_t wrong[] = { SIZE_MAX, SIZE_MAX - 7, (size_t)1 << 40, 1 << 20, 5000 };
	struct pp_zone_params zp = zone_params(16);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool_params pp = { .sz = sizeof(pp), .zone = zone };
	struct pp_zone_set_params sp = { .sz = sizeof(sp), .zone = &zp };
	struct pp_depot_params dp = { .sz = sizeof(dp), .objects = 16 };
	struct pp_control_params cp = { .sz = sizeof(cp) };
	struct page_pool_stats ps = { 0 };
	struct pp_zone_stats zs = { 0 };
	struct page_pool_end end = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(wrong); i++) {
		zp.sz = pp.sz = sp.sz = dp.sz = cp.sz = ps.sz = zs.sz = end.sz = wrong[i];
		errno = 0;
		assert_null(pp_zone_create(&zp));
		assert_int_equal(errno, E2BIG);
		assert_null(page_pool_create(&pp));
		assert_null(pp_zone_set_create(&sp));
		assert_int_equal(pp_depot_size(&dp), 0);
		errno = 0;
		assert_null(pp_control_open(&cp));
		assert_int_equal(errno, E2BIG);
		assert_int_equal(page_pool_destroy_wait(NULL, &end), -E2BIG);
		assert_int_equal(pp_zone_get_stats(zone, &zs), -E2BIG);
	}
	zp = zone_params(16);
	zp.low = UINT64_MAX;
	zp.flags = PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD;
	zp.idle_ms = 1;
	zone_end(zone_new(&zp));
	zp.pages = UINT64_MAX;
	assert_null(pp_zone_create(&zp));
	zone_end(zone);
}

/* An order-9 run is 2 MiB, and data_off has 16 bits: a pull that does not fit is refused. */
static void pull(void **state)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = 512, .page_size = 4096 };
	struct pp_zone *zone;
	struct pp_page *page;
	unsigned char *first;

	zone_has_runs = true;
	zone = zone_new(&p);
	require(pp_zone_alloc_order_bulk(zone, 9, &page, 1) == 1);
	first = pp_page_data(page);
	assert_ptr_equal(pp_page_put_tail(page, 100000), first);
	assert_null(pp_page_pull(page, 70000));
	assert_null(pp_page_pull(page, PP_DATA_OFF_MAX + 1));
	assert_ptr_equal(pp_page_data(page), first);
	assert_int_equal(page->len, 100000);
	assert_ptr_equal(pp_page_pull(page, 60000), first + 60000);
	assert_null(pp_page_pull(page, 10000));
	assert_ptr_equal(pp_page_pull(page, PP_DATA_OFF_MAX - 60000), first + PP_DATA_OFF_MAX);
	assert_null(pp_page_pull(page, 1));
	assert_null(pp_page_pull(page, UINT32_MAX));
	assert_ptr_equal(pp_page_push(page, PP_DATA_OFF_MAX), first);
	assert_null(pp_page_push(page, UINT32_MAX));
	assert_int_equal(pp_page_tailroom(page), (2 << 20) - 100000);
	assert_null(pp_page_put_tail(page, UINT32_MAX));
	/* fields that lead out of the buffer: no room, not four gigabytes of it */
	page->len = UINT32_MAX;
	assert_int_equal(pp_page_tailroom(page), 0);
	assert_null(pp_page_put_tail(page, 1));
	pp_page_put(page);
	zone_end(zone);
	zone_has_runs = false;
}

/* Fragments of no size, of every size; a page for no users keeps the one it has. */
static void fragments(void **state)
{
	static const int counts[] = { 0, -1, INT_MIN, 1 };
	struct pp_zone *zone = start(NULL);
	struct page_pool *pool = pool_new(zone, 16, 16, 8);
	unsigned int i, offset, size;
	struct pp_page *page;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		page = page_pool_alloc_pages(pool);
		page_pool_fragment_page(page, counts[i]);
		page_pool_put_page(pool, page, true);
		pool_check(pool, 0);
	}
	assert_null(page_pool_alloc_frag(pool, &offset, 0));
	assert_null(page_pool_alloc_frag(pool, &offset, UINT_MAX));
	assert_null(page_pool_alloc_frag(pool, &offset, UINT_MAX - 62));
	for (i = 0; i < 3; i++) {
		size = (unsigned int[]){ 0, UINT_MAX, 2049 }[i];
		assert_null(page_pool_alloc(pool, &offset, &size));
		size = (unsigned int[]){ 0, UINT_MAX, 2049 }[i];
		assert_null(page_pool_alloc_va(pool, &size));
	}
	page_pool_destroy(pool);
	zone_end(zone);
}

/* Ranges that begin or end outside, and alignments and times that overflow. */
static void ranges(void **state)
{
	static const uint64_t starts[] = { 0, 1, PAGES - 1, PAGES, UINT64_MAX };
	static const uint64_t counts[] = { 0, PAGES + 1, UINT64_MAX, UINT64_MAX - 1 };
	struct pp_zone *zone = start(NULL);
	struct pp_page *first;
	unsigned int i, k;

	for (i = 0; i < ARRAY_LEN(starts); i++)
		for (k = 0; k < ARRAY_LEN(counts); k++) {
			assert_int_equal(pp_zone_isolate(zone, starts[i], counts[k]), -EINVAL);
			assert_int_equal(pp_zone_isolate_undo(zone, starts[i], counts[k]), -EINVAL);
			assert_int_equal(pp_zone_isolate_test(zone, starts[i], counts[k]), -EINVAL);
			assert_int_equal(pp_zone_offline(zone, starts[i], counts[k], 0), -EINVAL);
			assert_int_equal(pp_zone_alloc_contig(zone, counts[k], starts[i], 0, 0,
							      &first),
					 -EINVAL);
		}
	assert_int_equal(pp_zone_alloc_contig(zone, 10, (uint64_t)1 << 63, PP_CONTIG_NORMAL,
					      UINT_MAX, &first),
			 0);
	if (!PP_DEBUG) {
		pp_zone_free_contig(zone, first, UINT64_MAX);
		pp_zone_free_contig(zone, first, PAGES + 1);
		pp_zone_free_contig(zone, first - 1, 1);
		pp_zone_free_contig(zone, first + PAGES, 1);
		assert_int_equal(zone_stats(zone).double_puts, 4);
	}
	zone_check(zone, 10);
	pp_zone_free_contig(zone, first, 10);
	assert_int_equal(pp_zone_shrink(zone, UINT64_MAX), 0);
	assert_int_equal(pp_zone_drain(zone, UINT_MAX, UINT_MAX), -EINVAL);
	assert_int_equal(pp_zone_cached(zone, UINT_MAX), 0);
	assert_int_equal(pp_zone_pcp_set(zone, UINT32_MAX, 1), -EINVAL);
	assert_int_equal(pp_zone_pcp_set(zone, 1, UINT32_MAX), -EINVAL);
	assert_null(pp_zone_page_at(zone, UINT64_MAX));
	assert_null(pp_zone_page_at(zone, (uint64_t)PAGES * 2048));
	zone_check(zone, 0);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),
		cmocka_unit_test(zone_counts),
		cmocka_unit_test(fill_counts),
		cmocka_unit_test(order_counts),
		cmocka_unit_test(pool_counts),
		cmocka_unit_test(set_counts),
		cmocka_unit_test(provider_counts),
		cmocka_unit_test(params_sizes),
		cmocka_unit_test(pull),
		cmocka_unit_test(fragments),
		cmocka_unit_test(ranges),
	};

	return test_main("sizes", tests, ARRAY_LEN(tests), 120);
}
