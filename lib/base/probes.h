/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probes.h - static probes for bpftrace and perf: the kernel's four page_pool tracepoints,
 * drains and accepted blocks
 *
 * Each is a nop in the code, and a note in the ELF file that tells where it is and where its
 * arguments are. A tracer that attaches raises the probe's semaphore, too: without one, the
 * arguments are not computed, pages are not walked, and what is left is a load and a branch
 * at each call, none of which is on a path that serves from a cache. See doc/ppstat.md.
 */
#ifndef PP_PROBES_H
#define PP_PROBES_H

#include "base/internal.h"

#define PROBES(P)                  \
	P(page_pool_release)       \
	P(page_pool_state_release) \
	P(page_pool_state_hold) P(page_pool_update_nid) P(zone_drain) P(zone_accept)

#include "probe_ops.h" /* of probes/sdt, or of probes/none */

/* PROBE(N, NAME, N arguments): fires if a tracer is attached. The note has the arguments' types. */
#define PROBE(count, name, ...)                          \
	do {                                             \
		if (PROBE_ON(name))                      \
			PROBE##count(name, __VA_ARGS__); \
	} while (0)

/* @n pages left a pool; @release: how many had left it before them. */
static __always_inline void probe_page_pool_state_release(const void *pool,
							  struct pp_page *const *pages,
							  unsigned int n, uint64_t release)
{
	unsigned int i;

	if (!PROBE_ON(page_pool_state_release))
		return;
	for (i = 0; i < n; i++)
		PROBE4(page_pool_state_release, pool, pages[i], pages[i]->addr, release + i + 1);
}

/* @n pages came to a pool from its zone; @hold: how many had come before them. */
static __always_inline void probe_page_pool_state_hold(const void *pool,
						       struct pp_page *const *pages, unsigned int n,
						       uint64_t hold)
{
	unsigned int i;

	if (!PROBE_ON(page_pool_state_hold))
		return;
	for (i = 0; i < n; i++)
		PROBE4(page_pool_state_hold, pool, pages[i], pages[i]->addr, hold + i + 1);
}

#endif /* PP_PROBES_H */
