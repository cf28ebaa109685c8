/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/known.h - a mempool on a depot, and the pools that this process is attached to */
#ifndef PP_DPDK_MEMPOOL_KNOWN_H
#define PP_DPDK_MEMPOOL_KNOWN_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include <pagepool/depot.h>
#include <pagepool/error.h>

#include "dpdk_mempool/config.h"

#define MEMPOOL_MAGIC  0x31306c6f6f706770ull /* "pgpool01" */
#define MEMPOOL_PLACES 4096 /* more pools than EAL has memory zones for */

struct ledger;

/*
 * struct mempool - rte_mempool.pool_data: in front of a depot, in memory that all processes map at
 * the same address
 * @magic:    first, so that another plugin's pool is told from this one's
 * @stamp:    of this pool and no earlier one at the same address
 * @place:    in each process's table of the pools that it knows
 * @populating: objects arrive; a process that dies meanwhile leaves it set, which costs speed only
 * @ledger:   of pagepool_debug; else NULL
 * @failures: gets that found less than they asked for
 * @empty_before_end: the last get before rte_mempool_free() failed
 * @out_at_end: objects that rte_mempool_free() did not find
 * @died:     processes that were found dead
 * @lcore_cache_asked: rte_mempool.cache_size as the program chose it
 */
struct mempool {
	uint64_t magic;
	uint64_t stamp;
	uint16_t place;
	bool populating;
	struct ledger *ledger;
	uint64_t failures;
	uint64_t out_at_end;
	bool empty_before_end;
	unsigned int died;
	uint32_t lcore_cache_asked;
};

/* The depot follows. */
#define MEMPOOL_HEAD 128

static __rte_always_inline struct pp_depot *depot_of(const struct mempool *pool)
{
	return (struct pp_depot *)((uintptr_t)pool + MEMPOOL_HEAD);
}

static inline uint64_t adopted(const struct mempool *pool)
{
	return pp_depot_objects(depot_of(pool));
}

/*
 * Each at its place, with the calls of its policy as they are in this process. A place is not taken
 * from a pool that lives.
 * @one: the same stamp, if the pool takes depot_put_one() and depot_get_one(); else 0
 */
struct mempool_known {
	uint64_t stamp;
	uint64_t one;
	struct pp_depot_calls calls;
};

extern struct mempool_known mempool_table[MEMPOOL_PLACES] __attribute__((visibility("hidden")));

static __rte_always_inline struct mempool_known *mempool_known(const struct mempool *pool)
{
	return &mempool_table[pool->place];
}

static __rte_always_inline bool mempool_is_known(const struct mempool *pool)
{
	return likely(mempool_known(pool)->stamp == pool->stamp);
}

static __rte_always_inline bool mempool_takes_one(const struct mempool *pool)
{
	return mempool_known(pool)->one == pool->stamp;
}

/* The mempool uses the ops of this plugin in this process. */
bool mempool_is_ours(const struct rte_mempool *mp);
/* The pool of such a mempool; NULL with a line in the log: another plugin made it. */
struct mempool *mempool_of(const struct rte_mempool *mp);
/* Before this process's first get or put: 0 or -errno. */
int mempool_attach(const struct rte_mempool *mp, struct mempool *pool);
/* This process's calls take the long way, until the next of them; or as long as @populating. */
void mempool_forget(struct mempool *pool, bool populating);
/* Look for dead processes, and log them. */
void mempool_recover(const struct rte_mempool *mp, struct mempool *pool);
/* For a new pool. With too many pools two share a place, and the second's calls are slow. */
uint16_t mempool_free_place(void);
/* In a child: it has to attach for itself. */
void mempool_forget_all(void);

#endif /* PP_DPDK_MEMPOOL_KNOWN_H */
