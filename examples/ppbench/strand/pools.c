/* SPDX-License-Identifier: BSD-3-Clause */
/* strand/pools.c - a zone for each policy, a page_pool for each thread, and one locked stack */
#include <pagepool/page_pool.h>
#include <stdlib.h>
#include <string.h>

#include "strand/strand.h"

/* ---- a zone, and pools over it --------------------------------------------------------------- */

struct ours {
	struct pp_zone *zone;
	struct page_pool *pool[STRAND_WORKERS]; /* NULL: the zone's own calls */
	unsigned int cache[STRAND_WORKERS];
};

static void *zone_open(const struct strand_kind *kind, unsigned int n)
{
	struct pp_zone_params params = {
		.sz = sizeof(params),
		.name = "ppbench",
		.pages = n,
		.page_size = BENCH_PAGE_SIZE,
		.headroom = BENCH_HEADROOM,
		.policy = kind->variant,
		.high = kind->cache,
	};
	struct ours *o = calloc(1, sizeof(*o));

	if (o)
		o->zone = pp_zone_create(&params);
	if (!o || !o->zone) {
		free(o);
		return NULL;
	}
	return o;
}

static int zone_close(struct bench *b, void *pool)
{
	struct ours *o = pool;
	unsigned int w;
	int err;

	for (w = 0; w < STRAND_WORKERS; w++)
		page_pool_destroy(o->pool[w]);
	err = bench_zone_close(b, o->zone);
	free(o);
	return err;
}

static void *pools_open(const struct strand_kind *kind, unsigned int n)
{
	struct page_pool_params params = { .sz = sizeof(params) };
	struct ours *o = zone_open(kind, n);
	unsigned int w;

	for (w = 0; o && w < STRAND_WORKERS; w++) {
		params.zone = o->zone;
		o->pool[w] = page_pool_create(&params);
		if (!o->pool[w]) {
			zone_close(NULL, o);
			return NULL;
		}
	}
	return o;
}

static void zone_begin(void *pool, unsigned int w)
{
	struct ours *o = pool;

	o->cache[w] = pp_zone_this_core(o->zone);
	if (o->pool[w])
		page_pool_enable_direct_recycling(o->pool[w]);
}

static unsigned int zone_alloc(void *pool, unsigned int w, void **objs, unsigned int n)
{
	(void)w;
	return pp_zone_alloc_bulk(((struct ours *)pool)->zone, (struct pp_page **)objs, n);
}

static void zone_free(void *pool, unsigned int w, void **objs, unsigned int n)
{
	(void)w;
	pp_zone_free_bulk(((struct ours *)pool)->zone, (struct pp_page **)objs, n);
}

static unsigned int zone_cached(void *pool, unsigned int w)
{
	struct page_pool_stats stats = { .sz = sizeof(stats) };
	struct ours *o = pool;

	if (o->pool[w])
		page_pool_get_stats(o->pool[w], &stats);
	return pp_zone_cached(o->zone, o->cache[w]) + (unsigned int)(stats.cache + stats.ring);
}

static unsigned int pools_alloc(void *pool, unsigned int w, void **objs, unsigned int n)
{
	return page_pool_alloc_bulk(((struct ours *)pool)->pool[w], (struct pp_page **)objs, n);
}

static void pools_free(void *pool, unsigned int w, void **objs, unsigned int n)
{
	(void)pool;
	(void)w;
	page_pool_put_bulk((struct pp_page **)objs, n);
}

static size_t zone_bytes(void *pool)
{
	return pp_zone_page_size(((struct ours *)pool)->zone) + sizeof(struct pp_page);
}

static const struct strand_ops zone_ops = {
	.open = zone_open,
	.begin = zone_begin,
	.alloc = zone_alloc,
	.free = zone_free,
	.cached = zone_cached,
	.bytes = zone_bytes,
	.close = zone_close,
};

static const struct strand_ops pools_ops = {
	.open = pools_open,
	.begin = zone_begin,
	.alloc = pools_alloc,
	.free = pools_free,
	.cached = zone_cached,
	.bytes = zone_bytes,
	.close = zone_close,
};

/* ---- one stack behind one lock: no page is out of reach ------------------------------------ */

struct stack {
	unsigned int lock;
	unsigned int n;
	unsigned int size;
	void *slot[];
};

static void *stack_open(const struct strand_kind *kind, unsigned int n)
{
	struct stack *st = malloc(sizeof(*st) + n * sizeof(st->slot[0]));

	(void)kind;
	if (!st)
		return NULL;
	st->lock = 0;
	st->n = st->size = n;
	for (; n; n--) /* no code looks into them */
		st->slot[n - 1] = (void *)(uintptr_t)n;
	return st;
}

static void stack_begin(void *pool, unsigned int w)
{
	(void)pool;
	(void)w;
}

static void stack_lock(struct stack *st)
{
	while (__atomic_exchange_n(&st->lock, 1, __ATOMIC_ACQUIRE))
		continue;
}

static unsigned int stack_alloc(void *pool, unsigned int w, void **objs, unsigned int n)
{
	struct stack *st = pool;

	(void)w;
	stack_lock(st);
	n = n < st->n ? n : st->n;
	st->n -= n;
	memcpy(objs, &st->slot[st->n], n * sizeof(*objs));
	__atomic_store_n(&st->lock, 0, __ATOMIC_RELEASE);
	return n;
}

static void stack_free(void *pool, unsigned int w, void **objs, unsigned int n)
{
	struct stack *st = pool;

	(void)w;
	stack_lock(st);
	memcpy(&st->slot[st->n], objs, n * sizeof(*objs));
	st->n += n;
	__atomic_store_n(&st->lock, 0, __ATOMIC_RELEASE);
}

static unsigned int stack_cached(void *pool, unsigned int w)
{
	(void)pool;
	(void)w;
	return 0;
}

static size_t stack_bytes(void *pool)
{
	(void)pool;
	return BENCH_PAGE_SIZE + sizeof(void *);
}

static int stack_close(struct bench *b, void *pool)
{
	struct stack *st = pool;
	unsigned int n = st->n, size = st->size;

	(void)b;
	free(st);
	if (n == size)
		return 0;
	bench_error("strand: locked stack: %u of %u buffers came home: no figure", n, size);
	return -1;
}

static const struct strand_ops stack_ops = {
	.open = stack_open,
	.begin = stack_begin,
	.alloc = stack_alloc,
	.free = stack_free,
	.cached = stack_cached,
	.bytes = stack_bytes,
	.close = stack_close,
};

unsigned int strand_pools(struct bench *b, struct strand_kind *kinds)
{
	const char *const *policies = b->opts.policies;
	unsigned int i, n = 0;

	kinds[n++] = (struct strand_kind){ .name = "locked stack", .ops = &stack_ops };
	for (i = 0; i < b->opts.npolicies; i++) {
		kinds[n] = (struct strand_kind){ .ops = &zone_ops,
						 .variant = policies[i],
						 .cache = BENCH_HIGH };
		snprintf(kinds[n++].name, BENCH_NAME, "zone %s high %u", policies[i], BENCH_HIGH);
	}
	/* the library's choice: fewer pages in a cache the smaller the zone is */
	kinds[n] = (struct strand_kind){ .ops = &zone_ops, .variant = policies[0] };
	snprintf(kinds[n++].name, BENCH_NAME, "zone %s", policies[0]);
	kinds[n] = (struct strand_kind){ .ops = &pools_ops, .variant = policies[0] };
	snprintf(kinds[n++].name, BENCH_NAME, "page_pool %s", policies[0]);
	return n;
}
