/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone/info.c - what a zone tells about itself: accessors, counters, windows, ledger, double puts
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/trace.h"
#include "zone/zone.h"

unsigned int pp_zone_cores(const struct pp_zone *zone)
{
	return zone->stock->cores;
}

unsigned int pp_zone_this_core(const struct pp_zone *zone)
{
	const struct pcp *pcp = pcp_this(zone->stock);

	return pcp ? pcp_index(pcp) : zone->stock->cores;
}

unsigned int pp_zone_cached(const struct pp_zone *zone, unsigned int core)
{
	if (core >= zone->stock->cores)
		return 0;
	return stock_cached(zone->stock, core) + (unsigned int)orders_cached(zone, core);
}

const char *pp_zone_name(const struct pp_zone *zone)
{
	return zone->stock->name;
}

const char *pp_zone_policy(const struct pp_zone *zone)
{
	return stock_policy(zone->stock)->name;
}

enum pp_mem pp_zone_mem(const struct pp_zone *zone)
{
	return zone->region.mem;
}

void *pp_zone_base(const struct pp_zone *zone)
{
	return zone->region.base;
}

uint64_t pp_zone_pages(const struct pp_zone *zone)
{
	return zone->managed;
}

uint32_t pp_zone_page_size(const struct pp_zone *zone)
{
	return 1u << zone->shift;
}

uint32_t pp_zone_headroom(const struct pp_zone *zone)
{
	return zone->headroom;
}

int pp_zone_fd(const struct pp_zone *zone)
{
	return zone->region.fd;
}

struct pp_page *pp_zone_page_table(const struct pp_zone *zone)
{
	return zone->pages;
}

struct pp_page *pp_zone_page_at(const struct pp_zone *zone, uint64_t offset)
{
	uint64_t i = offset >> zone->shift;

	return likely(i < zone->managed) ? &zone->pages[i] : NULL;
}

int pp_zone_stats(struct pp_zone *zone, struct pp_zone_stats *stats)
{
	struct pp_zone_stats s = {
		.node = (uint64_t)max(zone->region.node, 0),
		.page_size = pp_zone_page_size(zone),
		.managed = zone->managed,
		.double_puts = READ_ONCE(zone->double_puts),
		.accepts = READ_ONCE(zone->blocks.accepts),
		.accept_failures = READ_ONCE(zone->blocks.failures),
		.releases = READ_ONCE(zone->blocks.releases),
	};
	uint64_t left;

	stock_lock(zone->stock);
	stock_stats(zone->stock, &s);
	s.free += zone->buddy.count[BUDDY_USABLE];
	s.isolated = zone->buddy.count[BUDDY_ISOLATED];
	s.unaccepted = zone->blocks.unaccepted;
	stock_unlock(zone->stock);
	orders_stats(zone, &s);
	left = s.managed - s.free - s.isolated - s.unaccepted;
	/* pages in motion may be seen twice: never more than there are */
	s.cached = min(s.cached, left);
	s.in_flight = left - s.cached;
	return stats_copy(stats, &s, sizeof(s));
}

int pp_zone_windows(struct pp_zone *zone, struct pp_window_stats *windows)
{
	struct pp_window_stats w = { 0 };
	struct pcp_trace *sum;
	unsigned int i;

	if (!zone->stock->pcps->trace)
		return pp_set_error(ENODATA, "zone %s was not created with PP_ZONE_TRACE",
				    zone->stock->name);
	sum = trace_create();
	if (!sum)
		return -ENOMEM;
	for (i = 0; i < zone->stock->cores; i++)
		trace_add(sum, stock_pcp(zone->stock, i)->trace);
	trace_report(sum, &w);
	trace_free(sum);
	return stats_copy(windows, &w, sizeof(w));
}

static void audit_range(const struct pp_zone *zone, unsigned char *seen, uint64_t first, uint64_t n,
			struct pp_zone_audit *audit)
{
	for (; n; n--, first++) {
		if (first >= zone->managed || (seen[first / 8] & 1u << first % 8)) {
			audit->double_free++;
			continue;
		}
		seen[first / 8] |= (unsigned char)(1u << first % 8);
		audit->home++;
	}
}

/* Pages, or the first pages of an inner zone's runs. */
static void audit_objs(const struct pp_zone *zone, unsigned char *seen, void *const *objs,
		       uint64_t n, struct pp_zone_audit *audit)
{
	uint64_t i, k;

	for (i = 0; i < n; i++) {
		k = ((uintptr_t)objs[i] - (uintptr_t)zone->pages) / sizeof(struct pp_page);
		if (k >= zone->managed || objs[i] != &zone->pages[k])
			audit->double_free++;
		else
			audit_range(zone, seen, k, (uint64_t)1 << zone->order, audit);
	}
}

static void audit_cache(const struct pp_zone *zone, unsigned char *seen, const struct pcp *pcp,
			struct pp_zone_audit *audit)
{
	uint32_t i = (uint32_t)pcp->head, left = zone->stock->links ? pcp->list->count : 0;
	void *obj;

	for (; i && left; left--, i = zone->stock->links[i - 1]) {
		obj = &zone->pages[i - 1];
		audit_objs(zone, seen, &obj, 1, audit);
	}
	if (zone->stock->links)
		return;
	audit_objs(zone, seen, pcp->list->obj, pcp->list->count, audit);
	if (pcp->old)
		audit_objs(zone, seen, pcp->old->obj, pcp->old->count, audit);
}

/* The buddy's runs, and the blocks that are addresses only: nobody else may have those. */
static void audit_blocks(const struct pp_zone *zone, unsigned char *seen,
			 struct pp_zone_audit *audit)
{
	const struct buddy *buddy = &zone->buddy;
	uint64_t block, i, n, end;

	for (block = 0; block < zone->blocks.nr; block++) {
		i = block << buddy->block_shift;
		end = i + block_pages(buddy, block);
		if (!block_test(zone->blocks.accepted, block)) {
			audit_range(zone, seen, i, end - i, audit);
			continue;
		}
		for (; i < end; i += n) {
			n = buddy->state[i] ? (uint64_t)1 << (buddy->state[i] - 1) : 1;
			if (buddy->state[i])
				audit_range(zone, seen, i, n, audit);
		}
	}
}

static void audit_area(struct pp_zone *zone, unsigned char *seen, struct pp_zone_audit *audit)
{
	unsigned int i;

	stock_lock(zone->stock);
	audit_objs(zone, seen, zone->stock->area.obj, zone->stock->area.count, audit);
	stock_unlock(zone->stock);
	for (i = 0; i < zone->stock->cores; i++)
		audit_cache(zone, seen, stock_pcp(zone->stock, i), audit);
}

int pp_zone_audit(struct pp_zone *zone, struct pp_zone_audit *audit)
{
	struct pp_zone_audit a = {
		.managed = zone->managed,
		.double_free = zone->stock->area.refused + zone->buddy.refused +
			       READ_ONCE(zone->double_puts),
	};
	unsigned char *seen = calloc(1, zone->managed / 8 + 1);
	unsigned int i;

	if (!seen)
		return pp_set_error(ENOMEM, "no memory for an audit of %llu pages",
				    (unsigned long long)zone->managed);
	audit_area(zone, seen, &a);
	for (i = 1; i < CACHED_ORDERS; i++) {
		if (zone->inner[i])
			audit_area(zone->inner[i], seen, &a);
	}
	stock_lock(zone->stock);
	audit_blocks(zone, seen, &a);
	stock_unlock(zone->stock);
	free(seen);
	a.leaked = a.managed - a.home;
	return stats_copy(audit, &a, sizeof(a));
}

/* ---- puts that are refused ------------------------------------------------------------------- */

static __coldpath void bug_at_home(const struct pp_page *page)
{
	char place[300] = "", text[400];

	if (PP_POISON)
		put_place_text(page, place, sizeof(place));
	snprintf(text, sizeof(text), "a page that is at home already was given back again%s%s",
		 *place ? ": the first time, " : "", place);
	bug(text, page);
}

void __coldpath page_put_twice(struct pp_page *page)
{
	struct page_pool *pool = READ_ONCE(page->pool);

	if (PP_DEBUG)
		bug_at_home(page);
	if (pool)
		pool_page_ops->put_twice(pool);
	if (page->zone)
		count_add_shared(page->zone->double_puts, 1);
}
