/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_null.c - the endless source and bottomless sink
 */
#include "port.h"

/* first of all: every page comes home, from any holder, when the port ends */
static void ledger(void **state)
{
	struct pp_netdev *a = open_port(*state, "null", 0);
	struct pp_netdev *b = open_port(*state, "null:copy=1", 1);
	struct pp_page *pages[64], *held[64];
	unsigned int i;

	assert_int_equal(pp_rx_burst(pp_netdev_queue(a, 0), held, 64), 64);
	for (i = 0; i < 100; i++) {
		assert_int_equal(pp_rx_burst(pp_netdev_queue(a, 0), pages, 64), 64);
		assert_int_equal(pp_tx_burst(pp_netdev_queue(b, 0), pages, 64), 64);
		assert_int_equal(pp_rx_burst(pp_netdev_queue(b, 0), pages, 64), 64);
		assert_int_equal(pp_tx_burst(pp_netdev_queue(a, 0), pages, 64), 64);
	}
	pp_netdev_stop(a);
	pp_netdev_close(b);
	pp_netdev_close(a);
	page_pool_put_bulk(held, 64);
}

static void refused_open(void **state)
{
	struct pp_zone *zone = *state;

	assert_refused(zone, "null:size=13", EINVAL, "from 14 to 1920");
	assert_refused(zone, "null:size=1921", EINVAL, "from 14 to 1920");
	assert_refused(zone, "null:copy=2", EINVAL, "copy=2 is not one of 0, 1");
	assert_refused(zone, "null:copy=1,size=64,x=1", EINVAL, "unknown option 'x'");
}

/* each page as pp_rx_burst() promises it */
static void received(void **state)
{
	struct pp_netdev *dev = open_port(*state, "null", 7);
	struct pp_page *pages[PP_BURST_MAX];
	unsigned int i;

	assert_int_equal(pp_zone_alloc_bulk(*state, pages, PP_BURST_MAX), PP_BURST_MAX);
	for (i = 0; i < PP_BURST_MAX; i++)
		pages[i]->tstamp = 99;
	pp_zone_free_bulk(*state, pages, PP_BURST_MAX);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, PP_BURST_MAX), PP_BURST_MAX);
	for (i = 0; i < PP_BURST_MAX; i++) {
		assert_int_equal(pages[i]->len, 64);
		assert_int_equal(pages[i]->data_off, HEADROOM);
		assert_int_equal(pages[i]->port, 7);
		assert_true(pages[i]->tstamp == PP_TSTAMP_NONE);
		assert_null(pages[i]->next);
		assert_ptr_equal(pages[i]->pool, pp_netdev_queue(dev, 0)->pool);
	}
	page_pool_put_bulk(pages, PP_BURST_MAX);
	pp_netdev_close(dev);
}

/* packets of a burst begin in different sets of the CPU's caches, if pages have room for that */
static void colors(void **state)
{
	static const struct {
		uint32_t page_size;
		const char *spec;
		bool colors;
	} row[] = {
		{ 2048, "null", false },
		{ 4096, "null:size=3584", true },
		{ 4096, "null:size=3585", false },
		{ 65536, "null:copy=1", true },
	};
	struct pp_page *pages[64], *table;
	struct pp_netdev *dev;
	struct pp_zone *zone;
	unsigned int i, r, color;

	for (r = 0; r < sizeof(row) / sizeof(row[0]); r++) {
		zone = make_zone(256, row[r].page_size);
		table = pp_zone_page_table(zone);
		dev = open_port(zone, row[r].spec, 0);
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 64), 64);
		for (i = 0; i < 64; i++) {
			color = row[r].colors ? (unsigned int)(pages[i] - table) % 4 : 0;
			assert_int_equal(pages[i]->data_off, HEADROOM + color * 128);
		}
		page_pool_put_bulk(pages, 64);
		pp_netdev_close(dev);
		destroy_zone(zone);
	}
}

static void sizes(void **state)
{
	static const unsigned int size[] = { 14, 15, 41, 42, 60, 1500, 1920 };
	struct pp_netdev *dev;
	struct pp_page *page;
	char spec[64];
	size_t i;

	for (i = 0; i < 2 * sizeof(size) / sizeof(size[0]); i++) {
		snprintf(spec, sizeof(spec), "null:size=%u,copy=%zu", size[i / 2], i % 2);
		dev = open_port(*state, spec, 0);
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), &page, 1), 1);
		assert_int_equal(page->len, size[i / 2]);
		assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), &page, 1), 1);
		assert_int_equal(port_stats(dev).tx_bytes, size[i / 2]);
		pp_netdev_close(dev);
	}
}

/* copy=1 writes a whole frame into every page; copy=0 leaves what the last user wrote */
static void payload(void **state)
{
	struct pp_netdev *copy = open_port(*state, "null:copy=1", 3);
	struct pp_netdev *leave = open_port(*state, "null:copy=0", 4);
	unsigned int round, i, sum;
	unsigned char *data;
	struct pp_page *page;

	for (round = 0; round < 3; round++) {
		assert_int_equal(pp_rx_burst(pp_netdev_queue(copy, 0), &page, 1), 1);
		data = pp_page_data(page);
		assert_memory_equal(data + 6, pp_netdev_mac(copy), 6);
		assert_memory_equal(data + 12, "\x08\x00\x45\x00\x00\x32", 6); /* IPv4, 50 bytes */
		for (sum = 0, i = 14; i < 34; i += 2)
			sum += (unsigned int)data[i] << 8 | data[i + 1];
		assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
		assert_memory_equal(data + 38, "\x00\x1e", 2); /* UDP, 30 bytes */
		memset(data, 0, page->len);
		assert_int_equal(pp_tx_burst(pp_netdev_queue(copy, 0), &page, 1), 1);
	}
	assert_int_equal(pp_rx_burst(pp_netdev_queue(leave, 0), &page, 1), 1);
	memset(pp_page_data(page), 0x5a, 64);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(leave, 0), &page, 1), 1);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(leave, 0), &page, 1), 1);
	assert_memory_equal(pp_page_data(page), "ZZZZZZZZ", 8);
	page_pool_put_bulk(&page, 1);
	pp_netdev_close(copy);
	pp_netdev_close(leave);
}

static void counters(void **state)
{
	struct pp_netdev *dev = open_port(*state, "null:size=100", 0);
	struct pp_page *pages[32];
	struct pp_netdev_stats st;
	unsigned int i;

	for (i = 1; i <= 32; i++) {
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, i), i);
		pages[0]->len = 50;
		assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, i), i);
	}
	st = port_stats(dev);
	assert_int_equal(st.rx_packets, 528);
	assert_int_equal(st.rx_bytes, 52800);
	assert_int_equal(st.tx_packets, 528);
	assert_int_equal(st.tx_bytes, 52800 - 32 * 50);
	assert_int_equal(st.rx_nombuf + st.rx_dropped + st.tx_dropped + st.errors, 0);
	pp_netdev_close(dev);
}

/* more is wanted than the zone has */
static void exhausted(void **state)
{
	struct pp_zone *zone = make_zone(40, 2048);
	struct pp_netdev *dev = open_port(zone, "null", 0);
	struct pp_page *pages[64];

	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 64), 40);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages + 40, 10), 0);
	assert_int_equal(port_stats(dev).rx_packets, 40);
	assert_int_equal(port_stats(dev).rx_nombuf, 34);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 40), 40);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 40), 40);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 40), 40);
	pp_netdev_close(dev);
	destroy_zone(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ledger, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(refused_open, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(received, setup_zone, teardown_zone),
		cmocka_unit_test(colors),
		cmocka_unit_test_setup_teardown(sizes, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(payload, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(counters, setup_zone, teardown_zone),
		cmocka_unit_test(exhausted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
