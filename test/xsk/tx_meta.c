/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx_meta.c - TX metadata on a real kernel: where it looks for them, and what it does
 *
 *   xsk_tx_meta native|skb
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/if_packet.h>

#include <pagepool/memory.h>

#include "xsk/uapi.h"

#include "sock.h"

#define PAGES	1024u
#define PAGE	2048u
#define PACKETS 64u
#define OFF	256u

static struct sock sock;
static struct pp_xsk *xsk;
static struct page_pool *pool;
static struct pp_zone *zone;
static uint32_t ifindex; /* for pp_xsk_create() to ask */

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

static void begin(uint32_t pp_flags, uint32_t metadata, uint32_t umem_flags)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = PAGES, .page_size = PAGE };
	struct page_pool_params pp = { .sz = sizeof(pp) };
	struct pp_xsk_params xp;

	pp.zone = zone = pp_zone_create(&zp);
	if (!zone || pp_zone_pin(zone))
		die("memory");
	sock = (struct sock){ .tx_metadata_len = metadata };
	sock_open(&sock, zone, umem_flags, 0, -1);
	sock_bind(&sock, IF_XSK, 0, -1);
	xp = sock_params(&sock);
	xp.pool = pool = page_pool_create(&pp);
	xp.flags = pp_flags;
	xp.ifindex = ifindex;
	xsk = pp_xsk_create(&xp);
	if (!xsk)
		die("use pages at the socket");
}

static void end(void)
{
	struct pp_audit audit = { .sz = sizeof(audit) };

	sock_close(&sock);
	pp_xsk_destroy(xsk);
	page_pool_destroy(pool);
	CHECK(!pp_zone_audit(zone, &audit) && !audit.leaked && !audit.double_free);
	pp_zone_unpin(zone);
	CHECK(!pp_zone_destroy(zone));
}

static uint64_t now_tai(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_TAI, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* a frame of UDP over IPv4 as peer_send() makes it, without a checksum of UDP's */
static struct pp_page *packet(uint64_t seq)
{
	static const unsigned char head[] = {
		2,  0, 0, 0,  0, 1,  2, 0, 0,  0,  0, 2, 8,  0, /* Ethernet */
		69, 0, 0, 46, 0, 0,  0, 0, 64, 17, 0, 0, 10, 7, 7, 1, 10, 7, 7, 2, /* IPv4 */
		0,  1, 0, 9,  0, 26, 0, 1, /* UDP */
	};
	struct pp_page *page = page_pool_alloc_pages(pool);
	unsigned char *data;

	CHECK(page);
	page->data_off = OFF;
	page->len = FRAME_LEN;
	/* what the last user left in front: no request, and no answer */
	memset((char *)page->addr, 0xff, OFF);
	data = pp_page_data(page);
	memset(data, 0, FRAME_LEN);
	memcpy(data, head, sizeof(head));
	memcpy(data + FRAME_SEQ, &seq, sizeof(seq));
	return page;
}

static void complete_all(void)
{
	unsigned int tries;

	for (tries = 0; stats().tx_out && tries < 5000; tries++)
		if (!pp_xsk_complete(xsk))
			usleep(1000);
	CHECK(!stats().tx_out);
}

/* of every length the kernel finds the request, and the engine the answer */
static void places(void)
{
	static const uint32_t lens[] = { 16, 24, 32, 248 };
	uint64_t from;
	struct pp_page *page;
	unsigned int i, k;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		begin(PP_XSK_TX_TSTAMP | PP_XSK_TX_CSUM, lens[i], 0);
		from = now_tai();
		for (k = 0; k < PACKETS; k++) {
			page = packet(k);
			CHECK(pp_xsk_tx(xsk, &page, 1) == 1);
		}
		complete_all();
		CHECK(stats().tx_packets == PACKETS && stats().tx_tstamps == PACKETS);
		CHECK(stats().tx_tstamp_last >= from && stats().tx_tstamp_last <= now_tai());
		CHECK(!stats().comp_bad && !stats().kernel_tx_invalid && !stats().kick_errors);
		end();
	}
	printf("metadata of 16 to 248 bytes: %u times each\n", PACKETS);
}

/* when the far end received a frame of ours, and which; a veth hands on the time to send at */
static uint64_t peer_time(int peer, uint64_t *seq)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	unsigned char frame[PAGE];
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct timespec ts;

	CHECK(recvmsg(peer, &msg, 0) == FRAME_LEN);
	CHECK(control.head.cmsg_type == SO_TIMESTAMPNS);
	memcpy(&ts, CMSG_DATA(&control.head), sizeof(ts));
	memcpy(seq, frame + FRAME_SEQ, sizeof(*seq));
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int peer_with_times(void)
{
	const int one = 1;
	int peer = peer_open(true);

	CHECK(!setsockopt(peer, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)));
	CHECK(!setsockopt(peer, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)));
	return peer;
}

/* every other packet has a time to leave at, in the far future; alone, and with other requests */
static void launch(uint32_t others, uint32_t metadata)
{
	const uint64_t future = 4000000000ull * 1000000000;
	int peer = peer_with_times();
	struct pp_page *page;
	uint64_t i, seq, at;

	begin(PP_XSK_TX_LAUNCH | others, metadata, 0);
	for (i = 0; i < PACKETS; i++) {
		page = packet(i);
		page->tstamp = i & 1 ? future + i : PP_TSTAMP_NONE;
		CHECK(pp_xsk_tx(xsk, &page, 1) == 1);
		at = peer_time(peer, &seq);
		CHECK(seq == i);
		CHECK(i & 1 ? at == future + i : at < future);
	}
	complete_all();
	CHECK(stats().tx_packets == PACKETS && !stats().kernel_tx_invalid && !stats().kick_errors);
	CHECK(stats().tx_tstamps == (others & PP_XSK_TX_TSTAMP ? PACKETS : 0));
	close(peer);
	end();
	printf("launch times with %#x, %u bytes: %u packets\n", others, metadata, PACKETS);
}

/* the sum over the pseudo header and UDP as they arrived: 0xffff if the checksum is right */
static uint32_t udp_sum(const unsigned char *frame)
{
	const unsigned char *ip = frame + 14;
	uint32_t sum = 17 + 26, i;

	for (i = 12; i < 20 + 26; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* the far end of a veth gets unfinished checksums, or with XDP_UMEM_TX_SW_CSUM finished ones */
static void sums(uint32_t umem_flags)
{
	unsigned char frame[PAGE];
	struct pp_page *page;
	int peer = peer_with_times();
	uint64_t i;

	begin(PP_XSK_TX_CSUM, 16, umem_flags);
	for (i = 0; i < PACKETS; i++) {
		page = packet(i);
		CHECK(pp_xsk_tx(xsk, &page, 1) == 1);
		CHECK(recv(peer, frame, sizeof(frame), 0) == FRAME_LEN);
		CHECK((udp_sum(frame) == 0xffff) == (umem_flags != 0));
	}
	complete_all();
	CHECK(stats().tx_packets == PACKETS && !stats().kernel_tx_invalid && !stats().kick_errors);
	close(peer);
	end();
}

/* in copy mode the kernel does both; a veth launches nothing */
static void offers(void)
{
	const uint32_t both = PP_XSK_TX_CSUM | PP_XSK_TX_TSTAMP;

	ifindex = if_nametoindex(IF_XSK);
	begin(both | PP_XSK_TX_LAUNCH, 24, 0);
	CHECK(pp_xsk_tx_offers(sock.fd, ifindex) == both);
	CHECK(pp_xsk_flags(xsk) == both);
	end();
	ifindex = 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 || (strcmp(argv[1], "native") && strcmp(argv[1], "skb"))) {
		fprintf(stderr, "usage: xsk_tx_meta native|skb\n");
		return 2;
	}
	net_open_in(1, strcmp(argv[1], "skb") ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	places();
	launch(0, 24);
	launch(PP_XSK_TX_TSTAMP | PP_XSK_TX_CSUM, 24);
	launch(PP_XSK_TX_TSTAMP, 64);
	sums(0);
	sums(XDP_UMEM_TX_SW_CSUM);
	offers();
	return 0;
}
