/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.c - processes that share a stock: attach, recover what the dead held, lock, fence
 *
 * What a dead process leaves is consistent after every single store, with one exception: a list
 * that is being moved to the free area may stand in both, and is dropped.
 */
#include "base/barrier.h"
#include "stock/stock.h"

/* How long a lock may stay taken before a waiter looks which process took it. */
#define SUSPECT_US 20000u

void share_init(struct stock *stock, struct share *share)
{
	unsigned int i;

	share->space = process_space();
	stock->share = share;
	stock->lock.shared = stock->control.shared = share->settling.shared = true;
	for (i = 0; i < stock->cores; i++)
		stock_pcp(stock, i)->drain.shared = true;
}

/* ---- the list of processes ------------------------------------------------------------------- */

static bool is_listed(const struct share *share, process_id id)
{
	unsigned int i;

	for (i = 0; i < SHARE_PROCESSES; i++) {
		if (READ_ONCE(share->procs[i]) == id)
			return true;
	}
	return false;
}

static bool list_process(struct share *share, process_id id)
{
	process_id none;
	unsigned int i;

	for (i = 0; i < SHARE_PROCESSES; i++) {
		none = 0;
		/* seq_cst: pairs with the barrier in stock_fence(); before our first sequence */
		if (__atomic_compare_exchange_n(&share->procs[i], &none, id, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

int share_attach(struct stock *stock)
{
	struct share *share = stock->share;
	const char *outside;
	process_id self;

	if (stock_policy(stock)->probe && stock_policy(stock)->probe())
		return -ENOTSUP;
	outside = process_outside(&share->space);
	if (outside)
		return pp_set_error(EXDEV,
				    "%s was built in another %s namespace: its "
				    "processes look dead from here; attach inside of it",
				    stock->name, outside);
	self = process_self();
	if (!self)
		return -errno;
	/*
	 * Listed first: a lock that is taken over names us, and if we died before we were listed
	 * no process would look for it.
	 */
	if (is_listed(share, self) || list_process(share, self)) {
		share_recover(stock);
		return 0;
	}
	share_recover(stock);
	if (list_process(share, self))
		return 0;
	return pp_set_error(ENOSPC, "%s: %u processes are attached, which is all there may be",
			    stock->name, SHARE_PROCESSES);
}

void share_detach(struct stock *stock)
{
	struct share *share = stock->share;
	process_id self = process_self();
	unsigned int i;

	for (i = 0; i < SHARE_PROCESSES; i++) {
		if (READ_ONCE(share->procs[i]) == self)
			store_release(&share->procs[i], 0);
	}
}

unsigned int share_processes(const struct stock *stock)
{
	unsigned int n = 0, i;

	for (i = 0; i < SHARE_PROCESSES; i++)
		n += READ_ONCE(stock->share->procs[i]) != 0;
	return n;
}

/* ---- what a dead process held ---------------------------------------------------------------- */

/* The dead was in other_list_is_free(): the list's objects are on top of the stack, too. */
static bool is_pushed(const struct free_area *area, const struct pcp *pcp)
{
	uint32_t n = pcp_handed(pcp);

	return n && n <= area->count &&
	       !memcmp(area->obj + area->count - n, pcp_handed_list(pcp)->obj,
		       n * sizeof(*area->obj));
}

/* What it knew of caches' lists follows from their counts. Under the lock that the dead held. */
static void __coldpath recover_area(struct stock *stock)
{
	struct pcp *pcp;
	unsigned int i;

	stock->area.handed = NULL;
	WRITE_ONCE(stock->area.listed, 0);
	for (i = 0; i < stock->cores; i++) {
		pcp = stock_pcp(stock, i);
		pcp->linked = false;
		if (is_pushed(&stock->area, pcp))
			WRITE_ONCE(pcp->hold.handed, pcp->hold.handed & 1);
		if (pcp_handed(pcp))
			free_area_list(&stock->area, pcp, pcp_handed(pcp));
	}
}

uint32_t share_recover(struct stock *stock)
{
	struct share *share = stock->share;
	unsigned int i, k;
	process_id dead;

	for (i = 0; share && i < SHARE_PROCESSES; i++) {
		dead = READ_ONCE(share->procs[i]);
		if (likely(!dead) || !process_is_dead(dead) || process_outside(&share->space))
			continue;
		if (share_inherit_lock(&stock->lock, dead)) {
			recover_area(stock);
			pp_unlock(&stock->lock);
		}
		if (share_inherit_lock(&stock->control, dead)) {
			if (stock->closed && !stock->disabled)
				stock_open_caches(stock); /* it was about to close them */
			pp_unlock(&stock->control);
		}
		if (share_inherit_lock(&share->settling, dead)) {
			WRITE_ONCE(share->broken, true);
			pp_unlock(&share->settling);
		}
		for (k = 0; k < stock->cores; k++)
			stock_policy(stock)->recover(stock_pcp(stock, k), dead, &share->dropped);
		/* last: as long as it is listed, other processes look for its locks */
		if (__atomic_compare_exchange_n(&share->procs[i], &dead, 0, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			count_add_shared(share->died, 1);
	}
	return share_died(stock);
}

/* ---- locks and the fence --------------------------------------------------------------------- */

void __coldpath share_lock(struct stock *stock, struct pp_lock *lock)
{
	while (!pp_lock_timed(lock, SUSPECT_US))
		share_recover(stock);
}

void __coldpath stock_lock_slow(struct stock *stock)
{
	if (stock->share)
		share_lock(stock, &stock->lock);
	else
		pp_lock_slow(&stock->lock);
}

static bool is_alone(struct stock *stock)
{
	unsigned int i;
	process_id id;

	share_recover(stock);
	for (i = 0; i < SHARE_PROCESSES; i++) {
		id = READ_ONCE(stock->share->procs[i]);
		if (id && process_pid(id) != LOCK_PID(lock_word))
			return false;
	}
	return true;
}

bool stock_fence(struct stock *stock, unsigned int cpu)
{
	if (!stock->share)
		return barrier_rseq(cpu);
	/*
	 * Pairs with the exchange in list_process(): either we see that process, or it sees the
	 * list that we switched to.
	 */
	full_barrier();
	return is_alone(stock) ? barrier_rseq(cpu) : barrier_visit(cpu);
}
