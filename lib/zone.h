/* SPDX-License-Identifier: BSD-3-Clause */
/* zone.h - struct pp_zone, for zone.c, page_pool.c and the policies */
#ifndef PP_ZONE_INTERNAL_H
#define PP_ZONE_INTERNAL_H

#include <pagepool/zone.h>

#include "free_area.h"
#include "memory.h"
#include "pcp.h"

/* What an allocation resets: the first 16 bytes of struct pp_page, in one store. */
struct page_fresh {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

_Static_assert(sizeof(struct pp_page) == 64, "a page's metadata is one cache line");
_Static_assert(sizeof(struct page_fresh) == 16, "reset with one store");
_Static_assert(offsetof(struct pp_page, addr) == sizeof(struct page_fresh), "reset comes first");

static __always_inline void page_prep(struct pp_page *page, const struct page_fresh *fresh)
{
	memcpy(page, fresh, sizeof(*fresh));
}

/*
 * free_area.count + cached + in_flight == managed; in_flight is what is left, nobody
 * counts it.
 */
struct pp_zone {
	/* read only after creation */
	struct pcp_ops ops;
	struct pcp *pcps;
	size_t pcp_stride;
	unsigned int cores;
	uint32_t batch;
	struct page_fresh fresh;
	bool prep;
	uint8_t shift;
	uint32_t drain_us;
	struct pp_page *pages;
	uint64_t managed;
	struct region region;
	uint32_t headroom;
	const struct pcp_policy *policy;
	char name[32];

	/* by anybody, rarely */
	uint64_t alloc_failures __line_aligned;
	uint64_t drains;
	uint64_t drained_pages;
	uint64_t drain_timeouts;
	uint64_t fallbacks;

	/* what the lock protects */
	struct pp_lock lock __line_aligned;
	struct free_area area;
	uint64_t allocs; /* past the caches */
	uint64_t frees;
} __line_aligned;

/* The cache of the core that we run on; NULL if it has none. A hint: lock before use. */
static __always_inline struct pcp *pcp_this(const struct pp_zone *zone)
{
	unsigned int core = (unsigned int)this_cpu();

	return likely(core < zone->cores) ? pcp_at(zone->pcps, zone->pcp_stride, core) : NULL;
}

/* pp_zone_alloc_bulk() without the preparation, for page_pool.c, which does its own */
unsigned int zone_take(struct pp_zone *zone, void **objs, unsigned int n);

/* Debug builds: a page is home, or it is not; both at once is a double free. */
#define PAGE_HOME 1

static inline void page_goes_home(struct pp_zone *zone, struct pp_page *page)
{
	if (!PP_DEBUG)
		return;
	BUG_ON(page->zone != zone, page);
	BUG_ON(__atomic_exchange_n(&page->flags, PAGE_HOME, __ATOMIC_RELAXED) == PAGE_HOME, page);
	BUG_ON(READ_ONCE(page->refs) != 1, page);
	BUG_ON(READ_ONCE(page->pp_refs) != 1, page);
	BUG_ON(page->pool, page);
	BUG_ON(page->owner, page);
}

static inline void page_leaves_home(struct pp_zone *zone, struct pp_page *page)
{
	if (!PP_DEBUG)
		return;
	BUG_ON(page->zone != zone, page);
	BUG_ON(__atomic_exchange_n(&page->flags, 0, __ATOMIC_RELAXED) != PAGE_HOME, page);
}

#endif /* PP_ZONE_INTERNAL_H */
