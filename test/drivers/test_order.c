/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_order.c - ports with runs of pages as buffers: a jumbo frame in one piece
 */
#include "port.h"

#define JUMBO 9000u

static struct pp_netdev *open_runs(const char *spec, struct pp_zone *zone, uint32_t order)
{
	struct pp_netdev_params params = { .sz = sizeof(params), .zone = zone, .order = order };

	return pp_netdev_open(spec, &params);
}

static struct pp_netdev *must_open(const char *spec, struct pp_zone *zone, uint32_t order)
{
	struct pp_netdev *dev = open_runs(spec, zone, order);

	if (!dev)
		fail_msg("%s, order %u: %s", spec, order, pp_error());
	return dev;
}

static int setup_pages(void **state)
{
	*state = make_zone(ZONE_PAGES, 4096);
	return 0;
}

static struct pp_page *make_jumbo(struct pp_netdev *dev, unsigned char first)
{
	struct pp_page *page = page_pool_alloc_pages(pp_netdev_queue(dev, 0)->pool);
	unsigned char *data;
	unsigned int i;

	assert_non_null(page);
	assert_int_equal(pp_page_size(page), 4 * 4096);
	assert_true(pp_page_tailroom(page) >= JUMBO);
	data = pp_page_data(page);
	for (i = 0; i < JUMBO; i++)
		data[i] = (unsigned char)(first + i % 251);
	page->len = JUMBO;
	return page;
}

static void expect_jumbo(const struct pp_page *page, unsigned char first)
{
	const unsigned char *data = pp_page_data(page);
	unsigned int i;

	assert_int_equal(page->len, JUMBO);
	for (i = 0; i < JUMBO; i++)
		assert_int_equal(data[i], (unsigned char)(first + i % 251));
}

/* Over the cable as it is: the very buffer, all of its bytes. */
static void cable(void **state)
{
	struct pp_netdev *a = must_open("loop:a,peer=b", *state, 2);
	struct pp_netdev *b = must_open("loop:b,peer=a", *state, 2);
	struct pp_page *sent[32], *pages[32];
	unsigned int i;

	for (i = 0; i < 32; i++)
		pages[i] = sent[i] = make_jumbo(a, (unsigned char)i);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(a, 0), pages, 32), 32);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(b, 0), pages, 32), 32);
	for (i = 0; i < 32; i++) {
		assert_ptr_equal(pages[i], sent[i]);
		expect_jumbo(pages[i], (unsigned char)i);
	}
	page_pool_put_bulk(pages, 32);
	assert_int_equal(port_stats(a).tx_bytes, 32 * JUMBO);
	assert_int_equal(port_stats(b).rx_bytes, 32 * JUMBO);
	pp_netdev_close(a);
	pp_netdev_close(b);
}

/* Into another zone: copied, if the receiver's buffers are large enough. */
static void copied(void **state)
{
	struct pp_zone *other = make_zone(ZONE_PAGES, 4096);
	struct pp_netdev *a, *b;
	struct pp_page *page;
	uint32_t order;

	for (order = 0; order <= 2; order += 2) {
		a = must_open("loop:a,peer=b", *state, 2);
		b = must_open("loop:b,peer=a", other, order);
		page = make_jumbo(a, 7);
		assert_int_equal(pp_tx_burst(pp_netdev_queue(a, 0), &page, 1), 1);
		assert_int_equal(pp_rx_burst(pp_netdev_queue(b, 0), &page, 1), order ? 1 : 0);
		if (order) {
			assert_ptr_equal(page->zone, other);
			expect_jumbo(page, 7);
			page_pool_put_bulk(&page, 1);
		}
		assert_int_equal(port_stats(b).rx_dropped, order ? 0 : 1);
		pp_netdev_close(a);
		pp_netdev_close(b);
	}
	destroy_zone(other);
}

/* The source makes them, the sink reads all of them; a smaller sink no more than it has. */
static void source_and_sink(void **state)
{
	struct pp_netdev *big = must_open("null:size=9000,copy=1", *state, 2);
	struct pp_netdev *small = must_open("null:size=64,copy=1", *state, 0);
	struct pp_page *pages[64];
	unsigned int i;

	assert_null(open_runs("null:size=9000", *state, 0));
	assert_int_equal(pp_rx_burst(pp_netdev_queue(big, 0), pages, 64), 64);
	for (i = 0; i < 64; i++)
		assert_int_equal(pages[i]->len, JUMBO);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(big, 0), pages, 32), 32);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(small, 0), pages + 32, 32), 32);
	assert_int_equal(port_stats(big).tx_bytes, 32 * JUMBO);
	pp_netdev_close(big);
	pp_netdev_close(small);
}

static void refused(void **state)
{
	const char *const *name;
	char spec[64];

	assert_null(open_runs("null", *state, 10));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(pp_error(), "order: 10"));
	for (name = pp_netdev_driver_names(); *name; name++) {
		if (!(HAVE_AF_XDP && !strcmp(*name, "af_xdp")) &&
		    !(HAVE_DPDK && !strcmp(*name, "dpdk")))
			continue;
		snprintf(spec, sizeof(spec), "%s:lo", *name);
		assert_null(open_runs(spec, *state, 1));
		assert_int_equal(errno, ENOTSUP);
		assert_non_null(strstr(pp_error(), "single pages"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cable, setup_pages, teardown_zone),
		cmocka_unit_test_setup_teardown(copied, setup_pages, teardown_zone),
		cmocka_unit_test_setup_teardown(source_and_sink, setup_pages, teardown_zone),
		cmocka_unit_test_setup_teardown(refused, setup_pages, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
