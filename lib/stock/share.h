/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.h - a stock that several processes use, each of which may die at any time
 *
 * The stock and its share lie in memory that all of them map at the same address. Each process
 * lists itself before its first call. A lock's word names its holder, so that a process that waits
 * too long can see that the holder died, and takes the lock over.
 */
#ifndef PP_SHARE_H
#define PP_SHARE_H

#include "base/process.h"
#include "stock/stock.h"

/* As many may be listed at a time. */
#define SHARE_PROCESSES 64u

struct share {
	struct process_space space; /* of procs */
	uint64_t dropped; /* objects that dead processes took along, at most */
	uint32_t died; /* processes */
	process_id procs[SHARE_PROCESSES];
};

/* Both all zero but for the stock's caches, which are made. */
void share_init(struct stock *stock, struct share *share);

/* This process uses @stock from now on; as pp_depot_attach(). */
int share_attach(struct stock *stock);
void share_detach(struct stock *stock);
unsigned int share_processes(const struct stock *stock);

/* Free what processes held that died; how many died so far. 0: @stock is not shared. */
uint32_t share_recover(struct stock *stock);

/* The lock of a stock that another thread, or another process, has. */
void stock_lock_slow(struct stock *stock);
/* barrier_rseq(), for the threads of every attached process */
bool stock_fence(struct stock *stock, unsigned int cpu);

/* Take over a lock that a dead process holds; only one of its heirs succeeds. */
bool share_inherit(uint32_t *word, process_id dead);

/* A list that is on its way to the free area stands in both: it is lost with its holder. */
static inline void share_drop_list(struct pcp_list *list, uint64_t *lost)
{
	count_add_shared(*lost, list->count);
	WRITE_ONCE(list->count, 0);
}

static inline uint32_t share_died(const struct stock *stock)
{
	return stock->share ? READ_ONCE(stock->share->died) : 0;
}

#endif /* PP_SHARE_H */
