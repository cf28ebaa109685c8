/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp.h - the per-core page cache, and the policy that guards it
 *
 * A policy is four verbs (see pcp_impl.h); what they are compiled into is a
 * struct pcp_ops, which a zone chooses once. Lock order: cache, then zone; never two
 * caches.
 */
#ifndef PP_PCP_H
#define PP_PCP_H

#include "internal.h"

struct pp_zone;
struct pcp_trace;

/*
 * The pages themselves, coldest first. Who may touch a list is the policy's
 * business. Invariant, outside a hold: count <= pcp.high.
 */
struct pcp_list {
	uint32_t count;
	void *obj[];
};

/*
 * high_min and high_max bound what tuning may make of high; equal, as now, they
 * mean that high is fixed. alloc_factor and free_count are the tuner's memory.
 */
struct pcp {
	uint32_t lock; /* the policy's */
	uint32_t want; /* drainers that wait; the owner keeps out while it is not 0 */
	struct pcp_list *list;
	uint32_t high;
	uint32_t batch;
	uint32_t high_min;
	uint32_t high_max;
	uint16_t free_count;
	uint8_t alloc_factor;
	struct pcp_trace *trace; /* NULL: zone not traced */

	/* written inside a hold only */
	uint64_t allocs;
	uint64_t frees;
	uint64_t refills;
	uint64_t flushes;
} __line_aligned;

/* One hold of a cache, from enter to exit. */
struct pcp_guard {
	struct pcp *pcp;
	uint64_t start; /* cycles, if traced */
};

/**
 * struct pcp_ops - a policy, compiled
 * @alloc_bulk: up to @n pages from this core's cache, refilling it from the zone; 0 if the cache
 *              could not be entered or the zone is empty
 * @free_bulk:  put @n <= batch pages into this core's cache; false if it could not be entered
 * @drain:      move at most a batch from @pcp to the zone, in one hold; pages moved, or -ETIMEDOUT
 */
struct pcp_ops {
	unsigned int (*alloc_bulk)(struct pp_zone *zone, void **objs, unsigned int n);
	bool (*free_bulk)(struct pp_zone *zone, void *const *objs, unsigned int n);
	long (*drain)(struct pp_zone *zone, struct pcp *pcp, uint32_t timeout_us);
};

struct pcp_policy {
	const char *name;
	struct pcp_ops plain;
	struct pcp_ops traced;
};

extern const struct pcp_policy pcp_trylock;
extern const struct pcp_policy pcp_spin;

/* A bounded wait for a holder: spin, then give the CPU away. */
struct pcp_wait {
	uint32_t timeout_us;
	uint32_t spins;
	uint64_t deadline_ns;
};

/* One more round; false when the time is over. */
bool pcp_wait(struct pcp_wait *wait);

struct pcp_config {
	uint32_t high;
	uint32_t batch;
	bool traced;
};

/* All cores' caches; a stride apart. NULL with pp_error() when there is no memory. */
struct pcp *pcp_create(unsigned int cores, const struct pcp_config *config, size_t *stride);
void pcp_free(struct pcp *pcps, unsigned int cores, size_t stride);

static __always_inline struct pcp *pcp_at(struct pcp *pcps, size_t stride, unsigned int core)
{
	return (struct pcp *)((char *)pcps + core * stride);
}

/* A gauge; pairs with nothing: racy. */
static inline unsigned int pcp_count(const struct pcp *pcp)
{
	return READ_ONCE(READ_ONCE(pcp->list)->count);
}

#endif /* PP_PCP_H */
