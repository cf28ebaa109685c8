/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/turn.c - the owner of a pool that is special */
#include "pool/source.h"
#include "pool/turn.h"

/* What the cache has is of another node than is preferred now. */
static void __coldpath flush_stale(struct page_pool *pool)
{
	__atomic_and_fetch(&pool->special, ~POOL_STALE, __ATOMIC_RELAXED);
	pool_release_array(pool, pool->cache, &pool->count);
}

uint32_t __coldpath pool_enter_special(struct page_pool *pool)
{
	if (turn_begin_any(pool)) {
		if (unlikely(READ_ONCE(pool->special) & POOL_STALE))
			flush_stale(pool);
		return pool->turn;
	}
	turn_end(pool);
	return 0;
}
