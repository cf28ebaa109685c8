/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_jumbo.c - packets of several pages: px0 and px1 are a veth with MTU 9000
 *
 *   af_xdp_jumbo native|skb
 */
#include <unistd.h>

#include "rig.h"

#define PIECE 500u

static unsigned char byte_at(uint32_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

/* @n pages of PIECE bytes: a frame of the rig's type, and a pattern */
static struct pp_page *make_chain(struct page_pool *pool, unsigned int n)
{
	struct pp_page *head = make_frame(pool, PIECE, n), *tail = head, *page;
	unsigned char *data = pp_page_data(head);
	uint32_t at = PIECE, i;

	for (i = 18; i < PIECE; i++)
		data[i] = byte_at(i);
	while (--n) {
		page = page_pool_alloc_pages(pool);
		CHECK(page);
		data = pp_page_data(page);
		for (i = 0; i < PIECE; i++)
			data[i] = byte_at(at++);
		page->len = PIECE;
		page->next = NULL;
		tail->next = page;
		tail = page;
	}
	return head;
}

static void check_chain(const struct pp_page *head, uint32_t len)
{
	const unsigned char *data;
	uint32_t at = 0, i;

	for (; head; head = head->next) {
		data = pp_page_data(head);
		for (i = 0; i < head->len; i++, at++)
			CHECK(at < 18 || data[i] == byte_at(at));
	}
	CHECK(at == len);
}

static void test_both_ways(void)
{
	struct pp_page *page;
	struct pp_netdev_stats st;
	unsigned int way, n, round;
	struct rig rig;

	rig_open(&rig, "px0,sg=on", "px1,sg=on");
	CHECK(pp_netdev_chains(rig.dev[0]));
	for (way = 0; way < 2; way++) {
		for (round = 0; round < 20; round++) {
			for (n = 1; n <= PP_PACKET_PAGES_MAX; n++) {
				page = make_chain(rig.pool, n);
				CHECK(frames_sent(&rig, way, page) == 1);
				CHECK(receive(&rig, !way, &page, 1, 2000) == 1);
				check_chain(page, n * PIECE);
				CHECK(!page->next == (n * PIECE <= 4096 - 256 - 128));
				pp_packet_put(&page, 1);
			}
		}
		wait_complete(&rig, way, 20 * PP_PACKET_PAGES_MAX);
		stats_of(&rig, way, &st);
		CHECK(st.tx_packets == 20 * PP_PACKET_PAGES_MAX && !st.tx_dropped && !st.errors);
		CHECK(st.tx_bytes == 20 * PIECE * 18 * 19 / 2);
	}
	rig_down(&rig);
}

/* one page more than AF_XDP sends; an empty one; one that another port holds */
static void test_refused(void)
{
	struct pp_page *page;
	struct pp_netdev_stats st;
	struct rig rig;

	rig_open(&rig, "px0,sg=on", "px1,sg=on");
	CHECK(frames_sent(&rig, 0, make_chain(rig.pool, PP_PACKET_PAGES_MAX + 1)) == 1);
	page = make_chain(rig.pool, 3);
	page->next->len = 0;
	CHECK(frames_sent(&rig, 0, page) == 1);
	CHECK(frames_sent(&rig, 0, make_chain(rig.pool, 2)) == 1);
	CHECK(receive(&rig, 1, &page, 1, 2000) == 1);
	check_chain(page, 2 * PIECE);
	pp_packet_put(&page, 1);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_dropped == 2 && st.errors == 0 && st.tx_invalid == 0);
	rig_down(&rig);
}

/* what would take more pages than a packet may have */
static void test_too_long(void)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = PAGES, .headroom = 1344 };
	struct pp_netdev_params np = { .sz = sizeof(np) };
	struct pp_netdev_stats st = { .sz = sizeof(st) };
	unsigned char frame[9000] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct pp_page *pages[BURST];
	struct pp_netdev *dev;
	char spec[64];
	unsigned int i, n = 0;
	int fd;

	zp.page_size = 2048; /* 448 bytes a page: 8064 at most */
	np.zone = pp_zone_create(&zp);
	CHECK(np.zone);
	CHECK(!system("ip link set px1 mtu 8000"));
	snprintf(spec, sizeof(spec), "af_xdp:px1,sg=on,mode=%s", mode);
	dev = pp_netdev_open(spec, &np);
	CHECK(dev && !system("ip link set px1 mtu 9000"));
	fd = raw_socket();
	frame[12] = 0x88;
	frame[13] = 0xb5;
	for (i = 0; i < 10; i++) {
		CHECK(send(fd, frame, 9000, 0) == 9000);
		CHECK(send(fd, frame, 8000, 0) == 8000);
	}
	for (i = 0; i < 1000 && n < 10; i++) {
		unsigned int k = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 3);

		pp_packet_put(pages, k);
		n += k;
	}
	CHECK(!pp_netdev_get_stats(dev, &st));
	CHECK(n == 10 && st.rx_dropped == 10 && st.rx_bytes == 80000);
	/* left in the RX ring when the port is closed */
	CHECK(send(fd, frame, 8000, 0) == 8000);
	pp_netdev_close(dev);
	close(fd);
	check_home(np.zone);
}

int main(int argc, char **argv)
{
	mode = argc > 1 ? argv[1] : "native";
	CHECK(!system("ip link set px0 mtu 9000 && ip link set px1 mtu 9000"));
	test_both_ways();
	test_refused();
	test_too_long();
	CHECK(!system("ip link set px0 mtu 1500 && ip link set px1 mtu 1500"));
	printf("af_xdp_jumbo: 3 cases passed, %s\n", mode);
	return 0;
}
