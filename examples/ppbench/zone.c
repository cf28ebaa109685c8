/* SPDX-License-Identifier: BSD-3-Clause */
/* zone.c - zones to measure, and the proof that no page was lost on the way */
#include <pagepool/error.h>
#include <unistd.h>

#include <pagepool/page_pool.h>

#include "bench.h"

struct pp_zone *bench_zone_create(struct pp_zone_params params)
{
	struct pp_zone *zone;

	params.sz = sizeof(params);
	params.name = "ppbench";
	zone = pp_zone_create(&params);
	if (!zone)
		bench_error("cannot create a zone of %llu pages%s%s: %s",
			    (unsigned long long)params.pages, params.policy ? " with policy " : "",
			    params.policy ? params.policy : "", pp_error());
	return zone;
}

struct pp_zone *bench_zone_open(const char *policy, uint32_t flags, uint32_t high)
{
	return bench_zone_create((struct pp_zone_params){
		.pages = BENCH_PAGES,
		.page_size = BENCH_PAGE_SIZE,
		.headroom = BENCH_HEADROOM,
		.flags = flags,
		.policy = policy,
		.high = high,
	});
}

struct page_pool *bench_pool_open(struct pp_zone *zone, uint32_t flags)
{
	struct page_pool_params params = { .sz = sizeof(params), .zone = zone, .flags = flags };
	struct page_pool *pool = page_pool_create(&params);

	if (!pool)
		bench_error("cannot create a pool: %s", pp_error());
	return pool;
}

/* A pool that loses pages, or hands one out twice, gets no figure. */
int bench_zone_audit(const struct bench *b, struct pp_zone *zone)
{
	struct pp_audit a = { .sz = sizeof(a) };

	if (pp_zone_audit(zone, &a)) {
		bench_error("%s: cannot count the pages of the zone: not enough memory",
			    b->what->name);
		return -1;
	}
	if (!a.leaked && !a.double_free)
		return 0;
	bench_error("%s: policy %s: %llu of %llu pages did not come home, %llu came twice: "
		    "no figure; this is a bug, please report it",
		    b->what->name, pp_zone_policy(zone), (unsigned long long)a.leaked,
		    (unsigned long long)a.managed, (unsigned long long)a.double_free);
	return -1;
}

int bench_zone_close(struct bench *b, struct pp_zone *zone)
{
	int err;

	if (!zone)
		return 0;
	err = bench_zone_audit(b, zone);
	if (err)
		return err;
	err = pp_zone_destroy(zone);
	if (err)
		bench_error("%s: cannot destroy the zone: %s", b->what->name, pp_error());
	return err ? -1 : 0;
}

uint64_t bench_run_zone(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct pp_zone *zone = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		got = pp_zone_alloc_bulk(zone, pages, bulk);
		s->shorts += got != bulk;
		bench_use(pages);
		pp_zone_free_bulk(zone, pages, got);
	}
	return pp_cycles() - start;
}

/* the calls for single pages, as a driver that was ported from the kernel makes them */
static uint64_t run_pool_single(struct bench_subject *s, unsigned long loops)
{
	struct page_pool *pool = s->ctx;
	uint64_t start = pp_cycles();
	struct pp_page *page;

	while (loops--) {
		page = page_pool_alloc_pages(pool);
		if (!page) {
			s->shorts++;
			continue;
		}
		bench_use(page);
		page_pool_recycle_direct(pool, page);
	}
	return pp_cycles() - start;
}

uint64_t bench_run_pool(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct page_pool *pool = s->ctx;
	uint64_t start;
	unsigned int got;

	if (bulk == 1)
		return run_pool_single(s, loops);
	start = pp_cycles();
	while (loops--) {
		got = page_pool_alloc_bulk(pool, pages, bulk);
		s->shorts += got != bulk;
		bench_use(pages);
		page_pool_put_bulk(pages, got);
	}
	return pp_cycles() - start;
}

long bench_bytes(bool resident)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long mapped = 0, in_memory = 0;

	if (f && fscanf(f, "%ld %ld", &mapped, &in_memory) != 2)
		mapped = in_memory = 0;
	if (f)
		fclose(f);
	return (resident ? in_memory : mapped) * sysconf(_SC_PAGESIZE);
}
