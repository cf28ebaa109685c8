/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_fields.c - fields of mbufs that a device, or another user of the mbuf, leaves changed
 *
 * The test is the device: it takes sent mbufs out of the ring of a net_ring port, writes into them
 * what DPDK's rules allow, and frees them, or puts them back into the ring to be received.
 */
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "../drivers/port.h"

#define N 16u

static struct pp_queue *open_ring(struct pp_zone *zone, struct pp_netdev **dev,
				  struct rte_ring **ring)
{
	*dev = open_port(zone, "dpdk:net_ring0", 0);
	*ring = rte_ring_lookup("ETH_RXTX0_net_ring0");
	assert_non_null(*ring);
	return pp_netdev_queue(*dev, 0);
}

/* an mbuf as a device may get it, with that page's packet */
static void assert_sent(const struct rte_mbuf *m, const struct pp_page *page)
{
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(m->nb_segs, 1);
	assert_null(m->next);
	assert_int_equal(m->ol_flags, 0);
	assert_int_equal(m->packet_type, 0);
	assert_int_equal(m->pkt_len, page->len);
	assert_int_equal(m->data_len, page->len);
	assert_ptr_equal(rte_pktmbuf_mtod(m, void *), pp_page_data(page));
	assert_int_equal(rte_pktmbuf_iova(m), (uintptr_t)pp_page_data(page));
	assert_true((unsigned char *)m->buf_addr >= page->addr);
	assert_ptr_equal((unsigned char *)m->buf_addr + m->buf_len,
			 page->addr + RTE_MIN(pp_page_size(page), UINT16_MAX));
}

/* sends @pages and takes their mbufs, before a device could */
static void send_all(struct pp_queue *q, struct rte_ring *ring, struct pp_page **pages,
		     struct rte_mbuf **mbufs)
{
	struct pp_page *sent[N];
	unsigned int i;

	memcpy(sent, pages, sizeof(sent)); /* a caller's array is the port's */
	assert_int_equal(pp_tx_burst(q, sent, N), N);
	assert_int_equal(rte_ring_dequeue_bulk(ring, (void **)mbufs, N, NULL), N);
	for (i = 0; i < N; i++)
		assert_sent(mbufs[i], pages[i]);
}

/* all that is no promise about a free mbuf, and the lengths of one that is received */
static void scribble(struct rte_mbuf *m)
{
	m->data_off = 7;
	m->port = 5;
	m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_TX_TCP_SEG |
		      RTE_MBUF_F_TX_IP_CKSUM;
	m->packet_type = RTE_PTYPE_L4_TCP;
	m->pkt_len = 70000;
	m->data_len = 3000;
	m->vlan_tci = 9;
	m->vlan_tci_outer = 10;
	m->hash.rss = 0x12345678;
	m->tx_offload = UINT64_MAX;
	m->timesync = 3;
	memset(m->dynfield1, 0xa5, sizeof(m->dynfield1));
}

/* the mempool gives what rte_mbuf_raw_alloc() promises */
static void assert_raw(struct rte_mempool *mp, const struct pp_zone *zone)
{
	uintptr_t base = (uintptr_t)pp_zone_base(zone), at;
	struct rte_mbuf *m[N];
	unsigned int i;

	assert_int_equal(rte_mempool_get_bulk(mp, (void **)m, N), 0);
	for (i = 0; i < N; i++) {
		at = ((uintptr_t)m[i]->buf_addr - base) % pp_zone_page_size(zone);
		assert_in_range((uintptr_t)m[i]->buf_addr, base,
				base + pp_zone_pages(zone) * pp_zone_page_size(zone) - 1);
		assert_int_equal(at % 128, 0);
		assert_int_equal(m[i]->buf_len, RTE_MIN(pp_zone_page_size(zone), UINT16_MAX) - at);
		assert_int_equal(m[i]->buf_iova, (uintptr_t)m[i]->buf_addr);
		assert_int_equal(rte_mbuf_refcnt_read(m[i]), 1);
		assert_int_equal(m[i]->nb_segs, 1);
		assert_null(m[i]->next);
		assert_ptr_equal(m[i]->pool, mp);
		assert_int_equal(m[i]->priv_size, 0);
	}
	rte_mempool_put_bulk(mp, (void **)m, N);
}

/* an external buffer takes the place of the mbuf's own until the mbuf is free */
static unsigned char far_away[256];

static void far_freed(void *addr, void *arg)
{
	(*(unsigned int *)arg)++;
}

static void attach(struct rte_mbuf *m, struct rte_mbuf_ext_shared_info *info, unsigned int *frees)
{
	*info = (struct rte_mbuf_ext_shared_info){ .free_cb = far_freed, .fcb_opaque = frees };
	rte_mbuf_ext_refcnt_set(info, 1);
	rte_pktmbuf_attach_extbuf(m, far_away, (rte_iova_t)(uintptr_t)far_away, sizeof(far_away),
				  info);
}

enum how {
	FREED,
	FREED_TWICE,
	CHAINED,
	ATTACHED,
	HOWS
};

/* frees @mbufs as a device may that has used them so */
static void end(struct rte_mbuf **m, enum how how)
{
	struct rte_mbuf_ext_shared_info info[N];
	unsigned int i, frees = 0;

	for (i = 0; i < N; i++)
		scribble(m[i]);
	for (i = 0; i < N; i += 2) {
		m[i]->ol_flags = m[i + 1]->ol_flags = 0;
		if (how == FREED_TWICE)
			rte_mbuf_refcnt_update(m[i], 1);
		if (how == ATTACHED)
			attach(m[i], &info[i], &frees);
		if (how == CHAINED) {
			m[i]->next = m[i + 1];
			m[i]->nb_segs = 2;
		} else {
			rte_pktmbuf_free(m[i + 1]);
		}
		if (how == FREED_TWICE)
			rte_pktmbuf_free(m[i]);
		rte_pktmbuf_free(m[i]);
	}
	assert_int_equal(frees, how == ATTACHED ? N / 2 : 0);
}

/* whatever a device did with mbufs, the next device gets them in order, sent or allocated */
static void freed(void **state)
{
	static const uint32_t sizes[] = { 2048, 4096, 65536 };
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	struct pp_zone *zone;
	struct pp_queue *q;
	unsigned int i;

	for (i = 0; i < 3 * HOWS; i++) {
		zone = make_zone(N, sizes[i / HOWS]);
		q = open_ring(zone, &dev, &ring);
		make_packets(zone, pages, N, 60, 0);
		send_all(q, ring, pages, mbufs);
		end(mbufs, i % HOWS);
		make_packets(zone, pages, N, 70, 0);
		send_all(q, ring, pages, mbufs);
		end(mbufs, i % HOWS);
		assert_raw(mbufs[0]->pool, zone);
		pp_netdev_close(dev);
		destroy_zone(zone);
	}
}

/* a device moves the beginning, and leaves flags that are no business of the next one */
static void received(void **state)
{
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	struct pp_queue *q = open_ring(*state, &dev, &ring);
	unsigned int i;

	make_packets(*state, pages, N, 60, 0);
	send_all(q, ring, pages, mbufs);
	for (i = 0; i < N; i++) {
		scribble(mbufs[i]);
		mbufs[i]->data_off = (uint16_t)(100 + i);
		mbufs[i]->pkt_len = mbufs[i]->data_len = (uint16_t)(80 + i);
	}
	assert_int_equal(rte_ring_enqueue_bulk(ring, (void **)mbufs, N, NULL), N);
	assert_int_equal(pp_rx_burst(q, pages, N), N);
	for (i = 0; i < N; i++) {
		assert_int_equal(pages[i]->len, 80 + i);
		assert_ptr_equal(pp_page_data(pages[i]), rte_pktmbuf_mtod(mbufs[i], void *));
	}
	send_all(q, ring, pages, mbufs);
	rte_pktmbuf_free_bulk(mbufs, N);
	pp_netdev_close(dev);
}

/* an mbuf that names bytes outside of its page is never a page: its packet is copied or dropped */
static void outside(void **state)
{
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	struct pp_queue *q = open_ring(*state, &dev, &ring);
	struct rte_mbuf_ext_shared_info info[N];
	unsigned int i, frees = 0;
	uint32_t number = 99;

	memcpy(far_away + 100, &number, sizeof(number));
	make_packets(*state, pages, N, 60, 0);
	send_all(q, ring, pages, mbufs);
	for (i = 0; i < N; i += 2) {
		attach(mbufs[i], &info[i], &frees);
		mbufs[i]->data_off = 100;
		mbufs[i]->pkt_len = mbufs[i]->data_len = 60;
	}
	assert_int_equal(rte_ring_enqueue_bulk(ring, (void **)mbufs, N, NULL), N);
	assert_int_equal(pp_rx_burst(q, pages, N), N);
	assert_int_equal(port_stats(dev).copied, N / 2);
	assert_int_equal(frees, N / 2);
	for (i = 0; i < N; i++)
		assert_int_equal(packet_number(pages[i]), i % 2 ? i : number);
	send_all(q, ring, pages, mbufs);
	rte_pktmbuf_free_bulk(mbufs, N);
	pp_netdev_close(dev);
}

/* sorts mbufs by the numbers of their pages, all those below N, and numbers the packets so */
static void by_number(struct pp_zone *zone, struct rte_mbuf **m)
{
	struct rte_mbuf *sorted[N] = { NULL };
	uint32_t i, number;

	for (i = 0; i < N; i++) {
		number = (uint32_t)(((uintptr_t)m[i]->buf_addr - (uintptr_t)pp_zone_base(zone)) /
				    pp_zone_page_size(zone));
		assert_in_range(number, 0, N - 1);
		sorted[number] = m[i];
		memcpy(rte_pktmbuf_mtod(m[i], void *), &number, sizeof(number));
	}
	memcpy(m, sorted, sizeof(sorted));
}

/* no page, but copied: shared, in two segments, begins before its page, ends behind its room */
static void not_whole(void **state)
{
	struct pp_zone *zone = make_zone(N + 4, 65536);
	struct pp_page *pages[N], *got[4];
	struct rte_mbuf *m[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	struct pp_queue *q = open_ring(zone, &dev, &ring);
	unsigned int i;

	make_packets(zone, pages, N, 60, 0);
	send_all(q, ring, pages, m);
	by_number(zone, m);
	rte_mbuf_refcnt_update(m[4], 1);
	m[5]->next = m[6];
	m[5]->nb_segs = 2;
	m[5]->pkt_len = 120;
	m[10]->buf_addr = (char *)pp_zone_base(zone) + 10 * 65536 - 32;
	m[10]->data_off = 0;
	m[8]->data_off = (uint16_t)(m[8]->buf_len + 1 - 60);
	assert_int_equal(rte_ring_enqueue(ring, m[4]), 0);
	assert_int_equal(rte_ring_enqueue(ring, m[5]), 0);
	assert_int_equal(rte_ring_enqueue(ring, m[10]), 0);
	assert_int_equal(rte_ring_enqueue(ring, m[8]), 0);
	assert_int_equal(pp_rx_burst(q, got, 4), 4);
	assert_int_equal(port_stats(dev).copied, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(got[i]->len, i == 1 ? 120 : 60);
	assert_int_equal(packet_number(got[0]), 4);
	assert_int_equal(packet_number(got[1]), 5);
	assert_memory_equal((char *)pp_page_data(got[1]) + 60, &(uint32_t){ 6 }, 4);
	page_pool_put_bulk(got, 4);
	rte_pktmbuf_free(m[4]);
	for (i = 0; i < N; i++)
		if (i < 4 || i == 7 || i == 9 || i > 10)
			rte_pktmbuf_free(m[i]);
	assert_raw(m[0]->pool, zone);
	pp_netdev_close(dev);
	destroy_zone(zone);
}

/* what pushes headers down to the page's first byte is sent in place, and received as ever then */
static void pushed(void **state)
{
	struct pp_zone *zone = make_zone(N, 4096);
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct pp_netdev *dev;
	struct rte_ring *ring;
	struct pp_queue *q = open_ring(zone, &dev, &ring);
	unsigned int i, turn;

	for (turn = 0; turn < 2; turn++) {
		make_packets(zone, pages, N, 60, 0);
		for (i = 0; i < N; i++)
			pages[i]->data_off = (uint16_t)(turn ? 1000 : i);
		send_all(q, ring, pages, mbufs);
		rte_pktmbuf_free_bulk(mbufs, N);
	}
	assert_raw(mbufs[0]->pool, zone);
	assert_int_equal(rte_pktmbuf_alloc_bulk(mbufs[0]->pool, mbufs, N), 0);
	for (i = 0; i < N; i++)
		assert_int_equal(((uintptr_t)mbufs[i]->buf_addr & 4095) / 128,
				 ((uintptr_t)mbufs[i]->buf_addr >> 12) % 4);
	rte_pktmbuf_free_bulk(mbufs, N);
	assert_int_equal(port_stats(dev).copied, 0);
	pp_netdev_close(dev);
	destroy_zone(zone);
}

static void find_other(struct rte_mempool *mp, void *arg)
{
	struct rte_mempool **found = arg;

	if (mp != found[0] && !strncmp(mp->name, "pagepool_port", 13))
		found[1] = mp;
}

/* mbufs name the mempool of the port that has them, not of the last one, which may be closed */
static void two_ports(void **state)
{
	struct pp_netdev *other = open_port(*state, "dpdk:net_null0", 1), *dev;
	struct rte_mempool *mp[2] = { NULL, NULL };
	struct rte_mbuf *mbufs[N];
	struct pp_page *pages[N];
	struct rte_ring *ring;
	struct pp_queue *q = open_ring(*state, &dev, &ring);
	unsigned int i;

	assert_int_equal(pp_rx_burst(pp_netdev_queue(other, 0), pages, N), N);
	send_all(q, ring, pages, mbufs);
	mp[0] = mbufs[0]->pool;
	rte_mempool_walk(find_other, mp);
	assert_non_null(mp[1]);
	rte_pktmbuf_free_bulk(mbufs, N);
	assert_raw(mp[1], *state);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(other, 0), pages, N), N);
	pp_netdev_close(other);
	send_all(q, ring, pages, mbufs);
	for (i = 0; i < N; i++)
		assert_ptr_equal(mbufs[i]->pool, mp[0]);
	rte_pktmbuf_free_bulk(mbufs, N);
	pp_netdev_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed),
		cmocka_unit_test_setup_teardown(received, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(outside, setup_zone, teardown_zone),
		cmocka_unit_test(not_whole),
		cmocka_unit_test(pushed),
		cmocka_unit_test_setup_teardown(two_ports, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
