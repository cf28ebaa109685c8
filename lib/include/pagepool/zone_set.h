/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone_set.h - a zone on each NUMA node, and which of them an allocation takes from
 *
 * An allocation prefers the node that its thread runs on, and goes to the others in a
 * fallback order when that one has nothing free. A page goes home to its own zone,
 * from any thread on any node. The zones are ordinary ones: what takes a struct
 * pp_zone (drains, statistics, audits) takes each of them.
 */
#ifndef PAGEPOOL_ZONE_SET_H
#define PAGEPOOL_ZONE_SET_H

#include <pagepool/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pp_zone_set;

/** PP_NODES_MAX - sets know nodes 0 .. PP_NODES_MAX - 1 */
#define PP_NODES_MAX 64

/** PP_ZONE_SET_STRICT - no fallback: an allocation gets pages of its node, or none */
#define PP_ZONE_SET_STRICT (1u << 0)
/**
 * PP_ZONE_SET_DRAIN_FIRST - empty the caches of the preferred node before going to another
 *
 * Otherwise what its cores' caches hold is drained only when no zone of the order has a page in
 * its free area, as the kernel does it.
 */
#define PP_ZONE_SET_DRAIN_FIRST (1u << 1)

/**
 * struct pp_zone_set_params - how to build a set; zero means the default everywhere
 * @sz:    sizeof(struct pp_zone_set_params)
 * @zone:  each node's zone, with @pages pages on every node; its node and name are the set's to
 *         choose ("NAME.N" for node N). Not PP_MEM_USER.
 * @nodes: bit N: a zone on node N; 0: on every node that has memory and that this process may use
 * @flags: PP_ZONE_SET_*
 * @order: fallback order: for node N, order[N * PP_NODES_MAX ...] lists the nodes to look on, in
 *         that order, each once, ended by -1 or by the end of the row; those of a row without
 *         a zone are passed over, and a row without any gets the default. NULL: N itself, then the
 *         others by numa_distance(), of equals the next higher number first, round about.
 */
struct pp_zone_set_params {
	size_t sz;
	const struct pp_zone_params *zone;
	uint64_t nodes;
	uint32_t flags;
	const int8_t *order;
};

/**
 * struct pp_zone_set_stats - what became of allocations on a node
 * @sz:             sizeof(struct pp_zone_set_stats), set by the caller
 * @node:           NUMA node
 * @numa_miss:      pages taken from this node's zone because the preferred one had none
 * @numa_foreign:   pages that were to come from this node and came from another
 * @alloc_failures: allocations that preferred this node and got fewer pages than asked for
 *
 * After the kernel's numastat. Hits are not counted, which would cost each allocation a shared
 * line: they are what the zone gave (pp_zone_stats.allocs, where the policy counts) less
 * numa_miss.
 */
struct pp_zone_set_stats {
	size_t sz;
	uint64_t node;
	uint64_t numa_miss;
	uint64_t numa_foreign;
	uint64_t alloc_failures;
};

/**
 * pp_zone_set_create() - a zone on every node
 * @params: what is wanted
 *
 * The memory of each zone is bound to its node before anything touches it; the metadata of its
 * pages is put there too, as long as the node has room for it.
 *
 * Context: any thread; not from signal handlers. Sleeps.
 * Cost:    as pp_zone_create(), once a node.
 * Return:  the set, or NULL with errno and a sentence in pp_error():
 *          EINVAL: a parameter out of range, an order that names a node twice, PP_MEM_USER;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          ENOMEM: for the set;
 *          ENOTSUP: a node that does not exist, or a CPU on node PP_NODES_MAX or above;
 *          PP_ZONE_SHARED;
 *          and whatever pp_zone_create() and set_mempolicy() say.
 * Source:  build_all_zonelists(), in spirit.
 */
struct pp_zone_set *pp_zone_set_create(const struct pp_zone_set_params *params);

/**
 * pp_zone_set_destroy() - give all memory back
 * @set: set, or NULL
 *
 * Context: nothing else may run in the set or its zones. Sleeps.
 * Cost:    as pp_zone_destroy(), once a node.
 * Return:  0; -EBUSY, with the set untouched, while pages are out: as pp_zone_destroy().
 * Source:  none: nodes of the kernel stay.
 */
int pp_zone_set_destroy(struct pp_zone_set *set);

/**
 * pp_zone_set_alloc_bulk() - take pages, if possible on the node that the thread runs on
 * @set:   set to take from
 * @pages: out: array of @n pointers; the first RETURN of them are written
 * @n:     pages wanted, any number
 *
 * Looks in this core's cache of the preferred zone, its free area, then in those of the other zones
 * in the fallback order; then the caches of every zone of the order are drained, once. Pages as
 * pp_zone_alloc_bulk() leaves them.
 *
 * Context: as pp_zone_alloc_bulk(); no system call. A thread that is moved in the middle gets pages
 *          of the node that it was on.
 * Cost:    some nanoseconds a call more than pp_zone_alloc_bulk(): `ppbench numa`.
 * Return:  pages written, 0 .. @n. Fewer than @n: no page of the order's zones was free anywhere.
 * Source:  alloc_pages_bulk() with NUMA_NO_NODE.
 */
unsigned int pp_zone_set_alloc_bulk(struct pp_zone_set *set, struct pp_page **pages,
				    unsigned int n);

/**
 * pp_zone_set_alloc_bulk_node() - pp_zone_set_alloc_bulk() with another preferred node
 * @set:   set to take from
 * @node:  node of which the fallback order is used; PP_NODE_ANY, and one that the set does not
 *         know: the caller's
 * @pages: as pp_zone_set_alloc_bulk()
 * @n:     as pp_zone_set_alloc_bulk()
 *
 * Context: as pp_zone_set_alloc_bulk().
 * Cost:    as pp_zone_set_alloc_bulk().
 * Return:  as pp_zone_set_alloc_bulk().
 * Source:  alloc_pages_bulk_node().
 */
unsigned int pp_zone_set_alloc_bulk_node(struct pp_zone_set *set, int node, struct pp_page **pages,
					 unsigned int n);

/**
 * pp_zone_set_free_bulk() - give pages back, each to its own zone
 * @set:   set
 * @pages: array of @n pages, refs = 1, in no pool, of any zones of the set in any order; the
 *         array is left as it is
 * @n:     pages, any number
 *
 * One call of pp_zone_free_bulk() for each zone that has pages among them. A page of a foreign zone
 * goes there.
 *
 * Context: as pp_zone_free_bulk().
 * Cost:    two compares a page more than pp_zone_free_bulk(); pages of several zones are copied.
 * Source:  free_pages_bulk(). Differs: keeps the pages in the core's caches.
 */
void pp_zone_set_free_bulk(struct pp_zone_set *set, struct pp_page *const *pages, unsigned int n);

/**
 * pp_zone_set_zone() - the zone on a node
 * @set:  set
 * @node: node; any number
 *
 * Context: any thread.
 * Cost:    two loads.
 * Return:  the zone, until the set is destroyed; NULL if there is none.
 * Source:  NODE_DATA(), in spirit.
 */
struct pp_zone *pp_zone_set_zone(const struct pp_zone_set *set, int node);

/**
 * pp_zone_set_nodes() - the nodes that have a zone
 * @set: set
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  bit N: there is a zone on node N.
 * Source:  node_states[N_MEMORY].
 */
uint64_t pp_zone_set_nodes(const struct pp_zone_set *set);

/**
 * pp_zone_set_this_node() - node that the calling thread runs on
 * @set: set
 *
 * Stale as soon as this returns, unless the thread is pinned. The node may have no zone.
 *
 * Context: any thread.
 * Cost:    about a nanosecond, no system call; one where rseq is missing.
 * Return:  node.
 * Source:  numa_mem_id(), numa_node_id().
 */
int pp_zone_set_this_node(const struct pp_zone_set *set);

/**
 * pp_node_of_cpu() - NUMA node of a CPU
 * @cpu: CPU
 *
 * Context: any thread; reads files.
 * Cost:    some system calls, and one for each node.
 * Return:  its node; 0 for a CPU that does not exist, and for a kernel without NUMA.
 * Source:  cpu_to_node().
 */
int pp_node_of_cpu(unsigned int cpu);

/**
 * pp_zone_set_order() - where an allocation that prefers a node looks
 * @set:   set
 * @node:  node; PP_NODE_ANY: the caller's
 * @nodes: out: room for @n node numbers
 * @n:     at most so many are written
 *
 * Context: any thread.
 * Cost:    a few loads a node.
 * Return:  how many there are; -EINVAL with a sentence in pp_error(): the set does not know the
 *          node.
 * Source:  node_zonelist().
 */
int pp_zone_set_order(const struct pp_zone_set *set, int node, int *nodes, unsigned int n);

/**
 * pp_zone_set_get_stats() - read a node's counters
 * @set:   set
 * @node:  node
 * @stats: out; sz set by the caller
 *
 * What concerns the zone alone is in pp_zone_get_stats() of pp_zone_set_zone().
 *
 * Context: any thread.
 * Cost:    three loads.
 * Return:  0; with a sentence in pp_error(): -EINVAL: the set does not know the node; -E2BIG if
 *          stats->sz is larger than the library's, or was not set.
 * Source:  numastat. Differs: hits are not counted.
 */
int pp_zone_set_get_stats(const struct pp_zone_set *set, int node, struct pp_zone_set_stats *stats);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_ZONE_SET_H */
