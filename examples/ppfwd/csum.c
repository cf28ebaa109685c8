/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csum.c - compute IPv4, TCP and UDP checksums in software, and count the wrong ones
 *
 * Fragments, packets cut short and IPv6 packets with a routing header that is
 * not used up yet keep their transport checksum: it covers what is not there.
 */
#include "engine.h"
#include "packet.h"

/* the checksum field @field, in memory order, is part of what was summed up */
static bool set_checksum(unsigned char *field, uint64_t sum, bool udp)
{
	uint16_t old, new;

	if (sum_fold(sum) == 0xffff)
		return true;
	memcpy(&old, field, 2);
	/* ones' complement: adding the complement takes the old value out */
	new = (uint16_t)~sum_fold(sum + (uint16_t)~old);
	if (udp && !new) /* 0 says "no checksum" */
		new = 0xffff;
	memcpy(field, &new, 2);
	return false;
}

static void check_l4(struct dir *d, const struct packet *p)
{
	unsigned char *l4 = p->data + p->l4;
	unsigned int len = p->end - p->l4;
	unsigned char *field;
	bool udp = p->proto == PROTO_UDP;

	if (udp) {
		if (len < UDP_LEN || get16(l4 + 4) < UDP_LEN || get16(l4 + 4) > len)
			return;
		len = get16(l4 + 4);
		field = l4 + 6;
		if (p->ip == 4 && !get16(field)) /* the sender wanted none */
			return;
	} else {
		if (p->proto != PROTO_TCP || len < TCP_LEN)
			return;
		field = l4 + 16;
	}
	if (!set_checksum(field, sum16(pseudo_sum(p, len), l4, len), udp))
		counter_add(&d->bad_l4, 1);
}

static void check_packet(struct dir *d, struct pp_page *page)
{
	unsigned char *ip;
	struct packet p;

	if (!packet_parse(&p, page))
		return;
	ip = p.data + p.l3;
	if (p.ip == 4 && !set_checksum(ip + 10, sum16(0, ip, (ip[0] & 15u) * 4), false))
		counter_add(&d->bad_ip, 1);
	if (p.ip && p.l4 && p.whole)
		check_l4(d, &p);
}

static unsigned int csum_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		packet_prefetch(pages, i, n);
		check_packet(d, pages[i]);
	}
	return n;
}

const struct engine engine_csum = {
	.name = "csum",
	.help = "compute IPv4, TCP and UDP checksums, count the wrong ones",
	.paired = true,
	.burst = csum_burst,
};
