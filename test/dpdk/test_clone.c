/* SPDX-License-Identifier: BSD-3-Clause */
/* test_clone.c - callbacks of the program on the device's queues: clones, drops, another order */
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "../drivers/port.h"

#define N 16u

/**
 * struct calls - what the callbacks did
 * @clones: clones that the program keeps
 * @n:      number of @clones
 */
struct calls {
	struct rte_mbuf *clones[2 * N];
	unsigned int n;
};

static struct pp_queue *open_ring(struct pp_zone *zone, struct pp_netdev **dev,
				  struct rte_ring **ring, uint16_t *id)
{
	*dev = open_port(zone, "dpdk:net_ring0", 0);
	*ring = rte_ring_lookup("ETH_RXTX0_net_ring0");
	assert_non_null(*ring);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_ring0", id), 0);
	return pp_netdev_queue(*dev, 0);
}

static struct rte_mbuf *clone_of(struct rte_mbuf *m)
{
	struct rte_mbuf *clone = rte_pktmbuf_clone(m, m->pool);

	assert_non_null(clone);
	return clone;
}

/* of each four packets: one kept, one cloned and freed at once, one untouched, one kept twice */
static void clone_some(struct rte_mbuf **pkts, unsigned int n, struct calls *calls)
{
	struct rte_mbuf *clone;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (i % 4 == 2)
			continue;
		clone = clone_of(pkts[i]);
		if (i % 4 == 1) {
			rte_pktmbuf_free(clone);
			continue;
		}
		calls->clones[calls->n++] = clone;
		if (i % 4 == 3)
			calls->clones[calls->n++] = clone_of(clone);
	}
}

static uint16_t on_rx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
		      uint16_t max, void *arg)
{
	clone_some(pkts, n, arg);
	return n;
}

static uint16_t on_tx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n, void *arg)
{
	clone_some(pkts, n, arg);
	return n;
}

/* the packets of @calls are the numbers 0, 3, 3, 4, 7, 7, ..., and are freed */
static void assert_clones(struct calls *calls)
{
	static const unsigned int offset[] = { 0, 3, 3 };
	uint32_t i, number;

	assert_int_equal(calls->n, N / 4 * 3);
	for (i = 0; i < calls->n; i++) {
		memcpy(&number, rte_pktmbuf_mtod(calls->clones[i], void *), sizeof(number));
		assert_int_equal(number, i / 3 * 4 + offset[i % 3]);
		assert_int_equal(calls->clones[i]->pkt_len, 60);
	}
	rte_pktmbuf_free_bulk(calls->clones, calls->n);
	calls->n = 0;
}

/* an engine may write into what it received, and the clones keep the packet as it came */
static void cloned_on_rx(void **state)
{
	struct calls calls = { .n = 0 };
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	uint16_t id;
	struct pp_queue *q = open_ring(*state, &dev, &ring, &id);
	const struct rte_eth_rxtx_callback *cb;
	unsigned int i, turn;

	for (turn = 0; turn < 3; turn++) {
		make_packets(*state, pages, N, 60, 0);
		assert_int_equal(pp_tx_burst(q, pages, N), N);
		cb = rte_eth_add_rx_callback(id, 0, on_rx, &calls);
		assert_non_null(cb);
		assert_int_equal(pp_rx_burst(q, pages, N), N);
		assert_int_equal(rte_eth_remove_rx_callback(id, 0, cb), 0);
		assert_int_equal(port_stats(dev).copied, (turn + 1) * N / 2);
		for (i = 0; i < N; i++) {
			assert_int_equal(packet_number(pages[i]), i);
			assert_int_equal(pages[i]->refs, 1);
			assert_int_equal(pages[i]->pp_refs, 1);
			memset(pp_page_data(pages[i]), 0x11, 60);
		}
		if (turn)
			assert_clones(&calls);
		page_pool_put_bulk(pages, N);
		if (!turn)
			assert_clones(&calls);
	}
	pp_netdev_close(dev);
}

/* the device sends pages that have clones in place; these may be freed before its mbufs or after */
static void cloned_on_tx(void **state)
{
	struct calls calls = { .n = 0 };
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	uint16_t id;
	struct pp_queue *q = open_ring(*state, &dev, &ring, &id);
	const struct rte_eth_rxtx_callback *cb;
	unsigned int i, turn;

	for (turn = 0; turn < 3; turn++) {
		make_packets(*state, pages, N, 60, 0);
		cb = rte_eth_add_tx_callback(id, 0, on_tx, &calls);
		assert_non_null(cb);
		assert_int_equal(pp_tx_burst(q, pages, N), N);
		assert_int_equal(rte_eth_remove_tx_callback(id, 0, cb), 0);
		assert_int_equal(rte_ring_dequeue_bulk(ring, (void **)mbufs, N, NULL), N);
		for (i = 0; i < N; i++) {
			assert_int_equal(mbufs[i]->ol_flags, 0);
			assert_int_equal(rte_mbuf_refcnt_read(mbufs[i]), 1);
		}
		if (turn)
			assert_clones(&calls);
		rte_pktmbuf_free_bulk(mbufs, N);
		if (!turn)
			assert_clones(&calls);
	}
	assert_int_equal(port_stats(dev).copied, 0);
	pp_netdev_close(dev);
}

static uint16_t drop_odd(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
			 uint16_t max, void *arg)
{
	uint16_t i, k = 0;

	for (i = 0; i < n; i++) {
		if (i % 2)
			rte_pktmbuf_free(pkts[i]);
		else
			pkts[k++] = pkts[i];
	}
	return k;
}

/* a callback is a filter, as of rte_bpf: each page that it frees comes home once */
static void dropped_on_rx(void **state)
{
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	uint16_t id;
	struct pp_queue *q = open_ring(*state, &dev, &ring, &id);
	const struct rte_eth_rxtx_callback *cb;
	unsigned int i;

	make_packets(*state, pages, N, 60, 0);
	assert_int_equal(pp_tx_burst(q, pages, N), N);
	cb = rte_eth_add_rx_callback(id, 0, drop_odd, NULL);
	assert_non_null(cb);
	assert_int_equal(pp_rx_burst(q, pages, N), N / 2);
	assert_int_equal(rte_eth_remove_rx_callback(id, 0, cb), 0);
	assert_int_equal(port_stats(dev).rx_packets, N / 2);
	for (i = 0; i < N / 2; i++)
		assert_int_equal(packet_number(pages[i]), 2 * i);
	page_pool_put_bulk(pages, N / 2);
	pp_netdev_close(dev);
}

static uint16_t turn_round(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
			   void *arg)
{
	struct rte_mbuf *m;
	uint16_t i;

	for (i = 0; i < n / 2; i++) {
		m = pkts[i];
		pkts[i] = pkts[n - 1 - i];
		pkts[n - 1 - i] = m;
	}
	return n;
}

/* what a device left of a burst in another order is what the caller has, and nothing else */
static void left_in_another_order(void **state)
{
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	void *dummy;
	uint16_t id;
	struct pp_queue *q = open_ring(*state, &dev, &ring, &id);
	const struct rte_eth_rxtx_callback *cb;
	unsigned int i, dummies = rte_ring_free_count(ring) - N / 2;

	for (i = 0; i < dummies; i++)
		assert_int_equal(rte_ring_enqueue(ring, &dummy), 0);
	cb = rte_eth_add_tx_callback(id, 0, turn_round, NULL);
	assert_non_null(cb);
	make_packets(*state, pages, N, 60, 0);
	assert_int_equal(pp_tx_burst(q, pages, N), N / 2);
	assert_int_equal(rte_eth_remove_tx_callback(id, 0, cb), 0);
	for (i = 0; i < dummies; i++)
		assert_int_equal(rte_ring_dequeue(ring, &dummy), 0);
	assert_int_equal(rte_ring_dequeue_bulk(ring, (void **)mbufs, N / 2, NULL), N / 2);
	for (i = 0; i < N / 2; i++)
		assert_int_equal(packet_number(pages[N / 2 + i]), N / 2 - 1 - i);
	page_pool_put_bulk(pages + N / 2, N / 2);
	rte_pktmbuf_free_bulk(mbufs, N / 2);
	pp_netdev_close(dev);
}

/* a filter of rte_bpf: odd packets go behind the others, and are not sent */
static uint16_t filter_odd(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
			   void *arg)
{
	struct rte_mbuf *odd[N];
	uint16_t i, k = 0, left = 0;

	for (i = 0; i < n; i++) {
		if (i % 2)
			odd[left++] = pkts[i];
		else
			pkts[k++] = pkts[i];
	}
	memcpy(pkts + k, odd, left * sizeof(*odd));
	return k;
}

/* packets that a filter holds back are the caller's, with no other user */
static void filtered_on_tx(void **state)
{
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	uint16_t id;
	struct pp_queue *q = open_ring(*state, &dev, &ring, &id);
	const struct rte_eth_rxtx_callback *cb;
	unsigned int i;

	cb = rte_eth_add_tx_callback(id, 0, filter_odd, NULL);
	assert_non_null(cb);
	make_packets(*state, pages, N, 60, 0);
	assert_int_equal(pp_tx_burst(q, pages, N), N / 2);
	assert_int_equal(rte_eth_remove_tx_callback(id, 0, cb), 0);
	assert_int_equal(port_stats(dev).tx_packets, N / 2);
	for (i = N / 2; i < N; i++) {
		assert_int_equal(packet_number(pages[i]), 2 * (i - N / 2) + 1);
		assert_int_equal(pages[i]->refs, 1);
		assert_int_equal(pages[i]->pp_refs, 1);
	}
	page_pool_put_bulk(pages + N / 2, N / 2);
	assert_int_equal(rte_ring_dequeue_bulk(ring, (void **)mbufs, N / 2, NULL), N / 2);
	rte_pktmbuf_free_bulk(mbufs, N / 2);
	pp_netdev_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cloned_on_rx, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(cloned_on_tx, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(dropped_on_rx, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(left_in_another_order, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(filtered_on_tx, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
