/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - make allocations fail on purpose, to test what a program does then
 *
 * A program that runs out of buffers in production runs out of them in no test. With a fault set,
 * each N-th allocation gets nothing, as if no page were free. The same without a change to the
 * program, from its start: PAGEPOOL_FAULT=page_pool_alloc:every=100,after=1000 in its environment,
 * several points separated by semicolons; or while it runs: ppstat fault.
 */
#ifndef PAGEPOOL_FAULT_H
#define PAGEPOOL_FAULT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PP_FAULT_ALL - allocations of every thread fail; see pp_fault_set() */
#define PP_FAULT_ALL 0
/** PP_FAULT_SELF - allocations of the calling thread only */
#define PP_FAULT_SELF UINT64_MAX

/**
 * pp_fault_set() - let allocations fail from now on, or stop that
 * @at:     where: one of pp_fault_names()
 * @every:  each so many calls one fails; 1: all; 0: none, from now on
 * @after:  so many calls succeed before
 * @thread: PP_FAULT_ALL, PP_FAULT_SELF, or the Linux id of a thread, to count its calls only
 *
 * Calls @after + @every, @after + 2 * @every ... from now on fail, wherever pages are; the counters
 * begin anew. One setting for each point; the last one holds.
 *
 * page_pool_alloc: page_pool_alloc_bulk(), page_pool_alloc_pages() and what is built on them, by
 * call. The call returns no page and counts in stats.alloc_failures. A fragment that is cut from a
 * page at hand is no call; page_pool_alloc_reserve_bulk() then answers from the reserve.
 *
 * zone_alloc: pp_zone_alloc_bulk() and what is built on it, and the refills of pools from their
 * zones. Not depots, and not runs of pages.
 *
 * Context: any thread, but not a signal handler; visits every pool and zone.
 * Cost:    a pool or a zone pays nothing while no fault is set: it uses branches that are there.
 * Return:  0, or -EINVAL with a sentence in pp_error(): @at is not known.
 * Source:  ALLOW_ERROR_INJECTION(page_pool_alloc_netmems) and the attributes interval, space and
 *          task-filter of the kernel's fault injection. Differs: counted, not by probability.
 */
int pp_fault_set(const char *at, uint64_t every, uint64_t after, uint64_t thread);

/**
 * struct pp_fault_stats - a point's setting, and what it did
 * @sz:       sizeof(struct pp_fault_stats), set by the caller
 * @every:    as pp_fault_set(); 0: off
 * @after:    as pp_fault_set()
 * @thread:   Linux thread id; 0: all
 * @calls:    calls that were counted since it was set
 * @injected: calls among them that failed on purpose
 */
struct pp_fault_stats {
	size_t sz;
	uint64_t every;
	uint64_t after;
	uint64_t thread;
	uint64_t calls;
	uint64_t injected;
};

/**
 * pp_fault_get_stats() - read a point's setting and counters
 * @at:    as pp_fault_set()
 * @stats: out; sz set by the caller
 *
 * Context: any thread; racy gauges while others allocate.
 * Cost:    a few loads.
 * Return:  0; with a sentence in pp_error(): -EINVAL: @at is not known; -E2BIG if stats->sz is
 *          larger than the library's, or was not set.
 * Source:  the attributes of the kernel's fault injection in debugfs.
 */
int pp_fault_get_stats(const char *at, struct pp_fault_stats *stats);

/**
 * pp_fault_names() - the points where faults can be set
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  array of names, ended by NULL, for as long as the library is loaded.
 * Source:  /sys/kernel/debug/error_injection/list.
 */
const char *const *pp_fault_names(void);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_FAULT_H */
