/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/create.c - a pool's beginning, and its choices: owner, node */
#include <stdio.h>
#include <stdlib.h>

#include <pagepool/memory.h>

#include "base/barrier.h"
#include "base/fault.h"
#include "base/probes.h"
#include "pool/page_pool.h"

#define CACHE_SIZE_DEFAULT 128u /* two refills: room for what the owner recycles on top of one */
#define REFILL_DEFAULT	   64u /* one NAPI budget */
#define RING_SIZE_DEFAULT  1024u
#define CACHE_SIZE_MAX	   4096u
#define RING_SIZE_MAX	   16384u

/* ---- parameters ------------------------------------------------------------------------------ */

static int check_source(const struct page_pool_params *p)
{
	const struct page_pool_provider *from = p->provider;

	if (!!p->zone + !!p->set + !!from != 1)
		return pp_set_error(EINVAL, "zone, set, provider: a pool needs one of them");
	if (from && (!from->alloc_bulk || !from->release_bulk))
		return pp_set_error(EINVAL, "provider: alloc_bulk and release_bulk are a must");
	if ((unsigned int)p->numa > PP_NUMA_FLUSH)
		return pp_set_error(EINVAL,
				    "numa: %u is out of range; use one of "
				    "PP_NUMA_WAIVE, PP_NUMA_KEEP, PP_NUMA_FLUSH",
				    (unsigned int)p->numa);
	if (p->set && (p->node < 0 || p->node > p->set->rows))
		return pp_set_error(EINVAL, "node: %d is not one of the set's", p->node - 1);
	if (p->order && !p->zone)
		return pp_set_error(EINVAL, "order: a pool of runs takes them from one zone");
	if (p->order &&
	    (p->order > PP_ORDER_MAX || (uint64_t)1 << p->order > pp_zone_block_pages(p->zone)))
		return pp_set_error(EINVAL, "order: %u is above %u, or more than a block of 2 MiB",
				    p->order, PP_ORDER_MAX);
	if (p->order && zone_alone(p->zone, "runs of pages"))
		return -errno;
	if (!from && p->headroom)
		return pp_set_error(EINVAL, "headroom: the zone has it, a provider has none");
	if (p->headroom > UINT16_MAX)
		return pp_set_error(EINVAL, "headroom: %u is above %u", p->headroom, UINT16_MAX);
	return 0;
}

static int check_params(const struct page_pool_params *p)
{
	int err = check_source(p);

	if (err)
		return err;
	if (p->pool_size < 2 || p->pool_size > RING_SIZE_MAX || (p->pool_size & (p->pool_size - 1)))
		return pp_set_error(EINVAL, "pool_size: %u is not a power of two in 2 .. %u",
				    p->pool_size, RING_SIZE_MAX);
	if (p->cache_size > CACHE_SIZE_MAX)
		return pp_set_error(EINVAL, "cache_size: %u is not in 1 .. %u", p->cache_size,
				    CACHE_SIZE_MAX);
	if (p->refill > p->cache_size || p->refill > PP_BULK_MAX)
		return pp_set_error(EINVAL, "refill: %u is above cache_size, %u, or above %u",
				    p->refill, p->cache_size, PP_BULK_MAX);
	if (p->reserve > PP_BULK_MAX)
		return pp_set_error(EINVAL, "reserve: %u is above %u", p->reserve, PP_BULK_MAX);
	if (!p->low_water != !p->pressure)
		return pp_set_error(EINVAL, "low_water, pressure: one needs the other");
	if (p->flags & ~(PAGE_POOL_HOLDERS | PAGE_POOL_ISOLATED))
		return pp_set_error(EINVAL, "flags: 0x%x has unknown bits", p->flags);
	return 0;
}

/* A budget of bytes in pages: two refills, as by default. */
static int size_by_bytes(struct page_pool_params *p)
{
	struct pp_zone *zone = p->set ? p->set->order[0] : p->zone;
	uint64_t pages;

	if (!p->cache_bytes)
		return 0;
	if (p->cache_size || p->refill || !zone)
		return pp_set_error(EINVAL, "cache_bytes: goes with a zone or a set, and without "
					    "cache and refill");
	pages = p->cache_bytes >> (zone->shift + min(p->order, PP_ORDER_MAX));
	p->cache_size = (uint32_t)min(max(pages, (uint64_t)2), (uint64_t)CACHE_SIZE_MAX);
	p->refill = min(p->cache_size / 2, PP_BULK_MAX);
	return 0;
}

/* ---- the zones that it is a client of -------------------------------------------------------- */

static unsigned int count_zones(const struct page_pool_params *p)
{
	unsigned int n = !!p->zone;
	int i;

	for (i = 0; p->set && i < p->set->rows; i++)
		n += !!p->set->node[i].zone;
	return n;
}

static void add_client(struct page_pool *pool, struct pp_zone *zone)
{
	struct pool_client *c;

	if (!zone)
		return;
	c = &pool->clients[pool->nr_clients++];
	c->pool = pool;
	c->client.zone = zone;
	c->client.mixed = pool->p.set;
}

static void add_clients(struct page_pool *pool, const struct page_pool_params *p)
{
	int i;

	pool->clients = (struct pool_client *)(pool->reserve + p->reserve);
	add_client(pool, p->zone);
	for (i = 0; p->set && i < p->set->rows; i++)
		add_client(pool, p->set->node[i].zone);
}

/* ---- creation -------------------------------------------------------------------------------- */

static void set_up(struct page_pool *pool, const struct page_pool_params *p)
{
	static uint64_t last_id;

	pool->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	pool->p = *p;
	pool->p.name = pool->name;
	pool->zone = p->set ? p->set->order[0] : p->zone;
	pool->nid = p->set ? p->node - 1 : PP_NODE_ANY;
	pool->owner = pp_self();
	pool->reserve = pool->cache + p->cache_size;
	add_clients(pool, p);
	if (pool->zone) {
		pool->fresh = pool->zone->fresh;
		pool->zone_id = pool->zone->id;
		pool->page_size = 1ull << (pool->zone->shift + pool->p.order);
	} else {
		pool->fresh.data_off = (uint16_t)p->headroom;
	}
	if (p->max_outstanding)
		pool->slow_reasons |= POOL_LIMITED;
	if ((p->flags & PAGE_POOL_ISOLATED) || barrier_register())
		pool->slow_reasons |= POOL_FENCED;
	pool->ring.may_be_sole = !(pool->slow_reasons & POOL_FENCED) &&
				 !(pool->zone && pool->zone->stock->signal_safe);
	snprintf(pool->name, sizeof(pool->name), "%s", p->name ? p->name : "pool");
}

static int fill_reserve(struct page_pool *pool)
{
	unsigned int n = pool->p.reserve, got;

	if (!n)
		return 0;
	do {
		got = pool_take(pool, pool->reserve + pool->reserved, n - pool->reserved,
				n - pool->reserved);
		pool->reserved += got;
	} while (got && pool->reserved < n); /* a provider may give a few at a time */
	pool->hold = pool->inflight_max = pool->reserved;
	if (pool->reserved == n)
		return 0;
	return pp_set_error(ENOMEM, "reserve: there are only %u pages, not %u", pool->reserved, n);
}

static struct page_pool *pool_new(const struct page_pool_params *p)
{
	struct page_pool *pool;
	size_t size;

	size = sizeof(*pool) + (p->cache_size + p->reserve) * sizeof(pool->cache[0]) +
	       count_zones(p) * sizeof(pool->clients[0]);
	size = (size + PP_LINES - 1) & ~(size_t)(PP_LINES - 1);
	pool = aligned_alloc(PP_LINES, size);
	if (!pool) {
		pp_set_error(ENOMEM, "no memory for a pool with a cache of %u pages",
			     p->cache_size);
		return NULL;
	}
	memset(pool, 0, size);
	if (ring_init(&pool->ring, p->pool_size)) {
		free(pool);
		errno = ENOMEM;
		return NULL;
	}
	set_up(pool, p);
	return pool;
}

static const struct pool_page_ops page_ops = {
	.last_put = pool_last_put,
	.put_twice = pool_put_twice,
};

static void arm_pools(bool on)
{
	struct page_pool *pool = NULL;

	while ((pool = pool_next(pool))) {
		if (on)
			__atomic_or_fetch(&pool->slow_reasons, POOL_FAULT, __ATOMIC_RELAXED);
		else
			__atomic_and_fetch(&pool->slow_reasons, ~POOL_FAULT, __ATOMIC_RELAXED);
	}
}

struct page_pool *page_pool_create(const struct page_pool_params *params)
{
	struct page_pool_params p;
	struct page_pool *pool;
	int err;

	if (fault_from_env() || params_copy(&p, sizeof(p), params))
		return NULL;
	if (size_by_bytes(&p))
		return NULL;
	p.pool_size = p.pool_size ? p.pool_size : RING_SIZE_DEFAULT;
	p.cache_size = p.cache_size ? p.cache_size : max(p.refill, CACHE_SIZE_DEFAULT);
	p.refill = p.refill ? p.refill : min(REFILL_DEFAULT, max(p.cache_size / 2, 1u));
	if (check_params(&p))
		return NULL;
	WRITE_ONCE(pool_page_ops, &page_ops); /* every pool writes the same */
	pool = pool_new(&p);
	if (!pool)
		return NULL;
	if (p.provider && p.provider->init) {
		err = p.provider->init(p.provider_arg, pool);
		if (err) {
			pp_set_error(-err, "provider: init: %s", strerror(-err));
			pool->p.provider = NULL; /* was not begun, so is not ended */
			goto fail;
		}
	}
	err = fill_reserve(pool);
	if (!err && (p.flags & PAGE_POOL_HOLDERS))
		err = page_pool_holders_enable(pool, true);
	if (err)
		goto fail;
	pool_join(pool, &pool_client_ops);
	registry_add(&registered_pools, &pool->registered);
	fault_joined(FAULT_PAGE_POOL_ALLOC, arm_pools);
	pools_free_ended();
	return pool;
fail:
	page_pool_destroy(pool);
	errno = -err;
	return NULL;
}

/* ---- owner and node -------------------------------------------------------------------------- */

void page_pool_enable_direct_recycling(struct page_pool *pool)
{
	WRITE_ONCE(pool->owner, pp_self());
}

void page_pool_disable_direct_recycling(struct page_pool *pool)
{
	WRITE_ONCE(pool->owner, NO_OWNER);
}

int page_pool_update_nid(struct page_pool *pool, int nid)
{
	int node = pool->zone ? pool->zone->region.node : 0;

	if (!pool->p.set && nid != PP_NODE_ANY && nid != max(node, 0))
		return pp_set_error(EINVAL, "node: pool %s has one zone, and not on node %d",
				    pool->name, nid);
	if (!pool->p.set)
		return 0;
	if (nid < PP_NODE_ANY || nid >= pool->p.set->rows)
		return pp_set_error(EINVAL, "node: %d is not one of the set's", nid);
	BUG_ON(!pool_is_mine(pool), pool);
	PROBE(3, page_pool_update_nid, pool, pool->nid, nid);
	WRITE_ONCE(pool->nid, nid);
	if (pool->p.numa == PP_NUMA_KEEP)
		return 0;
	/* while a trim has the cache, it is not ours: then the first turn afterwards */
	__atomic_or_fetch(&pool->slow_reasons, POOL_STALE, __ATOMIC_RELAXED);
	if (pool_enter(pool) || pool_enter_slow(pool))
		turn_end(pool);
	return 0;
}

void page_pool_nid_changed(struct page_pool *pool, int nid)
{
	if (unlikely(pool->nid != nid) && pool->p.set)
		page_pool_update_nid(pool, nid);
}
