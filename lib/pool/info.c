/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/info.c - what a pool tells about itself: accessors, counters */
#include "pool/page_pool.h"

int64_t page_pool_inflight(const struct page_pool *pool)
{
	/* release first: a page on its way home is seen as in flight, not as less than none */
	uint64_t release = load_acquire(&pool->release);

	return (int64_t)(READ_ONCE(pool->hold) - release);
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
	return pool->p.set;
}

uint64_t pool_available(const struct page_pool *pool)
{
	uint64_t n = READ_ONCE(pool->count) + (uint64_t)ring_count(&pool->ring);
	struct pp_zone_stats s = { .sz = sizeof(s) };
	const struct pool_client *c;

	for_each_client(c, pool)
	{
		pp_zone_get_stats(c->client.zone, &s);
		n += (s.free + s.cached + s.unaccepted) >> pool->p.order;
	}
	return n;
}

/*
 * The ring's lock is held; what the owner and a sole producer wrote is of one turn only if none
 * began meanwhile. Returns come first, so that even then no page was returned that had not been
 * handed out.
 */
static void read_counters(const struct page_pool *pool, struct page_pool_stats *s)
{
	uint64_t cached = load_acquire(&pool->cached);
	uint64_t in_ring = load_acquire(&pool->ring.produced);
	uint64_t ring_full = ring_refused(&pool->ring);
	uint64_t released_ref = load_acquire(&pool->released_ref);

	*s = (struct page_pool_stats){
		.alloc_fast = READ_ONCE(pool->fast),
		.alloc_slow = READ_ONCE(pool->slow),
		.alloc_slow_ho = READ_ONCE(pool->slow_ho),
		.alloc_empty = READ_ONCE(pool->empty),
		.alloc_refill = READ_ONCE(pool->refilled),
		.alloc_waive = READ_ONCE(pool->waived),
		.recycle_cached = cached,
		.recycle_cache_full = READ_ONCE(pool->cache_full),
		.recycle_ring = in_ring,
		.recycle_ring_full = ring_full,
		.recycle_released_ref = released_ref,
		.alloc_failures = READ_ONCE(pool->failures),
		.wrong_owner = READ_ONCE(pool->wrong_owner),
		.cache = READ_ONCE(pool->count),
		.ring = ring_count(&pool->ring),
		.alloc_reserve = READ_ONCE(pool->from_reserve),
		.alloc_limited = READ_ONCE(pool->limited),
		.double_puts = READ_ONCE(pool->double_puts),
		.trims = READ_ONCE(pool->trims),
		.trimmed = READ_ONCE(pool->trimmed),
		.reserve = READ_ONCE(pool->reserved),
		.inflight = (uint64_t)page_pool_inflight(pool),
		.inflight_max = READ_ONCE(pool->inflight_max),
		.ring_max = READ_ONCE(pool->ring.max),
	};
	s->outstanding = s->alloc_fast + s->alloc_slow + s->alloc_slow_ho + s->alloc_refill +
			 s->alloc_reserve - s->recycle_cached - s->recycle_ring -
			 s->recycle_ring_full - s->recycle_released_ref;
}

/* A few attempts in one hold of the ring's lock, which may cost more than a turn lasts. */
static bool read_in_one_turn(const struct page_pool *pool, struct page_pool_stats *s)
{
	uint32_t turn, put_turn;
	unsigned int tries;

	for (tries = 0; tries < 20; tries++) {
		turn = load_acquire(&pool->turn);
		put_turn = ring_turn(&pool->ring);
		read_counters(pool, s);
		full_barrier();
		if (!((turn | put_turn) & 1) && READ_ONCE(pool->turn) == turn &&
		    ring_turn(&pool->ring) == put_turn)
			return true;
	}
	return false;
}

/*
 * The owner pays nothing: the reader retries until no turn began meanwhile. Producers wait at the
 * ring's lock for as long.
 */
int page_pool_get_stats(struct page_pool *pool, struct page_pool_stats *stats)
{
	struct page_pool_stats s;
	unsigned int tries;
	bool done = false;

	not_a_handler();
	/* an owner that never rests: the last look is a gauge */
	for (tries = 0; tries < 50 && !done; tries++) {
		pp_lock(&pool->ring.lock);
		done = read_in_one_turn(pool, &s);
		pp_unlock(&pool->ring.lock);
		cpu_relax();
	}
	return stats_copy(stats, &s, sizeof(s));
}
