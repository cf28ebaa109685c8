/* SPDX-License-Identifier: BSD-3-Clause */
/* irqsave.c - block all signals, then take the lock: local_irq_save() of userspace */
#include <pthread.h>

#include "stock/sync/pcp_lock.h"

static __always_inline void irq_save(sigset_t *mask)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, mask);
	handler_use_mask(mask);
}

static __always_inline void irq_restore(const sigset_t *mask)
{
	handler_use_mask(NULL);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
}

static __always_inline struct pcp_objs pcp_enter(struct stock *stock, struct pcp_guard *g)
{
	struct pcp *pcp;

	irq_save(&g->mask);
	pcp = pcp_this(stock);
	if (unlikely(!pcp)) {
		irq_restore(&g->mask);
		return no_objs();
	}
	if (unlikely(!cache_trylock(pcp))) {
		/* a handler does not wait: the holder may need what the handler interrupted */
		if ((stock->signal_safe && in_handler()) || !pcp_lock_briefly(&pcp->lock)) {
			irq_restore(&g->mask);
			return no_objs();
		}
	}
	g->pcp = pcp;
	return held_objs(pcp);
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	cache_unlock(g->pcp);
	irq_restore(&g->mask);
}

/* A handler of the drainer may want this very cache: it must not come while we have it. */
static inline struct pcp_objs pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	sigset_t mask;

	irq_save(&mask);
	if (!seize_locked(pcp, wait).obj) {
		irq_restore(&mask);
		return no_objs();
	}
	pcp->irqsave.mask = mask;
	handler_use_mask(&pcp->irqsave.mask);
	return held_objs(pcp);
}

static inline void pcp_release(struct pcp *pcp, struct pcp_objs objs)
{
	sigset_t mask = pcp->irqsave.mask;

	cache_unlock(pcp);
	irq_restore(&mask);
}

#define PCP_POLICY  irqsave
#define PCP_FLAGS   (PCP_SIGNAL_SAFE | PCP_MASKS | PCP_HANDS)
#define PCP_PROBE   NULL
#define PCP_COUNT   held_count
#define PCP_WALK    held_walk
#define PCP_RECOVER NULL
#include "stock/pcp_impl.h"
#include "stock/pcp_drain_impl.h"
#include "stock/pcp_table_impl.h"
