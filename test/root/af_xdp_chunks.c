/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_chunks.c - chunks=unaligned: in and out again, also changed and as chains
 *
 * usage: af_xdp_chunks MODE, in a namespace with the veth px0 - px1, of MTU 1500
 */
#include <errno.h>

#include "rig.h"

#define FRAMES 2500u /* more than the rings hold */
#define LONG   9000u

static uint32_t len_of(uint32_t seq)
{
	return 60 + seq * 7 % 1440;
}

/* @from sends, the far end sends back with 4 bytes more in front, and @from receives */
static void there_and_back(struct rig *rig, uint32_t seq, uint32_t n)
{
	struct pp_page *pages[BURST];
	unsigned int i;

	for (i = 0; i < n; i++)
		pages[i] = make_frame(rig->pool, len_of(seq + i), seq + i);
	CHECK(pp_tx_burst(rig->q[0], pages, n) == n);
	CHECK(receive(rig, 1, pages, n, 5000) == n);
	for (i = 0; i < n; i++) {
		CHECK(frame_is(pages[i], len_of(seq + i), seq + i));
		CHECK(pp_page_push(pages[i], 4));
		memmove(pp_page_data(pages[i]), (char *)pp_page_data(pages[i]) + 4, 18);
	}
	CHECK(pp_tx_burst(rig->q[1], pages, n) == n);
	CHECK(receive(rig, 0, pages, n, 5000) == n);
	for (i = 0; i < n; i++)
		CHECK(frame_is(pages[i], len_of(seq + i) + 4, seq + i));
	put_all(pages, n);
}

static void test_sizes(uint32_t page_size, const char *options)
{
	struct pp_netdev_stats st;
	struct rig rig;
	char a[64], b[64];
	unsigned int i;
	uint32_t seq;

	snprintf(a, sizeof(a), "px0,chunks=unaligned%s", options);
	snprintf(b, sizeof(b), "px1,chunks=unaligned%s", options);
	rig_page_size = page_size;
	rig_open(&rig, a, b);
	for (seq = 0; seq < FRAMES; seq += BURST)
		there_and_back(&rig, seq, BURST);
	wait_complete(&rig, 0, seq);
	wait_complete(&rig, 1, seq);
	for (i = 0; i < 2; i++) {
		stats_of(&rig, i, &st);
		CHECK(st.rx_packets == seq && st.tx_packets == seq && !st.errors && !st.rx_dropped);
	}
	printf("af_xdp_chunks: %s, pages of %u%s: %u packets\n", mode, page_size, options, seq);
	rig_down(&rig);
}

static struct pp_page *make_long(struct page_pool *pool, uint32_t seq)
{
	struct pp_page *head = make_frame(pool, 3000, seq), *page = head;
	uint32_t at;

	for (at = 3000; at < LONG; at += 3000, page = page->next)
		page->next = make_frame(pool, 3000, seq + at);
	return head;
}

/* a packet of 9000 bytes, in chunks that its receiver's pages decide on */
static void test_chains(uint32_t page_size)
{
	struct pp_page *page, *part;
	struct rig rig;
	uint32_t seq, len;

	CHECK(!system("ip link set dev px0 mtu 9000 && ip link set dev px1 mtu 9000"));
	rig_page_size = page_size;
	rig_open(&rig, "px0,chunks=unaligned,sg=on", "px1,chunks=unaligned,sg=on");
	for (seq = 0; seq < 100; seq++) {
		CHECK(frames_sent(&rig, 0, make_long(rig.pool, seq)) == 1);
		CHECK(receive(&rig, 1, &page, 1, 5000) == 1);
		for (len = 0, part = page; part; part = part->next)
			len += part->len;
		CHECK(len == LONG && page->next &&
		      !memcmp((char *)pp_page_data(page) + 14, &seq, 4));
		pp_packet_put(&page, 1);
	}
	rig_down(&rig);
	CHECK(!system("ip link set dev px0 mtu 1500 && ip link set dev px1 mtu 1500"));
}

/* a page that is larger than a chunk needs the option */
static void test_refused(void)
{
	struct pp_netdev_params np = { .sz = sizeof(np) };

	rig_page_size = 8192;
	np.zone = make_zone();
	CHECK(!pp_netdev_open("af_xdp:px0", &np) && errno == EINVAL);
	CHECK(strstr(pp_error(), "not 8192; take chunks=unaligned"));
	check_home(np.zone);
	rig_page_size = 0;
	np.zone = make_zone();
	CHECK(!pp_netdev_open("af_xdp:px0,chunks=odd", &np) && errno == EINVAL);
	CHECK(strstr(pp_error(), "aligned"));
	CHECK(!pp_netdev_open("af_xdp:px0,busy_budget=8", &np) && errno == EINVAL);
	CHECK(strstr(pp_error(), "needs busy_poll or suspend"));
	check_home(np.zone);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 2048, 4096, 8192 };
	unsigned int i;

	if (argc != 2) {
		fprintf(stderr, "usage: af_xdp_chunks MODE\n");
		return 2;
	}
	mode = argv[1];
	test_refused();
	for (i = 0; i < 3; i++)
		test_sizes(sizes[i], "");
	test_sizes(4096, ",tx_csum=sw,tx_tstamp=on");
	test_chains(4096);
	test_chains(8192);
	return 0;
}
