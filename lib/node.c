/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * node.c - NUMA nodes by libnuma
 *
 * mbind() itself, not numa_tonode_memory(): the latter prints on failure.
 */
#include <numa.h>
#include <numaif.h>
#include <stdio.h>

#include <pagepool/zone_set.h>

#include "internal.h"
#include "node.h"

#define POLICY_NODES (8 * sizeof(((struct node_policy *)0)->mask))

/* one more than needed: the kernel does not look at the last bit */
#define NODE_WORDS (1 + PP_NODES_MAX / (8 * sizeof(long)))

static void one_node(unsigned long *mask, int node)
{
	const size_t bits = 8 * sizeof(*mask);

	memset(mask, 0, NODE_WORDS * sizeof(*mask));
	mask[(size_t)node / bits] = 1ul << (size_t)node % bits;
}

static bool have_numa(void)
{
	return numa_available() >= 0;
}

static int machine_check(int node)
{
	if (node <= 0 && node >= -1 && !have_numa())
		return 0; /* a kernel without NUMA has node 0 */
	if (node < -1 || !have_numa() ||
	    (node >= 0 && !numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned int)node)))
		return pp_set_error(ENOTSUP, "node: NUMA node %d does not exist; the last is %d",
				    node, have_numa() ? numa_max_node() : 0);
	return 0;
}

static int machine_bind(void *base, size_t len, int node)
{
	struct bitmask *mask;
	long err;

	if (!have_numa())
		return 0;
	mask = numa_allocate_nodemask();
	if (!mask)
		return pp_set_error(ENOMEM, "no memory for a node mask");
	numa_bitmask_setbit(mask, (unsigned int)node);
	err = mbind(base, len, MPOL_BIND, mask->maskp, mask->size + 1, 0);
	numa_bitmask_free(mask);
	if (err)
		return pp_set_error(errno, "cannot bind memory to node %d: %s; ask for any node",
				    node, strerror(errno));
	return 0;
}

/* Without a policy of its own the kernel would move it to whoever uses it for a while. */
static void machine_settle(void *base, size_t len, int node)
{
	unsigned long mask[NODE_WORDS];

	if (have_numa() && node < PP_NODES_MAX) {
		one_node(mask, node);
		mbind(base, len, MPOL_PREFERRED, mask, 8 * sizeof(mask), 0);
	}
}

static int machine_prefer(struct node_policy *saved, int node)
{
	unsigned long mask[NODE_WORDS];

	saved->mode = -1;
	if (!have_numa() || node >= PP_NODES_MAX)
		return 0;
	memset(saved->mask, 0, sizeof(saved->mask));
	if (get_mempolicy(&saved->mode, saved->mask, POLICY_NODES, NULL, 0)) {
		saved->mode = -1;
		return -errno;
	}
	one_node(mask, node);
	if (set_mempolicy(MPOL_PREFERRED, mask, 8 * sizeof(mask))) {
		saved->mode = -1;
		return -errno;
	}
	return 0;
}

static void machine_restore(const struct node_policy *saved)
{
	int err = errno; /* called after pp_set_error() */

	if (saved->mode >= 0)
		set_mempolicy(saved->mode, saved->mask, POLICY_NODES);
	errno = err;
}

static uint64_t machine_memory(void)
{
	struct bitmask *allowed;
	uint64_t nodes = 0;
	int node;

	if (!have_numa())
		return 1;
	allowed = numa_get_mems_allowed();
	for (node = 0; node <= numa_max_node() && node < PP_NODES_MAX; node++)
		if (numa_bitmask_isbitset(allowed, (unsigned int)node) &&
		    numa_node_size64(node, NULL) > 0)
			nodes |= 1ull << node;
	numa_bitmask_free(allowed);
	return nodes ? nodes : 1;
}

static int machine_of_cpu(int cpu)
{
	int node = have_numa() ? numa_node_of_cpu(cpu) : 0;

	return node < 0 ? 0 : node; /* a CPU that is not there yet */
}

static int machine_distance(int from, int to)
{
	return have_numa() ? numa_distance(from, to) : 10;
}

/* What is free, and what the kernel drops first; not what it would have to swap. */
static size_t machine_available(int node)
{
	size_t kib, sum = 0;
	char line[128], key[32];
	FILE *f;

	snprintf(line, sizeof(line), "/sys/devices/system/node/node%d/meminfo", node);
	f = fopen(line, "re");
	if (!f)
		return SIZE_MAX;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*d %31[^:]: %zu kB", key, &kib) != 2)
			continue;
		if (!strcmp(key, "MemFree") || !strcmp(key, "Active(file)") ||
		    !strcmp(key, "Inactive(file)") || !strcmp(key, "SReclaimable"))
			sum += kib;
	}
	fclose(f);
	return sum << 10;
}

const struct topology machine_topology = {
	.check = machine_check,
	.bind = machine_bind,
	.settle = machine_settle,
	.prefer = machine_prefer,
	.restore = machine_restore,
	.memory = machine_memory,
	.of_cpu = machine_of_cpu,
	.distance = machine_distance,
	.available = machine_available,
};
