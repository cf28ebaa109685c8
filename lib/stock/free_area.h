/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * free_area.h - what a stock's lock protects: the objects that no cache and no user has
 *
 * A stack of pointers. A bulk move is one memcpy, and what was freed last, and is warm, goes out
 * first. A zone that must look at each page, or that keeps them elsewhere, sets ops for as long.
 * The caller holds the stock's lock; count may be read without.
 */
#ifndef PP_FREE_AREA_H
#define PP_FREE_AREA_H

#include "base/internal.h"

struct free_area;
struct pcp;

/*
 * In place of the plain stack. @objs may lie in the area's own array, from count on:
 * push() reads each of them before it writes there.
 */
struct area_ops {
	void (*push)(struct free_area *area, void *const *objs, unsigned int n);
	/* Up to @n objects; how many. */
	unsigned int (*pop)(struct free_area *area, void **objs, unsigned int n);
	/* How many of @want objects may go to a cache now. */
	unsigned int (*spare)(const struct free_area *area, unsigned int want);
};

struct free_area {
	void **obj;
	uint64_t count;
	uint64_t capacity;
	uint64_t refused; /* objects that came home twice, and did not fit any more */
	uint64_t moves; /* between here and cores' caches; see struct search */
	const struct area_ops *ops; /* NULL: the stack alone; always so in memory that is shared */
	uint64_t listed; /* more objects, in lists of caches that were handed over: hand.c */
	struct pcp *handed; /* the caches that these are of */

	/* a zone's */
	uint64_t refills; /* from the buddy */
	uint32_t seekers; /* of runs: what is free here stays in one place meanwhile */
};

/* 0 or -ENOMEM with pp_error(). */
static inline int free_area_init(struct free_area *area, uint64_t capacity)
{
	area->obj = map_zeros(capacity * sizeof(*area->obj), "a free area");
	area->capacity = capacity;
	return area->obj ? 0 : -ENOMEM;
}

static inline void free_area_fini(struct free_area *area)
{
	unmap_zeros(area->obj, area->capacity * sizeof(*area->obj));
}

static inline void free_area_push(struct free_area *area, void *const *objs, unsigned int n)
{
	if (unlikely(area->ops)) {
		area->ops->push(area, objs, n);
		return;
	}
	/* more objects than there are: a double free; contain it, the audit tells */
	if (unlikely(area->count + n > area->capacity)) {
		area->refused += area->count + n - area->capacity;
		n = (unsigned int)(area->capacity - area->count);
	}
	memcpy(area->obj + area->count, objs, n * sizeof(*objs));
	compiler_barrier(); /* a process that dies here has given none */
	WRITE_ONCE(area->count, area->count + n);
}

/* What is free here: a gauge without the lock. */
static inline uint64_t free_area_count(const struct free_area *area)
{
	return READ_ONCE(area->count) + READ_ONCE(area->listed);
}

/* Up to @n objects of lists that were handed over; how many. */
unsigned int free_area_pop_listed(struct free_area *area, void **objs, unsigned int n);
/* Onto the stack; how many. */
unsigned int free_area_gather(struct free_area *area, unsigned int n);
/* @pcp's other list has @n objects more, which are free here. */
void free_area_list(struct free_area *area, struct pcp *pcp, unsigned int n);
/* Call @see() with all objects, in lists or not. */
void free_area_walk(const struct free_area *area,
		    void (*see)(void *arg, void *const *objs, uint64_t n), void *arg);

/* takes up to @n, returns how many */
static inline unsigned int free_area_pop(struct free_area *area, void **objs, unsigned int n)
{
	unsigned int listed = 0;

	if (unlikely(area->ops))
		return area->ops->pop(area, objs, n);
	/* first: a list that is empty serves the next drain of its cache */
	if (unlikely(area->listed))
		listed = free_area_pop_listed(area, objs, n);
	n = (unsigned int)min((uint64_t)(n - listed), area->count);
	WRITE_ONCE(area->count, area->count - n);
	if (likely(n)) /* of none there need not be an array */
		memcpy(objs + listed, area->obj + area->count, n * sizeof(*objs));
	return listed + n;
}

/* How many of @n objects fit. */
static inline unsigned int free_area_room(const struct free_area *area, unsigned int n)
{
	return (unsigned int)min((uint64_t)n, area->capacity - area->count);
}

/*
 * A cache's list that cannot be written in place takes objects from, and gives them to, the array
 * itself, from count on. lend() takes up to @n off, and says how many; restore() puts @n there.
 */
static inline unsigned int free_area_lend(struct free_area *area, unsigned int n)
{
	if (unlikely(area->ops && !area->count))
		return area->ops->pop(area, area->obj, free_area_room(area, n));
	n = (unsigned int)min((uint64_t)n, area->count);
	WRITE_ONCE(area->count, area->count - n);
	return n;
}

static inline void free_area_restore(struct free_area *area, unsigned int n)
{
	if (unlikely(area->ops))
		area->ops->push(area, area->obj + area->count, n);
	else
		WRITE_ONCE(area->count, area->count + n);
}

#endif /* PP_FREE_AREA_H */
