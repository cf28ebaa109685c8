/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.c - one owner allocates from an array without a lock; anybody gives back
 *
 * The life of a page: zone -> cache -> user -> cache (the owner returned it) or ring
 * (anybody else did) -> cache -> user ..., and to the zone when a ring is full,
 * somebody else still holds the page, or the pool ends.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pagepool/memory.h>
#include <pagepool/page_pool.h>

#include "page_pool.h"
#include "registry.h"

#define CACHE_SIZE_DEFAULT 128u /* two refills: room for what the owner recycles on top of one */
#define REFILL_DEFAULT	   64u /* one NAPI budget */
#define RING_SIZE_DEFAULT  1024u
#define CACHE_SIZE_MAX	   4096u
#define RING_SIZE_MAX	   16384u

/* A number that no other thread of this process ever had, unlike a thread id or an address. */
static __always_inline uint64_t pp_self(void)
{
	static __thread uint64_t self;
	static uint64_t last;

	if (unlikely(!self))
		self = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	return self;
}

/* ---- creation -------------------------------------------------------------------------------- */

static int check_params(const struct page_pool_params *p)
{
	if (!p->zone == !p->set)
		return pp_set_error(EINVAL, "zone, set: a pool needs one of them");
	if ((unsigned int)p->numa > PP_NUMA_FLUSH)
		return pp_set_error(EINVAL, "numa: %u is no choice", (unsigned int)p->numa);
	if (p->set && (p->node < 0 || p->node > p->set->rows))
		return pp_set_error(EINVAL, "node: %d is not one of the set's", p->node - 1);
	if (p->pool_size < 2 || p->pool_size > RING_SIZE_MAX || (p->pool_size & (p->pool_size - 1)))
		return pp_set_error(EINVAL, "ring: %u is not a power of two in 2 .. %u",
				    p->pool_size, RING_SIZE_MAX);
	if (p->cache_size > CACHE_SIZE_MAX)
		return pp_set_error(EINVAL, "cache: %u is not in 1 .. %u", p->cache_size,
				    CACHE_SIZE_MAX);
	if (p->refill > p->cache_size || p->refill > PP_BULK_MAX)
		return pp_set_error(EINVAL, "refill: %u is above the cache %u, or above %u",
				    p->refill, p->cache_size, PP_BULK_MAX);
	if (p->order && p->set)
		return pp_set_error(EINVAL, "order: a pool of runs takes them from one zone");
	if (p->order &&
	    (p->order > PP_ORDER_MAX || (uint64_t)1 << p->order > pp_zone_block_pages(p->zone)))
		return pp_set_error(EINVAL, "order: %u is above %u, or more than a block of 2 MiB",
				    p->order, PP_ORDER_MAX);
	return 0;
}

struct page_pool *page_pool_create(const struct page_pool_params *params)
{
	struct page_pool_params p;
	struct page_pool *pool;
	size_t size;

	if (params_copy(&p, sizeof(p), params))
		return NULL;
	p.pool_size = p.pool_size ? p.pool_size : RING_SIZE_DEFAULT;
	p.cache_size = p.cache_size ? p.cache_size : max(p.refill, CACHE_SIZE_DEFAULT);
	p.refill = p.refill ? p.refill : min(REFILL_DEFAULT, max(p.cache_size / 2, 1u));
	if (check_params(&p))
		return NULL;

	size = sizeof(*pool) + p.cache_size * sizeof(pool->cache[0]);
	size = (size + PP_LINES - 1) & ~(size_t)(PP_LINES - 1);
	pool = aligned_alloc(PP_LINES, size);
	if (!pool) {
		pp_set_error(ENOMEM, "no memory for a pool with a cache of %u pages", p.cache_size);
		return NULL;
	}
	memset(pool, 0, size);
	if (ring_init(&pool->ring, p.pool_size)) {
		free(pool);
		errno = ENOMEM;
		return NULL;
	}
	pool->set = p.set;
	pool->zone = p.set ? p.set->order[0] : p.zone;
	pool->nid = p.set ? p.node - 1 : PP_NODE_ANY;
	pool->numa = p.numa;
	pool->owner = pp_self();
	pool->cache_size = p.cache_size;
	pool->refill = p.refill;
	pool->order = p.order;
	pool->fresh = pool->zone->fresh;
	snprintf(pool->name, sizeof(pool->name), "%s", p.name ? p.name : "pool");
	registry_add_pool(pool);
	return pool;
}

/* ---- back to the zone ------------------------------------------------------------------------ */

static void pool_free(struct page_pool *pool)
{
	ring_fini(&pool->ring);
	free(pool);
}

/* The last of an ended pool's pages is home: nobody else can know the pool any more. */
static void pool_released(struct page_pool *pool, uint64_t n)
{
	/* release: our accesses come before the free; acquire: so do all the others' */
	if (unlikely(__atomic_add_fetch(&pool->release, n, __ATOMIC_ACQ_REL) == POOL_ENDED))
		pool_free(pool);
}

/* Pages leave the pool. Nothing of @pool may be touched afterwards: it may be gone. */
static void release_pages(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		pages[i]->pool = NULL;
	if (pool->set)
		pp_zone_set_free_bulk(pool->set, pages, n);
	else if (unlikely(pool->order))
		pp_zone_free_order_bulk(pool->zone, pages, n);
	else
		pp_zone_free_bulk(pool->zone, pages, n);
	pool_released(pool, n);
}

static void release_cache(struct page_pool *pool)
{
	unsigned int n;

	while (pool->count) {
		n = min(pool->count, PP_BULK_MAX);
		WRITE_ONCE(pool->count, pool->count - n);
		release_pages(pool, pool->cache + pool->count, n);
	}
}

void page_pool_destroy(struct page_pool *pool)
{
	struct pp_page *pages[64];
	unsigned int n;

	if (!pool)
		return;
	registry_del_pool(pool);
	/* from here nothing recycles: not the owner's returns, nor, after the close, anybody's */
	WRITE_ONCE(pool->owner, NO_OWNER);
	ring_close(&pool->ring);
	release_cache(pool);
	while ((n = ring_consume(&pool->ring, (void **)pages, 64)))
		release_pages(pool, pages, n);
	/* release counts from -outstanding now; whoever brings it to POOL_ENDED is the last */
	pool_released(pool, POOL_ENDED - pool->hold);
}

/* ---- allocation ------------------------------------------------------------------------------ */

/*
 * Fill the empty cache from the ring with pages of the preferred node. The first of
 * another stops it, or, if they are to be flushed, goes like all that follow.
 */
static __noinline unsigned int consume_near(struct page_pool *pool)
{
	const struct pp_zone *near = *zone_set_row(pool->set, pool->nid);
	struct pp_page *foreign;
	unsigned int n = 0;

	do {
		n += ring_consume_of(&pool->ring, near, (void **)pool->cache + n, pool->refill - n,
				     &foreign);
		if (!foreign)
			break;
		count_add(pool->waived, 1);
		release_pages(pool, &foreign, 1);
	} while (pool->numa == PP_NUMA_FLUSH && n < pool->refill);
	return n;
}

static __always_inline unsigned int consume(struct page_pool *pool)
{
	if (unlikely(pool->set) && pool->numa != PP_NUMA_KEEP)
		return consume_near(pool);
	return ring_consume(&pool->ring, (void **)pool->cache, pool->refill);
}

static __always_inline unsigned int take(struct page_pool *pool)
{
	if (unlikely(pool->set))
		return zone_set_take(pool->set, pool->nid, (void **)pool->cache, pool->refill);
	if (unlikely(pool->order))
		return zone_take_order(pool->zone, pool->order, (void **)pool->cache, pool->refill);
	return zone_take(pool->zone, (void **)pool->cache, pool->refill);
}

/*
 * Refill the empty cache: from the ring, else from the zone, in one batch. The
 * page_pool's own order; what follows inside the zone is zone.c's.
 */
static unsigned int refill_cache(struct page_pool *pool)
{
	uint64_t waived = pool->waived;
	unsigned int n = consume(pool), i;

	if (n) {
		count_add(pool->refilled, 1);
		goto out;
	}
	count_add(pool->empty, waived == pool->waived);
	n = take(pool);
	if (!n && pool->set && !(pool->set->flags & PP_ZONE_SET_STRICT)) {
		/* no node has any: what was not waived yet is better than nothing */
		n = ring_consume(&pool->ring, (void **)pool->cache, pool->refill);
		count_add(pool->refilled, !!n);
		goto out;
	}
	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		pool->cache[i]->pool = pool;
	count_add(pool->hold, n);
	count_add(*(pool->order ? &pool->slow_ho : &pool->slow), pool->order ? n : 1);
out:
	WRITE_ONCE(pool->count, n);
	return n;
}

static __noinline unsigned int alloc_refill(struct page_pool *pool, struct pp_page **pages,
					    unsigned int n)
{
	unsigned int got = 0, refills = 0, k;

	for (;;) {
		k = min(n - got, pool->count);
		WRITE_ONCE(pool->count, pool->count - k);
		memcpy(pages + got, pool->cache + pool->count, k * sizeof(*pages));
		got += k;
		if (got == n)
			break;
		if (!refill_cache(pool)) {
			count_add(pool->failures, 1);
			break;
		}
		refills++;
	}
	/* as the kernel counts: the page that made us refill is not a fast one */
	count_add(pool->fast, got - refills);
	return got;
}

unsigned int page_pool_alloc_bulk(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	const struct page_fresh fresh = pool->fresh; /* a copy: the stores might alias */
	unsigned int got = n, i;

	BUG_ON(READ_ONCE(pool->owner) != pp_self(), pool);
	if (likely(pool->count >= n)) {
		WRITE_ONCE(pool->count, pool->count - n);
		memcpy(pages, pool->cache + pool->count, n * sizeof(*pages));
		count_add(pool->fast, n);
	} else {
		got = alloc_refill(pool, pages, n);
	}
	for (i = 0; i < got; i++)
		page_prep(pages[i], &fresh);
	return got;
}

struct pp_page *page_pool_alloc_pages(struct page_pool *pool)
{
	struct pp_page *page;

	return page_pool_alloc_bulk(pool, &page, 1) ? page : NULL;
}

/* ---- return ---------------------------------------------------------------------------------- */

_Static_assert(offsetof(struct pp_page, pp_refs) == offsetof(struct pp_page, refs) + 4,
	       "both counts in one load");

/*
 * 0 if @page is of @pool, nobody else holds it, and all users of it are done: without
 * a branch, for a loop that ORs the answers of a burst (half the cost of one that
 * leaves at the first odd page).
 */
static __always_inline uint64_t page_is_odd(const struct pp_page *page,
					    const struct page_pool *pool)
{
	/* pairs with the release of whoever dropped the other references */
	return ((uintptr_t)page->pool ^ (uintptr_t)pool) |
	       (load_pair_acquire(&page->refs) ^ PAIR_OF_ONES);
}

static void recycle_in_ring(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	unsigned int k = ring_produce(&pool->ring, (void **)pages, n);

	if (unlikely(k < n))
		release_pages(pool, pages + k, n - k);
}

/* Every page is of @pool and sole. */
static __always_inline void recycle(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	unsigned int k;

	if (likely(READ_ONCE(pool->owner) == pp_self())) {
		k = min(n, pool->cache_size - pool->count);
		memcpy(pool->cache + pool->count, pages, k * sizeof(*pages));
		WRITE_ONCE(pool->count, pool->count + k);
		count_add(pool->cached, k);
		if (likely(k == n))
			return;
		count_add(pool->cache_full, n - k);
		pages += k;
		n -= k;
	}
	recycle_in_ring(pool, pages, n);
}

/*
 * Drop one of the pool's references, and what follows from it if the page must
 * not be recycled. True: it was the last one, and the page can be.
 */
static bool put_reference(struct pp_page *page)
{
	struct page_pool *pool = page->pool;
	int32_t left;

	if (!pool) {
		pp_page_put(page);
		return false;
	}
	/* the only reference needs no atomic; pairs with the decrements of the other users */
	if (load_acquire(&page->pp_refs) != 1) {
		left = __atomic_sub_fetch(&page->pp_refs, 1, __ATOMIC_ACQ_REL);
		BUG_ON(left < 0, page);
		if (left)
			return false;
		WRITE_ONCE(page->pp_refs, 1);
	}
	if (load_acquire(&page->refs) == 1)
		return true;
	/* somebody else holds the buffer: it leaves us, and goes home when they are done */
	page->pool = NULL;
	count_add_shared(pool->released_ref, 1);
	pp_page_put(page);
	pool_released(pool, 1);
	return false;
}

/* Pages of several pools, or with more than one reference: sorted out pool by pool. */
static __noinline void put_mixed(struct pp_page **pages, unsigned int n)
{
	struct pp_page *same[PP_BULK_MAX];
	struct page_pool *pool;
	unsigned int i, k, left = 0;

	for (i = 0; i < n; i++) {
		if (put_reference(pages[i]))
			pages[left++] = pages[i];
	}
	while (left) {
		pool = pages[0]->pool;
		n = left;
		for (i = left = k = 0; i < n; i++) {
			if (pages[i]->pool == pool)
				same[k++] = pages[i];
			else
				pages[left++] = pages[i];
		}
		recycle(pool, same, k);
	}
}

void page_pool_put_bulk(struct pp_page **pages, unsigned int n)
{
	struct page_pool *pool;
	uint64_t odd = 0;
	unsigned int i;

	if (unlikely(!n))
		return;
	pool = pages[0]->pool;
	for (i = 0; i < n; i++)
		odd |= page_is_odd(pages[i], pool);
	if (likely(!odd && pool))
		recycle(pool, pages, n);
	else
		put_mixed(pages, n);
}

static __coldpath void put_from_wrong_thread(struct page_pool *pool, struct pp_page *page)
{
	BUG_ON(true, page); /* allow_direct by a thread that is not the owner */
	count_add_shared(pool->wrong_owner, 1);
	page_pool_put_bulk(&page, 1);
}

void page_pool_put_page(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	BUG_ON(page->pool != pool, page);
	if (unlikely(allow_direct && READ_ONCE(pool->owner) != pp_self()))
		put_from_wrong_thread(pool, page);
	else
		page_pool_put_bulk(&page, 1);
}

void page_pool_enable_direct_recycling(struct page_pool *pool)
{
	WRITE_ONCE(pool->owner, pp_self());
}

void page_pool_disable_direct_recycling(struct page_pool *pool)
{
	WRITE_ONCE(pool->owner, NO_OWNER);
}

/* ---- the preferred node ---------------------------------------------------------------------- */

int page_pool_update_nid(struct page_pool *pool, int nid)
{
	if (!pool->set && nid != PP_NODE_ANY && nid != max(pool->zone->region.node, 0))
		return pp_set_error(EINVAL, "node: pool %s has one zone, and not on node %d",
				    pool->name, nid);
	if (!pool->set)
		return 0;
	if (nid < PP_NODE_ANY || nid >= pool->set->rows)
		return pp_set_error(EINVAL, "node: %d is not one of the set's", nid);
	BUG_ON(READ_ONCE(pool->owner) != pp_self(), pool);
	WRITE_ONCE(pool->nid, nid);
	if (pool->numa != PP_NUMA_KEEP)
		release_cache(pool);
	return 0;
}

void page_pool_nid_changed(struct page_pool *pool, int nid)
{
	if (unlikely(pool->nid != nid) && pool->set)
		page_pool_update_nid(pool, nid);
}
