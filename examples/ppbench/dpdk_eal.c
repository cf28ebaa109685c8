/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_eal.c - see dpdk_eal.h */
#include <errno.h>
#include <limits.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dpdk_eal.h"

static char eal_dir[PATH_MAX]; /* empty: EAL does not run */

/* EAL wants words that it may write to; @plugin may have any character but is one word */
int dpdk_eal_open(unsigned int core, unsigned int megabytes, const char *plugin)
{
	char text[200], file[PATH_MAX], minus_d[] = "-d", *argv[24], *word, *rest;
	int argc = 0;

	snprintf(text, sizeof(text),
		 "ppbench -l %u --no-huge --no-pci --no-shconf -m %u --no-telemetry "
		 "--log-level error --file-prefix ppbench%d",
		 core, megabytes, (int)getpid());
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	if (plugin) {
		snprintf(file, sizeof(file), "%s", plugin);
		argv[argc++] = minus_d;
		argv[argc++] = file;
	}
	argv[argc] = NULL;
	if (rte_eal_init(argc, argv) < 0) {
		rmdir(rte_eal_get_runtime_dir()); /* made before it failed, and empty */
		return -1;
	}
	snprintf(eal_dir, sizeof(eal_dir), "%s", rte_eal_get_runtime_dir());
	return 0;
}

bool dpdk_eal_runs(void)
{
	return eal_dir[0];
}

/* EAL leaves its directory behind, empty */
void dpdk_eal_close(void)
{
	if (!dpdk_eal_runs())
		return;
	rte_eal_cleanup();
	rmdir(eal_dir);
	eal_dir[0] = '\0';
}

/*
 * Memory without page boundaries, as hugepages would be. EAL without hugepages puts
 * one object into each 4 KiB page, all of them on the same cache set: four times
 * slower, and a layout that no DPDK program has in production.
 */
int dpdk_pool_populate(struct dpdk_pool *p)
{
	const struct rte_mempool_ops *ops = rte_mempool_get_ops(p->pool->ops_index);
	size_t min_chunk, align, offset;
	unsigned int n = p->pool->size;
	ssize_t size;
	int done;
	char *at;

	size = ops->calc_mem_size
		       ? ops->calc_mem_size(p->pool, n, 0, &min_chunk, &align)
		       : rte_mempool_op_calc_mem_size_default(p->pool, n, 0, &min_chunk, &align);
	if (size <= 0)
		return -1;
	p->size = (size_t)size + align;
	at = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		  -1, 0);
	if (at == MAP_FAILED) {
		rte_errno = errno;
		return -1;
	}
	p->memory = at;
	offset = align ? -(uintptr_t)at % align : 0;
	done = rte_mempool_populate_iova(p->pool, at + offset, RTE_BAD_IOVA, p->size - offset, NULL,
					 NULL);
	rte_errno = done < 0 ? -done : 0;
	return done < (int)n ? -1 : 0;
}

void dpdk_pool_free(struct dpdk_pool *p)
{
	rte_mempool_free(p->pool);
	if (p->memory)
		munmap(p->memory, p->size);
	p->pool = NULL;
	p->memory = NULL;
}
