/* SPDX-License-Identifier: BSD-3-Clause */
/* hand.c - a drain hands the cache's list over as it is, and every search finds its pages */
#include "harness.h"
#include "stock/hand.h"
#include "zone/home.h"

#define HIGH  256u
#define BATCH 32u
#define PAGES (4 * HIGH)

static const struct pcp_policy *policy;

static struct pp_zone *hand_zone(uint64_t pages)
{
	struct pp_zone_params p = zone_params(pages);

	p.page_size = 4096;
	p.policy = policy->name;
	p.high = HIGH;
	p.batch = BATCH;
	pin_to(test_cpu(0));
	return zone_new(&p);
}

static struct pcp *pcp_of(struct pp_zone *zone)
{
	return stock_pcp(zone->stock, pp_zone_this_core(zone));
}

/* Objects past the caches, from lists first. */
static void take_area(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	require(stock_take_area(zone->stock, (void **)pages, n) == n);
	for (i = 0; PP_DEBUG && i < n; i++)
		page_leaves_home(zone, pages[i]);
}

/* Fill this core's cache with @n pages that nothing else has. */
static void fill(struct pp_zone *zone, unsigned int n)
{
	struct pp_page *pages[HIGH];
	unsigned int i;

	take_area(zone, pages, n);
	for (i = 0; i < n; i++)
		pp_zone_free_bulk(zone, &pages[i], 1);
	require(pp_zone_cached(zone, pp_zone_this_core(zone)) == n);
}

static long drain(struct pp_zone *zone)
{
	return pp_zone_drain(zone, pp_zone_this_core(zone), 1000000);
}

static void moves_the_list(struct pp_zone *zone)
{
	const struct free_area *area = &zone->stock->area;
	struct pcp *pcp = pcp_of(zone);
	struct pcp_list *list = pcp->list;
	struct pp_page *pages[BATCH], *warm;
	uint64_t stack;

	fill(zone, HIGH);
	stack = area->count;
	warm = list->obj[HIGH - 1];
	assert_int_equal(drain(zone), HIGH);
	assert_int_equal(area->count, stack);
	assert_int_equal(area->listed, HIGH);
	assert_true(pcp->list != list);
	assert_int_equal(zone_stats(zone).free, PAGES);
	zone_check(zone, 0);
	/* back again, warmest first */
	require(pp_zone_alloc_bulk(zone, pages, BATCH) == BATCH);
	assert_true(pcp->list == list && pages[BATCH - 1] == warm);
	assert_int_equal(area->listed, 0);
	assert_int_equal(area->count, stack);
	assert_int_equal(pp_zone_cached(zone, pp_zone_this_core(zone)), HIGH - BATCH);
	zone_check(zone, BATCH);
	pp_zone_free_bulk(zone, pages, BATCH);
}

/* A short rest of the drain before goes to the stack; a long one stays, and pages are copied. */
static void finds_a_rest(struct pp_zone *zone, unsigned int rest)
{
	const struct free_area *area = &zone->stock->area;
	struct pp_page *pages[HIGH];
	unsigned int n = HIGH - rest;
	bool copied = rest > BATCH;
	uint64_t stack;

	drain(zone);
	free_area_gather(&zone->stock->area, PAGES);
	fill(zone, HIGH);
	drain(zone);
	take_area(zone, pages, n);
	assert_int_equal(area->listed, rest);
	while (n)
		pp_zone_free_bulk(zone, &pages[--n], 1);
	stack = area->count;
	assert_int_equal(drain(zone), HIGH - rest);
	assert_int_equal(area->listed, copied ? rest : HIGH - rest);
	assert_int_equal(area->count, stack + (copied ? HIGH - rest : rest));
	zone_check(zone, 0);
}

static void list_comes_and_goes(void **state)
{
	struct pp_zone *zone = hand_zone(PAGES);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		moves_the_list(zone);
		drain(zone);
		finds_a_rest(zone, 0);
		finds_a_rest(zone, BATCH);
		finds_a_rest(zone, BATCH + 1);
	}
	unpin();
	zone_end(zone);
}

/* A zone that runs short fills no cache from a list either; every page of lists can be had. */
static void short_zone(void **state)
{
	struct pp_zone *zone = hand_zone(HIGH + BATCH);
	struct pp_page *pages[HIGH + BATCH];

	fill(zone, HIGH);
	assert_int_equal(drain(zone), HIGH);
	require(pp_zone_alloc_bulk(zone, pages, 1) == 1);
	assert_int_equal(pp_zone_cached(zone, pp_zone_this_core(zone)), BATCH);
	assert_int_equal(zone->stock->area.listed, HIGH - BATCH - 1);
	require(pp_zone_alloc_bulk(zone, pages + 1, HIGH + BATCH - 1) == HIGH + BATCH - 1);
	pages_distinct(zone, pages, HIGH + BATCH);
	assert_int_equal(pp_zone_alloc_bulk(zone, &(struct pp_page *){ NULL }, 1), 0);
	pp_zone_free_bulk(zone, pages, HIGH);
	pp_zone_free_bulk(zone, pages + HIGH, BATCH);
	unpin();
	zone_end(zone);
}

/* Whole blocks: an isolation and a run find pages in lists. */
static void blocks(void **state)
{
	struct pp_zone *zone = hand_zone(512);
	uint32_t block = pp_zone_block_pages(zone);
	struct pp_page *pages[HIGH], *run;

	require(block == 512);
	fill(zone, HIGH);
	assert_int_equal(drain(zone), HIGH);
	require(zone->stock->area.listed == HIGH);
	assert_int_equal(pp_zone_isolate(zone, 0, block), 0);
	assert_int_equal(pp_zone_isolate_test(zone, 0, block), 0);
	assert_int_equal(zone->stock->area.listed, 0);
	assert_int_equal(pp_zone_isolate_undo(zone, 0, block), 0);

	/* no list is handed over while a block is isolated: its pages are looked at */
	require(pp_zone_alloc_bulk(zone, pages, HIGH) == HIGH);
	pp_zone_free_bulk(zone, pages, HIGH);
	require(pp_zone_cached(zone, pp_zone_this_core(zone)) > 0);
	assert_int_equal(pp_zone_isolate(zone, 0, block), 0);
	assert_int_equal(zone->stock->area.listed, 0);
	assert_int_equal(pp_zone_isolate_test(zone, 0, block), 0);
	assert_int_equal(pp_zone_isolate_undo(zone, 0, block), 0);

	require(pp_zone_alloc_bulk(zone, pages, 1) == 1); /* pages come back from the buddy */
	pp_zone_free_bulk(zone, pages, 1);
	drain(zone);
	fill(zone, HIGH);
	assert_int_equal(drain(zone), HIGH);
	assert_int_equal(pp_zone_alloc_order_bulk(zone, 9, &run, 1), 1);
	zone_check(zone, 512);
	pp_zone_free_order_bulk(zone, &run, 1);
	unpin();
	zone_end(zone);
}

/* A list of another core's cache serves this core's refill, and its owner does not mind. */
static void drain_there(void *arg)
{
	struct pp_zone *zone = arg;

	fill(zone, HIGH);
	require(drain(zone) == HIGH);
}

static void refill_there(void *arg)
{
	struct pp_zone *zone = arg;
	struct pp_page *page;

	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	pp_zone_free_bulk(zone, &page, 1);
}

static void another_core(void **state)
{
	struct pp_zone *zone = hand_zone(PAGES);

	need_two_cpus();
	run_on((int)test_cpu(0), drain_there, zone);
	run_on((int)test_cpu(1), refill_there, zone);
	/* of threads' caches, it may be the first one's, which takes its list back */
	assert_true(zone->stock->area.listed == HIGH - BATCH - 1 || !zone->stock->area.listed);
	run_on((int)test_cpu(0), drain_there, zone);
	assert_int_equal(drain_done(pp_zone_drain_all(zone, 1000000)), true);
	zone_check(zone, 0);
	unpin();
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_comes_and_goes),
		cmocka_unit_test(short_zone),
		cmocka_unit_test(blocks),
		cmocka_unit_test(another_core),
	};
	unsigned int i, held = 0;
	int failed = 0;

	for (i = 0; i < NR_POLICIES; i++) {
		policy = pcp_policies[i];
		if (!(policy->flags & PCP_HANDS) || (policy->probe && policy->probe()))
			continue;
		printf("# %s\n", policy->name);
		failed |= test_main("hand", tests, ARRAY_LEN(tests), 60);
		held++;
	}
	return failed || held < 4;
}
