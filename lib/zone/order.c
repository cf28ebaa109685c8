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

	if (!n || !zone_lock(zone))
		return 0;
	while (got < n && (objs[got] = buddy_alloc(&zone->buddy, order)))
		got++;
	count_add(zone->allocs, (uint64_t)got << order);
	zone_unlock(zone);
	return got;
}

void buddy_come_home(struct pp_zone *zone, struct pp_page *page, unsigned int order)
{
	page->shift = zone->shift; /* it may go out as single pages */
	buddy_free(&zone->buddy, page, order);
}

static void give_runs(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n,
		      bool freed)
{
	unsigned int i;

	if (!zone_lock(zone)) {
		zone_defer(zone, objs, n);
		return;
	}
	for (i = 0; i < n; i++)
		buddy_come_home(zone, objs[i], order);
	count_add(zone->frees, freed ? (uint64_t)n << order : 0);
	zone_unlock(zone);
}

/* ---- inner zones ----------------------------------------------------------------------------- */

/* Under the inner zone's lock: so that no run is out of sight on its way. */
static void area_to_buddy(struct pp_zone *inner, unsigned int n)
{
	struct free_area *area = &inner->area;

	n = (unsigned int)min((uint64_t)n, area->count);
	give_runs(inner->outer, inner->order, area->obj + area->count - n, n, false);
	WRITE_ONCE(area->count, area->count - n);
}

void free_area_pass_on(struct free_area *area, void *const *objs, unsigned int n)
{
	struct pp_zone *inner = (struct pp_zone *)((char *)area - offsetof(struct pp_zone, area));

	give_runs(inner->outer, inner->order, objs, n, false);
}

static void inner_free(struct pp_zone *inner)
{
	if (!inner)
		return;
	if (inner->pcps)
		pcp_free(inner->pcps, inner->cores, inner->pcp_stride);
	free_area_fini(&inner->area);
	free(inner);
}

static struct pp_zone *inner_create(struct pp_zone *zone, unsigned int order)
{
	uint32_t high = max(READ_ONCE(zone->pcps->high) >> order, 4u);
	const struct pcp_config config = {
		.high_min = high,
		.high_max = high,
		.capacity = high,
		.batch = max(high / 4, 1u),
		.traced = zone->traced,
	};
	struct pp_zone *inner = aligned_alloc(PP_LINES, sizeof(*inner));

	if (!inner)
		return NULL;
	memset(inner, 0, sizeof(*inner));
	inner->policy = zone->policy;
	inner->traced = zone->traced;
	inner->ops = zone->traced;
	inner->cores = zone->cores;
	inner->per_thread = zone->per_thread;
	inner->batch = config.batch;
	inner->shift = zone->shift;
	inner->drain_us = zone->drain_us;
	inner->pages = zone->pages;
	inner->managed = zone->managed;
	inner->links = zone->links; /* a page is in one list only, and tags tell the lists apart */
	inner->region.fd = -1;
	inner->outer = zone;
	inner->order = (uint8_t)order;
	snprintf(inner->name, sizeof(inner->name), "%.20s order %u", zone->name, order);
	inner->pcp_stride = pcp_stride_of(config.capacity);
	inner->pcps = pcp_create(inner->cores, &config, inner);
	if (!inner->pcps || free_area_init(&inner->area, (zone->managed >> order) + 1)) {
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
	pp_lock(&zone->control);
	if (!zone->inner[order] && !zone->disabled && !zone->isolated_blocks) {
		inner = inner_create(zone, order);
		/* pairs with the acquire in inner_of() */
		store_release(&zone->inner[order], inner);
	}
	inner = zone->inner[order];
	pp_unlock(&zone->control);
	pp_unlock(&zone->isolate_lock);
	return inner;
}

/* NULL: no cache for this order, or not now. Handlers do not come here: they have none. */
static struct pp_zone *inner_of(struct pp_zone *zone, unsigned int order)
{
	struct pp_zone *inner;

	if (order >= CACHED_ORDERS || zone->signal_safe || READ_ONCE(zone->area.filter))
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
		for (i = first; i <= last && i < inner->cores; i++)
			zone_drain_core(inner, i, 0, timeout_us, false);
		/* under the lock even if there seem to be none: runs may be on their way here */
		do {
			zone_lock(inner);
			n = (long)min(inner->area.count, (uint64_t)MOVE);
			area_to_buddy(inner, MOVE);
			zone_unlock(inner);
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
		err = pp_zone_pcp_disable(inner, timeout_us);
		if (err)
			break;
	}
	if (!err)
		return 0;
	done = k;
	for_each_inner(inner, zone, k)
	{
		if (k < done)
			pp_zone_pcp_enable(inner);
	}
	return err;
}

void orders_enable(struct pp_zone *zone)
{
	struct pp_zone *inner;
	unsigned int k;

	for_each_inner(inner, zone, k) pp_zone_pcp_enable(inner);
}

void orders_filter(struct pp_zone *zone, bool filter)
{
	struct pp_zone *inner;
	unsigned int k;

	for_each_inner(inner, zone, k)
	{
		zone_lock(inner);
		WRITE_ONCE(inner->area.filter, filter);
		while (filter && inner->area.count)
			area_to_buddy(inner, MOVE);
		zone_unlock(inner);
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

	for_each_inner(inner, zone, k) n += READ_ONCE(inner->area.moves);
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
	unsigned int more = min(READ_ONCE(inner->batch), MOVE), got, i;

	/* not the last ones: they would be missed as pages */
	if (READ_ONCE(zone->buddy.count[BUDDY_USABLE]) < (uint64_t)(n + 4 * more) << inner->order)
		more = 0;
	zone_move_begin(zone);
	got = take_runs(zone, inner->order, runs, n + more);
	i = min(got, n);
	memcpy(objs, runs, i * sizeof(*objs));
	/* they count as freed, as all of them counted as taken */
	if (got > n && !zone_ops(inner)->free_bulk(inner, runs + n, got - n))
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

/*
 * Single pages move between the free area and caches all the time, and a search that is repeated
 * for them might not end. So none leaves the free area for a cache while a run is sought.
 */
static void count_seeker(struct pp_zone *zone, unsigned int n)
{
	zone_lock(zone);
	zone->area.seekers += n;
	zone_unlock(zone);
}

/* As take_everywhere() in zone.c: repeated if runs moved while it looked. */
static unsigned int take_runs_everywhere(struct pp_zone *zone, unsigned int order, void **objs,
					 unsigned int n, uint64_t deadline_ns)
{
	struct pcp_wait wait = { .timeout_us = zone->drain_us };
	bool on_their_way, drained;
	unsigned int got = 0;
	uint64_t before;

	count_seeker(zone, 1);
	do {
		before = zone_moves(zone, true, &on_their_way);
		drained = zone_drain_once(zone);
		zone_spill(zone);
		got += take_runs_or_accept(zone, order, objs + got, n - got, true, deadline_ns);
	} while (got < n && drained &&
		 (zone_moves(zone, true, &on_their_way) != before || on_their_way) &&
		 search_again(&wait));
	count_seeker(zone, -1u);
	return got;
}

/* Merge what lies about, then accept, then drain, then wait: in the order of zone_take_slow(). */
static unsigned int __coldpath take_order_slow(struct pp_zone *zone, unsigned int order,
					       void **objs, unsigned int n)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)zone->drain_us * 1000;
	unsigned int got = 0;
	int err = errno;

	if (!zone_in_handler(zone)) {
		zone_spill(zone);
		got = take_runs_or_accept(zone, order, objs, n, false, 0);
	}
	if (got < n && !zone_in_handler(zone))
		got += take_runs_everywhere(zone, order, objs + got, n - got, deadline_ns);
	if (got < n)
		count_add_shared(zone->alloc_failures, 1);
	errno = err;
	return got;
}

static unsigned int take_order(struct pp_zone *zone, unsigned int order, void **objs,
			       unsigned int n, bool may_drain)
{
	struct pp_zone *inner = inner_of(zone, order);
	unsigned int got = 0, part, k, i;
	struct pp_page *page;

	zone_call_begin(zone);
	if (inner) {
		got = zone_ops(inner)->alloc_bulk(inner, objs, n);
		for (part = k = 0; got < n && k == part; got += k) {
			part = min(n - got, PP_BULK_MAX);
			k = refill_inner(zone, inner, objs + got, part);
		}
	} else {
		got = take_runs(zone, order, objs, n);
	}
	if (unlikely(got < n) && may_drain)
		got += take_order_slow(zone, order, objs + got, n - got);
	zone_call_end(zone);
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
	if (!zone->area.buddy || order > zone->buddy.max_order) {
		pp_set_error(EINVAL, "order: %u is above %u, the largest of zone %s", order,
			     zone->buddy.max_order, zone->name);
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
	if (likely(READ_ONCE(inner->area.count) < 4 * (uint64_t)READ_ONCE(inner->batch)))
		return;
	zone_lock(inner);
	area_to_buddy(inner, (unsigned int)inner->area.count / 2);
	zone_unlock(inner);
}

/* All of one order. */
static void free_runs(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n)
{
	struct pp_zone *inner = inner_of(zone, order);
	unsigned int k;

	zone_call_begin(zone);
	for (; n; n -= k, objs += k) {
		k = min(n, inner ? READ_ONCE(inner->batch) : MOVE);
		if (!inner || !zone_ops(inner)->free_bulk(inner, objs, k))
			give_runs(zone, order, objs, k, true);
	}
	if (inner)
		trim(inner);
	zone_call_end(zone);
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
