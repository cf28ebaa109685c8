/* SPDX-License-Identifier: BSD-3-Clause */
/* set/set.c - allocation over zones of several nodes, in order of distance, and the way home */
#include "zone/poison.h"
#include "zone/set/set.h"

/* ---- allocation ------------------------------------------------------------------------------ */

static struct set_node *node_of(const struct pp_zone_set *set, const struct pp_zone *zone)
{
	return &set->node[zone->region.node];
}

/* @got pages that were wanted from @near came from @from. */
static void count_elsewhere(struct pp_zone_set *set, const struct pp_zone *near,
			    const struct pp_zone *from, unsigned int got)
{
	if (from == near || !got)
		return;
	count_add_shared(node_of(set, near)->foreign, got);
	count_add_shared(node_of(set, from)->miss, got);
}

/*
 * The preferred zone's free area is empty. First what the others have at hand; what is
 * stuck in cores' caches only after that, because each attempt costs a look at all of
 * them, on every allocation for as long as the node stays empty.
 */
static __coldpath unsigned int take_from_others(struct pp_zone_set *set, struct pp_zone *const *row,
						void **objs, unsigned int n)
{
	unsigned int got = 0, k, i;

	if (set->flags & PP_ZONE_SET_DRAIN_FIRST)
		got = zone_take(row[0], objs, n);
	for (i = 1; row[i] && got < n; i++) {
		k = zone_take_near(row[i], objs + got, n - got);
		count_elsewhere(set, row[0], row[i], k);
		got += k;
	}
	for (i = 0; row[i] && got < n; i++) {
		k = zone_take(row[i], objs + got, n - got);
		count_elsewhere(set, row[0], row[i], k);
		got += k;
	}
	if (got < n)
		count_add_shared(node_of(set, row[0])->failures, 1);
	return got;
}

unsigned int zones_take(struct pp_zone_set *set, int node, void **objs, unsigned int n)
{
	struct pp_zone *const *row = fallback_row(set, node);
	unsigned int got = zone_take_near(row[0], objs, n);

	if (unlikely(got < n))
		got += take_from_others(set, row, objs + got, n - got);
	return got;
}

unsigned int pp_zone_set_alloc_bulk_node(struct pp_zone_set *set, int node, struct pp_page **pages,
					 unsigned int n)
{
	unsigned int got = zones_take(set, node, (void **)pages, n);

	unpoison_pages(pages, got);
	zone_prep(set->order[0], pages, got); /* they are all made alike */
	return got;
}

unsigned int pp_zone_set_alloc_bulk(struct pp_zone_set *set, struct pp_page **pages, unsigned int n)
{
	return pp_zone_set_alloc_bulk_node(set, PP_NODE_ANY, pages, n);
}

/* ---- free ------------------------------------------------------------------------------------ */

static struct pp_zone *home_of(const struct pp_zone_set *set, const struct pp_page *page)
{
	struct pp_zone *const *row = fallback_row(set, PP_NODE_ANY);

	for (; *row; row++)
		if (zone_has(*row, page))
			return *row;
	return page->zone; /* beyond a strict order, or of no zone of ours */
}

/* At most PP_BULK_MAX, sorted out zone by zone; @pages is left alone. */
static __noinline void free_mixed(struct pp_zone_set *set, struct pp_page *const *pages,
				  unsigned int n)
{
	struct pp_page *rest[PP_BULK_MAX], *same[PP_BULK_MAX];
	unsigned int left = n, i, k;
	struct pp_zone *zone;

	memcpy(rest, pages, n * sizeof(*rest));
	while (left) {
		zone = home_of(set, rest[0]);
		n = left;
		for (i = left = k = 0; i < n; i++) {
			if (zone_has(zone, rest[i]))
				same[k++] = rest[i];
			else
				rest[left++] = rest[i];
		}
		pp_zone_free_bulk(zone, same, k);
	}
}

void pp_zone_set_free_bulk(struct pp_zone_set *set, struct pp_page *const *pages, unsigned int n)
{
	struct pp_zone *zone;
	unsigned int k;
	PUT_FROM_HERE;

	if (unlikely(!n))
		return;
	zone = home_of(set, pages[0]);
	if (likely(zone_has_all(zone, pages, n))) {
		pp_zone_free_bulk(zone, pages, n);
		return;
	}
	for (; n; n -= k, pages += k) {
		k = min(n, PP_BULK_MAX);
		free_mixed(set, pages, k);
	}
}

/* ---- looking inside -------------------------------------------------------------------------- */

struct pp_zone *pp_zone_set_zone(const struct pp_zone_set *set, int node)
{
	return node < 0 || node >= set->rows ? NULL : set->node[node].zone;
}

uint64_t pp_zone_set_nodes(const struct pp_zone_set *set)
{
	return set->mask;
}

int pp_zone_set_this_node(const struct pp_zone_set *set)
{
	return node_here(set);
}

static int unknown_node(const struct pp_zone_set *set, int node)
{
	return pp_set_error(EINVAL, "node: %d is not one of the set's, which are 0 .. %d", node,
			    set->rows - 1);
}

int pp_zone_set_order(const struct pp_zone_set *set, int node, int *nodes, unsigned int n)
{
	struct pp_zone *const *row;
	unsigned int i;

	if (node < PP_NODE_ANY || node >= set->rows)
		return unknown_node(set, node);
	row = fallback_row(set, node);
	for (i = 0; row[i]; i++)
		if (i < n)
			nodes[i] = row[i]->region.node;
	return (int)i;
}

int pp_zone_set_get_stats(const struct pp_zone_set *set, int node, struct pp_zone_set_stats *stats)
{
	struct pp_zone_set_stats s = { 0 };
	const struct set_node *at;

	if (node < 0 || node >= set->rows)
		return unknown_node(set, node);
	at = &set->node[node];
	s.node = (uint64_t)node;
	s.numa_miss = READ_ONCE(at->miss);
	s.numa_foreign = READ_ONCE(at->foreign);
	s.alloc_failures = READ_ONCE(at->failures);
	return stats_copy(stats, &s, sizeof(s));
}
