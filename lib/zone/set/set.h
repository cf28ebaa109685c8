/* SPDX-License-Identifier: BSD-3-Clause */
/* set/set.h - struct pp_zone_set, for zone/set/ and pool/ */
#ifndef PP_ZONE_SET_INTERNAL_H
#define PP_ZONE_SET_INTERNAL_H

#include <pagepool/zone_set.h>

#include "base/ring.h"
#include "zone/zone.h"

/* A node's zone and counters. An allocation that stays on its node writes none of them. */
struct set_node {
	struct pp_zone *zone; /* NULL: none there */
	uint64_t miss __line_aligned; /* atomic, like the others */
	uint64_t foreign;
	uint64_t failures;
} __line_aligned;

struct pp_zone_set {
	uint32_t flags;
	int rows; /* nodes 0 .. rows - 1 are known */
	unsigned int stride; /* pointers in a row of @order, a NULL at the end among them */
	struct pp_zone **order; /* a row a node */
	unsigned int cpus;
	uint8_t *of_cpu; /* node of each CPU */
	uint64_t mask;
	struct set_node *node;
};

/* The thread's node, by a table of CPUs: cheaper than getcpu(); before Linux 6.3 rseq has none. */
static __always_inline int node_here(const struct pp_zone_set *set)
{
	unsigned int cpu = (unsigned int)this_cpu();

	return set->of_cpu[likely(cpu < set->cpus) ? cpu : 0];
}

/* The zones that an allocation preferring @node looks in; never empty. */
static __always_inline struct pp_zone *const *fallback_row(const struct pp_zone_set *set, int node)
{
	if (unlikely((unsigned int)node >= (unsigned int)set->rows))
		node = node_here(set);
	return set->order + (size_t)node * set->stride;
}

/* By the place of its metadata, without a look at the page: its line is cold. */
static __always_inline bool zone_has(const struct pp_zone *zone, const struct pp_page *page)
{
	return (uintptr_t)page - (uintptr_t)zone->pages < zone->managed * sizeof(*page);
}

/* The same for @n pages, without a branch for each. */
static inline bool zone_has_all(const struct pp_zone *zone, struct pp_page *const *pages,
				unsigned int n)
{
	uintptr_t last = zone->managed * sizeof(**pages) - 1, outside = 0, at;
	unsigned int i;

	for (i = 0; i < n; i++) {
		at = (uintptr_t)pages[i] - (uintptr_t)zone->pages;
		/* negative: the page lies before the table, or behind its last byte */
		outside |= at | (last - at);
	}
	return (intptr_t)outside >= 0;
}

/* pp_zone_set_alloc_bulk_node() without the preparation, for pools */
unsigned int zones_take(struct pp_zone_set *set, int node, void **objs, unsigned int n);

/*
 * ring_consume(), but only up to the first page that is not of @zone, which is taken,
 * too: *@foreign, NULL if there was none.
 */
static inline unsigned int ring_consume_of(struct pp_ring *ring, const struct pp_zone *zone,
					   void **objs, unsigned int n, struct pp_page **foreign)
{
	uint32_t head = ring->head, k, i;
	void *obj;

	*foreign = NULL;
	if (ring->tail_seen - head < n) {
		/* pairs with the release in ring_produce(): slots before tail are written */
		ring->tail_seen = load_acquire(&ring->tail);
	}
	k = min(n, ring->tail_seen - head);
	for (i = 0; i < k; i++) {
		obj = ring->slot[(head + i) & (ring->size - 1)];
		if (unlikely(!zone_has(zone, obj))) {
			*foreign = obj;
			break;
		}
		objs[i] = obj;
	}
	/* pairs with the acquire in ring_produce(): slots before head are read */
	store_release(&ring->head, head + i + !!*foreign);
	return i;
}

#endif /* PP_ZONE_SET_INTERNAL_H */
