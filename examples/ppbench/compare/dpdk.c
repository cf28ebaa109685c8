/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/dpdk.c - rte_mempool doing the work of `ppbench compare`
 *
 * EAL runs inside this process, on the CPU that is measured, so that its main lcore has
 * the mempool's own cache. Other threads register as lcores, except for the kind foreign.
 * The file is in a library of its own, because DPDK's flags (-march=corei7, -include
 * rte_config.h) are for its callers only. get and put are inlined here, as in any DPDK
 * program.
 */
#include <errno.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare/compare.h"
#include "dpdk_eal.h"

#define POOLS	16u
#define CACHE	512u
#define HEAP_MB 128u

static struct rival {
	const char *ops;
	unsigned int cache;
	bool mbufs;
	struct dpdk_pool pool;
	char why[160];
} rivals[POOLS] = {
	{ .ops = "ring_mp_mc" },
	{ .ops = "ring_mp_mc", .cache = CACHE },
	{ .ops = "ring_mt_hts" },
	{ .ops = "ring_mt_hts", .cache = CACHE },
	{ .ops = "ring_mt_rts" },
	{ .ops = "ring_mt_rts", .cache = CACHE },
	{ .ops = "stack" },
	{ .ops = "stack", .cache = CACHE },
	{ .ops = "lf_stack" },
	{ .ops = "lf_stack", .cache = CACHE },
	{ .ops = "bucket" },
	{ .ops = "bucket", .cache = CACHE },
	{ .ops = "pagepool" },
	{ .ops = "pagepool", .cache = CACHE },
	{ .ops = "ring_mp_mc", .cache = CACHE, .mbufs = true },
	{ .ops = "stack", .cache = CACHE, .mbufs = true },
};

static inline unsigned int mempool_get(struct rte_mempool *pool, void **objects, unsigned int n)
{
	return rte_mempool_get_bulk(pool, objects, n) ? 0 : n;
}

static inline void mempool_put(struct rte_mempool *pool, void **objects, unsigned int n)
{
	if (n)
		rte_mempool_put_bulk(pool, objects, n);
}

/* DPDK resets an mbuf on allocation and checks it on free: prep, and a little more */
static inline unsigned int mbuf_get(struct rte_mempool *pool, void **objects, unsigned int n)
{
	return rte_pktmbuf_alloc_bulk(pool, (struct rte_mbuf **)objects, n) ? 0 : n;
}

#define WORK(name)	     mempool_##name
#define WORK_GET(pool, o, n) mempool_get(pool, o, n)
#define WORK_PUT(pool, o, n) mempool_put(pool, o, n)
#define WORK_ENTER()	     rte_thread_register()
#define WORK_LEAVE()	     rte_thread_unregister()
#include "compare/work_impl.h"

#define WORK(name)	     mbuf_##name
#define WORK_GET(pool, o, n) mbuf_get(pool, o, n)
#define WORK_PUT(pool, o, n) ((void)(pool), rte_pktmbuf_free_bulk((struct rte_mbuf **)(o), n))
#define WORK_ENTER()	     rte_thread_register()
#define WORK_LEAVE()	     rte_thread_unregister()
#include "compare/work_impl.h"

/* builds an mbuf pool by hand: the constructor of DPDK chooses the memory itself */
static int pool_open(struct rival *r)
{
	unsigned int room = BENCH_PAGE_SIZE + RTE_PKTMBUF_HEADROOM;
	unsigned int mbuf = sizeof(struct rte_mbuf) + room, private = 0;
	struct rte_pktmbuf_pool_private priv = { .mbuf_data_room_size = (uint16_t)room };
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "ppbench%u", (unsigned int)(r - rivals));
	if (r->mbufs)
	private = sizeof(priv);
	r->pool.pool = rte_mempool_create_empty(name, BENCH_PAGES,
						r->mbufs ? mbuf : BENCH_PAGE_SIZE, r->cache,
						private, (int)rte_socket_id(),
						RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	if (!r->pool.pool || rte_mempool_set_ops_byname(r->pool.pool, r->ops, NULL)) {
		snprintf(r->why, sizeof(r->why), "this DPDK has no mempool ops of that name");
		return -1;
	}
	if (r->mbufs)
		rte_pktmbuf_pool_init(r->pool.pool, &priv);
	if (dpdk_pool_populate(&r->pool)) {
		snprintf(r->why, sizeof(r->why),
			 "took %u of %u objects in memory without hugepages%s%s",
			 r->pool.pool->populated_size, BENCH_PAGES, rte_errno ? ": " : "",
			 rte_errno ? rte_strerror(rte_errno) : "");
		return -1;
	}
	if (r->mbufs)
		rte_mempool_obj_iter(r->pool.pool, rte_pktmbuf_init, NULL);
	return 0;
}

static void rival_open(struct rival *mine, struct cmp_rival *r, unsigned int *n)
{
	struct cmp_rival *one;

	one = cmp_add(r, n, mine->mbufs ? CMP_BIT(CMP_PREP) : CMP_ALL_RAW,
		      mine->mbufs ? mbuf_run : mempool_run, NULL, "rte_%s %s cache %u",
		      mine->mbufs ? "pktmbuf" : "mempool", mine->ops, mine->cache);
	if (pool_open(mine)) {
		dpdk_pool_free(&mine->pool);
		one->missing = mine->why;
		return;
	}
	one->pool = mine->pool.pool;
	if (!strcmp(mine->ops, "bucket")) {
		/* bucket looks up the lcore's number in an array, unchecked */
		one->kinds &= ~CMP_BIT(CMP_FOREIGN);
		one->unable = "threads that are no lcores: bucket crashes in them";
	}
}

void cmp_dpdk_open(unsigned int core, struct cmp_rival *r, unsigned int *n, const char **why)
{
	const char *plugin = getenv("PPBENCH_DPDK_PLUGIN");
	static char reason[160];
	unsigned int i;

	*why = NULL;
	if (!plugin) {
		*why = "ops pagepool left out: PPBENCH_DPDK_PLUGIN names no plugin";
	} else if (strchr(plugin, '/') && access(plugin, R_OK)) {
		snprintf(reason, sizeof(reason),
			 "ops pagepool left out: PPBENCH_DPDK_PLUGIN=%.60s: %s", plugin,
			 strerror(errno));
		*why = reason;
		plugin = NULL;
	}
	if (dpdk_eal_open(core, HEAP_MB, plugin)) {
		snprintf(reason, sizeof(reason), "left out: EAL did not start%s%s: %s",
			 plugin ? " with plugin " : "", plugin ? plugin : "",
			 rte_strerror(rte_errno));
		*why = reason;
		return;
	}
	for (i = 0; i < POOLS; i++)
		if (plugin || strcmp(rivals[i].ops, "pagepool"))
			rival_open(&rivals[i], r, n);
}

/* the rivals' ledger: every object must be home here, too */
int cmp_dpdk_audit(void)
{
	unsigned int i, home;

	for (i = 0; i < POOLS; i++) {
		home = rivals[i].pool.pool ? rte_mempool_avail_count(rivals[i].pool.pool)
					   : BENCH_PAGES;
		if (home == BENCH_PAGES)
			continue;
		bench_error("compare: rte_mempool %s cache %u: %u of %u objects came home: "
			    "no figure; this is a bug, please report it",
			    rivals[i].ops, rivals[i].cache, home, BENCH_PAGES);
		return -1;
	}
	return 0;
}

void cmp_dpdk_close(void)
{
	unsigned int i;

	if (!dpdk_eal_runs())
		return;
	for (i = 0; i < POOLS; i++)
		dpdk_pool_free(&rivals[i].pool);
	dpdk_eal_close();
}
