/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.c - the parser of Ethernet frames, see pagepool/packet.h
 *
 * Loads and stores go by bytes or through memcpy(), because headers behind a 14-byte Ethernet
 * header are not aligned.
 */
#include <pagepool/packet.h>

#define ETH_LEN	 14u
#define IP4_LEN	 20u
#define IP6_LEN	 40u
#define TCP_LEN	 20u
#define UDP_LEN	 8u
#define TAGS_MAX 8u
#define EXT_MAX	 16u /* a packet full of empty headers must not hold its thread up */

#define ETYPE_IP4 0x0800u
#define ETYPE_IP6 0x86ddu

#define PROTO_HOPOPTS  0u
#define PROTO_TCP      6u
#define PROTO_UDP      17u
#define PROTO_ROUTING  43u
#define PROTO_FRAGMENT 44u
#define PROTO_AH       51u
#define PROTO_DSTOPTS  60u

#define OPT4_END  0u
#define OPT4_NOP  1u
#define OPT4_LSRR 131u
#define OPT4_SSRR 137u
#define OPT6_PAD1 0u
#define OPT6_HOME 201u

static inline uint16_t get16(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* A route is used up once its pointer is behind it; options that do not parse may hide one. */
static __attribute__((noinline)) bool ip4_is_routed(const unsigned char *ip, uint32_t hlen)
{
	uint32_t at, len;

	for (at = IP4_LEN; at < hlen && ip[at] != OPT4_END; at += len) {
		len = 1;
		if (ip[at] == OPT4_NOP)
			continue;
		if (at + 2 > hlen)
			return true;
		len = ip[at + 1];
		if (len < 2 || at + len > hlen)
			return true;
		if (ip[at] != OPT4_LSRR && ip[at] != OPT4_SSRR)
			continue;
		if (len < 3 || ip[at + 2] <= len)
			return true;
	}
	return false;
}

static void parse_ip4(struct pp_packet *p)
{
	const unsigned char *ip = p->data + p->l3;
	uint32_t room = p->len - p->l3, hlen, len, frag;

	if (room < IP4_LEN || ip[0] >> 4 != 4)
		return;
	hlen = (ip[0] & 15u) * 4;
	len = get16(ip + 2);
	if (hlen < IP4_LEN || hlen > room || len < hlen)
		return;
	p->ip = 4;
	p->proto = ip[9];
	p->end = p->l3 + len;
	if (p->end > p->total) {
		p->end = p->total;
		p->flags |= PP_PACKET_CUT;
	}
	if (hlen > IP4_LEN && ip4_is_routed(ip, hlen))
		p->flags |= PP_PACKET_ROUTED;
	frag = get16(ip + 6);
	if (frag & 0x3fff)
		p->flags |= PP_PACKET_FRAGMENT;
	if (!(frag & 0x1fff))
		p->l4 = p->l3 + hlen;
}

/* length of the IPv6 extension header of type @type at @at, 0 if it is none of these */
static uint32_t ext_len(uint8_t type, const unsigned char *at)
{
	switch (type) {
	case PROTO_HOPOPTS:
	case PROTO_ROUTING:
	case PROTO_DSTOPTS:
		return (at[1] + 1u) * 8;
	case PROTO_AH:
		return (at[1] + 2u) * 4;
	case PROTO_FRAGMENT:
		return 8;
	}
	return 0;
}

/* true: a home address is among the @len bytes of options, or may be, and the sum covers it */
static bool ip6_has_home(const unsigned char *opts, uint32_t len)
{
	uint32_t at, n;

	for (at = 2; at < len; at += n) {
		n = 1;
		if (opts[at] == OPT6_PAD1)
			continue;
		if (opts[at] == OPT6_HOME || at + 2 > len)
			return true;
		n = 2u + opts[at + 1];
		if (at + n > len)
			return true;
	}
	return false;
}

/* false: behind the header of type @type at @at no transport header begins */
static bool ext_check(struct pp_packet *p, uint8_t type, const unsigned char *at, uint32_t len)
{
	if (type == PROTO_ROUTING && at[3]) /* hops left: the sum is over the last one's address */
		p->flags |= PP_PACKET_ROUTED;
	if (type == PROTO_DSTOPTS && ip6_has_home(at, len))
		p->flags |= PP_PACKET_ROUTED;
	if (type != PROTO_FRAGMENT)
		return true;
	if (get16(at + 2) & 0xfff9)
		p->flags |= PP_PACKET_FRAGMENT;
	return !(get16(at + 2) & 0xfff8);
}

/* extension headers from @at on, and the transport header behind them */
static void parse_ext(struct pp_packet *p, uint8_t type, uint32_t at)
{
	uint32_t limit = p->end < p->len ? p->end : p->len, len, i;

	for (i = 0; i <= EXT_MAX; i++) {
		if (at + 8 > limit) /* the shortest of these headers, and of UDP, take 8 */
			break;
		len = ext_len(type, p->data + at);
		p->proto = type;
		if (!len) {
			p->l4 = at;
			return;
		}
		if (i == EXT_MAX || at + len > limit || !ext_check(p, type, p->data + at, len))
			break;
		type = p->data[at];
		at += len;
	}
}

static void parse_ip6(struct pp_packet *p)
{
	const unsigned char *ip = p->data + p->l3;

	if (p->len - p->l3 < IP6_LEN || ip[0] >> 4 != 6)
		return;
	p->ip = 6;
	p->end = p->l3 + IP6_LEN + get16(ip + 4);
	if (p->end > p->total) {
		p->end = p->total;
		p->flags |= PP_PACKET_CUT;
	}
	parse_ext(p, ip[6], p->l3 + IP6_LEN);
}

static inline bool is_tag(uint16_t etype)
{
	return etype == 0x8100 || etype == 0x88a8 || etype == 0x9100 || etype == 0x9200;
}

/* The frame may end among the tags. */
static void skip_tags(struct pp_packet *p)
{
	uint32_t i;

	for (i = 0; i < TAGS_MAX && is_tag(p->etype); i++) {
		if (p->l3 + 4 > p->len) {
			p->etype = 0;
			return;
		}
		p->etype = get16(p->data + p->l3 + 2);
		p->l3 += 4;
	}
}

bool pp_packet_parse(struct pp_packet *p, void *data, uint32_t len, uint32_t total)
{
	*p = (struct pp_packet){ .data = data, .len = len, .total = total, .l3 = ETH_LEN };
	if (len < ETH_LEN)
		return false;
	p->etype = get16(p->data + 12);
	if (p->etype != ETYPE_IP4)
		skip_tags(p);
	if (p->etype == ETYPE_IP4)
		parse_ip4(p);
	else if (p->etype == ETYPE_IP6)
		parse_ip6(p);
	return true;
}

uint32_t pp_packet_csum_at(const struct pp_packet *p, uint32_t *cover)
{
	const unsigned char *l4 = p->data + p->l4;
	uint32_t len = p->end - p->l4;

	if (!p->l4 || p->flags)
		return 0;
	if (p->proto == PROTO_TCP && len >= TCP_LEN && p->l4 + TCP_LEN <= p->len) {
		*cover = len;
		return p->l4 + 16;
	}
	if (p->proto != PROTO_UDP || len < UDP_LEN || p->l4 + UDP_LEN > p->len)
		return 0;
	if (get16(l4 + 4) < UDP_LEN || get16(l4 + 4) > len)
		return 0;
	if (p->ip == 4 && !get16(l4 + 6)) /* the sender wanted none */
		return 0;
	*cover = get16(l4 + 4);
	return p->l4 + 6;
}

uint64_t pp_packet_pseudo(const struct pp_packet *p, uint32_t len)
{
	const unsigned char *ip = p->data + p->l3;
	const unsigned char tail[4] = { (unsigned char)(len >> 8), (unsigned char)len, 0,
					p->proto };

	if (p->ip == 4)
		return pp_csum_add(pp_csum_add(0, ip + 12, 8), tail, 4);
	return pp_csum_add(pp_csum_add(0, ip + 8, 32), tail, 4);
}

bool pp_packet_fix_ip(const struct pp_packet *p)
{
	unsigned char *ip = p->data + p->l3;

	return pp_csum_fix(ip + 10, pp_csum_add(0, ip, (ip[0] & 15u) * 4), false);
}

bool pp_packet_fix_l4(const struct pp_packet *p)
{
	uint32_t cover, field = pp_packet_csum_at(p, &cover);

	if (!field)
		return false;
	return pp_csum_fix(p->data + field,
			   pp_csum_add(pp_packet_pseudo(p, cover), p->data + p->l4, cover),
			   p->proto == PROTO_UDP);
}
