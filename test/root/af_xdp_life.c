/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_life.c - the af_xdp driver in trouble: interfaces that go, wrong answers, no pages
 *
 *   af_xdp_life native|skb NAMESPACE      px0 and px1 are a veth; NAMESPACE is another one's name
 */
#include <unistd.h>

#include "rig.h"

static const char *elsewhere;

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	CHECK(!system(line));
}

static void add_veth(const char *a, const char *b, unsigned int queues)
{
	run("ip link add name %s numrxqueues %u numtxqueues %u type veth peer name %s numrxqueues "
	    "%u numtxqueues %u",
	    a, queues, queues, b, queues, queues);
	run("ip link set %s up && ip link set %s up", a, b);
}

/* with drivers and users: not in the pool's cache or ring */
static uint64_t outstanding(struct page_pool *pool)
{
	struct page_pool_stats st = { .sz = sizeof(st) };

	CHECK(!page_pool_get_stats(pool, &st));
	return st.outstanding;
}

/* poll both ends until both are done, as a forwarder would */
static void poll_until_done(struct rig *rig)
{
	struct pp_page *pages[BURST];
	uint64_t end = now_ms() + 5000;
	unsigned int i;

	while (!pp_netdev_done(rig->dev[0]) || !pp_netdev_done(rig->dev[1])) {
		CHECK(now_ms() < end);
		for (i = 0; i < 2; i++) {
			page_pool_put_bulk(pages, pp_rx_burst(rig->q[i], pages, BURST));
			pp_tx_clean(rig->q[i]);
		}
	}
}

static void check_news(struct pp_netdev *dev, const char *want)
{
	const char *news = pp_netdev_event(dev);

	if (!want) {
		CHECK(!news);
		return;
	}
	CHECK(news && strstr(news, want));
}

/* a new veth leaves VLAN tags to a device: the first event of each end says so */
static void open_quiet(struct rig *rig)
{
	rig_open(rig, "px4", "px5");
	check_news(rig->dev[0],
		   "VLAN tags, checksums and segmentation that px5, the other end of px4");
	check_news(rig->dev[1],
		   "VLAN tags, checksums and segmentation that px4, the other end of px5");
}

/* the pages in all four rings come home while the port is open, and it says so */
static void gone(const char *how, bool pending)
{
	struct pp_page *pages[BURST], *page;
	struct pp_netdev_stats st;
	struct rig rig;
	unsigned int i;

	add_veth("px4", "px5", 1);
	open_quiet(&rig);
	check_news(rig.dev[0], NULL);
	for (i = 0; i < BURST; i++)
		pages[i] = make_frame(rig.pool, 100, i);
	CHECK(pp_tx_burst(rig.q[0], pages, BURST) == BURST);
	wait_complete(&rig, 0, BURST);
	if (pending) { /* packets that wait in a TX ring */
		run("ip link set px4 down");
		check_news(rig.dev[0], "px4 is down");
		check_news(rig.dev[0], NULL);
		for (i = 0; i < BURST; i++)
			pages[i] = make_frame(rig.pool, 100, i);
		CHECK(pp_tx_burst(rig.q[0], pages, BURST) == BURST);
	}
	run("%s", how);
	poll_until_done(&rig);
	for (i = 0; i < 2; i++) {
		CHECK(to_xdp(rig.q[i])->xsk->r.posted == 0 && to_xdp(rig.q[i])->xsk->t.out == 0);
		CHECK(outstanding(rig.q[i]->pool) == 0);
		CHECK(to_xdp(rig.q[i])->s.fd < 0);
		check_news(rig.dev[i], i ? "px5 is gone" : "px4 is gone");
		check_news(rig.dev[i], NULL);
	}
	CHECK(outstanding(rig.pool) == 0);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_packets == BURST && st.tx_dropped == (pending ? BURST : 0));
	CHECK(st.link_downs == 1);
	page = make_frame(rig.pool, 100, 0);
	CHECK(pp_tx_burst(rig.q[0], &page, 1) == 1); /* unplugged: taken and dropped */
	stats_of(&rig, 0, &st);
	CHECK(st.tx_dropped == (pending ? BURST : 0) + 1);
	stats_of(&rig, 1, &st); /* what waited there was received, and is counted once */
	CHECK(st.rx_packets + st.rx_dropped >= BURST);
	rig_down(&rig);
}

static void test_deleted(void)
{
	gone("ip link del px4", false);
	gone("ip link del px4", true);
}

/* px5 stays here, but without its driver it would not be gone: delete it by its other end */
static void test_moved(void)
{
	char how[128];

	snprintf(how, sizeof(how), "ip link set px4 netns %s && ip -n %s link del px4", elsewhere,
		 elsewhere);
	gone(how, false);
}

/* a sender that never asks for packets */
static void test_deleted_sending(void)
{
	uint64_t end = now_ms() + 5000;
	struct pp_page *page;
	struct rig rig;

	add_veth("px4", "px5", 1);
	rig_open(&rig, "px4", "px5");
	run("ip link del px4");
	while (!pp_netdev_done(rig.dev[0])) {
		CHECK(now_ms() < end);
		page = make_frame(rig.pool, 100, 0);
		if (!pp_tx_burst(rig.q[0], &page, 1))
			page_pool_put_bulk(&page, 1);
		pp_tx_clean(rig.q[0]);
	}
	CHECK(outstanding(rig.pool) == 0);
	rig_down(&rig);
}

static void test_news(void)
{
	struct pp_netdev_stats st;
	struct rig rig;

	add_veth("px4", "px5", 1);
	open_quiet(&rig);
	run("ip link set px4 mtu 1400");
	check_news(rig.dev[0], "MTU 1400 now, not 1500");
	check_news(rig.dev[0], NULL);
	run("ip link set px4 down");
	check_news(rig.dev[0], "px4 is down");
	run("ip link set px4 name px6 && ip link set px6 up");
	check_news(rig.dev[0], "is up again");
	check_news(rig.dev[0], "px4 is named px6 now");
	check_news(rig.dev[0], NULL);
	check_news(rig.dev[1], NULL);
	stats_of(&rig, 0, &st);
	CHECK(st.link_downs == 1);
	rig_down(&rig);
	run("ip link del px6");
}

static void forge_tx(struct pp_xsk *xsk, uint64_t addr, uint32_t len, uint32_t options)
{
	struct xdp_desc *desc;
	uint32_t idx;

	CHECK(xsk_ring_prod__reserve(&xsk->t.tx, 1, &idx) == 1);
	desc = xsk_ring_prod__tx_desc(&xsk->t.tx, idx);
	desc->addr = addr;
	desc->len = len;
	desc->options = options;
	xsk_ring_prod__submit(&xsk->t.tx, 1);
}

static uint64_t addr_of(const struct rig *rig, const struct pp_page *page)
{
	return (uint64_t)(page->addr - (unsigned char *)pp_zone_base(rig->zone)) + page->data_off;
}

/* completions for an address beyond the memory, a page of ours, and one page three times */
static void test_bad_completions(void)
{
	struct pp_page *page, *again;
	struct pp_netdev_stats st;
	struct pp_xsk *xsk;
	struct rig rig;
	unsigned int i;

	rig_up(&rig);
	xsk = to_xdp(rig.q[0])->xsk;
	page = make_frame(rig.pool, 100, 1);
	again = make_frame(rig.pool, 100, 2);
	forge_tx(xsk, (uint64_t)PAGES * 4096 + 4096, 100, 0);
	forge_tx(xsk, addr_of(&rig, page), 100, 0);
	CHECK(frames_sent(&rig, 0, again) == 1);
	forge_tx(xsk, addr_of(&rig, again), 100, 0);
	forge_tx(xsk, addr_of(&rig, again), 100, 0);
	CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 100, 3)) == 1);
	wait_complete(&rig, 0, 2);
	for (i = 0; i < 100; i++)
		pp_tx_clean(rig.q[0]);
	stats_of(&rig, 0, &st);
	CHECK(st.tx_bad == 4 && st.tx_invalid == 1);
	CHECK(st.errors == st.tx_bad + st.tx_invalid && st.tx_packets == 2);
	CHECK(page->refs == 1 && frame_is(page, 100, 1)); /* still the test's */
	page_pool_put_bulk(&page, 1);
	rig_down(&rig);
}

/* this kernel completes a frame again at each kick, as long as it dislikes the metadata */
static void test_completion_storm(void)
{
	struct pp_netdev_stats st;
	struct pp_page *page;
	struct pp_xsk *xsk;
	struct rig rig;
	uint64_t flags = 1ull << 40;
	unsigned int i;

	rig_open(&rig, "px0,tx_csum=sw", "px1");
	xsk = to_xdp(rig.q[0])->xsk;
	page = make_frame(rig.pool, 100, 1);
	memcpy((unsigned char *)pp_page_data(page) - sizeof(struct xdp_tx_meta), &flags, 8);
	forge_tx(xsk, addr_of(&rig, page), 100, XDP_TX_METADATA);
	xsk_set_mark(page, xsk->mark_tx);
	xsk->t.out = 1;
	for (i = 0; i < 1000; i++) {
		xsk->t.out += !xsk->t.out; /* a completion is awaited: keep on kicking */
		pp_tx_clean(rig.q[0]);
	}
	xsk->t.out = 0;
	stats_of(&rig, 0, &st);
	printf("af_xdp_life: one frame completed %llu times, not believed %llu times\n",
	       (unsigned long long)(st.tx_packets + st.tx_bad), (unsigned long long)st.tx_bad);
	CHECK(st.tx_packets == 1 && st.tx_bad > 2 && outstanding(rig.pool) == 0);
	rig_down(&rig);
}

/* the kernel "receives" into pages that were not posted, or are not there */
static void test_bad_descriptors(void)
{
	struct pp_page *pages[BURST], *mine;
	struct pp_netdev_stats st;
	struct pp_xsk *xsk;
	struct xdp_desc *ring;
	struct rig rig;
	uint32_t at;

	rig_up(&rig);
	xsk = to_xdp(rig.q[1])->xsk;
	mine = make_frame(rig.pool, 100, 1);
	for (at = 0; at < 4; at++)
		CHECK(frames_sent(&rig, 0, make_frame(rig.pool, 100, at)) == 1);
	wait_complete(&rig, 0, 4);
	CHECK(xsk_cons_nb_avail(&xsk->r.rx, 4) == 4);
	ring = xsk->r.rx.ring;
	at = xsk->r.rx.cached_cons & xsk->r.rx.mask;
	ring[at].addr = ring[at + 1].addr; /* twice */
	ring[at + 2].addr = addr_of(&rig, mine);
	ring[at + 3].addr = 1ull << 40;
	CHECK(pp_rx_burst(rig.q[1], pages, BURST) == 1);
	CHECK(frame_is(pages[0], 100, 1));
	stats_of(&rig, 1, &st);
	CHECK(st.rx_bad == 3 && st.errors == 3 && st.rx_packets == 1);
	page_pool_put_bulk(pages, 1);
	page_pool_put_bulk(&mine, 1);
	rig_down(&rig); /* the three that the kernel really filled come home now */
}

/* a consumer that keeps everything until packets are lost, and then lets go; ms until the next */
static uint64_t starve(void)
{
	static struct pp_page *held[PAGES + PP_BURST_MAX];
	struct pp_netdev_stats st;
	unsigned int i, n = 0;
	uint64_t start, ms;
	struct rig rig;
	int fd;

	rig_up(&rig);
	fd = raw_socket();
	for (i = 0; i < 2 * PAGES; i++) {
		raw_send(fd);
		n += pp_rx_burst(rig.q[1], held + n, BURST);
	}
	stats_of(&rig, 1, &st);
	printf("af_xdp_life: starved: %u pages held, %llu wanted in vain, fill ring empty %llu "
	       "times, %llu packets dropped, RX ring full for %llu\n",
	       n, (unsigned long long)st.rx_nombuf, (unsigned long long)st.rx_fill_empty,
	       (unsigned long long)st.rx_dropped, (unsigned long long)st.rx_ring_full);
	CHECK(n > PAGES / 4 && st.rx_nombuf > 0);
	CHECK(st.rx_fill_empty > 0 && st.rx_fill_empty == st.rx_dropped && !st.rx_ring_full);
	CHECK(st.rx_dropped + n == 2 * PAGES);

	start = now_ms();
	put_all(held, n);
	for (n = 0; !n;) {
		raw_send(fd);
		n = pp_rx_burst(rig.q[1], held, BURST);
		CHECK(now_ms() - start < 2000);
	}
	ms = now_ms() - start;
	printf("af_xdp_life: received again within %llu ms\n", (unsigned long long)ms + 1);
	put_all(held, n);
	close(fd);
	rig_down(&rig);
	return ms;
}

/* others may have the CPU for longer than that, but not each time */
static void test_starved(void)
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		if (starve() < 10)
			return;
	CHECK(i < 5);
}

int main(int argc, char **argv)
{
	static void (*const tests[])(void) = {
		test_completion_storm, test_news,    test_deleted,
		test_deleted_sending,  test_moved,   test_bad_completions,
		test_bad_descriptors,  test_starved,
	};
	size_t i;

	if (argc != 3) {
		fprintf(stderr, "usage: af_xdp_life native|skb NAMESPACE\n");
		return 2;
	}
	mode = argv[1];
	elsewhere = argv[2];
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i]();
	printf("af_xdp_life: %zu cases passed, %s\n", i, mode);
	return 0;
}
