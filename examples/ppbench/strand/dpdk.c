/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strand/dpdk.c - rte_mempool in the place of a zone
 *
 * Every ops of the distribution that runs without hardware, with caches of 0, 256 and 512;
 * and those of the plugin that PPBENCH_DPDK_PLUGIN names, without a cache on top. The
 * workers are registered as lcores, so that they have the mempool's caches.
 */
#include <dlfcn.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpdk_eal.h"
#include "strand/strand.h"

#define PLUGIN_ENV "PPBENCH_DPDK_PLUGIN"
#define PLUGIN_OPS "pagepool"
#define HEAP_MB	   64u

struct rival {
	struct dpdk_pool pool;
	unsigned int lcore[STRAND_WORKERS];
};

/*
 * DPDK's ring_mt_rts loses objects without a word: while a thread is preempted in the middle of a
 * get, the ring looks fuller than it is, by up to an eighth, and rte_mempool_put() ignores that.
 */
static int rival_close(struct bench *b, void *pool)
{
	struct rival *r = pool;
	const struct rte_mempool *mp = r->pool.pool;
	unsigned int home = rte_mempool_avail_count(mp), n = mp->size;

	(void)b;
	if (home != n)
		bench_error(
			"strand: rte_mempool %s cache %u: %u of %u objects came home: no figure; "
			"run it again with free CPUs in --cores",
			rte_mempool_get_ops(mp->ops_index)->name, mp->cache_size, home, n);
	dpdk_pool_free(&r->pool);
	free(r);
	return home == n ? 0 : -1;
}

static void *rival_open(const struct strand_kind *kind, unsigned int n)
{
	struct rival *r = calloc(1, sizeof(*r));
	struct rte_mempool *pool;

	if (!r)
		return NULL;
	pool = rte_mempool_create_empty("ppbench_strand", n, BENCH_PAGE_SIZE, kind->cache, 0,
					(int)rte_socket_id(), RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	r->pool.pool = pool;
	if (pool && !rte_mempool_set_ops_byname(pool, kind->variant, NULL) &&
	    !dpdk_pool_populate(&r->pool))
		return r;
	dpdk_pool_free(&r->pool);
	free(r);
	return NULL;
}

static void rival_begin(void *pool, unsigned int w)
{
	((struct rival *)pool)->lcore[w] = rte_lcore_id();
}

static unsigned int rival_alloc(void *pool, unsigned int w, void **objs, unsigned int n)
{
	(void)w;
	return rte_mempool_get_bulk(((struct rival *)pool)->pool.pool, objs, n) ? 0 : n;
}

static void rival_free(void *pool, unsigned int w, void **objs, unsigned int n)
{
	(void)w;
	if (n)
		rte_mempool_put_bulk(((struct rival *)pool)->pool.pool, objs, n);
}

static unsigned int rival_cached(void *pool, unsigned int w)
{
	struct rival *r = pool;
	struct rte_mempool_cache *cache = rte_mempool_default_cache(r->pool.pool, r->lcore[w]);

	return cache ? cache->len : 0;
}

static size_t rival_bytes(void *pool)
{
	struct rte_mempool *mp = ((struct rival *)pool)->pool.pool;

	return mp->header_size + mp->elt_size + mp->trailer_size;
}

static const struct strand_ops rival_ops = {
	.open = rival_open,
	.begin = rival_begin,
	.alloc = rival_alloc,
	.free = rival_free,
	.cached = rival_cached,
	.bytes = rival_bytes,
	.close = rival_close,
};

static void add_kind(struct bench *b, struct strand_kind *kinds, unsigned int *n, const char *ops,
		     unsigned int cache)
{
	struct strand_kind *kind = &kinds[*n];
	struct rival *r;

	*kind = (struct strand_kind){ .ops = &rival_ops, .variant = ops, .cache = cache };
	snprintf(kind->name, sizeof(kind->name), "rte_mempool %s cache %u", ops, cache);
	r = rival_open(kind, STRAND_MAX);
	if (!r) {
		bench_note(b, "%s: left out: %s", kind->name, rte_strerror(rte_errno));
		return;
	}
	/* bucket claims objects and gives none unless they were laid out for it */
	if (rival_close(b, r))
		return;
	(*n)++;
}

/* The plugin registers its ops when it is loaded; EAL's -d would refuse many a build directory. */
static bool load_plugin(struct bench *b)
{
	const char *file = getenv(PLUGIN_ENV);

	if (!file || !*file) {
		bench_note(b, "rte_mempool %s: left out, " PLUGIN_ENV " does not name the plugin",
			   PLUGIN_OPS);
		return false;
	}
	if (dlopen(file, RTLD_NOW | RTLD_GLOBAL))
		return true;
	bench_note(b, "rte_mempool %s: left out: %s", PLUGIN_OPS, dlerror());
	return false;
}

unsigned int strand_dpdk_open(struct bench *b, struct strand_kind *kinds)
{
	static const char *const ops[] = { "ring_mp_mc", "ring_mt_rts", "ring_mt_hts", "stack",
					   "lf_stack" };
	static const unsigned int caches[] = { 0, 256, 512 };
	unsigned int i, k, n = 0;

	if (dpdk_eal_open(b->opts.cores[0], HEAP_MB, NULL)) {
		bench_note(b, "rte_mempool: left out: EAL did not start: %s",
			   rte_strerror(rte_errno));
		return 0;
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		for (k = 0; k < sizeof(caches) / sizeof(caches[0]); k++)
			add_kind(b, kinds, &n, ops[i], caches[k]);
	if (load_plugin(b))
		add_kind(b, kinds, &n, PLUGIN_OPS, 0);
	return n;
}

void strand_dpdk_thread(bool begin)
{
	if (!dpdk_eal_runs())
		return;
	if (!begin)
		rte_thread_unregister();
	else if (rte_thread_register())
		bench_error("strand: cannot register a thread with EAL: %s",
			    rte_strerror(rte_errno));
}

void strand_dpdk_close(void)
{
	dpdk_eal_close();
}
