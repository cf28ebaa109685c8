/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/trim.c - what a pool keeps is taken from outside, without the owner's doing */
#include <unistd.h>

#include "base/barrier.h"
#include "pool/page_pool.h"

/* A turn is a few hundred cycles, unless the scheduler took the owner off its CPU. */
#define SPINS 200u

static uint64_t deadline_after(unsigned int timeout_us)
{
	return now_ns() + (uint64_t)timeout_us * 1000;
}

static int wait_for_turn(struct page_pool *pool, uint64_t deadline_ns)
{
	uint32_t turn = load_acquire(&pool->turn);
	unsigned int spins = 0;

	handler_check_wait();
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

/* Pairs with the load of special in pool_enter() and in turn_begin_any(), by the barriers below. */
static void mark_closed(struct page_pool *pool)
{
	__atomic_or_fetch(&pool->special, POOL_CLOSED, __ATOMIC_SEQ_CST);
}

/* The owner's half of the handshake is a compiler barrier, that in turn_begin(). */
static bool needs_membarrier(const struct page_pool *pool)
{
	return !(READ_ONCE(pool->special) & POOL_FENCED) && !pool_is_mine(pool);
}

/* The pool is marked, and @passed tells whether the membarrier after that took place. */
static int await_owner(struct page_pool *pool, bool passed, uint64_t deadline_ns)
{
	if (pool_is_mine(pool))
		return pool->turn & 1 ? pp_set_error(EDEADLK, "pool %s: by a handler of its owner",
						     pool->name)
				      : 0;
	if (needs_membarrier(pool) && !passed)
		return pp_set_error(ENOTSUP, "pool %s: membarrier failed", pool->name);
	full_barrier(); /* pairs with the one in turn_begin_any() */
	return wait_for_turn(pool, deadline_ns);
}

static int lock_closing(struct page_pool *pool, unsigned int timeout_us)
{
	if (pp_lock_timed(&pool->closing, timeout_us))
		return 0;
	return pp_set_error(ETIMEDOUT, "pool %s: another thread is trimming it", pool->name);
}

int pool_close(struct page_pool *pool, unsigned int timeout_us)
{
	uint64_t deadline_ns = deadline_after(timeout_us);
	int err;

	not_a_handler();
	err = lock_closing(pool, timeout_us);
	if (err)
		return err;
	mark_closed(pool);
	err = await_owner(pool, !needs_membarrier(pool) || barrier_threads(), deadline_ns);
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

/* The pool is closed; it is opened. Pages moved. */
static long trim_closed(struct page_pool *pool, unsigned int keep)
{
	/* bounded: those who go on returning do not keep us */
	uint64_t left = (uint64_t)pool->cache_size + pool->ring.size, kept, moved = 0;
	struct pp_page *pages[64];
	unsigned int n;

	pool_move_begin(pool);
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
	pool_move_end(pool);
	count_add(pool->trims, 1);
	count_add(pool->trimmed, moved);
	pool_open(pool);
	return (long)moved;
}

long page_pool_trim(struct page_pool *pool, unsigned int keep, unsigned int timeout_us)
{
	int err = pool_close(pool, timeout_us);

	return err ? err : trim_closed(pool, keep);
}

/* ---- all pools of a zone --------------------------------------------------------------------- */

/*
 * Pools that are trimmed together: one barrier serves them all. The round has each of them
 * pinned and its closing locked, in the registry's order.
 */
struct round {
	struct page_pool *first;
	struct page_pool **end;
};

static uint64_t kept_by(const struct page_pool *pool)
{
	return READ_ONCE(pool->count) + (uint64_t)ring_count(&pool->ring);
}

static bool round_add(struct round *round, struct page_pool *pool, unsigned int timeout_us)
{
	if (lock_closing(pool, timeout_us))
		return false;
	pool_pin(pool);
	pool->round_next = NULL;
	if (round->first)
		*round->end = pool;
	else
		round->first = pool;
	round->end = &pool->round_next;
	return true;
}

/* Counts in @moved what came to the zone itself; true: some pool gave pages. @timeout: as below */
static bool round_trim(struct round *round, unsigned int timeout_us, uint64_t *moved, bool *timeout)
{
	bool membarrier = false, passed, any = false;
	struct page_pool *pool, *next;
	long k;

	for (pool = round->first; pool; pool = pool->round_next) {
		mark_closed(pool);
		membarrier |= needs_membarrier(pool);
	}
	passed = membarrier && barrier_threads();
	for (pool = round->first; pool; pool = next) {
		next = pool->round_next;
		k = 0;
		if (await_owner(pool, passed, deadline_after(timeout_us))) {
			pool_open(pool);
			*timeout = true;
		} else {
			k = trim_closed(pool, 0);
		}
		any |= k > 0;
		/* a set's pages may all have gone to other zones */
		*moved += pool->set ? 0 : (uint64_t)k << pool->order;
		pool_unpin(pool);
	}
	return any;
}

static bool has_pages_of(const struct registered *entry, const void *zone)
{
	const struct page_pool *pool = container_of(entry, struct page_pool, registered);

	return pool_takes_from(pool, zone) && kept_by(pool);
}

/* The next pool from which @zone would get pages, pinned as by pool_next(). */
static struct page_pool *next_to_trim(struct page_pool *pool, const struct pp_zone *zone)
{
	struct registered *next = registry_next_that(
		&registered_pools, pool ? &pool->registered : NULL, has_pages_of, zone);

	return next ? container_of(next, struct page_pool, registered) : NULL;
}

/* As many pools a round as seem to have what is wanted: the others go on undisturbed. */
bool pools_trim(struct pp_zone *zone, uint64_t want, unsigned int timeout_us, bool *timeout)
{
	uint64_t moved = 0, expected;
	struct page_pool *pool = NULL;
	struct round round;
	bool any = false;

	if (registry_held())
		return false;
	do {
		round.first = NULL;
		expected = moved;
		while (expected < want && (pool = next_to_trim(pool, zone))) {
			if (!round_add(&round, pool, timeout_us)) {
				*timeout = true;
				continue;
			}
			expected += pool->set ? 0 : kept_by(pool) << pool->order;
		}
		any |= round_trim(&round, timeout_us, &moved, timeout);
	} while (pool && moved < want);
	if (pool)
		pool_unpin(pool);
	return any;
}

/* What a look at all pools of a zone, in one hold of the registry's lock, adds up. */
struct sum {
	const struct pp_zone *zone;
	uint64_t n;
	bool on_their_way;
};

static void add_moves(const struct registered *entry, void *arg)
{
	const struct page_pool *pool = container_of(entry, struct page_pool, registered);
	struct sum *moves = arg;

	if (!pool_takes_from(pool, moves->zone))
		return;
	/*
	 * acquire: what a turn did, and what came, is seen below. The caller's own pool is between
	 * two turns, and takes what it searches for.
	 */
	if (((load_acquire(&pool->turn) & 1) || load_acquire(&pool->taking)) && !pool_is_mine(pool))
		moves->on_their_way = true;
	moves->n += READ_ONCE(pool->hold) + READ_ONCE(pool->refilled) + READ_ONCE(pool->release);
}

uint64_t pools_moves(const struct pp_zone *zone, bool *on_their_way)
{
	struct sum moves = { .zone = zone };

	registry_look(&registered_pools, add_moves, &moves);
	*on_their_way |= moves.on_their_way;
	return moves.n;
}

static void add_kept(const struct registered *entry, void *arg)
{
	const struct page_pool *pool = container_of(entry, struct page_pool, registered);
	struct sum *kept = arg;

	if (pool->zone == kept->zone && !pool->set)
		kept->n += kept_by(pool);
}

uint64_t pools_kept(const struct pp_zone *zone)
{
	struct sum kept = { .zone = zone };

	registry_look(&registered_pools, add_kept, &kept);
	return kept.n;
}

static bool is_idle(struct page_pool *pool)
{
	uint32_t turn = READ_ONCE(pool->turn);
	uint64_t now = now_ns(), since = READ_ONCE(pool->idle_since_ns);

	if (turn != READ_ONCE(pool->idle_turn) || !since) {
		WRITE_ONCE(pool->idle_turn, turn);
		WRITE_ONCE(pool->idle_since_ns, now);
		return false;
	}
	return now - since >= (uint64_t)pool->idle_ms * 1000000 && kept_by(pool);
}

void pools_trim_idle(struct pp_zone *zone)
{
	struct round round = { .first = NULL };
	struct page_pool *pool = NULL;
	bool timeout = false;
	uint64_t moved = 0;

	while ((pool = pool_next(pool))) {
		if (pool->idle_ms && pool_takes_from(pool, zone) && is_idle(pool))
			round_add(&round, pool, 0);
	}
	round_trim(&round, 0, &moved, &timeout);
}
