/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/source.c - where a pool's pages come from and go: a zone, a set of zones, a provider */
#include <pagepool/memory.h>

#include "base/probes.h"
#include "pool/page_pool.h"
#include "zone/home.h"

/*
 * An ended pool got pages back. If they were the last ones no other thread can know it any more;
 * otherwise it may be gone by now.
 */
static __coldpath void released_late(struct page_pool *pool, uint64_t release)
{
	PROBE(4, page_pool_release, pool, (int64_t)(POOL_ENDED - release), POOL_ENDED, release);
	if (release == POOL_ENDED)
		pool_last_page(pool);
}

void pool_released(struct page_pool *pool, uint64_t n)
{
	/* release: our accesses come before the free; acquire: so do all the others' */
	uint64_t release = __atomic_add_fetch(&pool->release, n, __ATOMIC_ACQ_REL);

	if (unlikely(release > POOL_ENDED / 2))
		released_late(pool, release);
}

/* A provider is never asked for more than PP_BULK_MAX at once, and never given more. */
static __coldpath unsigned int take_foreign(struct page_pool *pool, struct pp_page **pages,
					    unsigned int n)
{
	unsigned int got = 0, part, k;

	do {
		part = min(n - got, PP_BULK_MAX);
		k = pool->p.provider->alloc_bulk(pool->p.provider_arg, pool, pages + got, part);
		k = min(k, part);
		got += k;
	} while (got < n && k == part);
	return got;
}

static __coldpath void release_foreign(struct page_pool *pool, struct pp_page **pages,
				       unsigned int n)
{
	unsigned int part;

	unpoison_pages(pages, n); /* perhaps of a zone that the provider has */
	for (; n; n -= part, pages += part) {
		part = min(n, PP_BULK_MAX);
		pool->p.provider->release_bulk(pool->p.provider_arg, pool, pages, part);
	}
}

void pool_release_pages(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	/* a zone without prep hands pages out as they are: no mark in next */
	struct pp_page *mark = !pool->zone || pool->zone->prep ? NEXT_HOME : NULL;
	unsigned int i;

	probe_page_pool_state_release(pool, pages, n, READ_ONCE(pool->release));
	for (i = 0; i < n; i++) {
		WRITE_ONCE(pages[i]->pool, NULL); /* a provider's, too: they may outlive us */
		WRITE_ONCE(pages[i]->next, mark);
	}
	if (unlikely(pool->p.provider)) {
		release_foreign(pool, pages, n);
		pool_released(pool, n);
		return;
	}
	if (pool->p.set)
		pp_zone_set_free_bulk(pool->p.set, pages, n);
	else if (unlikely(pool->p.order))
		zone_free_runs(pool->zone, pages, n);
	else
		zone_give_back(pool->zone, pages, n);
	pool_released(pool, n);
}

void pool_release_array(struct page_pool *pool, struct pp_page **pages, uint32_t *count)
{
	unsigned int n;

	while (*count) {
		n = min(*count, PP_BULK_MAX);
		WRITE_ONCE(*count, *count - n);
		pool_release_pages(pool, pages + *count, n);
	}
}

/* Asks no other core, and no zone but the nearest. */
static unsigned int take_source_near(struct page_pool *pool, void **objs, unsigned int n)
{
	if (unlikely(pool->p.set))
		return zone_take_near(*fallback_row(pool->p.set, pool->nid), objs, n);
	if (unlikely(pool->p.order))
		return zone_take_runs_near(pool->zone, pool->p.order, objs, n);
	return zone_take_near(pool->zone, objs, n);
}

static __coldpath unsigned int take_source_far(struct page_pool *pool, void **objs, unsigned int n)
{
	if (pool->zone->stock->signal_safe)
		not_a_handler(); /* those have no pools: whatever this thread blocks is no sign */
	if (pool->p.set)
		return zones_take(pool->p.set, pool->nid, objs, n);
	if (pool->p.order)
		return zone_take_runs(pool->zone, pool->p.order, objs, n);
	return zone_take(pool->zone, objs, n);
}

unsigned int pool_take(struct page_pool *pool, struct pp_page **pages, unsigned int need,
		       unsigned int want)
{
	void **objs = (void **)pages;
	unsigned int n, i;

	if (unlikely(pool->p.provider)) {
		n = take_foreign(pool, pages, want);
	} else {
		WRITE_ONCE(pool->taking, want > need);
		/* before the pages leave; pairs with the barrier in zone_run_moves() */
		store_barrier();
		n = take_source_near(pool, objs, want);
		if (n <= need)
			pool_taken(pool);
		if (unlikely(n < need))
			n += take_source_far(pool, objs + n, need - n);
	}
	for (i = 0; i < n; i++) {
		WRITE_ONCE(pages[i]->pool, pool);
		WRITE_ONCE(pages[i]->next, NEXT_HOME); /* until it is handed out */
	}
	if (unlikely(READ_ONCE(pool->holders)))
		pool_untag(pages, n); /* what an earlier holder left */
	probe_page_pool_state_hold(pool, pages, n, pool->hold);
	return n;
}
