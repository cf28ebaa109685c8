/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * user.cpp - the library from a C++ program, C++11 and later
 */
#include <cstdio>
#include <cstdint>

#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <pagepool/xsk.h>
#include <pagepool/zone.h>

/* the fields of libxdp's rings */
struct ring {
	uint32_t *producer;
	uint32_t *consumer;
	uint32_t *flags;
	void *ring;
	uint32_t size;
};

static bool rings_are_set()
{
	uint32_t words[4] = {};
	ring rings[4] = {};
	pp_xsk_params params{};

	for (unsigned int i = 0; i < 4; i++)
		rings[i].producer = &words[i];
	PP_XSK_SET_RINGS(&params, &rings[0], &rings[1], &rings[2], &rings[3]);
	return params.rx.producer == &words[0] && params.fill.producer == &words[1] &&
	       params.tx.producer == &words[2] && params.comp.producer == &words[3];
}

static bool list_goes_round(pp_zone *zone)
{
	pp_list list = PP_LIST_INIT;

	if (pp_zone_alloc_bulk_list(zone, 8, &list) != 8)
		return false;
	pp_zone_free_bulk_list(zone, &list);
	list = PP_LIST_INIT;
	return list.head == nullptr && !list.n;
}

static bool pool_goes_round(pp_zone *zone)
{
	page_pool_params params{};
	pp_page *pages[32];
	page_pool *pool;
	bool good;

	params.sz = sizeof(params);
	params.zone = zone;
	pool = page_pool_create(&params);
	good = pool && page_pool_alloc_bulk(pool, pages, 32) == 32;
	if (good)
		page_pool_put_bulk(pages, 32);
	page_pool_destroy(pool);
	return good;
}

int main()
{
	pp_zone_params params{};
	pp_zone_stats stats{};
	pp_audit audit{};
	pp_zone *zone;
	bool good;

	params.sz = sizeof(params);
	params.pages = 256;
	zone = pp_zone_create(&params);
	if (!zone) {
		fprintf(stderr, "%s\n", pp_error());
		return 1;
	}
	good = rings_are_set() && list_goes_round(zone) && pool_goes_round(zone);
	stats.sz = sizeof(stats);
	audit.sz = sizeof(audit);
	pp_zone_get_stats(zone, &stats);
	good = good && stats.managed == 256 && !pp_zone_audit(zone, &audit) && audit.home == 256;
	return pp_zone_destroy(zone) || !good;
}
