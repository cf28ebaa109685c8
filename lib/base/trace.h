/* SPDX-License-Identifier: BSD-3-Clause */
/* trace.h - windows: how long a core's cache is closed to all other threads */
#ifndef PP_TRACE_H
#define PP_TRACE_H

#include <pagepool/stats.h>

#include "base/internal.h"

/* Eight buckets for each power of two: a quantile is at most 1/8 too large. */
#define TRACE_SUB     8u
#define TRACE_BUCKETS (TRACE_SUB * 42u)

struct pcp_trace {
	uint64_t windows;
	uint64_t max_cycles;
	uint64_t max_pages;
	uint64_t masks;
	uint64_t mask_cycles;
	uint64_t bucket[TRACE_BUCKETS];
};

/* To be freed; NULL with pp_error(). */
struct pcp_trace *trace_create(void);

/* After the hold, so that the window does not contain its own bookkeeping; any thread. */
void trace_window(struct pcp_trace *trace, uint64_t cycles, unsigned int pages);

/* What blocking and unblocking signals around one hold took. */
void trace_mask(struct pcp_trace *trace, uint64_t cycles);

/* @sum += @trace */
void trace_add(struct pcp_trace *sum, const struct pcp_trace *trace);
void trace_report(const struct pcp_trace *sum, struct pp_window_stats *windows);

#endif /* PP_TRACE_H */
