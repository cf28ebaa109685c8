/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.h - one pool per RX queue: served to its owner in bulk, refilled by anybody
 *
 * A pool belongs to one thread, its owner, which allocates without any lock
 * from an array (the alloc cache) that is refilled from a ring, which any
 * thread returns pages to, and behind that from the zone.
 *
 *                                 [1] [2] [3] [4] [5]     X: the caller must exclude
 *  [1] page_pool_alloc_bulk        X   -   -   X   X       one owner per pool
 *  [2] page_pool_put_bulk          -   -   -   -   X       any thread; also after [4]
 *  [3] pp_zone_drain               -   -   -   -   X
 *  [4] page_pool_destroy           X   -   -   X   X
 *  [5] pp_zone_destroy             X   X   X   X   X       -EBUSY while pages are out
 */
#ifndef PAGEPOOL_PAGE_POOL_H
#define PAGEPOOL_PAGE_POOL_H

#include <stdbool.h>
#include <pagepool/page.h>
#include <pagepool/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pp_zone_set;

/**
 * enum pp_numa - what a pool over a set does with pages of a node that it does not prefer
 * @PP_NUMA_WAIVE: a refill from the ring stops at the first of them and gives that one back to its
 *                 zone: after a move all are replaced in time, and none is dumped on the zones
 *                 at once; what the kernel does
 * @PP_NUMA_KEEP:  they are recycled like the others
 * @PP_NUMA_FLUSH: a refill gives back every one that it meets, until it has enough of its own
 */
enum pp_numa {
	PP_NUMA_WAIVE,
	PP_NUMA_KEEP,
	PP_NUMA_FLUSH,
};

/**
 * struct page_pool_params - how to build a pool; zero means the default everywhere
 * @sz:         sizeof(struct page_pool_params)
 * @name:       shown in reports; copied; NULL: "pool"
 * @zone:       zone to take pages from; must outlive the pool and its pages; NULL: @set
 * @pool_size:  entries of the recycle ring, a power of two, 2 .. 16384; 0: 1024
 * @cache_size: pages in the alloc cache, 1 .. 4096; 0: 128, or @refill if that is more
 * @refill:     pages taken from ring or zone at once, 1 .. @cache_size and at most PP_BULK_MAX;
 *              0: 64, or @cache_size / 2 if that is less
 * @set:        zones of several nodes to take pages from, see zone_set.h; NULL: @zone
 * @node:       with @set: preferred NUMA node + 1; 0: the one that the owner runs on when it
 *              refills. Use pp_node_param().
 * @numa:       with @set: what becomes of other nodes' pages
 * @order:      without @set: each buffer is a run of 2^@order of the zone's pages, for instance 2
 *              for jumbo frames; 0 .. 9, and no more than 2 MiB. The other sizes here count runs
 */
struct page_pool_params {
	size_t sz;
	const char *name;
	struct pp_zone *zone;
	uint32_t pool_size;
	uint32_t cache_size;
	uint32_t refill;
	struct pp_zone_set *set;
	int node;
	enum pp_numa numa;
	uint32_t order;
};

/**
 * page_pool_create() - build a pool over a zone
 * @params: what is wanted
 *
 * The calling thread becomes the owner. No page is taken yet.
 *
 * Context: any thread; sleeps.
 * Return:  the pool, or NULL with errno and a sentence in pp_error(): EINVAL: no zone or set, or
 *          both, a size out of range, a node that the set does not know; E2BIG: params longer
 *          than known and not zero there; ENOMEM.
 * Source:  page_pool_create(). Differs: NULL with errno, not an error pointer.
 */
struct page_pool *page_pool_create(const struct page_pool_params *params);

/**
 * page_pool_destroy() - end a pool; its pages in use come home later
 * @pool: pool, or NULL; not to be touched by the caller afterwards, but for returning pages
 *
 * Gives the pages of cache and ring to the zone at once. Pages that users still hold keep the
 * pool's memory alive; the thread that returns the last of them frees it. Nobody waits.
 *
 * Context: the owner has stopped; other threads may be returning pages.
 * Cost:    giving cache and ring to the zone.
 * Source:  page_pool_destroy(). Differs: no periodic retry, the last page does it.
 */
void page_pool_destroy(struct page_pool *pool);

/**
 * page_pool_alloc_bulk() - take pages from a pool, for instance to refill an RX ring
 * @pool:  pool to take from
 * @pages: out: array of @n pointers; the first RETURN of them are written, the rest untouched
 * @n:     pages wanted, 1 .. PP_BULK_MAX (512)
 *
 * Looks in the pool's cache, then its recycle ring, then this core's cache, then the zone, and
 * stops as soon as @n is met. A short answer is ordinary under load: post what you got and
 * ask again after the next tx_clean.
 *
 * Each page has one reference, data_off = the zone's headroom (bytes), len = 0 bytes,
 * next = NULL, port = 0. The payload is whatever its last user left.
 *
 * Context: the pool's owner thread only (checked in debug builds). Does not sleep, but for what
 *          pp_zone_alloc_bulk() says of an empty zone.
 * Cost:    per page at @n = 32: see `ppbench page_pool`.
 * Return:  pages written, 0 .. @n. There is no error value; 0 means that no page of the zone is
 *          free in the pool, a core's cache or the zone, which stats.alloc_failures counts.
 * Source:  page_pool_alloc_netmems() in net/core/page_pool.c. Differs: takes n, not one; no gfp.
 */
unsigned int page_pool_alloc_bulk(struct page_pool *pool, struct pp_page **pages, unsigned int n);

/**
 * page_pool_alloc_pages() - take one page
 * @pool: pool to take from
 *
 * Context: as page_pool_alloc_bulk().
 * Return:  the page, as page_pool_alloc_bulk() leaves it, or NULL.
 * Source:  page_pool_alloc_pages(). Differs: no gfp.
 */
struct pp_page *page_pool_alloc_pages(struct page_pool *pool);

/**
 * page_pool_put_page() - return a page to its pool
 * @pool:         the page's pool
 * @page:         page; not to be touched by the caller afterwards
 * @allow_direct: the caller says that it is the owner thread
 *
 * Drops one of the pool's references; the last one recycles the page: into the alloc cache if the
 * calling thread is the owner, otherwise, or if the cache is full, into the ring; to the zone if
 * that is full too. A page on which somebody else holds a reference (pp_page_get()) leaves the
 * pool instead. @allow_direct from another thread is counted (stats.wrong_owner), aborts in
 * debug builds, and goes to the ring; the owner recycles directly without it as well.
 *
 * Context: any thread, also after page_pool_destroy(). May take the ring's or the zone's lock.
 * Source:  page_pool_put_page(). Differs: no dma_sync_size; the owner is checked.
 */
void page_pool_put_page(struct page_pool *pool, struct pp_page *page, bool allow_direct);

/** page_pool_put_full_page() - the same; kept for those who come from the kernel */
static inline void page_pool_put_full_page(struct page_pool *pool, struct pp_page *page,
					   bool allow_direct)
{
	page_pool_put_page(pool, page, allow_direct);
}

/** page_pool_recycle_direct() - page_pool_put_page() by the owner thread */
static inline void page_pool_recycle_direct(struct page_pool *pool, struct pp_page *page)
{
	page_pool_put_page(pool, page, true);
}

/**
 * page_pool_put_bulk() - return pages of any pools, or of none, to where they belong
 * @pages: array of @n pages; its content is garbage afterwards
 * @n:     pages, 0 .. PP_BULK_MAX
 *
 * As page_pool_put_page() for each; pages that belong to no pool go to their zone. One ring lock
 * for each pool, whatever the order. Pages go to the zone after that lock is dropped.
 *
 * Context: any thread, also after page_pool_destroy().
 * Cost:    per page at @n = 32: see `ppbench page_pool`.
 * Source:  page_pool_put_netmem_bulk(). Differs: any n up to PP_BULK_MAX, pages without a pool.
 */
void page_pool_put_bulk(struct pp_page **pages, unsigned int n);

/**
 * page_pool_enable_direct_recycling() - make the calling thread the pool's owner
 * @pool: pool that no other thread is allocating from
 *
 * Context: the old owner has stopped, and what it wrote is visible (joined, or handed over).
 * Source:  page_pool_enable_direct_recycling(). Differs: the thread stands for the NAPI.
 */
void page_pool_enable_direct_recycling(struct page_pool *pool);

/**
 * page_pool_disable_direct_recycling() - leave the pool without an owner
 * @pool: pool that no thread is allocating from
 *
 * All returns go to the ring until some thread becomes the owner.
 *
 * Source:  page_pool_disable_direct_recycling().
 */
void page_pool_disable_direct_recycling(struct page_pool *pool);

/**
 * page_pool_update_nid() - prefer another node from now on
 * @pool: pool over a set
 * @nid:  node that the set knows; PP_NODE_ANY: the one that the owner runs on
 *
 * Gives the alloc cache to the zones, unless the pool keeps other nodes' pages; the ring is sorted
 * out by the refills to come. A pool over one zone has no choice: nothing happens.
 *
 * Context: the owner thread.
 * Return:  0; -EINVAL: the set does not know the node; a pool over one zone is elsewhere.
 * Source:  page_pool_update_nid(). Differs: can refuse.
 */
int page_pool_update_nid(struct page_pool *pool, int nid);

/**
 * page_pool_nid_changed() - page_pool_update_nid() if that is another node than before
 * @pool: pool
 * @nid:  as page_pool_update_nid(); for instance pp_zone_set_this_node()
 *
 * Made to be called in every round of the owner: a load and a compare as long as nothing changes.
 *
 * Context: the owner thread.
 * Source:  page_pool_nid_changed().
 */
void page_pool_nid_changed(struct page_pool *pool, int nid);

/** page_pool_nid() - the preferred node; PP_NODE_ANY: where the owner is */
int page_pool_nid(const struct page_pool *pool);

/**
 * page_pool_fragment_page() - hand a page out to several users
 * @page: fresh page from a pool
 * @n:    references that will be dropped, one page_pool_put_page() each; 1 or more
 *
 * Context: the page's owner, before it shares the page.
 * Source:  page_pool_fragment_page().
 */
static inline void page_pool_fragment_page(struct pp_page *page, int n)
{
	__atomic_store_n(&page->pp_refs, n, __ATOMIC_RELAXED);
}

/**
 * page_pool_ref_page() - one more user of a page of a pool
 * @page: page on which the caller holds a reference of the pool
 *
 * Source:  page_pool_ref_page().
 */
static inline void page_pool_ref_page(struct pp_page *page)
{
	__atomic_fetch_add(&page->pp_refs, 1, __ATOMIC_RELAXED);
}

/**
 * page_pool_inflight() - pages taken from the zone and not given back
 * @pool: pool
 *
 * Counts the pages in cache and ring too, as the kernel does.
 *
 * Context: any thread; a racy gauge unless the pool is quiet.
 * Source:  page_pool_inflight(). Differs: 64 bits.
 */
int64_t page_pool_inflight(const struct page_pool *pool);

/** page_pool_name() - name given at creation */
const char *page_pool_name(const struct page_pool *pool);

/** page_pool_zone() - zone that the pool takes pages from; over a set: any one of it */
struct pp_zone *page_pool_zone(const struct page_pool *pool);

/** page_pool_zone_set() - set that the pool takes pages from; NULL: it has one zone */
struct pp_zone_set *page_pool_zone_set(const struct page_pool *pool);

/**
 * page_pool_get_stats() - read a pool's counters
 * @pool:  pool
 * @stats: out; sz set by the caller
 *
 * Context: any thread; costs the owner nothing.
 * Return:  0; -E2BIG if stats->sz is larger than the library's.
 * Source:  page_pool_get_stats(). Differs: writes, where the kernel adds.
 */
int page_pool_get_stats(struct page_pool *pool, struct page_pool_stats *stats);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_PAGE_POOL_H */
