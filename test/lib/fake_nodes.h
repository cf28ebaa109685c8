/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_nodes.h - a machine with as many nodes as a test wants, in place of the real one
 *
 * Only for programs that are linked with the static library: the hook is not exported.
 */
#ifndef PP_TEST_FAKE_NODES_H
#define PP_TEST_FAKE_NODES_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <pagepool/zone_set.h>

#include "base/node.h"
#include "harness.h"

#define FAKE_NODES 8

/* @prefers: prefer() less restore(); @touched: pages that were there when bind() came */
static struct fake {
	uint64_t memory;
	int of_cpu[CPU_SETSIZE];
	int distance[FAKE_NODES][FAKE_NODES];
	int bind_fails_on;
	size_t available[FAKE_NODES];
	unsigned int binds[FAKE_NODES];
	size_t settled[FAKE_NODES];
	int preferred;
	int prefers;
	unsigned int touched;
} fake;

static int fake_check(int node)
{
	if (node == -1 || (node >= 0 && node < FAKE_NODES && (fake.memory & 1ull << node)))
		return 0;
	return pp_set_error(ENOTSUP, "node: fake node %d does not exist", node);
}

static int fake_bind(void *base, size_t len, int node)
{
	size_t i, pages = (len + 4095) / 4096;
	unsigned char *resident = calloc(1, pages);

	require(resident && !mincore(base, len, resident));
	for (i = 0; i < pages; i++)
		fake.touched += resident[i] & 1;
	free(resident);
	fake.binds[node]++;
	require(fake.preferred == node);
	return node == fake.bind_fails_on ? pp_set_error(EIO, "fake: bind refused") : 0;
}

static void fake_settle(void *base, size_t len, int node)
{
	fake.settled[node] += len;
}

static int fake_prefer(struct node_policy *saved, int node)
{
	saved->mode = fake.preferred;
	fake.preferred = node;
	fake.prefers++;
	return 0;
}

static void fake_restore(const struct node_policy *saved)
{
	fake.preferred = saved->mode;
	fake.prefers--;
}

static uint64_t fake_memory(void)
{
	return fake.memory;
}

static int fake_of_cpu(int cpu)
{
	return fake.of_cpu[cpu];
}

static int fake_distance(int from, int to)
{
	return fake.distance[from][to];
}

static size_t fake_available(int node)
{
	return fake.available[node];
}

/* All CPUs on node 0, nodes 0 .. @n - 1 with memory, each 20 from each other. */
static inline void fake_nodes(int n)
{
	static const struct topology fake_topology = {
		fake_check,  fake_bind,	  fake_settle,	 fake_prefer,	 fake_restore,
		fake_memory, fake_of_cpu, fake_distance, fake_available,
	};
	int i, k;

	memset(&fake, 0, sizeof(fake));
	fake.memory = (1ull << n) - 1;
	fake.bind_fails_on = -1;
	fake.preferred = -1;
	for (i = 0; i < FAKE_NODES; i++) {
		fake.available[i] = SIZE_MAX;
		for (k = 0; k < FAKE_NODES; k++)
			fake.distance[i][k] = i == k ? 10 : 20;
	}
	topology = &fake_topology;
}

/* @pages on every node, in this core's cache at most @high; 0: the default */
static inline struct pp_zone_set *set_new(uint64_t pages, uint32_t flags, uint32_t high)
{
	struct pp_zone_params zp = zone_params(pages);
	struct pp_zone_set_params p = { .sz = sizeof(p), .zone = &zp, .flags = flags };
	struct pp_zone_set *set;

	zp.high = high;
	zp.headroom = 192;
	set = pp_zone_set_create(&p);
	if (!set)
		print_error("%s\n", pp_error());
	require(set);
	return set;
}

static inline struct pp_zone_set_stats set_stats(struct pp_zone_set *set, int node)
{
	struct pp_zone_set_stats s = { .sz = sizeof(s) };

	require(!pp_zone_set_get_stats(set, node, &s));
	require(s.node == (uint64_t)node);
	return s;
}

/* every zone's ledger, then the end */
static inline void set_end(struct pp_zone_set *set)
{
	int node;

	for (node = 0; node < FAKE_NODES; node++)
		if (pp_zone_set_zone(set, node))
			zone_check(pp_zone_set_zone(set, node), 0);
	require(!pp_zone_set_destroy(set));
}

static inline unsigned int pages_on(struct pp_page *const *pages, unsigned int n, int node)
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++)
		k += pages[i]->node == node;
	return k;
}

#endif /* PP_TEST_FAKE_NODES_H */
