/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack.h - pages on a stack: the least that can serve them, alone or under a lock
 *
 * All of it is inlined into its callers' loops, while a pool is called through a shared
 * library: the comparison favours the stack.
 */
#ifndef PPBENCH_STACK_H
#define PPBENCH_STACK_H

#include <string.h>

#include "bench.h"

struct stack {
	unsigned int lock;
	unsigned int n;
	struct pp_page *slot[BENCH_PAGES] __attribute__((aligned(128)));
} __attribute__((aligned(128)));

/* The library does not know its counts when it is compiled; neither may the stack. */
static inline size_t stack_bytes(unsigned int n)
{
	size_t size = n * sizeof(struct pp_page *);

	__asm__("" : "+r"(size));
	return size;
}

static inline void stack_fill(struct stack *st, struct pp_page *pages, unsigned int n)
{
	for (st->n = 0; st->n < n; st->n++)
		st->slot[st->n] = &pages[st->n];
}

static inline unsigned int stack_take(struct stack *st, void *pages, unsigned int n)
{
	if (unlikely(st->n < n))
		return 0;
	st->n -= n;
	memcpy(pages, &st->slot[st->n], stack_bytes(n));
	return n;
}

static inline void stack_give(struct stack *st, const void *pages, unsigned int n)
{
	if (unlikely(st->n + n > BENCH_PAGES))
		return;
	memcpy(&st->slot[st->n], pages, stack_bytes(n));
	st->n += n;
	bench_use(st);
}

static inline void stack_lock(struct stack *st)
{
	while (__atomic_exchange_n(&st->lock, 1, __ATOMIC_ACQUIRE))
		continue;
}

static inline void stack_unlock(struct stack *st)
{
	__atomic_store_n(&st->lock, 0, __ATOMIC_RELEASE);
}

/* the part of struct pp_page that an allocation resets */
struct fresh {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

_Static_assert(sizeof(struct fresh) == 16, "a page is reset with one 16-byte store");

static inline void stack_prepare(void *const *pages, unsigned int n)
{
	const struct fresh fresh = { .data_off = BENCH_HEADROOM };
	unsigned int i;

	for (i = 0; i < n; i++)
		memcpy(pages[i], &fresh, sizeof(fresh));
}

#endif /* PPBENCH_STACK_H */
