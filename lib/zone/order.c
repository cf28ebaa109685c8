/* SPDX-License-Identifier: BSD-3-Clause */
/* order.c - runs of pages for users and pools, and the last reference to a page */
#include <stdio.h>
#include <stdlib.h>

#include <pagepool/memory.h>

#include "zone/home.h"

unsigned int pp_page_order(const struct pp_page *page)
{
	return page->shift - (unsigned int)page->zone->shift;
}

/* ---- allocation and free --------------------------------------------------------------------- */

static unsigned int take_run_blocks(struct pp_zone *zone, unsigned int order, void **objs,
				    unsigned int n, bool wait, uint64_t deadline_ns)
{
	unsigned int got = 0;
	uint64_t had;

	do {
		had = READ_ONCE(zone->blocks.unaccepted);
		got += runs_take_buddy(zone, order, objs + got, n - got);
	} while (got < n && zone_get_more(zone, had, wait, deadline_ns));
	return got;
}

struct run_search {
	struct search search;
	unsigned int order;
	uint64_t deadline_ns;
};

static unsigned int runs_look(const struct search *search, void **objs, unsigned int n,
			      bool *timeout)
{
	const struct run_search *runs = container_of(search, struct run_search, search);
	struct pp_zone *zone = stock_zone(search->stock);

	*timeout |= !zone_drain_once(zone);
	zone_spill(zone);
	return take_run_blocks(zone, runs->order, objs, n, true, runs->deadline_ns);
}

static unsigned int search_runs(struct pp_zone *zone, unsigned int order, void **objs,
				unsigned int n, uint64_t deadline_ns)
{
	const struct search search = { zone->stock, runs_look, zone_run_moves, NULL };
	const struct run_search runs = { search, order, deadline_ns };
	unsigned int got;

	zone_seek_begin(zone);
	got = search_everywhere(&runs.search, objs, n);
	zone_seek_end(zone);
	return got;
}

/* Merge what lies about, then accept, then drain, then wait: in the order of take.c. */
static unsigned int __coldpath take_runs_far(struct pp_zone *zone, unsigned int order, void **objs,
					     unsigned int n)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)zone->stock->drain_us * 1000;
	unsigned int got = 0;
	int err = errno;

	if (!stock_in_handler(zone->stock)) {
		zone_spill(zone);
		got = take_run_blocks(zone, order, objs, n, false, 0);
	}
	if (got < n && !stock_in_handler(zone->stock))
		got += search_runs(zone, order, objs + got, n - got, deadline_ns);
	if (got < n)
		count_add_shared(zone->stock->alloc_failures, 1);
	errno = err;
	return got;
}

static unsigned int take_order(struct pp_zone *zone, unsigned int order, void **objs,
			       unsigned int n, bool may_drain)
{
	struct stock *stock = runs_cached(zone, order);
	struct pp_page *page;
	unsigned int got, i;

	stock_call_begin(zone->stock);
	got = stock ? stock_ops(stock)->alloc_bulk(stock, objs, n) : 0;
	if (got < n)
		got += runs_take_buddy(zone, order, objs + got, n - got);
	if (unlikely(got < n) && may_drain)
		got += take_runs_far(zone, order, objs + got, n - got);
	stock_call_end(zone->stock);
	for (i = 0; i < got; i++) {
		page = objs[i];
		page_leaves_home(zone, page);
		page->shift = (uint8_t)(zone->shift + order);
	}
	return got;
}

unsigned int zone_take_runs(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n)
{
	return take_order(zone, order, objs, n, true);
}

unsigned int zone_take_runs_near(struct pp_zone *zone, unsigned int order, void **objs,
				 unsigned int n)
{
	return take_order(zone, order, objs, n, false);
}

unsigned int pp_zone_alloc_order_bulk(struct pp_zone *zone, unsigned int order,
				      struct pp_page **pages, unsigned int n)
{
	unsigned int got, i;

	if (!order)
		return pp_zone_alloc_bulk(zone, pages, n);
	if (order > zone->buddy.max_order) {
		pp_set_error(EINVAL, "order: %u is above %u, the largest of zone %s", order,
			     zone->buddy.max_order, zone->stock->name);
		return 0;
	}
	got = zone_take_runs(zone, order, (void **)pages, n);
	unpoison_pages(pages, got);
	for (i = 0; zone->prep && i < got; i++)
		page_prep(pages[i], &zone->fresh);
	return got;
}

/* Runs of one order that go to the buddy for each hold of the zone's lock. */
#define GIVE 64u

/* All of one order. */
static void free_runs(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n)
{
	struct stock *stock = runs_cached(zone, order);
	unsigned int k;

	stock_call_begin(zone->stock);
	for (; n; n -= k, objs += k) {
		k = min(n, stock ? READ_ONCE(stock->batch) : GIVE);
		if (!stock || !stock_ops(stock)->free_bulk(stock, objs, k))
			runs_give_buddy(zone, order, objs, k, (uint64_t)k << order);
	}
	stock_call_end(zone->stock);
}

void zone_free_runs(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	unsigned int i = 0, first, order;

	while (i < n) {
		first = i;
		order = pp_page_order(pages[i]);
		for (; i < n && pp_page_order(pages[i]) == order; i++) {
			if (order)
				page_goes_home(zone, pages[i]);
		}
		if (order)
			free_runs(zone, order, (void *const *)(pages + first), i - first);
		else
			pp_zone_free_bulk(zone, pages + first, i - first);
	}
}

void pp_zone_free_order_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	unsigned int first = 0, i;
	PUT_FROM_HERE;

	for (i = 0; i < n; i++) {
		if (likely(page_comes_home(zone, pages[i]))) {
			poison_pages(pages + i, 1);
			continue;
		}
		zone_free_runs(zone, pages + first, i - first);
		first = i + 1;
	}
	zone_free_runs(zone, pages + first, n - first);
}

/* ---- the last reference ---------------------------------------------------------------------- */

static void free_last(struct pp_page *page)
{
	struct pp_zone *zone = page->zone;

	if (unlikely(page_is_home(page))) {
		page_put_twice(page);
		return;
	}
	if (unlikely(page->pool)) {
		READ_ONCE(pool_page_ops)->last_put(page);
		return;
	}
	page_mark_home(zone, page);
	poison_pages(&page, 1);
	zone_free_runs(zone, &page, 1);
}

void pp_page_put(struct pp_page *page)
{
	PUT_FROM_HERE;

	/* acquire: pairs with the release of the put before the last one */
	if (load_acquire(&page->refs) != 1) {
		if (__atomic_fetch_sub(&page->refs, 1, __ATOMIC_ACQ_REL) != 1)
			return;
		WRITE_ONCE(page->refs, 1);
	}
	free_last(page);
}
