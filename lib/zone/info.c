/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone/info.c - the zones of the process, and what each tells: accessors, counters, windows, ledger
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/trace.h"
#include "zone/share.h"

struct registry registered_zones;

struct pp_zone *zone_next(struct pp_zone *zone)
{
	struct registered *next =
		registry_next(&registered_zones, zone ? &zone->registered : NULL, NULL);

	return next ? container_of(next, struct pp_zone, registered) : NULL;
}

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
	const struct stock *stock;
	unsigned int k, n = 0;

	for_each_stock(stock, (struct pp_zone *)zone, k)
		n += core < stock->cores ? pcp_count(stock_pcp(stock, core)) << k : 0;
	return n;
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

/* In pages; drains, failures and bounds are those of single pages. */
static void add_runs(struct stock *stock, struct pp_zone_stats *stats)
{
	struct pp_zone_stats s = { 0 };

	stock_lock(stock);
	stock_stats(stock, &s);
	stock_unlock(stock);
	stats->free += s.free << stock->order;
	stats->cached += s.cached << stock->order;
	stats->allocs += s.allocs << stock->order;
	stats->frees += s.frees << stock->order;
	stats->refills += s.refills;
	stats->flushes += s.flushes;
}

int pp_zone_get_stats(struct pp_zone *zone, struct pp_zone_stats *stats)
{
	struct pp_zone_stats s = {
		.node = (uint64_t)max(zone->region.node, 0),
		.page_size = pp_zone_page_size(zone),
		.managed = zone->managed,
		.double_puts = READ_ONCE(zone->double_puts),
		.accepts = READ_ONCE(zone->blocks.accepts),
		.accept_failures = READ_ONCE(zone->blocks.failures),
		.releases = READ_ONCE(zone->blocks.releases),
		.died = share_died(zone->stock),
		.recovered = zone->shared ? READ_ONCE(zone->shared->recovered) : 0,
	};
	struct stock *stock;
	unsigned int k;
	uint64_t left;

	stock_lock(zone->stock);
	stock_stats(zone->stock, &s);
	s.free += zone->buddy.count[BUDDY_USABLE];
	s.isolated = zone->buddy.count[BUDDY_ISOLATED];
	s.unaccepted = zone->blocks.unaccepted;
	stock_unlock(zone->stock);
	for_each_run_stock(stock, zone, k)
		add_runs(stock, &s);
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
	free(sum);
	return stats_copy(windows, &w, sizeof(w));
}

struct ledger {
	struct pp_zone *zone;
	unsigned char *seen; /* a bit a page */
	unsigned int order; /* of the stock that is walked */
	struct pp_audit audit;
};

static void audit_range(struct ledger *ledger, uint64_t first, uint64_t n)
{
	for (; n; n--, first++) {
		if (first >= ledger->zone->managed || (ledger->seen[first / 8] & 1u << first % 8)) {
			ledger->audit.double_free++;
			continue;
		}
		ledger->seen[first / 8] |= (unsigned char)(1u << first % 8);
		ledger->audit.home++;
	}
}

/* Of a stock: the first pages of its runs. */
static void audit_objs(void *arg, void *const *objs, uint64_t n)
{
	struct ledger *ledger = arg;
	const struct pp_zone *zone = ledger->zone;
	uint64_t i, k;

	for (i = 0; i < n; i++) {
		k = ((uintptr_t)objs[i] - (uintptr_t)zone->pages) / sizeof(struct pp_page);
		if (k >= zone->managed || objs[i] != &zone->pages[k])
			ledger->audit.double_free++;
		else
			audit_range(ledger, k, (uint64_t)1 << ledger->order);
	}
}

/* The buddy's runs, and the blocks that are addresses only: those are in no other place. */
static void audit_blocks(struct ledger *ledger)
{
	const struct pp_zone *zone = ledger->zone;
	const struct buddy *buddy = &zone->buddy;
	uint64_t block, i, n, end;

	for (block = 0; block < zone->blocks.nr; block++) {
		i = block << buddy->block_shift;
		end = i + block_pages(buddy, block);
		if (!block_test(zone->blocks.accepted, block)) {
			audit_range(ledger, i, end - i);
			continue;
		}
		for (; i < end; i += n) {
			n = buddy->state[i] ? (uint64_t)1 << (buddy->state[i] - 1) : 1;
			if (buddy->state[i])
				audit_range(ledger, i, n);
		}
	}
}

int pp_zone_audit(struct pp_zone *zone, struct pp_audit *audit)
{
	struct ledger ledger = { .zone = zone, .seen = calloc(1, zone->managed / 8 + 1) };
	struct pp_audit *a = &ledger.audit;
	struct stock *stock;
	unsigned int k;

	if (!ledger.seen)
		return pp_set_error(ENOMEM, "no memory for an audit of %llu pages",
				    (unsigned long long)zone->managed);
	a->managed = zone->managed;
	a->double_free =
		zone->stock->area.refused + zone->buddy.refused + READ_ONCE(zone->double_puts);
	for_each_stock(stock, zone, k) {
		ledger.order = k;
		stock_walk(stock, audit_objs, &ledger);
	}
	stock_lock(zone->stock);
	audit_blocks(&ledger);
	stock_unlock(zone->stock);
	free(ledger.seen);
	a->leaked = a->managed - a->home;
	return stats_copy(audit, a, sizeof(*a));
}
