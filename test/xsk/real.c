/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * real.c - what the rings' tests assume of the kernel, asked of the kernel
 *
 *   real addresses   aligned and unaligned chunks, headroom: every packet in, and out again
 *   real chunks      the same with two packets a page, half of them kept while others come
 *   real wait        more packets than the TX ring holds: sent in one call, or given up in time
 *   real gone        the interface goes down, then away, with frames in all rings
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_xdp.h>

#include <pagepool/memory.h>

#include "sock.h"

#define PAGES	2048u
#define PAGE	2048u
#define PACKETS 100u
#define BURST	32u

static struct sock sock;
static struct pp_xsk *xsk;
static struct page_pool *pool;
static struct pp_zone *zone;
static uint32_t wait_ms;

#define CHECK(cond) ((cond) ? (void)0 : failed(#cond, __LINE__))

static _Noreturn void failed(const char *what, int line)
{
	printf("FAILED: line %d: %s\n", line, what);
	exit(1);
}

static struct pp_xsk_stats stats(void)
{
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	CHECK(!pp_xsk_get_stats(xsk, &st));
	return st;
}

static void begin(uint32_t page_size, uint32_t umem_flags, uint32_t headroom)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = PAGES, .page_size = page_size };
	struct page_pool_params pp = { .sz = sizeof(pp) };
	struct pp_xsk_params xp;

	zone = pp_zone_create(&zp);
	if (!zone || pp_zone_pin(zone))
		die("memory");
	sock.chunk_size = page_size == PAGE ? 0 : PAGE;
	sock_open(&sock, zone, umem_flags, headroom, -1);
	sock_bind(&sock, IF_XSK, 0, -1);
	pp.zone = zone;
	xp = sock_params(&sock);
	xp.pool = pool = page_pool_create(&pp);
	xp.flags = umem_flags & XDP_UMEM_UNALIGNED_CHUNK_FLAG ? PP_XSK_UNALIGNED : 0;
	xp.frames = 64;
	xp.tx_wait_ms = wait_ms;
	xsk = pp_xsk_create(&xp);
	if (!xsk)
		die("use pages at the socket");
	pp_xsk_refill(xsk);
	net_redirect(0, sock.fd);
}

static uint64_t end(void)
{
	struct pp_audit audit = { .sz = sizeof(audit) };
	uint64_t reclaimed;

	sock_close(&sock);
	reclaimed = pp_xsk_reclaim(xsk);
	pp_xsk_destroy(xsk);
	page_pool_destroy(pool);
	CHECK(!pp_zone_audit(zone, &audit) && !audit.leaked && !audit.double_free);
	pp_zone_unpin(zone);
	CHECK(!pp_zone_destroy(zone));
	return reclaimed;
}

static unsigned int receive(struct pp_page **pages, unsigned int want)
{
	unsigned int n = 0, tries;

	for (tries = 0; n < want && tries < 2000; tries++) {
		n += pp_xsk_rx(xsk, pages + n, want - n);
		if (n < want)
			usleep(1000);
	}
	return n;
}

static void complete_all(void)
{
	unsigned int tries;

	for (tries = 0; stats().tx_out && tries < 2000; tries++)
		if (!pp_xsk_complete(xsk))
			usleep(1000);
}

/* a packet at a time, so that it is known which comes back, through every page of the pool */
static void addresses(uint32_t umem_flags, uint32_t headroom)
{
	struct pp_page *page;
	unsigned char back[PAGE];
	uint64_t seq, got;
	int peer = peer_open(true);
	ssize_t len;

	begin(PAGE, umem_flags, headroom);
	for (seq = 1; seq <= PACKETS; seq++) {
		peer_send(peer, seq);
		CHECK(receive(&page, 1) == 1);
		CHECK(page->len == FRAME_LEN && page->data_off == 256 + headroom);
		memcpy(&got, (unsigned char *)pp_page_data(page) + FRAME_SEQ, sizeof(got));
		CHECK(got == seq);
		CHECK(pp_page_push(page, 4)); /* a header in front, as a tunnel has it */
		memcpy(pp_page_data(page), (char *)pp_page_data(page) + 4, 4);
		CHECK(pp_xsk_tx(xsk, &page, 1) == 1);
		do {
			len = recv(peer, back, sizeof(back), 0);
		} while (len >= 0 && len != FRAME_LEN + 4); /* its own, too */
		CHECK(len == FRAME_LEN + 4);
		memcpy(&got, back + FRAME_SEQ + 4, sizeof(got));
		CHECK(got == seq);
		complete_all();
		pp_xsk_refill(xsk);
	}
	CHECK(stats().tx_packets == PACKETS && stats().rx_packets == PACKETS);
	CHECK(!stats().comp_bad && !stats().rx_bad && !stats().kernel_tx_invalid);
	close(peer);
	end();
	printf("%s, headroom %u: %u packets in and out\n", umem_flags ? "unaligned" : "aligned",
	       headroom, PACKETS);
}

/* its own, too: what comes back is longer */
static uint64_t peer_receive(int peer, size_t want)
{
	unsigned char back[PAGE];
	uint64_t got;
	ssize_t len;

	do {
		len = recv(peer, back, sizeof(back), 0);
	} while (len >= 0 && (size_t)len != want);
	CHECK(len >= 0);
	memcpy(&got, back + FRAME_SEQ, sizeof(got));
	return got;
}

static struct pp_xsk_chunk receive_chunk(uint64_t seq, uint32_t headroom)
{
	struct pp_xsk_chunk c;
	unsigned int tries;
	uint64_t got;

	for (tries = 0; !pp_xsk_rx_chunks(xsk, &c, 1) && tries < 2000; tries++)
		usleep(1000);
	CHECK(tries < 2000);
	CHECK(c.len == FRAME_LEN && (c.off & (PAGE - 1)) == 256 + headroom);
	memcpy(&got, (unsigned char *)pp_xsk_chunk_data(&c) + FRAME_SEQ, sizeof(got));
	CHECK(got == seq);
	return c;
}

static void chunks(uint32_t headroom)
{
	struct pp_xsk_chunk c, kept[PACKETS];
	unsigned int halves[2] = { 0 };
	int peer = peer_open(true);
	uint64_t seq, got;

	begin(2 * PAGE, 0, headroom);
	for (seq = 0; seq < 2 * PACKETS; seq++) {
		peer_send(peer, seq);
		c = receive_chunk(seq, headroom);
		halves[c.off / PAGE]++;
		pp_xsk_refill(xsk);
		if (seq & 1) {
			kept[seq / 2] = c;
			continue;
		}
		c.len += 4;
		CHECK(pp_xsk_tx_chunks(xsk, &c, 1) == 1);
		CHECK(peer_receive(peer, FRAME_LEN + 4) == seq);
		complete_all();
	}
	CHECK(halves[0] && halves[1]);
	/* nobody wrote into what we kept meanwhile */
	for (seq = 0; seq < PACKETS; seq++) {
		memcpy(&got, (char *)pp_xsk_chunk_data(&kept[seq]) + FRAME_SEQ, sizeof(got));
		CHECK(got == 2 * seq + 1);
	}
	pp_xsk_put_chunks(kept, PACKETS);
	CHECK(stats().tx_packets == PACKETS && stats().tx_bytes == PACKETS * (FRAME_LEN + 4));
	CHECK(!stats().comp_bad && !stats().rx_bad && !stats().kernel_tx_invalid);
	close(peer);
	CHECK(end() >= 32);
	printf("two chunks a page, headroom %u: %u packets in and out\n", headroom, PACKETS);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static unsigned int offer(unsigned int n)
{
	static struct pp_page *pages[PAGES];
	unsigned int i, k;

	CHECK(page_pool_alloc_bulk(pool, pages, n) == n);
	for (i = 0; i < n; i++) {
		pages[i]->len = FRAME_LEN;
		memset(pp_page_data(pages[i]), 0xff, FRAME_LEN);
	}
	k = pp_xsk_tx(xsk, pages, n);
	page_pool_put_bulk(pages + k, n - k);
	return k;
}

/* three times the ring; without the wait it takes what it holds */
static void waits(void)
{
	const unsigned int ring = 512, n = 3 * ring; /* as sock.c makes it */
	uint64_t from;

	begin(PAGE, 0, 0);
	CHECK(offer(n) == ring);
	complete_all();
	end();

	wait_ms = 10000;
	begin(PAGE, 0, 0);
	CHECK(offer(n) == n);
	complete_all();
	CHECK(stats().tx_packets == n && !stats().tx_dropped && !stats().comp_bad);
	end();

	/* nothing is sent while the interface is down: the call comes back */
	wait_ms = 50;
	begin(PAGE, 0, 0);
	run("ip link set " IF_XSK " down");
	from = now_ms();
	CHECK(offer(n) == ring);
	CHECK(now_ms() - from >= 50 && now_ms() - from < 5000);
	run("ip link set " IF_XSK " up");
	complete_all();
	CHECK(stats().tx_packets == ring);
	end();
	printf("waits: %u packets in one call\n", n);
}

static void gone(void)
{
	struct pp_page *pages[BURST];
	struct pp_xsk_stats st;
	int peer = peer_open(false);
	unsigned int i;

	begin(PAGE, 0, 0);
	for (i = 0; i < BURST; i++)
		peer_send(peer, i);
	CHECK(receive(pages, BURST) == BURST);
	run("ip link set " IF_XSK " down");
	CHECK(pp_xsk_tx(xsk, pages, BURST / 2) == BURST / 2);
	CHECK(pp_xsk_complete(xsk) == 0);
	CHECK(!stats().gone && stats().tx_out == BURST / 2 && !stats().tx_dropped);
	/* what waited goes out */
	run("ip link set " IF_XSK " up");
	complete_all();
	CHECK(stats().tx_packets == BURST / 2);
	run("ip link del " IF_XSK);
	CHECK(pp_xsk_tx(xsk, pages + BURST / 2, BURST / 2) == BURST / 2);
	CHECK(pp_xsk_complete(xsk) == 0);
	st = stats();
	CHECK(st.gone && st.kick_errors == 1 && st.tx_out == BURST / 2);
	CHECK(end() == st.posted + BURST / 2);
	st = stats();
	CHECK(st.tx_dropped == BURST / 2);
	close(peer);
	printf("down, up, gone: %llu frames reclaimed\n", (unsigned long long)st.reclaimed);
}

int main(int argc, char **argv)
{
	static const uint32_t flags[] = { 0, XDP_UMEM_UNALIGNED_CHUNK_FLAG };
	static const uint32_t headroom[] = { 0, 128, 1344 };
	unsigned int i;

	net_open(1);
	if (argc > 1 && !strcmp(argv[1], "gone")) {
		gone();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		waits();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "chunks")) {
		chunks(0);
		chunks(1344);
		return 0;
	}
	for (i = 0; i < 6; i++)
		addresses(flags[i / 3], headroom[i % 3]);
	return 0;
}
