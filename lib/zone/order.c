/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <pagepool/memory.h>

#include "zone/zone.h"

unsigned int pp_page_order(const struct pp_page *page)
{
	return page->shift - (unsigned int)page->zone->shift;
}

/* ---- the buddy ------------------------------------------------------------------------------- */

/* Under the zone's lock */
static unsigned int buddy_alloc_bulk(struct pp_zone *zone, unsigned int order, void **objs,
				     unsigned int n)
{
	unsigned int got = 0;

	while (got < n && (objs[got] = buddy_alloc(&zone->buddy, order)))
		got++;
	return got;
}

static unsigned int take_buddy(struct pp_zone *zone, unsigned int order, void **objs,
			       unsigned int n)
{
	unsigned int got;

	if (!n || !stock_lock(zone->stock))
		return 0;
	got = buddy_alloc_bulk(zone, order, objs, n);
	count_add(zone->stock->allocs, (uint64_t)got << order);
	stock_unlock(zone->stock);
	return got;
}

/* A handler that may not lock leaves the pages one by one; the buddy merges them some time. */
static void __coldpath defer_runs(struct pp_zone *zone, unsigned int order, void *const *objs,
				  unsigned int n)
{
	unsigned int i, k;
	void *page;

	for (i = 0; i < n; i++) {
		for (k = 0; k < 1u << order; k++) {
			page = (struct pp_page *)objs[i] + k;
			page_mark_home(zone, page);
			stock_defer(zone->stock, &page, 1);
		}
	}
}

/* @freed: pages that count as freed here; those of a cache are counted there. */
static void give_buddy(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n,
		       uint64_t freed)
{
	struct pp_page *const *pages = (struct pp_page *const *)objs;
	unsigned int i;

	for (i = 0; i < n; i++)
		pages[i]->shift = zone->shift; /* they may go out as single pages */
	if (!stock_lock(zone->stock)) {
		defer_runs(zone, order, objs, n);
		return;
	}
	for (i = 0; i < n; i++)
		buddy_free(&zone->buddy, objs[i], order);
	count_add(zone->stock->frees, freed);
	stock_unlock(zone->stock);
}

/* ---- the stocks of runs ---------------------------------------------------------------------- */

/*
 * Their free area is a short stack of runs in front of the zone's buddy: what has no room goes on.
 * While blocks are isolated no run stays there. Lock order: the runs' stock, single pages' stock.
 */
static struct pp_zone *area_zone(const struct free_area *area, unsigned int *order)
{
	struct stock *stock = container_of(area, struct stock, area);

	*order = stock->order;
	return stock_zone(stock);
}

static void run_push(struct free_area *area, void *const *objs, unsigned int n)
{
	unsigned int order, k;
	struct pp_zone *zone = area_zone(area, &order);

	k = READ_ONCE(zone->stock->area.ops) ? 0 : free_area_room(area, n);
	memmove(area->obj + area->count, objs, k * sizeof(*objs));
	WRITE_ONCE(area->count, area->count + k);
	if (k < n)
		give_buddy(zone, order, objs + k, n - k, 0);
}

static unsigned int run_pop(struct free_area *area, void **objs, unsigned int n)
{
	unsigned int order, k = (unsigned int)min((uint64_t)n, area->count);
	struct pp_zone *zone = area_zone(area, &order);

	WRITE_ONCE(area->count, area->count - k);
	memcpy(objs, area->obj + area->count, k * sizeof(*objs));
	if (k == n)
		return n;
	stock_lock(zone->stock);
	k += buddy_alloc_bulk(zone, order, objs + k, n - k);
	stock_unlock(zone->stock);
	return k;
}

/* Not the last ones: they would be missed as pages. None while a run is sought. */
static unsigned int run_spare(const struct free_area *area, unsigned int want)
{
	unsigned int order;
	const struct pp_zone *zone = area_zone(area, &order);
	uint64_t left = READ_ONCE(zone->buddy.count[BUDDY_USABLE]) >> order;

	return area->count + left < 4 * (uint64_t)want || READ_ONCE(zone->stock->area.seekers)
		       ? 0
		       : want;
}

static const struct area_ops run_ops = { run_push, run_pop, run_spare };

static int make_stock(struct pp_zone *zone, unsigned int order)
{
	const struct stock *pages = zone->stock;
	struct stock *stock = &zone->stock[order];
	uint32_t high = max(READ_ONCE(pages->pcps->high) >> order, 4u);
	const struct pcp_config config = {
		.high_min = high,
		.high_max = high,
		.capacity = high,
		.batch = min(max(high / 4, 1u), PP_BULK_MAX),
		.traced = pages->traced,
	};
	struct pcp *pcps;

	stock->policy = pages->policy;
	stock->traced = pages->traced;
	stock->ops = pages->traced;
	stock->cores = pages->cores;
	stock->per_thread = pages->per_thread;
	stock->batch = config.batch;
	stock->drain_us = pages->drain_us;
	stock->order = (uint8_t)order;
	stock->pages = pages->pages;
	stock->links = pages->links; /* a page is in one list only, and tags tell the lists apart */
	stock->stride = pcp_stride_of(config.capacity);
	if (!stock->area.obj && free_area_init(&stock->area, 4 * config.batch))
		return -ENOMEM;
	stock->area.ops = &run_ops;
	pcps = pcp_create(stock->cores, &config, stock);
	if (!pcps)
		return -ENOMEM;
	/* pairs with the acquire in zone_stock() */
	store_release(&stock->pcps, pcps);
	return 0;
}

/* At the first use; not while caches are closed, which would not know of it. */
static struct stock *__coldpath first_use(struct pp_zone *zone, unsigned int order)
{
	struct stock *stock;

	pp_lock(&zone->stock->control);
	stock = zone_stock(zone, order);
	if (!stock && !zone->stock->disabled && !make_stock(zone, order))
		stock = &zone->stock[order];
	pp_unlock(&zone->stock->control);
	return stock;
}

/* NULL: no cache for this order, or not now. Handlers do not come here: they have none. */
static struct stock *cached_order(struct pp_zone *zone, unsigned int order)
{
	struct stock *stock;

	if (order >= CACHED_ORDERS || zone->stock->signal_safe || READ_ONCE(zone->stock->area.ops))
		return NULL;
	stock = zone_stock(zone, order);
	return likely(stock) ? stock : first_use(zone, order);
}

void runs_spill(struct stock *stock)
{
	struct free_area *area = &stock->area;

	stock_lock(stock);
	if (area->count)
		give_buddy(stock_zone(stock), stock->order, area->obj, (unsigned int)area->count,
			   0);
	WRITE_ONCE(area->count, 0);
	stock_unlock(stock);
}

long runs_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		unsigned int timeout_us)
{
	struct stock *stock;
	long moved = 0;
	unsigned int k, i;

	for_each_run_stock(stock, zone, k) {
		for (i = first; i <= last && i < stock->cores; i++)
			moved += max(stock_drain_core(stock, i, 0, timeout_us, false), 0l) << k;
		moved += (long)READ_ONCE(stock->area.count) << k;
		/* even if it seems empty: a refill on its way has come to its cache then */
		runs_spill(stock);
	}
	return moved;
}

/* ---- allocation and free --------------------------------------------------------------------- */

static unsigned int take_blocks(struct pp_zone *zone, unsigned int order, void **objs,
				unsigned int n, bool wait, uint64_t deadline_ns)
{
	unsigned int got = 0;
	uint64_t had;

	do {
		had = READ_ONCE(zone->blocks.unaccepted);
		got += take_buddy(zone, order, objs + got, n - got);
	} while (got < n && zone_get_more(zone, had, wait, deadline_ns));
	return got;
}

/* Single pages move all the time: while a run is sought none goes from the free area to a cache. */
static void count_seeker(struct pp_zone *zone, unsigned int n)
{
	stock_lock(zone->stock);
	zone->stock->area.seekers += n;
	stock_unlock(zone->stock);
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
	return take_blocks(zone, runs->order, objs, n, true, runs->deadline_ns);
}

static unsigned int take_far(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n,
			     uint64_t deadline_ns)
{
	const struct search search = { zone->stock, runs_look, zone_run_moves, NULL };
	const struct run_search runs = { search, order, deadline_ns };
	unsigned int got;

	count_seeker(zone, 1);
	got = search_everywhere(&runs.search, objs, n);
	count_seeker(zone, -1u);
	return got;
}

/* Merge what lies about, then accept, then drain, then wait: in the order of take_slow(). */
static unsigned int __coldpath take_beyond(struct pp_zone *zone, unsigned int order, void **objs,
					   unsigned int n)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)zone->stock->drain_us * 1000;
	unsigned int got = 0;
	int err = errno;

	if (!stock_in_handler(zone->stock)) {
		zone_spill(zone);
		got = take_blocks(zone, order, objs, n, false, 0);
	}
	if (got < n && !stock_in_handler(zone->stock))
		got += take_far(zone, order, objs + got, n - got, deadline_ns);
	if (got < n)
		count_add_shared(zone->stock->alloc_failures, 1);
	errno = err;
	return got;
}

static unsigned int take_order(struct pp_zone *zone, unsigned int order, void **objs,
			       unsigned int n, bool may_drain)
{
	struct stock *stock = cached_order(zone, order);
	struct pp_page *page;
	unsigned int got, i;

	stock_call_begin(zone->stock);
	got = stock ? stock_ops(stock)->alloc_bulk(stock, objs, n) : 0;
	if (got < n)
		got += take_buddy(zone, order, objs + got, n - got);
	if (unlikely(got < n) && may_drain)
		got += take_beyond(zone, order, objs + got, n - got);
	stock_call_end(zone->stock);
	for (i = 0; i < got; i++) {
		page = objs[i];
		page_leaves_home(zone, page);
		page->shift = (uint8_t)(zone->shift + order);
	}
	return got;
}

unsigned int zone_take_order(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n)
{
	return take_order(zone, order, objs, n, true);
}

unsigned int zone_take_order_undrained(struct pp_zone *zone, unsigned int order, void **objs,
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
	got = zone_take_order(zone, order, (void **)pages, n);
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
	struct stock *stock = cached_order(zone, order);
	unsigned int k;

	stock_call_begin(zone->stock);
	for (; n; n -= k, objs += k) {
		k = min(n, stock ? READ_ONCE(stock->batch) : GIVE);
		if (!stock || !stock_ops(stock)->free_bulk(stock, objs, k))
			give_buddy(zone, order, objs, k, (uint64_t)k << order);
	}
	stock_call_end(zone->stock);
}

void zone_free_order(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
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
		zone_free_order(zone, pages + first, i - first);
		first = i + 1;
	}
	zone_free_order(zone, pages + first, n - first);
}
