/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_loop.c - the in-memory cable
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "port.h"

static void send_packets(struct pp_zone *zone, struct pp_netdev *dev, unsigned int n,
			 uint32_t first)
{
	struct pp_page *pages[PP_BURST_MAX];

	make_packets(zone, pages, n, 60, first);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, n), n);
}

static void expect_packets(struct pp_netdev *dev, unsigned int n, uint32_t first)
{
	struct pp_page *pages[PP_BURST_MAX];
	unsigned int i;

	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, PP_BURST_MAX), n);
	for (i = 0; i < n; i++)
		assert_int_equal(packet_number(pages[i]), first + i);
	page_pool_put_bulk(pages, n);
}

/* first of all: whatever is on the wires when the ends go, in whichever order */
static void ledger(void **state)
{
	struct pp_netdev *dev[2];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		dev[i % 2] = open_port(*state, i % 2 ? "loop:b,peer=a" : "loop:a,peer=b", 0);
		dev[1 - i % 2] = open_port(*state, i % 2 ? "loop:a,peer=b" : "loop:b,peer=a", 1);
		send_packets(*state, dev[0], 100, 0);
		send_packets(*state, dev[1], 50, 0);
		pp_netdev_close(dev[i / 2]);
		assert_int_equal(port_stats(dev[1 - i / 2]).rx_dropped, 0);
		pp_netdev_stop(dev[1 - i / 2]);
		assert_int_equal(port_stats(dev[1 - i / 2]).rx_dropped, i / 2 ? 50 : 100);
		pp_netdev_close(dev[1 - i / 2]);
		assert_home(*state);
	}
	dev[0] = open_port(*state, "loop:self", 0);
	send_packets(*state, dev[0], 7, 0);
	pp_netdev_close(dev[0]);
}

static void refused_open(void **state)
{
	struct pp_zone *zone = *state;
	struct pp_netdev *dev;

	assert_refused(zone, "loop", EINVAL, "the name is missing");
	assert_refused(zone, "loop:peer=b", EINVAL, "the name is missing");
	assert_refused(zone, "loop:a123456789b123456789c123456789d1", EINVAL, "too long");
	assert_refused(zone, "loop:a,peer=a123456789b123456789c123456789d1", EINVAL, "too long");
	assert_refused(zone, "loop:a,size=1", EINVAL, "from 2 to 65536");
	assert_refused(zone, "loop:a,size=131072", EINVAL, "from 2 to 65536");
	assert_refused(zone, "loop:a,size=1000", EINVAL, "power of two");
	assert_refused(zone, "loop:a,pear=b", EINVAL, "there are: peer, size");

	dev = open_port(zone, "loop:a,peer=b,size=64", 0);
	send_packets(zone, dev, 1, 0);
	assert_refused(zone, "loop:a,peer=b", EBUSY, "'a' is open already");
	assert_refused(zone, "loop:a", EBUSY, "'a' is open already");
	assert_refused(zone, "loop:b", EINVAL, "port 'a' names 'b' its peer; write loop:b,peer=a");
	assert_refused(zone, "loop:c,peer=b", EBUSY, "'b' is cabled to 'a'");
	assert_refused(zone, "loop:c,peer=a", EBUSY, "'a' is cabled to 'b'");
	assert_refused(zone, "loop:b,peer=a,size=128", EINVAL, "opened the cable with 64");
	pp_netdev_close(open_port(zone, "loop:b,peer=a,size=64", 0));
	pp_netdev_close(open_port(zone, "loop:c", 0));
	pp_netdev_close(dev);
	/* the names are free again */
	pp_netdev_close(open_port(zone, "loop:b", 0));
}

static void itself(void **state)
{
	struct pp_netdev *dev = open_port(*state, "loop:a,peer=a", 0);

	expect_packets(dev, 0, 0);
	send_packets(*state, dev, 3, 5);
	expect_packets(dev, 3, 5);
	pp_netdev_close(dev);
}

static void pair(void **state)
{
	struct pp_netdev *b = open_port(*state, "loop:b,peer=a", 1);
	struct pp_netdev *a = open_port(*state, "loop:a,peer=b", 2);
	struct pp_page *sent[2], *pages[2];
	struct pp_netdev_stats st;

	make_packets(*state, sent, 2, 70, 40);
	sent[0]->tstamp = 99;
	memcpy(pages, sent, sizeof(sent));
	assert_int_equal(pp_tx_burst(pp_netdev_queue(a, 0), pages, 2), 2);
	send_packets(*state, b, 5, 20);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(b, 0), pages, 2), 2);
	/* the very pages: nothing was copied */
	assert_ptr_equal(pages[0], sent[0]);
	assert_ptr_equal(pages[1], sent[1]);
	assert_int_equal(pages[0]->port, 1);
	assert_true(pages[0]->tstamp == PP_TSTAMP_NONE);
	assert_int_equal(pages[0]->len, 70);
	page_pool_put_bulk(pages, 2);
	expect_packets(a, 5, 20);
	st = port_stats(a);
	assert_int_equal(st.tx_packets, 2);
	assert_int_equal(st.tx_bytes, 140);
	assert_int_equal(st.rx_packets, 5);
	assert_int_equal(st.rx_bytes, 300);
	pp_netdev_close(a);
	pp_netdev_close(b);
}

/* a queue's descriptor, without or with a wait */
static int readable(struct pp_queue *q, int timeout_ms)
{
	struct pollfd p = { .fd = pp_queue_fd(q), .events = POLLIN };

	assert_true(p.fd >= 0);
	return poll(&p, 1, timeout_ms);
}

/* readable exactly while an armed queue has packets */
static void descriptor(void **state)
{
	struct pp_netdev *a = open_port(*state, "loop:a,peer=b", 0);
	struct pp_netdev *b = open_port(*state, "loop:b,peer=a", 0);
	struct pp_queue *q = pp_netdev_queue(b, 0);
	unsigned int round;
	int fd = pp_queue_fd(q);

	for (round = 0; round < 3; round++) {
		assert_int_equal(readable(q, 0), 0);
		assert_int_equal(pp_queue_arm(q), 0);
		assert_int_equal(readable(q, 0), 0);
		send_packets(*state, a, 3, 5);
		assert_int_equal(readable(q, 0), 1);
		/* one wake for all that follows, until it is armed again */
		send_packets(*state, a, 2, 8);
		assert_int_equal(pp_queue_arm(q), 1);
		expect_packets(b, 5, 5);
		assert_int_equal(pp_queue_arm(q), 0);
		assert_int_equal(pp_queue_arm(q), 0);
		assert_int_equal(pp_queue_fd(q), fd);
		send_packets(*state, a, 1, 0);
		expect_packets(b, 1, 0);
		assert_int_equal(pp_queue_arm(q), 0);
	}
	/* the other direction sleeps for itself */
	assert_int_equal(readable(pp_netdev_queue(a, 0), 0), 0);
	pp_netdev_stop(b);
	assert_int_equal(pp_queue_fd(q), -ENOTSUP);
	assert_non_null(strstr(pp_error(), "loop"));
	assert_int_equal(pp_queue_arm(q), 0);
	pp_netdev_close(b);
	send_packets(*state, a, 1, 0);
	pp_netdev_close(a);
}

#define WAKES 20000u

static void *send_now_and_then(void *arg)
{
	struct pp_queue *q = arg;
	struct pp_page *page;
	unsigned int i, k, seed = 1;

	pp_queue_own(q);
	for (i = 0; i < WAKES;) {
		page = page_pool_alloc_pages(q->pool);
		if (!page)
			continue;
		page->len = 60;
		while (!pp_tx_burst(q, &page, 1))
			;
		i++;
		seed = seed * 1103515245 + 12345;
		for (k = (seed >> 16) % 400; k; k--)
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* the receiver sleeps for each packet: one that wakes nobody would stay for ever */
static void no_wake_is_lost(void **state)
{
	struct pp_netdev *a = open_port(*state, "loop:a,peer=b,size=64", 0);
	struct pp_netdev *b = open_port(*state, "loop:b,peer=a,size=64", 0);
	struct pp_queue *q = pp_netdev_queue(b, 0);
	struct pp_page *pages[8];
	unsigned int got = 0, n;
	pthread_t sender;

	assert_true(pp_queue_fd(q) >= 0);
	assert_int_equal(pthread_create(&sender, NULL, send_now_and_then, pp_netdev_queue(a, 0)),
			 0);
	while (got < WAKES) {
		n = pp_rx_burst(q, pages, 8);
		page_pool_put_bulk(pages, n);
		got += n;
		if (!n && !pp_queue_arm(q))
			assert_int_equal(readable(q, 20000), 1);
	}
	pthread_join(sender, NULL);
	pp_netdev_close(a);
	pp_netdev_close(b);
}

/* a full wire takes what fits, and the rest stays the caller's */
static void partial(void **state)
{
	struct pp_netdev *dev = open_port(*state, "loop:a,size=8", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[20], *got[20];
	unsigned int round;

	for (round = 0; round < 5; round++) {
		make_packets(*state, pages, 20, 60, 0);
		assert_int_equal(pp_tx_burst(q, pages, 5), 5);
		assert_int_equal(pp_tx_burst(q, pages + 5, 15), 3);
		assert_int_equal(pp_tx_burst(q, pages + 8, 12), 0);
		assert_int_equal(packet_number(pages[8]), 8);
		assert_int_equal(pp_rx_burst(q, got, 3), 3);
		assert_int_equal(pp_tx_burst(q, pages + 8, 12), 3);
		page_pool_put_bulk(got, 3);
		expect_packets(dev, 8, 3);
		page_pool_put_bulk(pages + 11, 9);
	}
	assert_int_equal(port_stats(dev).tx_packets, 55);
	assert_int_equal(port_stats(dev).tx_dropped, 0);
	assert_int_equal(port_stats(dev).rx_packets, 55);
	pp_netdev_close(dev);
}

/* the far end is not there yet, comes, goes, and comes again */
static void unplugged(void **state)
{
	struct pp_netdev *a = open_port(*state, "loop:a,peer=b", 0), *b;
	unsigned int round;

	for (round = 0; round < 3; round++) {
		send_packets(*state, a, 10, 0);
		assert_int_equal(port_stats(a).tx_dropped, 10 * (round + 1));
		b = open_port(*state, "loop:b,peer=a", 1);
		expect_packets(b, 0, 0);
		send_packets(*state, a, 10, 30);
		send_packets(*state, b, 10, 40);
		expect_packets(b, 10, 30);
		pp_netdev_close(b);
		/* what was sent before the end went is still on the wire */
		expect_packets(a, 10, 40);
	}
	assert_int_equal(port_stats(a).tx_packets, 30);
	pp_netdev_close(a);
}

/* ends in two zones: the receiver gets pages of its own */
static void foreign(void **state)
{
	struct pp_zone *small = make_zone(16, 2048), *large = *state;
	struct pp_netdev *a = open_port(large, "loop:a,peer=b", 0);
	struct pp_netdev *b = open_port(small, "loop:b,peer=a", 1);
	struct pp_page *pages[20];
	struct pp_netdev_stats st;
	unsigned int i;

	make_packets(large, pages, 20, 300, 0);
	pages[3]->len = 0;
	assert_int_equal(pp_tx_burst(pp_netdev_queue(a, 0), pages, 20), 20);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(b, 0), pages, 20), 16);
	for (i = 0; i < 16; i++) {
		assert_ptr_equal(pages[i]->zone, small);
		assert_int_equal(pages[i]->port, 1);
		assert_int_equal(pages[i]->len, i == 3 ? 0 : 300);
		if (i != 3)
			assert_int_equal(packet_number(pages[i]), i);
	}
	page_pool_put_bulk(pages, 16);
	st = port_stats(b);
	assert_int_equal(st.rx_packets, 16);
	assert_int_equal(st.rx_bytes, 15 * 300);
	assert_int_equal(st.rx_dropped, 4);
	assert_int_equal(st.rx_nombuf, 4);
	pp_netdev_close(a);
	pp_netdev_close(b);
	destroy_zone(small);
}

static void foreign_too_long(void **state)
{
	struct pp_zone *large = make_zone(64, 4096);
	struct pp_netdev *a = open_port(large, "loop:a,peer=b", 0);
	struct pp_netdev *b = open_port(*state, "loop:b,peer=a", 1);
	struct pp_page *pages[3];

	make_packets(large, pages, 3, 1920, 0);
	pages[1]->len = 1921;
	assert_int_equal(pp_tx_burst(pp_netdev_queue(a, 0), pages, 3), 3);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(b, 0), pages, 3), 2);
	assert_int_equal(packet_number(pages[1]), 2);
	page_pool_put_bulk(pages, 2);
	assert_int_equal(port_stats(b).rx_dropped, 1);
	assert_int_equal(port_stats(b).rx_nombuf, 0);
	pp_netdev_close(b);
	pp_netdev_close(a);
	destroy_zone(large);
}

/* ---- two threads ----------------------------------------------------------------------------- */

#define STREAM 200000u

struct stream {
	struct pp_netdev *dev;
	bool failed;
	bool stop; /* atomic */
};

static void *stream_sender(void *arg)
{
	struct stream *s = arg;
	struct pp_queue *q = pp_netdev_queue(s->dev, 0);
	struct pp_page *pages[32];
	unsigned int n, i, k;
	uint32_t next = 0;

	pp_queue_own(q);
	while (next < STREAM) {
		n = 1 + next % 32;
		n = page_pool_alloc_bulk(q->pool, pages, n < STREAM - next ? n : STREAM - next);
		for (i = 0; i < n; i++, next++) {
			pages[i]->len = 60;
			memcpy(pp_page_data(pages[i]), &next, sizeof(next));
		}
		for (k = 0; k < n;) {
			i = pp_tx_burst(q, pages + k, n - k);
			k += i;
			if (!i)
				sched_yield();
		}
	}
	return NULL;
}

static void *stream_receiver(void *arg)
{
	struct stream *s = arg;
	struct pp_queue *q = pp_netdev_queue(s->dev, 0);
	struct pp_page *pages[64];
	uint32_t next = 0;
	unsigned int n, i;

	pp_queue_own(q);
	while (next < STREAM && !s->failed) {
		n = pp_rx_burst(q, pages, 1 + next % 64);
		if (!n)
			sched_yield();
		for (i = 0; i < n; i++)
			s->failed |= packet_number(pages[i]) != next++;
		page_pool_put_bulk(pages, n);
	}
	return NULL;
}

/* each packet arrives once, in order, while a third thread reads the counters */
static void threads(void **state)
{
	struct stream tx = { .dev = open_port(*state, "loop:a,peer=b,size=256", 0) };
	struct stream rx = { .dev = open_port(*state, "loop:b,peer=a", 1) };
	pthread_t sender, receiver;
	uint64_t seen = 0, now;

	assert_int_equal(pthread_create(&receiver, NULL, stream_receiver, &rx), 0);
	assert_int_equal(pthread_create(&sender, NULL, stream_sender, &tx), 0);
	do {
		now = port_stats(tx.dev).tx_packets;
		assert_true(now >= seen);
		seen = now;
		sched_yield();
	} while (seen < STREAM);
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	assert_false(rx.failed);
	assert_int_equal(port_stats(rx.dev).rx_packets, STREAM);
	assert_int_equal(port_stats(rx.dev).rx_bytes, port_stats(tx.dev).tx_bytes);
	pp_netdev_close(tx.dev);
	pp_netdev_close(rx.dev);
}

static void *steady_sender(void *arg)
{
	struct stream *s = arg;
	struct pp_queue *q = pp_netdev_queue(s->dev, 0);
	struct pp_page *pages[32];
	unsigned int n, k;

	pp_queue_own(q);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		n = page_pool_alloc_bulk(q->pool, pages, 32);
		k = pp_tx_burst(q, pages, n);
		if (k < n)
			page_pool_put_bulk(pages + k, n - k);
		if (!k)
			sched_yield();
	}
	return NULL;
}

/* one end comes and goes, with packets on the wire, while the other one sends */
static void replug(void **state)
{
	struct stream tx = { .dev = open_port(*state, "loop:a,peer=b,size=64", 0) };
	struct pp_page *pages[16];
	uint64_t received = 0;
	struct pp_netdev *b;
	pthread_t sender;
	unsigned int i, n, tries;

	assert_int_equal(pthread_create(&sender, NULL, steady_sender, &tx), 0);
	for (i = 0; i < 300; i++) {
		b = open_port(*state, "loop:b,peer=a", 1);
		for (tries = 0; tries < 1000; tries++) {
			n = pp_rx_burst(pp_netdev_queue(b, 0), pages, 16);
			page_pool_put_bulk(pages, n);
			received += n;
			if (n)
				break;
			sched_yield();
		}
		pp_netdev_close(b);
	}
	__atomic_store_n(&tx.stop, true, __ATOMIC_RELAXED);
	pthread_join(sender, NULL);
	assert_true(received > 0);
	assert_true(port_stats(tx.dev).tx_packets >= received);
	pp_netdev_close(tx.dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ledger, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(refused_open, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(itself, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(pair, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(descriptor, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(no_wake_is_lost, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(partial, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(unplugged, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(foreign, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(foreign_too_long, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(threads, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(replug, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
