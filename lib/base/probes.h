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

/* A pool that ended got pages back: @inflight are still out. */
static __always_inline void probe_page_pool_release(const void *pool, int64_t inflight,
						    uint64_t hold, uint64_t release)
{
	if (PROBE_ON(page_pool_release))
		PROBE4(page_pool_release, pool, inflight, hold, release);
}

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

/* A pool prefers another node from now on. */
static __always_inline void probe_page_pool_update_nid(const void *pool, int old, int nid)
{
	if (PROBE_ON(page_pool_update_nid))
		PROBE3(page_pool_update_nid, pool, old, nid);
}

/* A core's cache was drained: @moved pages, or -ETIMEDOUT. */
static __always_inline void probe_zone_drain(const void *zone, unsigned int core, long moved)
{
	if (PROBE_ON(zone_drain))
		PROBE3(zone_drain, zone, core, moved);
}

/* A block of @n pages was accepted, or could not be: @err. */
static __always_inline void probe_zone_accept(const void *zone, uint64_t block, uint64_t n, int err)
{
	if (PROBE_ON(zone_accept))
		PROBE4(zone_accept, zone, block, n, err);
}

#endif /* PP_PROBES_H */
