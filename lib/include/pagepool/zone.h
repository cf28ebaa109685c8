/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone.h - memory, the cores' page caches above it, and drains by any thread
 *
 * A zone owns one region of pages of one size on one NUMA node. Under a lock it
 * keeps the free area; above that, each core has a cache ("pcp") from which any
 * thread that runs there allocates in a few cycles. An allocation that finds
 * the free area empty drains every core's cache before it fails: it fails only
 * if no page of the zone is free anywhere.
 */
#ifndef PAGEPOOL_ZONE_H
#define PAGEPOOL_ZONE_H

#include <pagepool/error.h>
#include <pagepool/page.h>
#include <pagepool/policy.h>
#include <pagepool/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum pp_mem - where a zone's memory comes from
 * @PP_MEM_ANON:    anonymous mapping, populated at creation
 * @PP_MEM_HUGETLB: 2 MiB hugepages; see PP_ZONE_HUGE_FALLBACK
 * @PP_MEM_MEMFD:   a memfd that other processes may map; see pp_zone_fd()
 * @PP_MEM_USER:    the caller's own region, which outlives the zone
 */
enum pp_mem {
	PP_MEM_ANON,
	PP_MEM_HUGETLB,
	PP_MEM_MEMFD,
	PP_MEM_USER,
};

/**
 * PP_ZONE_HUGE_FALLBACK - without hugepages take anonymous memory; pp_zone_mem() tells
 *
 * With PP_ZONE_LAZY the hugepages of the whole zone are reserved at creation, or none is used.
 */
#define PP_ZONE_HUGE_FALLBACK (1u << 0)
/** PP_ZONE_TRACE - record the window of every hold of a core's cache; see pp_zone_windows() */
#define PP_ZONE_TRACE (1u << 1)
/** PP_ZONE_NO_PREP - allocations leave next, len, data_off and port as they are */
#define PP_ZONE_NO_PREP (1u << 2)

/**
 * PP_ZONE_PER_THREAD - a cache for each thread, not for each core
 *
 * Threads get one of 256 numbers when they first come, and give it back when they end;
 * what their cache holds can be drained, and serves the next thread with that number.
 * Policies without a lock (softmask, rcu, request) imply it; rseq and llist refuse it.
 */
#define PP_ZONE_PER_THREAD (1u << 3)
/**
 * PP_ZONE_SIGNAL_SAFE - signal handlers may allocate and free, whatever they interrupted
 *
 * pp_zone_alloc_bulk(), pp_zone_free_bulk(), their order and list forms and pp_page_put(), not
 * page_pool's calls. Policies trylock, irqsave, softmask, rseq and llist.
 *
 * A handler takes no lock that it does not get at once, waits for nothing, does not sleep, drains
 * no cache and trims no pool, and leaves errno and pp_error() as they are. It gets the pages of its
 * core's cache and of the free area. Without the zone's lock it gets none past the cache, and
 * leaves the pages that it frees to the next holder. Debug builds check that no handler waits.
 *
 * The library takes a call for a handler's if it interrupts a call on a signal safe zone or a
 * holder of any lock of the library, or if it blocks more signals than the thread did in its last
 * call that is not for handlers (creating, draining, trimming, closing, any pool). So a thread
 * that blocks a signal for good makes such a call afterwards; else its short allocations drain
 * nothing. Install handlers without SA_NODEFER: only the first two signs work with it.
 */
#define PP_ZONE_SIGNAL_SAFE (1u << 4)

/**
 * PP_ZONE_LAZY - only addresses at first; memory is accepted, 2 MiB at a time, on demand
 *
 * When fewer than @low pages are free, the thread that found the zone's stack of pages empty
 * accepts a block, after it has got its pages; an allocation waits for one only if no page is free.
 * See doc/memory.md, and pp_zone_shrink() for the way back.
 */
#define PP_ZONE_LAZY (1u << 5)
/**
 * PP_ZONE_ACCEPT_THREAD - a thread of the library accepts blocks ahead of need, to twice @low
 *
 * PP_ZONE_LAZY zones only; with PP_ZONE_SIGNAL_SAFE no other thread accepts.
 */
#define PP_ZONE_ACCEPT_THREAD (1u << 6)
/** PP_ZONE_LOCK - lock the memory (mlock), all at creation, or each block as it is accepted */
#define PP_ZONE_LOCK (1u << 7)

/**
 * PP_ZONE_SHARED - other processes use the zone, too; see share.h
 *
 * PP_MEM_MEMFD only, and policies trylock and rseq. Single pages only: no orders, contiguous
 * ranges, isolation or giving memory back, no PP_ZONE_TRACE, PP_ZONE_PER_THREAD,
 * PP_ZONE_SIGNAL_SAFE or PP_ZONE_LAZY, and no ops.
 */
#define PP_ZONE_SHARED (1u << 8)

/**
 * struct pp_zone_ops - calls for a block of memory that comes or goes
 * @accept:   @len bytes at @base can be used from now on, for instance to register them with a
 *            device; 0, or -errno: they can not. NULL: always 0
 * @unaccept: they can not any more: about to be given back to the system, or the zone ends
 *
 * Blocks of 2 MiB, the last one shorter; in eager zones all at creation. Called without any lock
 * of the zone, by several threads at a time for different blocks; must not use the zone.
 */
struct pp_zone_ops {
	int (*accept)(void *arg, void *base, size_t len);
	void (*unaccept)(void *arg, void *base, size_t len);
};

/** PP_NODE_ANY - no preferred NUMA node */
#define PP_NODE_ANY (-1)

/**
 * struct pp_zone_params - how to build a zone; zero means the default everywhere
 * @sz:         sizeof(struct pp_zone_params)
 * @name:       shown in reports; copied; NULL: "zone"
 * @pages:      number of pages, 1 .. 2^32 - 1; no default
 * @page_size:  bytes, a power of two, 2048 .. 65536; 0: 4096
 * @headroom:   data_off of a fresh page, bytes, less than @page_size
 * @mem:        kind of memory
 * @flags:      PP_ZONE_*
 * @region:     PP_MEM_USER: first byte, aligned to @page_size
 * @region_len: PP_MEM_USER: bytes, at least @pages * @page_size
 * @node:       NUMA node + 1; 0: any. Use pp_node_param().
 * @policy:     how the caches are shared: one of pp_policy_names(), or "auto": rseq where it
 *              works, else trylock; NULL: "trylock"
 * @batch:      pages moved between a core's cache and the free area at once, at most @high and
 *              512; 0: a quarter of @high, at most 128, doubled for each move in a row in the
 *              same direction, up to @high and 512
 * @high:       most pages in a core's cache, at most 65536; 0: a quarter of the zone over all
 *              cores, 4 .. 512, but at least @batch
 * @high_max:   what tuning may raise @high to, at most 65536; 0 or @high: high is fixed; it stays
 *              at @high with policies rseq and llist, which do not tune
 * @drain_us:   how long an allocation that drains all caches waits for one preempted holder, and
 *              one that finds nothing for a block that another thread is accepting, us; 0: 20000
 *
 * @low:        PP_ZONE_LAZY: pages; with fewer free a block is accepted; 0: two blocks' worth
 * @ops:        told of blocks that come and go; outlives the zone; NULL: none
 * @ops_arg:    first argument of its functions
 * @idle_ms:    pp_zone_maintain() gives memory back that was not needed for so long, ms; 0: never
 *
 * A struct longer than the library's is taken if what is beyond is zero.
 */
struct pp_zone_params {
	size_t sz;
	const char *name;
	uint64_t pages;
	uint32_t page_size;
	uint32_t headroom;
	enum pp_mem mem;
	uint32_t flags;
	void *region;
	size_t region_len;
	int node;
	uint32_t batch;
	uint32_t high;
	uint32_t drain_us;
	const char *policy;
	uint32_t high_max;
	uint64_t low;
	const struct pp_zone_ops *ops;
	void *ops_arg;
	uint32_t idle_ms;
};

/**
 * pp_node_param() - value of pp_zone_params.node for a NUMA node
 * @node: NUMA node, or PP_NODE_ANY
 *
 * Context: any thread.
 * Cost:    an addition.
 * Return:  @node + 1, so that 0 is any node.
 * Source:  none.
 */
static inline int pp_node_param(int node)
{
	return node + 1;
}

/**
 * pp_zone_create() - map memory and build a zone over it
 * @params: what is wanted
 *
 * The memory is populated before this returns, so that no later touch can fail. With PP_ZONE_LAZY
 * it is populated before a page of it is handed out. Its content is zero, but for PP_MEM_USER. No
 * page is in any core's cache yet.
 *
 * Context: any thread; not from signal handlers. Sleeps.
 * Cost:    populating the memory: about 0.25 s a GiB with small pages; lazy: under 1 ms.
 * Return:  the zone, or NULL with errno and a sentence in pp_error():
 *          EINVAL: a parameter out of range (the sentence names it), unknown policy or flag, flags
 *          of which one lacks another, or PAGEPOOL_FAULT in the environment does not parse;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          ENOMEM: not enough memory, hugepages, or memory that may be locked;
 *          ENOTSUP: a node was asked for that does not exist; a policy that this machine can not
 *          run, or not with these flags; PP_ZONE_SHARED with what it excludes;
 *          EPERM: PP_ZONE_LOCK, and this process may lock no memory;
 *          EMFILE, ENFILE, EFBIG: PP_MEM_MEMFD, and no descriptor is left, or the limit of a
 *          file's size is lower;
 *          EAGAIN: PP_ZONE_ACCEPT_THREAD, and no thread is left;
 *          ENOENT, EIO: PP_ZONE_SHARED, and /proc can not be read;
 *          the error of ops->accept, of an eager zone.
 * Source:  free_area_init() and setup_per_cpu_pageset(), in spirit.
 */
struct pp_zone *pp_zone_create(const struct pp_zone_params *params);

/**
 * pp_zone_destroy() - give a zone's memory back
 * @zone: zone, or NULL
 *
 * Of a PP_ZONE_SHARED zone it ends this process's use. The end of the last process gives the memory
 * back.
 *
 * Context: nothing else may run in the zone. Sleeps.
 * Cost:    unmapping the memory.
 * Return:  0; -EBUSY, with the zone untouched, while pages are out: pp_error() tells how many, and
 *          which pools, ended ones included, have them.
 * Source:  none: a zone of the kernel stays.
 */
int pp_zone_destroy(struct pp_zone *zone);

/**
 * pp_zone_alloc_bulk() - take pages from this core's cache, then from the zone
 * @zone:  zone to take from
 * @pages: out: array of @n pointers; the first RETURN of them are written
 * @n:     pages wanted, any number
 *
 * Looks in this core's cache, then in the free area, from which it refills the cache too. Then it
 * accepts a block, if there are unaccepted ones. At last it drains every core's cache once and
 * looks again.
 *
 * Each page has data_off = the zone's headroom, len = 0, next = NULL, port = 0 (unless
 * PP_ZONE_NO_PREP), refs = 1. Its payload is whatever its last user left. This preparation happens
 * after the cache is left, in a second pass.
 *
 * Context: any thread. Does not sleep in the cache. May wait for the zone's lock (held for at most
 *          1024 pages' copying), and up to drain_us for each preempted holder when the zone is
 *          empty. From signal handlers only in a PP_ZONE_SIGNAL_SAFE zone.
 * Cost:    see `ppbench policy`.
 * Return:  pages written, 0 .. @n. Fewer than @n: no page of the zone was free anywhere, which
 *          stats.alloc_failures counts.
 * Source:  alloc_pages_bulk() in mm/page_alloc.c. Differs: pure output, any n, drains first.
 */
unsigned int pp_zone_alloc_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n);

/**
 * pp_zone_alloc_bulk_fill() - fill the NULL slots of an array
 * @zone:  zone to take from
 * @pages: in/out: array of @n pointers, of which those that are NULL are filled, in order
 * @n:     length of the array, any number
 *
 * Pages as in pp_zone_alloc_bulk(), PP_BULK_MAX slots at a time. Call again while RETURN < @n.
 *
 * Context: as pp_zone_alloc_bulk().
 * Cost:    one compare a slot more than pp_zone_alloc_bulk().
 * Return:  the number of leading slots that are populated, counting those that were on entry: the
 *          first slot left NULL, or @n.
 * Source:  alloc_pages_bulk_noprof(); the same rule for holes and for the return value.
 */
unsigned int pp_zone_alloc_bulk_fill(struct pp_zone *zone, struct pp_page **pages, unsigned int n);

/**
 * pp_zone_alloc_bulk_list() - take pages as a list
 * @zone: zone to take from
 * @n:    pages wanted, any number
 * @list: list to append to; declare it with PP_LIST_INIT
 *
 * Pages as in pp_zone_alloc_bulk().
 *
 * Context: as pp_zone_alloc_bulk().
 * Cost:    one store a page more than the array; walking a list of cold pages costs its user a
 *          cache miss a page, which an array does not.
 * Return:  pages appended, 0 .. @n.
 * Source:  alloc_pages_bulk_list() of Linux 5.13, since removed.
 */
size_t pp_zone_alloc_bulk_list(struct pp_zone *zone, size_t n, struct pp_list *list);

/**
 * pp_zone_free_bulk() - give pages back to their zone
 * @zone:  zone that the pages are from
 * @pages: array of @n pages, refs = 1, in no pool; the array is left as it is
 * @n:     pages, any number
 *
 * They go to this core's cache; if that overflows, its coldest pages go to the free area first.
 *
 * A page must be given back once. A release build does not look at the pages: a second
 * pp_zone_free_bulk() of a page gives it two owners, and pp_zone_audit() counts it only while it is
 * at home twice. A debug build aborts. pp_page_put(), page_pool_put_bulk() and
 * pp_zone_free_order_bulk() refuse a second put in release builds, too.
 *
 * Context: any thread; from signal handlers only in a PP_ZONE_SIGNAL_SAFE zone. May wait for the
 *          zone's lock.
 * Cost:    see `ppbench policy`.
 * Source:  free_pages_bulk(). Differs: keeps the pages in the core's cache.
 */
void pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/**
 * pp_zone_free_bulk_list() - give a list of pages back to their zone
 * @zone: zone that the pages are from
 * @list: pages, any number; empty afterwards
 *
 * The pages are marked as home, so that a second put by another call is refused. Adding a page
 * that is at home to @list clears its mark: only a debug build sees that.
 *
 * Context: as pp_zone_free_bulk().
 * Cost:    a load and a store a page more than the array.
 * Source:  free_unref_page_list() of Linux 5.13, in spirit.
 */
void pp_zone_free_bulk_list(struct pp_zone *zone, struct pp_list *list);

/**
 * pp_zone_drain() - move one core's cached pages to the free area
 * @zone:       zone
 * @core:       CPU number
 * @timeout_us: how long to wait for the cache's holder, us; 0: try once
 *
 * The owner is not interrupted: while a drain waits or works, its allocations go to the free
 * area. One hold of the cache's lock hands the list of pages over as it is, whatever its length. It
 * copies at most one batch instead if the policy is rcu, rseq or llist, if a block is isolated, or
 * if more than a batch of the list before is still in the free area. No other lock is taken but the
 * zone's, inside.
 *
 * Context: any thread; not from signal handlers.
 * Cost:    see `ppbench policy`, column drain.
 * Return:  pages moved, 0 or more; -EINVAL: no such core; -ETIMEDOUT: the holder did not let go,
 *          for instance because the scheduler took its CPU. Both with a sentence in pp_error().
 * Source:  drain_pages_zone() in mm/page_alloc.c. Differs: bounded in time.
 */
long pp_zone_drain(struct pp_zone *zone, unsigned int core, unsigned int timeout_us);

/**
 * pp_zone_drain_all() - pp_zone_drain() of every core
 * @zone:       zone
 * @timeout_us: bound for each core, us
 *
 * Goes on with the other cores when one times out.
 *
 * Context: as pp_zone_drain().
 * Cost:    pp_zone_drain() of each cache that has pages; a load for each of the others.
 * Return:  pages moved; -ETIMEDOUT if any core timed out, with a sentence in pp_error().
 * Source:  drain_all_pages() in mm/page_alloc.c. Differs: one zone, bounded in time.
 */
long pp_zone_drain_all(struct pp_zone *zone, unsigned int timeout_us);

/**
 * pp_zone_pcp_set() - change how much the caches may hold
 * @zone:  zone
 * @high:  most pages in a cache, 1 .. the high_max of its creation; also ends tuning
 * @batch: pages moved at once, 1 .. @high and at most 512; also ends its doubling
 *
 * A cache that holds more is trimmed by its next overflow, or by pp_zone_maintain().
 *
 * Context: any thread; not from signal handlers. Waits for a thread that closes or sets the caches.
 * Cost:    some stores to each cache.
 * Return:  0; -EINVAL: out of range; -EBUSY: the caches are disabled; both with a sentence in
 *          pp_error().
 * Source:  the sysctl percpu_pagelist_high_fraction. Differs: pages, not a fraction.
 */
int pp_zone_pcp_set(struct pp_zone *zone, uint32_t high, uint32_t batch);

/**
 * pp_zone_pcp_disable() - no page of the zone in any cache, until pp_zone_pcp_enable()
 * @zone:       zone
 * @timeout_us: how long to wait for each cache's holder, and first for another thread that closes
 *              or sets the caches, us
 *
 * After this has returned 0, no page is in any core's cache and none can enter, whatever races:
 * the caches' high is 0, so that every free overflows at once. Allocation and free go on through
 * the zone. Disablers nest.
 *
 * Context: any thread; not from signal handlers. Sleeps.
 * Cost:    a drain of every cache; afterwards each call takes the zone's lock.
 * Return:  0; -ETIMEDOUT, with the caches enabled as before and a sentence in pp_error(): a holder
 *          did not let go; or, with policy request, an idle owner did not come by; or another
 *          thread still closes them; or another process settles what a dead one left
 *          (PP_ZONE_SHARED).
 * Source:  zone_pcp_disable(). Differs: can time out; nests instead of excluding.
 */
int pp_zone_pcp_disable(struct pp_zone *zone, unsigned int timeout_us);

/**
 * pp_zone_pcp_enable() - undo one pp_zone_pcp_disable()
 * @zone: zone; one that is not disabled stays as it is
 *
 * Context: any thread; not from signal handlers. Waits for a thread that closes or sets the caches.
 * Cost:    some stores to each cache, for the last disabler.
 * Source:  zone_pcp_enable().
 */
void pp_zone_pcp_enable(struct pp_zone *zone);

/**
 * pp_zone_maintain() - the tick: let caches that were grown shrink again
 * @zone: zone
 *
 * Lowers each tuned cache's high by an eighth towards its minimum and moves what is then too
 * much to the free area. Call it about once a second, from any thread; an idle core's cache
 * shrinks too, unlike the kernel's. A cache in use at that moment may keep what is too much until
 * the next call. Also trims pools and gives back memory that were idle for their idle_ms, and frees
 * the pages of dead processes of a PP_ZONE_SHARED zone.
 *
 * Context: any thread; not from signal handlers. Waits for no holder.
 * Cost:    a look at every cache, and moving what is too much.
 * Return:  pages moved from the cores' caches.
 * Source:  decay_pcp_high() and refresh_cpu_vm_stats().
 */
long pp_zone_maintain(struct pp_zone *zone);

/**
 * pp_zone_cores() - number of caches, of cores or threads; they are 0 .. RETURN - 1
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the number: CPUs that the machine may have, or 256 with caches for threads.
 * Source:  nr_cpu_ids.
 */
unsigned int pp_zone_cores(const struct pp_zone *zone);

/**
 * pp_zone_this_core() - which cache the calling thread uses now
 * @zone: zone
 *
 * Its CPU, or its number if the zone has caches for threads. A CPU may be another one as soon as
 * this returns, unless the thread is pinned.
 *
 * Context: any thread. Gives a thread its number if it has none yet.
 * Cost:    about a nanosecond; a system call where rseq is missing.
 * Return:  0 .. pp_zone_cores() - 1, or pp_zone_cores() if it has no cache.
 * Source:  raw_smp_processor_id().
 */
unsigned int pp_zone_this_core(const struct pp_zone *zone);

/**
 * pp_zone_cached() - pages in the caches of a core now, single ones and in runs
 * @zone: zone
 * @core: CPU, or number of a thread
 *
 * Context: any thread; a racy gauge.
 * Cost:    a load for each order of runs that is in use.
 * Return:  pages; 0 for a core out of range.
 * Source:  per_cpu_pages.count.
 */
unsigned int pp_zone_cached(const struct pp_zone *zone, unsigned int core);

/**
 * pp_zone_name() - name given at creation
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  the name, until the zone is destroyed.
 * Source:  struct zone's name.
 */
const char *pp_zone_name(const struct pp_zone *zone);

/**
 * pp_zone_policy() - name of the zone's policy
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    two loads.
 * Return:  one of pp_policy_names(), also where "auto" chose it.
 * Source:  none.
 */
const char *pp_zone_policy(const struct pp_zone *zone);

/**
 * pp_zone_mem() - kind of memory that the zone got, after any fallback
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the kind.
 * Source:  none.
 */
enum pp_mem pp_zone_mem(const struct pp_zone *zone);

/**
 * pp_zone_base() - first byte of the zone's memory: page i is at base + i * page_size
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the address, until the zone is destroyed.
 * Source:  page_address(), in spirit.
 */
void *pp_zone_base(const struct pp_zone *zone);

/**
 * pp_zone_pages() - number of pages
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  pages, free or not, accepted or not.
 * Source:  zone_managed_pages(). Differs: constant.
 */
uint64_t pp_zone_pages(const struct pp_zone *zone);

/**
 * pp_zone_page_size() - bytes of a page
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  bytes.
 * Source:  PAGE_SIZE. Differs: of a zone.
 */
uint32_t pp_zone_page_size(const struct pp_zone *zone);

/**
 * pp_zone_headroom() - data_off of a fresh page, bytes
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  bytes.
 * Source:  none.
 */
uint32_t pp_zone_headroom(const struct pp_zone *zone);

/**
 * pp_zone_fd() - descriptor of a PP_MEM_MEMFD zone's memory, owned by the zone
 * @zone: zone
 *
 * Page i is at offset i * page_size. Of a PP_ZONE_SHARED zone it is what pp_zone_attach() takes.
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the descriptor, until the zone is destroyed; -1: another kind of memory.
 * Source:  none.
 */
int pp_zone_fd(const struct pp_zone *zone);

/**
 * pp_zone_page_table() - metadata of all pages: page i of the zone is RETURN + i
 * @zone: zone
 *
 * For drivers that turn buffer addresses into pages; see pp_zone_page_at().
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the first page's, until the zone is destroyed.
 * Source:  mem_map.
 */
struct pp_page *pp_zone_page_table(const struct pp_zone *zone);

/**
 * pp_zone_page_at() - the page that holds a byte of the zone's memory
 * @zone:   zone
 * @offset: byte offset from pp_zone_base(); any value, for instance one that a device returned
 *
 * Context: any thread.
 * Cost:    a few instructions, no memory access to the page.
 * Return:  the page, or NULL if @offset is outside the zone.
 * Source:  pfn_to_page().
 */
struct pp_page *pp_zone_page_at(const struct pp_zone *zone, uint64_t offset);

/**
 * pp_zone_get_stats() - read a zone's counters
 * @zone:  zone
 * @stats: out; sz set by the caller
 *
 * Context: any thread; not from signal handlers. Takes the zone's lock.
 * Cost:    a look at every cache, under the lock; nothing for the owners of caches.
 * Return:  0; -E2BIG if stats->sz is larger than the library's, or was not set, with a sentence in
 *          pp_error().
 * Source:  /proc/zoneinfo. Differs: the sum of all states is exact at rest.
 */
int pp_zone_get_stats(struct pp_zone *zone, struct pp_zone_stats *stats);

/**
 * pp_zone_windows() - read the windows of a zone created with PP_ZONE_TRACE
 * @zone:    zone
 * @windows: out; sz set by the caller
 *
 * Context: any thread; not from signal handlers.
 * Cost:    adding up the histograms of every cache; nothing for the owners of caches.
 * Return:  0; with a sentence in pp_error(): -ENODATA: the zone is not traced; -ENOMEM; -E2BIG if
 *          windows->sz is larger than the library's, or was not set.
 * Source:  the irqsoff tracer, in spirit.
 */
int pp_zone_windows(struct pp_zone *zone, struct pp_window_stats *windows);

/**
 * pp_zone_audit() - count every page that is home, once
 * @zone:  zone
 * @audit: out; sz set by the caller
 *
 * Context: nothing else may run in the zone. Sleeps.
 * Cost:    a walk of all pages that are home; allocates one bit a page.
 * Return:  0; with a sentence in pp_error(): -ENOMEM; -E2BIG if audit->sz is larger than the
 *          library's, or was not set.
 * Source:  none: the kernel reports a leak of a page_pool only.
 */
int pp_zone_audit(struct pp_zone *zone, struct pp_audit *audit);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_ZONE_H */
