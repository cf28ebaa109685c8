/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/known.h - a mempool on a depot: its ops, its ledger, the pools that this process has
 * attached to, and the telemetry about them
 */
#ifndef PP_DPDK_MEMPOOL_KNOWN_H
#define PP_DPDK_MEMPOOL_KNOWN_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include <rte_lcore.h>
#include <rte_mempool.h>

#include <pagepool/depot.h>
#include <pagepool/error.h>

#include "dpdk_mempool/config.h"

#define MEMPOOL_MAGIC  0x31306c6f6f706770ull /* "pgpool01" */
#define MEMPOOL_PLACES 4096 /* more pools than EAL has memory zones for */

struct ledger;

extern const struct rte_mempool_ops mempool_plain_ops;
extern const struct rte_mempool_ops mempool_debug_ops;

/* Commands below /pagepool for dpdk-telemetry.py. */
void mempool_telemetry_register(void);

/* ---- a pool ---------------------------------------------------------------------------------- */

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
 * struct mempool_known - a pool that this process is attached to; a pool that lives keeps its place
 * @stamp: mempool.stamp; 0: the place is free
 * @one:   the same stamp, if the pool takes depot_put_one() and depot_get_one(); else 0
 * @calls: of the pool's policy, at their addresses in this process
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

/* True: the mempool uses the ops of this plugin in this process. */
bool mempool_is_ours(const struct rte_mempool *mp);
/* The pool of such a mempool; NULL, with a line in the log: another plugin made it. */
struct mempool *mempool_of(const struct rte_mempool *mp);
/* Attaches this process before its first get or put; 0 or -errno. */
int mempool_attach(const struct rte_mempool *mp, struct mempool *pool);
/* This process's calls take the long way until it attaches again, or as long as @populating. */
void mempool_forget(struct mempool *pool, bool populating);
/* Looks for dead processes of the pool, and logs how many there are. */
void mempool_recover(const struct rte_mempool *mp, struct mempool *pool);
/* A place for a new pool. With too many pools two share one, and the second's calls are slow. */
uint16_t mempool_free_place(void);
/* Runs in a child after fork(): the child attaches for itself. */
void mempool_forget_all(void);

/* ---- the ledger of pagepool_debug: a word for each object ------------------------------------ */

/* The lcores, and all other threads as one more. */
#define LEDGER_LCORES (RTE_MAX_LCORE + 1)

/* The last call on an object: a get, or a put. */
struct holder {
	const void *object;
	unsigned int lcore; /* LEDGER_LCORES - 1: a thread that is no lcore */
	uint64_t ms; /* ago */
};

/* For at most @objects; rte_free() frees it. NULL: there is no memory. */
struct ledger *ledger_create(unsigned int objects, int socket);
/* Forgets all objects. */
void ledger_clear(struct ledger *ledger);
/* Adds objects: one thread at a time, beside all other calls. */
void ledger_add(struct ledger *ledger, void *const *objs, unsigned int n);
/* Marks objects as out. The log names those that were out already. */
void ledger_taken(struct ledger *ledger, const char *name, void *const *objs, unsigned int n);
/*
 * Copies to @good the objects that may be put back; RETURN: how many. The log names the others,
 * which are foreign or free already.
 */
unsigned int ledger_given(struct ledger *ledger, const char *name, void *const *objs,
			  unsigned int n, void **good);
/* Out: double frees, and frees of objects of other pools. */
void ledger_counts(const struct ledger *ledger, uint64_t *double_free, uint64_t *foreign);
/* Calls @see for each object that is out. */
void ledger_walk(const struct ledger *ledger, void (*see)(void *arg, const struct holder *holder),
		 void *arg);

#endif /* PP_DPDK_MEMPOOL_KNOWN_H */
