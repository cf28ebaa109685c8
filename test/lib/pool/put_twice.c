/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * put_twice.c - a page of the zone that is given back twice, on every way home, and a fragment
 *
 * Release builds refuse and count the second put; a debug build aborts with a sentence, also
 * where a release build cannot see it: pp_zone_free_bulk() does not touch the page.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "harness.h"

#define PAGES 1024u

static void by_page_put(struct pp_zone *zone, struct pp_page *page)
{
	pp_page_put(page);
}

static void by_put_bulk(struct pp_zone *zone, struct pp_page *page)
{
	page_pool_put_bulk(&page, 1);
}

static void by_put_page(struct pp_zone *zone, struct pp_page *page)
{
	page_pool_put_page(NULL, page, false);
}

static void by_order(struct pp_zone *zone, struct pp_page *page)
{
	pp_zone_free_order_bulk(zone, &page, 1);
}

static void by_contig(struct pp_zone *zone, struct pp_page *page)
{
	pp_zone_free_contig(zone, page, 1);
}

static void by_list(struct pp_zone *zone, struct pp_page *page)
{
	struct pp_list list = PP_LIST_INIT;

	pp_list_add_tail(&list, page);
	pp_zone_free_bulk_list(zone, &list);
}

static void by_free_bulk(struct pp_zone *zone, struct pp_page *page)
{
	pp_zone_free_bulk(zone, &page, 1);
}

/* In release builds the first MARKING leave a mark, and the first LOOKING look for one. */
static void (*const ways[])(struct pp_zone *zone, struct pp_page *page) = {
	by_page_put, by_put_bulk, by_put_page, by_order, by_contig, by_list, by_free_bulk,
};

#define LOOKING 5u
#define MARKING 6u

/* Nothing between; in the free area; merged in the buddy. */
static void between(struct pp_zone *zone, unsigned int how)
{
	if (how)
		require(pp_zone_drain_all(zone, 1000000) >= 0);
	if (how == 2) {
		require(!pp_zone_isolate_hard(zone, 0, PAGES, 1000000));
		require(!pp_zone_isolate_hard_undo(zone, 0, PAGES));
	}
}

/* No page has two owners, and all are there. */
static void all_are_different(struct pp_zone *zone)
{
	struct pp_page *pages[PAGES];
	unsigned int n = 0, i;

	while (n < PAGES &&
	       (i = pp_zone_alloc_bulk(zone, pages + n, PAGES - n < 64 ? PAGES - n : 64)))
		n += i;
	assert_int_equal(n, PAGES);
	pages_distinct(zone, pages, n);
	for (i = 0; i < n; i += 64)
		pp_zone_free_bulk(zone, pages + i, 64);
}

static struct pp_zone *start(void)
{
	struct pp_zone_params p = zone_params(PAGES);

	return zone_new(&p);
}

/* True: @fn aborted, and said so in one sentence. */
static bool aborts(void (*fn)(unsigned int a, unsigned int b), unsigned int a, unsigned int b)
{
	char said[512] = "";
	int ends[2], status;
	pid_t child;
	ssize_t n;

	require(!pipe(ends));
	child = fork();
	if (!child) {
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], 2);
		fn(a, b);
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	close(ends[0]);
	require(waitpid(child, &status, 0) == child);
	return n > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       (strstr(said, "home already") || strstr(said, "twice"));
}

static void give_twice(unsigned int first, unsigned int second)
{
	struct pp_zone *zone = start();
	struct pp_page *page;

	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	ways[first](zone, page);
	ways[second](zone, page);
}

static void every_pair(void **state)
{
	struct pp_zone *zone;
	struct pp_page *page;
	unsigned int i, k, how;
	uint64_t puts = 0;

	for (i = 0; PP_DEBUG && i < ARRAY_LEN(ways); i++)
		for (k = 0; k < ARRAY_LEN(ways); k++)
			assert_true(aborts(give_twice, i, k));
	if (PP_DEBUG)
		return;
	zone = start();
	for (how = 0; how < 3; how++)
		for (i = 0; i < MARKING; i++)
			for (k = 0; k < LOOKING; k++) {
				require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
				ways[i](zone, page);
				between(zone, how);
				ways[k](zone, page);
				assert_int_equal(zone_stats(zone).double_puts, ++puts);
				all_are_different(zone);
			}
	zone_check(zone, 0);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* Twice in one call; the others of the call come home. */
static void in_one_call(void **state)
{
	struct pp_page *pages[5], *twice[7];
	struct pp_zone *zone;
	unsigned int i;

	if (PP_DEBUG)
		return;
	zone = start();
	for (i = 0; i < 2; i++) {
		require(pp_zone_alloc_bulk(zone, pages, 5) == 5);
		memcpy(twice, pages, sizeof(pages));
		twice[5] = pages[4];
		twice[6] = pages[0];
		if (i)
			pp_zone_free_order_bulk(zone, twice, 7);
		else
			page_pool_put_bulk(twice, 7);
		assert_int_equal(zone_stats(zone).double_puts, 2 * i + 2);
		zone_check(zone, 0);
		all_are_different(zone);
	}
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* Runs, by each way that takes them. */
static void runs(void **state)
{
	struct pp_page *run;
	struct pp_zone *zone;
	unsigned int order;
	uint64_t puts = 0;

	if (PP_DEBUG)
		return;
	zone_has_runs = true;
	zone = start();
	for (order = 1; order < 5; order++) {
		require(pp_zone_alloc_order_bulk(zone, order, &run, 1) == 1);
		pp_page_put(run);
		page_pool_put_bulk(&run, 1);
		pp_page_put(run);
		pp_zone_free_order_bulk(zone, &run, 1);
		puts += 3;
		assert_int_equal(zone_stats(zone).double_puts, puts);
		zone_check(zone, 0);
		all_are_different(zone);
	}
	assert_int_equal(pp_zone_destroy(zone), 0);
	zone_has_runs = false;
}

/* A range of which one page was given back before: that one is refused, the others come home. */
static void a_hole_in_a_range(void **state)
{
	struct pp_zone *zone;
	struct pp_page *first;

	if (PP_DEBUG)
		return;
	zone = start();
	require(!pp_zone_alloc_contig(zone, 64, 1, PP_CONTIG_NORMAL, 0, &first));
	pp_page_put(first + 20);
	pp_zone_free_contig(zone, first, 64);
	assert_int_equal(zone_stats(zone).double_puts, 1);
	zone_check(zone, 0);
	all_are_different(zone);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* A page that was never taken is at home, too; and one that memory was accepted for just now. */
static void never_taken(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct pp_zone *zone;
	struct pp_page *page, *other;
	unsigned int i;

	for (i = 0; !PP_DEBUG && i < 2; i++) {
		p.flags = i ? PP_ZONE_LAZY : 0;
		zone = zone_new(&p);
		require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
		other = pp_zone_page_table(zone) + (page == pp_zone_page_table(zone));
		page_pool_put_bulk(&other, 1);
		pp_page_put(other);
		pp_page_put(page);
		assert_int_equal(zone_stats(zone).double_puts, 2);
		all_are_different(zone);
		assert_int_equal(pp_zone_destroy(zone), 0);
	}
}

/* Two parts of a page, given back three times while others are still to be cut from it. */
static struct pp_page *three_puts_for_two(struct page_pool *pool)
{
	struct pp_page *page, *other;
	unsigned int offset;

	page = page_pool_alloc_frag(pool, &offset, 512);
	other = page_pool_alloc_frag(pool, &offset, 512);
	require(page && page == other);
	page_pool_put_page(pool, page, true);
	page_pool_put_page(pool, page, false);
	page_pool_put_bulk(&page, 1);
	return other;
}

static void parts_twice(unsigned int a, unsigned int b)
{
	three_puts_for_two(pool_new(start(), 16, 16, 8));
}

/* The third part keeps what it has, although the second's user put once for it. */
static void parts_of_a_page(void **state)
{
	struct page_pool *pool;
	struct pp_page *page, *third, *more;
	unsigned int at, offset, i;
	struct pp_zone *zone;

	if (PP_DEBUG) {
		assert_true(aborts(parts_twice, 0, 0));
		return;
	}
	zone = start();
	pool = pool_new(zone, 16, 16, 8);
	page = three_puts_for_two(pool);
	third = page_pool_alloc_frag(pool, &at, 512);
	assert_ptr_equal(third, page);
	assert_int_equal(at, 1024);
	assert_int_equal(pool_stats(pool).double_puts, 1);
	for (i = 0; i < 4; i++) {
		more = page_pool_alloc_frag(pool, &offset, 1024);
		assert_true(more && more != third);
		page_pool_put_page(pool, more, true);
	}
	page_pool_put_page(pool, third, true);
	assert_int_equal(pool_stats(pool).double_puts, 1);
	page_pool_destroy(pool);
	zone_check(zone, 0);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* A zone without prep does not write next: what the user left there comes back out. */
static void without_prep(void **state)
{
	struct pp_zone_params p = zone_params(64);
	struct pp_zone *zone;
	struct pp_page *page;

	p.flags = PP_ZONE_NO_PREP;
	zone = zone_new(&p);
	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	assert_null(page->next);
	pp_page_put(page);
	assert_null(page->next);
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),	cmocka_unit_test(in_one_call),
		cmocka_unit_test(runs),		cmocka_unit_test(a_hole_in_a_range),
		cmocka_unit_test(never_taken),	cmocka_unit_test(parts_of_a_page),
		cmocka_unit_test(without_prep),
	};

	return test_main("put_twice", tests, ARRAY_LEN(tests), 120);
}
