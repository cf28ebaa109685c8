/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_cases.c - see kernel.c: each name of the kernel's list, and what it asks of our engine */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <pagepool/netdev.h>

#include "kernel.h"

#define N 256u /* packets of a case, a multiple of any burst */

static void put(struct pp_page **pages, unsigned int n)
{
	pp_packet_put(pages, n);
}

/* ---- there and back ---------------------------------------------------------------------------*/

/* @n packets of @len bytes to the socket in bursts, each checked, and back to the peer */
static void echo(uint32_t n, uint32_t len, uint32_t burst)
{
	struct pp_page *pages[BURST];
	uint32_t seq, i;

	for (seq = 0; seq < n; seq += burst) {
		for (i = 0; i < burst; i++)
			peer_sends(seq + i, len);
		CHECK(receive(pages, burst, 5000) == burst);
		for (i = 0; i < burst; i++)
			CHECK(frame_is(pages[i], seq + i, len));
		CHECK(pp_xsk_tx(w.xsk, pages, burst) == burst);
		for (i = 0; i < burst; i++)
			peer_gets(seq + i, len);
		complete_all();
		pp_xsk_refill(w.xsk);
	}
	CHECK(stats().rx_packets == n && stats().tx_packets == n && !stats().tx_dropped);
	CHECK(!stats().kernel_rx_dropped && !stats().kernel_rx_invalid);
	CHECK(!stats().kernel_tx_invalid && !stats().kernel_rx_ring_full);
}

static void echo_of(const struct setting *s, uint32_t n, uint32_t len, uint32_t burst)
{
	begin(s);
	echo(n, len, burst);
	end();
}

static void send_receive(void)
{
	echo_of(&(struct setting){ 0 }, N, LEN, BURST);
}

static void send_receive_2k(void)
{
	echo_of(&(struct setting){ .page_size = 2048 }, N, LEN, BURST);
}

static void send_receive_single(void)
{
	echo_of(&(struct setting){ 0 }, 1, LEN, 1);
}

static void send_receive_unaligned(void)
{
	echo_of(&(struct setting){ .pp_flags = PP_XSK_UNALIGNED }, N, LEN, BURST);
	echo_of(&(struct setting){ .pp_flags = PP_XSK_UNALIGNED, .chunk_size = 3000 }, N, LEN,
		BURST);
}

static void umem_headroom(void)
{
	echo_of(&(struct setting){ .headroom = 128 }, N, LEN, BURST);
	echo_of(&(struct setting){ .headroom = 3392 }, N, LEN, BURST);
}

static void send_receive_9k(void)
{
	echo_of(&(struct setting){ .pp_flags = PP_XSK_SG }, 64, LONG, 4);
}

static void send_receive_unaligned_9k(void)
{
	echo_of(&(struct setting){ .pp_flags = PP_XSK_SG | PP_XSK_UNALIGNED }, 64, LONG, 4);
}

/* of a veth, which has no rings of its own: those of the socket, from the smallest on */
static void ring_size_min(void)
{
	echo_of(&(struct setting){ .ring_size = 1, .frames = 1 }, 32, LEN, 1);
	echo_of(&(struct setting){ .ring_size = 2 }, 32, LEN, 1);
	echo_of(&(struct setting){ .ring_size = 64 }, N, LEN, BURST);
}

static void ring_size_max(void)
{
	echo_of(&(struct setting){ .ring_size = 32768, .pages = 32768, .page_size = 2048 }, N, LEN,
		BURST);
}

static void busy_poll(void)
{
	const int on = 1, budget = 16, us = 20;

	begin(&(struct setting){ .pp_flags = PP_XSK_NEED_WAKEUP });
	CHECK(!setsockopt(w.sock.fd, SOL_SOCKET, 69 /* SO_PREFER_BUSY_POLL */, &on, sizeof(on)));
	CHECK(!setsockopt(w.sock.fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)));
	CHECK(!setsockopt(w.sock.fd, SOL_SOCKET, 70 /* SO_BUSY_POLL_BUDGET */, &budget,
			  sizeof(budget)));
	echo(N, LEN, BURST);
	end();
}

/* both directions at once, each with packets of its own */
static void bidirectional(void)
{
	struct pp_page *in[BURST], *out[BURST];
	uint32_t seq, i;

	begin(&(struct setting){ 0 });
	for (seq = 0; seq < N; seq += BURST) {
		for (i = 0; i < BURST; i++) {
			peer_sends(seq + i, LEN);
			out[i] = packet(N + seq + i, 2 * LEN);
		}
		CHECK(pp_xsk_tx(w.xsk, out, BURST) == BURST);
		CHECK(receive(in, BURST, 5000) == BURST);
		for (i = 0; i < BURST; i++) {
			CHECK(frame_is(in[i], seq + i, LEN));
			peer_gets(N + seq + i, 2 * LEN);
		}
		put(in, BURST);
		complete_all();
		pp_xsk_refill(w.xsk);
	}
	end();
}

/* sockets that end with frames in every ring, again and again */
static void teardown(void)
{
	struct pp_page *page;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		begin(&(struct setting){ 0 });
		peer_sends(i, LEN);
		CHECK(receive(&page, 1, 5000) == 1 && frame_is(page, i, LEN));
		peer_sends(i, LEN);
		CHECK(pp_xsk_tx(w.xsk, &page, 1) == 1);
		end();
	}
}

/* ---- poll() -----------------------------------------------------------------------------------*/

static void poll_rx(void)
{
	struct pp_page *page;
	uint32_t seq;

	begin(&(struct setting){ .pp_flags = PP_XSK_NEED_WAKEUP });
	CHECK(!ready(POLLIN, 0));
	for (seq = 0; seq < N; seq++) {
		peer_sends(seq, LEN);
		CHECK(ready(POLLIN, 5000) && pp_xsk_rx(w.xsk, &page, 1) == 1);
		CHECK(frame_is(page, seq, LEN) && !ready(POLLIN, 0));
		put(&page, 1);
		pp_xsk_refill(w.xsk);
	}
	end();
}

/* nothing to receive into: the wait ends by itself */
static void poll_rxq_full(void)
{
	struct pp_page *page;

	begin(&(struct setting){ .no_fill = true });
	peer_sends(0, LEN);
	CHECK(!ready(POLLIN, 50));
	pp_xsk_refill(w.xsk);
	peer_sends(1, LEN);
	CHECK(ready(POLLIN, 5000) && receive(&page, 1, 5000) == 1 && frame_is(page, 1, LEN));
	put(&page, 1);
	end();
}

static void poll_tx(void)
{
	struct pp_page *page;
	uint32_t seq;

	begin(&(struct setting){ .pp_flags = PP_XSK_NEED_WAKEUP, .ring_size = 64 });
	for (seq = 0; seq < N; seq++) {
		CHECK(ready(POLLOUT, 5000));
		page = packet(seq, LEN);
		CHECK(pp_xsk_tx(w.xsk, &page, 1) == 1);
		peer_gets(seq, LEN);
		pp_xsk_complete(w.xsk);
	}
	complete_all();
	end();
}

/* the interface is down, so the ring stays full: both waits end by themselves */
static void poll_txq_full(void)
{
	struct pp_page *pages[128];
	uint32_t i;

	begin(&(struct setting){ .ring_size = 64, .wait_ms = 50 });
	run("ip link set " IF_XSK " down");
	for (i = 0; i < 128; i++)
		pages[i] = packet(i, LEN);
	CHECK(pp_xsk_tx(w.xsk, pages, 128) == 64);
	CHECK(!ready(POLLOUT, 50));
	run("ip link set " IF_XSK " up");
	CHECK(ready(POLLOUT, 5000) && pp_xsk_tx(w.xsk, pages + 64, 64) == 64);
	complete_all();
	for (i = 0; i < 128; i++)
		peer_gets(i, LEN);
	end();
}

/* ---- statistics -------------------------------------------------------------------------------*/

/* longer than the buffer, between packets that fit */
static void stat_rx_dropped(void)
{
	struct pp_page *page;
	uint32_t seq;

	begin(&(struct setting){ .page_size = 2048, .headroom = 1344 });
	for (seq = 0; seq < 32; seq++) {
		peer_sends(seq, seq % 2 ? 1500 : LEN);
		CHECK(receive(&page, 1, seq % 2 ? 0 : 5000) == !(seq % 2));
		if (!(seq % 2))
			put(&page, 1);
		pp_xsk_refill(w.xsk);
	}
	CHECK(stats().kernel_rx_dropped == 16 && stats().rx_packets == 16);
	CHECK(!stats().rx_dropped && !stats().kernel_fill_empty);
	end();
}

/* the kernel knows the first half of the zone only; the packet behind those of the other is sent */
static void stat_tx_invalid(void)
{
	struct pp_page *pages[128], *beyond[64], *inside = NULL;
	unsigned int i, n = 0;
	uintptr_t half;

	begin(&(struct setting){ .pages = 128, .umem_pages = 64, .no_fill = true });
	half = (uintptr_t)pp_zone_base(w.zone) + 64 * 4096;
	for (i = 0; i < 128; i++)
		pages[i] = packet(i, LEN);
	for (i = 0; i < 128; i++) {
		if ((uintptr_t)pages[i]->addr >= half)
			beyond[n++] = pages[i];
		else if (!inside)
			inside = pages[i];
		else
			put(&pages[i], 1);
	}
	CHECK(n == 64 && inside);
	CHECK(pp_xsk_tx(w.xsk, beyond, n) == n && pp_xsk_tx(w.xsk, &inside, 1) == 1);
	for (i = 0; i < 5000 && stats().kernel_tx_invalid < n; i++) {
		pp_xsk_complete(w.xsk);
		usleep(1000);
	}
	CHECK(stats().kernel_tx_invalid == n);
	complete_all();
	CHECK(recv(w.peer, (char[LEN]){ 0 }, LEN, 0) == LEN);
	end();
}

static void stat_rx_full(void)
{
	struct pp_page *pages[64];
	uint32_t seq;

	begin(&(struct setting){ .rx_size = 64, .frames = 256 });
	for (seq = 0; seq < 200; seq++)
		peer_sends(seq, LEN);
	CHECK(ready(POLLIN, 5000));
	for (seq = 0; seq < 1000 && stats().kernel_rx_ring_full < 136; seq++)
		usleep(1000);
	CHECK(stats().kernel_rx_ring_full == 136 && receive(pages, 64, 5000) == 64);
	for (seq = 0; seq < 64; seq++)
		CHECK(frame_is(pages[seq], seq, LEN));
	put(pages, 64);
	CHECK(!receive(pages, 1, 0));
	end();
}

static void stat_fill_empty(void)
{
	struct pp_page *pages[64];
	uint32_t seq;

	begin(&(struct setting){ .frames = 64 });
	for (seq = 0; seq < 100; seq++)
		peer_sends(seq, LEN);
	CHECK(receive(pages, 64, 5000) == 64);
	for (seq = 0; seq < 1000 && stats().kernel_fill_empty < 36; seq++)
		usleep(1000);
	CHECK(stats().kernel_fill_empty == 36);
	put(pages, 64);
	end();
}

/* ---- programs ---------------------------------------------------------------------------------*/

static void drop_half(void)
{
	struct pp_page *page;
	uint32_t seq;

	begin(&(struct setting){ .program = "half" });
	for (seq = 0; seq < N; seq++)
		peer_sends(seq, LEN);
	for (seq = 0; seq < N; seq += 2) {
		CHECK(receive(&page, 1, 5000) == 1 && frame_is(page, seq, LEN));
		put(&page, 1);
		pp_xsk_refill(w.xsk);
	}
	CHECK(!receive(&page, 1, 0));
	end();
}

static void metadata(uint32_t flags, uint32_t len)
{
	struct pp_rx_meta meta;
	struct pp_page *page;
	uint32_t seq;

	begin(&(struct setting){ .program = "meta", .pp_flags = PP_XSK_RX_META | flags });
	for (seq = 0; seq < 64; seq++) {
		peer_sends(seq, len);
		CHECK(receive(&page, 1, 5000) == 1 && frame_is(page, seq, len));
		pp_rx_meta_get(pp_page_data(page), &meta);
		CHECK(page->tstamp == seq + 1 && meta.tstamp == seq + 1 && meta.hash == ~seq);
		CHECK(meta.has == (PP_RX_META_TSTAMP | PP_RX_META_HASH));
		CHECK(!page->next == (len < 3800));
		put(&page, 1);
		pp_xsk_refill(w.xsk);
	}
	end();
}

static void metadata_copy(void)
{
	metadata(0, LEN);
}

static void metadata_copy_multi(void)
{
	metadata(PP_XSK_SG, LONG);
}

static uint64_t refusals(void)
{
	uint32_t key = 0;
	uint64_t n = 0;

	CHECK(!bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(w.obj, "refused"), &key, &n));
	return n;
}

/* the packet that was just sent; NULL: the kernel would not move its tail */
static struct pp_page *moved(uint64_t refused)
{
	struct pp_page *page = NULL;
	unsigned int tries;

	for (tries = 0; tries < 50000; tries++) {
		if (receive(&page, 1, 0) || refusals() > refused)
			return page;
		usleep(100);
	}
	CHECK(!"a packet or a refusal");
	return NULL;
}

/* what is there of each packet is right; all are moved, or none */
static void move_tail(const char *program, uint32_t flags, uint32_t len, int by)
{
	struct pp_page *page, *p;
	uint64_t refused = 0;
	uint32_t seq, got;

	begin(&(struct setting){ .program = program, .pp_flags = flags });
	for (seq = 0; seq < 32; seq++) {
		peer_sends(seq, len);
		page = moved(refused);
		refused += !page;
		CHECK(refused == (page ? 0 : seq + 1));
		if (!page)
			continue;
		for (got = 0, p = page; p; p = p->next)
			got += p->len;
		CHECK(got == (uint32_t)((int)len + by) && frame_is(page, seq, by < 0 ? got : len));
		put(&page, 1);
		pp_xsk_refill(w.xsk);
	}
	if (refused)
		printf("the kernel refuses %s of %u bytes\n", program, len);
	end();
}

static void tail_shrink(void)
{
	move_tail("shrink", 0, 200, -40);
}

static void tail_shrink_multi(void)
{
	move_tail("shrink", PP_XSK_SG, LONG, -40);
}

static void tail_grow(void)
{
	move_tail("grow", 0, 200, 40);
}

static void tail_grow_multi(void)
{
	move_tail("grow", PP_XSK_SG, 6000, 40);
}

/* one call sends the ring, or 32 packets before Linux 6.18 */
static void tx_queue_consumer(void)
{
	struct pp_page *pages[128];
	uint32_t i;

	begin(&(struct setting){ .pp_flags = PP_XSK_NEED_WAKEUP });
	for (i = 0; i < 128; i++)
		pages[i] = packet(i, LEN);
	CHECK(pp_xsk_tx(w.xsk, pages, 128) == 128);
	CHECK(*w.sock.rings[RING_TX].consumer == *w.sock.rings[RING_TX].producer);
	CHECK(stats().kicks == 1 || stats().kicks == 4);
	printf("128 packets in %llu calls\n", (unsigned long long)stats().kicks);
	complete_all();
	end();
}

const struct kernel_case kernel_cases[] = {
	{ "SEND_RECEIVE", send_receive },
	{ "SEND_RECEIVE_2K_FRAME", send_receive_2k },
	{ "SEND_RECEIVE_SINGLE_PKT", send_receive_single },
	{ "POLL_RX", poll_rx },
	{ "POLL_TX", poll_tx },
	{ "POLL_RXQ_FULL", poll_rxq_full },
	{ "POLL_TXQ_FULL", poll_txq_full },
	{ "SEND_RECEIVE_UNALIGNED", send_receive_unaligned },
	{ "ALIGNED_INV_DESC", aligned_inv },
	{ "ALIGNED_INV_DESC_2K_FRAME_SIZE", aligned_inv_2k },
	{ "UNALIGNED_INV_DESC", unaligned_inv },
	{ "UNALIGNED_INV_DESC_4001_FRAME_SIZE", unaligned_inv_4001 },
	{ "UMEM_HEADROOM", umem_headroom },
	{ "TEARDOWN", teardown },
	{ "BIDIRECTIONAL", bidirectional },
	{ "STAT_RX_DROPPED", stat_rx_dropped },
	{ "STAT_TX_INVALID", stat_tx_invalid },
	{ "STAT_RX_FULL", stat_rx_full },
	{ "STAT_FILL_EMPTY", stat_fill_empty },
	{ "XDP_DROP_HALF", drop_half },
	{ "XDP_METADATA_COPY", metadata_copy },
	{ "XDP_METADATA_COPY_MULTI_BUFF", metadata_copy_multi },
	{ "SEND_RECEIVE_9K_PACKETS", send_receive_9k },
	{ "SEND_RECEIVE_UNALIGNED_9K_PACKETS", send_receive_unaligned_9k },
	{ "ALIGNED_INV_DESC_MULTI_BUFF", aligned_inv_multi },
	{ "UNALIGNED_INV_DESC_MULTI_BUFF", unaligned_inv_multi },
	{ "TOO_MANY_FRAGS", too_many_frags },
	{ "HW_SW_MIN_RING_SIZE", ring_size_min },
	{ "HW_SW_MAX_RING_SIZE", ring_size_max },
	{ "XDP_ADJUST_TAIL_SHRINK", tail_shrink },
	{ "XDP_ADJUST_TAIL_SHRINK_MULTI_BUFF", tail_shrink_multi },
	{ "XDP_ADJUST_TAIL_GROW", tail_grow },
	{ "XDP_ADJUST_TAIL_GROW_MULTI_BUFF", tail_grow_multi },
	{ "TX_QUEUE_CONSUMER", tx_queue_consumer },
	{ "BUSY_POLL", busy_poll },
	{ NULL, NULL },
};
