/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/alloc.c - one owner allocates from an array without a lock
 *
 * The life of a page: zone -> cache -> user -> cache (the owner returned it) or ring
 * (another thread did) -> cache -> user ..., and to the zone when a ring is full,
 * another user still holds the page, the pool is trimmed, or it ends.
 */
#include <pagepool/memory.h>
#include <pagepool/page_pool.h>

#include "base/fault.h"
#include "pool/page_pool.h"
#include "zone/home.h"

/* ---- allocation ------------------------------------------------------------------------------ */

/*
 * Fill the empty cache from the ring with pages of the preferred node. The first of
 * another stops it, or, if they are to be flushed, goes like all that follow.
 */
static __noinline unsigned int consume_near(struct page_pool *pool)
{
	const struct pp_zone *near = *fallback_row(pool->p.set, pool->nid);
	struct pp_page *foreign;
	unsigned int n = 0;

	do {
		n += ring_consume_of(&pool->ring, near, (void **)pool->cache + n,
				     pool->p.refill - n, &foreign);
		if (!foreign)
			break;
		count_add(pool->waived, 1);
		pool_release_pages(pool, &foreign, 1);
	} while (pool->p.numa == PP_NUMA_FLUSH && n < pool->p.refill);
	return n;
}

/* Fill the empty cache from the ring, in a turn; pages. */
static __always_inline unsigned int consume_ring(struct page_pool *pool, bool any_node)
{
	unsigned int n;

	if (unlikely(pool->p.set) && pool->p.numa != PP_NUMA_KEEP && !any_node)
		n = consume_near(pool);
	else
		n = ring_consume(&pool->ring, (void **)pool->cache, pool->p.refill);
	fetch_pages(pool->cache, n);
	WRITE_ONCE(pool->count, n);
	count_add(pool->refilled, !!n);
	return n;
}

/* In a turn: @n pages came. */
static void count_held(struct page_pool *pool, unsigned int n)
{
	uint64_t inflight = pool->hold + n - READ_ONCE(pool->release);

	count_add(pool->hold, n);
	if (pool->p.order)
		count_add(pool->slow_ho, !!n);
	else
		count_add(pool->slow, !!n);
	if (inflight > pool->inflight_max)
		WRITE_ONCE(pool->inflight_max, inflight);
}

/*
 * In a turn: what the zone gave, first for the reserve, then for the cache. That is empty,
 * unless a provider or a callback made the owner return pages meanwhile; there is room.
 */
static void keep_pages(struct page_pool *pool, struct pp_page **came, unsigned int n)
{
	while (unlikely(pool->reserved < pool->p.reserve) && n > 1) {
		pool->reserve[pool->reserved] = came[--n];
		WRITE_ONCE(pool->reserved, pool->reserved + 1);
	}
	memcpy(pool->cache + pool->count, came, n * sizeof(*came));
	WRITE_ONCE(pool->count, pool->count + n);
}

/* What the cache has no room for any more; only the owner fills it, so there is no less later. */
static __coldpath unsigned int give_excess(struct page_pool *pool, struct pp_page **came,
					   unsigned int n)
{
	unsigned int room = pool->p.cache_size - READ_ONCE(pool->count);

	turn_begin(pool);
	count_add(pool->hold, n - room);
	turn_end(pool);
	pool_release_pages(pool, came + room, n - room);
	return room;
}

/* Call pressure() once each time that the pages available fall below low_water. */
static __coldpath void check_pressure(struct page_pool *pool)
{
	uint64_t available;

	if (!pool->p.low_water)
		return;
	available = pool_available(pool);
	if (available >= pool->p.low_water) {
		pool->low = false;
	} else if (!pool->low) {
		pool->low = true;
		pool->p.pressure(pool->p.pressure_arg, pool, available);
	}
}

/* Another thread has cache and ring: go around them. */
static __coldpath unsigned int alloc_around(struct page_pool *pool, struct pp_page **pages,
					    unsigned int n)
{
	unsigned int got = n ? pool_take(pool, pages, n, n) : 0;

	turn_begin(pool);
	count_held(pool, got);
	count_add(pool->fast, got - !!got);
	count_add(pool->failures, got < n);
	turn_end(pool);
	check_pressure(pool);
	return got;
}

/* What a refill of the empty cache came to. */
enum refilled {
	REFILLED, /* the cache has pages; still in the turn */
	EMPTY, /* there are none; still in the turn */
	CLOSED, /* another thread has the cache; the turn is over */
};

/* Closed: of the @n pages that came the caller gets what it lacks, and the zone the rest. */
static unsigned int keep_own(struct page_pool *pool, struct pp_page **pages, unsigned int lacks,
			     struct pp_page **came, unsigned int n)
{
	unsigned int k = min(n, lacks);

	count_held(pool, n);
	turn_end(pool);
	memcpy(pages, came, k * sizeof(*pages));
	if (k < n)
		pool_release_pages(pool, came + k, n - k);
	pool_taken(pool);
	return k;
}

/*
 * Refill the empty cache: from the ring, else from the zone, in one batch; zone/take.c has the
 * order inside the zone. Called in a turn. CLOSED: *@got pages of the @lacks wanted are in @pages.
 */
static enum refilled refill_cache(struct page_pool *pool, struct pp_page **pages,
				  unsigned int lacks, unsigned int *got)
{
	struct pp_page *came[PP_BULK_MAX];
	uint64_t waived = pool->waived;
	unsigned int n;

	if (consume_ring(pool, false))
		return REFILLED;
	count_add(pool->empty, waived == pool->waived);
	/* not in a turn: this may take long, and trim pools, even this one */
	turn_end(pool);
	n = pool_take(pool, came, min(lacks, pool->p.refill), pool->p.refill);
	if (unlikely(n > pool->p.cache_size - READ_ONCE(pool->count)))
		n = give_excess(pool, came, n);
	if (unlikely(!turn_begin_any(pool))) {
		*got = keep_own(pool, pages, lacks, came, n);
		return CLOSED;
	}
	count_held(pool, n);
	if (likely(n))
		keep_pages(pool, came, n);
	else if (unlikely(pool->count))
		count_add(pool->fast, 1); /* returned meanwhile: it took no refill */
	/* no node has any: what was not waived yet is better than nothing */
	else if (pool->p.set && !(pool->p.set->flags & PP_ZONE_SET_STRICT))
		consume_ring(pool, true);
	pool_taken(pool);
	return pool->count ? REFILLED : EMPTY;
}

/* In a turn: from the cache to the caller; pages. */
static unsigned int pop_cache(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	n = min(n, pool->count);
	WRITE_ONCE(pool->count, pool->count - n);
	memcpy(pages, pool->cache + pool->count, n * sizeof(*pages));
	return n;
}

/* In a turn, which it ends. */
static __noinline unsigned int alloc_refill(struct page_pool *pool, struct pp_page **pages,
					    unsigned int n)
{
	unsigned int got = pop_cache(pool, pages, n), refills = 0, k;
	enum refilled what = REFILLED;

	while (got < n && what == REFILLED) {
		what = refill_cache(pool, pages + got, n - got, &k);
		if (likely(what != CLOSED))
			k = pop_cache(pool, pages + got, n - got);
		refills += !!k;
		got += k;
	}
	if (unlikely(what == CLOSED))
		turn_begin(pool); /* for the counters alone */
	count_add(pool->failures, what == EMPTY);
	/* as the kernel counts: the page that made us refill is not a fast one */
	count_add(pool->fast, got - refills);
	turn_end(pool);
	if (unlikely(what == CLOSED && got < n))
		return got + alloc_around(pool, pages + got, n - got);
	if (refills || what == EMPTY)
		check_pressure(pool);
	return got;
}

/* In @turn, which it ends. */
static __always_inline unsigned int alloc_inside(struct page_pool *pool, uint32_t turn,
						 struct pp_page **pages, unsigned int n)
{
	unsigned int count = pool->count;

	if (unlikely(count < n))
		return alloc_refill(pool, pages, n);
	count -= n;
	WRITE_ONCE(pool->count, count);
	copy_objs((void **)pages, (void **)pool->cache + count, n);
	count_add(pool->fast, n);
	turn_end_of(pool, turn);
	return n;
}

/* How many pages max_outstanding leaves of @n; a trim's on their way are not users'. */
static unsigned int within_limit(struct page_pool *pool, unsigned int n)
{
	uint64_t out = pool_outstanding(pool);

	if (out + n <= pool->p.max_outstanding)
		return n;
	turn_begin(pool);
	count_add(pool->limited, 1);
	turn_end(pool);
	return out < pool->p.max_outstanding ? (unsigned int)(pool->p.max_outstanding - out) : 0;
}

/* The pool has reasons to leave the fast path: each of them is looked at. */
static __coldpath unsigned int alloc_slow(struct page_pool *pool, struct pp_page **pages,
					  unsigned int n, const void *site)
{
	unsigned int reasons = READ_ONCE(pool->slow_reasons);
	uint32_t turn;

	if ((reasons & POOL_FAULT) && n && fault_hit(FAULT_PAGE_POOL_ALLOC)) {
		turn_begin(pool);
		count_add(pool->failures, 1);
		turn_end(pool);
		return 0;
	}
	if (reasons & POOL_LIMITED)
		n = within_limit(pool, n);
	turn = pool_enter_slow(pool);
	n = turn ? alloc_inside(pool, turn, pages, n) : alloc_around(pool, pages, n);
	if (reasons & POOL_HOLDERS)
		pool_tag(pages, n, site);
	return n;
}

static __always_inline void prep_pages(struct pp_page **pages, unsigned int n,
				       const struct page_fresh *fresh)
{
	for (; n >= 4; n -= 4, pages += 4) {
		page_prep(pages[0], fresh);
		page_prep(pages[1], fresh);
		page_prep(pages[2], fresh);
		page_prep(pages[3], fresh);
	}
	while (n--)
		page_prep(*pages++, fresh);
}

static __always_inline unsigned int alloc_prepared(struct page_pool *pool, struct pp_page **pages,
						   unsigned int n, const void *site)
{
	const struct page_fresh fresh = pool->fresh; /* a copy: the stores might alias */
	uint32_t turn;

	BUG_ON(!pool_is_mine(pool), pool);
	turn = pool_enter(pool);
	if (likely(turn))
		n = alloc_inside(pool, turn, pages, n);
	else
		n = alloc_slow(pool, pages, n, site);
	unpoison_pages(pages, n);
	prep_pages(pages, n, &fresh);
	return n;
}

unsigned int page_pool_alloc_bulk(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	return alloc_prepared(pool, pages, n, __builtin_return_address(0));
}

/* @inside: in a turn, which it ends, with an empty cache; else the pool has slow reasons. */
static __noinline struct pp_page *alloc_page_slow(struct page_pool *pool, bool inside,
						  const void *site)
{
	struct pp_page *page;

	if (!(inside ? alloc_refill(pool, &page, 1) : alloc_slow(pool, &page, 1, site)))
		return NULL;
	unpoison_pages(&page, 1);
	page_prep(page, &pool->fresh);
	return page;
}

/* As alloc_prepared() of one; its address never goes through memory of the caller's. */
struct pp_page *page_pool_alloc_pages(struct page_pool *pool)
{
	struct pp_page *page;
	unsigned int count;
	uint32_t turn;

	BUG_ON(!pool_is_mine(pool), pool);
	turn = pool_enter(pool);
	if (unlikely(!turn))
		return alloc_page_slow(pool, false, __builtin_return_address(0));
	count = pool->count;
	if (unlikely(!count))
		return alloc_page_slow(pool, true, __builtin_return_address(0));
	WRITE_ONCE(pool->count, count - 1);
	page = pool->cache[count - 1];
	count_add(pool->fast, 1);
	turn_end_of(pool, turn);
	unpoison_pages(&page, 1);
	page_prep(page, &pool->fresh);
	return page;
}

unsigned int page_pool_alloc_reserve_bulk(struct page_pool *pool, struct pp_page **pages,
					  unsigned int n)
{
	const void *site = __builtin_return_address(0);
	unsigned int got = alloc_prepared(pool, pages, n, site), k, i;

	if (likely(got == n))
		return got;
	turn_begin(pool);
	k = min(n - got, pool->reserved);
	WRITE_ONCE(pool->reserved, pool->reserved - k);
	memcpy(pages + got, pool->reserve + pool->reserved, k * sizeof(*pages));
	count_add(pool->from_reserve, k);
	turn_end(pool);
	unpoison_pages(pages + got, k);
	for (i = got; i < got + k; i++)
		page_prep(pages[i], &pool->fresh);
	if (READ_ONCE(pool->slow_reasons) & POOL_HOLDERS)
		pool_tag(pages + got, k, site);
	return got + k;
}
