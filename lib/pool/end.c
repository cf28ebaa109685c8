/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/end.c - the end of a pool, and the list of pools that ended while pages are out
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
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool/page_pool.h"

static struct pp_lock lock;
static struct page_pool *ended; /* oldest first */
static struct page_pool **last = &ended;
static struct page_pool *done; /* a stack; atomic */

/* ---- the list -------------------------------------------------------------------------------- */

static void pool_free(struct page_pool *pool)
{
	if (pool->provider && pool->provider->destroy)
		pool->provider->destroy(pool->provider_arg, pool);
	pool_leave(pool);
	ring_fini(&pool->ring);
	free(pool);
}

static void list_add(struct page_pool *pool)
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

static void list_unlock(void)
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
	full_barrier(); /* pairs with the one in list_unlock(): one of the two sees the other */
	if (pp_trylock(&lock))
		list_unlock();
}

void pools_free_ended(void)
{
	if (READ_ONCE(done) && pp_trylock(&lock))
		list_unlock();
}

/* ---- looking at it --------------------------------------------------------------------------- */

/* Pages that are out; 0: the last one is home. */
static uint64_t pages_out(const struct page_pool *pool)
{
	return POOL_ENDED - load_acquire(&pool->release) - READ_ONCE(pool->waits);
}

unsigned int pools_ended(struct pool_ended *out, unsigned int n)
{
	const struct page_pool *pool;
	unsigned int found = 0;
	uint64_t inflight;

	pp_lock(&lock);
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
	list_unlock();
	return found;
}

/* Keep the zones of an ended pool. False: one of them is about to end, since no page is out. */
static bool pin_zones(struct page_pool *pool)
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

static void unpin_zones(struct page_pool *pool)
{
	struct pool_client *c;

	for_each_client(c, pool) registry_unpin(&c->client.registered);
}

bool pool_ended_look(uint64_t id, void (*look)(void *arg, const struct page_pool *pool), void *arg)
{
	struct page_pool *pool;
	bool there;

	pp_lock(&lock);
	for (pool = ended; pool && pool->id != id; pool = pool->next)
		;
	there = pool && pin_zones(pool);
	if (there) {
		look(arg, pool);
		unpin_zones(pool);
	}
	list_unlock();
	return there;
}

/* ---- names ----------------------------------------------------------------------------------- */

bool pool_name_to(const struct page_pool *pool, uint64_t pages, const char *state, char *text,
		  size_t size)
{
	size_t len = strlen(text);
	int n;

	n = snprintf(text + len, size - len, "%s%s%llu with pool %s, %s", len ? "; " : "",
		     pool->set ? "up to " : "", (unsigned long long)pages << pool->order,
		     pool->name, state);
	if (n >= 0 && (size_t)n < size - len)
		return true;
	text[len] = '\0';
	return false;
}

static bool name_ended(const struct zone_client *client, char *text, size_t size)
{
	const struct page_pool *pool = pool_of(client);
	uint64_t now = now_ns(), out = pages_out(pool);
	char state[40];

	snprintf(state, sizeof(state), "ended %.1f s ago",
		 (double)(now - min(now, pool->ended_ns)) / 1e9);
	return !out || pool_name_to(pool, out, state, text, size);
}

static const struct zone_client_ops ended_ops = { .name = name_ended };

/* ---- destruction ----------------------------------------------------------------------------- */

void pool_release_array(struct page_pool *pool, struct pp_page **pages, uint32_t *count)
{
	unsigned int n;

	while (*count) {
		n = min(*count, PP_BULK_MAX);
		WRITE_ONCE(*count, *count - n);
		pool_release_pages(pool, pages + *count, n);
	}
}

/* All but what users hold goes home, and nothing is recycled any more. */
static void close_down(struct page_pool *pool)
{
	struct pp_page *pages[64];
	unsigned int n;

	pool_move_begin(pool);
	registry_del(&pool->registered);
	pool_leave(pool);
	pool_drop_frag_page(pool);
	/* from here nothing recycles: not the owner's returns, nor, after the close, anybody's */
	WRITE_ONCE(pool->owner, NO_OWNER);
	ring_close(&pool->ring);
	pool_release_array(pool, pool->cache, &pool->count);
	pool_release_array(pool, pool->reserve, &pool->reserved);
	while ((n = ring_consume(&pool->ring, (void **)pages, 64)))
		pool_release_pages(pool, pages, n);
	pool_move_end(pool);
}

/* List the pool. The release counter is -outstanding now; the last page brings it to POOL_ENDED. */
static void end(struct page_pool *pool, uint32_t waits)
{
	pool->signal_safe = pool->zone && pool->zone->stock->signal_safe;
	pool->hold += waits;
	pp_lock(&lock);
	pool->waits = waits;
	list_add(pool);
	pool_released(pool, POOL_ENDED - pool->hold);
	pool_join(pool, &ended_ops);
	list_unlock();
}

void page_pool_destroy(struct page_pool *pool)
{
	if (!pool)
		return;
	close_down(pool);
	end(pool, 0);
}

static void tell(struct page_pool *pool, const struct page_pool_end *params, uint64_t out,
		 uint64_t waited_ns)
{
	struct pp_holder holders[PP_REPORT_HOLDERS];
	struct page_pool_report report = {
		.name = pool->name, .outstanding = out, .waited_ns = waited_ns, .holders = holders
	};

	if (!params->report)
		return;
	if (pin_zones(pool)) {
		report.nholders = pool_find_holders(pool, holders, PP_REPORT_HOLDERS, NULL,
						    &report.in_drivers);
		unpin_zones(pool);
	}
	params->report(params->arg, &report);
}

int page_pool_destroy_wait(struct page_pool *pool, const struct page_pool_end *params)
{
	struct page_pool_end p;
	uint64_t start = now_ns(), told = start, now, out;
	int err = params_copy(&p, sizeof(p), params);

	if (err || !pool)
		return err;
	close_down(pool);
	end(pool, 1); /* one for us: the pool stays until we have seen the last page */
	for (;;) {
		out = pages_out(pool);
		now = now_ns();
		if (!out || now - start >= (uint64_t)p.timeout_ms * 1000000)
			break;
		if (p.report_ms && now - told >= (uint64_t)p.report_ms * 1000000) {
			tell(pool, &p, out, now - start);
			told = now;
		}
		usleep(500);
	}
	if (out) {
		tell(pool, &p, out, now - start);
		err = pp_set_error(ETIMEDOUT, "pool %s: %llu pages are still out", pool->name,
				   (unsigned long long)out);
	}
	pp_lock(&lock);
	WRITE_ONCE(pool->waits, 0);
	pool_released(pool, 1);
	list_unlock();
	return err;
}
