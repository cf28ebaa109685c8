/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_lockless_impl.h - bulk allocation and free for caches that are never held
 *
 * The policy gives core_pop(zone, objs, n), all of @n or 0 pages from this core's cache,
 * and core_push(zone, objs, n), false if they do not fit. What lies between is done
 * under the zone's lock, so that no page is out of everybody's sight on its way.
 */
#include "base/trace.h"
#include "zone/zone.h"

static __always_inline void window_end(struct pp_zone *zone, uint64_t start, unsigned int pages)
{
	struct pcp *pcp = pcp_this(zone);

	if (pcp)
		trace_window(pcp->trace, cycles_now() - start, pages);
}

/* What the cache has is less than @n, or it has nothing: the zone, and some for the cache. */
static __noinline unsigned int refill(struct pp_zone *zone, void **objs, unsigned int n)
{
	struct pcp *pcp = pcp_this(zone);
	unsigned int got = 0, more;

	/* a look from outside: the list may change, or be another one, before the pop */
	more = pcp ? min(READ_ONCE(READ_ONCE(pcp->list)->count), n) : 0;
	if (more && core_pop(zone, objs, more))
		got = more;
	if (!pcp || !zone_lock(zone))
		return got;
	got += free_area_pop(&zone->area, objs + got, n - got);
	more = zone_spare(zone, min(READ_ONCE(pcp->batch), pcp_limit(pcp)));
	more = (unsigned int)min((uint64_t)more, zone->area.count);
	/* from one array into the other; they are taken off here before anybody sees them there */
	WRITE_ONCE(zone->area.count, zone->area.count - more);
	if (more && !core_push(zone, zone->area.obj + zone->area.count, more))
		WRITE_ONCE(zone->area.count, zone->area.count + more);
	count_add(zone->area.moves, !!more);
	zone_unlock(zone);
	count_add(pcp->refills, 1);
	return got;
}

static __noinline bool flush(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	struct pcp *pcp = pcp_this(zone);
	struct free_area *area = &zone->area;
	unsigned int k;

	if (!pcp || !zone_lock(zone))
		return false;
	k = (unsigned int)min((uint64_t)READ_ONCE(pcp->batch), area->capacity - area->count);
	if (k && core_pop(zone, area->obj + area->count, k)) {
		if (unlikely(area->filter)) /* in place: what it keeps moves down, if at all */
			free_area_push_filtered(area, area->obj + area->count, k);
		else
			WRITE_ONCE(area->count, area->count + k);
	}
	if (!core_push(zone, objs, n))
		free_area_push(&zone->area, objs, n);
	count_add(zone->area.moves, 1);
	zone_unlock(zone);
	count_add(pcp->flushes, 1);
	return true;
}

static __always_inline unsigned int do_alloc_bulk(struct pp_zone *zone, void **objs, unsigned int n,
						  const bool traced)
{
	uint64_t start = traced ? cycles_now() : 0;
	unsigned int got = n;

	if (unlikely(!core_pop(zone, objs, n)))
		got = refill(zone, objs, n);
	if (traced)
		window_end(zone, start, n);
	return got;
}

static __always_inline bool do_free_bulk(struct pp_zone *zone, void *const *objs, unsigned int n,
					 const bool traced)
{
	uint64_t start = traced ? cycles_now() : 0;
	bool done = core_push(zone, objs, n) || flush(zone, objs, n);

	if (traced)
		window_end(zone, start, n);
	return done;
}

static __noinline int depot_get_refill(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got = depot_caches(zone, n) ? refill(zone, objs, n) : 0;

	return likely(got == n) ? 0 : depot_get_slow(zone, objs, n, got);
}

/* One that fits needs no frame: the rest is jumped to. */
static int depot_get(struct pp_zone *zone, void **objs, unsigned int n)
{
	return likely(core_pop(zone, objs, n)) ? 0 : depot_get_refill(zone, objs, n);
}

static __noinline int depot_put_flush(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	return depot_caches(zone, n) && flush(zone, objs, n) ? 0 : depot_put_slow(zone, objs, n);
}

static int depot_put(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	return likely(core_push(zone, objs, n)) ? 0 : depot_put_flush(zone, objs, n);
}
