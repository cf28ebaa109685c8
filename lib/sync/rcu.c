/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rcu.c - the drainer switches the list away under its one reader (Saenz Julienne 2022)
 *
 * The owner marks its section with two plain stores around a load of the live list.
 * The drainer puts an empty list in its place, makes the owner's CPU pass a barrier,
 * and waits until the section that may still use the old list has ended: then that
 * list is the drainer's. The owner is never kept out.
 *
 * Owner:   inside odd; compiler barrier; load list         either the owner has the new list,
 * Drainer: store list; membarrier; read inside             or the drainer sees it inside
 */
#include "../barrier.h"
#include "../zone.h"

static __always_inline struct pcp_list *pcp_enter(struct pp_zone *zone, struct pcp_guard *g)
{
	struct pcp *pcp = pcp_this_thread(zone);

	if (unlikely(!pcp))
		return NULL;
	g->inside = pcp->inside + 1;
	WRITE_ONCE(pcp->inside, g->inside);
	compiler_barrier(); /* pairs with the membarrier in pcp_seize() */
	g->pcp = pcp;
	/* pairs with the release in pcp_seize(): the spare is empty */
	return load_acquire(&pcp->list);
}

static __always_inline void pcp_exit(struct pcp_guard *g)
{
	/* pairs with the acquire in reader_left() */
	store_release(&g->pcp->inside, g->inside + 1);
}

static inline bool reader_left(const struct pcp *pcp)
{
	return !(pcp->old_inside & 1) || load_acquire(&pcp->inside) != pcp->old_inside;
}

static inline void switch_list(struct pcp *pcp)
{
	WRITE_ONCE(pcp->old, pcp->list); /* first: whoever counts must find its pages */
	store_release(&pcp->list, pcp->spare);
	pcp->fenced = false;
}

/* The old list's only reader has left: false if that can not be known in time. */
static inline bool old_is_ours(struct pcp *pcp, struct pcp_wait *wait)
{
	if (!pcp->fenced) {
		pcp->fenced =
			barrier_threads(); /* pairs with the compiler barrier in pcp_enter() */
		pcp->old_inside = load_acquire(&pcp->inside);
	}
	while (pcp->fenced && !reader_left(pcp)) {
		if (!pcp_wait(wait))
			return false;
	}
	return pcp->fenced;
}

/* The old list, which nobody uses any more, is empty: it is the next to be switched to. */
static inline void retire_old(struct pcp *pcp)
{
	pcp->spare = pcp->old;
	WRITE_ONCE(pcp->old, NULL);
}

/*
 * A wait that ends too early leaves the old list for the next drainer: it is not lost.
 * That one switches, too, or it would have looked at nothing that is in use.
 */
static inline struct pcp_list *pcp_seize(struct pcp *pcp, struct pcp_wait *wait)
{
	if (!pcp_lock_wait(&pcp->drain, wait))
		return NULL;
	if (pcp->old) {
		if (!old_is_ours(pcp, wait))
			goto gave_up;
		list_to_zone(pcp->zone, pcp->old, pcp->old->count);
		retire_old(pcp);
	}
	switch_list(pcp);
	if (old_is_ours(pcp, wait))
		return pcp->old;
gave_up:
	pp_unlock(&pcp->drain);
	return NULL;
}

static inline void pcp_release(struct pcp *pcp, struct pcp_list *list)
{
	(void)list; /* a drain takes all of it, and rcu is not for signal handlers: it is empty */
	retire_old(pcp);
	pp_unlock(&pcp->drain);
}

#define PCP_POLICY rcu
#define PCP_FLAGS  (PCP_THREAD_ONLY | PCP_WHOLE | PCP_SWITCHES)
#define PCP_PROBE  barrier_register
#define PCP_MASKS  false
#include "../pcp_impl.h"
