/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_fixture.h - a zone, a pool over it, and threads that take and give back
 */
#ifndef PP_TEST_POOL_FIXTURE_H
#define PP_TEST_POOL_FIXTURE_H

#include <string.h>

#include "harness.h"

struct fixture {
	struct pp_zone *zone;
	struct page_pool *pool;
	struct pp_page *pages[PP_BULK_MAX];
};

static inline struct fixture fixture(uint64_t pages, uint32_t ring, uint32_t cache, uint32_t refill)
{
	struct pp_zone_params p = zone_params(pages);
	struct fixture f;

	p.headroom = 256;
	f.zone = zone_new(&p);
	f.pool = pool_new(f.zone, ring, cache, refill);
	return f;
}

static inline void fixture_end(struct fixture *f)
{
	pool_check(f->pool, 0);
	page_pool_destroy(f->pool);
	zone_end(f->zone);
}

static inline void take(struct fixture *f, unsigned int at, unsigned int n)
{
	unsigned int i;

	require(page_pool_alloc_bulk(f->pool, f->pages + at, n) == n);
	for (i = at; i < at + n; i++) {
		page_is_fresh(f->zone, f->pages[i]);
		require(f->pages[i]->pool == f->pool);
	}
}

static inline void give(struct fixture *f, unsigned int at, unsigned int n, bool direct)
{
	unsigned int i;

	for (i = at; i < at + n; i++)
		page_pool_put_page(f->pool, f->pages[i], direct);
}

static inline void give_main(void *arg)
{
	struct fixture *f = arg;
	unsigned int i;

	for (i = 0; f->pages[i]; i++)
		page_pool_put_page(f->pool, f->pages[i], false);
}

/* pages @at .. @at + @n are returned by a thread that does not own the pool */
static inline void give_remote(struct fixture *f, unsigned int at, unsigned int n)
{
	struct fixture r = { .pool = f->pool };

	memcpy(r.pages, f->pages + at, n * sizeof(*r.pages));
	run_on(-1, give_main, &r);
}

#endif /* PP_TEST_POOL_FIXTURE_H */
