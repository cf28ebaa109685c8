/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_copy.c - packets that cannot stay where they are: in the way of an mbuf, of another zone,
 * shared, in several segments
 */
#include <unistd.h>

#include "../drivers/port.h"

#define FRONT 192u

static void assert_taken(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	assert_int_equal(pp_tx_burst(q, pages, n), n);
}

/* no room for an mbuf in front: the packet arrives, in another page, and the page is home */
static void no_room(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[8];
	unsigned int i;

	make_packets(*state, pages, 8, 200, 40);
	pages[2]->data_off = FRONT - 1;
	pages[4]->data_off = FRONT; /* just enough */
	i = 44;
	memcpy(pp_page_data(pages[4]), &i, sizeof(i));
	i = 42;
	memcpy(pp_page_data(pages[2]), &i, sizeof(i));
	assert_taken(q, pages, 8);
	assert_int_equal(port_stats(dev).copied, 7);
	assert_int_equal(port_stats(dev).tx_packets, 8);
	assert_int_equal(port_stats(dev).tx_bytes, 1600);
	assert_int_equal(pp_rx_burst(q, pages, 8), 8);
	for (i = 0; i < 8; i++) {
		assert_int_equal(packet_number(pages[i]), 40 + i);
		assert_int_equal(pages[i]->len, 200);
	}
	page_pool_put_bulk(pages, 8);
	pp_netdev_close(dev);
}

static void other_zone(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_ring0", 0);
	struct pp_zone *other = make_zone(64, 4096);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[3];
	unsigned int i;

	make_packets(other, pages, 3, 100, 7);
	for (i = 0; i < 3; i++) {
		pages[i]->data_off = FRONT + 8; /* the zone is all that is in the way */
		memcpy(pp_page_data(pages[i]), &(uint32_t){ 7 + i }, 4);
	}
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
	memcpy(page->addr + 64, &mark, sizeof(mark)); /* where the mbuf would be */
	pp_page_get(page);
	same = page;
	assert_taken(q, &same, 1);
	assert_int_equal(port_stats(dev).copied, 1);
	assert_int_equal(page->refs, 1);
	assert_memory_equal(page->addr + 64, &mark, sizeof(mark));
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
	pages[0]->data_off = pages[1]->data_off = FRONT;
	pages[0]->len = 0;
	pages[1]->len = 13;
	pages[2]->len = 1900; /* with an mbuf in front of it longer than a page */
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
	struct pp_zone *zone = make_zone(8, 2048);
	struct pp_netdev *dev = open_port(zone, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[8];

	make_packets(zone, pages, 8, 60, 0);
	assert_int_equal(pp_tx_burst(q, pages, 8), 0);
	assert_int_equal(port_stats(dev).rx_nombuf, 1);
	page_pool_put_bulk(pages + 7, 1);
	/* one at a time now: each page that is sent makes room for the next copy */
	assert_int_equal(pp_tx_burst(q, pages, 7), 7);
	assert_int_equal(port_stats(dev).copied, 7);
	assert_int_equal(port_stats(dev).tx_packets, 7);
	pp_netdev_close(dev);
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
	static const uint32_t len[] = { 60, 1728, 1729, 1800, 1920, 1921, 4000, 1500 };
	char name[] = "/tmp/ppdpdk-XXXXXX", spec[80];
	struct pp_page *pages[8];
	struct pp_netdev *dev;
	unsigned int i, k, n;

	assert_true(close(mkstemp(name)) == 0);
	write_capture(name, len, 8);
	snprintf(spec, sizeof(spec), "dpdk:net_pcap0,rx_pcap=%s", name);
	dev = open_port(*state, spec, 3);
	n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 8);
	assert_int_equal(n, 6);
	for (i = 0; i < n; i++) {
		assert_int_equal(pages[i]->len, len[i < 5 ? i : 7]);
		assert_int_equal(pages[i]->port, 3);
		for (k = 0; k < pages[i]->len; k++)
			assert_int_equal(((unsigned char *)pp_page_data(pages[i]))[k],
					 ((i < 5 ? i : 7) + k) & 0xff);
	}
	/* a device that has nowhere to send to takes everything */
	assert_taken(pp_netdev_queue(dev, 0), pages, n);
	assert_int_equal(port_stats(dev).copied, 3 + 2); /* the third does not fit behind an mbuf */
	pp_netdev_stop(dev);
	assert_int_equal(port_stats(dev).tx_packets, 5); /* so it says */
	assert_int_equal(port_stats(dev).tx_dropped, 1);
	assert_int_equal(port_stats(dev).rx_dropped, 2);
	assert_int_equal(port_stats(dev).rx_packets, 6);
	pp_netdev_close(dev);
	unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_room, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(other_zone, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(shared, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(never, setup_zone, teardown_zone),
		cmocka_unit_test(no_page),
		cmocka_unit_test_setup_teardown(segments, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
