/* SPDX-License-Identifier: BSD-3-Clause */
/* traffic.c - make packets, at a pace */
#include "common/clock.h"
#include "engines/engine.h"
#include "engines/packet.h"

#define ETYPE_VLAN  0x8100u
#define STALL_NS    (NS_PER_S / 2) /* of time lost to others, this much is made up for */
#define RANDOM_PLUS 0x9e3779b97f4a7c15u

static const uint32_t imix[] = { 64, 594, 64, 64, 594, 64, 594, 64, 64, 594, 64, 1518 };

#define IMIX (sizeof(imix) / sizeof(imix[0]))

static unsigned int l3_of(const struct traffic *t)
{
	return t->vlan == VLAN_NONE ? ETH_LEN : ETH_LEN + 4;
}

/* the bytes that all packets share */
static void write_frame(unsigned char *frame, const struct dir *d, const struct traffic *t)
{
	unsigned char *ip = frame + l3_of(t);

	memset(frame, 0, TRAFFIC_HEADERS);
	memcpy(frame, d->dst, 6);
	memcpy(frame + 6, d->src, 6);
	if (t->vlan != VLAN_NONE) {
		put16(frame + 12, ETYPE_VLAN);
		put16(frame + 14, (uint16_t)t->vlan);
	}
	put16(ip - 2, ETYPE_IP4);
	ip[0] = 0x45;
	ip[8] = 64;
	ip[9] = PROTO_UDP;
	ip[12] = ip[16] = 198;
	ip[13] = 18;
	ip[17] = 19;
}

/* addresses, ports, lengths and checksums; the payload is zero and adds nothing to a sum */
static void write_flow(unsigned char *frame, unsigned int l3, uint32_t flow, uint32_t size)
{
	struct pp_packet p = { .data = frame, .l3 = l3, .ip = 4, .proto = PROTO_UDP };
	unsigned char *ip = frame + l3, *udp = ip + IP4_LEN;
	uint32_t len = size - l3 - IP4_LEN;
	uint16_t sum;

	put16(ip + 2, (uint16_t)(size - l3));
	put16(ip + 14, (uint16_t)(1 + flow));
	put16(ip + 18, (uint16_t)(1 + flow));
	put16(ip + 10, 0);
	sum = (uint16_t)~pp_csum_fold(pp_csum_add(0, ip, IP4_LEN));
	memcpy(ip + 10, &sum, 2);
	put16(udp, (uint16_t)(1024 + flow));
	put16(udp + 2, (uint16_t)(5000 + flow % 16));
	put16(udp + 4, (uint16_t)len);
	put16(udp + 6, 0);
	sum = (uint16_t)~pp_csum_fold(pp_csum_add(pp_packet_pseudo(&p, len), udp, UDP_LEN));
	if (!sum)
		sum = 0xffff;
	memcpy(udp + 6, &sum, 2);
}

static uint32_t random_number(struct generator *g)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return (uint32_t)(g->random >> 32);
}

/* the next of @n choices: in turn, or drawn */
static inline uint32_t choose_one(struct generator *g, const struct traffic *t, uint32_t *turn,
				  uint32_t n)
{
	uint32_t now = *turn;

	if (t->seed)
		return random_number(g) % n;
	*turn = now + 1 < n ? now + 1 : 0;
	return now;
}

/* make @g->frame the next packet's */
static inline void next_frame(struct generator *g, const struct traffic *t, uint32_t flows)
{
	uint32_t flow = choose_one(g, t, &g->next_flow, flows), size = t->size_min;

	if (t->imix)
		size = imix[choose_one(g, t, &g->next_size, IMIX)];
	else if (t->size_max != size)
		size += choose_one(g, t, &g->next_size, t->size_max - size + 1);
	if (flow == g->flow && size == g->size)
		return;
	g->flow = flow;
	g->size = size;
	write_flow(g->frame, l3_of(t), flow, size);
}

void traffic_init(struct dir *d)
{
	const struct traffic *t = d->traffic;
	struct generator *g = &d->gen;
	unsigned int i;

	*g = (struct generator){
		.random = (t->seed + d->in_port) * RANDOM_PLUS + d->in->index + 1,
		.flow = UINT32_MAX,
	};
	/* seeds that differ little begin alike */
	for (i = 0; i < 16; i++)
		random_number(g);
	write_frame(g->frame, d, t);
}

/*
 * Packets that may leave now. A wait for the CPU of up to STALL_NS is made up for.
 */
static unsigned int packets_due(struct generator *g, const struct traffic *t, unsigned int n)
{
	uint64_t now = now_ns();
	double due, unit = t->bits ? 8 * t->size_min : 1;

	if (!g->start)
		g->start = now;
	due = (double)(now - g->start) * t->rate / 1e9 - g->sent;
	if (due > t->rate * STALL_NS / 1e9) {
		g->start = now;
		g->sent = 0;
		due = 0;
	}
	due /= unit;
	return due < 0 ? 0 : due + 1 < n ? (unsigned int)due + 1 : n;
}

static inline void fill_page(struct pp_page *page, const struct generator *g)
{
	unsigned char *to = pp_page_put_tail(page, g->size);

	page->tstamp = PP_TSTAMP_NONE; /* not that of the packet that the page had before */
	if (!to) /* sizes are limited so that they always fit */
		return;
	memcpy(to, g->frame, TRAFFIC_HEADERS);
	if (g->size > TRAFFIC_HEADERS)
		memset(to + TRAFFIC_HEADERS, 0, g->size - TRAFFIC_HEADERS);
}

unsigned int traffic_generate(struct dir *d, struct pp_page **pages, unsigned int n)
{
	const struct traffic *t = d->traffic;
	uint32_t flows = t->flows ? t->flows : d->engine->flows ? d->engine->flows : 1;
	struct generator *g = &d->gen;
	uint64_t bytes = 0;
	unsigned int i;

	if (t->rate > 0)
		n = packets_due(g, t, n);
	n = page_pool_alloc_bulk(d->out->pool, pages, n);
	for (i = 0; i < n; i++) {
		next_frame(g, t, flows);
		fill_page(pages[i], g);
		bytes += g->size;
		if (t->mark && ++g->unmarked >= t->mark) {
			g->unmarked = 0;
			latency_mark(pp_page_data(pages[i]), l3_of(t), g->size);
		}
	}
	g->sent += t->bits ? 8 * (double)bytes : n;
	return n;
}
