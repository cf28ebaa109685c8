/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_port.c - the af_xdp driver through netdev.h, on both ends of a veth: px0, px1
 *
 *   af_xdp_port native|skb
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

static unsigned int kicks; /* calls of sendto() by the library */
static bool old_kernel; /* it knows no XDP_MAX_TX_SKB_BUDGET */
static bool refused; /* it, or what stands in for it, said so */

/* the library's calls come here, and to setsockopt() */
ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t tolen)
{
	kicks++;
	return syscall(SYS_sendto, fd, buf, len, flags, to, tolen);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	bool budget = level == SOL_XDP && name == XDP_MAX_TX_SKB_BUDGET;
	int err = -1;

	if (budget && old_kernel)
		errno = ENOPROTOOPT;
	else
		err = (int)syscall(SYS_setsockopt, fd, level, name, value, len);
	if (budget)
		refused = err < 0;
	return err;
}

static void test_both_ways(void)
{
	struct pp_page *pages[BURST];
	struct pp_netdev_stats st;
	struct rig rig;
	uint32_t seq, j, len;
	unsigned int way;

	rig_up(&rig);
	for (way = 0; way < 2; way++) {
		for (seq = 0; seq < 5000; seq += BURST) {
			len = 60 + seq % 1400;
			for (j = 0; j < BURST; j++)
				pages[j] = make_frame(rig.pool, len, seq + j);
			CHECK(pp_tx_burst(rig.q[way], pages, BURST) == BURST);
			CHECK(receive(&rig, !way, pages, BURST, 2000) == BURST);
			for (j = 0; j < BURST; j++) {
				CHECK(frame_is(pages[j], len, seq + j));
				CHECK(pages[j]->port == !way && pages[j]->owner == 0);
			}
			page_pool_put_bulk(pages, BURST);
		}
		wait_complete(&rig, way, seq);
		stats_of(&rig, way, &st);
		CHECK(st.tx_packets == seq && st.tx_dropped == 0 && st.errors == 0);
	}
	rig_down(&rig);
}

/*
 * Bursts and batches that divide no ring's size: one of them goes around the end. What
 * was left in a page by its last user does not show.
 */
static void test_uneven(void)
{
	struct pp_page *pages[7];
	struct rig rig;
	struct pp_netdev_stats st;
	uint64_t bytes = 0;
	uint32_t seq, j;
	unsigned int i;

	rig_up(&rig);
	for (i = 0; i < 2; i++)
		to_xdp(rig.q[i])->xsk->batch = 48;
	for (seq = 0; seq < 10000; seq += 7) {
		for (j = 0; j < 7; j++)
			pages[j] = make_frame(rig.pool, 60 + (seq + j) % 90, seq + j);
		CHECK(pp_tx_burst(rig.q[0], pages, 7) == 7);
		CHECK(receive(&rig, 1, pages, 7, 2000) == 7);
		for (j = 0; j < 7; j++) {
			CHECK(frame_is(pages[j], 60 + (seq + j) % 90, seq + j));
			CHECK(pages[j]->port == 1 && pages[j]->owner == 0);
			CHECK(pages[j]->tstamp == PP_TSTAMP_NONE && !pages[j]->next &&
			      pages[j]->refs == 1);
			bytes += pages[j]->len;
			pages[j]->tstamp = pages[j]->len = seq + 1;
		}
		page_pool_put_bulk(pages, 7);
	}
	wait_complete(&rig, 0, seq);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == seq && st.tx_bytes == bytes);
	stats_of(&rig, 1, &st);
	CHECK(st.rx_packets == seq && st.rx_bytes == bytes);
	rig_down(&rig);
}

/* a burst goes out with one call of the kernel, where it knows how; otherwise none is left */
static void test_kicks(void)
{
	struct pp_page *pages[4 * BURST];
	struct rig rig;
	unsigned int i;

	rig_up(&rig);
	if (refused)
		printf("af_xdp_port: XDP_MAX_TX_SKB_BUDGET %s\n",
		       old_kernel ? "refused, as by kernels before 6.18"
				  : "unknown to this kernel");
	for (i = 0; i < 4 * BURST; i++)
		pages[i] = make_frame(rig.pool, 60, i);
	kicks = 0;
	CHECK(pp_tx_burst(rig.q[0], pages, 4 * BURST) == 4 * BURST);
	CHECK(kicks == (refused ? 4 : 1));
	wait_complete(&rig, 0, 4 * BURST);
	CHECK(receive(&rig, 1, pages, 4 * BURST, 2000) == 4 * BURST);
	for (i = 0; i < 4 * BURST; i++)
		CHECK(frame_is(pages[i], 60, i));
	page_pool_put_bulk(pages, 4 * BURST);
	rig_down(&rig);
}

static void test_kicks_old_kernel(void)
{
	old_kernel = true;
	test_kicks();
	old_kernel = false;
}

static void test_other_zone(void)
{
	struct pp_zone *zone = make_zone();
	struct page_pool *pool = make_pool(zone);
	struct pp_page *page;
	struct rig rig;

	rig_up(&rig);
	page = make_frame(pool, 300, 7);
	CHECK(frames_sent(&rig, 0, page) == 1);
	CHECK(receive(&rig, 1, &page, 1, 2000) == 1);
	CHECK(frame_is(page, 300, 7) && page->zone == rig.zone);
	page_pool_put_bulk(&page, 1);
	page_pool_destroy(pool);
	check_home(zone); /* it was copied, and came home at once */
	rig_down(&rig);
}

/* one page on its way through two ports, and twice through one */
static void test_shared_page(void)
{
	struct pp_page *page, *got[2];
	struct rig rig;

	rig_up(&rig);
	page = make_frame(rig.pool, 200, 9);
	page_pool_fragment_page(page, 3);
	CHECK(frames_sent(&rig, 0, page) == 1);
	CHECK(page->owner == 0); /* a copy went out */
	CHECK(frames_sent(&rig, 1, page) == 1);
	CHECK(frames_sent(&rig, 0, page) == 1);
	CHECK(receive(&rig, 1, got, 2, 2000) == 2);
	CHECK(frame_is(got[0], 200, 9) && frame_is(got[1], 200, 9));
	page_pool_put_bulk(got, 2);
	CHECK(receive(&rig, 0, got, 1, 2000) == 1);
	CHECK(frame_is(got[0], 200, 9));
	page_pool_put_bulk(got, 1);
	rig_down(&rig);
}

static void test_bad_frames(void)
{
	static const uint32_t lens[] = { 60, 0, 13, 1600, 2000, 61 };
	struct pp_page *pages[6], *got[6];
	struct pp_netdev_stats st;
	struct rig rig;
	unsigned int i;

	rig_up(&rig);
	for (i = 0; i < 6; i++)
		pages[i] = make_frame(rig.pool, lens[i] < 14 ? 14 : lens[i], i);
	pages[1]->len = 0;
	pages[2]->len = 13;
	CHECK(pp_tx_burst(rig.q[0], pages, 6) == 6);
	CHECK(receive(&rig, 1, got, 2, 2000) == 2);
	CHECK(frame_is(got[0], 60, 0) && frame_is(got[1], 61, 5));
	page_pool_put_bulk(got, 2);
	/* reaching beyond the page's end */
	pages[0] = make_frame(rig.pool, 60, 0);
	pages[0]->len = pp_page_size(pages[0]);
	CHECK(pp_tx_burst(rig.q[0], pages, 1) == 1);
	wait_complete(&rig, 0, 7);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 2 && st.tx_dropped == 5 && !st.tx_invalid);
	rig_down(&rig);
}

/* the kernel completes a frame that this driver never sent: not believed, counted */
static void test_bad_completion(void)
{
	struct pp_page *page, *got;
	struct pp_netdev_stats st;
	struct pp_xsk *xsk;
	struct xdp_desc *desc;
	struct rig rig;
	uint32_t idx;

	rig_up(&rig);
	xsk = to_xdp(rig.q[0])->xsk;
	page = make_frame(rig.pool, 100, 1);
	CHECK(xsk_ring_prod__reserve(&xsk->t.tx, 1, &idx) == 1);
	desc = xsk_ring_prod__tx_desc(&xsk->t.tx, idx);
	desc->addr =
		(uint64_t)(page->addr - (unsigned char *)pp_zone_base(rig.zone)) + page->data_off;
	desc->len = page->len;
	desc->options = 0;
	xsk_ring_prod__submit(&xsk->t.tx, 1);
	CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 100, 2)) == 1);
	CHECK(receive(&rig, 1, &got, 1, 2000) == 1 && frame_is(got, 100, 1));
	page_pool_put_bulk(&got, 1);
	wait_complete(&rig, 0, 1);
	stats_of(&rig, 0, &st);
	CHECK(st.errors == 1 && st.tx_packets == 1);
	CHECK(page->refs == 1 && frame_is(page, 100, 1)); /* still the test's */
	page_pool_put_bulk(&page, 1);
	rig_down(&rig);
}

/* frames received that were not posted, or twice: not believed, counted */
static void test_bad_reception(void)
{
	struct pp_page *got[BURST];
	struct pp_netdev_stats st;
	struct pp_xsk *xsk;
	struct rig rig;
	uint32_t idx, i;
	uint64_t end = now_ms() + 2000;
	uint64_t addr[6];

	rig_up(&rig);
	xsk = to_xdp(rig.q[1])->xsk;
	for (i = 0; i < 6; i++)
		CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 100, i)) == 1);
	wait_complete(&rig, 0, 6);
	while (xsk_cons_nb_avail(&xsk->r.rx, 6) < 6)
		CHECK(now_ms() < end);
	idx = xsk->r.rx.cached_cons;
	for (i = 0; i < 6; i++)
		addr[i] = xsk_ring_cons__rx_desc(&xsk->r.rx, idx + i)->addr;
	((struct xdp_desc *)xsk_ring_cons__rx_desc(&xsk->r.rx, idx + 1))->addr = addr[0];
	((struct xdp_desc *)xsk_ring_cons__rx_desc(&xsk->r.rx, idx + 2))->addr = xsk->umem.pages
										 << xsk->umem.shift;
	((struct xdp_desc *)xsk_ring_cons__rx_desc(&xsk->r.rx, idx + 4))->addr |= (uint64_t)1 << 48;
	CHECK(pp_rx_burst(rig.q[1], got, 6) == 3);
	CHECK(frame_is(got[0], 100, 0) && frame_is(got[1], 100, 3) && frame_is(got[2], 100, 5));
	page_pool_put_bulk(got, 3);
	stats_of(&rig, 1, &st);
	CHECK(st.rx_bad == 3 && st.errors == 3 && st.rx_packets == 3 && st.rx_bytes == 300);
	rig_down(&rig); /* where the three that nobody got come home */
}

/* the interface is down when the port is stopped: a bounded wait, then dropped and counted */
static void test_stop_with_packets(void)
{
	struct pp_page *pages[BURST];
	struct pp_netdev_stats st;
	struct rig rig;
	uint64_t start;
	unsigned int i;

	rig_up(&rig);
	CHECK(!system("ip link set dev px0 down"));
	for (i = 0; i < BURST; i++)
		pages[i] = make_frame(rig.pool, 100, i);
	CHECK(pp_tx_burst(rig.q[0], pages, BURST) == BURST);
	for (i = 0; i < 1000; i++)
		CHECK(pp_tx_clean(rig.q[0]) == 0);
	start = now_ms();
	pp_netdev_stop(rig.dev[0]);
	CHECK(now_ms() - start < 1000);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_dropped == BURST && st.tx_packets == 0 && st.errors == 0);
	CHECK(!system("ip link set dev px0 up"));
	rig_down(&rig);
}

int main(int argc, char **argv)
{
	static void (*const tests[])(void) = {
		test_both_ways,		test_uneven,	     test_kicks,
		test_kicks_old_kernel,	test_other_zone,     test_shared_page,
		test_bad_frames,	test_bad_completion, test_bad_reception,
		test_stop_with_packets,
	};
	size_t i;

	mode = argc > 1 ? argv[1] : "native";
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i]();
	printf("af_xdp_port: %zu cases passed, %s\n", i, mode);
	return 0;
}
