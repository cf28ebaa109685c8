/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "base/handler.h"
#include "stock/pcp.h"
#include "base/trace.h"

/* Longer than a hold takes to end when the holder runs. */
#define WAIT_SPINS 500
/* Then the CPU is offered to others; a real-time thread's offer reaches no ordinary one. */
#define WAIT_YIELDS 64
#define WAIT_NAP_US 50

bool pcp_wait(struct pcp_wait *wait)
{
	handler_check_wait();
	if (wait->spins++ < WAIT_SPINS) {
		cpu_relax();
		return wait->timeout_us;
	}
	if (!wait->deadline_ns)
		wait->deadline_ns = now_ns() + (uint64_t)wait->timeout_us * 1000;
	else if (now_ns() >= wait->deadline_ns)
		return false;
	if (wait->spins < WAIT_SPINS + WAIT_YIELDS)
		sched_yield();
	else
		usleep(WAIT_NAP_US);
	return true;
}

bool __coldpath pcp_lock_briefly(uint32_t *lock)
{
	uint32_t unlocked;
	unsigned int i;

	for (i = 0; i < WAIT_SPINS + WAIT_YIELDS; i++) {
		if (i < WAIT_SPINS)
			cpu_relax();
		else
			sched_yield();
		unlocked = READ_ONCE(*lock);
		/* acquire: pairs with the release of the holder */
		if (!unlocked && __atomic_compare_exchange_n(lock, &unlocked, lock_word, false,
							     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

bool pcp_lock_wait(struct pp_lock *lock, const struct pcp_wait *wait)
{
	return pp_trylock(lock) || (wait->timeout_us && pp_lock_timed(lock, wait->timeout_us));
}

static size_t list_size(uint32_t capacity)
{
	size_t size = sizeof(struct pcp_list) + capacity * sizeof(void *);

	return (size + PP_LINES - 1) & ~(size_t)(PP_LINES - 1);
}

size_t pcp_stride_of(uint32_t capacity)
{
	return sizeof(struct pcp) + 2 * list_size(capacity);
}

struct pcp_list *pcp_second_list(const struct pcp *pcp)
{
	return (struct pcp_list *)((char *)(pcp + 1) + list_size(pcp->capacity));
}

void pcp_init(struct pcp *pcps, unsigned int cores, const struct pcp_config *config,
	      struct stock *stock)
{
	size_t stride = pcp_stride_of(config->capacity);
	struct pcp *pcp;
	unsigned int i;

	for (i = 0; i < cores; i++) {
		pcp = pcp_at(pcps, stride, i);
		pcp->stock = stock;
		pcp->list = pcp_first_list(pcp);
		pcp->capacity = config->capacity;
		pcp->high = pcp->high_min = config->high_min;
		pcp->high_max = config->high_max;
		pcp->batch = config->batch;
	}
}

struct pcp *pcp_create(unsigned int cores, const struct pcp_config *config, struct stock *stock)
{
	size_t stride = pcp_stride_of(config->capacity);
	struct pcp *pcps;
	unsigned int i;

	/* a core that never allocates never touches its pages */
	pcps = map_zeros(cores * stride, "the cores' caches");
	if (!pcps)
		return NULL;
	pcp_init(pcps, cores, config, stock);
	for (i = 0; config->traced && i < cores; i++) {
		pcp_at(pcps, stride, i)->trace = trace_create();
		if (!pcp_at(pcps, stride, i)->trace) {
			pcp_free(pcps, cores, stride);
			return NULL;
		}
	}
	return pcps;
}

void pcp_free(struct pcp *pcps, unsigned int cores, size_t stride)
{
	unsigned int i;

	for (i = 0; i < cores; i++)
		free(pcp_at(pcps, stride, i)->trace);
	unmap_zeros(pcps, cores * stride);
}

/* ---- tuning ---------------------------------------------------------------------------------- */

/* A streak of allocations takes up to 32 batches at once. */
#define ALLOC_FACTOR_MAX 5u

static void set_high(struct pcp *pcp, uint32_t high)
{
	uint32_t old = READ_ONCE(pcp->high);

	high = max(high, READ_ONCE(pcp->high_min));
	high = min(high, READ_ONCE(pcp->high_max));
	if (high > old)
		count_add(pcp->raises, 1);
	else if (high < old)
		count_add(pcp->decays, 1);
	WRITE_ONCE(pcp->high, high);
}

/*
 * A batch, doubled for each earlier move in a row in the same direction: pages that only pass
 * through a core cost it fewer visits to the free area. The caller ends the other direction's
 * streak, so that a core that swings around empty or full moves batches.
 */
static uint32_t streak(const struct pcp *pcp, uint32_t *factor, uint32_t most)
{
	uint32_t batch = READ_ONCE(pcp->batch), old = READ_ONCE(*factor), n = batch << old;

	most = max(most, batch);
	if (n < most)
		WRITE_ONCE(*factor, old + 1);
	return min(n, most);
}

uint32_t pcp_streak_refill(struct pcp *pcp, uint32_t most)
{
	WRITE_ONCE(pcp->free_factor, 0);
	return min(streak(pcp, &pcp->alloc_factor, most), pcp_limit(pcp));
}

uint32_t pcp_streak_flush(struct pcp *pcp, uint32_t count, uint32_t most)
{
	WRITE_ONCE(pcp->alloc_factor, 0);
	return min(streak(pcp, &pcp->free_factor, most), count);
}

/* nr_pcp_alloc() in mm/page_alloc.c. Differs: a fixed high is not exceeded by a streak. */
uint32_t pcp_tune_refill(struct pcp *pcp, uint32_t most)
{
	uint32_t batch = READ_ONCE(pcp->batch), factor = READ_ONCE(pcp->alloc_factor);
	uint32_t n, cap, limit = pcp_limit(pcp);

	if (!pcp_is_tuned(pcp))
		return pcp_streak_refill(pcp, most);
	WRITE_ONCE(pcp->free_factor, 0);
	WRITE_ONCE(pcp->free_count, pcp->free_count >> 1);
	n = batch << factor;
	set_high(pcp, limit + n);
	limit = pcp_limit(pcp);
	cap = limit > 2 * batch ? limit - batch : batch;
	if (n <= cap && factor < ALLOC_FACTOR_MAX)
		WRITE_ONCE(pcp->alloc_factor, factor + 1);
	n = min(n, cap);
	return min(n, limit);
}

/* nr_pcp_high() and nr_pcp_free(). Differs: at most @most a hold, whatever the streak. */
uint32_t pcp_tune_flush(struct pcp *pcp, uint32_t count, uint32_t n, uint32_t most)
{
	uint32_t batch = READ_ONCE(pcp->batch);

	if (!pcp_is_tuned(pcp))
		return pcp_streak_flush(pcp, count, most);
	WRITE_ONCE(pcp->alloc_factor, READ_ONCE(pcp->alloc_factor) >> 1);
	if (pcp->free_count < batch << ALLOC_FACTOR_MAX)
		WRITE_ONCE(pcp->free_count, pcp->free_count + n);
	if (READ_ONCE(pcp->high) < pcp->free_count + batch)
		set_high(pcp, pcp->free_count + batch);
	return min(streak(pcp, &pcp->free_factor, most), count);
}

/* decay_pcp_high(). Differs: streaks are forgotten, too. */
uint32_t pcp_tune_decay(struct pcp *pcp, uint32_t count)
{
	uint32_t high = READ_ONCE(pcp->high), burst = READ_ONCE(pcp->batch) << ALLOC_FACTOR_MAX;

	WRITE_ONCE(pcp->alloc_factor, READ_ONCE(pcp->alloc_factor) >> 1);
	WRITE_ONCE(pcp->free_factor, READ_ONCE(pcp->free_factor) >> 1);
	if (high > READ_ONCE(pcp->high_min))
		set_high(pcp, max(count > burst ? count - burst : 0, high - high / 8));
	high = pcp_limit(pcp);
	return count > high ? count - high : 0;
}
