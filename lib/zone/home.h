/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/home.h - a page that comes home, or leaves */
#ifndef PP_ZONE_HOME_H
#define PP_ZONE_HOME_H

#include "zone/poison.h"
#include "zone/zone.h"

/*
 * Each path home that touches the page's line marks the page. pp_zone_free_bulk() does so in debug
 * builds only: it moves pointers, and the line would cost more than the rest of the call. A zone
 * without prep hands pages out as they are: its pages are marked in pools only.
 */
static __always_inline void page_mark_home(const struct pp_zone *zone, struct pp_page *page)
{
	if (likely(zone->prep))
		WRITE_ONCE(page->next, NEXT_HOME);
}

/* Count a put of a page that is at home; aborts in debug builds. */
void page_put_twice(struct pp_page *page);

/* A page of no pool is given back. False: it is at home already, and stays where it is. */
static __always_inline bool page_comes_home(const struct pp_zone *zone, struct pp_page *page)
{
	if (unlikely(page_is_home(page))) {
		page_put_twice(page);
		return false;
	}
	page_mark_home(zone, page);
	return true;
}

/* Of flags, in debug builds: a page is home, or it is not; both at once is a double free. */
#define DEBUG_HOME 1

static inline void page_goes_home(struct pp_zone *zone, struct pp_page *page)
{
	if (!PP_DEBUG)
		return;
	BUG_ON(page->zone != zone, page);
	if (__atomic_exchange_n(&page->flags, DEBUG_HOME, __ATOMIC_RELAXED) == DEBUG_HOME)
		page_put_twice(page);
	BUG_ON(READ_ONCE(page->refs) != 1, page);
	BUG_ON(READ_ONCE(page->pp_refs) != 1, page);
	BUG_ON(page->pool, page);
	BUG_ON(page->owner, page);
	page_mark_home(zone, page);
}

static inline void page_leaves_home(struct pp_zone *zone, struct pp_page *page)
{
	if (!PP_DEBUG)
		return;
	BUG_ON(page->zone != zone, page);
	BUG_ON(__atomic_exchange_n(&page->flags, 0, __ATOMIC_RELAXED) != DEBUG_HOME, page);
}

#endif /* PP_ZONE_HOME_H */
