/* SPDX-License-Identifier: BSD-3-Clause */
/* node.h - node of a region; meson builds node.c with libnuma, node_none.c without */
#ifndef PP_NODE_H
#define PP_NODE_H

#include <stddef.h>

/* @node: PP_NODE_ANY or a node number; 0 or -ENOTSUP with pp_error() */
int node_check(int node);

/* Bind untouched memory; nothing for PP_NODE_ANY. 0 or -errno with pp_error(). */
int node_bind(void *base, size_t len, int node);

#endif /* PP_NODE_H */
