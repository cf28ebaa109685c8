/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - allocations that fail on purpose
 *
 * While no fault is set, no allocation looks here: a pool comes by POOL_FAULT, one of its slow
 * reasons, a zone by another table of its policy (stock.ops).
 */
#ifndef PP_FAULT_INTERNAL_H
#define PP_FAULT_INTERNAL_H

#include <pagepool/fault.h>

#include "base/internal.h"

enum fault_point {
	FAULT_PAGE_POOL_ALLOC,
	FAULT_ZONE_ALLOC,
	NR_FAULTS,
};

/* True: this call is to fail. Counts it. */
bool fault_hit(enum fault_point point);

/* Set the faults that PAGEPOOL_FAULT names, once; 0, or -EINVAL: no fault has such a text. */
int fault_from_env(void);

/*
 * A pool or a zone has entered its registry. @arm_all tells all of its kind whether @point is on:
 * here if it is, and at each later change.
 */
void fault_joined(enum fault_point point, void (*arm_all)(bool on));

extern __thread bool zone_fault __attribute__((__visibility__("hidden")));

/*
 * True: the thread's allocation of @n from a zone is to fail, and is counted in *@failures. It
 * takes nothing from the cache, and the slow path gives up at once: zone_fault_taken().
 */
bool zone_fault_hit(uint64_t *failures, unsigned int n);

static inline bool zone_fault_taken(void)
{
	bool fault = zone_fault;

	zone_fault = false;
	return fault;
}

#endif /* PP_FAULT_INTERNAL_H */
