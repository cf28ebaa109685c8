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

#include <pagepool/page_pool.h>

#include "ring.h"
#include "zone.h"

#define CACHE_SIZE_DEFAULT 128u /* two refills: room for what the owner recycles on top of one */
#define REFILL_DEFAULT	   64u /* one NAPI budget */
#define RING_SIZE_DEFAULT  1024u
#define CACHE_SIZE_MAX	   4096u
#define RING_SIZE_MAX	   16384u

/* Set in the release counter when the pool has ended: its last page then brings it to this. */
#define POOL_ENDED ((uint64_t)1 << 63)

/* No thread has this number. */
#define NO_OWNER 0

/*
 * hold - release == cache + ring + outstanding, where hold counts the pages taken
 * from the zone, and release those given back.
 */
struct page_pool {
	/* read mostly */
	struct pp_zone *zone;
	uint64_t owner; /* pp_self() of the owner; atomic */
	uint32_t cache_size;
	uint32_t refill;
	struct page_fresh fresh;
	char name[32];

	/* by anybody, rarely */
	uint64_t release __line_aligned; /* atomic */
	uint64_t released_ref;
	uint64_t wrong_owner;

	struct pp_ring ring;

	/* the owner's */
	uint32_t count __line_aligned;
	uint64_t hold;
	uint64_t fast;
	uint64_t slow;
	uint64_t empty;
	uint64_t refilled;
	uint64_t failures;
	uint64_t cached;
	uint64_t cache_full;
	struct pp_page *cache[] __line_aligned; /* coldest first */
};

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
	if (!p->zone)
		return pp_set_error(EINVAL, "zone: a pool needs one");
	if (p->pool_size < 2 || p->pool_size > RING_SIZE_MAX || (p->pool_size & (p->pool_size - 1)))
		return pp_set_error(EINVAL, "ring: %u is not a power of two in 2 .. %u",
				    p->pool_size, RING_SIZE_MAX);
	if (p->cache_size > CACHE_SIZE_MAX)
		return pp_set_error(EINVAL, "cache: %u is not in 1 .. %u", p->cache_size,
				    CACHE_SIZE_MAX);
	if (p->refill > p->cache_size || p->refill > PP_BULK_MAX)
		return pp_set_error(EINVAL, "refill: %u is above the cache %u, or above %u",
				    p->refill, p->cache_size, PP_BULK_MAX);
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
	pool->zone = p.zone;
	pool->owner = pp_self();
	pool->cache_size = p.cache_size;
	pool->refill = p.refill;
	pool->fresh = p.zone->fresh;
	snprintf(pool->name, sizeof(pool->name), "%s", p.name ? p.name : "pool");
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
	pp_zone_free_bulk(pool->zone, pages, n);
	pool_released(pool, n);
}

void page_pool_destroy(struct page_pool *pool)
{
	struct pp_page *pages[64];
	unsigned int n;

	if (!pool)
		return;
	/* from here nothing recycles: not the owner's returns, nor, after the close, anybody's */
	WRITE_ONCE(pool->owner, NO_OWNER);
	ring_close(&pool->ring);
	while (pool->count) {
		n = min(pool->count, PP_BULK_MAX);
		pool->count -= n;
		release_pages(pool, pool->cache + pool->count, n);
	}
	while ((n = ring_consume(&pool->ring, (void **)pages, 64)))
		release_pages(pool, pages, n);
	/* release counts from -outstanding now; whoever brings it to POOL_ENDED is the last */
	pool_released(pool, POOL_ENDED - pool->hold);
}

/* ---- allocation ------------------------------------------------------------------------------ */

/*
 * Refill the empty cache: from the ring, else from the zone, in one batch. The
 * page_pool's own order; what follows inside the zone is zone.c's.
 */
static unsigned int refill_cache(struct page_pool *pool)
{
	unsigned int n = ring_consume(&pool->ring, (void **)pool->cache, pool->refill), i;

	if (n) {
		count_add(pool->refilled, 1);
		goto out;
	}
	count_add(pool->empty, 1);
	n = zone_take(pool->zone, (void **)pool->cache, pool->refill);
	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		pool->cache[i]->pool = pool;
	count_add(pool->hold, n);
	count_add(pool->slow, 1);
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

/* ---- looking inside -------------------------------------------------------------------------- */

int64_t page_pool_inflight(const struct page_pool *pool)
{
	return (int64_t)(READ_ONCE(pool->hold) - READ_ONCE(pool->release));
}

const char *page_pool_name(const struct page_pool *pool)
{
	return pool->name;
}

struct pp_zone *page_pool_zone(const struct page_pool *pool)
{
	return pool->zone;
}

int page_pool_get_stats(struct page_pool *pool, struct page_pool_stats *stats)
{
	struct page_pool_stats s = {
		.alloc_fast = READ_ONCE(pool->fast),
		.alloc_slow = READ_ONCE(pool->slow),
		.alloc_empty = READ_ONCE(pool->empty),
		.alloc_refill = READ_ONCE(pool->refilled),
		.recycle_cached = READ_ONCE(pool->cached),
		.recycle_cache_full = READ_ONCE(pool->cache_full),
		.recycle_ring = READ_ONCE(pool->ring.produced),
		.recycle_ring_full = READ_ONCE(pool->ring.refused),
		.recycle_released_ref = READ_ONCE(pool->released_ref),
		.alloc_failures = READ_ONCE(pool->failures),
		.wrong_owner = READ_ONCE(pool->wrong_owner),
		.cache = READ_ONCE(pool->count),
		.ring = ring_count(&pool->ring),
	};
	int64_t out = page_pool_inflight(pool) - (int64_t)(s.cache + s.ring);

	s.outstanding = (uint64_t)max(out, (int64_t)0);
	return stats_copy(stats, &s, sizeof(s));
}
