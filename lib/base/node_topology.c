/* SPDX-License-Identifier: BSD-3-Clause */
/* node_topology.c - the topology in use: the machine's, or a test's */
#include "base/internal.h"
#include "base/node.h"

const struct topology *topology = &machine_topology;

int node_check(int node)
{
	return topology->check(node);
}

int node_bind(void *base, size_t len, int node)
{
	return node < 0 ? 0 : topology->bind(base, len, node);
}

void node_settle(void *base, size_t len, int node)
{
	if (node >= 0)
		topology->settle(base, len, node);
}

size_t node_available(int node)
{
	return node < 0 ? SIZE_MAX : topology->available(node);
}
