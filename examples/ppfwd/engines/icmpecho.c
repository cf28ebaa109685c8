/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * icmpecho.c - answer ARP and ping for every address, drop the rest
 *
 * An answer is a packet of our own: it starts with a full TTL. A request that a host must
 * not answer (RFC 1122, 3.2.1 and 3.2.2) gets none: a damaged one, a dead one, and one
 * from or to more than one station.
 */
#include "engines/engine.h"
#include "engines/packet.h"

#define TTL 64

static const unsigned char arp_request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

/* not this network, not the sender itself, no group, no broadcast */
static bool is_station(const unsigned char *ip4)
{
	return ip4[0] && ip4[0] != 127 && ip4[0] < 224;
}

static bool answer_arp(const struct dir *d, const struct pp_packet *p)
{
	unsigned char *arp = p->data + p->l3;

	if (p->len - p->l3 < ARP_LEN || memcmp(arp, arp_request, 8) || arp[8] & 1)
		return false;
	if (!is_station(arp + 14) || !is_station(arp + 24))
		return false;
	/* an announcement of the sender's own address */
	if (!memcmp(arp + 14, arp + 24, 4))
		return false;
	arp[7] = 2;
	swap_bytes(arp + 14, arp + 24, 4);
	memcpy(arp + 18, arp + 8, 6);
	memcpy(arp + 8, d->src, 6);
	return true;
}

/* the sum over @len bytes, a checksum among them */
static bool sum_is_right(const unsigned char *at, unsigned int len)
{
	return pp_csum_fold(pp_csum_add(0, at, len)) == 0xffff;
}

static bool is_echo_request(const struct pp_packet *p)
{
	const unsigned char *ip = p->data + p->l3;
	const unsigned char *icmp = p->data + p->l4;

	if (p->ip != 4 || p->proto != PROTO_ICMP || !p->l4 || p->flags || p->end - p->l4 < ICMP_LEN)
		return false;
	if (p->data[0] & 1 || !is_station(ip + 12) || !is_station(ip + 16))
		return false;
	return icmp[0] == 8 && !icmp[1] && ip[8] && sum_is_right(ip, p->l4 - p->l3) &&
	       sum_is_right(icmp, p->end - p->l4);
}

static bool answer_echo(const struct pp_packet *p)
{
	unsigned char *ip = p->data + p->l3;
	unsigned char *icmp = p->data + p->l4;

	if (!is_echo_request(p))
		return false;
	swap_bytes(ip + 12, ip + 16, 4);
	ip[8] = TTL;
	icmp[0] = 0;
	pp_packet_fix_ip(p);
	pp_csum_fix(icmp + 2, pp_csum_add(0, icmp, p->end - p->l4), false);
	return true;
}

static bool answer_packet(const struct dir *d, struct pp_page *page)
{
	struct pp_packet p;

	if (!packet_parse(&p, page))
		return false;
	if (p.data[6] & 1) /* a group cannot be the sender */
		return false;
	if (p.etype == ETYPE_ARP ? !answer_arp(d, &p) : !answer_echo(&p))
		return false;
	memcpy(p.data, p.data + 6, 6);
	memcpy(p.data + 6, d->src, 6);
	return true;
}

static unsigned int icmpecho_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	struct pp_page *drop[PP_BURST_MAX];
	unsigned int i, kept = 0, dropped = 0;

	for (i = 0; i < n; i++) {
		packet_prefetch(pages, i, n);
		if (answer_packet(d, pages[i]))
			pages[kept++] = pages[i];
		else
			drop[dropped++] = pages[i];
	}
	page_pool_put_bulk(drop, dropped);
	return kept;
}

const struct engine engine_icmpecho = {
	.name = "icmpecho",
	.help = "answer ARP and ICMP echo requests for every address, drop the rest",
	.burst = icmpecho_burst,
};
