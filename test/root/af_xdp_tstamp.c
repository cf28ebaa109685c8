/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_tstamp.c - sending times: each comes, is true, and is counted once
 *
 * usage: af_xdp_tstamp MODE, in a namespace with the veth px0 - px1, of two queues each
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

#define FRAMES 1000u

static bool old_kernel; /* that knows no TX metadata */
static unsigned int refusals;
static int budget; /* of busy polls, as it was set last */

/* the library's calls come here */
int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct xdp_umem_reg_meta *reg = value;

	if (old_kernel && level == SOL_XDP && name == XDP_UMEM_REG && reg->tx_metadata_len) {
		refusals++;
		errno = EINVAL;
		return -1;
	}
	if (level == SOL_SOCKET && name == SO_BUSY_POLL_BUDGET)
		memcpy(&budget, value, sizeof(budget));
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_TAI, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

static void receive_and_put(struct rig *rig, unsigned int n)
{
	static struct pp_page *pages[PAGES];

	CHECK(receive(rig, 1, pages, n, 5000) == n);
	pp_packet_put(pages, n);
}

/* one by one: the time lies between the call and the packet's arrival */
static void test_single(void)
{
	struct pp_netdev_stats st, was = { 0 };
	uint64_t before, after;
	struct rig rig;
	unsigned int i;

	rig_open(&rig, "px0,tx_tstamp=on", "px1");
	for (i = 0; i < FRAMES; i++) {
		before = now_ns();
		CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 60 + i % 1000, i)) == 1);
		receive_and_put(&rig, 1);
		wait_complete(&rig, 0, i + 1);
		after = now_ns();
		stats_of(&rig, 0, &st);
		CHECK(st.tx_tstamps == i + 1);
		CHECK(st.tx_tstamp_last >= before && st.tx_tstamp_last <= after);
		CHECK(st.tx_latency_sum_ns > was.tx_latency_sum_ns);
		CHECK(st.tx_latency_sum_ns - was.tx_latency_sum_ns <= after - before);
		CHECK(st.tx_latency_max_ns >= st.tx_latency_sum_ns - was.tx_latency_sum_ns);
		CHECK(st.tx_latency_max_ns <= st.tx_latency_sum_ns);
		was = st;
	}
	printf("af_xdp_tstamp: %s: sent after %llu ns on average, %llu ns at most\n", mode,
	       (unsigned long long)(st.tx_latency_sum_ns / FRAMES),
	       (unsigned long long)st.tx_latency_max_ns);
	stats_of(&rig, 1, &st);
	CHECK(!st.tx_tstamps && !st.tx_tstamp_last);
	rig_down(&rig);
}

static void test_burst(void)
{
	struct pp_page *pages[BURST];
	struct pp_netdev_stats st;
	struct rig rig;
	unsigned int i, k;

	rig_open(&rig, "px0,tx_tstamp=on,tx_csum=sw", "px1");
	for (i = 0; i < FRAMES; i += BURST) {
		for (k = 0; k < BURST; k++)
			pages[k] = make_frame(rig.pool, 100, i + k);
		CHECK(pp_tx_burst(rig.q[0], pages, BURST) == BURST);
		receive_and_put(&rig, BURST);
	}
	wait_complete(&rig, 0, i);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == i && st.tx_tstamps == i && !st.errors);
	rig_down(&rig);
}

/* what waits because the link is down is late by that: the ring's part is in it */
static void test_waiting(void)
{
	struct pp_netdev_stats st;
	struct rig rig;

	rig_open(&rig, "px0,tx_tstamp=on", "px1");
	CHECK(!system("ip link set dev px0 down"));
	CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 100, 1)) == 1);
	sleep_ms(60);
	stats_of(&rig, 0, &st);
	CHECK(!st.tx_tstamps);
	CHECK(!system("ip link set dev px0 up"));
	receive_and_put(&rig, 1);
	wait_complete(&rig, 0, 1);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_tstamps == 1 && st.tx_latency_max_ns >= 60000000);
	CHECK(st.tx_latency_max_ns < 5000000000 && st.tx_latency_sum_ns == st.tx_latency_max_ns);
	rig_down(&rig);
}

/* the kernel wants 16 bytes in front of each page sent, whether they are used or not */
static void put_at(struct pp_page *page, unsigned int off)
{
	memmove((char *)pp_page_data(page) - page->data_off + off, pp_page_data(page), page->len);
	page->data_off = (uint16_t)off;
}

static void test_no_room(void)
{
	static const unsigned int offs[] = { 0, 8, 16, 15 };
	struct pp_netdev_stats st;
	struct pp_page *page;
	struct rig rig;
	unsigned int i;

	rig_open(&rig, "px0,tx_tstamp=on", "px1");
	for (i = 0; i < 4; i++) {
		page = make_frame(rig.pool, 100, i);
		put_at(page, offs[i]);
		CHECK(frames_sent(&rig, 0, page) == 1);
		CHECK(receive(&rig, 1, &page, 1, 5000) == 1 && frame_is(page, 100, i));
		page_pool_put_bulk(&page, 1);
	}
	wait_complete(&rig, 0, 4);
	page = make_frame(rig.pool, 60, 4);
	put_at(page, 0);
	page->len = 4096 - 15;
	CHECK(frames_sent(&rig, 0, page) == 1); /* taken, and dropped */
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 4 && st.tx_tstamps == 4 && st.tx_dropped == 1 && !st.errors);
	rig_down(&rig);
}

/* what the last user left there: the kernel would take it for a bad request, and we for a time */
static void litter(struct pp_page *page)
{
	memset((char *)pp_page_data(page) - sizeof(struct xdp_tx_meta), 0xff,
	       sizeof(struct xdp_tx_meta));
}

/* only a packet's first descriptor has metadata */
static uint32_t options(const struct rig *rig, uint32_t back)
{
	struct xsk_ring_prod *tx = &to_xdp(rig->q[0])->xsk->t.tx;

	return xsk_ring_prod__tx_desc(tx, tx->cached_prod - back)->options;
}

static void test_chains(void)
{
	struct pp_netdev_stats st;
	struct pp_page *head, *got;
	struct rig rig;
	unsigned int i;

	rig_open(&rig, "px0,sg=on,tx_tstamp=on,tx_csum=sw", "px1,sg=on");
	for (i = 0; i < 100; i++) {
		head = make_frame(rig.pool, 100, i);
		litter(head);
		if (i % 4)
			litter(head->next = make_frame(rig.pool, 100, i));
		if (i % 4 == 2)
			put_at(head->next, 0);
		if (i % 4 == 3)
			put_at(head, 1);
		CHECK(frames_sent(&rig, 0, head) == 1);
		if (i % 4)
			CHECK(options(&rig, 1) == 0 &&
			      options(&rig, 2) == (XDP_PKT_CONTD | XDP_TX_METADATA));
		else
			CHECK(options(&rig, 1) == XDP_TX_METADATA);
		CHECK(receive(&rig, 1, &got, 1, 5000) == 1 && got->len == (i % 4 ? 200 : 100));
		CHECK(((unsigned char *)pp_page_data(got))[got->len - 1] == (i & 0xff));
		pp_packet_put(&got, 1);
	}
	head = make_frame(rig.pool, 60, i);
	head->next = make_frame(rig.pool, 60, i);
	put_at(head->next, 0);
	head->next->len = 4096 - 15;
	CHECK(frames_sent(&rig, 0, head) == 1); /* dropped */
	wait_complete(&rig, 0, 101);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 100 && st.tx_bytes == 17500 && st.tx_dropped == 1 && !st.errors);
	CHECK(st.tx_tstamps == 100);
	rig_down(&rig);
}

/* a device that sums up but takes no time leaves the request as it was */
static void test_no_answer(void)
{
	struct xdp_tx_meta meta = { .completion.tx_timestamp = 0 };
	struct pp_netdev_stats st;
	struct pp_page *page;
	struct pp_xsk *xsk;
	struct xdp_desc *desc;
	struct rig rig;
	uint32_t idx;

	rig_open(&rig, "px0,tx_tstamp=on", "px1");
	xsk = to_xdp(rig.q[0])->xsk;
	page = make_frame(rig.pool, 100, 1);
	meta.flags = XDP_TXMD_FLAGS_TIMESTAMP | XDP_TXMD_FLAGS_CHECKSUM;
	meta.request.csum_start = meta.request.csum_offset = 0xffff;
	memcpy((char *)pp_page_data(page) - sizeof(meta), &meta, sizeof(meta));
	CHECK(xsk_ring_prod__reserve(&xsk->t.tx, 1, &idx) == 1);
	desc = xsk_ring_prod__tx_desc(&xsk->t.tx, idx);
	desc->addr = pp_xsk_addr(&xsk->umem, page, 0) + page->data_off;
	desc->len = 100;
	desc->options = 0;
	xsk_set_mark(page, xsk->mark_tx);
	xsk_ring_prod__submit(&xsk->t.tx, 1);
	xsk->t.out++;
	receive_and_put(&rig, 1);
	wait_complete(&rig, 0, 1);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 1 && !st.tx_tstamps && !st.tx_tstamp_last);
	rig_down(&rig);
}

/* takes the packets from @at on, in the order that they were sent in, each with its time */
static uint32_t take_completed(struct rig *rig, uint32_t at, uint64_t *last)
{
	struct pp_page *pages[BURST];
	unsigned int i, n = pp_tx_completed(rig->q[0], pages, BURST);

	for (i = 0; i < n; i++, at++) {
		CHECK(frame_is(pages[i], 100, at));
		CHECK(pages[i]->tstamp >= *last && pages[i]->tstamp <= now_ns());
		*last = pages[i]->tstamp;
	}
	page_pool_put_bulk(pages, n);
	return at;
}

/* each comes back with its time, and no other call takes it; the last are left to the port's end */
static void test_each(void)
{
	struct pp_page *page = NULL, *in[BURST];
	uint32_t sent = 0, done = 0, round;
	uint64_t last = now_ns(), end;
	struct rig rig;

	rig_keep = 1;
	rig_open(&rig, "px0,tx_tstamp=on", "px1");
	rig_keep = 0;
	for (round = 0; round < 3; round++) {
		while (page || (page = make_frame(rig.pool, 100, sent))) {
			put_all(in, pp_rx_burst(rig.q[1], in, BURST));
			if (!frames_sent(&rig, 0, page))
				break;
			page = NULL;
			sent++;
		}
		CHECK(sent - done == XDP_TX_SIZE); /* the rings are full */
		CHECK(!pp_tx_clean(rig.q[0]) && !pp_rx_burst(rig.q[0], in, BURST));
		CHECK(!frames_sent(&rig, 0, page));
		for (end = now_ms() + 5000; done < sent - 10 && now_ms() < end;)
			done = take_completed(&rig, done, &last);
		CHECK(done >= sent - 10);
	}
	page_pool_put_bulk(&page, 1);
	CHECK(!pp_tx_completed(rig.q[1], in, BURST)); /* it keeps none */
	printf("af_xdp_tstamp: %s: %u packets, each with its time\n", mode, done);
	rig_down(&rig);
}

/* off is off; and the kernel that would have to be asked */
static void test_off(void)
{
	struct pp_netdev_params np = { .sz = sizeof(np) };
	struct pp_netdev_stats st;
	struct pp_page *page;
	struct rig rig;

	rig_open(&rig, "px0,tx_csum=sw", "px1");
	page = make_frame(rig.pool, 100, 1);
	litter(page);
	CHECK(frames_sent(&rig, 0, page) == 1);
	receive_and_put(&rig, 1);
	wait_complete(&rig, 0, 1);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 1 && !st.tx_tstamps);
	rig_down(&rig);

	old_kernel = true;
	np.zone = make_zone();
	CHECK(!pp_netdev_open("af_xdp:px0,tx_tstamp=on", &np) && errno == EOPNOTSUPP);
	CHECK(strstr(pp_error(), "no TX metadata") && strstr(pp_error(), "leave tx_tstamp out"));
	CHECK(!pp_netdev_open("af_xdp:px0,tx_tstamp=on,tx_csum=on", &np) && errno == EOPNOTSUPP);
	CHECK(strstr(pp_error(), "leave tx_tstamp out"));
	CHECK(refusals == 4);
	old_kernel = false;
	check_home(np.zone);
}

/* the interface goes while the port keeps packets: they come home, as sent */
static void test_gone(void)
{
	uint64_t end = now_ms() + 5000;
	struct pp_netdev_stats st;
	struct pp_page *pages[BURST];
	struct rig rig;
	unsigned int i;

	rig_keep = 1;
	rig_open(&rig, "px0,tx_tstamp=on", "px1");
	rig_keep = 0;
	for (i = 0; i < 10; i++)
		CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 100, i)) == 1);
	receive_and_put(&rig, 10);
	CHECK(!system("ip link del dev px0"));
	while (!pp_netdev_done(rig.dev[0]) && now_ms() < end)
		put_all(pages, pp_rx_burst(rig.q[0], pages, BURST));
	CHECK(pp_netdev_done(rig.dev[0]) && !pp_tx_completed(rig.q[0], pages, BURST));
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == 10 && st.tx_tstamps == 10 && !st.tx_dropped);
	rig_down(&rig);
}

static void test_budget(void)
{
	struct rig rig;

	rig_open(&rig, "px0,busy_poll=20,busy_budget=300", "px1");
	CHECK(budget == 300 && strstr(pp_netdev_info(rig.dev[0]), "busy poll"));
	CHECK(!strstr(pp_netdev_info(rig.dev[0]), "refused"));
	rig_down(&rig);
	rig_open(&rig, "px0,busy_poll=20", "px1");
	CHECK(budget == 64);
	rig_down(&rig);
}

/* the port's latency is its slowest queue's */
static void test_queues(void)
{
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = make_zone() };
	struct pp_netdev_stats st = { .sz = sizeof(st) };
	struct pp_netdev *dev;
	unsigned int i;

	dev = pp_netdev_open("af_xdp:px0,queues=2,tx_tstamp=on", &np);
	CHECK(dev);
	for (i = 0; i < 2; i++) {
		pp_netdev_queue(dev, i)->stats.tx_tstamps = 3;
		pp_netdev_queue(dev, i)->stats.tx_latency_sum_ns = 20;
		pp_netdev_queue(dev, i)->stats.tx_latency_max_ns = i ? 7 : 9;
		pp_netdev_queue(dev, i)->stats.tx_tstamp_last = i ? 200 : 100;
	}
	CHECK(!pp_netdev_get_stats(dev, &st));
	CHECK(st.tx_tstamps == 6 && st.tx_latency_sum_ns == 40);
	CHECK(st.tx_latency_max_ns == 9 && st.tx_tstamp_last == 200);
	pp_netdev_close(dev);
	check_home(np.zone);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: af_xdp_tstamp MODE\n");
		return 2;
	}
	mode = argv[1];
	test_single();
	test_burst();
	test_waiting();
	test_no_room();
	test_chains();
	test_no_answer();
	test_each();
	test_off();
	test_queues();
	test_budget();
	test_gone();
	return 0;
}
