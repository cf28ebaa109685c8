/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.c - see packet.h
 */
#include "packet.h"

#define VLAN_TAGS_MAX	4u
#define EXT_HEADERS_MAX 16u /* a packet full of empty headers must not hold the worker up */

#define IP6_HOPOPTS  0u
#define IP6_ROUTING  43u
#define IP6_FRAGMENT 44u
#define IP6_AH	     51u
#define IP6_DSTOPTS  60u

static void parse_ip4(struct packet *p)
{
	const unsigned char *ip = p->data + p->l3;
	unsigned int room = p->len - p->l3;
	unsigned int hlen, total, frag;

	if (room < IP4_LEN || ip[0] >> 4 != 4)
		return;
	hlen = (ip[0] & 15u) * 4;
	total = get16(ip + 2);
	if (hlen < IP4_LEN || hlen > room || total < hlen)
		return;
	p->ip = 4;
	p->proto = ip[9];
	p->whole = total <= room;
	p->end = p->l3 + (p->whole ? total : room);
	frag = get16(ip + 6);
	if (frag & 0x3fff)
		p->whole = false;
	if (!(frag & 0x1fff))
		p->l4 = p->l3 + hlen;
}

/* length of the IPv6 extension header of type @type at @at, 0 if it is none of these */
static unsigned int ext_len(unsigned int type, const unsigned char *at)
{
	switch (type) {
	case IP6_HOPOPTS:
	case IP6_ROUTING:
	case IP6_DSTOPTS:
		return (at[1] + 1u) * 8;
	case IP6_AH:
		return (at[1] + 2u) * 4;
	case IP6_FRAGMENT:
		return 8;
	}
	return 0;
}

/* false: what follows @at, a header of type @type, is not the start of a transport header */
static bool ext_check(struct packet *p, unsigned int type, const unsigned char *at)
{
	if (type == IP6_ROUTING && at[3]) /* the pseudo header has the last hop's address */
		p->whole = false;
	if (type != IP6_FRAGMENT)
		return true;
	if (get16(at + 2) & 0xfff9)
		p->whole = false;
	return !(get16(at + 2) & 0xfff8);
}

static void parse_ip6(struct packet *p)
{
	const unsigned char *ip = p->data + p->l3;
	unsigned int room = p->len - p->l3;
	unsigned int at = p->l3 + IP6_LEN;
	unsigned int type, len, i;

	if (room < IP6_LEN || ip[0] >> 4 != 6)
		return;
	p->ip = 6;
	len = IP6_LEN + get16(ip + 4);
	p->whole = len <= room;
	p->end = p->l3 + (p->whole ? len : room);
	type = ip[6];
	for (i = 0; i < EXT_HEADERS_MAX; i++) {
		if (at + 8 > p->end) /* the shortest of these headers, and ports, take 8 */
			return;
		len = ext_len(type, p->data + at);
		if (!len) {
			p->proto = type;
			p->l4 = at;
			return;
		}
		if (!ext_check(p, type, p->data + at))
			return;
		type = p->data[at];
		at += len;
	}
}

bool packet_parse(struct packet *p, struct pp_page *page)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->data = pp_page_data(page);
	p->len = page->len;
	if (p->len < ETH_LEN)
		return false;
	p->l3 = ETH_LEN;
	p->etype = get16(p->data + 12);
	for (i = 0; i < VLAN_TAGS_MAX && (p->etype == ETYPE_VLAN || p->etype == ETYPE_QINQ); i++) {
		if (p->l3 + 4 > p->len) {
			p->etype = 0;
			return true;
		}
		p->etype = get16(p->data + p->l3 + 2);
		p->l3 += 4;
	}
	if (p->etype == ETYPE_IP4)
		parse_ip4(p);
	else if (p->etype == ETYPE_IP6)
		parse_ip6(p);
	return true;
}

uint64_t sum16(uint64_t sum, const unsigned char *data, unsigned int len)
{
	unsigned char last[4] = { 0 };
	uint32_t word;

	/* 32-bit words fold to the same 16 bits, and 2^32 of them fit */
	for (; len >= 4; len -= 4, data += 4) {
		memcpy(&word, data, 4);
		sum += word;
	}
	memcpy(last, data, len);
	memcpy(&word, last, 4);
	return sum + word;
}

uint16_t sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

uint64_t pseudo_sum(const struct packet *p, unsigned int len)
{
	unsigned char tail[8] = { 0 };
	const unsigned char *ip = p->data + p->l3;

	put16(tail, (uint16_t)(len >> 16));
	put16(tail + 2, (uint16_t)len);
	tail[7] = (unsigned char)p->proto;
	if (p->ip == 4)
		return sum16(sum16(0, ip + 12, 8), tail, 8);
	return sum16(sum16(0, ip + 8, 32), tail, 8);
}
