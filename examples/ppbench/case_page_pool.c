/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * case_page_pool.c - the three ways of a page through a page_pool, as the kernel measures its own
 *
 * cache: recycled directly into the owner's alloc cache. ring: returned as
 * another thread would, refilled from the ring. slow: somebody else holds a
 * reference, so that every page leaves the pool and comes back from the zone.
 */
#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <stdlib.h>

#include "bench.h"

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/*
 * On one core, as the kernel does it: without an owner every return takes the
 * ring's lock. Two calls a round change hands, and are part of the figure.
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

static const struct {
	const char *kind;
	uint64_t (*run)(struct bench_subject *s, unsigned int bulk, unsigned long loops);
} ways[] = { { "cache", bench_run_pool }, { "ring", run_ring }, { "slow", run_slow } };

#define WAYS 3u

/* linux: bench_page_pool_simple in mails and reports of its authors; one page a call, so bulk 1 */
static const struct {
	const char *machine;
	double cycles[WAYS];
} published[] = {
	{ "Linux 6.13, Xeon E5-1650 v4", { 19, 54, 238 } },
	{ "Linux selftest, Almasry", { 11, 51, 168 } },
	{ "Linux, EPYC 9684X, SRSO mitigated", { 54, 118, 354 } },
};

static int add_published(struct bench *b)
{
	unsigned int i, w;

	for (w = 0; w < WAYS; w++)
		for (i = 0; i < sizeof(published) / sizeof(published[0]); i++)
			if (!bench_row_published(b, published[i].machine, ways[w].kind,
						 published[i].cycles[w]))
				return -1;
	return 0;
}

/* each way has a pool of its own, so that it finds its pages where it left them */
static int open_pools(struct bench_subject *s, struct pp_zone *zone)
{
	struct page_pool_params params = { .sz = sizeof(params), .zone = zone };
	unsigned int w;

	for (w = 0; w < WAYS; w++) {
		bench_name(&s[w], ways[w].kind, "%s", pp_zone_policy(zone));
		s[w].run = ways[w].run;
		s[w].ctx = page_pool_create(&params);
		if (!s[w].ctx) {
			bench_error("cannot create a pool: %s", pp_error());
			return -1;
		}
	}
	return 0;
}

static int run(struct bench *b)
{
	struct pp_zone *zones[BENCH_LIST_MAX] = { NULL };
	unsigned int max = 1 + WAYS * b->opts.npolicies, i;
	struct bench_subject *s = calloc(max, sizeof(*s));
	int err = s && !bench_baseline_init() ? 0 : -1;

	for (i = 0; i < b->opts.npolicies && !err; i++) {
		zones[i] = bench_zone_open(b->opts.policies[i], 0);
		err = zones[i] ? open_pools(&s[1 + WAYS * i], zones[i]) : -1;
	}
	if (!err) {
		bench_name(&s[0], "lock", "exchange");
		s[0].run = bench_run_lock;
		err = add_published(b);
	}
	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = bench_interleave(b, s, max, b->opts.bulks[i]);
	for (i = 1; s && i < max; i++)
		page_pool_destroy(s[i].ctx);
	for (i = 0; i < b->opts.npolicies; i++)
		if (bench_zone_close(b, zones[i]))
			err = -1;
	bench_ratio(b, "vs_lock", "exchange", "lock");
	bench_note(b, "cache: recycled by the owner; ring: returned without an owner; "
		      "slow: a foreign reference");
	bench_note(b, "lock: two exchange + release pairs; published: the kernel's own benchmark, "
		      "on other machines, one page a call");
	bench_baseline_exit();
	free(s);
	return err;
}

static const struct bench_plot plots[] = {
	{ .title = "cache: recycled by the owner",
	  .kind = "cache",
	  .label = "cycles a page",
	  .log = true },
	{ .title = "ring: returned without an owner",
	  .kind = "ring",
	  .label = "cycles a page",
	  .log = true },
	{ .title = "slow: via the zone", .kind = "slow", .label = "cycles a page", .log = true },
	{ .title = NULL },
};

const struct bench_case bench_page_pool = {
	.name = "page_pool",
	.title = "the kernel's three cases: cache, ring, slow",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 1,
	.run = run,
	.plots = plots,
};
