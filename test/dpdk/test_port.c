/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_port.c - what every driver promises, of ethdev ports; no interface and no root is needed
 */
#include <pthread.h>
#include <sched.h>

#include "../drivers/port.h"

static void assert_taken(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	assert_int_equal(pp_tx_burst(q, pages, n), n);
}

/* what is received is a packet of this port, and stays in place when it is sent */
static void null_device(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_null0,size=100", 7);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[32];
	unsigned int i;

	assert_string_equal(pp_netdev_driver(dev), "dpdk");
	assert_non_null(strstr(pp_netdev_info(dev), "net_null, 1 queue"));
	assert_int_equal(pp_rx_burst(q, pages, 32), 32);
	for (i = 0; i < 32; i++) {
		assert_int_equal(pages[i]->len, 100);
		assert_int_equal(pages[i]->port, 7);
		assert_int_equal(pages[i]->owner, 0);
		assert_ptr_equal(pages[i]->pool, q->pool);
		assert_true(pages[i]->data_off >= HEADROOM);
	}
	assert_taken(q, pages, 32);
	assert_int_equal(pp_tx_clean(q), 0);
	assert_int_equal(port_stats(dev).rx_packets, 32);
	assert_int_equal(port_stats(dev).rx_bytes, 3200);
	pp_netdev_stop(dev);
	assert_int_equal(port_stats(dev).tx_packets, 32);
	assert_int_equal(port_stats(dev).tx_bytes, 3200);
	assert_int_equal(port_stats(dev).tx_dropped, 0);
	assert_int_equal(port_stats(dev).copied, 0);
	assert_int_equal(pp_rx_burst(q, pages, 32), 0);
	pp_netdev_close(dev);
}

/* the packets of a burst lie in different sets of the CPU's caches, if pages have room for that */
static void colors(void **state)
{
	static const uint32_t sizes[] = { 2048, 4096, 16384 };
	struct pp_page *pages[64], *table;
	struct pp_netdev *dev;
	struct pp_queue *q;
	struct pp_zone *zone;
	unsigned int i, s, color;

	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		zone = make_zone(1024, sizes[s]);
		table = pp_zone_page_table(zone);
		dev = open_port(zone, "dpdk:net_null0", 0);
		q = pp_netdev_queue(dev, 0);
		assert_int_equal(pp_rx_burst(q, pages, 64), 64);
		for (i = 0; i < 64; i++) {
			color = sizes[s] < 4096 ? 0 : (unsigned int)(pages[i] - table) % 4;
			assert_int_equal(pages[i]->data_off, HEADROOM + color * 128);
		}
		assert_taken(q, pages, 64);
		pp_netdev_stop(dev);
		assert_int_equal(port_stats(dev).copied, 0);
		assert_int_equal(port_stats(dev).tx_packets, 64);
		pp_netdev_close(dev);
		destroy_zone(zone);
	}
}

/* the same pages come back, in order, with what was in them */
static void ring_device(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *sent[64], *got[64];
	unsigned int i;

	make_packets(*state, got, 64, 60, 1000);
	for (i = 0; i < 64; i++)
		assert_non_null(pp_page_pull(got[i], 4));
	for (i = 0; i < 64; i++)
		got[i]->data_off = (uint16_t)i * 4; /* from the page's first byte on */
	for (i = 0; i < 64; i++)
		memcpy(pp_page_data(got[i]), &i, sizeof(i));
	memcpy(sent, got, sizeof(sent));
	assert_taken(q, got, 64);
	assert_int_equal(pp_rx_burst(q, got, 64), 64);
	assert_memory_equal(sent, got, sizeof(sent));
	for (i = 0; i < 64; i++) {
		assert_int_equal(packet_number(got[i]), i);
		assert_int_equal(got[i]->len, 56);
		assert_int_equal(got[i]->data_off, i * 4);
	}
	assert_int_equal(port_stats(dev).copied, 0);
	/* left in the ring: dropped when it ends, and home */
	assert_taken(q, got, 64);
	pp_netdev_stop(dev);
	assert_int_equal(port_stats(dev).rx_packets, 64);
	assert_int_equal(port_stats(dev).rx_dropped, 64);
	assert_int_equal(port_stats(dev).tx_packets, 128);
	pp_netdev_close(dev);
}

/* what the device does not take is the caller's, whole */
static void full_device(void **state)
{
	struct pp_zone *zone = make_zone(4096, 2048);
	struct pp_netdev *dev = open_port(zone, "dpdk:net_ring0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[PP_BURST_MAX];
	unsigned int i, k = 100, sent = 0;

	while (k == 100) {
		assert_int_equal(pp_zone_alloc_bulk(zone, pages, 100), 100);
		for (i = 0; i < 100; i++) {
			pages[i]->len = 60;
		}
		k = pp_tx_burst(q, pages, 100);
		sent += k;
		for (i = k; i < 100; i++) {
			assert_int_equal(pages[i]->owner, 0);
			assert_int_equal(pages[i]->len, 60);
		}
		page_pool_put_bulk(pages + k, 100 - k);
	}
	assert_true(sent >= 900 && sent < 4000);
	assert_int_equal(port_stats(dev).tx_packets, sent);
	assert_int_equal(port_stats(dev).tx_bytes, (uint64_t)sent * 60);
	pp_netdev_close(dev);
	destroy_zone(zone);
}

static void exhausted(void **state)
{
	struct pp_zone *zone = make_zone(64, 2048);
	struct pp_netdev *dev = open_port(zone, "dpdk:net_null0", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[64];

	assert_int_equal(pp_rx_burst(q, pages, 40), 40);
	/* 24 are left; the device asks for all or none */
	assert_int_equal(pp_rx_burst(q, pages + 40, 32), 0);
	assert_int_equal(port_stats(dev).rx_nombuf, 8);
	assert_int_equal(pp_rx_burst(q, pages + 40, 24), 24);
	assert_int_equal(pp_rx_burst(q, pages, 1), 0);
	assert_int_equal(port_stats(dev).rx_nombuf, 9);
	page_pool_put_bulk(pages, 64);
	assert_int_equal(pp_rx_burst(q, pages, 64), 64);
	assert_taken(q, pages, 64);
	pp_netdev_close(dev);
	destroy_zone(zone);
}

/* pages with users outlive the port, the mempool and the pool */
static void pages_out(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_null0", 0);
	struct pp_page *pages[64];

	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 64), 64);
	pp_netdev_close(dev);
	page_pool_put_bulk(pages, 64);
}

static void many_times(void **state)
{
	static const char *const specs[] = { "dpdk:net_null0", "dpdk:net_null1,size=1000",
					     "dpdk:net_ring0", "dpdk:net_null2,queues=8" };
	struct pp_zone *other = make_zone(1024, 4096);
	struct pp_netdev *a, *b;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		a = open_port(i & 4 ? other : *state, specs[i % 4], 0);
		b = open_port(i & 8 ? other : *state, specs[(i + 1) % 4], 1);
		pp_netdev_close(i & 1 ? a : b);
		pp_netdev_close(i & 1 ? b : a);
		assert_home(*state);
	}
	destroy_zone(other);
}

static void page_sizes(void **state)
{
	static const uint32_t size[] = { 2048, 4096, 65536 }, headroom[] = { 0, 128, 333, 1900 };
	struct pp_zone_params params = { .sz = sizeof(params), .pages = 128 };
	struct pp_page *pages[8];
	struct pp_netdev *dev;
	unsigned int i;

	for (i = 0; i < 12; i++) {
		params.page_size = size[i / 4];
		params.headroom = headroom[i % 4];
		*state = pp_zone_create(&params);
		assert_non_null(*state);
		dev = open_port(*state, "dpdk:net_null0", 0);
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 8), 8);
		assert_true(pages[3]->data_off >= params.headroom);
		assert_true(pages[3]->data_off >= 128);
		assert_taken(pp_netdev_queue(dev, 0), pages, 8);
		pp_netdev_close(dev);
		destroy_zone(*state);
	}
}

struct turn {
	struct pp_queue *in;
	struct pp_queue *out;
	unsigned long moved;
};

static void *forward(void *arg)
{
	struct turn *t = arg;
	struct pp_page *pages[32];
	unsigned int i, n, k;

	pp_queue_own(t->in);
	for (i = 0; i < 20000; i++) {
		n = pp_rx_burst(t->in, pages, 32);
		k = pp_tx_burst(t->out, pages, n);
		page_pool_put_bulk(pages + k, n - k);
		t->moved += k;
	}
	return NULL;
}

/* two threads, two queues; each sends by the other port what its own received */
static void threads(void **state)
{
	struct pp_netdev *a = open_port(*state, "dpdk:net_null0,queues=2", 0);
	struct pp_netdev *b = open_port(*state, "dpdk:net_null1,queues=2", 1);
	struct turn turn[2] = {
		{ pp_netdev_queue(a, 0), pp_netdev_queue(b, 0), 0 },
		{ pp_netdev_queue(b, 1), pp_netdev_queue(a, 1), 0 },
	};
	pthread_t thread[2];
	unsigned int i;

	assert_int_equal(pp_netdev_queues(a), 2);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, forward, &turn[i]), 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	pp_netdev_stop(a);
	pp_netdev_stop(b);
	assert_int_equal(port_stats(a).rx_packets, port_stats(b).tx_packets);
	assert_int_equal(port_stats(b).rx_packets, port_stats(a).tx_packets);
	assert_int_equal(turn[0].moved, port_stats(b).tx_packets);
	assert_true(turn[0].moved && turn[1].moved);
	pp_netdev_close(a);
	pp_netdev_close(b);
}

static void refused(void **state)
{
	struct pp_netdev *dev = open_port(*state, "dpdk:net_null0", 0);

	assert_refused(*state, "dpdk", EINVAL, "no device is named");
	assert_refused(*state, "dpdk:", EINVAL, "no device is named");
	assert_refused(*state, "dpdk:,queues=1", EINVAL, "no device is named");
	assert_refused(*state, "dpdk:eth0", ENODEV, "failed to parse device \"eth0\"");
	assert_refused(*state, "dpdk:net_nul0", ENODEV, "net_nul0");
	assert_refused(*state, "dpdk:0000:ff:1f.7", ENODEV, "0000:ff:1f.7");
	assert_refused(*state, "dpdk:net_null1,nonsense=1", ENODEV, "net_null1");
	assert_refused(*state, "dpdk:net_null1,queues=0", EINVAL, "from 1 to 64");
	assert_refused(*state, "dpdk:net_null1,queues=65", EINVAL, "from 1 to 64");
	assert_refused(*state, "dpdk:net_null1,queues=", EINVAL, "from 1 to 64");
	assert_refused(*state, "dpdk:net_null1,queues=2x", EINVAL, "from 1 to 64");
	assert_refused(*state, "dpdk:net_null1,queues=1,queues=1", EINVAL, "twice");
	assert_refused(*state, "dpdk:net_ring1,queues=64", EINVAL, "ask for fewer");
	assert_refused(*state, "dpdk:net_null0", EBUSY, "is open already");
	assert_refused(*state, "dpdk:net_null0,size=9", EBUSY, "is open already");
	assert_refused(*state, "dpdk:crypto_null0", ENODEV, "not an Ethernet port");
	assert_refused(*state, "dpdk:net_pcap0,rx_pcap=/nowhere/x", ENODEV, "No such file");
	pp_netdev_close(dev);
	pp_netdev_close(open_port(*state, "dpdk:net_null1", 0));
}

/* a program's threads stay where they were; EAL's options come first or not at all */
static void environment(void **state)
{
	cpu_set_t before, after;

	assert_int_equal(pp_netdev_dpdk_eal("--no-huge 'x"), -EINVAL);
	assert_int_equal(pp_netdev_dpdk_eal("--no-huge --foo"), 0);
	assert_int_equal(pp_netdev_dpdk_eal(NULL), 0);
	sched_getaffinity(0, sizeof(before), &before);
	pp_netdev_close(open_port(*state, "dpdk:net_null0", 0));
	sched_getaffinity(0, sizeof(after), &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(pp_netdev_dpdk_eal("--no-huge"), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(environment, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(null_device, setup_zone, teardown_zone),
		cmocka_unit_test(colors),
		cmocka_unit_test_setup_teardown(ring_device, setup_zone, teardown_zone),
		cmocka_unit_test(full_device),
		cmocka_unit_test(exhausted),
		cmocka_unit_test_setup_teardown(pages_out, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(many_times, setup_zone, teardown_zone),
		cmocka_unit_test(page_sizes),
		cmocka_unit_test_setup_teardown(threads, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(refused, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
