/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/end.c - destruction, which waits if asked, and then reports the holders */
#include <stdio.h>
#include <unistd.h>

#include "pool/page_pool.h"

/* ---- names ----------------------------------------------------------------------------------- */

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

/* All but what users hold goes home, and nothing is recycled any more. */
static void close_down(struct page_pool *pool)
{
	struct pp_page *pages[64];
	unsigned int n;

	pool_move_begin(pool);
	registry_del(&pool->registered);
	pool_leave(pool);
	pool_drop_frag_page(pool);
	/* from here no return recycles: not the owner's, nor, after the close, another thread's */
	WRITE_ONCE(pool->owner, NO_OWNER);
	ring_close(&pool->ring);
	pool_release_array(pool, pool->cache, &pool->count);
	pool_release_array(pool, pool->reserve, &pool->reserved);
	while ((n = ring_consume(&pool->ring, (void **)pages, 64)))
		pool_release_pages(pool, pages, n);
	pool_move_end(pool);
}

/* List the pool. The release counter is -outstanding now; the last page brings it to POOL_ENDED. */
static void end_pool(struct page_pool *pool, uint32_t waits)
{
	pool->signal_safe = pool->zone && pool->zone->stock->signal_safe;
	pool->hold += waits;
	ended_lock();
	pool->waits = waits;
	ended_add(pool);
	pool_released(pool, POOL_ENDED - pool->hold);
	pool_join(pool, &ended_ops);
	ended_unlock();
}

void page_pool_destroy(struct page_pool *pool)
{
	if (!pool)
		return;
	close_down(pool);
	end_pool(pool, 0);
}

static void report_holders(struct page_pool *pool, const struct page_pool_end *params, uint64_t out,
			   uint64_t waited_ns)
{
	struct pp_holder holders[PP_REPORT_HOLDERS];
	struct page_pool_report report = {
		.name = pool->name, .outstanding = out, .waited_ns = waited_ns, .holders = holders
	};

	if (!params->report)
		return;
	if (pool_pin_zones(pool)) {
		report.nholders = pool_find_holders(pool, holders, PP_REPORT_HOLDERS, NULL,
						    &report.in_drivers);
		pool_unpin_zones(pool);
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
	end_pool(pool, 1); /* one for us: the pool stays until we have seen the last page */
	for (;;) {
		out = pages_out(pool);
		now = now_ns();
		if (!out || now - start >= (uint64_t)p.timeout_ms * 1000000)
			break;
		if (p.report_ms && now - told >= (uint64_t)p.report_ms * 1000000) {
			report_holders(pool, &p, out, now - start);
			told = now;
		}
		usleep(500);
	}
	if (out) {
		report_holders(pool, &p, out, now - start);
		err = pp_set_error(ETIMEDOUT, "pool %s: %llu pages are still out", pool->name,
				   (unsigned long long)out);
	}
	ended_lock();
	WRITE_ONCE(pool->waits, 0);
	pool_released(pool, 1);
	ended_unlock();
	return err;
}
