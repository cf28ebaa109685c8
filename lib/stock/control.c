/* SPDX-License-Identifier: BSD-3-Clause */
/* stock/control.c - what the caches hold, and what they may: counters, bounds, closed caches */
#include <pagepool/stats.h>

#include "stock/hold.h"

/* ---- looking inside -------------------------------------------------------------- */

void stock_walk(struct stock *stock, void (*see)(void *arg, void *const *objs, uint64_t n),
		void *arg)
{
	unsigned int i;

	stock_lock(stock);
	free_area_walk(&stock->area, see, arg);
	stock_unlock(stock);
	for (i = 0; i < stock->cores; i++)
		stock_policy(stock)->walk(stock_pcp(stock, i), see, arg);
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
	s->free = free_area_count(&stock->area);
	s->allocs = stock->allocs;
	s->frees = stock->frees;
	for (i = 0; i < stock->cores; i++) {
		pcp = stock_pcp(stock, i);
		s->cached += pcp_count(pcp);
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

static void control_lock(struct stock *stock)
{
	if (stock->share)
		share_lock(stock, &stock->control);
	else
		pp_lock(&stock->control);
}

static bool control_lock_timed(struct stock *stock, unsigned int timeout_us)
{
	uint32_t died = share_died(stock);

	return pp_lock_timed(&stock->control, timeout_us) ||
	       (share_recover(stock) != died && pp_trylock(&stock->control));
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
	control_lock(stock);
	if (stock->disabled) {
		err = pp_set_error(EBUSY, "the caches are disabled; enable them first");
	} else {
		WRITE_ONCE(stock->batch_max, batch);
		stock_bounds(stock, high, high, batch);
	}
	pp_unlock(&stock->control);
	return err;
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
	compiler_barrier(); /* a process that dies from here on is undone by stock_reopen() */
	WRITE_ONCE(stock->closed, true);
	compiler_barrier();
	stock_bounds(stock, 0, 0, 1);
	for (i = 0; i < stock->cores; i++) {
		do
			k = stock_drain_core(stock, i, 0, timeout_us, true);
		while (k > 0);
		if (k == 0)
			continue;
		stock_open_caches(stock);
		return pp_set_error(ETIMEDOUT, "cache %u was held for more than %u us", i,
				    timeout_us);
	}
	return 0;
}

int stock_disable(struct stock *stock, unsigned int timeout_us)
{
	int err = 0;

	if (!control_lock_timed(stock, timeout_us))
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
	control_lock(stock);
	if (stock->disabled) {
		WRITE_ONCE(stock->disabled, stock->disabled - 1);
		if (!stock->disabled)
			stock_open_caches(stock);
	}
	pp_unlock(&stock->control);
}
