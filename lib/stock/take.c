/* SPDX-License-Identifier: BSD-3-Clause */
/* take.c - the ways past a core's cache: the free area, then every core's cache */
#include "base/probes.h"
#include "stock/hold.h"

/* ---- the free area --------------------------------------------------------------------------- */

unsigned int stock_take_area(struct stock *stock, void **objs, unsigned int n)
{
	unsigned int got;

	if (!stock_lock(stock))
		return 0;
	got = free_area_pop(&stock->area, objs, n);
	count_add(stock->allocs, got);
	stock_unlock(stock);
	return got;
}

void __coldpath stock_give_area(struct stock *stock, void *const *objs, unsigned int n)
{
	count_add_shared(stock->fallbacks, 1);
	if (!stock_lock(stock)) {
		stock_defer(stock, objs, n);
		return;
	}
	free_area_push(&stock->area, objs, n);
	count_add(stock->frees, n);
	stock_unlock(stock);
}

/* More than a batch: in parts, which bounds what one hold moves. */
void stock_give_slow(struct stock *stock, void *const *objs, unsigned int n)
{
	unsigned int k;

	for (; n; n -= k, objs += k) {
		k = min(n, READ_ONCE(stock->batch));
		if (unlikely(!stock_ops(stock)->free_bulk(stock, objs, k)))
			stock_give_area(stock, objs, k);
	}
}

/* ---- drains ---------------------------------------------------------------------------------- */

long stock_drain_core(struct stock *stock, unsigned int core, uint32_t keep, uint32_t timeout_us,
		      bool force)
{
	struct pcp *pcp = stock_pcp(stock, core);
	uint32_t died = share_died(stock);
	long moved = 0, k = 0;
	bool began;

	if (!force && pcp_count(pcp) <= keep)
		return 0;
	began = stock_step_begin(stock);
	/* bounded: an owner that keeps filling does not keep us */
	do {
		k = stock_ops(stock)->drain(stock, pcp, keep, timeout_us);
		moved += max(k, 0l);
	} while (k > 0 && !(stock_policy(stock)->flags & PCP_WHOLE) &&
		 moved < (long)pcp->capacity && pcp_count(pcp) > keep);
	stock_step_end(began);
	count_add_shared(stock->drains, 1);
	count_add_shared(stock->drained_pages, (uint64_t)moved);
	PROBE(3, zone_drain, stock, core, k < 0 ? k : moved);
	if (k >= 0)
		return moved;
	if (share_recover(stock) != died)
		return stock_drain_core(stock, core, keep, timeout_us, force);
	count_add_shared(stock->drain_timeouts, 1);
	return k;
}

long stock_drain_one(struct stock *stock, unsigned int core, unsigned int timeout_us)
{
	long moved;

	if (core >= stock->cores)
		return pp_set_error(EINVAL, "core %u has no cache: there are %u", core,
				    stock->cores);
	moved = stock_drain_core(stock, core, 0, timeout_us, false);
	if (moved < 0)
		return pp_set_error(ETIMEDOUT, "core %u's cache was held for more than %u us", core,
				    timeout_us);
	return moved;
}

long stock_drain(struct stock *stock, uint32_t timeout_us, bool *timeout)
{
	long moved = 0, k;
	unsigned int i;

	for (i = 0; i < stock->cores; i++) {
		k = stock_drain_core(stock, i, 0, timeout_us, false);
		*timeout |= k < 0;
		moved += max(k, 0l);
	}
	return moved;
}

unsigned int stock_take_caches(struct stock *stock, void **objs, unsigned int n, bool *timeout)
{
	unsigned int got = 0, i;
	long moved;

	for (i = 0; i < stock->cores && got < n; i++) {
		moved = stock_drain_core(stock, i, 0, stock->drain_us, false);
		*timeout |= moved < 0;
		if (moved)
			got += stock_take_area(stock, objs + got, n - got);
	}
	return got;
}

/* ---- searches -------------------------------------------------------------------------------- */

/* Looks that are granted whatever the clock says: this thread itself may have lost its CPU. */
#define LOOKS 16u

/* A pause before the next look; by the clock from the first time on, as a look may wait, too. */
static bool look_again(struct pcp_wait *wait)
{
	uint64_t now = now_ns();

	if (!wait->deadline_ns)
		wait->deadline_ns = now + (uint64_t)wait->timeout_us * 1000;
	else if (now >= wait->deadline_ns && wait->spins >= LOOKS)
		return false;
	return pcp_wait(wait);
}

unsigned int search_everywhere(const struct search *search, void **objs, unsigned int n)
{
	struct pcp_wait wait = { .timeout_us = search->stock->drain_us };
	bool on_their_way, timeout = false;
	unsigned int got = 0;
	uint64_t before;

	do {
		before = search->moves(search, &on_their_way);
		got += search->look(search, objs + got, n - got, &timeout);
	} while (got < n && !timeout &&
		 (search->moves(search, &on_their_way) != before || on_their_way ||
		  (search->seen && search->seen(search))) &&
		 look_again(&wait));
	return got;
}

uint64_t stock_seen(const struct stock *stock)
{
	uint64_t n = free_area_count(&stock->area);
	unsigned int i;

	for (i = 0; i < stock->cores; i++)
		n += pcp_count(stock_pcp(stock, i));
	return n;
}

/* ---- all or none: depots --------------------------------------------------------------------- */

static unsigned int caches_look(const struct search *search, void **objs, unsigned int n,
				bool *timeout)
{
	unsigned int got = stock_take_caches(search->stock, objs, n, timeout);

	return got < n ? got + stock_take_area(search->stock, objs + got, n - got) : got;
}

static uint64_t caches_moves(const struct search *search, bool *on_their_way)
{
	uint64_t moves;

	*on_their_way = false;
	full_barrier(); /* what was looked at before is older */
	moves = READ_ONCE(search->stock->area.moves);
	load_barrier(); /* before a look: it sees nothing until this is read */
	return moves;
}

static uint64_t caches_seen(const struct search *search)
{
	return stock_seen(search->stock);
}

static unsigned int take_everywhere(struct stock *stock, void **objs, unsigned int n)
{
	const struct search search = { stock, caches_look, caches_moves, caches_seen };
	unsigned int got;
	int err = errno;

	got = search_everywhere(&search, objs, n);
	if (got < n)
		count_add_shared(stock->alloc_failures, 1);
	errno = err;
	return got;
}

/*
 * Two calls that come up short may each hold what the other lacks: so they put it back, and
 * as long as there is enough for one, try again.
 */
int __coldpath stock_get_slow(struct stock *stock, void **objs, unsigned int n, unsigned int got)
{
	unsigned int tries;

	for (tries = 0;; tries++) {
		if (got < n)
			got += stock_take_area(stock, objs + got, n - got);
		if (got < n)
			got += take_everywhere(stock, objs + got, n - got);
		if (got == n)
			return 0;
		if (got)
			stock_give_area(stock, objs, got);
		if (tries == 4 || stock_seen(stock) < n)
			return -ENOBUFS;
		got = 0;
	}
}

int __coldpath stock_put_slow(struct stock *stock, void *const *objs, unsigned int n)
{
	if (n)
		stock_give_area(stock, objs, n);
	return 0;
}
