/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_trim.c - an allocation fails only if no page is free anywhere: wherever the pages lie,
 * and whatever call asks for them
 */
#include <string.h>

#include <pagepool/memory.h>
#include <pagepool/zone_set.h>

#include "variant.h"

#define PAGES 2048u /* two blocks of 2 MiB */
#define ORDER 2u

struct scene {
	struct pp_zone *zone;
	struct pp_zone_set *set;
	struct page_pool *other; /* where pages may lie */
	struct puppet puppet; /* an idle thread, its owner */
	struct pp_page *held[PAGES];
};

static struct scene scene;

/* ---- where pages lie: a thread that idles then ----------------------------------------------- */

static struct page_pool *new_pool(uint32_t ring, uint32_t cache, uint32_t refill, uint32_t order)
{
	struct page_pool_params p = { .sz = sizeof(p),
				      .zone = scene.set ? NULL : scene.zone,
				      .set = scene.set,
				      .order = order,
				      .pool_size = ring,
				      .cache_size = cache,
				      .refill = refill };
	struct page_pool *pool = page_pool_create(&p);

	require(pool);
	return pool;
}

static void into_pool(uint32_t ring, uint32_t cache, bool direct)
{
	unsigned int n, i;

	scene.other = new_pool(ring, cache, 64, 0);
	for (n = 0; n < PAGES - 8; n += 8)
		require(page_pool_alloc_bulk(scene.other, scene.held + n, 8) == 8);
	if (!direct)
		page_pool_disable_direct_recycling(scene.other);
	for (i = 0; i < n; i += 8)
		page_pool_put_bulk(scene.held + i, 8);
}

static void in_ring(void *arg)
{
	into_pool(2048, 64, false);
	require(pool_stats(scene.other).ring >= PAGES - 64);
}

static void in_cache(void *arg)
{
	into_pool(2, 4096, true);
	require(pool_stats(scene.other).cache >= PAGES - 64);
}

static void in_core(void *arg)
{
	unsigned int n, i;

	for (n = 0; n < PAGES; n++)
		require(pp_zone_alloc_bulk(scene.zone, scene.held + n, 1) == 1);
	for (i = 0; i < n; i++)
		pp_zone_free_bulk(scene.zone, scene.held + i, 1);
	require(cached_pages(scene.zone) >= 64);
}

static void in_order(void *arg)
{
	unsigned int n, i;

	for (n = 0; n < PAGES / 2; n++)
		require(pp_zone_alloc_order_bulk(scene.zone, 1, scene.held + n, 1) == 1);
	for (i = 0; i < n; i++)
		pp_zone_free_order_bulk(scene.zone, scene.held + i, 1);
}

static void unaccepted(void *arg)
{
	require(zone_stats(scene.zone).unaccepted > PAGES / 4);
}

static void end_other(void *arg)
{
	page_pool_destroy(scene.other);
	scene.other = NULL;
}

/* ---- callers --------------------------------------------------------------------------------- */

static void by_zone(unsigned int bulk)
{
	unsigned int n, k;

	for (n = 0; n < PAGES; n += k)
		require((k = pp_zone_alloc_bulk(scene.zone, scene.held + n,
						bulk < PAGES - n ? bulk : PAGES - n)));
	require(!pp_zone_alloc_bulk(scene.zone, &(struct pp_page *){ NULL }, 1));
	pages_distinct(scene.zone, scene.held, PAGES);
	for (n = 0; n < PAGES; n++)
		pp_zone_free_bulk(scene.zone, scene.held + n, 1);
}

static void by_pool(unsigned int bulk)
{
	struct page_pool *pool = new_pool(2048, 64, 16, 0);
	unsigned int n, k;

	for (n = 0; n < PAGES; n += k)
		require((k = page_pool_alloc_bulk(pool, scene.held + n,
						  bulk < PAGES - n ? bulk : PAGES - n)));
	require(!page_pool_alloc_pages(pool));
	pages_distinct(scene.zone, scene.held, PAGES);
	for (n = 0; n < PAGES; n += 64)
		page_pool_put_bulk(scene.held + n, 64);
	page_pool_destroy(pool);
}

static void by_order(unsigned int bulk)
{
	unsigned int runs = PAGES >> ORDER, n, k;

	for (n = 0; n < runs; n += k)
		require((k = pp_zone_alloc_order_bulk(scene.zone, ORDER, scene.held + n,
						      bulk < runs - n ? bulk : runs - n)));
	require(!pp_zone_alloc_order_bulk(scene.zone, ORDER, &(struct pp_page *){ NULL }, 1));
	pages_distinct(scene.zone, scene.held, runs);
	for (n = 0; n < runs; n++)
		pp_zone_free_order_bulk(scene.zone, scene.held + n, 1);
}

static void by_set(unsigned int bulk)
{
	unsigned int n, k;

	for (n = 0; n < PAGES; n += k)
		require((k = pp_zone_set_alloc_bulk(scene.set, scene.held + n,
						    bulk < PAGES - n ? bulk : PAGES - n)));
	require(!pp_zone_set_alloc_bulk(scene.set, &(struct pp_page *){ NULL }, 1));
	pages_distinct(scene.zone, scene.held, PAGES);
	for (n = 0; n < PAGES; n += 64)
		pp_zone_set_free_bulk(scene.set, scene.held + n, 64);
}

static void by_set_pool(unsigned int bulk)
{
	by_pool(bulk);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct {
	void (*fn)(void *arg);
	bool lazy;
	bool by_zone; /* not by a pool of a set */
	bool idle; /* lies in a core's cache: the policy must drain idle owners */
} places[] = {
	{ in_ring, false, false, false },  { in_cache, false, false, false },
	{ in_core, false, true, true },	   { in_order, false, true, true },
	{ unaccepted, true, true, false },
};

static void begin(bool lazy, bool with_set)
{
	struct pp_zone_params p = variant_params(PAGES, 16, 128);
	struct pp_zone_set_params sp = { .sz = sizeof(sp), .zone = &p, .nodes = 1 };

	p.page_size = 2048;
	p.drain_us = 2000000;
	if (lazy) {
		p.flags |= PP_ZONE_LAZY;
		p.low = 1;
	}
	scene.set = with_set ? pp_zone_set_create(&sp) : NULL;
	require(!with_set || scene.set);
	scene.zone = with_set ? pp_zone_set_zone(scene.set, 0) : zone_new(&p);
}

static void one(unsigned int place, void (*taker)(unsigned int bulk), bool with_set)
{
	static const unsigned int bulks[] = { 1, 64, 512 };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(bulks); i++) {
		begin(places[place].lazy, with_set);
		puppet_do(&scene.puppet, places[place].fn, NULL);
		taker(bulks[i]);
		puppet_do(&scene.puppet, end_other, NULL);
		if (with_set)
			require(!pp_zone_set_destroy(scene.set));
		else
			require(!pp_zone_destroy(scene.zone));
	}
}

static void everywhere(void (*taker)(unsigned int bulk), bool with_set)
{
	unsigned int i;

	puppet_start(&scene.puppet, -1);
	for (i = 0; i < ARRAY_LEN(places); i++) {
		if (!places[i].idle || variant_drains_idle())
			one(i, taker, with_set);
	}
	puppet_end(&scene.puppet);
}

static void zone_gets_all(void **state)
{
	everywhere(by_zone, false);
}

static void pool_gets_all(void **state)
{
	everywhere(by_pool, false);
}

static void order_gets_all(void **state)
{
	everywhere(by_order, false);
}

static void set_gets_all(void **state)
{
	everywhere(by_set, true);
}

static void pool_of_set_gets_all(void **state)
{
	everywhere(by_set_pool, true);
}

/* ---- two ports on 64 pages ------------------------------------------------------------------- */

#define FEW 64u

struct port {
	struct pp_zone *zone;
	struct page_pool *pool;
	struct pinned thread;
	double end;
	unsigned long rounds;
	unsigned long shorts;
};

static unsigned int out; /* pages that both ports have */

/* Needs a page at a time, and keeps a refill: without trims, one port starves the other. */
static void port_main(void *arg)
{
	struct page_pool_params p = { .sz = sizeof(p), .refill = 64 };
	struct port *port = arg;
	struct pp_page *pages[16];
	unsigned int n;

	p.zone = port->zone;
	port->pool = page_pool_create(&p);
	require(port->pool);
	while (now_s() < port->end || port->rounds <= 100) {
		n = page_pool_alloc_bulk(port->pool, pages, 16);
		require(__atomic_add_fetch(&out, n, __ATOMIC_RELAXED) <= FEW);
		port->rounds += n == 16;
		port->shorts += n < 16;
		__atomic_sub_fetch(&out, n, __ATOMIC_RELAXED);
		page_pool_put_bulk(pages, n);
	}
}

static void two_ports_on_few_pages(void **state)
{
	struct pp_zone_params p = variant_params(FEW, 4, 8);
	struct port port[2] = { 0 };
	unsigned int i;

	scene.zone = zone_new(&p);
	for (i = 0; i < 2; i++) {
		port[i].zone = scene.zone;
		port[i].end = now_s() + 0.3;
		pinned_start(&port[i].thread, (int)test_cpu(i % test_cpus()), port_main, &port[i]);
	}
	for (i = 0; i < 2; i++)
		pinned_join(&port[i].thread);
	for (i = 0; i < 2; i++) {
		print_message("port %u: %lu full rounds, %lu short\n", i, port[i].rounds,
			      port[i].shorts);
		assert_true(port[i].rounds > 100);
		page_pool_destroy(port[i].pool);
	}
	require(!pp_zone_destroy(scene.zone));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(zone_gets_all),	cmocka_unit_test(pool_gets_all),
		cmocka_unit_test(order_gets_all),	cmocka_unit_test(set_gets_all),
		cmocka_unit_test(pool_of_set_gets_all), cmocka_unit_test(two_ports_on_few_pages),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main("pool trim", tests, ARRAY_LEN(tests), 120);
}
