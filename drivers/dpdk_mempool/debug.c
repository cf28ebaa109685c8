/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/debug.c - a bit for each object: out, or home
 *
 * rte_mempool takes any address. The ledger has the addresses of a pool's objects, sorted, and a
 * bit for each. An address that it does not have is foreign; an object that comes back twice was
 * freed twice. Neither gets into the pool.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "dpdk_mempool/debug.h"
#include "dpdk_mempool/known.h"

/* lines of a kind in the log */
#define LOG_MOST 16u

struct ledger {
	uint32_t capacity;
	uint32_t objects;
	uint64_t double_free;
	uint64_t foreign;
	uint64_t *out; /* a bit an object */
	uintptr_t object[]; /* sorted once it is complete */
};

struct ledger *ledger_create(unsigned int objects, int socket)
{
	size_t bits = (objects + 63) / 64 * sizeof(uint64_t);
	size_t table = objects * sizeof(uintptr_t);
	struct ledger *ledger;

	ledger = rte_zmalloc_socket("pagepool", sizeof(*ledger) + table + bits, 64, socket);
	if (!ledger)
		return NULL;
	ledger->capacity = objects;
	ledger->out = (uint64_t *)&ledger->object[objects];
	return ledger;
}

void ledger_add(struct ledger *ledger, void *const *objs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && ledger->objects < ledger->capacity; i++)
		ledger->object[ledger->objects++] = (uintptr_t)objs[i];
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

void ledger_complete(struct ledger *ledger)
{
	qsort(ledger->object, ledger->objects, sizeof(*ledger->object), by_address);
}

/* Place in the table, or -1. */
static long find(const struct ledger *ledger, const void *obj)
{
	const uintptr_t *found =
		bsearch(&obj, ledger->object, ledger->objects, sizeof(*ledger->object), by_address);

	return found ? found - ledger->object : -1;
}

static void complain(uint64_t *count, const char *name, const void *obj, const char *what)
{
	uint64_t before = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);

	if (before < LOG_MOST)
		MEMPOOL_LOG(ERR, "pool %s: object %p %s%s", name, obj, what,
			    before + 1 == LOG_MOST ? "; more of these are counted only" : "");
}

void ledger_taken(struct ledger *ledger, const char *name, void *const *objs, unsigned int n)
{
	unsigned int i;
	uint64_t bit;
	long at;

	for (i = 0; i < n; i++) {
		at = find(ledger, objs[i]);
		if (at < 0)
			continue;
		bit = 1ull << at % 64;
		if (__atomic_fetch_or(&ledger->out[at / 64], bit, __ATOMIC_RELAXED) & bit)
			complain(&ledger->double_free, name, objs[i], "was handed out twice");
	}
}

unsigned int ledger_given(struct ledger *ledger, const char *name, void *const *objs,
			  unsigned int n, void **good)
{
	unsigned int i, k = 0;
	uint64_t bit;
	long at;

	for (i = 0; i < n; i++) {
		at = find(ledger, objs[i]);
		if (at < 0) {
			complain(&ledger->foreign, name, objs[i],
				 "does not belong to it: not taken; look for a free to the wrong "
				 "pool");
			continue;
		}
		bit = 1ull << at % 64;
		if (__atomic_fetch_and(&ledger->out[at / 64], ~bit, __ATOMIC_RELAXED) & bit)
			good[k++] = objs[i];
		else
			complain(&ledger->double_free, name, objs[i],
				 "is free already: double free, not taken");
	}
	return k;
}

void ledger_counts(const struct ledger *ledger, uint64_t *double_free, uint64_t *foreign)
{
	*double_free = __atomic_load_n(&ledger->double_free, __ATOMIC_RELAXED);
	*foreign = __atomic_load_n(&ledger->foreign, __ATOMIC_RELAXED);
}
