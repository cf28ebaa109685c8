/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/debug.h - the ledger: one bit an object, in release programs */
#ifndef PP_DPDK_MEMPOOL_DEBUG_H
#define PP_DPDK_MEMPOOL_DEBUG_H

#include <stdint.h>

struct ledger;

/* 0 or -ENOMEM. For at most @objects; free with rte_free(). */
struct ledger *ledger_create(unsigned int objects, int socket);
void ledger_add(struct ledger *ledger, void *const *objs, unsigned int n);
void ledger_complete(struct ledger *ledger);
void ledger_taken(struct ledger *ledger, const char *name, void *const *objs, unsigned int n);
/*
 * Copies to @good the objects that may be put back; RETURN: how many. The log names the others,
 * which are foreign or free already.
 */
unsigned int ledger_given(struct ledger *ledger, const char *name, void *const *objs,
			  unsigned int n, void **good);
void ledger_counts(const struct ledger *ledger, uint64_t *double_free, uint64_t *foreign);

#endif /* PP_DPDK_MEMPOOL_DEBUG_H */
