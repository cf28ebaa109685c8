/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.h - one pool per RX queue: served to its owner in bulk, refilled by any thread
 *
 * A pool belongs to one thread, its owner, which allocates without any lock
 * from an array (the alloc cache) that is refilled from a ring, which any
 * thread returns pages to, and behind that from the zone.
 *
 *                                 [1] [2] [3] [4] [5] [6]    X: the caller must exclude
 *  [1] page_pool_alloc_bulk        X   -   -   -   X   X      one owner per pool
 *  [2] page_pool_put_bulk          -   -   -   -   -   X      any thread; also after [5]
 *  [3] page_pool_trim, get_stats   -   -   -   -   X   X
 *  [4] pp_zone_drain               -   -   -   -   -   X      and what a zone does to its pools
 *  [5] page_pool_destroy           X   -   X   -   X   X
 *  [6] pp_zone_destroy             X   X   X   X   X   X      -EBUSY while pages are out
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

struct page_pool;

/**
 * struct page_pool_provider - memory that is not of a zone: a device's, or another allocator's
 * @init:         the pool is being built; 0, or -errno, and there will be no pool; NULL: nothing
 * @alloc_bulk:   write up to @n pages, 1 .. PP_BULK_MAX, return how many; by the owner, in a refill
 * @release_bulk: these pages, 1 .. PP_BULK_MAX, leave the pool; any thread that may return pages
 * @destroy:      the last page is home and the pool is going; any thread, perhaps after the call
 *                that brought that page has returned; NULL: nothing
 *
 * Its pages are struct pp_page of its own, each begun with pp_page_init(), not moved or freed while
 * the pool has them. A page that is put while another user holds it (pp_page_get()) stays with
 * the pool until the last pp_page_put(), and is released then.
 *
 * Source: struct memory_provider_ops. Differs: bulk; and it knows struct pp_page only.
 */
struct page_pool_provider {
	int (*init)(void *arg, struct page_pool *pool);
	unsigned int (*alloc_bulk)(void *arg, struct page_pool *pool, struct pp_page **pages,
				   unsigned int n);
	void (*release_bulk)(void *arg, struct page_pool *pool, struct pp_page **pages,
			     unsigned int n);
	void (*destroy)(void *arg, struct page_pool *pool);
};

/** PAGE_POOL_HOLDERS - remember the thread that takes each page: page_pool_holders_enable() */
#define PAGE_POOL_HOLDERS 1u
/**
 * PAGE_POOL_ISOLATED - neither a trim of the pool nor a put to it interrupts a CPU
 *
 * For an owner on an isolated CPU. The owner executes a full barrier itself in each of its calls,
 * some ten nanoseconds, and each put by another thread takes the ring's lock. Otherwise a trim
 * interrupts every CPU that runs a thread of the process (membarrier), and so does the first put
 * after another thread alone has made many. Where the kernel has no membarrier, every pool works
 * so. See doc/realtime.md.
 */
#define PAGE_POOL_ISOLATED 2u

/**
 * struct page_pool_params - how to build a pool; zero means the default everywhere
 * @sz:         sizeof(struct page_pool_params)
 * @name:       shown in reports; copied; NULL: "pool"
 * @zone:       zone to take pages from; must outlive the pool and its pages; NULL: @set or
 *              @provider
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
 * @flags:      PAGE_POOL_*, or 0
 * @cache_bytes: a budget for the alloc cache instead of @cache_size and @refill: 2 .. 4096 pages of
 *              it, and a refill is half; 0: none
 * @max_outstanding: pages that users may have at once; 0: any number
 * @reserve:    pages that are set aside at once, for page_pool_alloc_reserve_bulk();
 *              0 .. PP_BULK_MAX
 * @low_water:  fewer pages that the pool could still get, and @pressure is called; 0: never
 * @pressure:   called by the owner, in an allocation that had to refill, once until there are
 *              @low_water pages again; @available counts what is free, cached or not accepted yet
 *              in the zone, and in the pool's own cache and ring. May use the pool
 * @pressure_arg: its first argument
 * @idle_ms:    pp_zone_maintain() of the zone trims the pool if its owner did not use it for so
 *              long; 0: never
 * @headroom:   with @provider: data_off of fresh pages
 * @provider:   where pages come from instead of @zone and @set; NULL: from these
 * @provider_arg: its functions' first argument
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
	uint32_t flags;
	uint64_t cache_bytes;
	uint64_t max_outstanding;
	uint32_t reserve;
	uint32_t headroom;
	uint64_t low_water;
	void (*pressure)(void *arg, struct page_pool *pool, uint64_t available);
	void *pressure_arg;
	uint32_t idle_ms;
	const struct page_pool_provider *provider;
	void *provider_arg;
};

/**
 * page_pool_create() - build a pool over a zone
 * @params: what is wanted
 *
 * The calling thread becomes the owner. No page is taken yet, but those of the reserve.
 *
 * Context: any thread; not from signal handlers. Sleeps.
 * Cost:    allocating cache and ring; a registration with membarrier, once in a process.
 * Return:  the pool, or NULL with errno and a sentence in pp_error():
 *          EINVAL: not exactly one of zone, set and provider, a size out of range, a node that the
 *          set does not know, unknown flags, one of low_water and pressure without the other, a
 *          provider without its functions, or PAGEPOOL_FAULT in the environment does not parse;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          ENOMEM: for the pool, for holder tags, or there are too few pages for the reserve;
 *          ENOTSUP: order with a PP_ZONE_SHARED zone, or PAGE_POOL_HOLDERS with a provider;
 *          the error of the provider's init.
 * Source:  page_pool_create(). Differs: NULL with errno, not an error pointer.
 */
struct page_pool *page_pool_create(const struct page_pool_params *params);

/**
 * page_pool_destroy() - end a pool; its pages in use come home later
 * @pool: pool, or NULL; not to be touched by the caller afterwards, but for returning pages
 *
 * Gives the pages of cache and ring to the zone at once. Pages that users still hold keep the
 * pool's memory alive; the thread that returns the last of them frees it. No thread waits for them.
 * Until then `ppstat` lists the pool as ended, with its pages. The last page of a
 * PP_ZONE_SIGNAL_SAFE zone's pool may come home in a signal handler: the next page_pool_create(),
 * page_pool_destroy() or pp_zone_destroy() frees that pool.
 *
 * Context: the owner has stopped; other threads may be returning pages. Sleeps while one of them is
 *          in the middle of that.
 * Cost:    giving cache and ring to the zone.
 * Source:  page_pool_destroy(). Differs: no periodic retry, the last page does it.
 */
void page_pool_destroy(struct page_pool *pool);

/** struct pp_holder - a page that is out; see page_pool_holders() */
struct pp_holder {
	/** @page: the page; it may be home by the time that you look */
	const struct pp_page *page;
	/** @age_ns: since it was taken; 0: not recorded */
	uint64_t age_ns;
	/** @thread: Linux thread id of the caller that took it; 0: unknown */
	uint64_t thread;
	/** @site: where in the program: the return address of the allocation; NULL: unknown */
	const void *site;
	/** @driver: pp_page.owner: not 0: a driver has it in one of its rings */
	uint64_t driver;
};

/**
 * struct page_pool_report - what of a pool is still out
 * @name:        the pool's
 * @outstanding: pages
 * @waited_ns:   since page_pool_destroy_wait() was called
 * @in_drivers:  pages among them that a driver has in its rings
 * @nholders:    entries of @holders, at most 16
 * @holders:     the oldest first; with thread, site and age if the pool had holder tags
 */
struct page_pool_report {
	const char *name;
	uint64_t outstanding;
	uint64_t waited_ns;
	uint64_t in_drivers;
	unsigned int nholders;
	const struct pp_holder *holders;
};

/**
 * struct page_pool_end - how to wait for a pool's pages
 * @sz:         sizeof(struct page_pool_end)
 * @timeout_ms: how long to wait at most; 0: not at all
 * @report_ms:  @report is called as often meanwhile; 0: only at the end, if pages are out
 * @report:     called by the thread that waits; what it is given is gone afterwards; NULL: nothing
 * @arg:        its first argument
 */
struct page_pool_end {
	size_t sz;
	uint32_t timeout_ms;
	uint32_t report_ms;
	void (*report)(void *arg, const struct page_pool_report *report);
	void *arg;
};

/**
 * page_pool_destroy_wait() - page_pool_destroy(), and wait until all pages are home
 * @pool: as page_pool_destroy()
 * @end:  deadline and report
 *
 * With 0 and with -ETIMEDOUT the pool is gone for the caller. Pages that are still out go to their
 * zone when their users return them.
 *
 * Context: as page_pool_destroy(); sleeps.
 * Cost:    as page_pool_destroy(), and a look each 500 us; a report walks the zone's page table.
 * Return:  0: all pages are home; with a sentence in pp_error(): -ETIMEDOUT: some were still out
 *          at the end; -EINVAL: @end is NULL or its sz is not set; -E2BIG: @end is longer than
 *          known and not zero there. The last two leave the pool as it was.
 * Source:  page_pool_destroy() with its retries and warnings. Differs: a deadline, and names.
 */
int page_pool_destroy_wait(struct page_pool *pool, const struct page_pool_end *end);

/**
 * page_pool_alloc_bulk() - take pages from a pool, for instance to refill an RX ring
 * @pool:  pool to take from
 * @pages: out: array of @n pointers; the first RETURN of them are written, the rest untouched
 * @n:     pages wanted, any number
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
 * Return:  pages written, 0 .. @n. There is no error value; less than @n means that no page is free
 *          in the zone, a core's cache, or any pool's cache or ring, which stats.alloc_failures
 *          counts, or max_outstanding (stats.alloc_limited).
 * Source:  page_pool_alloc_netmems() in net/core/page_pool.c. Differs: takes n, not one; no gfp.
 */
unsigned int page_pool_alloc_bulk(struct page_pool *pool, struct pp_page **pages, unsigned int n);

/**
 * page_pool_alloc_pages() - take one page
 * @pool: pool to take from
 *
 * Context: as page_pool_alloc_bulk().
 * Cost:    see `ppbench page_pool`; a call for each page, which page_pool_alloc_bulk() saves.
 * Return:  the page, as page_pool_alloc_bulk() leaves it, or NULL.
 * Source:  page_pool_alloc_pages(). Differs: no gfp.
 */
struct pp_page *page_pool_alloc_pages(struct page_pool *pool);

/**
 * page_pool_alloc_reserve_bulk() - take pages that must be had, for instance for control traffic
 * @pool:  pool to take from
 * @pages: as page_pool_alloc_bulk()
 * @n:     as page_pool_alloc_bulk()
 *
 * As page_pool_alloc_bulk(); what that lacks comes from the pool's reserve, whatever
 * max_outstanding says. The next pages that the pool gets from its zone fill the reserve again.
 *
 * Context: as page_pool_alloc_bulk().
 * Cost:    as page_pool_alloc_bulk(), and a copy of what comes from the reserve.
 * Return:  pages written, 0 .. @n.
 * Source:  __GFP_MEMALLOC, in spirit.
 */
unsigned int page_pool_alloc_reserve_bulk(struct page_pool *pool, struct pp_page **pages,
					  unsigned int n);

/* ---- fragments ------------------------------------------------------------------------------- */

/**
 * page_pool_alloc_frag() - take a part of a page
 * @pool:   pool to take from
 * @offset: out: where in the page's buffer it begins, bytes; a multiple of 64
 * @size:   bytes wanted, 1 .. the page's size; rounded up to a multiple of 64
 *
 * The page is shared with the users of its other parts: its packet fields (len, data_off, port,
 * next, tstamp) belong to none of them. Give the part back with page_pool_put_page(), once.
 *
 * The page counts its users and does not know them, so that a part which is put twice while others
 * are out counts as one of these: the page goes home one put early, and the last of the others'
 * puts is the one that is refused. More puts than parts are seen while the page is being cut: debug
 * builds abort at the put, release builds count them (stats.double_puts) and make up for them
 * when the next part is cut or the page is used up.
 *
 * Context: the pool's owner thread. May be mixed with whole pages.
 * Cost:    no atomic instruction; one for each part that is given back while others are out.
 * Return:  the page, or NULL: none free, or @size is 0 or more than a page.
 * Source:  page_pool_alloc_frag(). Differs: no gfp; too large a size is an answer, not a warning.
 */
struct pp_page *page_pool_alloc_frag(struct page_pool *pool, unsigned int *offset,
				     unsigned int size);

/**
 * page_pool_alloc() - take a page or a part of one, whichever fits
 * @pool:   pool to take from
 * @offset: out: where in the page's buffer it begins, bytes
 * @size:   in: bytes wanted; out: bytes that may be used, no less
 *
 * A size above half of a page takes a whole one; and the last part of a page is as large as what
 * is left of it.
 *
 * Context: as page_pool_alloc_frag().
 * Cost:    as page_pool_alloc_frag(), or as page_pool_alloc_pages() for a whole page.
 * Return:  the page, or NULL: none free, or @size is 0 or more than a page.
 * Source:  page_pool_alloc(). Differs: no gfp.
 */
struct pp_page *page_pool_alloc(struct page_pool *pool, unsigned int *offset, unsigned int *size);

/**
 * page_pool_alloc_va() - page_pool_alloc(), but an address
 * @pool: pool to take from
 * @size: as page_pool_alloc()
 *
 * Context: as page_pool_alloc_frag().
 * Cost:    as page_pool_alloc().
 * Return:  first byte, or NULL as page_pool_alloc().
 * Source:  page_pool_alloc_va(). Differs: no gfp.
 */
void *page_pool_alloc_va(struct page_pool *pool, unsigned int *size);

/**
 * page_pool_free_va() - give back what an address belongs to
 * @pool:         the pool that it is from
 * @va:           any address in the page or part, from page_pool_alloc_va()
 * @allow_direct: as page_pool_put_page()
 *
 * Not for pools of a provider: the library does not know their memory. Another address is
 * counted (stats.double_puts), aborts in debug builds, and is ignored.
 *
 * Context: as page_pool_put_page(); @pool is not destroyed.
 * Cost:    as page_pool_put_page(), and the look for the zone and page of @va.
 * Source:  page_pool_free_va(). Differs: an address that is not the pool's is refused.
 */
void page_pool_free_va(struct page_pool *pool, void *va, bool allow_direct);

/**
 * page_pool_put_page() - return a page to its pool
 * @pool:         the page's pool
 * @page:         page; not to be touched by the caller afterwards
 * @allow_direct: the caller says that it is the owner thread
 *
 * Drops one of the pool's references. The last one recycles the page: into the alloc cache if the
 * calling thread is the owner, otherwise, or if the cache is full, into the ring; to the zone if
 * that is full too. A page on which another user holds a reference (pp_page_get()) leaves the
 * pool instead.
 *
 * @allow_direct from another thread is counted (stats.wrong_owner), aborts in debug builds, and
 * goes to the ring; the owner recycles directly without it as well. A page that is at home already
 * is counted (stats.double_puts), aborts in debug builds, and is left alone. No build sees a second
 * put after the page was handed out again.
 *
 * Context: any thread, also after page_pool_destroy(). May take the ring's or the zone's lock.
 * Cost:    see `ppbench page_pool`; a call for each page, which page_pool_put_bulk() saves.
 * Source:  page_pool_put_page(). Differs: no dma_sync_size; the owner is checked.
 */
void page_pool_put_page(struct page_pool *pool, struct pp_page *page, bool allow_direct);

/**
 * page_pool_put_full_page() - page_pool_put_page(); for code from the kernel
 * @pool:         as page_pool_put_page()
 * @page:         as page_pool_put_page()
 * @allow_direct: as page_pool_put_page()
 *
 * Context: as page_pool_put_page().
 * Cost:    as page_pool_put_page().
 * Source:  page_pool_put_full_page().
 */
void page_pool_put_full_page(struct page_pool *pool, struct pp_page *page, bool allow_direct);

/**
 * page_pool_recycle_direct() - page_pool_put_page() by the owner thread
 * @pool: as page_pool_put_page()
 * @page: as page_pool_put_page()
 *
 * Context: the pool's owner thread; another one is handled as page_pool_put_page() does.
 * Cost:    as page_pool_put_page().
 * Source:  page_pool_recycle_direct(). Differs: the owner is checked.
 */
void page_pool_recycle_direct(struct page_pool *pool, struct pp_page *page);

/**
 * page_pool_put_bulk() - return pages of any pools, or of none, to where they belong
 * @pages: array of @n pages; its content is garbage afterwards
 * @n:     pages, any number
 *
 * As page_pool_put_page() for each; pages that belong to no pool go to their zone. One ring lock
 * for each pool, whatever the order, or for each pool of PP_BULK_MAX pages if there are more.
 * Pages go to the zone after that lock is dropped.
 *
 * Context: any thread, also after page_pool_destroy().
 * Cost:    per page at @n = 32: see `ppbench page_pool`.
 * Source:  page_pool_put_netmem_bulk(). Differs: any n, pages without a pool.
 */
void page_pool_put_bulk(struct pp_page **pages, unsigned int n);

/**
 * page_pool_enable_direct_recycling() - make the calling thread the pool's owner
 * @pool: pool that no other thread is allocating from
 *
 * Context: the old owner has stopped, and what it wrote is visible (joined, or handed over).
 * Cost:    a store; a thread's first time gives it a number.
 * Source:  page_pool_enable_direct_recycling(). Differs: the thread stands for the NAPI.
 */
void page_pool_enable_direct_recycling(struct page_pool *pool);

/**
 * page_pool_disable_direct_recycling() - leave the pool without an owner
 * @pool: pool that no thread is allocating from
 *
 * All returns go to the ring until some thread becomes the owner.
 *
 * Context: any thread; the old owner has stopped.
 * Cost:    a store.
 * Source:  page_pool_disable_direct_recycling().
 */
void page_pool_disable_direct_recycling(struct page_pool *pool);

/**
 * page_pool_update_nid() - prefer another node from now on
 * @pool: pool over a set
 * @nid:  node that the set knows; PP_NODE_ANY: the one that the owner runs on
 *
 * Gives the alloc cache to the zones, unless the pool keeps other nodes' pages; the ring is sorted
 * out by the refills to come. While a thread trims the pool, the cache follows when the owner next
 * allocates or returns after that. A pool over one zone has no choice: nothing happens.
 *
 * Context: the owner thread.
 * Cost:    giving the alloc cache to the zones.
 * Return:  0; -EINVAL, with a sentence in pp_error(): the set does not know the node; a pool over
 *          one zone is elsewhere.
 * Source:  page_pool_update_nid(). Differs: can refuse.
 */
int page_pool_update_nid(struct page_pool *pool, int nid);

/**
 * page_pool_nid_changed() - page_pool_update_nid() if that is another node than before
 * @pool: pool
 * @nid:  as page_pool_update_nid(); for instance pp_zone_set_this_node()
 *
 * Made to be called in every round of the owner. A node that the set does not know changes nothing.
 *
 * Context: the owner thread.
 * Cost:    a load and a compare as long as nothing changes.
 * Source:  page_pool_nid_changed().
 */
void page_pool_nid_changed(struct page_pool *pool, int nid);

/**
 * page_pool_nid() - the preferred node
 * @pool: pool
 *
 * Context: any thread; the owner may be changing it.
 * Cost:    a load.
 * Return:  node; PP_NODE_ANY: where the owner is.
 * Source:  page_pool.p.nid.
 */
int page_pool_nid(const struct page_pool *pool);

/**
 * page_pool_fragment_page() - hand a page out to several users
 * @page: fresh page from a pool
 * @n:    references that will be dropped, one page_pool_put_page() each; less than 1 is 1: the
 *        caller's own, which the page had before
 *
 * Context: the page's owner, before it shares the page.
 * Cost:    a store.
 * Source:  page_pool_fragment_page(). Differs: no count loses the page.
 */
static inline void page_pool_fragment_page(struct pp_page *page, int n)
{
	__atomic_store_n(&page->pp_refs, n < 1 ? 1 : n, __ATOMIC_RELAXED);
}

/**
 * page_pool_ref_page() - one more user of a page of a pool
 * @page: page on which the caller holds a reference of the pool
 *
 * Context: any thread that holds such a reference.
 * Cost:    one atomic increment.
 * Source:  page_pool_ref_page().
 */
static inline void page_pool_ref_page(struct pp_page *page)
{
	__atomic_fetch_add(&page->pp_refs, 1, __ATOMIC_RELAXED);
}

/**
 * page_pool_unref_page() - drop references of the pool's without returning the page
 * @page: page on which the caller holds @n references of the pool
 * @n:    references, 1 or more
 *
 * The caller that gets 0 has the page alone, with one reference, and returns it with
 * page_pool_put_unrefed_page().
 *
 * Context: any thread.
 * Cost:    one atomic instruction; none if the caller has all references.
 * Return:  references left.
 * Source:  page_pool_unref_page().
 */
static inline int page_pool_unref_page(struct pp_page *page, int n)
{
	int left = 0;

	/* the last user need not tell others; pairs with the decrements of the others */
	if (__atomic_load_n(&page->pp_refs, __ATOMIC_ACQUIRE) != n)
		left = __atomic_sub_fetch(&page->pp_refs, n, __ATOMIC_ACQ_REL);
	if (!left)
		__atomic_store_n(&page->pp_refs, 1, __ATOMIC_RELAXED);
	return left;
}

/**
 * page_pool_put_unrefed_page() - return a page without a reference of the pool's
 * @pool:         the page's pool
 * @page:         page for which page_pool_unref_page() returned 0 to the caller
 * @allow_direct: as page_pool_put_page()
 *
 * Context: any thread. May take the ring's or the zone's lock.
 * Cost:    as page_pool_put_page().
 * Source:  page_pool_put_unrefed_page(). Differs: no dma_sync_size.
 */
void page_pool_put_unrefed_page(struct page_pool *pool, struct pp_page *page, bool allow_direct);

/**
 * page_pool_trim() - take from a pool what it keeps, from outside
 * @pool:       pool
 * @keep:       pages that may stay
 * @timeout_us: how long to wait for an owner in the middle of a call, us
 *
 * Ring and alloc cache go to the zone, the coldest pages first; the reserve stays. The owner is
 * not asked and does not wait: while another thread is at its cache it goes to the zone. A zone
 * that has nothing left does this to all its pools before an allocation fails.
 *
 * Context: any thread, but not a signal handler. Interrupts the CPUs that this process runs on
 *          for a moment (membarrier), unless the pool is PAGE_POOL_ISOLATED or the caller's own.
 * Cost:    about 2 us and 30 cycles a page; nothing for the owner, see `ppbench page_pool`.
 * Return:  pages moved; with a sentence in pp_error(): -ETIMEDOUT: the owner is stopped in the
 *          middle of a call, or another thread is trimming; -EDEADLK: by a handler that interrupted
 *          the owner; -ENOTSUP: membarrier fails.
 * Source:  none: the kernel cannot drain a pool from outside.
 */
long page_pool_trim(struct page_pool *pool, unsigned int keep, unsigned int timeout_us);

/** PP_HOLDER_AGES - classes of age: below 1 ms, 10 ms, 100 ms, 1 s, 10 s, 100 s, and above */
#define PP_HOLDER_AGES 7

/**
 * page_pool_holders_enable() - remember the takers of pages, from now on, or stop that
 * @pool: pool
 * @on:   remember
 *
 * Thread, place and time of each allocation, 24 bytes a page in a table beside the zone's pages.
 *
 * Context: any thread.
 * Cost:    off: none. On: a clock and three stores a page. Switching on maps the table, and walks
 *          the zone's page table.
 * Return:  0; with a sentence in pp_error(): -ENOMEM: for the table; -ENOTSUP: a pool of a
 *          provider.
 * Source:  none in the kernel, where drgn scripts are the answer.
 */
int page_pool_holders_enable(struct page_pool *pool, bool on);

/**
 * page_pool_holders() - the holders of the pool's pages
 * @pool: pool with tags on
 * @out:  out: the oldest @n, oldest first
 * @n:    room in @out, 0 or more
 * @ages: out: pages in each class of age; NULL: not wanted
 *
 * Pages that were taken before the tags were switched on are not listed.
 *
 * Context: any thread.
 * Cost:    a walk of the zone's page table.
 * Return:  entries written, 0 .. @n.
 * Source:  none in the kernel, where drgn scripts are the answer.
 */
unsigned int page_pool_holders(const struct page_pool *pool, struct pp_holder *out, unsigned int n,
			       uint64_t ages[PP_HOLDER_AGES]);

/**
 * pp_holder_site() - a holder's place as text: function+offset, or file+offset
 * @holder: holder
 * @buffer: out: the text, cut at @size
 * @size:   bytes of @buffer
 *
 * Context: any thread; not from signal handlers.
 * Cost:    a search of the symbols that the program exports.
 * Return:  @buffer: "unknown" if there is no place, and the address if it is in no file.
 * Source:  printk()'s %pS.
 */
const char *pp_holder_site(const struct pp_holder *holder, char *buffer, size_t size);

/**
 * page_pool_inflight() - pages taken from the zone and not given back
 * @pool: pool
 *
 * Counts the pages in cache and ring too, as the kernel does.
 *
 * Context: any thread; a racy gauge unless the pool is quiet.
 * Cost:    two loads.
 * Return:  pages, 0 or more.
 * Source:  page_pool_inflight(). Differs: 64 bits.
 */
int64_t page_pool_inflight(const struct page_pool *pool);

/**
 * page_pool_name() - name given at creation
 * @pool: pool
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  the name, until the pool is destroyed.
 * Source:  none.
 */
const char *page_pool_name(const struct page_pool *pool);

/**
 * page_pool_zone() - zone that the pool takes pages from
 * @pool: pool
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the zone; over a set: any one of it; NULL: the pool has a provider.
 * Source:  none.
 */
struct pp_zone *page_pool_zone(const struct page_pool *pool);

/**
 * page_pool_zone_set() - set that the pool takes pages from
 * @pool: pool
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the set; NULL: the pool has one zone, or a provider.
 * Source:  none.
 */
struct pp_zone_set *page_pool_zone_set(const struct page_pool *pool);

/**
 * page_pool_get_stats() - read a pool's counters
 * @pool:  pool
 * @stats: out; sz set by the caller
 *
 * Context: any thread; not from signal handlers. Takes the ring's lock.
 * Cost:    nothing for the owner; up to 1000 looks if it never rests, while the ring's producers
 *          wait for up to 20 of them.
 * Return:  0; -E2BIG if stats->sz is larger than the library's, or was not set, with a sentence in
 *          pp_error().
 * Source:  page_pool_get_stats(). Differs: writes, where the kernel adds.
 */
int page_pool_get_stats(struct page_pool *pool, struct page_pool_stats *stats);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_PAGE_POOL_H */
