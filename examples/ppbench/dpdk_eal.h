/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_eal.h - EAL inside this process, and mempools in memory as hugepages would be */
#ifndef PPBENCH_DPDK_EAL_H
#define PPBENCH_DPDK_EAL_H

#include <rte_mempool.h>

/* EAL's main lcore is @core; @plugin: to load, NULL: none. 0, or -1 with rte_errno set. */
int dpdk_eal_open(unsigned int core, unsigned int megabytes, const char *plugin);
/* does no harm if EAL does not run */
void dpdk_eal_close(void);
bool dpdk_eal_runs(void);

struct dpdk_pool {
	struct rte_mempool *pool;
	void *memory;
	size_t size;
};

/* gives an empty pool memory for all of its objects; 0, or -1 with rte_errno set */
int dpdk_pool_populate(struct dpdk_pool *p);
void dpdk_pool_free(struct dpdk_pool *p);

#endif /* PPBENCH_DPDK_EAL_H */
