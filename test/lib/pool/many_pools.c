/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * many_pools.c - N pools of one zone, for many_pools.py, which counts the instructions
 *
 *	many_pools N create|out|trim [reverse]
 *
 * Each pool keeps a page. create: the pools end as they are. out: ended pools have a page out, and
 * go when it comes home. trim: the zone takes all kept pages from the pools at once. The pools end
 * in the order of their creation, or in the reverse. Nothing may be left: no page, no byte.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <pagepool/zone.h>

#define CHECK(cond)                                                                    \
	do {                                                                           \
		if (!(cond)) {                                                         \
			fprintf(stderr, "%d: %s (%s)\n", __LINE__, #cond, pp_error()); \
			exit(1);                                                       \
		}                                                                      \
	} while (0)

static unsigned int n;
static struct page_pool **pools;
static struct pp_page **pages;

static void make_pools(struct pp_zone *zone)
{
	struct page_pool_params params = {
		.sz = sizeof(params),
		.zone = zone,
		.pool_size = 2,
		.cache_size = 2,
		.refill = 1,
	};
	unsigned int i;

	for (i = 0; i < n; i++) {
		pools[i] = page_pool_create(&params);
		CHECK(pools[i]);
		CHECK(page_pool_alloc_bulk(pools[i], &pages[i], 1) == 1);
	}
}

/* every page of the zone, also those that pools keep */
static void take_all(struct pp_zone *zone)
{
	unsigned int got = 0, more;

	do {
		more = pp_zone_alloc_bulk(zone, pages + got, n - got < 64 ? n - got : 64);
		got += more;
	} while (more && got < n);
	CHECK(got == n);
	for (got = 0; got < n; got++)
		pp_zone_free_bulk(zone, &pages[got], 1);
}

static void run(struct pp_zone *zone, const char *how, bool reverse)
{
	bool out = !strcmp(how, "out");
	unsigned int i;

	make_pools(zone);
	for (i = 0; i < n && !out; i++)
		page_pool_put_bulk(&pages[i], 1);
	if (!strcmp(how, "trim"))
		take_all(zone);
	for (i = 0; i < n; i++)
		page_pool_destroy(pools[reverse ? n - 1 - i : i]);
	for (i = 0; i < n && out; i++)
		page_pool_put_bulk(&pages[i], 1);
}

int main(int argc, char **argv)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .page_size = 2048 };
	struct pp_audit audit = { .sz = sizeof(audit) };
	struct pp_zone *zone;
	size_t before;

	CHECK(argc >= 3);
	n = (unsigned int)atoi(argv[1]);
	zp.pages = n;
	pools = calloc(n, sizeof(*pools));
	pages = calloc(n, sizeof(*pages));
	zone = pp_zone_create(&zp);
	CHECK(pools && pages && zone);
	run(zone, "create", false); /* what the first use allocates for good */
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	run(zone, argv[2], argc > 3);
	CHECK(mallinfo2().uordblks + mallinfo2().hblkhd == before);
	CHECK(!pp_zone_audit(zone, &audit) && !audit.leaked && !audit.double_free);
	CHECK(!pp_zone_destroy(zone));
	free(pools);
	free(pages);
	return 0;
}
