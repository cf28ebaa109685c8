/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/debug.c - a word for each object: in or out, by which lcore, since when
 *
 * rte_mempool takes any address. The ledger is a table of the addresses of a pool's objects. An
 * address that it lacks is foreign; an object that comes back twice was freed twice. Neither gets
 * into the pool. Objects are only ever added, so a look takes no lock.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_malloc.h>

#include "dpdk_mempool/known.h"

#define LOG_MOST 16u /* lines about a kind of misuse */

/* A mark: the object is out; the lcore; the time in units of 2^TIME_SHIFT cycles. */
#define MARK_OUT   (1ull << 63)
#define LCORE_BITS 15
#define LCORE_MASK ((1u << LCORE_BITS) - 1)
#define TIME_SHIFT 10

_Static_assert(LEDGER_LCORES <= LCORE_MASK, "an lcore does not fit into a mark");

struct entry {
	uintptr_t object; /* 0: none */
	uint64_t mark; /* of the last call */
};

struct ledger {
	unsigned int shift; /* of a hash: 64 - the table's bits */
	uint64_t double_free;
	uint64_t foreign;
	struct entry entry[];
};

static uint64_t table_size(const struct ledger *ledger)
{
	return 1ull << (64 - ledger->shift);
}

struct ledger *ledger_create(unsigned int objects, int socket)
{
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(2ull * objects | 1);
	struct ledger *ledger;

	ledger = rte_zmalloc_socket("pagepool", sizeof(*ledger) + (sizeof(struct entry) << bits),
				    64, socket);
	if (ledger)
		ledger->shift = 64 - bits;
	return ledger;
}

/* The entry of @obj, or the empty one that would take it. */
static struct entry *entry_find(const struct ledger *ledger, const void *obj)
{
	uint64_t at = (uintptr_t)obj * 0x9e3779b97f4a7c15ull >> ledger->shift;
	const struct entry *e;
	uintptr_t there;

	for (;; at = (at + 1) & (table_size(ledger) - 1)) {
		e = &ledger->entry[at];
		there = __atomic_load_n(&e->object, __ATOMIC_RELAXED);
		if (!there || there == (uintptr_t)obj)
			return (struct entry *)(uintptr_t)e;
	}
}

void ledger_clear(struct ledger *ledger)
{
	memset(ledger->entry, 0, table_size(ledger) * sizeof(*ledger->entry));
}

void ledger_add(struct ledger *ledger, void *const *objs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		__atomic_store_n(&entry_find(ledger, objs[i])->object, (uintptr_t)objs[i],
				 __ATOMIC_RELAXED);
}

static uint64_t mark_now(uint64_t out)
{
	unsigned int lcore = RTE_MIN(rte_lcore_id(), (unsigned int)RTE_MAX_LCORE);

	return out | (rte_rdtsc() >> TIME_SHIFT << LCORE_BITS & ~MARK_OUT) | lcore;
}

static struct holder mark_read(const struct entry *e, uint64_t mark)
{
	uint64_t then = (mark & ~MARK_OUT) >> LCORE_BITS << TIME_SHIFT, now = rte_rdtsc();

	return (struct holder){
		.object = (const void *)e->object,
		.lcore = mark & LCORE_MASK,
		.ms = now > then ? (now - then) * 1000 / rte_get_tsc_hz() : 0,
	};
}

/* For the log: "by lcore 3, 12 ms ago". */
static void mark_describe(char *text, size_t size, const struct entry *e, uint64_t mark)
{
	struct holder h = mark_read(e, mark);

	if (!mark)
		snprintf(text, size, "never taken");
	else if (h.lcore == RTE_MAX_LCORE)
		snprintf(text, size, "by a thread that is no lcore, %" PRIu64 " ms ago", h.ms);
	else
		snprintf(text, size, "by lcore %u, %" PRIu64 " ms ago", h.lcore, h.ms);
}

static void log_misuse(uint64_t *count, const char *name, const void *obj, const char *what,
		       const char *before)
{
	uint64_t n = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);

	if (n < LOG_MOST)
		MEMPOOL_LOG(ERR, "pool %s: object %p %s%s%s", name, obj, what, before,
			    n + 1 == LOG_MOST ? "; more of these are counted only" : "");
}

void ledger_taken(struct ledger *ledger, const char *name, void *const *objs, unsigned int n)
{
	uint64_t mark = mark_now(MARK_OUT), before;
	struct entry *e;
	unsigned int i;
	char text[64];

	for (i = 0; i < n; i++) {
		e = entry_find(ledger, objs[i]);
		if (!e->object)
			continue;
		before = __atomic_exchange_n(&e->mark, mark, __ATOMIC_RELAXED);
		if (!(before & MARK_OUT))
			continue;
		mark_describe(text, sizeof(text), e, before);
		log_misuse(&ledger->double_free, name, objs[i],
			   "was handed out twice; before: ", text);
	}
}

unsigned int ledger_given(struct ledger *ledger, const char *name, void *const *objs,
			  unsigned int n, void **good)
{
	uint64_t mark = mark_now(0), before;
	unsigned int i, k = 0;
	struct entry *e;
	char text[64];

	for (i = 0; i < n; i++) {
		e = entry_find(ledger, objs[i]);
		if (!e->object) {
			log_misuse(&ledger->foreign, name, objs[i],
				   "does not belong to it: not taken; look for a free to the wrong "
				   "pool",
				   "");
			continue;
		}
		before = __atomic_exchange_n(&e->mark, mark, __ATOMIC_RELAXED);
		if (before & MARK_OUT) {
			good[k++] = objs[i];
			continue;
		}
		mark_describe(text, sizeof(text), e, before);
		log_misuse(&ledger->double_free, name, objs[i],
			   "is free already: double free, not taken; freed before: ", text);
	}
	return k;
}

void ledger_counts(const struct ledger *ledger, uint64_t *double_free, uint64_t *foreign)
{
	*double_free = __atomic_load_n(&ledger->double_free, __ATOMIC_RELAXED);
	*foreign = __atomic_load_n(&ledger->foreign, __ATOMIC_RELAXED);
}

void ledger_walk(const struct ledger *ledger, void (*see)(void *arg, const struct holder *holder),
		 void *arg)
{
	struct holder holder;
	uint64_t i, mark;

	for (i = 0; i < table_size(ledger); i++) {
		mark = __atomic_load_n(&ledger->entry[i].mark, __ATOMIC_RELAXED);
		if (!(mark & MARK_OUT))
			continue;
		holder = mark_read(&ledger->entry[i], mark);
		see(arg, &holder);
	}
}
