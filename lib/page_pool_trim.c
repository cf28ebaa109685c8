/* SPDX-License-Identifier: BSD-3-Clause */
/* page_pool_trim.c - what a pool keeps is taken from outside, without the owner's doing */
#include <unistd.h>

#include "barrier.h"
#include "page_pool.h"

/* A turn is a few hundred cycles, unless the scheduler took the owner off its CPU. */
#define SPINS 200u

static int wait_for_turn(struct page_pool *pool, uint64_t deadline_ns)
{
	uint32_t turn = load_acquire(&pool->turn);
	unsigned int spins = 0;

	/* any later turn has seen that the pool is closed; pairs with the release in turn_end() */
	while ((turn & 1) && load_acquire(&pool->turn) == turn) {
		if (spins++ < SPINS) {
			cpu_relax();
			continue;
		}
		if (now_ns() >= deadline_ns)
			return pp_set_error(ETIMEDOUT,
					    "pool %s: its owner is in the middle of "
					    "something",
					    pool->name);
		usleep(20);
	}
	return 0;
}

static int close_locked(struct page_pool *pool, uint64_t deadline_ns)
{
	uint32_t special = __atomic_or_fetch(&pool->special, POOL_CLOSED, __ATOMIC_SEQ_CST);

	if (pool_is_mine(pool))
		return pool->turn & 1 ? pp_set_error(EDEADLK, "pool %s: by a handler of its owner",
						     pool->name)
				      : 0;
	if (special & POOL_FENCED)
		full_barrier(); /* pairs with the one in turn_begin_any() */
	else if (!barrier_threads()) /* pairs with the compiler barrier in turn_begin() */
		return pp_set_error(ENOTSUP, "pool %s: membarrier failed", pool->name);
	return wait_for_turn(pool, deadline_ns);
}

int pool_close(struct page_pool *pool, unsigned int timeout_us)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)timeout_us * 1000;
	int err;

	if (!pp_lock_timed(&pool->closing, timeout_us))
		return pp_set_error(ETIMEDOUT, "pool %s: somebody else is trimming it", pool->name);
	err = close_locked(pool, deadline_ns);
	if (err)
		pool_open(pool);
	return err;
}

void pool_open(struct page_pool *pool)
{
	/* release: pairs with the acquire in pool_enter() and in turn_begin_any() */
	__atomic_and_fetch(&pool->special, ~POOL_CLOSED, __ATOMIC_RELEASE);
	pp_unlock(&pool->closing);
}

/* Up to @n of the coldest pages: the ring's, then those at the bottom of the cache. */
static unsigned int take_coldest(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	unsigned int got = ring_consume(&pool->ring, (void **)pages, n);
	unsigned int k = min(n - got, pool->count);

	memcpy(pages + got, pool->cache, k * sizeof(*pages));
	memmove(pool->cache, pool->cache + k, (pool->count - k) * sizeof(*pages));
	WRITE_ONCE(pool->count, pool->count - k);
	return got + k;
}

long page_pool_trim(struct page_pool *pool, unsigned int keep, unsigned int timeout_us)
{
	/* bounded: those who go on returning do not keep us */
	uint64_t left = (uint64_t)pool->cache_size + pool->ring.size, kept, moved = 0;
	struct pp_page *pages[64];
	unsigned int n;
	int err = pool_close(pool, timeout_us);

	if (err)
		return err;
	for (; left; left -= n) {
		kept = pool->count + (uint64_t)ring_count(&pool->ring);
		if (kept <= keep)
			break;
		left = min(left, kept - keep);
		n = (unsigned int)min(left, (uint64_t)64);
		n = take_coldest(pool, pages, n);
		if (!n)
			break;
		pool_release_pages(pool, pages, n);
		moved += n;
	}
	count_add(pool->trims, 1);
	count_add(pool->trimmed, moved);
	pool_open(pool);
	return (long)moved;
}

/* ---- all pools of a zone --------------------------------------------------------------------- */

static bool takes_from(const struct page_pool *pool, const struct pp_zone *zone)
{
	return pool->zone == zone ||
	       (pool->set && pp_zone_set_zone(pool->set, max(zone->region.node, 0)) == zone);
}

bool pools_trim(struct pp_zone *zone, uint64_t want, unsigned int timeout_us)
{
	struct page_pool *pool = NULL;
	uint64_t moved = 0;
	bool any = false;
	long k;

	if (registry_held())
		return false;
	while ((pool = pool_next(pool))) {
		if (!takes_from(pool, zone) || !(READ_ONCE(pool->count) + ring_count(&pool->ring)))
			continue;
		k = page_pool_trim(pool, 0, timeout_us);
		if (k <= 0)
			continue;
		/* a set's pages may all have gone to other zones: that is no reason to stop */
		any = true;
		moved += pool->set ? 0 : (uint64_t)k << pool->order;
		if (moved >= want) {
			pool_unpin(pool);
			break;
		}
	}
	return any;
}

static void trim_if_idle(struct page_pool *pool)
{
	uint32_t turn = READ_ONCE(pool->turn);
	uint64_t now = now_ns(), since = READ_ONCE(pool->idle_since_ns);

	if (turn != READ_ONCE(pool->idle_turn) || !since) {
		WRITE_ONCE(pool->idle_turn, turn);
		WRITE_ONCE(pool->idle_since_ns, now);
	} else if (now - since >= (uint64_t)pool->idle_ms * 1000000 &&
		   READ_ONCE(pool->count) + ring_count(&pool->ring)) {
		page_pool_trim(pool, 0, 0);
	}
}

void pools_trim_idle(struct pp_zone *zone)
{
	struct page_pool *pool = NULL;

	while ((pool = pool_next(pool))) {
		if (pool->idle_ms && takes_from(pool, zone))
			trim_if_idle(pool);
	}
}
