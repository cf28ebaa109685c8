/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_pool.c - operations of page_pool.h on pools of every shape; pages outlive their pools
 */
#include <errno.h>

#include "chaos/chaos.h"

/* what a pool keeps for itself, and no search finds */
static int64_t kept(const struct chaos_pool *p)
{
	return ((int64_t)p->reserve + p->cut) << p->order;
}

static void pressure(void *arg, struct page_pool *pool, uint64_t available)
{
	require(page_pool_inflight(pool) >= 0);
}

static void choose(struct chaos_worker *w, struct chaos_pool *p, struct page_pool_params *params)
{
	p->z = w->z;
	p->order = !w->z->set && rng_below(&w->rng, 8) == 0 ? 1 + rng_below(&w->rng, 2) : 0;
	p->limited = rng_below(&w->rng, 8) == 0;
	p->holders = rng_below(&w->rng, 8) == 0;
	p->reserve = rng_below(&w->rng, 4) ? 0 : 1 + rng_below(&w->rng, 8);
	p->cut = false;
	params->zone = w->z->set ? NULL : w->z->zone;
	params->set = w->z->set;
	params->numa = w->z->set ? rng_below(&w->rng, 3) : PP_NUMA_WAIVE;
	params->order = p->order;
	params->pool_size = 2u << rng_below(&w->rng, 7);
	params->cache_size = 1 + rng_below(&w->rng, 64);
	params->refill = 1 + rng_below(&w->rng, params->cache_size);
	params->max_outstanding = p->limited ? 1 + rng_below(&w->rng, 64) : 0;
	params->reserve = p->reserve;
	params->flags = p->holders ? PAGE_POOL_HOLDERS : 0;
	params->low_water = rng_below(&w->rng, 4) ? 0 : 50;
	params->pressure = params->low_water ? pressure : NULL;
	params->idle_ms = rng_below(&w->rng, 4) ? 0 : 1;
}

static void new_pool(struct chaos_worker *w, struct chaos_pool *p)
{
	struct page_pool_params params = { .sz = sizeof(params), .name = "chaos" };
	struct page_pool *pool;

	pthread_rwlock_wrlock(&p->lock);
	choose(w, p, &params);
	chaos_take(p->z, kept(p));
	pool = page_pool_create(&params);
	if (!pool && (errno != ENOMEM || !p->reserve))
		fprintf(stderr, "chaos: page_pool_create: %s\n", pp_error());
	/* no pages for the reserve */
	require(pool || (errno == ENOMEM && p->reserve));
	p->pool = pool;
	if (!pool)
		chaos_give(p->z, kept(p));
	pthread_rwlock_unlock(&p->lock);
}

void chaos_pool_end(struct chaos_worker *w, struct chaos_pool *p)
{
	struct page_pool_end end = { .sz = sizeof(end), .timeout_ms = rng_below(&w->rng, 2) };
	int err = 0;

	pthread_rwlock_wrlock(&p->lock);
	if (p->pool && rng_below(&w->rng, 4))
		page_pool_destroy(p->pool);
	else if (p->pool)
		err = page_pool_destroy_wait(p->pool, &end);
	require(!err || err == -ETIMEDOUT);
	if (p->pool)
		chaos_give(p->z, kept(p));
	p->pool = NULL;
	pthread_rwlock_unlock(&p->lock);
}

/* A pool of ours, made if there is none. */
static struct chaos_pool *pool_of(struct chaos_worker *w)
{
	struct chaos_pool *p = &w->pools[rng_below(&w->rng, CHAOS_POOLS)];

	if (!p->pool)
		new_pool(w, p);
	if (!p->pool)
		return NULL;
	w->z = p->z;
	w->hold = &w->holds[p->z - chaos_zones];
	return p;
}

/* another thread owns what the last phase's thread did */
void chaos_pools_adopt(struct chaos_worker *w)
{
	unsigned int i;

	for (i = 0; i < CHAOS_POOLS; i++)
		if (w->pools[i].pool)
			page_pool_enable_direct_recycling(w->pools[i].pool);
}

static unsigned int alloc(struct chaos_worker *w, struct chaos_pool *p, struct pp_page **pages,
			  unsigned int n)
{
	if (n == 1 && rng_below(&w->rng, 2)) {
		pages[0] = page_pool_alloc_pages(p->pool);
		return pages[0] != NULL;
	}
	if (rng_below(&w->rng, 8) == 0)
		return page_pool_alloc_reserve_bulk(p->pool, pages, n);
	return page_pool_alloc_bulk(p->pool, pages, n);
}

static void op_alloc(struct chaos_worker *w)
{
	struct chaos_pool *p = pool_of(w);
	struct pp_page *pages[CHAOS_HELD];
	unsigned int n, k, i;

	if (!p)
		return;
	n = p->order ? CHAOS_RUNS - w->hold->nruns : chaos_room(w);
	if (n > 48)
		n = 48;
	if (!n)
		return;
	n = rng_below(&w->rng, 3) ? 1 + rng_below(&w->rng, n) : 1;
	chaos_call(w, (int64_t)n << p->order);
	k = alloc(w, p, pages, n);
	require(k <= n);
	chaos_answer(w, (int64_t)n << p->order, (int64_t)k << p->order, !p->limited && !p->order);
	for (i = 0; i < k; i++)
		require(pages[i]->pool == p->pool);
	if (!p->order) {
		chaos_keep(w, pages, k);
		return;
	}
	for (i = 0; i < k; i++) {
		chaos_got(w->z, pages[i], p->order, w->id + 1);
		w->hold->runs[w->hold->nruns++] = pages[i];
	}
}

static bool is_own(const struct chaos_worker *w, const struct pp_page *page)
{
	unsigned int i;

	for (i = 0; i < CHAOS_POOLS; i++)
		if (w->pools[i].pool == page->pool)
			return true;
	return false;
}

/* shared by several references of the pool, or by one of each kind */
static void put_shared(struct chaos_worker *w, struct pp_page *page, bool own)
{
	unsigned int n = 2 + rng_below(&w->rng, 3);

	switch (rng_below(&w->rng, 4)) {
	case 0:
		page_pool_fragment_page(page, (int)n);
		while (n--)
			page_pool_put_page(page->pool, page, own);
		break;
	case 1:
		page_pool_ref_page(page);
		page_pool_put_full_page(page->pool, page, own);
		page_pool_put_page(page->pool, page, own);
		break;
	case 2:
		page_pool_fragment_page(page, (int)n);
		require(page_pool_unref_page(page, 1) == (int)n - 1);
		require(page_pool_unref_page(page, (int)n - 1) == 0);
		page_pool_put_unrefed_page(page->pool, page, own);
		break;
	default:
		/* leaves the pool, and goes home past it */
		pp_page_get(page);
		page_pool_put_page(page->pool, page, false);
		pp_page_put(page);
	}
}

static void put_pools(struct chaos_worker *w, struct pp_page *page)
{
	bool own = is_own(w, page);

	switch (rng_below(&w->rng, 6)) {
	case 0:
		put_shared(w, page, own);
		break;
	case 1:
		page_pool_put_bulk(&page, 1);
		break;
	case 2:
		if (own) {
			page_pool_recycle_direct(page->pool, page);
			break;
		}
		/* fall through */
	default:
		page_pool_put_page(page->pool, page, own && rng_below(&w->rng, 2));
	}
}

void chaos_put(struct chaos_worker *w, struct pp_page *page)
{
	struct chaos_zone *z = chaos_zone_of(page);
	unsigned int order = pp_page_order(page);

	chaos_lose(z, page, order);
	if (page->pool)
		put_pools(w, page);
	else if (rng_below(&w->rng, 2))
		page_pool_put_bulk(&page, 1);
	else
		pp_page_put(page);
	chaos_give(z, 1ll << order);
}

static void op_end(struct chaos_worker *w)
{
	chaos_pool_end(w, &w->pools[rng_below(&w->rng, CHAOS_POOLS)]);
}

/* from outside: of ours, or of a thread that may be in the middle of a call */
static void op_trim(struct chaos_worker *w)
{
	struct chaos_worker *other = &chaos_workers[rng_below(&w->rng, CHAOS_THREADS)];
	struct chaos_pool *p = &other->pools[rng_below(&w->rng, CHAOS_POOLS)];
	long err;

	if (pthread_rwlock_tryrdlock(&p->lock))
		return;
	if (p->pool) {
		err = page_pool_trim(p->pool, rng_below(&w->rng, 64), rng_below(&w->rng, 500));
		require(err >= 0 || err == -ETIMEDOUT || err == -ENOTSUP);
	}
	pthread_rwlock_unlock(&p->lock);
}

static void op_look(struct chaos_worker *w)
{
	struct chaos_worker *other = &chaos_workers[rng_below(&w->rng, CHAOS_THREADS)];
	struct chaos_pool *p = &other->pools[rng_below(&w->rng, CHAOS_POOLS)];
	struct pp_holder holders[8];
	uint64_t ages[PP_HOLDER_AGES];
	char site[64];
	unsigned int n;

	if (pthread_rwlock_tryrdlock(&p->lock))
		return;
	if (p->pool) {
		require(pool_stats(p->pool).double_puts == 0);
		page_pool_inflight(p->pool);
		n = page_pool_holders(p->pool, holders, ARRAY_LEN(holders), ages);
		require(n <= ARRAY_LEN(holders));
		while (n--)
			require(pp_holder_site(&holders[n], site, sizeof(site)) == site);
		if (rng_below(&w->rng, 4) == 0)
			require(!page_pool_holders_enable(p->pool, rng_below(&w->rng, 2)));
	}
	pthread_rwlock_unlock(&p->lock);
}

/* no owner for some time, then this thread again; another preferred node */
static void op_owner(struct chaos_worker *w)
{
	struct chaos_pool *p = pool_of(w);

	if (!p)
		return;
	page_pool_disable_direct_recycling(p->pool);
	page_pool_enable_direct_recycling(p->pool);
	if (p->z->set) {
		require(!page_pool_update_nid(p->pool, rng_below(&w->rng, 2) ? PP_NODE_ANY : 0));
		page_pool_nid_changed(p->pool, pp_zone_set_this_node(p->z->set));
	}
	require(page_pool_zone_set(p->pool) == p->z->set);
}

const struct chaos_op chaos_pool_ops[] = {
	{ "page_pool_alloc_bulk", op_alloc, 250 }, { "page_pool_destroy", op_end, 8 },
	{ "page_pool_trim", op_trim, 8 },	   { "page_pool_holders", op_look, 5 },
	{ "page_pool_update_nid", op_owner, 5 },   { NULL, NULL, 0 },
};
