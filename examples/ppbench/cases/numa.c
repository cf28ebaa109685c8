/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/numa.c - pages of this node and of the others
 *
 * The cost of choosing a node is that of a set of zones beside one zone. Its worth is the
 * same work on pages of the caller's node and of each other node, with the metadata only,
 * and with the packet written and read. On a machine with one node only the cost is
 * measured.
 */
#include <pagepool/error.h>
#include <pagepool/zone_set.h>
#include <stdlib.h>

#include "bench.h"

#define LINES 4u /* 256 bytes of packet */

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/* @node: taken from; PP_NODE_ANY: the caller's, by the set's choice */
struct where {
	struct pp_zone_set *set;
	int node;
	bool touch;
};

static void touch_lines(struct pp_page **pages, unsigned int n)
{
	unsigned int i, line;
	uint64_t *data;

	for (i = 0; i < n; i++) {
		data = pp_page_data(pages[i]);
		for (line = 0; line < LINES; line++)
			data[line * 8] += 1;
	}
	bench_use(pages);
}

static uint64_t run_set(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	const struct where *w = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		got = pp_zone_set_alloc_bulk_node(w->set, w->node, pages, bulk);
		s->shorts += got != bulk;
		if (w->touch)
			touch_lines(pages, got);
		bench_use(pages);
		pp_zone_set_free_bulk(w->set, pages, got);
	}
	return pp_cycles() - start;
}

/*
 * All pages of the node go round, more than a core's own caches hold: otherwise the same
 * few warm pages would return.
 */
static uint64_t run_cold(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	static struct pp_page *all[BENCH_PAGES];
	const struct where *w = s->ctx;
	unsigned int n = 0, k, i;
	uint64_t sum = 0, start;

	while (n + bulk <= BENCH_PAGES - 512) {
		k = pp_zone_set_alloc_bulk_node(w->set, w->node, all + n, bulk);
		n += k;
		s->shorts += k != bulk;
		if (k != bulk)
			break;
	}
	for (i = 0; loops; i = i + 2 * bulk <= n ? i + bulk : 0, loops--) {
		start = pp_cycles();
		touch_lines(all + i, n ? bulk : 0);
		sum += pp_cycles() - start;
	}
	for (; n; n -= k) {
		k = n < 64 ? n : 64;
		pp_zone_set_free_bulk(w->set, all + n - k, k);
	}
	return sum;
}

static struct pp_zone_set *open_set(const char *policy)
{
	struct pp_zone_params zone = {
		.sz = sizeof(zone),
		.name = "ppbench",
		.pages = BENCH_PAGES,
		.page_size = BENCH_PAGE_SIZE,
		.headroom = BENCH_HEADROOM,
		.policy = policy,
	};
	struct pp_zone_set_params params = { .sz = sizeof(params), .zone = &zone };
	struct pp_zone_set *set = pp_zone_set_create(&params);

	if (!set)
		bench_error("numa: cannot create zones of %u pages with policy %s: %s", BENCH_PAGES,
			    policy, pp_error());
	return set;
}

#define KINDS 3u /* warm, touch, cold */

static void add_node(struct bench_subject *s, struct where *w, const char *policy, int node,
		     const char *place)
{
	static const char *const kinds[KINDS] = { "pages", "packet", "cold packet" };
	struct where at = { .set = w->set, .node = node };
	unsigned int k;

	for (k = 0; k < KINDS; k++) {
		w[k] = at;
		w[k].touch = k == 1;
		bench_subject_set(&s[k], kinds[k], k < 2 ? run_set : run_cold, &w[k], "%s, %s",
				  policy, place);
	}
}

/* a subject for one zone, one for the set's own choice, and three for each node */
static unsigned int add_subjects(struct bench_subject *s, struct where *w, const char *policy,
				 struct pp_zone_set *set)
{
	uint64_t nodes = pp_zone_set_nodes(set);
	int here = pp_zone_set_this_node(set), node;
	unsigned int n = 2;
	char place[32];

	bench_subject_set(&s[0], "pages", bench_run_zone,
			  pp_zone_set_zone(set,
					   nodes & 1ull << here ? here : __builtin_ctzll(nodes)),
			  "%s, one zone", policy);
	w[1] = (struct where){ .set = set, .node = PP_NODE_ANY };
	bench_subject_set(&s[1], "pages", run_set, &w[1], "%s, set", policy);
	for (node = 0; node < PP_NODES_MAX; node++) {
		if (!(nodes & 1ull << node))
			continue;
		snprintf(place, sizeof(place), node == here ? "local" : "node %d", node);
		w[n].set = set;
		add_node(s + n, w + n, policy, node, place);
		n += KINDS;
	}
	return n;
}

static int close_set(struct bench *b, struct pp_zone_set *set)
{
	struct pp_zone *zone;
	int node;

	for (node = 0; set && node < PP_NODES_MAX; node++) {
		zone = pp_zone_set_zone(set, node);
		if (zone && bench_zone_audit(b, zone))
			return -1;
	}
	return pp_zone_set_destroy(set) ? -1 : 0;
}

static int measure_policy(struct bench *b, const char *policy)
{
	const unsigned int most = 2 + KINDS * PP_NODES_MAX;
	struct bench_subject *s = bench_alloc(most, sizeof(*s));
	struct where *w = bench_alloc(most, sizeof(*w));
	struct pp_zone_set *set = s && w ? open_set(policy) : NULL;
	int err = set ? 0 : -1;
	unsigned int n = 0;

	if (!err)
		n = add_subjects(s, w, policy, set);
	if (!err)
		err = bench_interleave_all(b, s, n);
	if (close_set(b, set))
		err = -1;
	free(w);
	free(s);
	return err;
}

static int numa_case(struct bench *b)
{
	struct pp_zone_params zone = { .sz = sizeof(zone), .pages = 1 };
	struct pp_zone_set_params params = { .sz = sizeof(params), .zone = &zone };
	struct pp_zone_set *set = pp_zone_set_create(&params);
	unsigned int i, nodes;
	int err = 0;

	if (!set) {
		bench_error("numa: %s", pp_error());
		return -1;
	}
	nodes = (unsigned int)__builtin_popcountll(pp_zone_set_nodes(set));
	pp_zone_set_destroy(set);
	for (i = 0; i < b->opts.npolicies && !err; i++)
		err = measure_policy(b, b->opts.policies[i]);
	bench_note(
		b,
		"pages: taken and given back; packet: and %u lines of each changed; cold packet: "
		"these lines alone, of %u pages in turn",
		LINES, BENCH_PAGES - 512);
	if (nodes < 2)
		bench_note(b,
			   "one node with memory here: nothing is remote; test/numa/run.sh has a "
			   "machine with several, with distances that are make-believe");
	return err;
}

const struct bench_case bench_numa = {
	.name = "numa",
	.title = "pages of the caller's NUMA node, and of the others",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.policies = "trylock,rseq",
	.cores = 1,
	.run = numa_case,
};
