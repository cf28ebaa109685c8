/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strand/dpdk.c - rte_mempool in the place of a zone
 *
 * Every ops of the distribution that runs without hardware, with caches of 0, 256 and 512;
 * and those of the plugin that PPBENCH_DPDK_PLUGIN names, without a cache on top. The
 * workers are registered as lcores, so that they have the mempool's caches.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "strand/strand.h"

#define PLUGIN_ENV "PPBENCH_DPDK_PLUGIN"
#define PLUGIN_OPS "pagepool"

static bool eal;

struct rival {
	struct rte_mempool *pool;
	void *memory;
	size_t size;
	unsigned int n;
	unsigned int lcore[STRAND_WORKERS];
};

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

static int rival_close(struct bench *b, void *pool)
{
	struct rival *r = pool;
	unsigned int home = r->pool ? rte_mempool_avail_count(r->pool) : 0, n = r->n;

	(void)b;
	rte_mempool_free(r->pool);
	if (r->memory)
		munmap(r->memory, r->size);
	free(r);
	if (home == n)
		return 0;
	bench_error("strand: rte_mempool: %u of %u objects came home: no figure", home, n);
	return -1;
}

/* memory without page boundaries, as hugepages would be: see compare/dpdk.c */
static int populate(struct rival *r)
{
	size_t min_chunk, align;
	ssize_t size = rte_mempool_op_calc_mem_size_default(r->pool, r->n, 0, &min_chunk, &align);
	void *memory;

	if (size <= 0)
		return -1;
	r->size = (size_t)size + align;
	memory = mmap(NULL, r->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	r->memory = memory;
	return rte_mempool_populate_iova(r->pool, memory, RTE_BAD_IOVA, r->size, NULL, NULL) <
			       (int)r->n
		       ? -1
		       : 0;
}

static void *rival_open(const struct strand_kind *kind, unsigned int n)
{
	struct rival *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->n = n;
	r->pool = rte_mempool_create_empty("ppbench_strand", n, BENCH_PAGE_SIZE, kind->cache, 0,
					   (int)rte_socket_id(), RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	if (r->pool && !rte_mempool_set_ops_byname(r->pool, kind->variant, NULL) && !populate(r))
		return r;
	rte_mempool_free(r->pool);
	if (r->memory)
		munmap(r->memory, r->size);
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
	return rte_mempool_get_bulk(((struct rival *)pool)->pool, objs, n) ? 0 : n;
}

static void rival_free(void *pool, unsigned int w, void **objs, unsigned int n)
{
	(void)w;
	if (n)
		rte_mempool_put_bulk(((struct rival *)pool)->pool, objs, n);
}

static unsigned int rival_cached(void *pool, unsigned int w)
{
	struct rival *r = pool;
	struct rte_mempool_cache *cache = rte_mempool_default_cache(r->pool, r->lcore[w]);

	return cache ? cache->len : 0;
}

static size_t rival_bytes(void *pool)
{
	struct rte_mempool *mp = ((struct rival *)pool)->pool;

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
	/* bucket says that there are objects and gives none unless they were laid out for it */
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

	if (eal_open(b->opts.cores[0])) {
		bench_note(b, "rte_mempool: left out: EAL did not start: %s",
			   rte_strerror(rte_errno));
		return 0;
	}
	eal = true;
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		for (k = 0; k < sizeof(caches) / sizeof(caches[0]); k++)
			add_kind(b, kinds, &n, ops[i], caches[k]);
	if (load_plugin(b))
		add_kind(b, kinds, &n, PLUGIN_OPS, 0);
	return n;
}

void strand_dpdk_thread(bool begin)
{
	if (!eal)
		return;
	if (!begin)
		rte_thread_unregister();
	else if (rte_thread_register())
		bench_error("strand: cannot register a thread with EAL: %s",
			    rte_strerror(rte_errno));
}

/* EAL leaves its directory behind, empty */
void strand_dpdk_close(void)
{
	char dir[PATH_MAX];

	if (!eal)
		return;
	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(dir);
	eal = false;
}
