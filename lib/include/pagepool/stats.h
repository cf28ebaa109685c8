/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h - counters of zones and pools, "IRQ-off" windows, the cycle counter
 *
 * Every struct begins with its size: set sz to sizeof(struct) before the call,
 * so that programs and libraries of different age fit together.
 */
#ifndef PAGEPOOL_STATS_H
#define PAGEPOOL_STATS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum pp_counter_kind - what a counter counts, and how several become one
 * @PP_SUM:   events or pages so far; it only grows. Several counters: their sum
 * @PP_MAX:   the largest value so far. Several counters: the largest
 * @PP_GAUGE: a state at the moment of reading
 */
enum pp_counter_kind {
	PP_SUM,
	PP_MAX,
	PP_GAUGE,
};

/**
 * struct pp_counter - a counter of one of the structs below
 * @name:   its key in JSON: the member's name; behind rx_pp_ if the kernel has the counter, too
 * @help:   what it counts, in a few words; begins with "pages", "most pages" or "bytes" if it
 *          counts these
 * @kind:   what it is
 * @offset: where the member, a uint64_t, lies in its struct
 *
 * Each struct of counters is made from a list, PP_..._COUNTERS(C), with a line C(name, kind, help)
 * for each counter. The tables, PP_..._COUNTER_TABLE, are made from the same list: the initializer
 * of an array of struct pp_counter; its last name is NULL. A program that goes through the
 * table, as ppfwd and ppstat do, misses no counter.
 */
struct pp_counter {
	const char *name;
	const char *help;
	enum pp_counter_kind kind;
	size_t offset;
};

/**
 * pp_counter_value() - a counter of a struct of counters
 * @c:     counter
 * @stats: the struct that its table is for
 *
 * Context: any thread.
 * Cost:    two loads.
 * Return:  its value.
 * Source:  none.
 */
static inline uint64_t pp_counter_value(const struct pp_counter *c, const void *stats)
{
	return *(const uint64_t *)((const char *)stats + c->offset);
}

/* A member of a struct of counters. */
#define PP_COUNTER_MEMBER(name, kind, help) uint64_t name;

/**
 * PP_POOL_KERNEL_COUNTERS() - counters of a pool that the kernel has, too
 *
 * ethtool shows the kernel's as rx_pp_NAME. Unlike the kernel's, recycle_ring_full counts pages, in
 * bulk calls too, also while the scheduler has stopped the ring's sole producer in its turn.
 */
#define PP_POOL_KERNEL_COUNTERS(C)                                                        \
	C(alloc_fast, PP_SUM, "pages popped from the alloc cache")                        \
	C(alloc_slow, PP_SUM, "calls that went to the zone and got pages")                \
	C(alloc_slow_ho, PP_SUM, "the same for a pool of runs (order above 0)")           \
	C(alloc_empty, PP_SUM, "refills that found the ring empty")                       \
	C(alloc_refill, PP_SUM, "refills of the cache from the ring")                     \
	C(alloc_waive, PP_SUM, "pages given up because they were on a foreign node")      \
	C(recycle_cached, PP_SUM, "pages put into the alloc cache")                       \
	C(recycle_cache_full, PP_SUM,                                                     \
	  "pages that found the alloc cache full and went to the ring")                   \
	C(recycle_ring, PP_SUM, "pages put into the ring")                                \
	C(recycle_ring_full, PP_SUM, "pages given to the zone because the ring was full") \
	C(recycle_released_ref, PP_SUM, "pages not recycled because another holder had a reference")

/**
 * PP_POOL_COUNTERS() - counters of a pool that the kernel does not have
 */
#define PP_POOL_COUNTERS(C)                                                                    \
	C(cache, PP_GAUGE, "pages in the alloc cache")                                         \
	C(ring, PP_GAUGE, "pages in the ring")                                                 \
	C(outstanding, PP_GAUGE, "pages with users")                                           \
	C(alloc_failures, PP_SUM, "allocations that got fewer pages than asked for")           \
	C(wrong_owner, PP_SUM,                                                                 \
	  "pages that a thread recycled directly without owning the pool: they went to "       \
	  "the ring")                                                                          \
	C(alloc_reserve, PP_SUM, "pages handed out from the reserve")                          \
	C(alloc_limited, PP_SUM, "allocations that max_outstanding cut short")                 \
	C(double_puts, PP_SUM, "pages given back that were at home already: refused")          \
	C(trims, PP_SUM, "times that a trim emptied cache and ring")                           \
	C(trimmed, PP_SUM, "pages taken by trims")                                             \
	C(reserve, PP_GAUGE, "pages in the reserve")                                           \
	C(inflight, PP_GAUGE, "pages taken from the zone and not given back")                  \
	C(inflight_max, PP_MAX, "most pages out of the zone at once, as seen when pages came") \
	C(ring_max, PP_MAX, "most pages in the ring")

/**
 * PP_ZONE_COUNTERS() - counters of a zone
 *
 * Policies rseq and llist, which never hold a cache, count in allocs and frees only what went
 * past it.
 *
 * double_puts counts page_pool_put_page(), page_pool_put_bulk(), pp_page_put(),
 * pp_zone_free_order_bulk() and pp_zone_free_contig(); not pp_zone_free_bulk(), nor pages of
 * PP_ZONE_NO_PREP zones that are not in a pool.
 */
#define PP_ZONE_COUNTERS(C)                                                                        \
	C(node, PP_GAUGE, "NUMA node")                                                             \
	C(page_size, PP_GAUGE, "bytes of a page")                                                  \
	C(managed, PP_GAUGE, "pages of the zone")                                                  \
	C(free, PP_GAUGE, "pages in the free area, one by one or merged")                          \
	C(cached, PP_GAUGE, "pages in the cores' caches")                                          \
	C(in_flight, PP_GAUGE, "pages out of the zone: with users, or in pools' caches and rings") \
	C(isolated, PP_GAUGE, "pages of isolated blocks that came home")                           \
	C(unaccepted, PP_GAUGE, "pages without memory: not accepted yet, or given back")           \
	C(batch, PP_GAUGE, "pages moved between a core's cache and the free area at once")         \
	C(high, PP_GAUGE, "most pages that a core's cache may hold")                               \
	C(allocs, PP_SUM, "pages taken from the zone")                                             \
	C(frees, PP_SUM, "pages given to the zone")                                                \
	C(refills, PP_SUM, "times that a core's cache was refilled from the free area")            \
	C(flushes, PP_SUM, "times that a core's cache overflowed into the free area")              \
	C(fallbacks, PP_SUM,                                                                       \
	  "calls that could not enter their core's cache and went to the free area")               \
	C(alloc_failures, PP_SUM, "allocations that got fewer pages than asked for")               \
	C(drains, PP_SUM, "drains of a cache")                                                     \
	C(drained_pages, PP_SUM, "pages moved by drains")                                          \
	C(drain_timeouts, PP_SUM, "drains that gave up on a holder")                               \
	C(high_raises, PP_SUM, "times that the tuner raised a cache's high")                       \
	C(high_decays, PP_SUM, "times that the tuner lowered a cache's high")                      \
	C(accepts, PP_SUM, "blocks accepted")                                                      \
	C(accept_failures, PP_SUM, "attempts to accept a block that failed")                       \
	C(releases, PP_SUM, "blocks given back to the system")                                     \
	C(double_puts, PP_SUM,                                                                     \
	  "pages given back that were at home already, or with another process: refused")          \
	C(died, PP_SUM, "processes that shared the zone and died")                                 \
	C(recovered, PP_SUM, "pages that came home from processes that died")

/**
 * PP_WINDOW_COUNTERS() - how long a core's cache was closed to all other threads
 *
 * Cycles are pp_cycles(). The quantiles are upper bounds of histogram buckets, at most 1/8 too
 * large.
 */
#define PP_WINDOW_COUNTERS(C)                                                                     \
	C(windows, PP_SUM, "windows recorded, of owners and drainers")                            \
	C(median_cycles, PP_GAUGE, "half of the windows were no longer than this")                \
	C(p99_cycles, PP_GAUGE, "99 % of the windows were no longer than this")                   \
	C(p999_cycles, PP_GAUGE, "99.9 % of the windows were no longer than this")                \
	C(max_cycles, PP_MAX, "the longest window; on a virtual machine mostly the host's doing") \
	C(max_pages, PP_MAX, "most pages moved inside one window")                                \
	C(masks, PP_SUM, "operations that blocked signals (policy irqsave)")                      \
	C(mask_cycles, PP_SUM, "time that blocking and unblocking took, together")

/**
 * struct page_pool_stats - what a pool did
 * @sz: sizeof(struct page_pool_stats), set by the caller
 *
 * Its members are PP_POOL_KERNEL_COUNTERS() and PP_POOL_COUNTERS().
 *
 * Pages handed out altogether: alloc_fast + alloc_refill + alloc_slow + alloc_slow_ho +
 * alloc_reserve; returned: recycle_cached + recycle_ring + recycle_ring_full +
 * recycle_released_ref; the difference is outstanding, in every snapshot. At rest
 * inflight == cache + ring + reserve + outstanding; off by the pages on their way to the zone
 * otherwise.
 */
struct page_pool_stats {
	size_t sz;
	PP_POOL_KERNEL_COUNTERS(PP_COUNTER_MEMBER)
	PP_POOL_COUNTERS(PP_COUNTER_MEMBER)
};

/**
 * struct pp_zone_stats - where a zone's pages are, and what its caches did
 * @sz: sizeof(struct pp_zone_stats), set by the caller
 *
 * Its members are PP_ZONE_COUNTERS().
 *
 * free + cached + in_flight + isolated + unaccepted == managed, exactly whenever no call is
 * running in the zone; off by the pages in motion otherwise.
 */
struct pp_zone_stats {
	size_t sz;
	PP_ZONE_COUNTERS(PP_COUNTER_MEMBER)
};

/**
 * struct pp_window_stats - the windows of a zone that is traced
 * @sz: sizeof(struct pp_window_stats), set by the caller
 *
 * Its members are PP_WINDOW_COUNTERS().
 */
struct pp_window_stats {
	size_t sz;
	PP_WINDOW_COUNTERS(PP_COUNTER_MEMBER)
};

/* A row of a table. */
#define PP_KERNEL_ROW(name, kind, help) \
	{ "rx_pp_" #name, help, kind, offsetof(struct page_pool_stats, name) },
#define PP_POOL_ROW(name, kind, help) { #name, help, kind, offsetof(struct page_pool_stats, name) },
#define PP_ZONE_ROW(name, kind, help) { #name, help, kind, offsetof(struct pp_zone_stats, name) },
#define PP_WINDOW_ROW(name, kind, help) \
	{ #name, help, kind, offsetof(struct pp_window_stats, name) },
#define PP_LAST_ROW                   \
	{                             \
		NULL, NULL, PP_SUM, 0 \
	}

/** PP_POOL_COUNTER_TABLE - the counters of struct page_pool_stats */
#define PP_POOL_COUNTER_TABLE                                                                    \
	{                                                                                        \
		PP_POOL_KERNEL_COUNTERS(PP_KERNEL_ROW) PP_POOL_COUNTERS(PP_POOL_ROW) PP_LAST_ROW \
	}

/** PP_ZONE_COUNTER_TABLE - the counters of struct pp_zone_stats */
#define PP_ZONE_COUNTER_TABLE                             \
	{                                                 \
		PP_ZONE_COUNTERS(PP_ZONE_ROW) PP_LAST_ROW \
	}

/** PP_WINDOW_COUNTER_TABLE - the counters of struct pp_window_stats */
#define PP_WINDOW_COUNTER_TABLE                               \
	{                                                     \
		PP_WINDOW_COUNTERS(PP_WINDOW_ROW) PP_LAST_ROW \
	}

/**
 * struct pp_audit - the ledger: every page has exactly one owner
 * @sz:          sizeof(struct pp_audit), set by the caller
 * @managed:     pages of the zone
 * @home:        different pages found in the free area and the cores' caches, or unaccepted
 * @leaked:      @managed - @home: pages that did not come home
 * @double_free: entries that name a page already seen, or no page of the zone at all; and what
 *               was refused because it was home already (pp_zone_stats.double_puts)
 */
struct pp_audit {
	size_t sz;
	uint64_t managed;
	uint64_t home;
	uint64_t leaked;
	uint64_t double_free;
};

/**
 * pp_cycles() - the cycle counter that every figure of this library uses
 *
 * Context: any thread, signal handlers too.
 * Cost:    about 20 cycles; not serialising.
 * Return:  TSC on x86, CNTVCT on arm64, CLOCK_MONOTONIC in ns elsewhere.
 * Source:  get_cycles().
 */
uint64_t pp_cycles(void);

/**
 * pp_cycles_hz() - frequency of pp_cycles()
 *
 * Context: any thread.
 * Cost:    the first call measures for about 10 ms; later ones are free.
 * Return:  ticks a second.
 * Source:  rte_get_tsc_hz().
 */
uint64_t pp_cycles_hz(void);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_STATS_H */
