/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/end.c - the end of a pool, and the list of pools that ended while pages are out
 *
 * An ended pool is listed from page_pool_destroy() until its last page is home, or its zone is
 * destroyed. So the zone of a listed pool exists, and a holder of the list's lock may read the
 * zone's page table.
 *
 * The thread that returns the last page pushes the pool on the lock-free stack @done, and only
 * tries the lock. The next unlock takes the stack, and frees the pools on it afterwards. A push
 * that finds the lock taken leaves the pool to the holder, which looks at the stack again after
 * its unlock. Pools of signal safe zones always stay for the next holder: their last page may
 * come home in a handler that interrupted malloc().
 *
 * Under this lock: no other lock, no callback.
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
	if (!pool->link)
		return; /* its zone went before */
	*pool->link = pool->next;
	if (pool->next)
		pool->next->link = pool->link;
	else
		last = pool->link;
	pool->link = NULL;
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

/* Under the lock: pages that are out; 0: the last one is home. */
static uint64_t pages_out(const struct page_pool *pool)
{
	return POOL_ENDED - load_acquire(&pool->release) - pool->waits;
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
				.zone = pool->zone ? pool->zone->id : 0,
				.page_size = pool->zone ? 1ull << (pool->zone->shift + pool->order)
							: 0,
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

bool pool_ended_look(uint64_t id, void (*look)(void *arg, const struct page_pool *pool), void *arg)
{
	const struct page_pool *pool;

	pp_lock(&lock);
	for (pool = ended; pool && pool->id != id; pool = pool->next)
		;
	if (pool)
		look(arg, pool);
	list_unlock();
	return pool;
}

/* ---- the zone's end -------------------------------------------------------------------------- */

void pools_forget(const struct pp_zone *zone)
{
	struct page_pool *pool, *next;

	pp_lock(&lock);
	for (pool = ended; pool; pool = next) {
		next = pool->next;
		if (pool_takes_from(pool, zone))
			list_del(pool);
	}
	list_unlock();
}

/* A piece of a sentence; false: there is no room for it. */
static bool add_pool(char *text, size_t size, const struct page_pool *pool, uint64_t pages,
		     const char *state)
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

static unsigned int name_ended(const struct pp_zone *zone, char *text, size_t size)
{
	const struct page_pool *pool;
	unsigned int left_out = 0;
	uint64_t now, out;
	char state[40];

	pp_lock(&lock);
	now = now_ns();
	for (pool = ended; pool; pool = pool->next) {
		out = pool_takes_from(pool, zone) ? pages_out(pool) : 0;
		snprintf(state, sizeof(state), "ended %.1f s ago",
			 (double)(now - min(now, pool->ended_ns)) / 1e9);
		left_out += out && !add_pool(text, size, pool, out, state);
	}
	list_unlock();
	return left_out;
}

static unsigned int name_live(const struct pp_zone *zone, char *text, size_t size)
{
	struct page_pool *pool = NULL;
	unsigned int left_out = 0;
	int64_t out;

	while ((pool = pool_next(pool))) {
		out = pool_takes_from(pool, zone) ? page_pool_inflight(pool) : 0;
		left_out += out > 0 && !add_pool(text, size, pool, (uint64_t)out, "not destroyed");
	}
	return left_out;
}

void pools_name(const struct pp_zone *zone, char *text, size_t size)
{
	static const char tail[] = "; and 4294967295 pools more";
	size_t room = size - sizeof(tail) + 1;
	unsigned int left_out;
	size_t len;

	text[0] = '\0';
	left_out = name_ended(zone, text, room);
	left_out += name_live(zone, text, room);
	len = strlen(text);
	if (left_out)
		snprintf(text + len, size - len, "; and %u pools more", left_out);
}

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
	registry_del(&registered_pools, &pool->registered);
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
	pool->signal_safe = pool->zone && pool->zone->signal_safe;
	pool->hold += waits;
	pp_lock(&lock);
	pool->waits = waits;
	list_add(pool);
	pool_released(pool, POOL_ENDED - pool->hold);
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
	report.nholders =
		pool_find_holders(pool, holders, PP_REPORT_HOLDERS, NULL, &report.in_drivers);
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
	pool->waits = 0;
	pool_released(pool, 1);
	list_unlock();
	return err;
}
