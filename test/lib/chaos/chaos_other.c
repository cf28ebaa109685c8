/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_other.c - depots, zones that come and go, and a provider with a lock of its own
 */
#include <errno.h>
#include <string.h>

#include "chaos/chaos.h"

#define PROVIDED 32u

static const struct {
	const char *policy;
	const char *label;
} depot_kinds[] = { { "trylock", "depot trylock" }, { "rseq", "depot rseq" } };

static struct depot_fixture depots[CHAOS_DEPOTS];
static uint32_t depot_users[CHAOS_DEPOTS][CHAOS_OBJECTS];
unsigned int chaos_ndepots;

/* ---- depots ---------------------------------------------------------------------------------- */

static void new_depot(unsigned int d, const char *policy, const char *label)
{
	struct chaos_zone *z = &chaos_zones[chaos_nzones + d];
	struct pp_depot_params p;
	unsigned int i;

	depot_policy = policy;
	p = depot_params(CHAOS_OBJECTS, 32, 8);
	p.drain_us = 5000000;
	depot_new(&depots[d], &p);
	z->size = CHAOS_OBJECTS;
	z->label = label;
	z->user = depot_users[d];
	z->judged = true;
	for (i = 0; i < CHAOS_THREADS; i++)
		z->most[i] = -1;
}

void chaos_depots_new(void)
{
	unsigned int i;

	require(chaos_nzones + CHAOS_DEPOTS <= CHAOS_ZONES);
	for (i = 0; i < CHAOS_DEPOTS; i++)
		if (!pp_policy_check(depot_kinds[i].policy))
			new_depot(chaos_ndepots++, depot_kinds[i].policy, depot_kinds[i].label);
}

static uint32_t *user_of(unsigned int d, const void *object)
{
	return &depot_users[d][depot_index(&depots[d], object)];
}

static void depot_put(struct chaos_worker *w, unsigned int d, unsigned int n)
{
	void **objects = w->objects[d] + (w->nobjects[d] -= n);
	unsigned int i;

	for (i = 0; i < n; i++)
		require(__atomic_exchange_n(user_of(d, objects[i]), 0, __ATOMIC_ACQ_REL));
	require(!pp_depot_put_bulk(depots[d].depot, objects, n));
	chaos_give(&chaos_zones[chaos_nzones + d], n);
}

static void op_depot_get(struct chaos_worker *w)
{
	unsigned int d = rng_below(&w->rng, chaos_ndepots), n, k, i;
	void **objects = w->objects[d] + w->nobjects[d];

	n = CHAOS_OBJECTS / 8 - w->nobjects[d];
	if (!n)
		return;
	n = rng_below(&w->rng, 2) ? 1 + rng_below(&w->rng, n) : 1;
	w->z = &chaos_zones[chaos_nzones + d];
	chaos_call(w, n);
	k = depot_take(depots[d].depot, objects, n);
	chaos_answer(w, n, k, true);
	for (i = 0; i < k; i++)
		require(!__atomic_exchange_n(user_of(d, objects[i]), w->id + 1, __ATOMIC_ACQ_REL));
	w->nobjects[d] += k;
}

static void op_depot_put(struct chaos_worker *w)
{
	unsigned int d = rng_below(&w->rng, chaos_ndepots);

	if (w->nobjects[d])
		depot_put(w, d, 1 + rng_below(&w->rng, w->nobjects[d]));
}

static void op_depot_look(struct chaos_worker *w)
{
	struct pp_depot *depot = depots[rng_below(&w->rng, chaos_ndepots)].depot;
	uint64_t dropped;

	require(pp_depot_count(depot) <= 2 * CHAOS_OBJECTS);
	require(pp_depot_recover(depot, &dropped) == 0 && dropped == 0);
	require(pp_depot_processes(depot) == 1 && pp_depot_attach(depot) == 0);
	drain_done(pp_depot_drain(depot, rng_below(&w->rng, pp_depot_cores(depot)), 100));
}

void chaos_objects_put(struct chaos_worker *w)
{
	unsigned int d;

	for (d = 0; d < chaos_ndepots; d++)
		depot_put(w, d, w->nobjects[d]);
}

/* Nothing runs: all that no thread has can be had, each once. */
void chaos_depots_check(void)
{
	void *objects[CHAOS_OBJECTS];
	unsigned int d, i, n;

	for (d = 0; d < chaos_ndepots; d++) {
		n = CHAOS_OBJECTS;
		for (i = 0; i < CHAOS_THREADS; i++)
			n -= chaos_workers[i].nobjects[d];
		depot_check(&depots[d], CHAOS_OBJECTS - n);
		require(depot_take(depots[d].depot, objects, n) == n);
		depot_distinct(&depots[d], objects, n);
		require(!pp_depot_put_bulk(depots[d].depot, objects, n));
	}
}

void chaos_depots_end(void)
{
	unsigned int d;

	for (d = 0; d < chaos_ndepots; d++) {
		require(chaos_zones[chaos_nzones + d].taken == 0);
		depot_end(&depots[d]);
	}
}

/* ---- zones that come and go ------------------------------------------------------------------ */

static void use_zone(struct chaos_worker *w, struct pp_zone *zone, struct pp_zone_set *set)
{
	struct pp_page *pages[64];
	struct page_pool *pool = pool_new(zone, 16, 16, 8);
	unsigned int n = 1 + rng_below(&w->rng, 32), k;

	k = page_pool_alloc_bulk(pool, pages, n);
	require(k == n);
	/* with policy request what the pool has beyond that stays there */
	n += pp_zone_alloc_bulk(zone, pages + n, rng_below(&w->rng, 2) ? 8 : 1);
	pages_distinct(zone, pages, n);
	page_pool_put_bulk(pages + n / 2, n - n / 2);
	page_pool_destroy(pool);
	if (n / 2)
		require((set ? pp_zone_set_destroy(set) : pp_zone_destroy(zone)) == -EBUSY);
	drain_done(pp_zone_drain_all(zone, 100));
	page_pool_put_bulk(pages, n / 2);
}

static struct pp_zone_params any_zone(struct chaos_worker *w)
{
	static const uint32_t flags[] = { 0, PP_ZONE_LAZY, PP_ZONE_PER_THREAD, PP_ZONE_SIGNAL_SAFE,
					  PP_ZONE_TRACE };
	static const enum pp_mem mem[] = { PP_MEM_ANON, PP_MEM_MEMFD, PP_MEM_HUGETLB };
	const char *const *names = pp_policy_names();
	struct pp_zone_params p;
	unsigned int n = 0;

	while (names[n])
		n++;
	p = chaos_params(names[rng_below(&w->rng, n)], flags[rng_below(&w->rng, ARRAY_LEN(flags))],
			 64);
	p.mem = mem[rng_below(&w->rng, ARRAY_LEN(mem))];
	p.flags |= p.mem == PP_MEM_HUGETLB ? PP_ZONE_HUGE_FALLBACK : 0;
	return p;
}

static void op_zone(struct chaos_worker *w)
{
	struct pp_zone_params p = any_zone(w);
	struct pp_zone_set_params sp = { .sz = sizeof(sp), .zone = &p, .nodes = 1 };
	struct pp_zone_set *set = NULL;
	struct pp_zone *zone;

	/* each takes a registration, memory, and system calls */
	if (rng_below(&w->rng, 20))
		return;
	if (rng_below(&w->rng, 4) == 0)
		set = pp_zone_set_create(&sp);
	zone = set ? pp_zone_set_zone(set, 0) : pp_zone_create(&p);
	require(zone || errno == ENOTSUP);
	if (!zone)
		return;
	use_zone(w, zone, set);
	require(set ? !pp_zone_set_destroy(set) : !pp_zone_destroy(zone));
}

/* ---- a provider ------------------------------------------------------------------------------ */

static pthread_mutex_t providers_lock = PTHREAD_MUTEX_INITIALIZER;

struct provider {
	struct pp_page pages[PROVIDED];
	struct pp_page *home[PROVIDED];
	unsigned int n;
	bool ended; /* atomic */
};

static unsigned int provide(void *arg, struct page_pool *pool, struct pp_page **pages,
			    unsigned int n)
{
	struct provider *p = arg;
	unsigned int k = 0;

	pthread_mutex_lock(&providers_lock);
	while (k < n && p->n)
		pages[k++] = p->home[--p->n];
	pthread_mutex_unlock(&providers_lock);
	return k;
}

static void release(void *arg, struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	struct provider *p = arg;

	pthread_mutex_lock(&providers_lock);
	while (n--) {
		require(p->n < PROVIDED);
		p->home[p->n++] = pages[n];
	}
	pthread_mutex_unlock(&providers_lock);
}

static bool has_ended(const struct provider *p)
{
	return __atomic_load_n(&p->ended, __ATOMIC_ACQUIRE);
}

static void ended(void *arg, struct page_pool *pool)
{
	struct provider *p = arg;

	require(!has_ended(p) && p->n == PROVIDED);
	__atomic_store_n(&p->ended, true, __ATOMIC_RELEASE);
}

/* a zone that may have run short, under the lock that release() takes as well */
static void take_inside(struct chaos_worker *w)
{
	struct pp_page *pages[8];
	unsigned int n = CHAOS_HELD - w->hold->n, k;

	n = n < 8 ? n : 8;
	chaos_call(w, n);
	pthread_mutex_lock(&providers_lock);
	k = n ? pp_zone_alloc_bulk(w->z->zone, pages, n) : 0;
	pthread_mutex_unlock(&providers_lock);
	chaos_answer(w, n, k, true);
	chaos_keep(w, pages, k);
}

static void op_provider(struct chaos_worker *w)
{
	static const struct page_pool_provider ops = { .alloc_bulk = provide,
						       .release_bulk = release,
						       .destroy = ended };
	struct provider *p = calloc(1, sizeof(*p) + 64);
	struct page_pool_params params = {
		.sz = sizeof(params), .provider = &ops, .cache_size = 8, .pool_size = 8
	};
	struct pp_page *pages[PROVIDED];
	struct page_pool *pool;
	unsigned int i, n;

	require(p);
	for (i = 0; i < PROVIDED; i++) {
		pp_page_init(&p->pages[i], NULL, 11);
		p->home[p->n++] = &p->pages[i];
	}
	params.provider_arg = p;
	pool = page_pool_create(&params);
	require(pool);
	n = page_pool_alloc_bulk(pool, pages, 1 + rng_below(&w->rng, PROVIDED));
	page_pool_put_bulk(pages + n / 2, n - n / 2);
	take_inside(w);
	page_pool_destroy(pool);
	require(n < 2 || !has_ended(p));
	page_pool_put_bulk(pages, n / 2);
	/* a request that looks at the pool ends it, when it has looked */
	for (i = 0; !has_ended(p) && i < 100000; i++)
		sleep_us(100);
	require(has_ended(p));
	free(p);
}

const struct chaos_op chaos_other_ops[] = {
	{ "pp_depot_get_bulk", op_depot_get, 60 }, { "pp_depot_put_bulk", op_depot_put, 60 },
	{ "pp_depot_count", op_depot_look, 5 },	   { "pp_zone_create", op_zone, 5 },
	{ "a provider", op_provider, 8 },	   { NULL, NULL, 0 },
};
