/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stock.h - objects at rest: the cores' caches, the free area behind them, and its lock
 *
 * A zone and a depot are built on it. A stock knows neither pages nor processes beyond what its
 * policy needs: a free object is a pointer. A stock may lie in memory that processes share, so it
 * holds no address of code.
 */
#ifndef PP_STOCK_H
#define PP_STOCK_H

#include "base/handler.h"
#include "base/slot.h"
#include "stock/free_area.h"
#include "stock/pcp.h"

struct share;
struct pp_zone_stats;

/*
 * free + cached + in_flight == all its objects, where free is the area's count, cached is what
 * the caches have, and in_flight is what is left.
 */
struct stock {
	/* read only after creation */
	uint8_t policy; /* of pcp_policies */
	bool traced;
	uint8_t ops; /* of the policy's: traced, or with OPS_FAULT; atomic */
	bool per_thread;
	bool signal_safe;
	struct pcp *pcps;
	size_t stride; /* bytes from one cache to the next */
	unsigned int cores; /* caches; threads' if per_thread */
	uint32_t batch;
	uint32_t drain_us;
	char name[32];
	struct share *share; /* of the processes that use it; NULL: this one alone */

	uint8_t order; /* a zone's: which of its stocks it is, objects are runs of 2^order pages */

	/* llist: index of the object below each, plus one, and the first object; else NULL */
	uint32_t *links;
	struct pp_page *pages;

	/* by any thread, rarely */
	uint64_t alloc_failures __line_aligned;
	uint64_t drains;
	uint64_t drained_pages;
	uint64_t drain_timeouts;
	uint64_t fallbacks;

	/* freed by handlers that could not take the lock; see stock_lock() */
	struct pp_page *deferred;

	/* what the caches may hold: one change at a time */
	struct pp_lock control;
	unsigned int disabled;
	uint32_t saved_high_min; /* what it was before it was disabled */
	uint32_t saved_high_max;
	uint32_t saved_batch;

	/* what the lock protects */
	struct pp_lock lock __line_aligned;
	struct free_area area;
	uint64_t allocs; /* past the caches */
	uint64_t frees;
} __line_aligned;

static __always_inline const struct pcp_policy *stock_policy(const struct stock *stock)
{
	return pcp_policies[stock->policy];
}

/* Looked up, not kept: a stock that processes share holds no address of code. */
static __always_inline const struct pcp_ops *stock_ops(const struct stock *stock)
{
	return &stock_policy(stock)->ops[READ_ONCE(stock->ops)];
}

static __always_inline struct pcp *stock_pcp(const struct stock *stock, unsigned int core)
{
	return pcp_at(stock->pcps, stock->stride, core);
}

/* The cache of this core or thread; NULL if it has none. A core's is a hint: lock before use. */
static __always_inline struct pcp *pcp_this(const struct stock *stock)
{
	unsigned int i = unlikely(stock->per_thread) ? this_slot() : (unsigned int)this_cpu();

	return likely(i < stock->cores) ? stock_pcp(stock, i) : NULL;
}

/* The same for policies with caches that belong to threads. */
static __always_inline struct pcp *pcp_this_thread(const struct stock *stock)
{
	unsigned int i = this_slot();

	return likely(i < stock->cores) ? stock_pcp(stock, i) : NULL;
}

/* What a drain of @pcp would find: a gauge, racy. */
static inline unsigned int pcp_count(const struct pcp *pcp)
{
	return stock_policy(pcp->stock)->count(pcp);
}

static inline unsigned int pcp_index(const struct pcp *pcp)
{
	return (unsigned int)(((uintptr_t)pcp - (uintptr_t)pcp->stock->pcps) / pcp->stock->stride);
}

#endif /* PP_STOCK_H */
