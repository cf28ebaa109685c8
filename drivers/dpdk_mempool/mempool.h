/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/mempool.h - what the parts of librte_mempool_pagepool.so share */
#ifndef PP_DPDK_MEMPOOL_H
#define PP_DPDK_MEMPOOL_H

#include <stdbool.h>

#include <rte_log.h>
#include <rte_mempool.h>

#include <pagepool/depot.h>

/*
 * The plugin is linked with no library, and a program without mempools has none of these. In EAL's
 * directory the plugin is loaded into such a program, too.
 */
#pragma weak rte_mempool_register_ops
#pragma weak rte_mempool_ops_table
#pragma weak rte_mempool_lookup
#pragma weak rte_mempool_walk

extern int mempool_logtype;

#define MEMPOOL_LOG(level, fmt, ...) \
	rte_log(RTE_LOG_##level, mempool_logtype, "PAGEPOOL: " fmt "\n", ##__VA_ARGS__)

/* A number that no pool takes. */
#define MEMPOOL_INVALID UINT32_MAX

struct ledger;

/*
 * rte_mempool.pool_data: what goes with a depot, in memory that all processes map at the
 * same address. magic is first: another plugin's pool is told by it.
 */
struct mempool {
	uint64_t magic;
	uint64_t stamp; /* of this pool and no earlier one at the same address */
	uint16_t place; /* in each process's table of the pools that it knows */
	struct ledger *ledger; /* pagepool_debug; else NULL */
	uint64_t failures; /* gets that found less than they asked for */
	uint64_t missing; /* at the end: objects that did not come home */
	bool dry; /* the last get before the end failed */
	unsigned int died; /* processes that were found dead */
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

/* The pool of a mempool that uses our ops in this process; NULL with a line in the log. */
struct mempool *mempool_of(const struct rte_mempool *mp);
bool mempool_is_ours(const struct rte_mempool *mp);

/* Look for dead processes, and say so. */
void mempool_recover(const struct rte_mempool *mp, struct mempool *pool);

extern const struct rte_mempool_ops mempool_plain_ops;
extern const struct rte_mempool_ops mempool_debug_ops;

/* In a child: it has to attach for itself. */
void mempool_forked(void);

/* ---- dpdk_mempool/debug.c: one bit an object, in release programs ---------------------------- */

/* 0 or -ENOMEM. For at most @objects; free with rte_free(). */
struct ledger *ledger_create(unsigned int objects, int socket);
void ledger_add(struct ledger *ledger, void *const *objs, unsigned int n);
void ledger_complete(struct ledger *ledger);
void ledger_taken(struct ledger *ledger, const char *name, void *const *objs, unsigned int n);
/*
 * Copies to @good what may be put back; how many. The others, which are foreign or home
 * already, are named in the log.
 */
unsigned int ledger_given(struct ledger *ledger, const char *name, void *const *objs,
			  unsigned int n, void **good);
void ledger_counts(const struct ledger *ledger, uint64_t *double_free, uint64_t *foreign);

/* ---- dpdk_mempool/telemetry.c ---------------------------------------------------------------- */

void mempool_telemetry_register(void);

/* ---- dpdk_mempool/config.c ------------------------------------------------------------------- */

/* Settings of pools that are made later; from the environment, or set by telemetry. */
struct mempool_config {
	char policy[16];
	uint32_t high;
	uint32_t batch;
};

extern struct mempool_config mempool_config;

void mempool_log_register(void);
void mempool_config_read(void);

/*
 * Reads the digits that *@text begins with, up to @end, and moves *@text behind them. False: other
 * characters, no digits, or more than 32 bits.
 */
bool mempool_parse(const char **text, char end, uint32_t *number);

#endif /* PP_DPDK_MEMPOOL_H */
