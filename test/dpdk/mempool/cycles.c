/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cycles.c - cycles a packet of testpmd's forwarding loops over net_null: cycles EAL -- OPS CACHE
 *
 * Each figure is the least of many windows of 30 bursts, which other work on the machine does not
 * reach. testpmd's own rates are means over what the scheduler left of a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "require.h"

#define BURST	32
#define ROUNDS	30
#define WINDOWS 4000

static struct rte_mempool *mp;
static const char header[42];

static void make(struct rte_mbuf *m)
{
	rte_pktmbuf_reset(m);
	m->data_len = 64;
	m->pkt_len = 64;
	memcpy(rte_pktmbuf_mtod(m, char *), header, sizeof(header));
}

static void io(struct rte_mbuf **m)
{
	require(rte_eth_tx_burst(1, 0, m, rte_eth_rx_burst(0, 0, m, BURST)) == BURST);
}

static void mac(struct rte_mbuf **m)
{
	unsigned int n = rte_eth_rx_burst(0, 0, m, BURST), i;

	for (i = 0; i < n; i++)
		memset(rte_pktmbuf_mtod(m[i], char *), 2, 2 * RTE_ETHER_ADDR_LEN);
	require(rte_eth_tx_burst(1, 0, m, BURST) == BURST);
}

static void rxonly(struct rte_mbuf **m)
{
	unsigned int n = rte_eth_rx_burst(0, 0, m, BURST), i;

	for (i = 0; i < n; i++)
		rte_pktmbuf_free(m[i]);
}

static void txonly(struct rte_mbuf **m)
{
	unsigned int i;

	require(!rte_mempool_get_bulk(mp, (void **)m, BURST));
	for (i = 0; i < BURST; i++)
		make(m[i]);
	require(rte_eth_tx_burst(1, 0, m, BURST) == BURST);
}

static void flowgen(struct rte_mbuf **m)
{
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		m[i] = rte_mbuf_raw_alloc(mp);
		require(m[i]);
		make(m[i]);
	}
	require(rte_eth_tx_burst(1, 0, m, BURST) == BURST);
}

static __rte_always_inline double least(void (*loop)(struct rte_mbuf **m))
{
	struct rte_mbuf *m[BURST];
	uint64_t best = UINT64_MAX, start;
	unsigned int i, k;

	for (i = 0; i < WINDOWS; i++) {
		start = rte_rdtsc_precise();
		for (k = 0; k < ROUNDS; k++)
			loop(m);
		best = RTE_MIN(best, rte_rdtsc_precise() - start);
	}
	return (double)best / (ROUNDS * BURST);
}

static void open_ports(void)
{
	const struct rte_eth_conf none = { 0 };
	uint16_t i;

	for (i = 0; i < 2; i++) {
		require(!rte_eth_dev_configure(i, 1, 1, &none));
		require(!rte_eth_rx_queue_setup(i, 0, 512, SOCKET_ID_ANY, NULL, mp));
		require(!rte_eth_tx_queue_setup(i, 0, 512, SOCKET_ID_ANY, NULL));
		require(!rte_eth_dev_start(i));
	}
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv);

	require(used >= 0 && used + 2 < argc);
	mp = rte_pktmbuf_pool_create_by_ops("cycles", 8192, (unsigned int)atoi(argv[used + 2]), 0,
					    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY,
					    argv[used + 1]);
	require(mp);
	open_ports();
	printf("io %.1f mac %.1f rxonly %.1f txonly %.1f flowgen %.1f\n", least(io), least(mac),
	       least(rxonly), least(txonly), least(flowgen));
	rte_eal_cleanup();
	return 0;
}
