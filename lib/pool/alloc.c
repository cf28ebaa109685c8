/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/alloc.c - one owner allocates from an array without a lock
 *
 * The life of a page: zone -> cache -> user -> cache (the owner returned it) or ring
 * (anybody else did) -> cache -> user ..., and to the zone when a ring is full,
 * somebody else still holds the page, the pool is trimmed, or it ends.
 */
#include <pagepool/memory.h>
#include <pagepool/page_pool.h>

#include "base/fault.h"
#include "pool/holders.h"
#include "pool/info.h"
#include "pool/source.h"
#include "pool/turn.h"
#include "zone/home.h"
#include "base/probes.h"

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
		pool_release_pages(pool, &foreign, 1);
	} while (pool->numa == PP_NUMA_FLUSH && n < pool->refill);
	return n;
}

/* Fill the empty cache from the ring, in a turn; pages. */
static __always_inline unsigned int consume(struct page_pool *pool, bool any_node)
{
	unsigned int n;

	if (unlikely(pool->set) && pool->numa != PP_NUMA_KEEP && !any_node)
		n = consume_near(pool);
	else
		n = ring_consume(&pool->ring, (void **)pool->cache, pool->refill);
	WRITE_ONCE(pool->count, n);
	count_add(pool->refilled, !!n);
	return n;
}

/* In a turn: @n pages came. */
static void count_held(struct page_pool *pool, unsigned int n)
{
	uint64_t inflight = pool->hold + n - READ_ONCE(pool->release);

	count_add(pool->hold, n);
	if (pool->order)
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
static void keep(struct page_pool *pool, struct pp_page **fresh, unsigned int n)
{
	while (unlikely(pool->reserved < pool->reserve_size) && n > 1) {
		pool->reserve[pool->reserved] = fresh[--n];
		WRITE_ONCE(pool->reserved, pool->reserved + 1);
	}
	memcpy(pool->cache + pool->count, fresh, n * sizeof(*fresh));
	WRITE_ONCE(pool->count, pool->count + n);
}

/* What the cache has no room for any more; only the owner fills it, so there is no less later. */
static __coldpath unsigned int give_excess(struct page_pool *pool, struct pp_page **fresh,
					   unsigned int n)
{
	unsigned int room = pool->cache_size - READ_ONCE(pool->count);

	turn_begin(pool);
	count_add(pool->hold, n - room);
	turn_end(pool);
	pool_release_pages(pool, fresh + room, n - room);
	return room;
}

/* The callback of who wants to know that little is left: once, until there is more again. */
static __coldpath void check_pressure(struct page_pool *pool)
{
	uint64_t available;

	if (!pool->low_water)
		return;
	available = pool_available(pool);
	if (available >= pool->low_water) {
		pool->low = false;
	} else if (!pool->low) {
		pool->low = true;
		pool->pressure(pool->pressure_arg, pool, available);
	}
}

/* Cache and ring are somebody else's for the moment. */
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

/*
 * Refill the empty cache: from the ring, else from the zone, in one batch. The
 * page_pool's own order; what follows inside the zone is zone.c's. Called in a turn.
 * 1: there are pages, still in it; 0: there are none, still in it; -1: the turn is over,
 * somebody else came; what was taken is in @pages, @*n of at most that many.
 */
static int refill_cache(struct page_pool *pool, struct pp_page **pages, unsigned int *n)
{
	struct pp_page *fresh[PP_BULK_MAX];
	uint64_t waived = pool->waived;
	unsigned int got, k;

	if (consume(pool, false))
		return 1;
	count_add(pool->empty, waived == pool->waived);
	/* not in a turn: this may take long, and trim pools, even this one */
	turn_end(pool);
	got = pool_take(pool, fresh, min(*n, pool->refill), pool->refill);
	if (unlikely(got > pool->cache_size - READ_ONCE(pool->count)))
		got = give_excess(pool, fresh, got);
	if (likely(turn_begin_any(pool))) {
		count_held(pool, got);
		if (likely(got))
			keep(pool, fresh, got);
		else if (unlikely(pool->count))
			count_add(pool->fast, 1); /* returned meanwhile: it took no refill */
		/* no node has any: what was not waived yet is better than nothing */
		else if (pool->set && !(pool->set->flags & PP_ZONE_SET_STRICT))
			consume(pool, true);
		pool_taken(pool);
		return !!pool->count;
	}
	count_held(pool, got);
	turn_end(pool);
	k = min(got, *n);
	memcpy(pages, fresh, k * sizeof(*pages));
	if (k < got)
		pool_release_pages(pool, fresh + k, got - k);
	pool_taken(pool);
	*n = k;
	return -1;
}

/* In a turn, which it ends. */
static __noinline unsigned int alloc_refill(struct page_pool *pool, struct pp_page **pages,
					    unsigned int n)
{
	unsigned int got = 0, refills = 0, k;
	int more = 1;

	for (;;) {
		k = min(n - got, pool->count);
		WRITE_ONCE(pool->count, pool->count - k);
		memcpy(pages + got, pool->cache + pool->count, k * sizeof(*pages));
		got += k;
		if (got == n)
			break;
		k = n - got;
		more = refill_cache(pool, pages + got, &k);
		if (more < 0)
			goto closed;
		if (!more) {
			count_add(pool->failures, 1);
			break;
		}
		refills++;
	}
	/* as the kernel counts: the page that made us refill is not a fast one */
	count_add(pool->fast, got - refills);
	turn_end(pool);
	if (refills || !more)
		check_pressure(pool);
	return got;
closed:
	got += k;
	turn_begin(pool);
	count_add(pool->fast, got - refills - !!k);
	turn_end(pool);
	return got == n ? got : got + alloc_around(pool, pages + got, n - got);
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
static unsigned int allowed(struct page_pool *pool, unsigned int n)
{
	uint64_t out = pool_outstanding(pool);

	if (out + n <= pool->max_outstanding)
		return n;
	turn_begin(pool);
	count_add(pool->limited, 1);
	turn_end(pool);
	return out < pool->max_outstanding ? (unsigned int)(pool->max_outstanding - out) : 0;
}

/* On purpose. */
static __coldpath unsigned int alloc_failed(struct page_pool *pool)
{
	turn_begin(pool);
	count_add(pool->failures, 1);
	turn_end(pool);
	return 0;
}

static __coldpath unsigned int alloc_special(struct page_pool *pool, struct pp_page **pages,
					     unsigned int n, const void *site)
{
	unsigned int special = READ_ONCE(pool->special);
	uint32_t turn;

	if ((special & POOL_FAULT) && n && fault_hit(FAULT_PAGE_POOL_ALLOC))
		return alloc_failed(pool);
	if (special & POOL_LIMITED)
		n = allowed(pool, n);
	turn = pool_enter_special(pool);
	n = turn ? alloc_inside(pool, turn, pages, n) : alloc_around(pool, pages, n);
	if (special & POOL_HOLDERS)
		pool_tag(pages, n, site);
	return n;
}

static __always_inline unsigned int alloc(struct page_pool *pool, struct pp_page **pages,
					  unsigned int n, const void *site)
{
	const struct page_fresh fresh = pool->fresh; /* a copy: the stores might alias */
	unsigned int i;
	uint32_t turn;

	BUG_ON(!pool_is_mine(pool), pool);
	turn = pool_enter(pool);
	if (likely(turn))
		n = alloc_inside(pool, turn, pages, n);
	else
		n = alloc_special(pool, pages, n, site);
	unpoison_pages(pages, n);
	for (i = 0; i < n; i++)
		page_prep(pages[i], &fresh);
	return n;
}

unsigned int page_pool_alloc_bulk(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	return alloc(pool, pages, n, __builtin_return_address(0));
}

/* In a turn, which it ends, or not: the pool is special. */
static __noinline struct pp_page *alloc_page_slow(struct page_pool *pool, bool inside,
						  const void *site)
{
	struct pp_page *page;

	if (!(inside ? alloc_refill(pool, &page, 1) : alloc_special(pool, &page, 1, site)))
		return NULL;
	unpoison_pages(&page, 1);
	page_prep(page, &pool->fresh);
	return page;
}

/* As alloc() of one, whose address never goes through memory of the caller's. */
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
	unsigned int got = alloc(pool, pages, n, site), k, i;

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
	if (READ_ONCE(pool->special) & POOL_HOLDERS)
		pool_tag(pages + got, k, site);
	return got + k;
}
