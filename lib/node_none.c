/* SPDX-License-Identifier: BSD-3-Clause */
/* node_none.c - built without libnuma: node 0 only */
#include "internal.h"
#include "node.h"

int node_check(int node)
{
	if (node == 0 || node == -1)
		return 0;
	return pp_set_error(ENOTSUP,
			    "node: %d is not to be had: built without libnuma, node 0 "
			    "only",
			    node);
}

int node_bind(void *base, size_t len, int node)
{
	(void)base;
	(void)len;
	(void)node;
	return 0;
}
