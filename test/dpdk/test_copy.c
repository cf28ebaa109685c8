/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_copy.c - packets that are copied: of another zone, shared, in several segments
 */
#include <unistd.h>

#include "../drivers/port.h"

static void assert_taken(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	assert_int_equal(pp_tx_burst(q, pages, n), n);
}

static void other_zone(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_ring0", 0);
	struct pp_zone *other = make_zone(64, 4096);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[3];

	make_packets(other, pages, 3, 100, 7);
	pages[1]->data_off = 1000;
	pages[1]->len = 3000; /* no page of the port's zone holds it */
	assert_taken(q, pages, 3);
	assert_int_equal(port_stats(dev).copied, 2);
	assert_int_equal(port_stats(dev).tx_dropped, 1);
	destroy_zone(other);
	assert_int_equal(pp_rx_burst(q, pages, 3), 2);
	assert_ptr_equal(pages[0]->zone, *state);
	assert_int_equal(packet_number(pages[0]), 7);
	assert_int_equal(packet_number(pages[1]), 9);
	page_pool_put_bulk(pages, 2);
	pp_netdev_close(dev);
}

/* two users of one page: each sends its own packet, and neither writes in the other's */
static void shared(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *page, *same, *got[2];
	uint32_t mark = 0xfeed;

	make_packets(*state, &page, 1, 100, 5);
	page->data_off = 1000;
	memset(pp_page_data(page), 0x11, 100);
	memcpy(page->addr, &mark, sizeof(mark));
	pp_page_get(page);
	same = page;
	assert_taken(q, &same, 1);
	assert_int_equal(port_stats(dev).copied, 1);
	assert_int_equal(page->refs, 1);
	assert_memory_equal(page->addr, &mark, sizeof(mark));
	assert_int_equal(pp_rx_burst(q, got, 2), 1);
	assert_ptr_not_equal(got[0], page);
	assert_memory_equal(pp_page_data(got[0]), pp_page_data(page), 100);
	page_pool_put_bulk(got, 1);
	pp_page_put(page);
	pp_netdev_close(dev);
}

static void never(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[6], *got[6];

	make_packets(*state, pages, 6, 60, 0);
	pages[0]->len = 0;
	pages[1]->len = 13;
	pages[2]->len = 2049; /* longer than a page */
	pages[3]->len = 14;
	pages[4]->len = 1921; /* beyond its page */
	assert_taken(q, pages, 6);
	assert_int_equal(port_stats(dev).tx_dropped, 4);
	assert_int_equal(port_stats(dev).tx_packets, 2);
	assert_int_equal(pp_rx_burst(q, got, 6), 2);
	assert_int_equal(got[0]->len, 14);
	assert_int_equal(packet_number(got[1]), 5);
	page_pool_put_bulk(got, 2);
	pp_netdev_close(dev);
}

/* a copy needs a page: without one the packet stays the caller's */
static void no_page(void **state)
{
	struct pp_zone *zone = make_zone(8, 2048), *other = make_zone(8, 2048);
	struct pp_netdev *dev = open_port(zone, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[8], *all[8];

	make_packets(other, pages, 8, 60, 0);
	assert_int_equal(pp_zone_alloc_bulk(zone, all, 8), 8);
	assert_int_equal(pp_tx_burst(q, pages, 8), 0);
	assert_int_equal(port_stats(dev).rx_nombuf, 1);
	page_pool_put_bulk(all, 3);
	assert_int_equal(pp_tx_burst(q, pages, 8), 3);
	assert_int_equal(port_stats(dev).copied, 3);
	assert_int_equal(port_stats(dev).tx_packets, 3);
	page_pool_put_bulk(all + 3, 5);
	assert_int_equal(pp_tx_burst(q, pages + 3, 5), 5);
	pp_netdev_close(dev);
	destroy_zone(other);
	destroy_zone(zone);
}

static void put32(FILE *file, uint32_t value)
{
	assert_int_equal(fwrite(&value, sizeof(value), 1, file), 1);
}

static void write_capture(const char *name, const uint32_t *len, unsigned int n)
{
	FILE *file = fopen(name, "w");
	unsigned int i, k;

	assert_non_null(file);
	put32(file, 0xa1b2c3d4);
	put32(file, 4 << 16 | 2);
	put32(file, 0);
	put32(file, 0);
	put32(file, 65535);
	put32(file, 1);
	for (i = 0; i < n; i++) {
		put32(file, i);
		put32(file, 0);
		put32(file, len[i]);
		put32(file, len[i]);
		for (k = 0; k < len[i]; k++)
			fputc((int)(i + k) & 0xff, file);
	}
	assert_int_equal(fclose(file), 0);
}

/* net_pcap chains mbufs for what is longer than one: in one page again if a page holds it */
static void segments(void **state)
{
	static const uint32_t len[] = { 60, 3584, 3585, 3700, 3968, 3969, 9000, 1500 };
	struct pp_zone *zone = make_zone(1024, 4096);
	char name[] = "/tmp/ppdpdk-XXXXXX", spec[80];
	struct pp_page *pages[8];
	struct pp_netdev *dev;
	unsigned int i, k, n;

	assert_true(close(mkstemp(name)) == 0);
	write_capture(name, len, 8);
	snprintf(spec, sizeof(spec), "dpdk:net_pcap0,rx_pcap=%s", name);
	dev = open_port(zone, spec, 3);
	n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 8);
	assert_int_equal(n, 6);
	for (i = 0; i < n; i++) {
		assert_int_equal(pages[i]->len, len[i < 5 ? i : 7]);
		assert_int_equal(pages[i]->port, 3);
		for (k = 0; k < pages[i]->len; k++)
			assert_int_equal(((unsigned char *)pp_page_data(pages[i]))[k],
					 ((i < 5 ? i : 7) + k) & 0xff);
	}
	/* of three pages of different colors that packets come in, one holds 3968 bytes */
	assert_in_range(port_stats(dev).copied, 1, 3);
	/* a device that has nowhere to send to takes everything */
	assert_taken(pp_netdev_queue(dev, 0), pages, n);
	pp_netdev_stop(dev);
	assert_int_equal(port_stats(dev).tx_packets, 6); /* so it says */
	assert_int_equal(port_stats(dev).rx_dropped, 2);
	assert_int_equal(port_stats(dev).rx_packets, 6);
	pp_netdev_close(dev);
	unlink(name);
	destroy_zone(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(other_zone, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(shared, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(never, setup_zone, teardown_zone),
		cmocka_unit_test(no_page),
		cmocka_unit_test(segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
