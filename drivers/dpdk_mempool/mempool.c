/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/mempool.c - the ops pagepool and pagepool_debug: rte_mempool on a depot
 *
 * A call goes straight to the depot if this process knows the pool. Behind that one comparison are
 * the rare cases: objects that arrive at set-up, and a process new to a pool. Under rseq, one
 * object goes to this core's cache or from it without a further call.
 */
/* before DPDK's headers, which define likely() and the like only where they are missing */
#include "depot/one.h"

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "dpdk_mempool/known.h"

#define DEBUG_BULK 64u

/* ---- the hot path ---------------------------------------------------------------------------- */

/* this thread populates it; NULL: none */
static __thread struct mempool *arriving;

/*
 * The library hands over new objects by putting them one at a time. They are adopted, so that none
 * of them stays in the cache of the core that populates the pool.
 */
static int put_arrived(struct rte_mempool *mp, struct mempool *pool, void *const *objs,
		       unsigned int n)
{
	if (pool->ledger)
		ledger_add(pool->ledger, objs, n);
	if (pp_depot_adopt(depot_of(pool), objs, n)) {
		MEMPOOL_LOG(ERR, "pool %s: %s", mp->name, pp_error());
		return -ENOSPC;
	}
	return 0;
}

static __rte_noinline int put_first(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct mempool *pool = mempool_of(mp);

	if (!pool)
		return -EINVAL;
	if (pool == arriving)
		return put_arrived(mp, pool, objs, n);
	if (mempool_attach(mp, pool))
		return -EINVAL;
	return pp_depot_put_bulk(depot_of(pool), objs, n);
}

/*
 * rte_mempool_free() takes one object a step, and counts populated_size down, whether the object is
 * there or not. Populating counts it up before each arrival. So it is below the number of adopted
 * objects at the end only, where each get that fails is an object that is out.
 */
static __rte_noinline int get_failed(struct rte_mempool *mp, struct mempool *pool)
{
	if (mp->populated_size >= adopted(pool)) {
		pool->empty_before_end = true;
		__atomic_fetch_add(&pool->failures, 1, __ATOMIC_RELAXED);
		if (pp_depot_processes(depot_of(pool)) > 1)
			mempool_recover(mp, pool);
		return -ENOBUFS;
	}
	/* the first step of the end looks like any other get */
	if (!pool->out_at_end && pool->empty_before_end && mp->populated_size + 1 == adopted(pool))
		pool->out_at_end++;
	pool->out_at_end++;
	return -ENOBUFS;
}

static __rte_noinline int get_first(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct mempool *pool = mempool_of(mp);

	if (!pool || mempool_attach(mp, pool))
		return -EINVAL;
	return pp_depot_get_bulk(depot_of(pool), objs, n) ? get_failed(mp, pool) : 0;
}

static __rte_noinline int put_many(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct mempool *pool = mp->pool_data;

	if (unlikely(!mempool_is_known(pool)))
		return put_first(mp, objs, n);
	return mempool_known(pool)->calls.put(depot_of(pool), objs, n);
}

static int plain_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct mempool *pool = mp->pool_data;

	if (n == 1 && likely(mempool_takes_one(pool)) &&
	    likely(depot_put_one(depot_of(pool), objs)))
		return 0;
	return put_many(mp, objs, n);
}

static __rte_noinline int get_many(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct mempool *pool = mp->pool_data;

	if (unlikely(!mempool_is_known(pool)))
		return get_first(mp, objs, n);
	if (unlikely(mempool_known(pool)->calls.get(depot_of(pool), objs, n)))
		return get_failed(mp, pool);
	return 0;
}

static int plain_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct mempool *pool = mp->pool_data;

	if (n == 1 && likely(mempool_takes_one(pool)) &&
	    likely(depot_get_one(depot_of(pool), objs)))
		return 0;
	return get_many(mp, objs, n);
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
	if (pool == arriving)
		return put_arrived(mp, pool, objs, n);
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

/*
 * Programs choose the size of the cache that rte_mempool keeps above us for each lcore, most of
 * them at compile time. The caches are empty before the first object arrives. A pool without them
 * has no room for any, and a cache is never larger than the pool allows. Where the pool's private
 * area lies depends on whether there are caches.
 */
static void limit_lcore_cache(struct rte_mempool *mp, uint32_t most)
{
	uint32_t size = RTE_MIN(most, (uint32_t)((uint64_t)mp->size * 2 / 3));
	const void *private_area = rte_mempool_get_priv(mp);
	unsigned int lcore;

	if (most == MEMPOOL_AS_ASKED || !mp->cache_size)
		return;
	for (lcore = 0; lcore < RTE_MAX_LCORE; lcore++) {
		mp->local_cache[lcore].MEMPOOL_CACHE_LIMIT = size + size / 2;
		mp->local_cache[lcore].size = size;
	}
	MEMPOOL_LOG(DEBUG, "pool %s: lcore caches of %u objects, not %u", mp->name, size,
		    mp->cache_size);
	mp->cache_size = size;
	memmove(rte_mempool_get_priv(mp), private_area, mp->private_data_size);
}

/* 0 or -errno, in rte_errno, too */
static int refuse_pool(const struct rte_mempool *mp, int err, const char *hint)
{
	MEMPOOL_LOG(ERR, "pool %s: %s%s", mp->name, pp_error(), hint);
	rte_errno = err;
	return -err;
}

static void begin_pool(struct rte_mempool *mp, struct mempool *pool,
		       const struct mempool_config *config)
{
	pool->stamp = rte_rdtsc();
	pool->place = mempool_free_place();
	pool->lcore_cache_asked = mp->cache_size;
	limit_lcore_cache(mp, config->lcore_cache);
	pool->magic = MEMPOOL_MAGIC;
	mp->pool_data = pool;
	MEMPOOL_LOG(DEBUG, "pool %s: %u objects, policy %s", mp->name, mp->size,
		    pp_depot_policy(depot_of(pool)));
}

static int pool_create(struct rte_mempool *mp, bool debug)
{
	const struct mempool_config config = mempool_config_get();
	struct pp_depot_params params;
	struct mempool *pool;
	size_t size;
	int err;

	if (config.lcore_cache == MEMPOOL_INVALID) {
		pp_set_error(EINVAL, "PAGEPOOL_LCORE_CACHE is not a number from 0 to %u",
			     RTE_MEMPOOL_CACHE_MAX_SIZE);
		return refuse_pool(mp, EINVAL, "");
	}
	mempool_depot_params(&config, mp->name, mp->size, &params);
	size = pp_depot_size(&params);
	if (!size)
		return refuse_pool(mp, errno,
				   "; see PAGEPOOL_POLICY, PAGEPOOL_HIGH and PAGEPOOL_BATCH");
	pool = rte_zmalloc_socket("pagepool", MEMPOOL_HEAD + size, 128, mp->socket_id);
	if (pool && debug)
		pool->ledger = ledger_create(mp->size, mp->socket_id);
	if (!pool || (debug && !pool->ledger)) {
		pp_set_error(ENOMEM,
			     "no %zu bytes for the caches of %u objects; give EAL more (-m)", size,
			     mp->size);
		err = refuse_pool(mp, ENOMEM, "");
		goto free_pool;
	}
	if (!pp_depot_init(&params, depot_of(pool))) {
		err = refuse_pool(mp, errno, "");
		goto free_pool;
	}
	begin_pool(mp, pool, &config);
	return 0;

free_pool:
	if (pool)
		rte_free(pool->ledger);
	rte_free(pool);
	return err;
}

static int plain_alloc(struct rte_mempool *mp)
{
	return pool_create(mp, false);
}

static int debug_alloc(struct rte_mempool *mp)
{
	return pool_create(mp, true);
}

/* The library took all objects back, because there was no memory for the rest. */
static void begin_again(struct mempool *pool)
{
	pool->out_at_end = 0;
	pool->empty_before_end = false;
	pp_depot_disown(depot_of(pool), adopted(pool));
	if (pool->ledger)
		ledger_clear(pool->ledger);
}

/*
 * A pool is populated in one piece or in parts, also while it is in use, and by any process. Until
 * then, each put of this process looks whether its object arrives or comes back.
 */
static int pool_populate(struct rte_mempool *mp, unsigned int most, void *vaddr, rte_iova_t iova,
			 size_t len, rte_mempool_populate_obj_cb_t *arrive, void *arg)
{
	struct mempool *pool = mempool_of(mp);
	int n;

	if (!pool || mempool_attach(mp, pool))
		return 0;
	if (!mp->populated_size)
		begin_again(pool);
	mempool_forget(pool, true);
	arriving = pool;
	n = rte_mempool_op_populate_default(mp, most, vaddr, iova, len, arrive, arg);
	arriving = NULL;
	mempool_forget(pool, false);
	return n;
}

/* Objects in the lcores' caches, which rte_mempool_free() does not flush. */
static uint64_t lcore_cached(const struct rte_mempool *mp)
{
	unsigned int lcore;
	uint64_t n = 0;

	for (lcore = 0; mp->cache_size && lcore < RTE_MAX_LCORE; lcore++)
		n += mp->local_cache[lcore].len;
	return n;
}

/* Without a call of its alloc, a pool has no depot. */
static void pool_free(struct rte_mempool *mp)
{
	struct mempool *pool = mp->pool_data;
	uint64_t above;

	if (!pool || !mempool_of(mp))
		return;
	above = lcore_cached(mp);
	if (pool->out_at_end > above)
		MEMPOOL_LOG(WARNING, "pool %s destroyed with %" PRIu64 " objects out", mp->name,
			    pool->out_at_end - above);
	mempool_forget(pool, true);
	pool->magic = 0;
	pp_depot_fini(depot_of(pool));
	rte_free(pool->ledger);
	rte_free(pool);
	mp->pool_data = NULL;
}

const struct rte_mempool_ops mempool_plain_ops = {
	.name = MEMPOOL_OPS,
	.alloc = plain_alloc,
	.free = pool_free,
	.enqueue = plain_put,
	.dequeue = plain_get,
	.get_count = get_count,
	.populate = pool_populate,
};

const struct rte_mempool_ops mempool_debug_ops = {
	.name = MEMPOOL_OPS_DEBUG,
	.alloc = debug_alloc,
	.free = pool_free,
	.enqueue = debug_put,
	.dequeue = debug_get,
	.get_count = get_count,
	.populate = pool_populate,
};
