/* SPDX-License-Identifier: BSD-3-Clause */
/* page_pool.h - struct page_pool, for page_pool*.c */
#ifndef PP_PAGE_POOL_INTERNAL_H
#define PP_PAGE_POOL_INTERNAL_H

#include <pagepool/page_pool.h>

#include "ring.h"
#include "zone.h"
#include "zone_set.h"

/* Set in the release counter when the pool has ended: its last page then brings it to this. */
#define POOL_ENDED ((uint64_t)1 << 63)

/* No thread has this number. */
#define NO_OWNER 0

/*
 * hold - release == cache + ring + outstanding, where hold counts the pages taken
 * from the zone, and release those given back.
 */
struct page_pool {
	/* read mostly */
	struct pp_zone *zone; /* of a set: any one */
	struct pp_zone_set *set; /* NULL: there is @zone only */
	int nid; /* PP_NODE_ANY: where the owner is */
	enum pp_numa numa;
	uint64_t owner; /* pp_self() of the owner; atomic */
	uint32_t cache_size;
	uint32_t refill;
	uint32_t order;
	struct page_fresh fresh;
	char name[32];
	struct page_pool *next; /* registry.h */

	/* by anybody, rarely */
	uint64_t release __line_aligned; /* atomic */
	uint64_t released_ref;
	uint64_t wrong_owner;

	struct pp_ring ring;

	/* the owner's */
	uint32_t count __line_aligned;
	uint64_t hold;
	uint64_t fast;
	uint64_t slow;
	uint64_t slow_ho;
	uint64_t empty;
	uint64_t refilled;
	uint64_t waived;
	uint64_t failures;
	uint64_t cached;
	uint64_t cache_full;
	struct pp_page *cache[] __line_aligned; /* coldest first */
};

#endif /* PP_PAGE_POOL_INTERNAL_H */
