/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/ended.c - the list of pools that ended while pages are out
 *
 * An ended pool is listed from page_pool_destroy() until its last page is home, and is a client of
 * its zones that only says its name. A zone may end a moment before the pool: it takes itself from
 * the pool then (registry_close()). A holder of the list's lock pins the pool's clients before it
 * reads a zone's page table.
 *
 * The thread that returns the last page pushes the pool on the lock-free stack @done, and only
 * tries the lock. The next unlock takes the stack, and frees the pools on it afterwards. A push
 * that finds the lock taken leaves the pool to the holder, which looks at the stack again after
 * its unlock. Pools of signal safe zones always stay for the next holder: their last page may
 * come home in a handler that interrupted malloc().
 *
 * Under this lock: no other lock but pool_join()'s and the registry's, no callback.
 */
#include <stdlib.h>

#include "pool/page_pool.h"

static struct pp_lock lock;
static struct page_pool *ended; /* oldest first */
static struct page_pool **last = &ended;
static struct page_pool *done; /* a stack; atomic */

/* ---- the list -------------------------------------------------------------------------------- */

static void pool_free(struct page_pool *pool)
{
	if (pool->p.provider && pool->p.provider->destroy)
		pool->p.provider->destroy(pool->p.provider_arg, pool);
	pool_leave(pool);
	ring_fini(&pool->ring);
	free(pool);
}

void ended_add(struct page_pool *pool)
{
	pool->ended_ns = now_ns();
	pool->next = NULL;
	pool->link = last;
	*last = pool;
	last = &pool->next;
}

static void list_del(struct page_pool *pool)
{
	*pool->link = pool->next;
	if (pool->next)
		pool->next->link = pool->link;
	else
		last = pool->link;
}

/* Under the lock: pools with all pages home leave the list, and become the caller's. */
static struct page_pool *take_done(void)
{
	/* pairs with the release in pool_last_page() */
	struct page_pool *dead = __atomic_exchange_n(&done, NULL, __ATOMIC_ACQUIRE), *pool;

	for (pool = dead; pool; pool = pool->next_done)
		list_del(pool);
	return dead;
}

void ended_lock(void)
{
	pp_lock(&lock);
}

void ended_unlock(void)
{
	struct page_pool *dead, *next;

	do {
		dead = take_done();
		pp_unlock(&lock);
		for (; dead; dead = next) {
			next = dead->next_done;
			pool_free(dead);
		}
		full_barrier(); /* pairs with the one in pool_last_page() */
	} while (READ_ONCE(done) && pp_trylock(&lock));
}

void pool_last_page(struct page_pool *pool)
{
	bool leave = pool->signal_safe;
	struct page_pool *head = READ_ONCE(done);

	do
		pool->next_done = head;
	while (!__atomic_compare_exchange_n(&done, &head, pool, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
	if (leave)
		return;
	full_barrier(); /* pairs with the one in ended_unlock(): one of the two sees the other */
	if (pp_trylock(&lock))
		ended_unlock();
}

void pools_free_ended(void)
{
	if (READ_ONCE(done) && pp_trylock(&lock))
		ended_unlock();
}

/* ---- looking at it --------------------------------------------------------------------------- */

unsigned int pools_ended(struct pool_ended *out, unsigned int n)
{
	const struct page_pool *pool;
	unsigned int found = 0;
	uint64_t inflight;

	ended_lock();
	for (pool = ended; pool; pool = pool->next) {
		inflight = pages_out(pool);
		if (!inflight)
			continue;
		if (found < n) {
			out[found] = (struct pool_ended){
				.id = pool->id,
				.zone = pool->zone_id,
				.page_size = pool->page_size,
				.ended_ns = pool->ended_ns,
				.inflight = inflight,
				.tracked = READ_ONCE(pool->holders),
			};
			memcpy(out[found].name, pool->name, sizeof(pool->name));
		}
		found++;
	}
	ended_unlock();
	return found;
}

bool pool_pin_zones(struct page_pool *pool)
{
	struct pool_client *c;

	for_each_client(c, pool)
	{
		if (registry_pin(&c->client.registered))
			continue;
		while (c-- > pool->clients)
			registry_unpin(&c->client.registered);
		return false;
	}
	return true;
}

void pool_unpin_zones(struct page_pool *pool)
{
	struct pool_client *c;

	for_each_client(c, pool) registry_unpin(&c->client.registered);
}

bool pool_ended_look(uint64_t id, void (*look)(void *arg, const struct page_pool *pool), void *arg)
{
	struct page_pool *pool;
	bool there;

	ended_lock();
	for (pool = ended; pool && pool->id != id; pool = pool->next)
		;
	there = pool && pool_pin_zones(pool);
	if (there) {
		look(arg, pool);
		pool_unpin_zones(pool);
	}
	ended_unlock();
	return there;
}
