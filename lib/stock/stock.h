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

struct pp_zone_stats;

/*
 * A process attaches to memory of its own layout only. Increment this with each change of a field's
 * meaning. A change of a struct in memory that processes share shows by itself (base/layout.h).
 */
#define STOCK_LAYOUT 6u

/* Processes that may be listed at a time. */
#define SHARE_PROCESSES 64u

/*
 * The part of a stock that several processes use, each of which may die at any time. Stock and
 * share lie in memory that all of them map at the same address. Each process lists itself before
 * its first call. A lock's word names its holder, so that a waiter sees that the holder died, and
 * takes over.
 */
struct share {
	struct process_space space; /* of procs */
	uint64_t dropped; /* objects that dead processes took along, at most */
	uint32_t died; /* processes */
	process_id procs[SHARE_PROCESSES];

	/* a zone's: zone/recover.c */
	struct pp_lock settling; /* of process[].closed, and of the pages of the dead */
	bool broken; /* a process died while it had settling */
};

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
	bool watched; /* signal_safe or a shared zone's: its calls have a beginning and an end */
	bool jump_take; /* a zone's: its calls are struct pcp_zone_calls; atomic */
	bool jump_give;
	struct pcp *pcps;
	size_t stride; /* bytes from one cache to the next */
	unsigned int cores; /* caches; threads' if per_thread */
	uint32_t batch;
	uint32_t batch_max; /* what a streak of refills or flushes moves at once */
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
	bool closed; /* the bounds are closed, or about to be */

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

/* depot.c: struct pp_depot begins with its stock. */
static __always_inline struct stock *stock_of_depot(struct pp_depot *depot)
{
	return (struct stock *)depot;
}

static __always_inline bool stock_caches(const struct stock *stock, unsigned int n)
{
	return n <= READ_ONCE(stock->batch);
}

/* ---- past the caches: take.c ----------------------------------------------------------------- */

/* All of @n objects go back: a batch at a time, and past a cache that is closed. */
void stock_give_slow(struct stock *stock, void *const *objs, unsigned int n);

/* From the free area, and back there. */
unsigned int stock_take_area(struct stock *stock, void **objs, unsigned int n);
void stock_give_area(struct stock *stock, void *const *objs, unsigned int n);

/*
 * Drain one cache. @keep: objects that may stay; @force: visit it even if it looks empty.
 * Objects moved, or -ETIMEDOUT.
 */
long stock_drain_core(struct stock *stock, unsigned int core, uint32_t keep, uint32_t timeout_us,
		      bool force);
/* As pp_depot_drain(). */
long stock_drain_one(struct stock *stock, unsigned int core, unsigned int timeout_us);
/* Every cache. Objects moved; *@timeout becomes true if a holder did not let go in time. */
long stock_drain(struct stock *stock, uint32_t timeout_us, bool *timeout);
/* Every cache, one after the other, until there is enough. */
unsigned int stock_take_caches(struct stock *stock, void **objs, unsigned int n, bool *timeout);

/*
 * All of @n objects, of which @objs has @got, or none and -ENOBUFS; and back. What is more than a
 * batch goes past the caches: it comes from a cache above, and ours would only be in the way.
 */
int stock_get_slow(struct stock *stock, void **objs, unsigned int n, unsigned int got);
int stock_put_slow(struct stock *stock, void *const *objs, unsigned int n);

/* ---- a search that fails must have looked everywhere ----------------------------------------- */

/*
 * A search looks at one place after the other. It may fail only if no free object moved between the
 * places meanwhile: doc/design.md, "Why a short answer means that no page is free", has the marks
 * that moves leave.
 */
struct search {
	struct stock *stock;
	/* Up to @n objects from every place in turn; *@timeout: a holder did not let go in time. */
	unsigned int (*look)(const struct search *search, void **objs, unsigned int n,
			     bool *timeout);
	/*
	 * How often free objects moved, and whether some are on their way. Equal before and
	 * after a look, and none on their way after it: each object was in one place all the
	 * time, and was there when the search looked, unless another allocation took it.
	 */
	uint64_t (*moves)(const struct search *search, bool *on_their_way);
	/* Objects that seem to be free now: a gauge. NULL: not asked. */
	uint64_t (*seen)(const struct search *search);
};

/*
 * Look until there are @n, or a look that found too little is one that counts. A look is repeated
 * for at most the stock's drain_us. A holder that does not let go for as long ends it, too.
 */
unsigned int search_everywhere(const struct search *search, void **objs, unsigned int n);

/* Objects in the free area and the caches: a gauge. */
uint64_t stock_seen(const struct stock *stock);

/* ---- what the caches hold, and what they may: control.c -------------------------------------- */

/* Call @see() with all objects of the free area and the caches. No call runs in the stock. */
void stock_walk(struct stock *stock, void (*see)(void *arg, void *const *objs, uint64_t n),
		void *arg);
/* free, cached, batch, high and the counters; under the lock. */
void stock_stats(struct stock *stock, struct pp_zone_stats *stats);

/* As pp_depot_pcp_set(), pp_depot_pcp_disable() and pp_depot_pcp_enable(). */
int stock_set(struct stock *stock, uint32_t high, uint32_t batch);
int stock_disable(struct stock *stock, unsigned int timeout_us);
void stock_enable(struct stock *stock);

/* Under control: what each cache may hold. */
static inline void stock_bounds(struct stock *stock, uint32_t high_min, uint32_t high_max,
				uint32_t batch)
{
	struct pcp *pcp;
	unsigned int i;

	WRITE_ONCE(stock->batch, batch);
	for (i = 0; i < stock->cores; i++) {
		pcp = stock_pcp(stock, i);
		WRITE_ONCE(pcp->batch, batch);
		WRITE_ONCE(pcp->high_min, high_min);
		/* seq_cst: pairs with llist.c's push, which reserves before it looks */
		__atomic_store_n(&pcp->high_max, high_max, __ATOMIC_SEQ_CST);
		WRITE_ONCE(pcp->high, high_min);
	}
}

static inline void stock_open_caches(struct stock *stock)
{
	stock_bounds(stock, stock->saved_high_min, stock->saved_high_max, stock->saved_batch);
	WRITE_ONCE(stock->closed, false);
}

/* ---- signal handlers, which may not wait: signal.c; base/handler.h has the rule -------------- */

static __always_inline void stock_call_begin(const struct stock *stock)
{
	if (unlikely(stock->signal_safe))
		handler_call_begin();
}

static __always_inline void stock_call_end(const struct stock *stock)
{
	if (unlikely(stock->signal_safe))
		handler_call_end();
}

/* stock_lock() of a stock that signal handlers use. */
bool stock_lock_safe(struct stock *stock);
/* A handler that may not lock leaves pages for the next holder. */
void stock_defer(struct stock *stock, void *const *objs, unsigned int n);
/* A step of a call that goes on, or a call by a thread: no handler drains or trims. */
bool stock_step_begin(const struct stock *stock);
void stock_step_end(bool began);
/* In a call: it is a signal handler's, which may not wait, nor drain or trim; see handler.h. */
bool stock_in_handler(const struct stock *stock);

/* ---- processes that share a stock: share.c --------------------------------------------------- */

/* Both all zero but for the stock's caches, which are made. */
void share_init(struct stock *stock, struct share *share);

/* This process uses @stock from now on; as pp_depot_attach(). */
int share_attach(struct stock *stock);
void share_detach(struct stock *stock);
unsigned int share_processes(const struct stock *stock);

/* Free what processes held that died; how many died so far. 0: @stock is not shared. */
uint32_t share_recover(struct stock *stock);

/* A lock of a stock that processes share, also if a dead process has it. */
void share_lock(struct stock *stock, struct pp_lock *lock);
/* The lock of a stock that another thread, or another process, has. */
void stock_lock_slow(struct stock *stock);
/* barrier_rseq(), for the threads of every attached process */
bool stock_fence(struct stock *stock, unsigned int cpu);

/* Take over a lock that a dead process holds; only one of its heirs succeeds. */
static inline bool share_inherit(uint32_t *word, process_id dead)
{
	uint32_t w = READ_ONCE(*word);

	return w && LOCK_PID(w) == process_pid(dead) &&
	       __atomic_compare_exchange_n(word, &w, lock_word | (w & LOCK_SLEEPERS), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline bool share_inherit_lock(struct pp_lock *lock, process_id dead)
{
	if (!share_inherit(&lock->word, dead))
		return false;
	lock_wanted(); /* pp_unlock() takes that back */
	return true;
}

/* Objects on their way to the free area stand in both: they are lost with their holder. */
static inline void share_drop(uint32_t *count, uint64_t *lost)
{
	count_add_shared(*lost, *count);
	WRITE_ONCE(*count, 0);
}

static inline uint32_t share_died(const struct stock *stock)
{
	return stock->share ? READ_ONCE(stock->share->died) : 0;
}

#endif /* PP_STOCK_H */
