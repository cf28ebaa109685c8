/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stock.c - the ways past a core's cache: the free area, then every core's cache; drains, bounds
 */
#include <pagepool/stats.h>

#include "base/probes.h"
#include "stock/share.h"
#include "stock/stock.h"

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
	} while (k > 0 && !(stock_policy(stock)->flags & PCP_WHOLE) && moved < (long)pcp->capacity);
	stock_step_end(began);
	count_add_shared(stock->drains, 1);
	count_add_shared(stock->drained_pages, (uint64_t)moved);
	probe_zone_drain(stock, core, k < 0 ? k : moved);
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

unsigned int stock_take_drained(struct stock *stock, void **objs, unsigned int n, bool *timeout)
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
	uint64_t n = READ_ONCE(stock->area.count);
	unsigned int i;

	for (i = 0; i < stock->cores; i++)
		n += pcp_count(stock_pcp(stock, i));
	return n;
}

/* ---- all or none: depots --------------------------------------------------------------------- */

static unsigned int caches_look(const struct search *search, void **objs, unsigned int n,
				bool *timeout)
{
	unsigned int got = stock_take_drained(search->stock, objs, n, timeout);

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

/* ---- looking inside -------------------------------------------------------------- */

unsigned int stock_cached(const struct stock *stock, unsigned int core)
{
	const struct pcp *pcp = stock_pcp(stock, core);

	if (stock->links && !(uint32_t)READ_ONCE(pcp->head))
		return 0;
	return pcp_count(pcp);
}

void stock_stats(struct stock *stock, struct pp_zone_stats *s)
{
	const struct pcp *pcp;
	unsigned int i;

	s->batch = READ_ONCE(stock->batch);
	s->alloc_failures = READ_ONCE(stock->alloc_failures);
	s->drains = READ_ONCE(stock->drains);
	s->drained_pages = READ_ONCE(stock->drained_pages);
	s->drain_timeouts = READ_ONCE(stock->drain_timeouts);
	s->fallbacks = READ_ONCE(stock->fallbacks);
	s->free = stock->area.count;
	s->allocs = stock->allocs;
	s->frees = stock->frees;
	for (i = 0; i < stock->cores; i++) {
		pcp = stock_pcp(stock, i);
		s->cached += stock_cached(stock, i);
		s->high = max(s->high, (uint64_t)pcp_limit(pcp));
		s->allocs += READ_ONCE(pcp->allocs);
		s->frees += READ_ONCE(pcp->frees);
		s->refills += READ_ONCE(pcp->refills);
		s->flushes += READ_ONCE(pcp->flushes);
		s->high_raises += READ_ONCE(pcp->raises);
		s->high_decays += READ_ONCE(pcp->decays);
	}
}

/* ---- what the caches may hold ---------------------------------------------------------------- */

static void set_bounds(struct stock *stock, uint32_t high_min, uint32_t high_max, uint32_t batch)
{
	struct pcp *pcp;
	unsigned int i;

	WRITE_ONCE(stock->batch, batch);
	for (i = 0; i < stock->cores; i++) {
		pcp = stock_pcp(stock, i);
		WRITE_ONCE(pcp->batch, batch);
		WRITE_ONCE(pcp->high_min, high_min);
		/* seq_cst: pairs with llist.c's push, which reserves before it looks */
		__atomic_store_n(&pcp->high_max, high_max, __ATOMIC_SEQ_CST);
		WRITE_ONCE(pcp->high, high_min);
	}
}

int stock_set(struct stock *stock, uint32_t high, uint32_t batch)
{
	int err = 0;

	if (high < 1 || high > stock->pcps->capacity)
		return pp_set_error(EINVAL, "high: %u is not in 1 .. %u, the zone's high_max", high,
				    stock->pcps->capacity);
	if (batch < 1 || batch > high || batch > PP_BULK_MAX)
		return pp_set_error(EINVAL, "batch: %u is not in 1 .. high %u, or above %u", batch,
				    high, PP_BULK_MAX);
	pp_lock(&stock->control);
	if (stock->disabled)
		err = pp_set_error(EBUSY, "the caches are disabled; enable them first");
	else
		set_bounds(stock, high, high, batch);
	pp_unlock(&stock->control);
	return err;
}

static void open_caches(struct stock *stock)
{
	set_bounds(stock, stock->saved_high_min, stock->saved_high_max, stock->saved_batch);
}

/*
 * After the forced drain no user of a cache is left that entered before it was closed, and a later
 * one has seen that it is closed.
 */
static int close_caches(struct stock *stock, unsigned int timeout_us)
{
	unsigned int i;
	long k;

	stock->saved_high_min = stock->pcps->high_min;
	stock->saved_high_max = stock->pcps->high_max;
	stock->saved_batch = stock->batch;
	set_bounds(stock, 0, 0, 1);
	for (i = 0; i < stock->cores; i++) {
		do
			k = stock_drain_core(stock, i, 0, timeout_us, true);
		while (k > 0);
		if (k == 0)
			continue;
		open_caches(stock);
		return pp_set_error(ETIMEDOUT, "cache %u was held for more than %u us", i,
				    timeout_us);
	}
	return 0;
}

int stock_disable(struct stock *stock, unsigned int timeout_us)
{
	int err = 0;

	if (!pp_lock_timed(&stock->control, timeout_us))
		return pp_set_error(ETIMEDOUT,
				    "another thread has been closing or setting the caches for "
				    "more than %u us",
				    timeout_us);
	if (!stock->disabled)
		err = close_caches(stock, timeout_us);
	if (!err)
		WRITE_ONCE(stock->disabled, stock->disabled + 1);
	pp_unlock(&stock->control);
	return err;
}

void stock_enable(struct stock *stock)
{
	pp_lock(&stock->control);
	if (stock->disabled) {
		WRITE_ONCE(stock->disabled, stock->disabled - 1);
		if (!stock->disabled)
			open_caches(stock);
	}
	pp_unlock(&stock->control);
}
