/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulk.c - taking and giving many pages: array, holes, list
 */
#include <string.h>

#include "harness.h"

#define UNTOUCHED ((struct pp_page *)0x5a5a5a5a)

static void spoil(struct pp_page *page)
{
	page->next = page;
	page->len = 1234;
	page->data_off = 77;
	page->port = 5;
	page->tstamp = 99;
}

static void array(void **state)
{
	struct pp_zone_params p = zone_params(600);
	struct pp_page *pages[PP_BULK_MAX + 1];
	struct pp_page *copy[PP_BULK_MAX];
	struct pp_zone *zone;
	unsigned int n, i;

	p.headroom = 192;
	zone = zone_new(&p);
	for (n = 1; n <= PP_BULK_MAX; n++) {
		for (i = 0; i <= PP_BULK_MAX; i++)
			pages[i] = UNTOUCHED;
		require(pp_zone_alloc_bulk(zone, pages, n) == n);
		for (i = n; i <= PP_BULK_MAX; i++)
			require(pages[i] == UNTOUCHED);
		pages_distinct(zone, pages, n);
		for (i = 0; i < n; i++) {
			page_is_fresh(zone, pages[i]);
			require(pages[i]->pool == NULL);
			spoil(pages[i]);
		}
		memcpy(copy, pages, n * sizeof(*pages));
		pp_zone_free_bulk(zone, pages, n);
		require(!memcmp(copy, pages, n * sizeof(*pages)));
		if (n % 16 == 0 || n < 8)
			zone_check(zone, 0);
	}
	pp_zone_free_bulk(zone, pages, 0);
	zone_end(zone);
}

static void array_exhaustion(void **state)
{
	struct pp_zone_params p = zone_params(100);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *pages[101];
	unsigned int i;

	for (i = 0; i < 101; i++)
		pages[i] = UNTOUCHED;
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 64), 64);
	assert_int_equal(zone_stats(zone).alloc_failures, 0);
	assert_int_equal(pp_zone_alloc_bulk(zone, pages + 64, 37), 36);
	assert_int_equal(zone_stats(zone).alloc_failures, 1);
	assert_ptr_equal(pages[100], UNTOUCHED);
	pages_distinct(zone, pages, 100);
	for (i = 0; i < 100; i++)
		page_is_fresh(zone, pages[i]);
	assert_int_equal(pp_zone_alloc_bulk(zone, pages + 100, 1), 0);
	assert_ptr_equal(pages[100], UNTOUCHED);
	assert_int_equal(zone_stats(zone).alloc_failures, 2);
	zone_check(zone, 100);
	pp_zone_free_bulk(zone, pages, 100);
	assert_int_equal(zone_stats(zone).allocs, 100);
	assert_int_equal(zone_stats(zone).frees, 100);
	zone_end(zone);
}

static void payload_survives(void **state)
{
	struct pp_zone_params p = zone_params(64);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *pages[64];
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		assert_int_equal(pp_zone_alloc_bulk(zone, pages, 64), 64);
		for (i = 0; i < 64; i++) {
			if (round)
				assert_int_equal(pages[i]->addr[2047], page_index(zone, pages[i]));
			memset(pages[i]->addr, (int)page_index(zone, pages[i]), 2048);
		}
		pp_zone_free_bulk(zone, pages, 64);
		assert_true(pp_zone_drain_all(zone, 100000) >= 0);
	}
	zone_end(zone);
}

static void no_prep(void **state)
{
	struct pp_zone_params p = zone_params(64);
	struct pp_zone *zone;
	struct pp_page *pages[64];
	unsigned int i, round;

	p.flags = PP_ZONE_NO_PREP;
	p.headroom = 64;
	zone = zone_new(&p);
	for (round = 0; round < 4; round++) {
		assert_int_equal(pp_zone_alloc_bulk(zone, pages, 64), 64);
		for (i = 0; i < 64; i++) {
			if (round) {
				assert_ptr_equal(pages[i]->next, pages[i]);
				assert_int_equal(pages[i]->len, 1234);
				assert_int_equal(pages[i]->data_off, 77);
				assert_int_equal(pages[i]->port, 5);
			}
			assert_int_equal(pages[i]->refs, 1);
			spoil(pages[i]);
		}
		pp_zone_free_bulk(zone, pages, 64);
		if (round & 1)
			assert_true(pp_zone_drain_all(zone, 100000) >= 0);
	}
	zone_end(zone);
}

/* @n slots of which those in @mask are populated on entry, and @left free pages in the zone */
static void fill_case(struct pp_zone *zone, unsigned int n, unsigned int mask, unsigned int left)
{
	struct pp_page *pages[9], *entry[9], *rest[32];
	unsigned int i, expect = 0, holes = 0, nrest, got = 0;

	for (i = 0; i < n; i++)
		pages[i] = NULL;
	for (i = 0; i < n; i++)
		if (mask & 1u << i)
			require(pp_zone_alloc_bulk(zone, &pages[i], 1) == 1);
	for (i = n; i < 9; i++)
		pages[i] = UNTOUCHED;
	nrest = 32 - (unsigned int)__builtin_popcount(mask) - left;
	if (nrest)
		require(pp_zone_alloc_bulk(zone, rest, nrest) == nrest);
	memcpy(entry, pages, sizeof(entry));

	/* the rule, written anew: holes are filled in order; the first one left is the answer */
	for (expect = 0; expect < n; expect++)
		if (!entry[expect] && ++holes > left)
			break;
	require(pp_zone_alloc_bulk_fill(zone, pages, n) == expect);
	for (i = 0; i < 9; i++) {
		if (entry[i])
			require(pages[i] == entry[i]);
		else if (i < expect)
			page_is_fresh(zone, pages[i]);
		else
			require(!pages[i]);
	}
	for (i = 0; i < n; i++)
		if (pages[i])
			pages[got++] = pages[i];
	pages_distinct(zone, pages, got);
	pp_zone_free_bulk(zone, pages, got);
	pp_zone_free_bulk(zone, rest, nrest);
}

static void fill(void **state)
{
	struct pp_zone_params p = zone_params(32);
	struct pp_zone *zone = zone_new(&p);
	unsigned int n, mask, left;

	for (n = 1; n <= 8; n++)
		for (mask = 0; mask < 1u << n; mask++)
			for (left = 0; left <= n; left++)
				fill_case(zone, n, mask, left);
	zone_end(zone);
}

static void fill_failures(void **state)
{
	struct pp_zone_params p = zone_params(4);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *pages[6] = { NULL };

	assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, 4), 4);
	/* full already: nothing is asked for, so nothing fails */
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, 4), 4);
	assert_int_equal(zone_stats(zone).alloc_failures, 0);
	assert_int_equal(pp_zone_alloc_bulk_fill(zone, pages, 6), 4);
	assert_int_equal(zone_stats(zone).alloc_failures, 1);
	pp_zone_free_bulk(zone, pages, 4);
	zone_end(zone);
}

static void fill_wide(void **state)
{
	struct pp_zone_params p = zone_params(PP_BULK_MAX);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *pages[PP_BULK_MAX];
	struct rng r = rng_init(2);
	unsigned int round, i, n;

	for (round = 0; round < 200; round++) {
		n = 1 + rng_below(&r, PP_BULK_MAX);
		memset(pages, 0, sizeof(pages));
		for (i = 0; i < n; i++)
			if (rng_below(&r, 3) == 0)
				require(pp_zone_alloc_bulk(zone, &pages[i], 1) == 1);
		require(pp_zone_alloc_bulk_fill(zone, pages, n) == n);
		pages_distinct(zone, pages, n);
		pp_zone_free_bulk(zone, pages, n);
	}
	zone_end(zone);
}

static void list_is_sound(struct pp_zone *zone, const struct pp_list *l, size_t n)
{
	const struct pp_page *page, *last = NULL;
	unsigned char *seen = calloc(pp_zone_pages(zone), 1);
	size_t count = 0;

	require(seen);
	require(l->n == n);
	for (page = l->head; page; page = page->next) {
		require(seen[page_index(zone, page)]++ == 0);
		require(page->len == 0 && page->refs == 1);
		last = page;
		count++;
	}
	require(count == n);
	require(!n || l->tail == last);
	free(seen);
}

static void list(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 63, 64, 65, 511, 512, 513, 1500, 3000 };
	struct pp_zone_params p = zone_params(3000);
	struct pp_zone *zone = zone_new(&p);
	struct pp_list l = PP_LIST_INIT;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		assert_int_equal(pp_zone_alloc_bulk_list(zone, counts[i], &l), counts[i]);
		list_is_sound(zone, &l, counts[i]);
		zone_check(zone, counts[i]);
		pp_zone_free_bulk_list(zone, &l);
		assert_null(l.head);
		assert_int_equal(l.n, 0);
	}
	pp_zone_free_bulk_list(zone, &l);
	zone_end(zone);
}

static void list_append(void **state)
{
	struct pp_zone_params p = zone_params(1000);
	struct pp_zone *zone = zone_new(&p);
	struct pp_list l = PP_LIST_INIT;
	struct pp_page *first;

	assert_int_equal(pp_zone_alloc_bulk_list(zone, 3, &l), 3);
	first = l.head;
	assert_int_equal(pp_zone_alloc_bulk_list(zone, 700, &l), 700);
	assert_ptr_equal(l.head, first);
	list_is_sound(zone, &l, 703);
	assert_int_equal(zone_stats(zone).alloc_failures, 0);
	/* more than there is: what there is, appended, and the failure counted */
	assert_int_equal(pp_zone_alloc_bulk_list(zone, 700, &l), 297);
	list_is_sound(zone, &l, 1000);
	assert_int_equal(zone_stats(zone).alloc_failures, 1);
	assert_int_equal(pp_zone_alloc_bulk_list(zone, 1, &l), 0);
	list_is_sound(zone, &l, 1000);
	pp_zone_free_bulk_list(zone, &l);
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array),
		cmocka_unit_test(array_exhaustion),
		cmocka_unit_test(payload_survives),
		cmocka_unit_test(no_prep),
		cmocka_unit_test(fill),
		cmocka_unit_test(fill_failures),
		cmocka_unit_test(fill_wide),
		cmocka_unit_test(list),
		cmocka_unit_test(list_append),
	};

	return test_main("bulk", tests, ARRAY_LEN(tests), 120);
}
