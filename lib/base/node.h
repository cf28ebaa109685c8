/* SPDX-License-Identifier: BSD-3-Clause */
/* node.h - the machine's NUMA nodes */
#ifndef PP_NODE_H
#define PP_NODE_H

#include <stddef.h>
#include <stdint.h>

/* Nodes 0 .. NODES_MAX - 1 are known. */
#define NODES_MAX 64

/* A thread's memory policy, to be restored. */
struct node_policy {
	int mode;
	unsigned long mask[16];
};

/*
 * Verbs of a machine. Tests set @topology to one of their own, so that they have nodes on any
 * machine. PP_NODE_ANY is an argument of @check alone.
 *
 * @check:     PP_NODE_ANY or a node number: 0 or -ENOTSUP with pp_error()
 * @bind:      bind untouched memory to a node; 0 or -errno with pp_error()
 * @settle:    prefer a node for untouched memory: if it has no room elsewhere, but not moved later
 * @prefer:    memory that this thread touches first goes to a node if it fits; 0 or -errno
 * @restore:   undo that
 * @memory:    bit N: node N has memory that this process may use; nodes below 64
 * @of_cpu:    node of a CPU; 0 if it is not known
 * @distance:  as the firmware tells: 10 is here, more is farther; 0: not known
 * @available: bytes that could be allocated on a node; SIZE_MAX if it is not known
 */
struct topology {
	int (*check)(int node);
	int (*bind)(void *base, size_t len, int node);
	void (*settle)(void *base, size_t len, int node);
	int (*prefer)(struct node_policy *saved, int node);
	void (*restore)(const struct node_policy *saved);
	uint64_t (*memory)(void);
	int (*of_cpu)(int cpu);
	int (*distance)(int from, int to);
	size_t (*available)(int node);
};

extern const struct topology *topology;

#endif /* PP_NODE_H */
