/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/dpdk.c - rte_mempool doing the work of `ppbench compare`
 *
 * EAL runs inside this process, on the CPU that is measured, so that its main
 * lcore has the mempool's own cache; other threads register as lcores, except where
 * the work is to do without. Built as a library of its own, because DPDK's flags
 * (-march=corei7, -include rte_config.h) are for its callers only. get and put are
 * inlined here, as in any DPDK program.
 */
#include <errno.h>
#include <limits.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compare/compare.h"

#define POOLS	16u
#define CACHE	512u
#define HEAP_MB 128

static struct rival {
	const char *ops;
	unsigned int cache;
	bool mbufs;
	struct rte_mempool *pool;
	void *memory;
	size_t size;
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

static bool eal;
static char eal_dir[PATH_MAX];

static inline unsigned int mempool_get(struct rte_mempool *pool, void **objects, unsigned int n)
{
	return rte_mempool_get_bulk(pool, objects, n) ? 0 : n;
}

static inline void mempool_put(struct rte_mempool *pool, void **objects, unsigned int n)
{
	if (n)
		rte_mempool_put_bulk(pool, objects, n);
}

/* mbufs are reset on allocation and checked on free: what prep does for pages, and a little more */
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
#define WORK_PUT(pool, o, n) rte_pktmbuf_free_bulk((struct rte_mbuf **)(o), n)
#define WORK_ENTER()	     rte_thread_register()
#define WORK_LEAVE()	     rte_thread_unregister()
#include "compare/work_impl.h"

static int run_mempool(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	return mempool_run(((struct rival *)r->pool)->pool, job, res);
}

static int run_mbufs(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	return mbuf_run(((struct rival *)r->pool)->pool, job, res);
}

/* EAL wants words that it may write to; @plugin may have any character but is one word */
static int eal_open(unsigned int core, const char *plugin)
{
	char text[200], file[PATH_MAX], minus_d[] = "-d", *argv[24], *word, *rest;
	int argc = 0;

	snprintf(text, sizeof(text),
		 "ppbench -l %u --no-huge --no-pci --no-shconf -m %d --no-telemetry "
		 "--log-level error --file-prefix ppbench%d",
		 core, HEAP_MB, (int)getpid());
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	if (plugin) {
		snprintf(file, sizeof(file), "%s", plugin);
		argv[argc++] = minus_d;
		argv[argc++] = file;
	}
	argv[argc] = NULL;
	return rte_eal_init(argc, argv) < 0 ? -1 : 0;
}

/*
 * Memory without page boundaries, as hugepages would be. EAL without hugepages puts
 * one object into each 4 KiB page, all of them on the same cache set: four times
 * slower, and a layout that no DPDK program has in production.
 */
static int populate_pool(struct rival *r)
{
	const struct rte_mempool_ops *ops = rte_mempool_get_ops(r->pool->ops_index);
	size_t min_chunk, align, offset;
	ssize_t size;
	int done;
	char *at;

	size = ops->calc_mem_size ? ops->calc_mem_size(r->pool, BENCH_PAGES, 0, &min_chunk, &align)
				  : rte_mempool_op_calc_mem_size_default(r->pool, BENCH_PAGES, 0,
									 &min_chunk, &align);
	if (size <= 0)
		return -1;
	r->size = (size_t)size + align;
	at = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		  -1, 0);
	if (at == MAP_FAILED) {
		rte_errno = errno;
		return -1;
	}
	r->memory = at;
	offset = align ? -(uintptr_t)at % align : 0;
	done = rte_mempool_populate_iova(r->pool, at + offset, RTE_BAD_IOVA, r->size - offset, NULL,
					 NULL);
	rte_errno = done < 0 ? -done : 0;
	return done < (int)BENCH_PAGES ? -1 : 0;
}

/* an mbuf pool by hand: the ready-made constructor chooses the memory itself */
static int pool_open(struct rival *r)
{
	unsigned int room = BENCH_PAGE_SIZE + RTE_PKTMBUF_HEADROOM;
	unsigned int mbuf = sizeof(struct rte_mbuf) + room, private = 0;
	struct rte_pktmbuf_pool_private priv = { .mbuf_data_room_size = (uint16_t)room };
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "ppbench%u", (unsigned int)(r - rivals));
	if (r->mbufs)
	private = sizeof(priv);
	r->pool = rte_mempool_create_empty(name, BENCH_PAGES, r->mbufs ? mbuf : BENCH_PAGE_SIZE,
					   r->cache, private, (int)rte_socket_id(),
					   RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	if (!r->pool || rte_mempool_set_ops_byname(r->pool, r->ops, NULL)) {
		snprintf(r->why, sizeof(r->why), "this DPDK has no mempool ops of that name");
		return -1;
	}
	if (r->mbufs)
		rte_pktmbuf_pool_init(r->pool, &priv);
	if (populate_pool(r)) {
		snprintf(r->why, sizeof(r->why),
			 "took %u of %u objects in memory without hugepages%s%s",
			 r->pool->populated_size, BENCH_PAGES, rte_errno ? ": " : "",
			 rte_errno ? rte_strerror(rte_errno) : "");
		return -1;
	}
	if (r->mbufs)
		rte_mempool_obj_iter(r->pool, rte_pktmbuf_init, NULL);
	return 0;
}

static void pool_close(struct rival *r)
{
	rte_mempool_free(r->pool);
	if (r->memory)
		munmap(r->memory, r->size);
	r->pool = NULL;
	r->memory = NULL;
}

static void rival_open(struct rival *mine, struct cmp_rival *r, unsigned int *n)
{
	struct cmp_rival *one;

	one = cmp_add(r, n, mine->mbufs ? CMP_BIT(CMP_PREP) : CMP_ALL_RAW, "rte_%s %s cache %u",
		      mine->mbufs ? "pktmbuf" : "mempool", mine->ops, mine->cache);
	one->run = mine->mbufs ? run_mbufs : run_mempool;
	one->pool = mine;
	if (pool_open(mine)) {
		pool_close(mine);
		one->missing = mine->why;
	} else if (!strcmp(mine->ops, "bucket")) {
		/* it looks up the lcore's number in an array, unchecked */
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
	if (eal_open(core, plugin)) {
		snprintf(reason, sizeof(reason), "left out: EAL did not start%s%s: %s",
			 plugin ? " with plugin " : "", plugin ? plugin : "",
			 rte_strerror(rte_errno));
		*why = reason;
		rmdir(rte_eal_get_runtime_dir()); /* made before it failed, and empty */
		return;
	}
	eal = true;
	snprintf(eal_dir, sizeof(eal_dir), "%s", rte_eal_get_runtime_dir());
	for (i = 0; i < POOLS; i++)
		if (plugin || strcmp(rivals[i].ops, "pagepool"))
			rival_open(&rivals[i], r, n);
}

/* the rivals' ledger: every object must be home here, too */
int cmp_dpdk_audit(void)
{
	unsigned int i, home;

	for (i = 0; i < POOLS; i++) {
		home = rivals[i].pool ? rte_mempool_avail_count(rivals[i].pool) : BENCH_PAGES;
		if (home == BENCH_PAGES)
			continue;
		bench_error("compare: rte_mempool %s cache %u: %u of %u objects came home: "
			    "no figure; this is a bug, please report it",
			    rivals[i].ops, rivals[i].cache, home, BENCH_PAGES);
		return -1;
	}
	return 0;
}

/* EAL leaves its directory behind, empty */
void cmp_dpdk_close(void)
{
	unsigned int i;

	if (!eal)
		return;
	for (i = 0; i < POOLS; i++)
		pool_close(&rivals[i]);
	rte_eal_cleanup();
	rmdir(eal_dir);
	eal = false;
}
