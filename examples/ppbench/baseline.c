/* SPDX-License-Identifier: BSD-3-Clause */
/* baseline.c - the same work without a pool: the price of a policy is counted from it */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "stack.h"

static __thread struct stack array;
static struct stack locked;
static struct pp_page *metadata;

int bench_baseline_init(void)
{
	metadata = bench_alloc(PP_BULK_MAX, sizeof(*metadata));
	if (!metadata)
		return -1;
	stack_fill(&array, metadata, PP_BULK_MAX);
	stack_fill(&locked, metadata, PP_BULK_MAX);
	return 0;
}

void bench_baseline_exit(void)
{
	free(metadata);
	metadata = NULL;
}

uint64_t bench_run_loop(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	uint64_t start = pp_cycles();

	(void)bulk;
	while (loops--)
		bench_use(s);
	return pp_cycles() - start;
}

/* a pair, as an allocation and a free have one each: the least that their locks cost */
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

static inline __attribute__((always_inline)) uint64_t
run_array(struct bench_subject *s, unsigned int bulk, unsigned long loops, const bool prep)
{
	void *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		got = stack_take(&array, pages, bulk);
		s->shorts += got != bulk;
		if (prep)
			stack_prepare(pages, got);
		bench_use(pages);
		stack_give(&array, pages, got);
	}
	return pp_cycles() - start;
}

uint64_t bench_run_array(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	return run_array(s, bulk, loops, false);
}

uint64_t bench_run_array_prep(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	return run_array(s, bulk, loops, true);
}
