/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/mempool.c - librte_mempool_pagepool.so: rte_mempool on a depot, in programs that
 * were never told of it
 *
 * Two ops, pagepool and pagepool_debug. A call goes straight to the depot if this process
 * knows the pool; all that is rare (objects that arrive at set-up, a process that comes
 * to a pool for the first time) hides behind that one comparison.
 */
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_spinlock.h>

#include "dpdk_mempool/mempool.h"

#define MEMPOOL_MAGIC 0x31306c6f6f706770ull /* "pgpool01" */
#define DEBUG_BULK    64u
/* More pools than EAL has memory zones for. */
#define MEMPOOL_PLACES 4096

/*
 * The pools that this process is attached to, each at its place, with the calls of its
 * policy as they are in this process. A place is not taken from a pool that lives.
 */
static struct known {
	uint64_t stamp;
	struct pp_depot_calls calls;
	uint64_t pad;
} known[MEMPOOL_PLACES];

static rte_spinlock_t known_lock = RTE_SPINLOCK_INITIALIZER;

static __rte_always_inline struct known *known_as(const struct mempool *pool)
{
	return &known[pool->place];
}

static __rte_always_inline bool is_known(const struct mempool *pool)
{
	return likely(known_as(pool)->stamp == pool->stamp);
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

/* Every object that was announced has arrived. */
static bool is_complete(const struct rte_mempool *mp, const struct mempool *pool)
{
	return adopted(pool) == mp->size;
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

/* What is left at its place may be of a pool that another process freed. */
static void remember(const struct mempool *pool)
{
	struct known *k = known_as(pool);
	struct search search = { 0, false };

	rte_spinlock_lock(&known_lock);
	search.stamp = k->stamp;
	if (search.stamp && search.stamp != pool->stamp)
		rte_mempool_walk(find_stamp, &search);
	if (!search.found && k->stamp != pool->stamp) {
		__atomic_store_n(&k->stamp, 0, __ATOMIC_RELEASE);
		k->calls = *pp_depot_calls(depot_of(pool));
		__atomic_store_n(&k->stamp, pool->stamp, __ATOMIC_RELEASE);
	}
	rte_spinlock_unlock(&known_lock);
}

/* Before this process's first get or put. A process that is refused is told so once a pool. */
static int attach(const struct rte_mempool *mp, struct mempool *pool)
{
	static uint64_t refused;
	int err = pp_depot_attach(depot_of(pool));

	if (err) {
		if (__atomic_exchange_n(&refused, pool->stamp, __ATOMIC_RELAXED) != pool->stamp)
			MEMPOOL_LOG(ERR, "pool %s: %s", mp->name, pp_error());
		return err;
	}
	/* one that is still being filled has to come this way again */
	if (is_complete(mp, pool))
		remember(pool);
	return 0;
}

/* ---- the hot path ---------------------------------------------------------------------------- */

/*
 * The library sets a pool up by putting its objects one at a time: they are adopted,
 * which keeps none of them on the core that happens to do it.
 */
static __rte_noinline int put_first(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct mempool *pool = mempool_of(mp);
	unsigned int arrived;

	if (!pool)
		return -EINVAL;
	arrived = (unsigned int)adopted(pool);
	if (arrived < mp->populated_size) {
		arrived = RTE_MIN(n, mp->populated_size - arrived);
		if (pool->ledger)
			ledger_add(pool->ledger, objs, arrived);
		if (pp_depot_adopt(depot_of(pool), objs, arrived)) {
			MEMPOOL_LOG(ERR, "pool %s: %s", mp->name, pp_error());
			return -ENOSPC;
		}
		if (pool->ledger && is_complete(mp, pool))
			ledger_complete(pool->ledger);
		objs += arrived;
		n -= arrived;
	}
	if (!n)
		return 0;
	if (attach(mp, pool))
		return -EINVAL;
	return pp_depot_put_bulk(depot_of(pool), objs, n);
}

/* rte_mempool_free() takes every object first, whether it is there or not, and counts down. */
static __rte_cold void count_missing(const struct rte_mempool *mp, struct mempool *pool)
{
	if (mp->populated_size == adopted(pool)) {
		pool->dry = true;
		__atomic_fetch_add(&pool->failures, 1, __ATOMIC_RELAXED);
		return;
	}
	/* the first of these steps looks like any other get */
	if (!pool->missing && pool->dry && mp->populated_size + 1 == adopted(pool))
		pool->missing++;
	pool->missing++;
}

static __rte_noinline int get_failed(struct rte_mempool *mp, struct mempool *pool)
{
	count_missing(mp, pool);
	if (mp->populated_size == mp->size && pp_depot_processes(depot_of(pool)) > 1)
		mempool_recover(mp, pool);
	return -ENOBUFS;
}

static __rte_noinline int get_first(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct mempool *pool = mempool_of(mp);

	if (!pool || attach(mp, pool))
		return -EINVAL;
	return pp_depot_get_bulk(depot_of(pool), objs, n) ? get_failed(mp, pool) : 0;
}

static int plain_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct mempool *pool = mp->pool_data;

	if (unlikely(!is_known(pool)))
		return put_first(mp, objs, n);
	return known_as(pool)->calls.put(depot_of(pool), objs, n);
}

static int plain_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct mempool *pool = mp->pool_data;

	if (unlikely(!is_known(pool)))
		return get_first(mp, objs, n);
	if (unlikely(known_as(pool)->calls.get(depot_of(pool), objs, n)))
		return get_failed(mp, pool);
	return 0;
}

static unsigned int get_count(const struct rte_mempool *mp)
{
	struct mempool *pool = mempool_of(mp);

	return pool ? (unsigned int)pp_depot_count(depot_of(pool)) : 0;
}

/* ---- pagepool_debug -------------------------------------------------------------------------- */

static int debug_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct mempool *pool = mempool_of(mp);
	void *good[DEBUG_BULK];
	unsigned int k, left, m;
	int err = 0;

	if (!pool)
		return -EINVAL;
	if (adopted(pool) < mp->populated_size)
		return put_first(mp, objs, n);
	for (left = n; left; left -= k, objs += k) {
		k = RTE_MIN(left, DEBUG_BULK);
		m = ledger_given(pool->ledger, mp->name, objs, k, good);
		if (m < k)
			err = -EINVAL;
		if (m && plain_put(mp, good, m))
			err = -EINVAL;
	}
	if (err)
		rte_errno = EINVAL;
	return err;
}

static int debug_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct mempool *pool = mempool_of(mp);
	int err;

	if (!pool)
		return -EINVAL;
	err = plain_get(mp, objs, n);
	if (!err)
		ledger_taken(pool->ledger, mp->name, objs, n);
	return err;
}

/* ---- the beginning and the end of a pool ----------------------------------------------------- */

static void pool_params(const struct rte_mempool *mp, struct pp_depot_params *params)
{
	*params = (struct pp_depot_params){
		.sz = sizeof(*params),
		.name = mp->name,
		.objects = mp->size,
		.policy = mempool_config.policy,
		.users = rte_lcore_count(),
		.high = mempool_config.high,
		.batch = mempool_config.batch,
	};
}

static void take_place(struct rte_mempool *mp, void *arg)
{
	const struct mempool *pool = mp->pool_data;
	bool *taken = arg;

	if (mempool_is_ours(mp) && pool->magic == MEMPOOL_MAGIC)
		taken[pool->place] = true;
}

/* Two pools at one place are not wrong, but the second one's calls are slow. */
static uint16_t free_place(void)
{
	bool taken[MEMPOOL_PLACES] = { false };
	uint16_t i;

	rte_mempool_walk(take_place, taken);
	for (i = 0; i < MEMPOOL_PLACES - 1 && taken[i]; i++)
		;
	return i;
}

static int pool_create(struct rte_mempool *mp, bool debug)
{
	size_t head = MEMPOOL_HEAD, size;
	struct pp_depot_params params;
	struct mempool *pool;

	pool_params(mp, &params);
	size = pp_depot_size(&params);
	if (!size) {
		rte_errno = errno;
		MEMPOOL_LOG(ERR,
			    "pool %s: %s; see PAGEPOOL_POLICY, PAGEPOOL_HIGH and PAGEPOOL_BATCH",
			    mp->name, pp_error());
		return -rte_errno;
	}
	pool = rte_zmalloc_socket("pagepool", head + size, 128, mp->socket_id);
	if (!pool)
		goto no_memory;
	if (debug) {
		pool->ledger = ledger_create(mp->size, mp->socket_id);
		if (!pool->ledger)
			goto no_memory;
	}
	if (!pp_depot_init(&params, depot_of(pool))) {
		rte_errno = errno;
		MEMPOOL_LOG(ERR, "pool %s: %s", mp->name, pp_error());
		rte_free(pool->ledger);
		rte_free(pool);
		return -rte_errno;
	}
	pool->stamp = rte_rdtsc();
	pool->place = free_place();
	pool->magic = MEMPOOL_MAGIC;
	mp->pool_data = pool;
	MEMPOOL_LOG(DEBUG, "pool %s: %u objects, policy %s", mp->name, mp->size,
		    pp_depot_policy(depot_of(pool)));
	return 0;

no_memory:
	rte_free(pool);
	MEMPOOL_LOG(ERR, "pool %s: no %zu bytes for the caches of %u objects; give EAL more (-m)",
		    mp->name, size, mp->size);
	rte_errno = ENOMEM;
	return -ENOMEM;
}

static int plain_alloc(struct rte_mempool *mp)
{
	return pool_create(mp, false);
}

static int debug_alloc(struct rte_mempool *mp)
{
	return pool_create(mp, true);
}

/* Objects that are home, but above us: nobody flushes the lcores' caches before the end. */
static uint64_t lcore_cached(const struct rte_mempool *mp)
{
	unsigned int lcore;
	uint64_t n = 0;

	for (lcore = 0; mp->cache_size && lcore < RTE_MAX_LCORE; lcore++)
		n += mp->local_cache[lcore].len;
	return n;
}

/* Also for a pool whose alloc never ran. */
static void pool_free(struct rte_mempool *mp)
{
	struct mempool *pool = mp->pool_data;
	uint64_t above;

	if (!pool || !mempool_of(mp))
		return;
	above = lcore_cached(mp);
	if (pool->missing > above)
		MEMPOOL_LOG(WARNING, "pool %s destroyed with %" PRIu64 " objects out", mp->name,
			    pool->missing - above);
	if (is_known(pool))
		known_as(pool)->stamp = 0;
	pool->magic = 0;
	pp_depot_fini(depot_of(pool));
	rte_free(pool->ledger);
	rte_free(pool);
	mp->pool_data = NULL;
}

const struct rte_mempool_ops mempool_plain_ops = {
	.name = "pagepool",
	.alloc = plain_alloc,
	.free = pool_free,
	.enqueue = plain_put,
	.dequeue = plain_get,
	.get_count = get_count,
};

const struct rte_mempool_ops mempool_debug_ops = {
	.name = "pagepool_debug",
	.alloc = debug_alloc,
	.free = pool_free,
	.enqueue = debug_put,
	.dequeue = debug_get,
	.get_count = get_count,
};

bool mempool_is_ours(const struct rte_mempool *mp)
{
	const struct rte_mempool_ops *ops = rte_mempool_get_ops(mp->ops_index);

	return mp->pool_data && ops->free == pool_free;
}

void mempool_forked(void)
{
	unsigned int i;

	for (i = 0; i < MEMPOOL_PLACES; i++) {
		if (known[i].stamp)
			known[i].stamp = 0;
	}
}
