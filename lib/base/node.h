/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * node.h - the machine's NUMA nodes
 *
 * node.c asks the machine; the rest of the library calls node_topology.c.
 */
#ifndef PP_NODE_H
#define PP_NODE_H

#include <stddef.h>
#include <stdint.h>

/* Nodes from here on are not known. */
#define NODES_MAX 64

/* A thread's memory policy, to put back. */
struct node_policy {
	int mode;
	unsigned long mask[16];
};

/*
 * What is asked of a machine. Tests put another in the place of the real one, so that
 * nodes can be had where there are none.
 *
 * @check:     PP_NODE_ANY or a node number: 0 or -ENOTSUP with pp_error()
 * @bind:      bind untouched memory to a node, not PP_NODE_ANY; 0 or -errno with pp_error()
 * @settle:    the same as a wish: elsewhere if there is no room, but not moved later; nothing fails
 * @prefer:    what this thread touches first goes to a node if it fits; 0 or -errno
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

extern const struct topology machine_topology; /* node.c */
extern const struct topology *topology;

/* @node: PP_NODE_ANY or a node number; 0 or -ENOTSUP with pp_error() */
int node_check(int node);

/* Bind untouched memory; nothing for PP_NODE_ANY. 0 or -errno with pp_error(). */
int node_bind(void *base, size_t len, int node);

/* Untouched memory that is better there, but need not be; nothing for PP_NODE_ANY. */
void node_settle(void *base, size_t len, int node);

/* Bytes that could be allocated on a node; SIZE_MAX for PP_NODE_ANY and if it is not known. */
size_t node_available(int node);

#endif /* PP_NODE_H */
