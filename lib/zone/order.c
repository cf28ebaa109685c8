/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <pagepool/memory.h>

#include "zone/zone.h"

/* Runs that move between an inner zone and the buddy for each hold of the zone's lock. */
#define MOVE 64u

unsigned int pp_page_order(const struct pp_page *page)
{
	return page->shift - (unsigned int)page->zone->shift;
}

/* ---- the buddy ------------------------------------------------------------------------------- */

static unsigned int take_runs(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n)
{
	unsigned int got = 0;

	if (!n || !stock_lock(zone->stock))
		return 0;
	while (got < n && (objs[got] = buddy_alloc(&zone->buddy, order)))
		got++;
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

static void give_runs(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n,
		      bool freed)
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
	count_add(zone->stock->frees, freed ? (uint64_t)n << order : 0);
	stock_unlock(zone->stock);
}

/* ---- inner zones ----------------------------------------------------------------------------- */

/* Under the inner zone's lock: so that no run is out of sight on its way. */
static void area_to_buddy(struct pp_zone *inner, unsigned int n)
{
	struct free_area *area = &inner->stock->area;

	n = (unsigned int)min((uint64_t)n, area->count);
	give_runs(inner->outer, inner->order, area->obj + area->count - n, n, false);
	WRITE_ONCE(area->count, area->count - n);
}

void free_area_pass_on(struct free_area *area, void *const *objs, unsigned int n)
{
	struct pp_zone *inner = stock_zone(container_of(area, struct stock, area));

	give_runs(inner->outer, inner->order, objs, n, false);
}

static void inner_free(struct pp_zone *inner)
{
	if (!inner)
		return;
	if (inner->stock->pcps)
		pcp_free(inner->stock->pcps, inner->stock->cores, inner->stock->stride);
	free_area_fini(&inner->stock->area);
	free(inner);
}

static struct pp_zone *inner_create(struct pp_zone *zone, unsigned int order)
{
	uint32_t high = max(READ_ONCE(zone->stock->pcps->high) >> order, 4u);
	const struct pcp_config config = {
		.high_min = high,
		.high_max = high,
		.capacity = high,
		.batch = max(high / 4, 1u),
		.traced = zone->stock->traced,
	};
	struct pp_zone *inner = aligned_alloc(PP_LINES, sizeof(*inner));

	if (!inner)
		return NULL;
	memset(inner, 0, sizeof(*inner));
	inner->stock->policy = zone->stock->policy;
	inner->stock->traced = zone->stock->traced;
	inner->stock->ops = zone->stock->traced;
	inner->stock->cores = zone->stock->cores;
	inner->stock->per_thread = zone->stock->per_thread;
	inner->stock->batch = config.batch;
	inner->shift = zone->shift;
	inner->stock->drain_us = zone->stock->drain_us;
	inner->pages = inner->stock->pages = zone->pages;
	inner->managed = zone->managed;
	inner->stock->links =
		zone->stock->links; /* a page is in one list only, and tags tell the lists apart */
	inner->region.fd = -1;
	inner->outer = zone;
	inner->order = (uint8_t)order;
	snprintf(inner->stock->name, sizeof(inner->stock->name), "%.20s order %u",
		 zone->stock->name, order);
	inner->stock->stride = pcp_stride_of(config.capacity);
	inner->stock->pcps = pcp_create(inner->stock->cores, &config, inner->stock);
	if (!inner->stock->pcps ||
	    free_area_init(&inner->stock->area, (zone->managed >> order) + 1)) {
		inner_free(inner);
		return NULL;
	}
	return inner;
}

/* Made at the first use; not while caches are closed, which would not know of it. */
static struct pp_zone *__coldpath inner_make(struct pp_zone *zone, unsigned int order)
{
	struct pp_zone *inner = NULL;

	pp_lock(&zone->isolate_lock);
	pp_lock(&zone->stock->control);
	if (!zone->inner[order] && !zone->stock->disabled && !zone->isolated_blocks) {
		inner = inner_create(zone, order);
		/* pairs with the acquire in inner_of() */
		store_release(&zone->inner[order], inner);
	}
	inner = zone->inner[order];
	pp_unlock(&zone->stock->control);
	pp_unlock(&zone->isolate_lock);
	return inner;
}

/* NULL: no cache for this order, or not now. Handlers do not come here: they have none. */
static struct pp_zone *inner_of(struct pp_zone *zone, unsigned int order)
{
	struct pp_zone *inner;

	if (order >= CACHED_ORDERS || zone->stock->signal_safe ||
	    READ_ONCE(zone->stock->area.filter))
		return NULL;
	inner = load_acquire(&zone->inner[order]);
	return likely(inner) ? inner : inner_make(zone, order);
}

#define for_each_inner(inner, zone, k)      \
	for (k = 1; k < CACHED_ORDERS; k++) \
		if ((inner = load_acquire(&(zone)->inner[k])))

long orders_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		  unsigned int timeout_us)
{
	struct pp_zone *inner;
	long moved = 0, n;
	unsigned int k, i;

	for_each_inner(inner, zone, k)
	{
		for (i = first; i <= last && i < inner->stock->cores; i++)
			stock_drain_core(inner->stock, i, 0, timeout_us, false);
		/* under the lock even if there seem to be none: runs may be on their way here */
		do {
			stock_lock(inner->stock);
			n = (long)min(inner->stock->area.count, (uint64_t)MOVE);
			area_to_buddy(inner, MOVE);
			stock_unlock(inner->stock);
			moved += n << k;
		} while (n);
	}
	return moved;
}

int orders_disable(struct pp_zone *zone, unsigned int timeout_us)
{
	struct pp_zone *inner;
	unsigned int k, done;
	int err = 0;

	for_each_inner(inner, zone, k)
	{
		err = stock_disable(inner->stock, timeout_us);
		if (err)
			break;
	}
	if (!err)
		return 0;
	done = k;
	for_each_inner(inner, zone, k)
	{
		if (k < done)
			stock_enable(inner->stock);
	}
	return err;
}

void orders_enable(struct pp_zone *zone)
{
	struct pp_zone *inner;
	unsigned int k;

	for_each_inner(inner, zone, k) stock_enable(inner->stock);
}

void orders_filter(struct pp_zone *zone, bool filter)
{
	struct pp_zone *inner;
	unsigned int k;

	for_each_inner(inner, zone, k)
	{
		stock_lock(inner->stock);
		WRITE_ONCE(inner->stock->area.filter, filter);
		while (filter && inner->stock->area.count)
			area_to_buddy(inner, MOVE);
		stock_unlock(inner->stock);
	}
}

void orders_free(struct pp_zone *zone)
{
	unsigned int k;

	for (k = 1; k < CACHED_ORDERS; k++)
		inner_free(zone->inner[k]);
}

uint64_t orders_moves(const struct pp_zone *zone)
{
	const struct pp_zone *inner;
	uint64_t n = 0;
	unsigned int k;

	for_each_inner(inner, zone, k) n += READ_ONCE(inner->stock->area.moves);
	return n;
}

uint64_t orders_cached(const struct pp_zone *zone, unsigned int core)
{
	const struct pp_zone *inner;
	uint64_t n = 0;
	unsigned int k;

	for_each_inner(inner, zone, k) n += (uint64_t)pp_zone_cached(inner, core) << k;
	return n;
}

void orders_stats(struct pp_zone *zone, struct pp_zone_stats *stats)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };
	struct pp_zone *inner;
	unsigned int k;

	for_each_inner(inner, zone, k)
	{
		pp_zone_stats(inner, &s);
		stats->free += s.free << k;
		stats->cached += s.cached << k;
		stats->allocs += s.allocs << k;
		stats->frees += s.frees << k;
		stats->refills += s.refills;
		stats->flushes += s.flushes;
	}
}

/* ---- allocation and free --------------------------------------------------------------------- */

/* From the buddy, and in the same hold some for this core's cache; @n: at most PP_BULK_MAX. */
static unsigned int refill_inner(struct pp_zone *zone, struct pp_zone *inner, void **objs,
				 unsigned int n)
{
	void *runs[PP_BULK_MAX + MOVE];
	unsigned int more = min(READ_ONCE(inner->stock->batch), MOVE), got, i;

	/* not the last ones: they would be missed as pages */
	if (READ_ONCE(zone->buddy.count[BUDDY_USABLE]) < (uint64_t)(n + 4 * more) << inner->order)
		more = 0;
	zone_move_begin(zone);
	got = take_runs(zone, inner->order, runs, n + more);
	i = min(got, n);
	memcpy(objs, runs, i * sizeof(*objs));
	/* they count as freed, as all of them counted as taken */
	if (got > n && !stock_ops(inner->stock)->free_bulk(inner->stock, runs + n, got - n))
		give_runs(zone, inner->order, runs + n, got - n, true);
	zone_move_end(zone);
	return i;
}

static unsigned int take_runs_or_accept(struct pp_zone *zone, unsigned int order, void **objs,
					unsigned int n, bool wait, uint64_t deadline_ns)
{
	unsigned int got = 0;
	uint64_t had;

	do {
		had = READ_ONCE(zone->blocks.unaccepted);
		got += take_runs(zone, order, objs + got, n - got);
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
	return take_runs_or_accept(zone, runs->order, objs, n, true, runs->deadline_ns);
}

static unsigned int take_runs_everywhere(struct pp_zone *zone, unsigned int order, void **objs,
					 unsigned int n, uint64_t deadline_ns)
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
static unsigned int __coldpath take_order_slow(struct pp_zone *zone, unsigned int order,
					       void **objs, unsigned int n)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)zone->stock->drain_us * 1000;
	unsigned int got = 0;
	int err = errno;

	if (!stock_in_handler(zone->stock)) {
		zone_spill(zone);
		got = take_runs_or_accept(zone, order, objs, n, false, 0);
	}
	if (got < n && !stock_in_handler(zone->stock))
		got += take_runs_everywhere(zone, order, objs + got, n - got, deadline_ns);
	if (got < n)
		count_add_shared(zone->stock->alloc_failures, 1);
	errno = err;
	return got;
}

static unsigned int take_order(struct pp_zone *zone, unsigned int order, void **objs,
			       unsigned int n, bool may_drain)
{
	struct pp_zone *inner = inner_of(zone, order);
	unsigned int got = 0, part, k, i;
	struct pp_page *page;

	stock_call_begin(zone->stock);
	if (inner) {
		got = stock_ops(inner->stock)->alloc_bulk(inner->stock, objs, n);
		for (part = k = 0; got < n && k == part; got += k) {
			part = min(n - got, PP_BULK_MAX);
			k = refill_inner(zone, inner, objs + got, part);
		}
	} else {
		got = take_runs(zone, order, objs, n);
	}
	if (unlikely(got < n) && may_drain)
		got += take_order_slow(zone, order, objs + got, n - got);
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

/* What an inner zone has too much goes on to the buddy. */
static void trim(struct pp_zone *inner)
{
	if (likely(READ_ONCE(inner->stock->area.count) <
		   4 * (uint64_t)READ_ONCE(inner->stock->batch)))
		return;
	stock_lock(inner->stock);
	area_to_buddy(inner, (unsigned int)inner->stock->area.count / 2);
	stock_unlock(inner->stock);
}

/* All of one order. */
static void free_runs(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n)
{
	struct pp_zone *inner = inner_of(zone, order);
	unsigned int k;

	stock_call_begin(zone->stock);
	for (; n; n -= k, objs += k) {
		k = min(n, inner ? READ_ONCE(inner->stock->batch) : MOVE);
		if (!inner || !stock_ops(inner->stock)->free_bulk(inner->stock, objs, k))
			give_runs(zone, order, objs, k, true);
	}
	if (inner)
		trim(inner);
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
