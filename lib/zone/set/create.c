/* SPDX-License-Identifier: BSD-3-Clause */
/* set/create.c - the life of a set: its zones, which CPU is where, the fallback orders */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/node.h"
#include "zone/set/set.h"

#define SET_FLAGS (PP_ZONE_SET_STRICT | PP_ZONE_SET_DRAIN_FIRST)

_Static_assert(PP_NODES_MAX == NODES_MAX, "what the topology knows");
_Static_assert(PP_NODES_MAX <= 127, "node numbers fit into int8_t");

/* ---- fallback order -------------------------------------------------------------------------- */

static void append_zone(struct pp_zone_set *set, struct pp_zone **row, unsigned int *n, int node)
{
	if (node < set->rows && set->node[node].zone)
		row[(*n)++] = set->node[node].zone;
}

/* The nodes that a row of the caller's names; a strict set stops at the first. */
static int given_order(struct pp_zone_set *set, struct pp_zone **row, unsigned int *n,
		       const int8_t *order, int from)
{
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < PP_NODES_MAX && order[i] >= 0; i++) {
		if (order[i] >= PP_NODES_MAX || (seen & 1ull << order[i]))
			return pp_set_error(EINVAL,
					    "order: node %d stands twice in the row of node %d, or "
					    "is above %d",
					    order[i], from, PP_NODES_MAX - 1);
		seen |= 1ull << order[i];
		append_zone(set, row, n, order[i]);
	}
	return 0;
}

/* Is @a to be looked at before @b? Round about from @from, so that equals share the burden. */
static bool is_nearer(const struct pp_zone_set *set, int from, int a, int b)
{
	int to_a = a == from ? -1 : topology->distance(from, a);
	int to_b = b == from ? -1 : topology->distance(from, b);

	if (to_a != to_b)
		return to_a < to_b;
	return (a - from + set->rows) % set->rows < (b - from + set->rows) % set->rows;
}

static void default_order(struct pp_zone_set *set, struct pp_zone **row, unsigned int *n, int from)
{
	int node, best;
	uint64_t left;

	for (left = set->mask; left; left &= ~(1ull << best)) {
		best = -1;
		for (node = 0; node < set->rows; node++)
			if ((left & 1ull << node) && (best < 0 || is_nearer(set, from, node, best)))
				best = node;
		append_zone(set, row, n, best);
	}
}

static int make_orders(struct pp_zone_set *set, const int8_t *order)
{
	unsigned int n;
	int node, err;

	set->stride = (unsigned int)__builtin_popcountll(set->mask) + 1;
	set->order =
		calloc((size_t)(unsigned int)set->rows * set->stride, sizeof(struct pp_zone *));
	if (!set->order)
		return pp_set_error(ENOMEM, "no memory for the fallback orders");
	for (node = 0; node < set->rows; node++) {
		struct pp_zone **row = set->order + (size_t)node * set->stride;

		n = 0;
		err = order ? given_order(set, row, &n, order + (size_t)node * PP_NODES_MAX, node)
			    : 0;
		if (err)
			return err;
		if (!n)
			default_order(set, row, &n, node);
		if (set->flags & PP_ZONE_SET_STRICT)
			row[1] = NULL;
	}
	return 0;
}

/* ---- creation -------------------------------------------------------------------------------- */

int pp_node_of_cpu(unsigned int cpu)
{
	return topology->of_cpu((int)cpu);
}

static int map_cpus(struct pp_zone_set *set)
{
	unsigned int cpu;
	int node;

	set->cpus = (unsigned int)max(sysconf(_SC_NPROCESSORS_CONF), 1l);
	set->of_cpu = malloc(set->cpus);
	if (!set->of_cpu)
		return pp_set_error(ENOMEM, "no memory for a table of %u CPUs", set->cpus);
	for (cpu = 0; cpu < set->cpus; cpu++) {
		node = pp_node_of_cpu(cpu);
		if (node < 0 || node >= PP_NODES_MAX)
			return pp_set_error(ENOTSUP,
					    "node: CPU %u is on node %d; sets know 0 .. %d", cpu,
					    node, PP_NODES_MAX - 1);
		set->of_cpu[cpu] = (uint8_t)node;
		set->rows = max(set->rows, node + 1);
	}
	return 0;
}

static int make_zone(struct pp_zone_set *set, const struct pp_zone_set_params *p, int node)
{
	const char *name = p->zone->name ? p->zone->name : "zone";
	struct node_policy saved;
	struct pp_zone_params zp;
	char text[48];
	int err;

	err = params_copy(&zp, sizeof(zp), p->zone);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%.28s.%d", name, node);
	zp.sz = sizeof(zp);
	zp.name = text;
	zp.node = pp_node_param(node);
	/* the pages are bound by the zone; this is for their metadata and the caches */
	err = topology->prefer(&saved, node);
	if (err)
		return pp_set_error(-err, "cannot prefer node %d: %s", node, strerror(-err));
	set->node[node].zone = pp_zone_create(&zp);
	topology->restore(&saved);
	return set->node[node].zone ? 0 : -errno;
}

static int make_zones(struct pp_zone_set *set, const struct pp_zone_set_params *p)
{
	size_t size;
	int node, err;

	size = (size_t)(unsigned int)set->rows * sizeof(*set->node);
	set->node = aligned_alloc(PP_LINES, size);
	if (!set->node)
		return pp_set_error(ENOMEM, "no memory for %d nodes", set->rows);
	memset(set->node, 0, size);
	for (node = 0; node < set->rows; node++) {
		if (!(set->mask & 1ull << node))
			continue;
		err = make_zone(set, p, node);
		if (err)
			return err;
	}
	return 0;
}

static int check_set_params(const struct pp_zone_set_params *p)
{
	uint64_t there = topology->memory();

	if (!p->zone)
		return pp_set_error(EINVAL, "zone: a set needs the zones' parameters");
	if (p->flags & ~SET_FLAGS)
		return pp_set_error(EINVAL, "flags: 0x%x has unknown bits", p->flags);
	if (p->zone->sz >= offsetof(struct pp_zone_params, mem) + sizeof(p->zone->mem) &&
	    p->zone->mem == PP_MEM_USER)
		return pp_set_error(EINVAL, "mem: a set cannot divide the caller's region; create "
					    "the zones one by one");
	if (p->zone->sz >= offsetof(struct pp_zone_params, flags) + sizeof(p->zone->flags) &&
	    (p->zone->flags & PP_ZONE_SHARED))
		return pp_set_error(ENOTSUP, "flags: PP_ZONE_SHARED is for single zones, not sets");
	if (p->nodes & ~there)
		return pp_set_error(ENOTSUP,
				    "nodes: node %d does not exist, has no memory, or is not for "
				    "this process",
				    __builtin_ctzll(p->nodes & ~there));
	return 0;
}

/* Copes with a set that is built in part; no page is out. */
static void set_free(struct pp_zone_set *set)
{
	int node, err = errno;

	for (node = 0; set->node && node < set->rows; node++)
		pp_zone_destroy(set->node[node].zone);
	free(set->node);
	free(set->order);
	free(set->of_cpu);
	free(set);
	errno = err;
}

struct pp_zone_set *pp_zone_set_create(const struct pp_zone_set_params *params)
{
	struct pp_zone_set_params p;
	struct pp_zone_set *set;
	int err;

	if (params_copy(&p, sizeof(p), params) || check_set_params(&p))
		return NULL;
	set = calloc(1, sizeof(*set));
	if (!set) {
		pp_set_error(ENOMEM, "no memory for a set");
		return NULL;
	}
	set->flags = p.flags;
	set->mask = p.nodes ? p.nodes : topology->memory();
	set->rows = 64 - __builtin_clzll(set->mask);
	err = map_cpus(set);
	if (!err)
		err = make_zones(set, &p);
	if (!err)
		err = make_orders(set, p.order);
	if (!err)
		return set;
	set_free(set);
	return NULL;
}

int pp_zone_set_destroy(struct pp_zone_set *set)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };
	int node;

	if (!set)
		return 0;
	for (node = 0; node < set->rows; node++) {
		if (!set->node[node].zone)
			continue;
		pp_zone_get_stats(set->node[node].zone, &s);
		if (s.in_flight)
			return zone_busy(set->node[node].zone, s.in_flight);
	}
	set_free(set);
	return 0;
}
