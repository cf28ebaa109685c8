/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/cross.c - pages taken on one core and given back on another
 *
 * This is the worst work for per-core caches. One cache is always empty, the other always
 * full, and every page crosses the free area, or a pool's ring, on its way back.
 */
#include <pagepool/page_pool.h>
#include <sched.h>
#include <stdlib.h>

#include "crew.h"
#include "spsc.h"

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/* @zone and @pool NULL: the hand-over alone, the floor of the other figures */
struct path {
	struct pp_zone *zone;
	struct page_pool *pool;
	unsigned int core;
	unsigned int bulk;
	unsigned long loops;
	struct spsc *ring;
	unsigned int ready;
	unsigned int done;
};

static void give_back(struct path *p, struct pp_page **pages)
{
	if (p->pool)
		page_pool_put_bulk(pages, p->bulk);
	else if (p->zone)
		pp_zone_free_bulk(p->zone, pages, p->bulk);
}

static void *consume_pages(void *arg)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	unsigned long left;
	struct path *p = arg;
	unsigned int spins;

	__atomic_store_n(&p->ready, 1, __ATOMIC_RELEASE);
	for (left = p->loops; left; left--) {
		spins = 0;
		while (!spsc_pop(p->ring, pages, p->bulk))
			bench_pause(&spins);
		give_back(p, pages);
	}
	__atomic_store_n(&p->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void take_pages(struct path *p, struct pp_page **pages)
{
	unsigned int got = 0, spins = 0;

	if (!p->zone)
		return;
	while (got < p->bulk) {
		if (p->pool)
			got += page_pool_alloc_bulk(p->pool, pages + got, p->bulk - got);
		else
			got += pp_zone_alloc_bulk(p->zone, pages + got, p->bulk - got);
		if (got < p->bulk)
			bench_pause(&spins);
	}
}

static uint64_t run_path(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64))) = { NULL };
	struct path *p = s->ctx;
	unsigned int spins = 0;
	pthread_t thread;
	uint64_t start;

	p->bulk = bulk;
	p->loops = loops;
	p->ready = p->done = 0;
	if (bench_thread(&thread, p->core, consume_pages, p)) {
		s->shorts++;
		return UINT64_MAX / 2;
	}
	bench_await(&p->ready, 1);
	start = pp_cycles();
	while (loops--) {
		take_pages(p, pages);
		spins = 0;
		while (!spsc_push(p->ring, pages, bulk))
			bench_pause(&spins);
	}
	bench_await(&p->done, 1);
	start = pp_cycles() - start;
	pthread_join(thread, NULL);
	return start;
}

static int path_open(struct bench *b, struct bench_subject *s, struct path *p, const char *policy,
		     bool with_pool)
{
	p->core = b->opts.cores[1];
	p->ring = bench_alloc(1, sizeof(*p->ring));
	if (!p->ring)
		return -1;
	bench_subject_set(s,
			  !policy     ? "none"
			  : with_pool ? "page_pool"
				      : "zone",
			  run_path, p, "%s", policy ? policy : "hand-over only");
	if (!policy)
		return 0;
	p->zone = bench_zone_open(policy, 0, 0);
	if (p->zone && with_pool)
		p->pool = bench_pool_open(p->zone, 0);
	return p->zone && (p->pool || !with_pool) ? 0 : -1;
}

static int path_close(struct bench *b, struct path *p)
{
	page_pool_destroy(p->pool);
	free(p->ring);
	return bench_zone_close(b, p->zone);
}

static int cross_case(struct bench *b)
{
	unsigned int max = 1 + 2 * b->opts.npolicies, i, n = 0;
	struct bench_subject *s = bench_alloc(max, sizeof(*s));
	struct path *p = bench_alloc(max, sizeof(*p));
	int err = s && p ? 0 : -1;

	if (!err)
		err = path_open(b, &s[0], &p[0], NULL, false);
	for (n = 1; n < max && !err; n++)
		err = path_open(b, &s[n], &p[n], b->opts.policies[(n - 1) / 2], n % 2 == 0);
	if (!err)
		err = bench_interleave_all(b, s, n);
	for (i = 0; p && i < max; i++)
		if (path_close(b, &p[i]))
			err = -1;
	bench_ratio(b, "vs_hand_over", "hand-over only", "none");
	bench_note_distance(b);
	bench_note(b, "zone: pp_zone_alloc_bulk() here, pp_zone_free_bulk() there; "
		      "page_pool: through the pool's ring");
	free(p);
	free(s);
	return err;
}

static const struct bench_plot plots[] = {
	{ "Taken on one core, given back on another: zone", "zone", NULL, "cycles a page", NULL },
	{ "Taken on one core, given back on another: page_pool", "page_pool", NULL, "cycles a page",
	  NULL },
	{ .title = NULL },
};

const struct bench_case bench_cross = {
	.name = "cross",
	.title = "pages taken on one core, given back on another",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 2,
	.run = cross_case,
	.plots = plots,
};
