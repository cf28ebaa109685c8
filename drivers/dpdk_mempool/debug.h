/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/debug.h - the ledger: a word for each object, in release programs */
#ifndef PP_DPDK_MEMPOOL_DEBUG_H
#define PP_DPDK_MEMPOOL_DEBUG_H

#include <stdint.h>

#include <rte_lcore.h>

struct ledger;

/* The last call on an object: a get, or a put. */
struct holder {
	const void *object;
	unsigned int lcore; /* LEDGER_LCORES - 1: a thread that is no lcore */
	uint64_t ms; /* ago */
};

/* The lcores, and all other threads as one more. */
#define LEDGER_LCORES (RTE_MAX_LCORE + 1)

/* NULL: no memory. For at most @objects; free with rte_free(). */
struct ledger *ledger_create(unsigned int objects, int socket);
/* All objects are gone. */
void ledger_clear(struct ledger *ledger);
/* By one thread at a time, beside all other calls. */
void ledger_add(struct ledger *ledger, void *const *objs, unsigned int n);
void ledger_taken(struct ledger *ledger, const char *name, void *const *objs, unsigned int n);
/*
 * Copies to @good the objects that may be put back; RETURN: how many. The log names the others,
 * which are foreign or free already.
 */
unsigned int ledger_given(struct ledger *ledger, const char *name, void *const *objs,
			  unsigned int n, void **good);
void ledger_counts(const struct ledger *ledger, uint64_t *double_free, uint64_t *foreign);
/* Calls @see for each object that is out. */
void ledger_walk(const struct ledger *ledger, void (*see)(void *arg, const struct holder *holder),
		 void *arg);

#endif /* PP_DPDK_MEMPOOL_DEBUG_H */
