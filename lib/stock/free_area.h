/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * free_area.h - what the zone lock protects: the pages that no cache and no user has
 *
 * A stack of pointers: bulk moves are one memcpy, and what was freed last, and is
 * warm, goes out first. Behind it lies the buddy, which gives the stack pages when it
 * runs empty, and gets them back when somebody wants a run of them: so merging costs
 * nothing where single pages come and go. The caller holds the zone's lock; count may
 * be read without.
 */
#ifndef PP_FREE_AREA_H
#define PP_FREE_AREA_H

#include "zone/buddy.h"
#include "base/internal.h"

struct free_area {
	void **obj;
	uint64_t count;
	uint64_t capacity;
	uint64_t refused; /* pages that came home twice, and did not fit any more */
	uint64_t moves; /* between here and cores' caches; see struct search */
	uint64_t refills; /* from the buddy */
	uint32_t seekers; /* of runs: what is free here stays in one place meanwhile */
	bool filter; /* there are isolated blocks: no page of theirs may stay here, or go out */
	struct buddy *buddy; /* NULL: a depot, or an inner zone (order.h) */
};

int free_area_init(struct free_area *area, uint64_t capacity);
void free_area_fini(struct free_area *area);

/* From the buddy, until there are @most, if there are so many; pages moved. */
unsigned int free_area_refill(struct free_area *area, unsigned int most);
/* Up to @n pages into the buddy, warmest first; pages moved. */
unsigned int free_area_spill(struct free_area *area, unsigned int n);
/*
 * Isolated pages among those from *@from on, at most @n looked at, into the buddy; true when
 * all have been seen. The lock may be dropped between the calls: what is pushed then is
 * filtered, and what is popped is taken off the top.
 */
bool free_area_sweep(struct free_area *area, uint64_t *from, unsigned int n);

/* An inner zone's area that filters: order.c gives its runs to the buddy of the outer zone. */
void free_area_pass_on(struct free_area *area, void *const *objs, unsigned int n);

/* filter: the slow halves of push and pop */
void free_area_push_filtered(struct free_area *area, void *const *objs, unsigned int n);
unsigned int free_area_pop_filtered(struct free_area *area, void **objs, unsigned int n);

static inline void free_area_push(struct free_area *area, void *const *objs, unsigned int n)
{
	if (unlikely(area->filter)) {
		free_area_push_filtered(area, objs, n);
		return;
	}
	/* more pages than there are: somebody freed twice; contain it, the audit tells */
	if (unlikely(area->count + n > area->capacity)) {
		area->refused += area->count + n - area->capacity;
		n = (unsigned int)(area->capacity - area->count);
	}
	memcpy(area->obj + area->count, objs, n * sizeof(*objs));
	compiler_barrier(); /* a process that dies here has given none */
	WRITE_ONCE(area->count, area->count + n);
}

/* takes up to @n, returns how many */
static inline unsigned int free_area_pop(struct free_area *area, void **objs, unsigned int n)
{
	if (unlikely(area->filter))
		return free_area_pop_filtered(area, objs, n);
	n = (unsigned int)min((uint64_t)n, area->count);
	WRITE_ONCE(area->count, area->count - n);
	if (likely(n)) /* of none there need not be an array */
		memcpy(objs, area->obj + area->count, n * sizeof(*objs));
	return n;
}

#endif /* PP_FREE_AREA_H */
