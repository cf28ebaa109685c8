/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * area.c - the stack of single pages, and the buddy behind it
 *
 * The buddy gives the stack pages when it runs empty, and gets them back when a run of them is
 * asked for. So merging costs nothing where single pages come and go. While blocks are isolated, a
 * page of theirs that enters or leaves the stack goes to the buddy, which keeps it.
 */
#include "zone/zone.h"

/* Pages that go from the stack into the buddy for each hold of the stock's lock. */
#define SPILL 1024u

unsigned int area_refill(struct pp_zone *zone, unsigned int most)
{
	struct free_area *area = &zone->stock->area;
	unsigned int n;

	most = (unsigned int)min((uint64_t)most, area->capacity);
	if (free_area_count(area) >= most)
		return 0;
	n = buddy_take(&zone->buddy, area->obj + area->count,
		       most - (unsigned int)free_area_count(area));
	WRITE_ONCE(area->count, area->count + n);
	count_add(area->refills, !!n);
	return n;
}

bool area_sweep(struct pp_zone *zone, uint64_t *from, unsigned int n)
{
	struct free_area *area = &zone->stock->area;

	for (; n && *from < area->count; n--) {
		if (!page_isolated(&zone->buddy, area->obj[*from])) {
			++*from;
			continue;
		}
		buddy_free(&zone->buddy, area->obj[*from], 0);
		/* the top fills the hole, and is looked at next */
		WRITE_ONCE(area->count, area->count - 1);
		area->obj[*from] = area->obj[area->count];
	}
	return *from >= area->count;
}

void zone_spill(struct pp_zone *zone)
{
	struct free_area *area = &zone->stock->area;
	uint64_t left = free_area_count(area);
	unsigned int n;

	/* bounded: others may be putting more on the stack meanwhile */
	while (left) {
		stock_lock(zone->stock);
		if (!area->count)
			free_area_gather(area, SPILL);
		left = min(left, free_area_count(area));
		for (n = 0; n < SPILL && area->count && left; n++, left--) {
			WRITE_ONCE(area->count, area->count - 1);
			buddy_free(&zone->buddy, area->obj[area->count], 0);
		}
		stock_unlock(zone->stock);
	}
}

/* ---- while blocks are isolated --------------------------------------------------------------- */

static inline struct pp_zone *area_zone(struct free_area *area)
{
	return container_of(area, struct pp_zone, stock[0].area);
}

static void __coldpath isolating_push(struct free_area *area, void *const *objs, unsigned int n)
{
	struct buddy *buddy = &area_zone(area)->buddy;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (page_isolated(buddy, objs[i])) {
			buddy_free(buddy, objs[i], 0);
		} else if (unlikely(area->count == area->capacity)) {
			area->refused++;
		} else {
			area->obj[area->count] = objs[i];
			WRITE_ONCE(area->count, area->count + 1);
		}
	}
}

static unsigned int __coldpath isolating_pop(struct free_area *area, void **objs, unsigned int n)
{
	struct buddy *buddy = &area_zone(area)->buddy;
	unsigned int got = 0;
	void *page;

	while (got < n && (area->count || free_area_gather(area, n))) {
		if (!area->count) /* all that was gathered is isolated */
			continue;
		WRITE_ONCE(area->count, area->count - 1);
		page = area->obj[area->count];
		if (page_isolated(buddy, page))
			buddy_free(buddy, page, 0);
		else
			objs[got++] = page;
	}
	return got;
}

/* What a cache took would not be looked at again. */
static unsigned int isolating_spare(const struct free_area *area, unsigned int want)
{
	return 0;
}

const struct area_ops isolating_ops = { isolating_push, isolating_pop, isolating_spare };
