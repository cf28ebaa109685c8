/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * free_area.h - what the zone lock protects: the pages that no cache and no user has
 *
 * A stack of pointers: bulk moves are one memcpy, and what was freed last, and is
 * warm, goes out first. The caller holds the zone's lock; count may be read without.
 */
#ifndef PP_FREE_AREA_H
#define PP_FREE_AREA_H

#include "internal.h"

struct free_area {
	void **obj;
	uint64_t count;
	uint64_t capacity;
	uint64_t refused; /* pages that came home twice, and did not fit any more */
};

int free_area_init(struct free_area *area, uint64_t capacity);
void free_area_fini(struct free_area *area);

static inline void free_area_push(struct free_area *area, void *const *objs, unsigned int n)
{
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
	n = (unsigned int)min((uint64_t)n, area->count);
	WRITE_ONCE(area->count, area->count - n);
	memcpy(objs, area->obj + area->count, n * sizeof(*objs));
	return n;
}

#endif /* PP_FREE_AREA_H */
