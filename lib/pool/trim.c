/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/trim.c - what a pool keeps is taken from outside, without the owner's doing */
#include <unistd.h>

#include "base/barrier.h"
#include "pool/page_pool.h"

/* ---- the owner's side ------------------------------------------------------------------------ */

/* The cache has pages of another node than the pool prefers now. */
static void __coldpath flush_stale(struct page_pool *pool)
{
	__atomic_and_fetch(&pool->slow_reasons, ~POOL_STALE, __ATOMIC_RELAXED);
	pool_release_array(pool, pool->cache, &pool->count);
}

uint32_t __coldpath pool_enter_slow(struct page_pool *pool)
{
	if (turn_begin_any(pool)) {
		if (unlikely(READ_ONCE(pool->slow_reasons) & POOL_STALE))
			flush_stale(pool);
		return pool->turn;
	}
	turn_end(pool);
	return 0;
}

/* ---- the closer's side ----------------------------------------------------------------------- */

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

/* Pairs with the load in pool_enter() and in turn_begin_any(), by the barriers below. */
static void mark_closed(struct page_pool *pool)
{
	__atomic_or_fetch(&pool->slow_reasons, POOL_CLOSED, __ATOMIC_SEQ_CST);
}

/* The owner's half of the handshake is a compiler barrier, that in turn_begin(). */
static bool needs_membarrier(const struct page_pool *pool)
{
	return !(READ_ONCE(pool->slow_reasons) & POOL_FENCED) && !pool_is_mine(pool);
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
	__atomic_and_fetch(&pool->slow_reasons, ~POOL_CLOSED, __ATOMIC_RELEASE);
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
	/* bounded: threads that go on returning pages do not keep us */
	uint64_t left = (uint64_t)pool->p.cache_size + pool->ring.size, kept, moved = 0;
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

/* ---- a pool as the client of a zone ---------------------------------------------------------- */

static uint64_t pages_kept(const struct page_pool *pool)
{
	return READ_ONCE(pool->count) + (uint64_t)ring_count(&pool->ring);
}

static uint64_t client_kept(const struct zone_client *client)
{
	const struct page_pool *pool = pool_of(client);

	return pages_kept(pool) << pool->p.order;
}

/* The pools of a round that this thread holds the closing lock of. */
static unsigned int lock_round(struct zone_client *const *clients, unsigned int n,
			       unsigned int timeout_us, struct page_pool **pools)
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		pools[k] = pool_of(clients[i]);
		k += !lock_closing(pools[k], timeout_us);
	}
	return k;
}

static void client_trim(struct zone_client *const *clients, unsigned int n, unsigned int timeout_us,
			struct zone_trim *done)
{
	struct page_pool *pools[ZONE_ROUND], *pool;
	bool membarrier = false, passed;
	unsigned int i, k;
	long moved;

	k = lock_round(clients, n, timeout_us, pools);
	done->timeout |= k < n;
	for (i = 0; i < k; i++) {
		mark_closed(pools[i]);
		membarrier |= needs_membarrier(pools[i]);
	}
	passed = membarrier && barrier_threads();
	for (i = 0; i < k; i++) {
		pool = pools[i];
		if (await_owner(pool, passed, deadline_after(timeout_us))) {
			pool_open(pool);
			done->timeout = true;
			continue;
		}
		moved = trim_closed(pool, 0);
		done->some |= moved > 0;
		/* a set's pages may all have gone to other zones */
		done->moved += pool->p.set ? 0 : (uint64_t)moved << pool->p.order;
	}
}

static bool client_moves(const struct zone_client *client, uint64_t *moves)
{
	const struct page_pool *pool = pool_of(client);
	/* acquire: what a turn did, and what came, is seen below */
	bool on_their_way = (load_acquire(&pool->turn) & 1) || load_acquire(&pool->taking);

	*moves += READ_ONCE(pool->hold) + READ_ONCE(pool->refilled) + READ_ONCE(pool->release);
	/* the caller's own pool is between two turns, and takes what it searches for */
	return on_their_way && !pool_is_mine(pool);
}

static bool client_idle(const struct zone_client *client)
{
	struct page_pool *pool = pool_of(client);
	uint32_t turn = READ_ONCE(pool->turn);
	uint64_t now, since;

	if (!pool->p.idle_ms)
		return false;
	now = now_ns();
	since = READ_ONCE(pool->idle_since_ns);
	if (turn != READ_ONCE(pool->idle_turn) || !since) {
		WRITE_ONCE(pool->idle_turn, turn);
		WRITE_ONCE(pool->idle_since_ns, now);
		return false;
	}
	return now - since >= (uint64_t)pool->p.idle_ms * 1000000 && pages_kept(pool);
}

static bool client_name(const struct zone_client *client, char *text, size_t size)
{
	const struct page_pool *pool = pool_of(client);
	int64_t out = page_pool_inflight(pool);

	return out <= 0 || pool_name_to(pool, (uint64_t)out, "not destroyed", text, size);
}

const struct zone_client_ops pool_client_ops = {
	.kept = client_kept,
	.moves = client_moves,
	.trim = client_trim,
	.idle = client_idle,
	.name = client_name,
};
