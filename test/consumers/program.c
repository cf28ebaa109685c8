/* SPDX-License-Identifier: BSD-3-Clause */
/* program.c - the program of doc/building.md: 32 pages from a pool and back */
#include <stdio.h>
#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <pagepool/zone.h>

int main(void)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 256 };
	struct page_pool_params pp = { .sz = sizeof(pp) };
	struct pp_page *pages[32];
	struct page_pool *pool;

	pp.zone = pp_zone_create(&zp);
	pool = pp.zone ? page_pool_create(&pp) : NULL;
	if (!pool || page_pool_alloc_bulk(pool, pages, 32) != 32) {
		fprintf(stderr, "%s\n", pp_error());
		return 1;
	}
	page_pool_put_bulk(pages, 32);
	page_pool_destroy(pool);
	return pp_zone_destroy(pp.zone) ? 1 : 0;
}
