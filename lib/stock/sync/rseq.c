/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rseq.c - restartable sequences: no lock, no atomic, no wait for a preempted owner
 *
 * The kernel starts a sequence anew if the thread is preempted, migrated or interrupted before its
 * last store, which is the list's count (rseq_ops.h). A drainer swaps the list for an empty one and
 * fences that CPU.
 */
#include <rseq_ops.h>

#include "base/barrier.h"
#include "stock/stock.h"

static int rseq_probe(void)
{
	int err = rseq_registered();

	return err ? err : barrier_register_rseq();
}

static __always_inline unsigned int core_pop(struct stock *stock, void **objs, unsigned int n)
{
	n = rseq_pop(stock, objs, n);
	asm_acquired(stock);
	return n;
}

static __always_inline bool core_push(struct stock *stock, void *const *objs, unsigned int n)
{
	asm_releases(stock);
	return rseq_push(stock, objs, n);
}

/* The old list is ours once that CPU was fenced: false if the kernel would not. */
static inline bool old_is_ours(struct pcp *pcp, struct pcp_wait *wait)
{
	/* pairs with the restart of core_pop() and core_push() */
	if (!pcp->switched.fenced)
		pcp->switched.fenced = stock_fence(pcp->stock, pcp_index(pcp));
	if (pcp->switched.fenced)
		asm_acquired(pcp->stock);
	return pcp->switched.fenced;
}

#include "stock/sync/pcp_switch.h"

/* Before the fence nothing was moved out, and other threads may still be in the old list. */
static void rseq_recover(struct pcp *pcp, process_id dead, uint64_t *lost)
{
	struct pcp_list *old;

	if (!share_inherit_lock(&pcp->drain, dead))
		return;
	old = pcp->switched.old;
	if (old == pcp->list)
		WRITE_ONCE(pcp->switched.old, NULL); /* it was not even switched */
	else if (old && pcp->switched.fenced)
		share_drop(&old->count, lost);
	pp_unlock(&pcp->drain);
}

#define PCP_POLICY  rseq
#define PCP_FLAGS   (PCP_CORE_ONLY | PCP_SIGNAL_SAFE | PCP_WHOLE | PCP_SWITCHES | PCP_SHAREABLE)
#define PCP_PROBE   rseq_probe
#define PCP_COUNT   switched_count
#define PCP_WALK    switched_walk
#define PCP_RECOVER rseq_recover
#include "stock/pcp_lockless_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
