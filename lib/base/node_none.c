/* SPDX-License-Identifier: BSD-3-Clause */
/* node_none.c - built without libnuma: node 0 only */
#include "base/internal.h"
#include "base/node.h"

static int none_check(int node)
{
	if (node == 0 || node == -1)
		return 0;
	return pp_set_error(ENOTSUP,
			    "node: %d is not to be had: built without libnuma, node 0 "
			    "only",
			    node);
}

static int none_bind(void *base, size_t len, int node)
{
	(void)base;
	(void)len;
	(void)node;
	return 0;
}

static void none_settle(void *base, size_t len, int node)
{
	(void)base;
	(void)len;
	(void)node;
}

static int none_prefer(struct node_policy *saved, int node)
{
	(void)saved;
	(void)node;
	return 0;
}

static void none_restore(const struct node_policy *saved)
{
	(void)saved;
}

static uint64_t none_memory(void)
{
	return 1;
}

static int none_of_cpu(int cpu)
{
	(void)cpu;
	return 0;
}

static int none_distance(int from, int to)
{
	return from == to ? 10 : 20;
}

static size_t none_available(int node)
{
	(void)node;
	return SIZE_MAX;
}

const struct topology machine_topology = {
	.check = none_check,
	.bind = none_bind,
	.settle = none_settle,
	.prefer = none_prefer,
	.restore = none_restore,
	.memory = none_memory,
	.of_cpu = none_of_cpu,
	.distance = none_distance,
	.available = none_available,
};
