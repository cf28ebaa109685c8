/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * llist.c - a lock-free list: neither owner nor drainer ever waits, and both pay by the page
 *
 * The links are indices in a table of the stock, not in the pages, which users may write: a link
 * that is read late is stale but never wild. The head's tag changes with every success (ABA).
 */
#include "stock/hold.h"

static inline uint32_t link_of(const struct stock *stock, const void *obj)
{
	return (uint32_t)((const struct pp_page *)obj - stock->pages) + 1;
}

static inline bool head_swap(struct pcp *pcp, uint64_t *head, uint32_t top)
{
	uint64_t next = ((*head >> 32) + 1) << 32 | top;

	/* release: pairs with the acquire of a later take, here and in llist_take() */
	return __atomic_compare_exchange_n(&pcp->llist.head, head, next, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* up to @n pages, all of @n or none if @all */
static unsigned int llist_take(struct stock *stock, struct pcp *pcp, void **objs, unsigned int n,
			       bool all)
{
	uint64_t head = load_acquire(&pcp->llist.head);
	unsigned int k;
	uint32_t i;

	do {
		i = (uint32_t)head;
		for (k = 0; k < n && i; k++) {
			objs[k] = &stock->pages[i - 1];
			i = READ_ONCE(stock->links[i - 1]);
		}
		if (!k || (all && k < n))
			return 0;
	} while (!head_swap(pcp, &head, i));
	__atomic_fetch_sub(&pcp->list->count, k, __ATOMIC_RELAXED);
	return k;
}

static unsigned int core_pop(struct stock *stock, void **objs, unsigned int n)
{
	struct pcp *pcp = pcp_this(stock);

	return pcp ? llist_take(stock, pcp, objs, n, true) : 0;
}

/*
 * The room is reserved before the pages are linked: so a closed cache, which counts as
 * full, stays empty but for pushes that were on their way.
 */
static bool core_push(struct stock *stock, void *const *objs, unsigned int n)
{
	struct pcp *pcp = pcp_this(stock);
	uint32_t reserved;
	uint64_t head;
	unsigned int i;

	if (!pcp || READ_ONCE(pcp->list->count) + n > pcp_limit(pcp))
		return false;
	/* seq_cst: pairs with the load in do_drain() */
	reserved = __atomic_add_fetch(&pcp->list->count, n, __ATOMIC_SEQ_CST);
	if (reserved > READ_ONCE(pcp->high) ||
	    reserved > __atomic_load_n(&pcp->high_max, __ATOMIC_SEQ_CST)) {
		__atomic_fetch_sub(&pcp->list->count, n, __ATOMIC_RELAXED);
		return false;
	}
	for (i = 0; i + 1 < n; i++)
		WRITE_ONCE(stock->links[link_of(stock, objs[i]) - 1], link_of(stock, objs[i + 1]));
	head = READ_ONCE(pcp->llist.head);
	do
		WRITE_ONCE(stock->links[link_of(stock, objs[n - 1]) - 1], (uint32_t)head);
	while (!head_swap(pcp, &head, link_of(stock, objs[0])));
	return true;
}

/*
 * Not empty until its count says so: a push that has reserved its room is on its way.
 * Under the stock's lock, so that no search misses pages on theirs.
 */
static __always_inline long do_drain(struct stock *stock, struct pcp *pcp, uint32_t keep,
				     uint32_t timeout_us, const bool traced)
{
	struct pcp_wait wait = { .timeout_us = timeout_us };
	uint32_t count, k;
	void *batch[64];
	long moved = 0;

	/* seq_cst: once high_max is 0 we see the reservation, or the push sees that it is closed */
	while ((count = __atomic_load_n(&pcp->list->count, __ATOMIC_SEQ_CST)) > keep) {
		if (!stock_lock(stock))
			return moved;
		k = llist_take(stock, pcp, batch, min(count - keep, 64u), false);
		free_area_push(&stock->area, batch, k);
		count_add(stock->area.moves, !!k);
		stock_unlock(stock);
		moved += k;
		if (moved >= pcp->capacity)
			break;
		if (!k && !pcp_wait(&wait))
			return moved ? moved : -ETIMEDOUT;
	}
	return moved;
}

/* Not what was only reserved: those pages are on their way here. */
static unsigned int llist_count(const struct pcp *pcp)
{
	return (uint32_t)READ_ONCE(pcp->llist.head) ? READ_ONCE(pcp->list->count) : 0;
}

static void llist_walk(const struct pcp *pcp, void (*see)(void *arg, void *const *objs, uint64_t n),
		       void *arg)
{
	const struct stock *stock = pcp->stock;
	uint32_t i = (uint32_t)pcp->llist.head, left = pcp->list->count;
	void *obj;

	for (; i && left; left--, i = stock->links[i - 1]) {
		obj = &stock->pages[i - 1];
		see(arg, &obj, 1);
	}
}

#define PCP_POLICY  llist
#define PCP_FLAGS   (PCP_CORE_ONLY | PCP_SIGNAL_SAFE | PCP_WHOLE | PCP_LINKS)
#define PCP_PROBE   NULL
#define PCP_COUNT   llist_count
#define PCP_WALK    llist_walk
#define PCP_RECOVER NULL
#include "stock/pcp_lockless_impl.h"
#include "stock/pcp_table_impl.h"
