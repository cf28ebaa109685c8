/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * icmpecho.c - answer ARP and ping for every address, drop the rest
 */
#include "engine.h"
#include "packet.h"

static const unsigned char arp_request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

static bool answer_arp(const struct dir *d, const struct packet *p)
{
	static const unsigned char none[4];
	unsigned char *arp = p->data + p->l3;

	if (p->len - p->l3 < ARP_LEN || memcmp(arp, arp_request, 8))
		return false;
	/* whoever asks for an address to see that nobody has it must get no answer */
	if (!memcmp(arp + 14, none, 4) || !memcmp(arp + 14, arp + 24, 4))
		return false;
	arp[7] = 2;
	swap_bytes(arp + 14, arp + 24, 4);
	memcpy(arp + 18, arp + 8, 6);
	memcpy(arp + 8, d->src, 6);
	return true;
}

static bool answer_echo(const struct packet *p)
{
	unsigned char *ip = p->data + p->l3;
	unsigned char *icmp = p->data + p->l4;
	uint32_t sum;

	if (p->proto != PROTO_ICMP || !p->l4 || !p->whole || p->end - p->l4 < ICMP_LEN)
		return false;
	/* one station, not a group, may answer */
	if (icmp[0] != 8 || icmp[1] || ip[16] >= 224)
		return false;
	swap_bytes(ip + 12, ip + 16, 4);
	icmp[0] = 0;
	/* taking 0x0800 out of the sum adds it to the complement: a wrong checksum stays wrong */
	sum = get16(icmp + 2) + 0x0800u;
	put16(icmp + 2, (uint16_t)(sum + (sum >> 16)));
	return true;
}

static bool answer(const struct dir *d, struct pp_page *page)
{
	struct packet p;

	if (!packet_parse(&p, page))
		return false;
	if (p.data[6] & 1) /* a group cannot be the sender */
		return false;
	if (p.etype == ETYPE_ARP ? !answer_arp(d, &p) : p.ip != 4 || !answer_echo(&p))
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
		if (answer(d, pages[i]))
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
