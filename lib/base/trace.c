/* SPDX-License-Identifier: BSD-3-Clause */
/* trace.c - histograms of windows, and the cycle counter they are measured in */
#include <stdlib.h>

#include "base/trace.h"

struct pcp_trace *trace_create(void)
{
	struct pcp_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		pp_set_error(ENOMEM, "no memory for a trace");
	return trace;
}

/* Values below TRACE_SUB have a bucket each; above, the top bits after the first choose. */
static unsigned int bucket_of(uint64_t v)
{
	unsigned int log, b;

	if (v < TRACE_SUB)
		return (unsigned int)v;
	log = 63 - (unsigned int)__builtin_clzll(v);
	b = (log - 2) * TRACE_SUB + (unsigned int)((v >> (log - 3)) & (TRACE_SUB - 1));
	return min(b, TRACE_BUCKETS - 1);
}

/* largest value that falls into bucket @b */
static uint64_t bucket_top(unsigned int b)
{
	unsigned int log;

	if (b < TRACE_SUB)
		return b;
	log = b / TRACE_SUB + 2;
	return (((uint64_t)TRACE_SUB + b % TRACE_SUB + 1) << (log - 3)) - 1;
}

static void raise_to(uint64_t *max, uint64_t v)
{
	uint64_t old = READ_ONCE(*max);

	while (old < v &&
	       !__atomic_compare_exchange_n(max, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void trace_window(struct pcp_trace *trace, uint64_t cycles, unsigned int pages)
{
	count_add_shared(trace->windows, 1);
	count_add_shared(trace->bucket[bucket_of(cycles)], 1);
	raise_to(&trace->max_cycles, cycles);
	raise_to(&trace->max_pages, pages);
}

void trace_mask(struct pcp_trace *trace, uint64_t cycles)
{
	count_add_shared(trace->masks, 1);
	count_add_shared(trace->mask_cycles, cycles);
}

void trace_add(struct pcp_trace *sum, const struct pcp_trace *trace)
{
	uint64_t n;
	unsigned int i;

	/* windows is the sum of the buckets as read, so that quantiles fit while others record */
	for (i = 0; i < TRACE_BUCKETS; i++) {
		n = READ_ONCE(trace->bucket[i]);
		sum->bucket[i] += n;
		sum->windows += n;
	}
	sum->max_cycles = max(sum->max_cycles, READ_ONCE(trace->max_cycles));
	sum->max_pages = max(sum->max_pages, READ_ONCE(trace->max_pages));
	sum->masks += READ_ONCE(trace->masks);
	sum->mask_cycles += READ_ONCE(trace->mask_cycles);
}

static uint64_t quantile(const struct pcp_trace *sum, uint64_t per_mille)
{
	uint64_t want = (sum->windows * per_mille + 999) / 1000, seen = 0;
	unsigned int i;

	if (!want)
		return 0;
	for (i = 0; i < TRACE_BUCKETS - 1; i++) {
		seen += sum->bucket[i];
		if (seen >= want)
			break;
	}
	return min(bucket_top(i), sum->max_cycles);
}

void trace_report(const struct pcp_trace *sum, struct pp_window_stats *windows)
{
	windows->windows = sum->windows;
	windows->median_cycles = quantile(sum, 500);
	windows->p99_cycles = quantile(sum, 990);
	windows->p999_cycles = quantile(sum, 999);
	windows->max_cycles = sum->max_cycles;
	windows->max_pages = sum->max_pages;
	windows->masks = sum->masks;
	windows->mask_cycles = sum->mask_cycles;
}

uint64_t pp_cycles(void)
{
	return cycles_now();
}

uint64_t pp_cycles_hz(void)
{
	static uint64_t hz;
	uint64_t c0, c1, t0, t1, known = READ_ONCE(hz);

	if (known)
		return known;
	t0 = now_ns();
	c0 = cycles_now();
	do {
		t1 = now_ns();
		c1 = cycles_now();
	} while (t1 - t0 < 10 * 1000 * 1000);
	known = (uint64_t)((double)(c1 - c0) * 1e9 / (double)(t1 - t0));
	WRITE_ONCE(hz, known);
	return known;
}
