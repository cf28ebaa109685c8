/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.c - checks a UDP packet, and turns it into its answer
 *
 * pagepool's parser finds the headers. A packet with VLAN tags, IPv4 options or IPv6 extension
 * headers is not for us: the BPF program sends none.
 */
#include <string.h>

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <pagepool/packet.h>

#include "packet.h"

#define IPV4_LEN 20u
#define IPV6_LEN 40u
#define UDP_LEN	 8u

#define HOPS 64

/*
 * A sender beside us, over veth or tap, leaves the checksum to hardware that does not exist. The
 * field then has the pseudo header's sum, and the packet has never been on a wire. The kernel
 * accepts such a packet, too.
 */
static bool udp_checksum_ok(const struct pp_packet *h, uint32_t udp_len)
{
	const unsigned char *udp = h->data + h->l4;
	uint64_t pseudo = pp_packet_pseudo(h, udp_len);
	uint16_t have;

	memcpy(&have, udp + 6, sizeof(have));
	if (!have)
		return h->ip == 4;
	return pp_csum_fold(pp_csum_add(pseudo, udp, udp_len)) == 0xffff ||
	       have == pp_csum_fold(pseudo);
}

/* No sender must make us send to many, to ourselves, or to an address of no station. */
static bool ipv4_answerable(const unsigned char *src)
{
	return src[0] && src[0] < 224 && src[0] != 127;
}

static bool ipv6_answerable(const unsigned char *src)
{
	static const unsigned char none[IP6_LEN - 1];

	return src[0] != 0xff && memcmp(src, none, sizeof(none));
}

/* a header without options, directly behind Ethernet's, and UDP directly behind it */
static bool is_plain_udp(const struct pp_packet *h)
{
	const unsigned char *ip = h->data + h->l3;

	if (h->l3 != ETH_HLEN || h->flags & PP_PACKET_FRAGMENT)
		return false;
	return h->ip == 4 ? ip[0] == 0x45 && ip[9] == IPPROTO_UDP : ip[6] == IPPROTO_UDP;
}

static enum packet_error check_ip(const struct pp_packet *h)
{
	const unsigned char *ip = h->data + h->l3;

	if (h->etype != ETH_P_IP && h->etype != ETH_P_IPV6)
		return PACKET_OTHER;
	if (!h->ip)
		return PACKET_MALFORMED;
	if (!is_plain_udp(h))
		return PACKET_OTHER;
	if (h->flags || !h->l4)
		return PACKET_MALFORMED;
	if (h->ip == 6)
		return ipv6_answerable(ip + 8) ? PACKET_OK : PACKET_UNANSWERABLE;
	if (pp_csum_fold(pp_csum_add(0, ip, IPV4_LEN)) != 0xffff)
		return PACKET_CHECKSUM;
	return ipv4_answerable(ip + 12) ? PACKET_OK : PACKET_UNANSWERABLE;
}

static enum packet_error check_udp(struct packet *p, const struct pp_packet *h)
{
	uint32_t len;

	if (h->end < h->l4 + UDP_LEN)
		return PACKET_MALFORMED;
	len = get16(h->data + h->l4 + 4);
	if (len < UDP_LEN || h->l4 + len > h->end)
		return PACKET_MALFORMED;
	if (!udp_checksum_ok(h, len))
		return PACKET_CHECKSUM;
	p->l3 = h->l3;
	p->udp = h->l4;
	p->is_ipv6 = h->ip == 6;
	p->src_port = get16(p->data + p->udp);
	p->dst_port = get16(p->data + p->udp + 2);
	p->payload = p->udp + UDP_LEN;
	p->payload_len = len - UDP_LEN;
	return p->src_port ? PACKET_OK : PACKET_UNANSWERABLE;
}

enum packet_error packet_parse(struct packet *p)
{
	enum packet_error err;
	struct pp_packet h;

	if (p->len > p->room || !pp_packet_parse(&h, p->data, p->len, p->len))
		return PACKET_MALFORMED;
	err = check_ip(&h);
	return err == PACKET_OK ? check_udp(p, &h) : err;
}

static void swap_bytes(unsigned char *a, unsigned char *b, uint32_t n)
{
	unsigned char t;

	while (n--) {
		t = *a;
		*a++ = *b;
		*b++ = t;
	}
}

static void reply_ipv4(struct packet *p, uint32_t udp_len)
{
	unsigned char *ip = p->data + p->l3;

	swap_bytes(ip + 12, ip + 16, 4);
	ip[1] = 0;
	put16(ip + 2, IPV4_LEN + udp_len);
	put16(ip + 4, 0); /* never a fragment, so it needs no number */
	put16(ip + 6, 0x4000);
	ip[8] = HOPS;
}

static void reply_ipv6(struct packet *p, uint32_t udp_len)
{
	unsigned char *ip = p->data + p->l3;

	swap_bytes(ip + 8, ip + 8 + IP6_LEN, IP6_LEN);
	ip[0] = 0x60;
	memset(ip + 1, 0, 3);
	put16(ip + 4, udp_len);
	ip[7] = HOPS;
}

/* a UDP field of 0 is never a right sum for pp_csum_fix(), so one is always written */
static void reply_checksums(const struct packet *p)
{
	struct pp_packet h;

	pp_packet_parse(&h, p->data, p->len, p->len);
	if (h.ip == 4)
		pp_packet_fix_ip(&h);
	pp_csum_fix(p->data + p->udp + 6,
		    pp_csum_add(pp_packet_pseudo(&h, p->len - p->udp), p->data + p->udp,
				p->len - p->udp),
		    true);
}

void packet_reply(struct packet *p, uint32_t payload_len)
{
	uint32_t udp_len = UDP_LEN + payload_len;
	unsigned char *udp = p->data + p->udp;

	swap_bytes(p->data, p->data + ETH_ALEN, ETH_ALEN);
	if (p->is_ipv6)
		reply_ipv6(p, udp_len);
	else
		reply_ipv4(p, udp_len);
	put16(udp, p->dst_port);
	put16(udp + 2, p->src_port);
	put16(udp + 4, udp_len);
	put16(udp + 6, 0);
	p->payload_len = payload_len;
	p->len = p->payload + payload_len;
	reply_checksums(p);
}
