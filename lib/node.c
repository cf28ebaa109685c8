/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * node.c - bind memory to a node with libnuma
 *
 * mbind() itself, not numa_tonode_memory(): the latter prints on failure.
 */
#include <numa.h>
#include <numaif.h>

#include "internal.h"
#include "node.h"

int node_check(int node)
{
	if (node <= 0 && node >= -1 && numa_available() < 0)
		return 0; /* a kernel without NUMA has node 0 */
	if (node < -1 || numa_available() < 0 ||
	    (node >= 0 && !numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned int)node)))
		return pp_set_error(ENOTSUP, "node: NUMA node %d does not exist; the last is %d",
				    node, numa_available() < 0 ? 0 : numa_max_node());
	return 0;
}

int node_bind(void *base, size_t len, int node)
{
	struct bitmask *mask;
	long err;

	if (node < 0 || numa_available() < 0)
		return 0;
	mask = numa_allocate_nodemask();
	if (!mask)
		return pp_set_error(ENOMEM, "no memory for a node mask");
	numa_bitmask_setbit(mask, (unsigned int)node);
	err = mbind(base, len, MPOL_BIND, mask->maskp, mask->size + 1, 0);
	numa_bitmask_free(mask);
	if (err)
		return pp_set_error(errno, "cannot bind memory to node %d: %s", node,
				    strerror(errno));
	return 0;
}
