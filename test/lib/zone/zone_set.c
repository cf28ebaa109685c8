/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone_set.c - zones of several nodes, on a machine with as many as the test wants
 *
 * What only real nodes can show is in test/numa.
 */
#include "fake_nodes.h"

#define PAGES 512u

/* ---- creation -------------------------------------------------------------------------------- */

static void zone_a_node(void **state)
{
	struct pp_zone_set *set;
	struct pp_page *table;
	struct pp_zone *zone;
	char name[32];
	int node;

	fake_nodes(4);
	fake.memory = 0x0b; /* node 2 has none */
	set = set_new(PAGES, 0, 0);
	assert_int_equal(pp_zone_set_nodes(set), 0x0b);
	for (node = 0; node < 4; node++) {
		zone = pp_zone_set_zone(set, node);
		assert_int_equal(!!zone, node != 2);
		assert_int_equal(fake.binds[node], node != 2);
		assert_int_equal(fake.settled[node],
				 node != 2 ? PAGES * sizeof(struct pp_page) : 0);
		if (!zone)
			continue;
		snprintf(name, sizeof(name), "zone.%d", node);
		assert_string_equal(pp_zone_name(zone), name);
		assert_int_equal(zone_stats(zone).node, node);
		assert_int_equal(zone_stats(zone).managed, PAGES);
		table = pp_zone_page_table(zone);
		assert_int_equal(table[0].node, node);
		assert_int_equal(table[PAGES - 1].node, node);
	}
	assert_null(pp_zone_set_zone(set, -1));
	assert_null(pp_zone_set_zone(set, 4));
	assert_null(pp_zone_set_zone(set, 1000));
	assert_int_equal(fake.prefers, 0);
	assert_int_equal(fake.preferred, -1);
	assert_int_equal(fake.touched, 0); /* bound before the first touch */
	set_end(set);
	assert_int_equal(pp_zone_set_destroy(NULL), 0);
}

static void refused(struct pp_zone_set_params *p, int why, const char *word)
{
	p->sz = sizeof(*p);
	errno = 0;
	if (pp_zone_set_create(p) || errno != why || !strstr(pp_error(), word)) {
		print_error("wanted %d and \"%s\": errno %d, \"%s\"\n", why, word, errno,
			    pp_error());
		fail();
	}
	assert_int_equal(fake.prefers, 0);
}

static void refusals(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	static int8_t order[PP_NODES_MAX * PP_NODES_MAX];
	struct pp_zone_set_params good = { .zone = &zp }, p = good;

	fake_nodes(3);
	p.zone = NULL;
	refused(&p, EINVAL, "zone");
	p = good;
	p.flags = 1u << 31;
	refused(&p, EINVAL, "flags");
	p = good;
	p.nodes = 1 << 5;
	refused(&p, ENOTSUP, "node 5");
	p = good;
	order[0] = 1;
	order[1] = 1;
	p.order = order;
	refused(&p, EINVAL, "twice");
	memset(order, PP_NODES_MAX, sizeof(order));
	refused(&p, EINVAL, "order");
	p = good;
	zp.mem = PP_MEM_USER;
	refused(&p, EINVAL, "mem");
	zp.mem = PP_MEM_ANON;
	zp.headroom = 1 << 20;
	refused(&p, EINVAL, "headroom");
	zp.headroom = 0;
	fake.bind_fails_on = 2; /* after two zones were built */
	refused(&p, EIO, "bind");
	fake.bind_fails_on = -1;
	fake.available[1] = PAGES * 2048; /* no room for the metadata */
	refused(&p, ENOMEM, "memory");
}

/* ---- order ----------------------------------------------------------------------------------- */

static void order_is(const struct pp_zone_set *set, int node, const char *want)
{
	int nodes[PP_NODES_MAX], i, n = pp_zone_set_order(set, node, nodes, PP_NODES_MAX);
	char text[PP_NODES_MAX + 1] = "";

	assert_true(n > 0);
	for (i = 0; i < n; i++)
		text[i] = (char)('0' + nodes[i]);
	assert_string_equal(text, want);
	nodes[0] = nodes[1] = -7;
	assert_int_equal(pp_zone_set_order(set, node, nodes, 1), n);
	assert_int_equal(nodes[0], want[0] - '0');
	assert_int_equal(nodes[1], -7);
}

static void default_orders(void **state)
{
	struct pp_zone_set *set;
	int nodes[4];

	fake_nodes(4);
	set = set_new(PAGES, 0, 0);
	order_is(set, 0, "0123");
	order_is(set, 2, "2301"); /* equals: round about */
	order_is(set, PP_NODE_ANY, "0123");
	assert_int_equal(pp_zone_set_order(set, 4, nodes, 4), -EINVAL);
	assert_int_equal(pp_zone_set_order(set, -2, nodes, 4), -EINVAL);
	set_end(set);

	fake.distance[1][0] = 31;
	fake.distance[1][2] = 21;
	fake.distance[3][3] = 99; /* a table of rubbish: a node is nearest to itself */
	set = set_new(PAGES, 0, 0);
	order_is(set, 1, "1320");
	order_is(set, 3, "3012");
	set_end(set);

	fake.memory = 0x05; /* CPUs on a node without memory */
	fake.of_cpu[0] = 3;
	fake.distance[3][0] = 40;
	set = set_new(PAGES, 0, 0);
	order_is(set, 3, "20");
	order_is(set, 1, "20"); /* distances 31 and 21 */
	set_end(set);

	set = set_new(PAGES, PP_ZONE_SET_STRICT, 0);
	order_is(set, 0, "0");
	order_is(set, 3, "2");
	set_end(set);
}

static void given_orders(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	int8_t order[PP_NODES_MAX * PP_NODES_MAX];
	struct pp_zone_set_params p = { .sz = sizeof(p), .zone = &zp, .order = order };
	struct pp_zone_set *set;

	fake_nodes(3);
	memset(order, -1, sizeof(order));
	memcpy(order, (int8_t[]){ 2, 0, 1 }, 3);
	memcpy(order + PP_NODES_MAX, (int8_t[]){ 40, 1 }, 2);
	set = pp_zone_set_create(&p);
	assert_non_null(set);
	order_is(set, 0, "201");
	order_is(set, 1, "1");
	order_is(set, 2, "201"); /* an empty row: the default */
	set_end(set);
}

/* ---- allocation ------------------------------------------------------------------------------ */

static void on_this_node(void **state)
{
	struct pp_page *pages[64];
	struct pp_zone_set *set;
	unsigned int i, k;

	fake_nodes(4);
	for (i = 0; i < test_cpus(); i++)
		fake.of_cpu[test_cpu(i)] = (int)(3 - i % 4);
	set = set_new(PAGES, 0, 0);
	for (i = 0; i < test_cpus(); i++) {
		pin_to(test_cpu(i));
		assert_int_equal(pp_zone_set_this_node(set), 3 - i % 4);
		assert_int_equal(pp_zone_set_alloc_bulk(set, pages, 64), 64);
		assert_int_equal(pages_on(pages, 64, (int)(3 - i % 4)), 64);
		for (k = 0; k < 64; k++)
			page_is_fresh(pages[k]->zone, pages[k]);
		pp_zone_set_free_bulk(set, pages, 64);
	}
	unpin();
	assert_int_equal(pp_zone_set_alloc_bulk_node(set, 1, pages, 64), 64);
	assert_int_equal(pages_on(pages, 64, 1), 64);
	pp_zone_set_free_bulk(set, pages, 64);
	set_end(set);
}

static unsigned int take_all(struct pp_zone_set *set, int node, struct pp_page **pages,
			     unsigned int max)
{
	unsigned int n = 0, k;

	do {
		k = pp_zone_set_alloc_bulk_node(set, node, pages + n, max - n < 61 ? max - n : 61);
		n += k;
	} while (k && n < max);
	return n;
}

static void give_all(struct pp_zone_set *set, struct pp_page **pages, unsigned int n)
{
	unsigned int k;

	for (; n; n -= k, pages += k) {
		k = n < PP_BULK_MAX ? n : PP_BULK_MAX;
		pp_zone_set_free_bulk(set, pages, k);
	}
}

static void fallback(void **state)
{
	struct pp_page *pages[3 * PAGES + 100];
	struct pp_zone_set *set;
	int node;

	fake_nodes(3);
	fake.distance[1][0] = 15;
	set = set_new(PAGES, 0, 0);
	pin_to(test_cpu(0));
	assert_int_equal(take_all(set, 1, pages, 3 * PAGES + 100), 3 * PAGES);
	assert_int_equal(pages_on(pages, PAGES, 1), PAGES);
	assert_int_equal(pages_on(pages + PAGES, PAGES, 0), PAGES);
	assert_int_equal(pages_on(pages + 2 * PAGES, PAGES, 2), PAGES);
	assert_int_equal(set_stats(set, 0).numa_miss, PAGES);
	assert_int_equal(set_stats(set, 2).numa_miss, PAGES);
	assert_int_equal(set_stats(set, 1).numa_miss, 0);
	assert_int_equal(set_stats(set, 1).numa_foreign, 2 * PAGES);
	assert_int_equal(set_stats(set, 0).numa_foreign, 0);
	assert_int_equal(set_stats(set, 1).alloc_failures, 2); /* 1536 is 25 * 61 + 11, then 0 */
	assert_int_equal(set_stats(set, 0).alloc_failures, 0);
	assert_int_equal(pp_zone_set_destroy(set), -EBUSY);
	assert_non_null(strstr(pp_error(), "zone.0"));
	give_all(set, pages, 3 * PAGES);
	for (node = 0; node < 3; node++)
		assert_int_equal(zone_stats(pp_zone_set_zone(set, node)).in_flight, 0);
	unpin();
	set_end(set);
}

/* One page of node 0 stays in the cache of CPU 1, and all the others are out. */
static void strand(void *arg)
{
	struct pp_zone_set *set = arg;
	struct pp_page *page;

	require(pp_zone_alloc_bulk(pp_zone_set_zone(set, 0), &page, 1) == 1);
	pp_zone_free_bulk(pp_zone_set_zone(set, 0), &page, 1);
}

static void stranded(uint32_t flags, unsigned int first_elsewhere)
{
	struct pp_page *pages[2 * PAGES + 1];
	struct pp_zone_set *set;
	unsigned int out, cached;

	fake_nodes(2);
	set = set_new(PAGES, flags, 64);
	run_on((int)test_cpu(1), strand, set);
	cached = (unsigned int)zone_stats(pp_zone_set_zone(set, 0)).cached;
	require(cached);
	pin_to(test_cpu(0));
	for (out = 0; out < PAGES - cached; out++)
		require(pp_zone_alloc_bulk(pp_zone_set_zone(set, 0), pages + out, 1) == 1);
	require(zone_stats(pp_zone_set_zone(set, 0)).drains == 0);
	assert_int_equal(pp_zone_set_alloc_bulk_node(set, 0, pages + out, 1), 1);
	assert_int_equal(pages[out]->node, first_elsewhere);
	out++;
	out += take_all(set, 0, pages + out, 2 * PAGES + 1 - out);
	assert_int_equal(out, flags & PP_ZONE_SET_STRICT ? PAGES : 2 * PAGES);
	assert_int_equal(set_stats(set, 0).numa_miss, 0); /* drained, but its own */
	assert_int_equal(set_stats(set, 0).numa_foreign, out - PAGES);
	give_all(set, pages, out);
	unpin();
	set_end(set);
}

static void caches_last(void **state)
{
	need_two_cpus();
	stranded(0, 1);
	stranded(PP_ZONE_SET_DRAIN_FIRST, 0);
	stranded(PP_ZONE_SET_STRICT, 0);
}

/* ---- free ------------------------------------------------------------------------------------ */

static void free_mixed(struct pp_zone_set *set, struct pp_zone *stranger, struct rng *r)
{
	struct pp_page *pages[PP_BULK_MAX], *copy[PP_BULK_MAX];
	unsigned int n = rng_below(r, PP_BULK_MAX + 1), i;
	int node;

	for (i = 0; i < n; i++) {
		node = (int)rng_below(r, FAKE_NODES + 1);
		if (node == FAKE_NODES)
			require(pp_zone_alloc_bulk(stranger, pages + i, 1) == 1);
		else
			require(pp_zone_set_alloc_bulk_node(set, node, pages + i, 1) == 1);
	}
	memcpy(copy, pages, n * sizeof(*copy));
	pp_zone_set_free_bulk(set, pages, n);
	assert_memory_equal(copy, pages, n * sizeof(*pages));
	for (node = 0; node < FAKE_NODES; node++)
		assert_int_equal(zone_stats(pp_zone_set_zone(set, node)).in_flight, 0);
	assert_int_equal(zone_stats(stranger).in_flight, 0);
}

static void mixed_frees(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	struct rng r = rng_init(1);
	struct pp_zone *stranger;
	struct pp_zone_set *set;
	unsigned int strict, i;

	fake_nodes(FAKE_NODES);
	stranger = zone_new(&zp);
	for (strict = 0; strict < 2; strict++) {
		set = set_new(PAGES, strict ? PP_ZONE_SET_STRICT : 0, 0);
		for (i = 0; i < 250; i++)
			free_mixed(set, stranger, &r);
		set_end(set);
	}
	zone_end(stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zone_a_node),	  cmocka_unit_test(refusals),
		cmocka_unit_test(default_orders), cmocka_unit_test(given_orders),
		cmocka_unit_test(on_this_node),	  cmocka_unit_test(fallback),
		cmocka_unit_test(caches_last),	  cmocka_unit_test(mixed_frees),
	};

	return test_main("zone_set", tests, ARRAY_LEN(tests), 120);
}
