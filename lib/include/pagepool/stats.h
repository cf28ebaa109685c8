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
 * struct page_pool_stats - what a pool did
 * @sz:                 sizeof(struct page_pool_stats), set by the caller
 * @alloc_fast:         pages popped from the alloc cache
 * @alloc_slow:         calls that went to the zone and got something
 * @alloc_slow_ho:      the same for a pool of runs (order above 0)
 * @alloc_empty:        refills that found the ring empty
 * @alloc_refill:       refills of the cache from the ring
 * @alloc_waive:        pages given up because they were on a foreign node
 * @recycle_cached:     pages put into the alloc cache
 * @recycle_cache_full: pages that found the alloc cache full and went to the ring
 * @recycle_ring:       pages put into the ring
 * @recycle_ring_full:  pages given to the zone because the ring was full
 * @recycle_released_ref: pages not recycled because somebody else held a reference
 * @alloc_failures:     allocations that got fewer pages than asked for
 * @wrong_owner:        direct recycling asked for by a thread that is not the owner; the pages
 *                      went to the ring instead
 * @cache:              gauge: pages in the alloc cache
 * @ring:               gauge: pages in the ring
 * @outstanding:        gauge: pages with users
 * @alloc_reserve:      pages handed out from the reserve
 * @alloc_limited:      allocations that max_outstanding cut short
 * @double_puts:        pages that were given back although they were at home already: refused
 * @trims:              times that somebody emptied cache and ring
 * @trimmed:            pages taken by them
 * @reserve:            gauge: pages in the reserve
 * @inflight:           gauge: pages taken from the zone and not given back
 * @inflight_max:       most of them at once, as seen when pages came from the zone
 * @ring_max:           most pages in the ring
 *
 * The names of the first eleven after the kernel's ethtool names, rx_pp_NAME. Unlike the kernel's,
 * recycle_ring_full counts pages, in bulk calls too.
 *
 * Pages handed out altogether: alloc_fast + alloc_refill + alloc_slow + alloc_slow_ho +
 * alloc_reserve; returned: recycle_cached + recycle_ring + recycle_ring_full +
 * recycle_released_ref; the difference is outstanding, in every snapshot. At rest
 * inflight == cache + ring + reserve + outstanding; off by the pages on their way to the zone
 * otherwise.
 */
struct page_pool_stats {
	size_t sz;
	uint64_t alloc_fast;
	uint64_t alloc_slow;
	uint64_t alloc_slow_ho;
	uint64_t alloc_empty;
	uint64_t alloc_refill;
	uint64_t alloc_waive;
	uint64_t recycle_cached;
	uint64_t recycle_cache_full;
	uint64_t recycle_ring;
	uint64_t recycle_ring_full;
	uint64_t recycle_released_ref;
	uint64_t alloc_failures;
	uint64_t wrong_owner;
	uint64_t cache;
	uint64_t ring;
	uint64_t outstanding;
	uint64_t alloc_reserve;
	uint64_t alloc_limited;
	uint64_t double_puts;
	uint64_t trims;
	uint64_t trimmed;
	uint64_t reserve;
	uint64_t inflight;
	uint64_t inflight_max;
	uint64_t ring_max;
};

/**
 * struct pp_zone_stats - where a zone's pages are, and what its caches did
 * @sz:             sizeof(struct pp_zone_stats), set by the caller
 * @node:           NUMA node
 * @page_size:      bytes of a page
 * @managed:        pages of the zone
 * @free:           pages in the free area, one by one or merged
 * @cached:         pages in the cores' caches
 * @in_flight:      pages out of the zone: with users, or in pools' caches and rings
 * @isolated:       pages of isolated blocks that came home
 * @unaccepted:     pages whose memory was not accepted yet, or was given back
 * @batch:          pages moved between a core's cache and the free area at once
 * @high:           a core's cache holds at most so many pages
 * @allocs:         pages taken from the zone
 * @frees:          pages given to the zone
 * @refills:        a core's cache was refilled from the free area
 * @flushes:        a core's cache overflowed into the free area
 * @fallbacks:      calls that could not enter their core's cache and went to the free area
 * @alloc_failures: allocations that got fewer pages than asked for
 * @drains:         caches drained by somebody
 * @drained_pages:  pages moved by these drains
 * @drain_timeouts: drains that gave up on a holder
 * @high_raises:    the tuner raised a cache's high
 * @high_decays:    the tuner lowered it
 * @accepts:        blocks accepted
 * @accept_failures: blocks that could not be, each time
 * @releases:       blocks given back to the system
 * @double_puts:    pages that were given back although they were at home already: refused. Counts
 *                  page_pool_put_page(), page_pool_put_bulk(), pp_page_put(),
 *                  pp_zone_free_order_bulk() and pp_zone_free_contig(); not pp_zone_free_bulk(),
 *                  nor pages of PP_ZONE_NO_PREP zones that are not in a pool
 *
 * Policies rseq and llist, which never hold a cache, count in allocs and frees only what went
 * past it.
 *
 * free + cached + in_flight + isolated + unaccepted == managed, exactly whenever no call is
 * running in the zone; off by the pages in motion otherwise.
 */
struct pp_zone_stats {
	size_t sz;
	uint64_t node;
	uint64_t page_size;
	uint64_t managed;
	uint64_t free;
	uint64_t cached;
	uint64_t in_flight;
	uint64_t isolated;
	uint64_t unaccepted;
	uint64_t batch;
	uint64_t high;
	uint64_t allocs;
	uint64_t frees;
	uint64_t refills;
	uint64_t flushes;
	uint64_t fallbacks;
	uint64_t alloc_failures;
	uint64_t drains;
	uint64_t drained_pages;
	uint64_t drain_timeouts;
	uint64_t high_raises;
	uint64_t high_decays;
	uint64_t accepts;
	uint64_t accept_failures;
	uint64_t releases;
	uint64_t double_puts;
};

/**
 * struct pp_window_stats - how long a core's cache was closed to everybody else
 * @sz:            sizeof(struct pp_window_stats), set by the caller
 * @windows:       windows recorded, of owners and drainers
 * @median_cycles: half of the windows were no longer than this; TSC cycles
 * @p99_cycles:    99 % of them
 * @p999_cycles:   99.9 % of them
 * @max_cycles:    the longest (on a virtual machine mostly the host's doing)
 * @max_pages:     most pages moved inside one window
 * @masks:         operations that blocked signals (policy irqsave)
 * @mask_cycles:   cycles that blocking and unblocking took, together
 *
 * The quantiles are upper bounds of histogram buckets, at most 1/8 too large.
 */
struct pp_window_stats {
	size_t sz;
	uint64_t windows;
	uint64_t median_cycles;
	uint64_t p99_cycles;
	uint64_t p999_cycles;
	uint64_t max_cycles;
	uint64_t max_pages;
	uint64_t masks;
	uint64_t mask_cycles;
};

/**
 * struct pp_zone_audit - the ledger: every page has exactly one owner
 * @sz:          sizeof(struct pp_zone_audit), set by the caller
 * @managed:     pages of the zone
 * @home:        different pages found in the free area and the cores' caches, or unaccepted
 * @leaked:      @managed - @home: pages that did not come home
 * @double_free: entries that name a page already seen, or no page of the zone at all; and what
 *               was refused because it was home already (pp_zone_stats.double_puts)
 */
struct pp_zone_audit {
	size_t sz;
	uint64_t managed;
	uint64_t home;
	uint64_t leaked;
	uint64_t double_free;
};

/**
 * pp_cycles() - the cycle counter that every figure of this library uses
 *
 * Context: any. Cost: about 20 cycles; not serialising.
 * Return:  TSC on x86, CNTVCT on arm64, CLOCK_MONOTONIC in ns elsewhere.
 */
uint64_t pp_cycles(void);

/**
 * pp_cycles_hz() - frequency of pp_cycles()
 *
 * Context: any thread. The first call measures for about 10 ms; later ones are free.
 * Return:  ticks a second.
 */
uint64_t pp_cycles_hz(void);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_STATS_H */
