/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare_dpdk.c - rte_mempool doing the same work
 *
 * EAL runs inside this process, on the CPU that is measured, so that its main
 * lcore has the mempool's own cache. Built as a library of its own, because
 * DPDK's flags (-march=corei7, -include rte_config.h) are for its callers only.
 * get and put are inlined here, as in any DPDK program.
 */
#include <limits.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define POOLS 6u

static struct {
	const char *ops;
	unsigned int cache;
	bool mbufs;
	struct rte_mempool *pool;
	void *memory;
	size_t size;
} rivals[POOLS] = {
	{ .ops = "ring_mp_mc", .cache = 0 },
	{ .ops = "ring_mp_mc", .cache = 512 },
	{ .ops = "stack", .cache = 0 },
	{ .ops = "stack", .cache = 512 },
	{ .ops = "ring_mp_mc", .cache = 512, .mbufs = true },
	{ .ops = "stack", .cache = 512, .mbufs = true },
};

static bool eal;

static uint64_t run_mempool(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	void *objects[PP_BULK_MAX] __attribute__((aligned(64)));
	struct rte_mempool *pool = s->ctx;
	uint64_t start = pp_cycles();

	while (loops--) {
		if (unlikely(rte_mempool_get_bulk(pool, objects, bulk))) {
			s->shorts++;
			continue;
		}
		bench_use(objects);
		rte_mempool_put_bulk(pool, objects, bulk);
	}
	return pp_cycles() - start;
}

/* mbufs are reset on allocation and checked on free: what prep does for pages, and a little more */
static uint64_t run_mbufs(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct rte_mbuf *mbufs[PP_BULK_MAX] __attribute__((aligned(64)));
	struct rte_mempool *pool = s->ctx;
	uint64_t start = pp_cycles();

	while (loops--) {
		if (unlikely(rte_pktmbuf_alloc_bulk(pool, mbufs, bulk))) {
			s->shorts++;
			continue;
		}
		bench_use(mbufs);
		rte_pktmbuf_free_bulk(mbufs, bulk);
	}
	return pp_cycles() - start;
}

/* EAL wants words that it may write to */
static int eal_open(unsigned int core)
{
	char text[200], *argv[20], *word, *rest;
	int argc = 0;

	snprintf(text, sizeof(text),
		 "ppbench -l %u --no-huge --no-pci --no-shconf -m 64 --no-telemetry "
		 "--log-level error --file-prefix ppbench%d",
		 core, (int)getpid());
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return rte_eal_init(argc, argv) < 0 ? -1 : 0;
}

/*
 * Memory without page boundaries, as hugepages would be. EAL without hugepages puts
 * one object into each 4 KiB page, all of them on the same cache set: four times
 * slower, and nobody's production layout.
 */
static int populate(struct rte_mempool *pool, unsigned int i)
{
	size_t min_chunk, align;
	ssize_t size =
		rte_mempool_op_calc_mem_size_default(pool, BENCH_PAGES, 0, &min_chunk, &align);

	if (size <= 0)
		return -1;
	rivals[i].size = (size_t)size + align;
	rivals[i].memory = mmap(NULL, rivals[i].size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (rivals[i].memory == MAP_FAILED) {
		rivals[i].memory = NULL;
		rte_errno = errno;
		return -1;
	}
	if (rte_mempool_populate_iova(pool, rivals[i].memory, RTE_BAD_IOVA, rivals[i].size, NULL,
				      NULL) < (int)BENCH_PAGES)
		return -1;
	return 0;
}

/* an mbuf pool by hand: the ready-made constructor chooses the memory itself */
static struct rte_mempool *pool_open(unsigned int i)
{
	unsigned int room = BENCH_PAGE_SIZE + RTE_PKTMBUF_HEADROOM;
	unsigned int mbuf = sizeof(struct rte_mbuf) + room, private = 0;
	struct rte_pktmbuf_pool_private priv = { .mbuf_data_room_size = (uint16_t)room };
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "ppbench%u", i);
	if (rivals[i].mbufs)
	private = sizeof(priv);
	pool = rte_mempool_create_empty(name, BENCH_PAGES, rivals[i].mbufs ? mbuf : BENCH_PAGE_SIZE,
					rivals[i].cache, private, (int)rte_socket_id(),
					RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	rivals[i].pool = pool;
	if (!pool || rte_mempool_set_ops_byname(pool, rivals[i].ops, NULL))
		return NULL;
	if (rivals[i].mbufs)
		rte_pktmbuf_pool_init(pool, &priv);
	if (populate(pool, i))
		return NULL;
	if (rivals[i].mbufs)
		rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

static int rival_open(unsigned int i, struct bench_subject *s)
{
	if (!pool_open(i))
		return -1;
	bench_name(s, rivals[i].mbufs ? "prep" : "raw", "rte_%s %s cache %u",
		   rivals[i].mbufs ? "pktmbuf" : "mempool", rivals[i].ops, rivals[i].cache);
	s->run = rivals[i].mbufs ? run_mbufs : run_mempool;
	s->ctx = rivals[i].pool;
	return 0;
}

static void pools_close(void)
{
	unsigned int i;

	for (i = 0; i < POOLS; i++) {
		rte_mempool_free(rivals[i].pool);
		if (rivals[i].memory)
			munmap(rivals[i].memory, rivals[i].size);
		rivals[i].pool = NULL;
		rivals[i].memory = NULL;
	}
}

/* Return: subjects written; 0 with a reason if there is nothing to compare with */
unsigned int bench_dpdk_open(unsigned int core, struct bench_subject *s, unsigned int max,
			     const char **why)
{
	static char reason[160];
	unsigned int i;

	*why = reason;
	if (eal_open(core)) {
		snprintf(reason, sizeof(reason), "left out: EAL did not start: %s",
			 rte_strerror(rte_errno));
		return 0;
	}
	eal = true;
	for (i = 0; i < POOLS && i < max; i++) {
		if (rival_open(i, &s[i])) {
			snprintf(reason, sizeof(reason), "left out: no pool with ops %s: %s",
				 rivals[i].ops, rte_strerror(rte_errno));
			pools_close();
			return 0;
		}
	}
	*why = NULL;
	return i;
}

/* the rivals' ledger: every object must be home here, too */
int bench_dpdk_audit(void)
{
	unsigned int i, home;

	for (i = 0; i < POOLS; i++) {
		home = rivals[i].pool ? rte_mempool_avail_count(rivals[i].pool) : BENCH_PAGES;
		if (home == BENCH_PAGES)
			continue;
		bench_error("compare: rte_mempool %s: %u of %u objects came home: no figure",
			    rivals[i].ops, home, BENCH_PAGES);
		return -1;
	}
	return 0;
}

/* EAL leaves its directory behind, empty */
void bench_dpdk_close(void)
{
	char dir[PATH_MAX];

	if (!eal)
		return;
	pools_close();
	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(dir);
}
