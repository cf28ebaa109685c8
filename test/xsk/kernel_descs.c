/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_descs.c - see kernel.c: descriptors that the kernel refuses, between some that it sends */
#include <string.h>
#include <sys/socket.h>

#include "kernel.h"

/*
 * Straight into the TX ring, since pp_xsk_tx() refuses what the kernel would; between them packets
 * that are right. The pages are those of the zone's end, which the pool has not.
 */
struct raw {
	int64_t addr; /* negative: from the UMEM's end */
	uint32_t len;
	bool more;
	bool valid; /* as a packet: of several, in the last */
};

static void raw_sends(const struct raw *raw, unsigned int n)
{
	struct pp_xsk_ring *tx = &w.sock.rings[RING_TX];
	const uint64_t size = pp_zone_pages(w.zone) * pp_zone_page_size(w.zone);
	struct xdp_desc *desc = tx->ring;
	struct pp_xsk_ring *comp = &w.sock.rings[RING_COMP];
	unsigned int i, valid = 0, descs = 0, first = 0;
	struct xdp_statistics st;
	socklen_t len = sizeof(st);
	unsigned char frame[FRAME_MAX];

	for (i = 0; i < n; i++)
		desc[(*tx->producer + i) % tx->size] =
			(struct xdp_desc){ raw[i].addr < 0 ? size + (uint64_t)raw[i].addr
							   : (uint64_t)raw[i].addr,
					   raw[i].len, raw[i].more ? XDP_PKT_CONTD : 0 };
	__atomic_store_n(tx->producer, *tx->producer + n, __ATOMIC_RELEASE);
	for (i = 0; i < 1000 && __atomic_load_n(tx->consumer, __ATOMIC_ACQUIRE) != *tx->producer;
	     i++)
		(void)!sendto(w.sock.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
	CHECK(__atomic_load_n(tx->consumer, __ATOMIC_ACQUIRE) == *tx->producer);
	for (i = 0; i < n; i++) {
		if (raw[i].more)
			continue;
		if (raw[i].valid)
			valid++;
		else
			descs += i + 1 - first;
		first = i + 1;
	}
	for (i = 0; i < valid; i++)
		CHECK(recv(w.peer, frame, sizeof(frame), 0) > 0);
	CHECK(recv(w.peer, frame, sizeof(frame), MSG_DONTWAIT) < 0);
	CHECK(!getsockopt(w.sock.fd, SOL_XDP, XDP_STATISTICS, &st, &len));
	CHECK(st.tx_invalid_descs && st.tx_invalid_descs <= descs);
	printf("%u packets sent, %llu wrong descriptors of %u in wrong packets\n", valid,
	       (unsigned long long)st.tx_invalid_descs, descs);
	/* the engine has sent none of these, and takes no completion for its own */
	pp_xsk_complete(w.xsk);
	CHECK(!stats().tx_packets && !stats().tx_out);
	CHECK(*comp->producer == *comp->consumer);
}

static void raw_case(const struct setting *s, const struct raw *raw, unsigned int n)
{
	begin(s);
	raw_sends(raw, n);
	w.raw = true;
	end();
}

#define RAWS(set, ...)                                     \
	raw_case(set, (const struct raw[]){ __VA_ARGS__ }, \
		 sizeof((const struct raw[]){ __VA_ARGS__ }) / sizeof(struct raw))

static void aligned(uint32_t size)
{
	const int64_t s = size;

	RAWS(&((struct setting){ .page_size = size }), { 256, LEN, false, true }, /* right */
	     { s - 8, LEN, false, false }, /* over the end of its chunk */
	     { -8, LEN, false, false }, /* and of the UMEM */
	     { -(int64_t)LEN, LEN, false, true }, /* up to the end */
	     { (int64_t)1 << 40, LEN, false, false }, { 0, size + 1, false, false },
	     { 2 * s, LEN, false, true });
}

void aligned_inv(void)
{
	aligned(4096);
}

void aligned_inv_2k(void)
{
	aligned(2048);
}

static void unaligned(uint32_t chunk)
{
	RAWS(&((struct setting){ .pp_flags = PP_XSK_UNALIGNED, .chunk_size = chunk }),
	     { 256, LEN, false, true }, { 4096 - 8, LEN, false, true }, /* pages lie side by side */
	     { -8, LEN, false, false }, { -(int64_t)LEN, LEN, false, true },
	     { (int64_t)1 << 40, LEN, false, false }, { 0, chunk + 1, false, false },
	     { 8192 + 5, LEN, false, true });
}

void unaligned_inv(void)
{
	unaligned(4096);
}

void unaligned_inv_4001(void)
{
	unaligned(4001);
}

static void inv_multi(uint32_t flags)
{
	RAWS(&((struct setting){ .pp_flags = PP_XSK_SG | flags }), { 256, LEN, true, false },
	     { 4096 + 256, LEN, false, true }, { 256, LEN, true, false },
	     { (int64_t)1 << 40, LEN, true, false }, /* the middle of three */
	     { 8192, LEN, false, false }, { 256, LEN, true, false }, { 4096, LEN, true, false },
	     { 8192, LEN, false, true }, { 256, LEN, true, false }, { -8, LEN, false, false },
	     { 256, LEN, false, true });
}

void aligned_inv_multi(void)
{
	inv_multi(0);
}

void unaligned_inv_multi(void)
{
	inv_multi(PP_XSK_UNALIGNED);
}

/* the most that the kernel sends, and one more: by the engine, and past it */
void too_many_frags(void)
{
	struct pp_page *head, *page;
	struct raw raw[40];
	unsigned int i, n;

	begin(&(struct setting){ .pp_flags = PP_XSK_SG });
	for (n = PP_XSK_PAGES_MAX; n <= PP_XSK_PAGES_MAX + 1; n++) {
		head = packet(n, LEN);
		for (i = 1; i < n; i++) {
			page = packet(n, LEN);
			page->next = head->next;
			head->next = page;
		}
		CHECK(pp_xsk_tx(w.xsk, &head, 1) == 1);
	}
	complete_all();
	CHECK(stats().tx_packets == 1 && stats().tx_dropped == 1 && !stats().kernel_tx_invalid);
	end();
	for (i = 0; i < 39; i++)
		raw[i] = (struct raw){ i * 4096, LEN, i != 17 && i != 36 && i < 37, true };
	raw[36].valid = false; /* 19 of them */
	raw[37].more = raw[38].more = false;
	raw_case(&(struct setting){ .pp_flags = PP_XSK_SG }, raw, 39);
}
