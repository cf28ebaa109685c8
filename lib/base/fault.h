/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - allocations that fail on purpose
 *
 * Off, nothing asks: a pool comes here by POOL_FAULT among the reasons to leave its fast path, a
 * zone by another table of its policy (stock.ops).
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

/* Pools and zones are what PAGEPOOL_FAULT says, once; 0, or -EINVAL: it cannot be understood. */
int fault_from_env(void);

/*
 * A pool or a zone is in its registry now. @arm_all tells all of its kind whether @point is on:
 * here if it is, and at each change from now on.
 */
void fault_joined(enum fault_point point, void (*arm_all)(bool on));

extern __thread bool zone_fault __attribute__((__visibility__("hidden")));

/*
 * The thread's allocation of @n from a zone is to fail, which *@failures counts: its cache is not
 * asked, and the slow side, which this sends it to, gives up at once.
 */
bool zone_fault_hit(uint64_t *failures, unsigned int n);

static inline bool zone_fault_taken(void)
{
	bool fault = zone_fault;

	zone_fault = false;
	return fault;
}

#endif /* PP_FAULT_INTERNAL_H */
