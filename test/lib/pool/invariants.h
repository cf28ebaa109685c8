/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * invariants.h - what the tests of the 18 invariants share: a look into a pool
 *
 * For programs that are linked with the library's objects.
 */
#ifndef PP_TEST_INVARIANTS_H
#define PP_TEST_INVARIANTS_H

#include "pool/page_pool.h"
#include "pool/pool_fixture.h"

#define U32_WRAP ((uint64_t)1 << 32)
#define THE_END	 ((uint64_t)1 << 63) /* what an ended pool counts up to */

/* A pool that has nothing may have come by that in any number of steps. */
static inline void counters_begin_at(struct page_pool *pool, uint64_t at)
{
	require(pool->hold == pool->release);
	pool->hold = at;
	pool->release = at;
	pool->fast = 4 * at; /* whatever was taken came home, in one of four ways */
	pool->cached = at;
	pool->released_ref = at;
	pool->ring.produced = at;
	pool->ring.refused = at;
}

/* The ring's indices have 32 bits and run freely, so these do wrap. */
static inline void ring_begins_at(struct page_pool *pool, uint32_t at)
{
	require(!ring_count(&pool->ring));
	pool->ring.head = pool->ring.tail = at;
	pool->ring.head_seen = pool->ring.tail_seen = at;
}

/* Every page that waits in the pool; how many. */
static inline unsigned int pages_at_home(const struct page_pool *pool, const struct pp_page **pages)
{
	uint32_t i, n = 0;

	for (i = 0; i < pool->count; i++)
		pages[n++] = pool->cache[i];
	for (i = pool->ring.head; i != pool->ring.tail; i++)
		pages[n++] = pool->ring.slot[i & (pool->ring.size - 1)];
	return n;
}

#endif /* PP_TEST_INVARIANTS_H */
