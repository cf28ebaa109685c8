/* SPDX-License-Identifier: BSD-3-Clause */
/* compare/ours.c - zones and page_pools doing the work of `ppbench compare` */
#include <pagepool/page_pool.h>

#include "compare/compare.h"

#define WORK(name)	     zone_##name
#define WORK_GET(pool, o, n) pp_zone_alloc_bulk(pool, (struct pp_page **)(o), n)
#define WORK_PUT(pool, o, n) pp_zone_free_bulk(pool, (struct pp_page *const *)(o), n)
#include "compare/work_impl.h"

#define WORK(name)	     pool_##name
#define WORK_GET(pool, o, n) page_pool_alloc_bulk(pool, (struct pp_page **)(o), n)
#define WORK_PUT(pool, o, n) ((void)(pool), page_pool_put_bulk((struct pp_page **)(o), n))
#include "compare/work_impl.h"

/* a policy's cache, raw and with preparation, and a page_pool on top of the latter */
int cmp_ours_open(struct cmp_ours *o, struct cmp_rival *r, unsigned int *n, const char *policy)
{
	o->raw = bench_zone_open(policy, PP_ZONE_NO_PREP, 0);
	o->prep = bench_zone_open(policy, 0, 0);
	o->under_pool = bench_zone_open(policy, 0, 0);
	if (!o->raw || !o->prep || !o->under_pool)
		return -1;
	o->pool = bench_pool_open(o->under_pool, 0);
	if (!o->pool)
		return -1;
	cmp_add(r, n, CMP_ALL_RAW, zone_run, o->raw, "zone %s", policy);
	cmp_add(r, n, CMP_BIT(CMP_PREP), zone_run, o->prep, "zone %s", policy);
	cmp_add(r, n, CMP_BIT(CMP_PREP) | CMP_BIT(CMP_CROSS), pool_run, o->pool, "page_pool %s",
		policy);
	return 0;
}

int cmp_ours_close(struct bench *b, struct cmp_ours *o)
{
	int err = 0;

	page_pool_destroy(o->pool);
	err |= bench_zone_close(b, o->raw);
	err |= bench_zone_close(b, o->prep);
	err |= bench_zone_close(b, o->under_pool);
	return err;
}
