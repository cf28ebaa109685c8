/* SPDX-License-Identifier: BSD-3-Clause */
/* runs.c - runs between users, caches and the buddy; a stock for each order that is used */
#include "zone/home.h"

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

unsigned int runs_take_buddy(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n)
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

void runs_give_buddy(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n,
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
static struct stock *area_stock(const struct free_area *area)
{
	return container_of(area, struct stock, area);
}

static void run_push(struct free_area *area, void *const *objs, unsigned int n)
{
	struct stock *stock = area_stock(area);
	struct pp_zone *zone = stock_zone(stock);
	unsigned int k = READ_ONCE(zone->stock->area.ops) ? 0 : free_area_room(area, n);

	memmove(area->obj + area->count, objs, k * sizeof(*objs));
	WRITE_ONCE(area->count, area->count + k);
	if (k < n)
		runs_give_buddy(zone, stock->order, objs + k, n - k, 0);
}

static unsigned int run_pop(struct free_area *area, void **objs, unsigned int n)
{
	struct stock *stock = area_stock(area);
	struct pp_zone *zone = stock_zone(stock);
	unsigned int k = (unsigned int)min((uint64_t)n, area->count);

	WRITE_ONCE(area->count, area->count - k);
	if (likely(k)) /* of none there need not be an array */
		memcpy(objs, area->obj + area->count, k * sizeof(*objs));
	if (k == n)
		return n;
	stock_lock(zone->stock);
	k += buddy_alloc_bulk(zone, stock->order, objs + k, n - k);
	stock_unlock(zone->stock);
	return k;
}

/* Not the last ones: they would be missed as pages. None while a run is sought. */
static unsigned int run_spare(const struct free_area *area, unsigned int want)
{
	struct stock *stock = area_stock(area);
	const struct pp_zone *zone = stock_zone(stock);
	uint64_t left = READ_ONCE(zone->buddy.count[BUDDY_USABLE]) >> stock->order;
	bool few = area->count + left < 4 * (uint64_t)want;

	return few || READ_ONCE(zone->stock->area.seekers) ? 0 : want;
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
	stock->batch = stock->batch_max = config.batch;
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

struct stock *runs_cached(struct pp_zone *zone, unsigned int order)
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
		runs_give_buddy(stock_zone(stock), stock->order, area->obj,
				(unsigned int)area->count, 0);
	WRITE_ONCE(area->count, 0);
	stock_unlock(stock);
}
