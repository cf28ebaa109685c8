/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dummy_ops.c - a plugin that takes places in DPDK's table of mempool ops: PP_DUMMY_OPS of them
 *
 * A pool on one of these ops cannot be made. Linked with no library of DPDK, so that static
 * programs can load it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mempool.h>

static int dummy_alloc(struct rte_mempool *mp)
{
	return -ENOTSUP;
}

static void dummy_free(struct rte_mempool *mp)
{
}

static int dummy_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	return -ENOTSUP;
}

static int dummy_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	return -ENOTSUP;
}

static unsigned int dummy_count(const struct rte_mempool *mp)
{
	return 0;
}

RTE_INIT(dummy_register)
{
	struct rte_mempool_ops ops = {
		.alloc = dummy_alloc,
		.free = dummy_free,
		.enqueue = dummy_put,
		.dequeue = dummy_get,
		.get_count = dummy_count,
	};
	const char *text = getenv("PP_DUMMY_OPS");
	int i, n = text ? atoi(text) : 2, taken = 0;

	for (i = 0; i < n; i++) {
		snprintf(ops.name, sizeof(ops.name), "dummy%d", i);
		taken += rte_mempool_register_ops(&ops) >= 0;
	}
	fprintf(stderr, "dummy_ops: %d of %d places\n", taken, n);
}
