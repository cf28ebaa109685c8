/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/known.c - the pools that this process is attached to */
#include <inttypes.h>
#include <string.h>

#include <rte_spinlock.h>

#include "dpdk_mempool/known.h"

struct mempool_known mempool_table[MEMPOOL_PLACES];

static rte_spinlock_t known_lock = RTE_SPINLOCK_INITIALIZER;

bool mempool_is_ours(const struct rte_mempool *mp)
{
	const char *name = rte_mempool_get_ops(mp->ops_index)->name;

	return mp->pool_data && (!strcmp(name, MEMPOOL_OPS) || !strcmp(name, MEMPOOL_OPS_DEBUG));
}

struct mempool *mempool_of(const struct rte_mempool *mp)
{
	struct mempool *pool = mp->pool_data;

	if (pool && pool->magic == MEMPOOL_MAGIC)
		return pool;
	MEMPOOL_LOG(ERR,
		    "pool %s is no pagepool, although its ops number says so here: run every "
		    "process with the same plugins in the same order",
		    mp->name);
	return NULL;
}

void mempool_recover(const struct rte_mempool *mp, struct mempool *pool)
{
	uint64_t dropped = 0;
	unsigned int died = pp_depot_recover(depot_of(pool), &dropped), before;

	before = __atomic_exchange_n(&pool->died, died, __ATOMIC_RELAXED);
	if (died <= before)
		return;
	MEMPOOL_LOG(WARNING,
		    "pool %s: %u more of its processes died; %" PRIu64 " of %u objects are out "
		    "now, among them those that they had taken, and %" PRIu64
		    " in all that they had in hand in a cache",
		    mp->name, died - before, adopted(pool) - pp_depot_count(depot_of(pool)),
		    mp->size, dropped);
}

struct search {
	uint64_t stamp;
	bool found;
};

static void find_stamp(struct rte_mempool *mp, void *arg)
{
	const struct mempool *pool = mp->pool_data;
	struct search *search = arg;

	if (mempool_is_ours(mp) && pool->stamp == search->stamp)
		search->found = true;
}

static void store_stamp(struct mempool_known *k, uint64_t stamp, bool takes_one)
{
	__atomic_store_n(&k->one, takes_one ? stamp : 0, __ATOMIC_RELEASE);
	__atomic_store_n(&k->stamp, stamp, __ATOMIC_RELEASE);
}

/* The place may still hold a pool that another process has freed. */
static void known_store(const struct mempool *pool)
{
	struct mempool_known *k = mempool_known(pool);
	struct search search = { 0, false };

	rte_spinlock_lock(&known_lock);
	search.stamp = k->stamp;
	if (search.stamp && search.stamp != pool->stamp)
		rte_mempool_walk(find_stamp, &search);
	if (!search.found && !pool->populating && k->stamp != pool->stamp) {
		store_stamp(k, 0, false);
		k->calls = *pp_depot_get_calls(depot_of(pool));
		store_stamp(k, pool->stamp, !strcmp(pp_depot_policy(depot_of(pool)), "rseq"));
	}
	rte_spinlock_unlock(&known_lock);
}

void mempool_forget(struct mempool *pool, bool populating)
{
	struct mempool_known *k = mempool_known(pool);

	rte_spinlock_lock(&known_lock);
	pool->populating = populating;
	if (k->stamp == pool->stamp)
		store_stamp(k, 0, false);
	rte_spinlock_unlock(&known_lock);
}

/* Logs a refusal once a pool. */
int mempool_attach(const struct rte_mempool *mp, struct mempool *pool)
{
	static uint64_t refused;
	int err = pp_depot_attach(depot_of(pool));

	if (err) {
		if (__atomic_exchange_n(&refused, pool->stamp, __ATOMIC_RELAXED) != pool->stamp)
			MEMPOOL_LOG(ERR, "pool %s: %s", mp->name, pp_error());
		return err;
	}
	known_store(pool);
	return 0;
}

static void mark_place(struct rte_mempool *mp, void *arg)
{
	const struct mempool *pool = mp->pool_data;
	bool *taken = arg;

	if (mempool_is_ours(mp) && pool->magic == MEMPOOL_MAGIC)
		taken[pool->place] = true;
}

uint16_t mempool_free_place(void)
{
	bool taken[MEMPOOL_PLACES] = { false };
	uint16_t i;

	rte_mempool_walk(mark_place, taken);
	for (i = 0; i < MEMPOOL_PLACES - 1 && taken[i]; i++)
		;
	return i;
}

void mempool_forget_all(void)
{
	unsigned int i;

	for (i = 0; i < MEMPOOL_PLACES; i++) {
		if (mempool_table[i].stamp)
			store_stamp(&mempool_table[i], 0, false);
	}
}
