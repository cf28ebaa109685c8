/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * baseline.c - the same work without a pool
 *
 * They are what the price of a policy is counted from. All of them are inlined
 * into their loops, while a pool is called through a shared library: the
 * comparison favours the baseline.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define CAPACITY PP_BULK_MAX

struct stack {
	unsigned int lock;
	unsigned int n;
	struct pp_page *slot[CAPACITY];
} __attribute__((aligned(128)));

static __thread struct stack array;
static struct stack locked;
static struct pp_page *metadata;

/* the part of struct pp_page that an allocation resets */
struct fresh {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

_Static_assert(sizeof(struct fresh) == 16, "a page is reset with one 16-byte store");

int bench_baseline_init(void)
{
	unsigned int i;

	metadata = aligned_alloc(sizeof(*metadata), CAPACITY * sizeof(*metadata));
	if (!metadata) {
		bench_error("not enough memory for the baseline");
		return -1;
	}
	memset(metadata, 0, CAPACITY * sizeof(*metadata));
	for (i = 0; i < CAPACITY; i++)
		array.slot[i] = locked.slot[i] = &metadata[i];
	array.n = locked.n = CAPACITY;
	return 0;
}

void bench_baseline_exit(void)
{
	free(metadata);
	metadata = NULL;
}

/* The library does not know its counts when it is compiled; neither may these. */
static inline size_t slot_bytes(unsigned int n)
{
	size_t size = n * sizeof(struct pp_page *);

	__asm__("" : "+r"(size));
	return size;
}

static inline unsigned int stack_take(struct stack *st, struct pp_page **pages, unsigned int n)
{
	if (unlikely(st->n < n))
		return 0;
	st->n -= n;
	memcpy(pages, &st->slot[st->n], slot_bytes(n));
	return n;
}

static inline void stack_give(struct stack *st, struct pp_page *const *pages, unsigned int n)
{
	if (unlikely(st->n + n > CAPACITY))
		return;
	memcpy(&st->slot[st->n], pages, slot_bytes(n));
	st->n += n;
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

uint64_t bench_run_loop(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	uint64_t start = pp_cycles();

	(void)bulk;
	while (loops--)
		bench_use(s);
	return pp_cycles() - start;
}

/* a pair, as alloc and free are: the least that a lock in each of them costs */
uint64_t bench_run_lock(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	uint64_t start = pp_cycles();

	(void)bulk;
	while (loops--) {
		stack_lock(&locked);
		stack_unlock(&locked);
		bench_use(s);
		stack_lock(&locked);
		stack_unlock(&locked);
	}
	return pp_cycles() - start;
}

uint64_t bench_run_array(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		got = stack_take(&array, pages, bulk);
		s->shorts += got != bulk;
		bench_use(pages);
		stack_give(&array, pages, got);
		bench_use(&array);
	}
	return pp_cycles() - start;
}

uint64_t bench_run_array_prep(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	const struct fresh fresh = { .data_off = BENCH_HEADROOM };
	uint64_t start = pp_cycles();
	unsigned int got, i;

	while (loops--) {
		got = stack_take(&array, pages, bulk);
		s->shorts += got != bulk;
		for (i = 0; i < got; i++)
			memcpy((void *)pages[i], &fresh, sizeof(fresh));
		bench_use(pages);
		stack_give(&array, pages, got);
		bench_use(&array);
	}
	return pp_cycles() - start;
}
