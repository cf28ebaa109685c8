/* SPDX-License-Identifier: BSD-3-Clause */
/* page_pool_info.c - what a pool tells about itself: accessors, counters */
#include "page_pool.h"

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

int page_pool_nid(const struct page_pool *pool)
{
	return READ_ONCE(pool->nid);
}

struct pp_zone_set *page_pool_zone_set(const struct page_pool *pool)
{
	return pool->set;
}

int page_pool_get_stats(struct page_pool *pool, struct page_pool_stats *stats)
{
	struct page_pool_stats s = {
		.alloc_fast = READ_ONCE(pool->fast),
		.alloc_slow = READ_ONCE(pool->slow),
		.alloc_slow_ho = READ_ONCE(pool->slow_ho),
		.alloc_empty = READ_ONCE(pool->empty),
		.alloc_refill = READ_ONCE(pool->refilled),
		.alloc_waive = READ_ONCE(pool->waived),
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
