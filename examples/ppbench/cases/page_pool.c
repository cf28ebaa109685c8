/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/page_pool.c - the three ways of a page through a page_pool, as the kernel measures its own
 *
 * cache: the owner recycles directly into its alloc cache. ring: pages return as from
 * another thread, and the ring refills the pool. slow: a second reference is held, so that
 * every page leaves the pool and comes back from the zone.
 *
 * The kernel has no case for these: frag, halves of pages; holders, the case cache with
 * holder tags; trim, a full pool that is emptied.
 */
#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <stdlib.h>

#include "bench.h"

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/*
 * On one core, as the kernel does it: without an owner every return takes the ring's lock.
 * The figure includes the two calls a round that change the owner.
 */
static uint64_t run_ring(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct page_pool *pool = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		page_pool_enable_direct_recycling(pool);
		got = page_pool_alloc_bulk(pool, pages, bulk);
		s->shorts += got != bulk;
		bench_use(pages);
		page_pool_disable_direct_recycling(pool);
		page_pool_put_bulk(pages, got);
	}
	start = pp_cycles() - start;
	page_pool_enable_direct_recycling(pool);
	return start;
}

static uint64_t run_slow(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct pp_page *held[PP_BULK_MAX] __attribute__((aligned(64)));
	struct page_pool *pool = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got, i;

	while (loops--) {
		got = page_pool_alloc_bulk(pool, pages, bulk);
		s->shorts += got != bulk;
		for (i = 0; i < got; i++) {
			pp_page_get(pages[i]);
			held[i] = pages[i];
		}
		page_pool_put_bulk(pages, got);
		for (i = 0; i < got; i++)
			pp_page_put(held[i]);
	}
	return pp_cycles() - start;
}

/* Halves of pages: the pool cuts a page once, and gets it back twice. */
static uint64_t run_frag(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct page_pool *pool = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int offset, i, got;

	while (loops--) {
		for (i = got = 0; i < bulk; i++) {
			pages[got] = page_pool_alloc_frag(pool, &offset, BENCH_PAGE_SIZE / 2);
			got += !!pages[got];
		}
		s->shorts += got != bulk;
		bench_use(pages);
		page_pool_put_bulk(pages, got);
	}
	return pp_cycles() - start;
}

static const struct {
	const char *kind;
	bench_run_fn *run;
	uint32_t flags;
} ways[] = {
	{ "cache", bench_run_pool, 0 },
	{ "ring", run_ring, 0 },
	{ "slow", run_slow, 0 },
	{ "frag", run_frag, 0 },
	{ "holders", bench_run_pool, PAGE_POOL_HOLDERS },
};

#define WAYS	    5u
#define KERNEL_WAYS 3u

#define TRIM_CACHE 128u
#define TRIM_RING  1024u
#define TRIM_PAGES (TRIM_CACHE + TRIM_RING)

/* The cache and the ring of a pool are full, and its owner is idle. */
static double trim_once(struct page_pool *pool, struct pp_page **pages)
{
	uint64_t start;
	unsigned int i;
	long moved;

	for (i = 0; i < TRIM_PAGES; i += 64)
		if (page_pool_alloc_bulk(pool, pages + i, 64) != 64)
			return -1;
	for (i = 0; i < TRIM_CACHE; i += 64)
		page_pool_put_bulk(pages + i, 64);
	page_pool_disable_direct_recycling(pool);
	for (; i < TRIM_PAGES; i += 64)
		page_pool_put_bulk(pages + i, 64);
	start = pp_cycles();
	moved = page_pool_trim(pool, 0, 0);
	start = pp_cycles() - start;
	page_pool_enable_direct_recycling(pool);
	return moved == TRIM_PAGES ? (double)start / TRIM_PAGES : -1;
}

static int run_trim(struct bench *b, struct pp_zone *zone)
{
	struct page_pool_params params = {
		.sz = sizeof(params), .zone = zone, .pool_size = TRIM_RING, .cache_size = TRIM_CACHE
	};
	struct page_pool *pool = page_pool_create(&params);
	double samples[BENCH_REPEAT_MAX] = { 0 };
	struct pp_page *pages[TRIM_PAGES];
	unsigned int r;
	int err = 0;

	if (!pool) {
		bench_error("cannot create a pool: %s", pp_error());
		return -1;
	}
	trim_once(pool, pages); /* warms the lists */
	for (r = 0; r < b->opts.repeat && !err; r++) {
		samples[r] = trim_once(pool, pages);
		err = samples[r] < 0 ? -1 : 0;
	}
	page_pool_destroy(pool);
	if (err)
		bench_error("%s: a trim did not get all pages", pp_zone_policy(zone));
	else if (!bench_row_add(b, pp_zone_policy(zone), "trim", TRIM_PAGES, samples,
				b->opts.repeat))
		err = -1;
	return err;
}

/* linux: bench_page_pool_simple in mails and reports of its authors; one page a call, so bulk 1 */
static const struct {
	const char *machine;
	double cycles[KERNEL_WAYS];
} published[] = {
	{ "Linux 6.13, Xeon E5-1650 v4", { 19, 54, 238 } },
	{ "Linux selftest, Almasry", { 11, 51, 168 } },
	{ "Linux, EPYC 9684X, SRSO mitigated", { 54, 118, 354 } },
};

static int add_published(struct bench *b)
{
	unsigned int i, w;

	for (w = 0; w < KERNEL_WAYS; w++)
		for (i = 0; i < sizeof(published) / sizeof(published[0]); i++)
			if (!bench_row_published(b, published[i].machine, ways[w].kind,
						 published[i].cycles[w]))
				return -1;
	return 0;
}

/* each way has a pool of its own, so that it finds its pages where it left them */
static int open_pools(struct bench_subject *s, struct pp_zone *zone)
{
	unsigned int w;

	for (w = 0; w < WAYS; w++) {
		bench_subject_set(&s[w], ways[w].kind, ways[w].run,
				  bench_pool_open(zone, ways[w].flags), "%s", pp_zone_policy(zone));
		if (!s[w].ctx)
			return -1;
	}
	return 0;
}

static int page_pool_case(struct bench *b)
{
	struct pp_zone *zones[BENCH_LIST_MAX] = { NULL };
	unsigned int max = 1 + WAYS * b->opts.npolicies, i;
	struct bench_subject *s = bench_alloc(max, sizeof(*s));
	int err = s && !bench_baseline_init() ? 0 : -1;

	for (i = 0; i < b->opts.npolicies && !err; i++) {
		zones[i] = bench_zone_open(b->opts.policies[i], 0, 0);
		err = zones[i] ? open_pools(&s[1 + WAYS * i], zones[i]) : -1;
	}
	if (!err) {
		bench_subject_set(&s[0], "lock", bench_run_lock, NULL, "exchange");
		err = add_published(b);
	}
	if (!err)
		err = bench_interleave_all(b, s, max);
	for (i = 0; i < b->opts.npolicies && !err; i++)
		err = run_trim(b, zones[i]);
	for (i = 1; s && i < max; i++)
		page_pool_destroy(s[i].ctx);
	for (i = 0; i < b->opts.npolicies; i++)
		if (bench_zone_close(b, zones[i]))
			err = -1;
	bench_ratio(b, "vs_lock", "exchange", "lock");
	bench_note(b, "cache: recycled by the owner; ring: returned without an owner; "
		      "slow: a foreign reference");
	bench_note(
		b,
		"frag: halves of pages; holders: cache, with holder tags; trim: a pool of 128 in "
		"the cache and 1024 in the ring emptied, owner idle, all of it over the pages; "
		"the ring from another core: ppbench cross");
	bench_note(b, "lock: two exchange + release pairs; published: the kernel's own benchmark, "
		      "on other machines, one page a call");
	bench_baseline_exit();
	free(s);
	return err;
}

static const struct bench_plot plots[] = {
	{ "cache: recycled by the owner", "cache", NULL, "cycles a page", NULL },
	{ "ring: returned without an owner", "ring", NULL, "cycles a page", NULL },
	{ "slow: via the zone", "slow", NULL, "cycles a page", NULL },
	{ "frag: halves of pages", "frag", NULL, "cycles a half", NULL },
	{ "holders: cache, with tags", "holders", NULL, "cycles a page", NULL },
	{ .title = NULL },
};

const struct bench_case bench_page_pool = {
	.name = "page_pool",
	.title = "the kernel's three cases: cache, ring, slow; fragments, holders, trim",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 1,
	.run = page_pool_case,
	.plots = plots,
};
