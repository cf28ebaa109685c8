/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.h - a zone's memory by ranges: runs of pages, isolation, giving memory back
 *
 * Pages are numbered from pp_zone_base() on, 0 .. pp_zone_pages() - 1. A block is 2 MiB of
 * them, the unit in which memory is accepted, isolated and given back. Every page is in
 * exactly one of five states:
 *
 *   free + cached + in_flight + isolated + unaccepted == managed
 *
 * Everything here may run with everything else but pp_zone_destroy(), from any thread
 * but not from a signal handler.
 */
#ifndef PAGEPOOL_MEMORY_H
#define PAGEPOOL_MEMORY_H

#include <pagepool/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PP_ORDER_MAX - the largest run is 2^9 pages, or a block if that is less: 2 MiB of 4 KiB pages */
#define PP_ORDER_MAX 9u

/**
 * pp_zone_alloc_order_bulk() - take runs of 2^@order pages, each one buffer
 * @zone:  zone to take from
 * @order: 0 .. PP_ORDER_MAX, and no larger than a block
 * @pages: out: array of @n pointers; the first RETURN of them are written
 * @n:     runs wanted, any number
 *
 * A run is aligned to its size, counted from pp_zone_base(), and known by its first page.
 * pp_page_size() of that is the whole run's; otherwise it is as pp_zone_alloc_bulk() leaves a page.
 * The others' metadata must not be touched. Looks among the merged pages; if there is none,
 * merges what is free one by one, accepts a block, and at last drains every core's cache.
 *
 * Context: any thread; from signal handlers only in a PP_ZONE_SIGNAL_SAFE zone. Takes the zone's
 *          lock.
 * Cost:    see `ppbench growth`, pages a run.
 * Return:  runs written, 0 .. @n; fewer: free pages do not merge into as many, which
 *          stats.alloc_failures counts. 0 with errno EINVAL and a sentence in pp_error(): an order
 *          out of range, or above 0 in a PP_ZONE_SHARED zone.
 * Source:  alloc_pages(). Differs: bulk at any order.
 */
unsigned int pp_zone_alloc_order_bulk(struct pp_zone *zone, unsigned int order,
				      struct pp_page **pages, unsigned int n);

/**
 * pp_zone_free_order_bulk() - give runs back
 * @zone:  zone that they are from
 * @pages: array of @n first pages, of any orders, refs = 1, in no pool
 * @n:     runs, any number
 *
 * pp_page_put() does it as well, pp_zone_free_bulk() does not. Runs that are at home already are
 * refused, as by pp_page_put().
 *
 * Context: as pp_zone_alloc_order_bulk().
 * Cost:    see `ppbench growth`; a look at each run's first page.
 * Source:  __free_pages(). Differs: bulk, and the page knows its order.
 */
void pp_zone_free_order_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/**
 * pp_page_order() - log2 of the pages of the run that begins with a page
 * @page: page of a zone, from an allocation
 *
 * Context: any thread that has the page.
 * Cost:    three loads.
 * Return:  0 .. PP_ORDER_MAX; 0: a single page.
 * Source:  compound_order().
 */
unsigned int pp_page_order(const struct pp_page *page);

/**
 * pp_zone_block_pages() - pages of a block
 * @zone: zone
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  2 MiB / page size; the zone's last block may be shorter.
 * Source:  pageblock_nr_pages.
 */
uint32_t pp_zone_block_pages(const struct pp_zone *zone);

/* ---- isolation ------------------------------------------------------------------------------- */

/**
 * pp_zone_isolate() - take a range of pages out of use, as far as that goes at once
 * @zone:  zone
 * @first: first page; rounded down to a block
 * @n:     pages; the end is rounded up to a block
 *
 * The range's free pages are not handed out any more; those that are in use are isolated when
 * they come home. Every cache is drained once. A page that was on its way into a cache while
 * that happened, or is freed into one later, may still be handed out from there, until it gets
 * to the free area: pp_zone_isolate_hard() excludes that.
 *
 * Isolations nest and may overlap; each is undone by one pp_zone_isolate_undo() of the same range.
 * Unaccepted blocks stay unaccepted: no allocation accepts them, but pp_zone_pin() does, and so
 * may a contiguous range that was being looked for already.
 *
 * Context: any thread; not from signal handlers.
 * Cost:    a look at every free page, at most 2048 for each hold of the zone's lock, and a drain of
 *          every cache. Until the undo, no cache is refilled.
 * Return:  0; with a sentence in pp_error(): -EINVAL: not a range of this zone; -EOVERFLOW: 65535
 *          isolations nest; -ENOTSUP: a PP_ZONE_SHARED zone.
 * Source:  start_isolate_page_range() with drain_all_pages(). Differs: nests, where the kernel
 *          answers -EBUSY.
 */
int pp_zone_isolate(struct pp_zone *zone, uint64_t first, uint64_t n);

/**
 * pp_zone_isolate_hard() - take a range of pages out of use, for certain
 * @zone:       zone
 * @first:      as pp_zone_isolate()
 * @n:          as pp_zone_isolate()
 * @timeout_us: how long to wait for each cache's holder, us
 *
 * After this has returned 0, no page of the range is handed out, whatever races, until
 * pp_zone_isolate_hard_undo(). All caches of the zone are disabled meanwhile
 * (pp_zone_pcp_disable()): allocation and free go on, through the zone's lock.
 *
 * Context: any thread; not from signal handlers.
 * Cost:    as pp_zone_isolate(); until the undo, every call takes the zone's lock.
 * Return:  0; with a sentence in pp_error() and nothing isolated: -EINVAL, -EOVERFLOW, -ENOTSUP as
 *          pp_zone_isolate(); -ETIMEDOUT as pp_zone_pcp_disable().
 * Source:  zone_pcp_disable() and start_isolate_page_range(), as offline_pages() has them.
 */
int pp_zone_isolate_hard(struct pp_zone *zone, uint64_t first, uint64_t n, unsigned int timeout_us);

/**
 * pp_zone_isolate_undo() - undo one pp_zone_isolate() of the same range
 * @zone:  zone
 * @first: as it was isolated
 * @n:     as it was isolated
 *
 * What came home is free again with the last isolation of a block.
 *
 * Context: any thread; not from signal handlers.
 * Cost:    a look at every page of the range, in one hold of the zone's lock.
 * Return:  0; -EINVAL with a sentence in pp_error(): not a range of this zone, or a block of it is
 *          not isolated.
 * Source:  undo_isolate_page_range().
 */
int pp_zone_isolate_undo(struct pp_zone *zone, uint64_t first, uint64_t n);

/**
 * pp_zone_isolate_hard_undo() - undo one pp_zone_isolate_hard() of the same range
 * @zone:  zone
 * @first: as it was isolated
 * @n:     as it was isolated
 *
 * Context: any thread; not from signal handlers.
 * Cost:    as pp_zone_isolate_undo() and pp_zone_pcp_enable().
 * Return:  as pp_zone_isolate_undo().
 * Source:  undo_isolate_page_range() and zone_pcp_enable(), as offline_pages() has them.
 */
int pp_zone_isolate_hard_undo(struct pp_zone *zone, uint64_t first, uint64_t n);

/**
 * pp_zone_isolate_test() - have all pages of an isolated range come home?
 * @zone:  zone
 * @first: first page
 * @n:     pages; not rounded
 *
 * Context: any thread; not from signal handlers.
 * Cost:    a look at every run of the range, in one hold of the zone's lock.
 * Return:  0: all are isolated, or unaccepted; with a sentence in pp_error(): -EBUSY: some are in
 *          use or in a cache, or not isolated; -EINVAL: not a range of this zone.
 * Source:  test_pages_isolated().
 */
int pp_zone_isolate_test(struct pp_zone *zone, uint64_t first, uint64_t n);

/* ---- contiguous ranges ----------------------------------------------------------------------- */

/**
 * enum pp_contig - how hard to try for a contiguous range
 * @PP_CONTIG_FAST:   one look at what is free: no cache is drained, nothing accepted
 * @PP_CONTIG_NORMAL: then drain the caches once, accept memory, and look again
 * @PP_CONTIG_HARD:   then isolate the range that lacks the fewest pages, ask the reclaimers for
 *                    them, and wait until they are home
 */
enum pp_contig {
	PP_CONTIG_FAST,
	PP_CONTIG_NORMAL,
	PP_CONTIG_HARD,
};

/**
 * pp_zone_alloc_contig() - take @n pages that lie beside each other
 * @zone:       zone
 * @n:          pages, any number up to the zone's
 * @align:      the first page's number is a multiple of this, a power of two; 0: 1
 * @mode:       how hard to try
 * @timeout_us: PP_CONTIG_HARD: until when the pages must be home, us
 * @first:      out: first page; the others follow in pp_zone_page_table()
 *
 * They are @n single pages, as pp_zone_alloc_bulk() leaves them; their buffers are one range of
 * @n * page size bytes. Give them back together or one by one.
 *
 * PP_CONTIG_NORMAL waits at most pp_zone_params.drain_us for a block that another thread is
 * accepting; PP_CONTIG_HARD until the deadline, as for a range that others have isolated, which
 * it never takes.
 *
 * Context: any thread; not from signal handlers. Sleeps with PP_CONTIG_HARD.
 * Cost:    a walk of the zone's free runs; a search for the range that lacks the fewest pages.
 * Return:  0; with a sentence in pp_error():
 *          -EINVAL: @n, @align or @mode out of range;
 *          -EBUSY: there is no such range now, or others have it isolated;
 *          -ETIMEDOUT: PP_CONTIG_HARD found one, but pages of it did not come home, a cache's
 *          holder did not let go, or a block's acceptor was not done;
 *          -EOVERFLOW: PP_CONTIG_HARD, and 65535 isolations nest;
 *          -ENOTSUP: a PP_ZONE_SHARED zone;
 *          otherwise why a block could not be accepted, as pp_zone_pin().
 * Source:  alloc_contig_pages(). Differs: three modes and a deadline; nothing is migrated,
 *          reclaimers give back instead.
 */
int pp_zone_alloc_contig(struct pp_zone *zone, uint64_t n, uint64_t align, enum pp_contig mode,
			 unsigned int timeout_us, struct pp_page **first);

/**
 * pp_zone_free_contig() - give back pages that lie beside each other, past the caches
 * @zone:  zone
 * @first: first page
 * @n:     pages, each with one reference and in no pool
 *
 * Pages of the range that are at home already are refused, as by pp_page_put(). A range that is not
 * of the zone aborts in debug builds; release builds refuse it, and count 1 double put.
 *
 * Context: any thread; not from signal handlers. Takes the zone's lock, once a block.
 * Cost:    a look at each page, and merging.
 * Source:  free_contig_range().
 */
void pp_zone_free_contig(struct pp_zone *zone, struct pp_page *first, uint64_t n);

/**
 * struct pp_reclaimer - a holder of pages that can give them back when asked
 * @reclaim: pages [@first, @first + @n) are wanted: free them as soon as may be, now or later, from
 *           any thread; possibly often, but one call at a time; without the zone's locks: it may
 *           allocate, free, and add and delete other reclaimers, but not delete itself, nor ask for
 *           PP_CONTIG_HARD or pp_zone_offline()
 * @arg:     its first argument
 * @client:  the library's
 */
struct pp_reclaimer {
	void (*reclaim)(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n);
	void *arg;
	unsigned char client[64] __attribute__((aligned(8)));
};

/**
 * pp_zone_reclaimer_add() - be asked for pages by PP_CONTIG_HARD
 * @zone:      zone
 * @reclaimer: filled in by the caller, which keeps it until pp_zone_reclaimer_del()
 *
 * Context: any thread; not from signal handlers.
 * Cost:    a short lock.
 * Source:  register_shrinker(), in spirit.
 */
void pp_zone_reclaimer_add(struct pp_zone *zone, struct pp_reclaimer *reclaimer);

/**
 * pp_zone_reclaimer_del() - not to be asked any more, once this has returned
 * @zone:      zone
 * @reclaimer: reclaimer that was added; one of another zone stays as it is
 *
 * Context: any thread; not from its own reclaim function. Waits for a call of that to end.
 * Cost:    a short lock.
 * Source:  unregister_shrinker(), in spirit.
 */
void pp_zone_reclaimer_del(struct pp_zone *zone, struct pp_reclaimer *reclaimer);

/* ---- giving memory back ---------------------------------------------------------------------- */

/**
 * pp_zone_offline() - give the memory of a range back to the system
 * @zone:       zone
 * @first:      first page, of a block
 * @n:          pages: whole blocks, or up to the zone's end
 * @timeout_us: how long to wait for pages in use, and for each cache's holder, us
 *
 * Isolates the range for certain, waits until its pages are home, and gives the memory back:
 * hugepages to their pool, a memfd's by punching a hole. The pages are unaccepted then, and the
 * zone accepts them again on demand, also if it was created eager.
 *
 * Context: any thread; not from signal handlers. Sleeps.
 * Cost:    as pp_zone_isolate_hard(), and a system call a block.
 * Return:  0; with a sentence in pp_error():
 *          -EINVAL: not a range of this zone, or not whole blocks;
 *          -EBUSY: pages are still in use, or being accepted, or the zone is pinned;
 *          -ETIMEDOUT: a cache's holder did not let go;
 *          -EOVERFLOW: 65535 isolations nest;
 *          -ENOTSUP: PP_ZONE_SIGNAL_SAFE without PP_ZONE_ACCEPT_THREAD, which alone could accept
 *          it again, or PP_ZONE_SHARED;
 *          otherwise what madvise(), fallocate() or mmap() said, with some of the range given back.
 * Source:  offline_pages(). Differs: a deadline; comes back by itself.
 */
int pp_zone_offline(struct pp_zone *zone, uint64_t first, uint64_t n, unsigned int timeout_us);

/**
 * pp_zone_shrink() - give back blocks that are wholly free, until @bytes are accepted
 * @zone:  zone
 * @bytes: accepted memory to keep, rounded up to blocks
 *
 * Drains the caches once and merges what is free. Blocks with a single page in use stay.
 *
 * Context: any thread; not from signal handlers. Holds the zone's lock for one batch or one block
 *          at a time.
 * Cost:    a drain of every cache and pool, merging what is free, and a system call a block.
 * Return:  bytes given back, 0 or more; with a sentence in pp_error(): -EBUSY: the zone is pinned;
 *          -ENOTSUP as pp_zone_offline(); otherwise what madvise(), fallocate() or mmap() said,
 *          and nothing was given back.
 * Source:  none in the kernel; what balloon and free page reporting do, for a pool.
 */
int64_t pp_zone_shrink(struct pp_zone *zone, uint64_t bytes);

/**
 * pp_zone_pin() - accept all of a zone's memory, and give none back, until pp_zone_unpin()
 * @zone: zone
 *
 * For drivers that hand the whole region to a device or to the kernel, which then has these very
 * pages of the system, such as an AF_XDP UMEM. Nests. Waits for blocks that others are accepting,
 * however long that takes.
 *
 * Context: any thread; not from signal handlers. Sleeps.
 * Cost:    populating the blocks that are unaccepted.
 * Return:  0; otherwise, with a sentence in pp_error() and nothing pinned, why a block could not be
 *          accepted: -ENOMEM: no memory or hugepage is left, or the limit of locked memory is
 *          lower; -EPERM: PP_ZONE_LOCK, and this process may lock none; the error of ops->accept.
 * Source:  pin_user_pages(), in spirit.
 */
int pp_zone_pin(struct pp_zone *zone);

/**
 * pp_zone_unpin() - undo one pp_zone_pin()
 * @zone: zone; one that is not pinned stays as it is
 *
 * Context: any thread; not from signal handlers. Takes the zone's lock.
 * Cost:    one lock.
 * Source:  unpin_user_pages(), in spirit.
 */
void pp_zone_unpin(struct pp_zone *zone);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_MEMORY_H */
