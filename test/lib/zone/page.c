/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page.c - layout of struct pp_page, headroom, lists, references
 */
#include <string.h>

#include "harness.h"

_Static_assert(sizeof(struct pp_page) == 64, "a page's metadata is one cache line");
_Static_assert(_Alignof(struct pp_page) == 64, "and does not straddle two");
_Static_assert(offsetof(struct pp_page, addr) == 16, "an allocation resets the first 16 bytes");

static void headroom(void **state)
{
	struct pp_zone_params p = zone_params(4);
	struct pp_zone *zone;
	struct pp_page *page;
	unsigned char *data;

	p.headroom = 128;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	data = pp_page_data(page);
	assert_ptr_equal(data, page->addr + 128);
	assert_int_equal(pp_page_headroom(page), 128);
	assert_int_equal(pp_page_tailroom(page), 2048 - 128);

	assert_null(pp_page_push(page, 129));
	assert_null(pp_page_pull(page, 1));
	assert_null(pp_page_put_tail(page, 2048 - 128 + 1));
	assert_int_equal(page->len, 0);
	assert_int_equal(page->data_off, 128);

	assert_ptr_equal(pp_page_put_tail(page, 100), data);
	assert_ptr_equal(pp_page_put_tail(page, 20), data + 100);
	assert_ptr_equal(pp_page_push(page, 14), data - 14);
	assert_int_equal(page->len, 134);
	assert_int_equal(pp_page_headroom(page), 114);
	assert_ptr_equal(pp_page_pull(page, 34), data + 20);
	assert_int_equal(page->len, 100);
	assert_null(pp_page_pull(page, 101));
	assert_ptr_equal(pp_page_pull(page, 100), data + 120);
	assert_int_equal(page->len, 0);
	assert_int_equal(pp_page_tailroom(page), 2048 - 128 - 120);
	assert_non_null(pp_page_put_tail(page, pp_page_tailroom(page)));
	assert_int_equal(pp_page_tailroom(page), 0);
	assert_null(pp_page_put_tail(page, 1));

	pp_zone_free_bulk(zone, &page, 1);
	zone_end(zone);
}

static void list(void **state)
{
	struct pp_page pages[3];
	struct pp_list l = PP_LIST_INIT;
	unsigned int i;

	memset(pages, 0xff, sizeof(pages));
	assert_null(pp_list_pop(&l));
	for (i = 0; i < 3; i++) {
		pp_list_add_tail(&l, &pages[i]);
		assert_int_equal(l.n, i + 1);
		assert_ptr_equal(l.head, &pages[0]);
		assert_ptr_equal(l.tail, &pages[i]);
		assert_null(pages[i].next);
	}
	for (i = 0; i < 3; i++) {
		assert_ptr_equal(pp_list_pop(&l), &pages[i]);
		assert_null(pages[i].next);
		assert_int_equal(l.n, 2 - i);
	}
	assert_null(pp_list_pop(&l));
	pp_list_add_tail(&l, &pages[1]);
	assert_ptr_equal(l.tail, &pages[1]);
}

static void references(void **state)
{
	struct pp_zone_params p = zone_params(8);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *page;

	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	pp_page_get(page);
	pp_page_get(page);
	assert_int_equal(page->refs, 3);
	pp_page_put(page);
	pp_page_put(page);
	zone_check(zone, 1);
	pp_page_put(page);
	zone_check(zone, 0);

	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	page_is_fresh(zone, page);
	pp_page_put(page);
	zone_end(zone);
}

struct put_race {
	struct pp_page *pages[512];
	unsigned int arrived;
};

static void put_all(void *arg)
{
	struct put_race *r = arg;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(r->pages); i++) {
		meet(&r->arrived, i);
		pp_page_put(r->pages[i]);
	}
}

/* two threads drop the last two references: exactly one of them frees the page */
static void references_race(void **state)
{
	struct pp_zone_params p = zone_params(512);
	struct pp_zone *zone = zone_new(&p);
	struct put_race r = { .arrived = 0 };
	struct pinned threads[2];
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		r.arrived = 0;
		assert_int_equal(pp_zone_alloc_bulk(zone, r.pages, 512), 512);
		for (i = 0; i < 512; i++) {
			page_is_fresh(zone, r.pages[i]);
			pp_page_get(r.pages[i]);
		}
		for (i = 0; i < 2; i++)
			pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), put_all, &r);
		for (i = 0; i < 2; i++)
			pinned_join(&threads[i]);
		zone_check(zone, 0);
	}
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headroom),
		cmocka_unit_test(list),
		cmocka_unit_test(references),
		cmocka_unit_test(references_race),
	};

	return test_main("page", tests, ARRAY_LEN(tests), 60);
}
