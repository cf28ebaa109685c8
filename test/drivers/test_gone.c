/* SPDX-License-Identifier: BSD-3-Clause */
/* test_gone.c - a queue without an interface takes packets, and drops them */
#include "netdev/iface.h"
#include "netdev/priv.h"
#include "port.h"

static struct pp_page *packet_of(struct page_pool *pool, unsigned int pages)
{
	struct pp_page *page = page_pool_alloc_pages(pool);

	assert_non_null(page);
	page->next = pages > 1 ? packet_of(pool, pages - 1) : NULL;
	return page;
}

/* Each page goes home, those behind the first of a packet as well. */
static void drops(struct pp_zone *zone, bool chains)
{
	struct page_pool_params p = { .sz = sizeof(p), .zone = zone };
	struct page_pool *pool = page_pool_create(&p);
	struct pp_netdev dev = { .chains = chains };
	struct pp_queue q = { .ops = &pp_iface_gone_ops, .dev = &dev, .pool = pool };
	struct pp_page *pages[2];

	assert_non_null(pool);
	pages[0] = packet_of(pool, chains ? 3 : 1);
	pages[1] = packet_of(pool, 1);
	assert_int_equal(pp_tx_burst(&q, pages, 2), 2);
	assert_int_equal(q.stats.tx_dropped, 2);
	assert_int_equal(pp_rx_burst(&q, pages, 2), 0);
	page_pool_destroy(pool);
	assert_home(zone);
}

static void drops_pages(void **state)
{
	drops(*state, false);
}

static void drops_chains(void **state)
{
	drops(*state, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(drops_pages, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(drops_chains, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
