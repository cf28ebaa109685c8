/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.c - Ethernet, IPv4, IPv6, UDP, by bytes: headers in a frame are not aligned
 */
#include <string.h>

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "packet.h"

#define IPV4_LEN 20u
#define IPV6_LEN 40u
#define UDP_LEN	 8u

#define HOPS 64

/* ones' complement sum of 16 bit words; @sum goes on from an earlier part of even length */
static uint32_t sum16(const unsigned char *at, uint32_t len, uint32_t sum)
{
	uint32_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += get16(at + i);
	if (len & 1)
		sum += (uint32_t)at[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t sum_addresses(const struct packet *p)
{
	if (p->is_ipv6)
		return sum16(p->data + p->l3 + 8, 2 * IP6_LEN, 0);
	return sum16(p->data + p->l3 + 12, 8, 0);
}

static uint32_t sum_pseudo(const struct packet *p, uint32_t udp_len)
{
	return sum_addresses(p) + IPPROTO_UDP + udp_len;
}

/*
 * A sender beside us, over veth or tap, leaves the checksum to hardware that does not exist: what
 * is there then is the pseudo header's sum, and the packet has never been on a wire. The
 * kernel accepts such a packet, too.
 */
static bool udp_checksum_ok(const struct packet *p, uint32_t udp_len)
{
	uint16_t have = get16(p->data + p->udp + 6);
	uint32_t pseudo = sum_pseudo(p, udp_len);

	if (!have)
		return !p->is_ipv6;
	return fold(sum16(p->data + p->udp, udp_len, pseudo)) == 0xffff || have == fold(pseudo);
}

/* Nobody must make us send to many, to ourselves, or to nobody. */
static bool ipv4_answerable(const unsigned char *src)
{
	return src[0] && src[0] < 224 && src[0] != 127;
}

static bool ipv6_answerable(const unsigned char *src)
{
	static const unsigned char none[IP6_LEN - 1];

	return src[0] != 0xff && memcmp(src, none, sizeof(none));
}

static enum packet_error parse_ipv4(struct packet *p, uint32_t *end)
{
	const unsigned char *ip = p->data + p->l3;
	uint32_t total;

	if (p->len < p->l3 + IPV4_LEN)
		return PACKET_MALFORMED;
	if (ip[0] != 0x45 || ip[9] != IPPROTO_UDP || (get16(ip + 6) & 0x3fff))
		return PACKET_OTHER;
	total = get16(ip + 2);
	if (total < IPV4_LEN || p->l3 + total > p->len)
		return PACKET_MALFORMED;
	if (fold(sum16(ip, IPV4_LEN, 0)) != 0xffff)
		return PACKET_CHECKSUM;
	p->udp = p->l3 + IPV4_LEN;
	*end = p->l3 + total;
	return ipv4_answerable(ip + 12) ? PACKET_OK : PACKET_UNANSWERABLE;
}

static enum packet_error parse_ipv6(struct packet *p, uint32_t *end)
{
	const unsigned char *ip = p->data + p->l3;
	uint32_t length;

	if (p->len < p->l3 + IPV6_LEN)
		return PACKET_MALFORMED;
	if (ip[0] >> 4 != 6 || ip[6] != IPPROTO_UDP)
		return PACKET_OTHER;
	length = get16(ip + 4);
	if (p->l3 + IPV6_LEN + length > p->len)
		return PACKET_MALFORMED;
	p->udp = p->l3 + IPV6_LEN;
	*end = p->udp + length;
	return ipv6_answerable(ip + 8) ? PACKET_OK : PACKET_UNANSWERABLE;
}

static enum packet_error parse_udp(struct packet *p, uint32_t end)
{
	uint32_t len;

	if (end < p->udp + UDP_LEN)
		return PACKET_MALFORMED;
	len = get16(p->data + p->udp + 4);
	if (len < UDP_LEN || p->udp + len > end)
		return PACKET_MALFORMED;
	if (!udp_checksum_ok(p, len))
		return PACKET_CHECKSUM;
	p->src_port = get16(p->data + p->udp);
	p->dst_port = get16(p->data + p->udp + 2);
	p->payload = p->udp + UDP_LEN;
	p->payload_len = len - UDP_LEN;
	return p->src_port ? PACKET_OK : PACKET_UNANSWERABLE;
}

enum packet_error packet_parse(struct packet *p)
{
	enum packet_error err;
	uint32_t end = 0;
	uint16_t type;

	if (p->len < ETH_HLEN || p->len > p->room)
		return PACKET_MALFORMED;
	p->l3 = ETH_HLEN;
	type = get16(p->data + 12);
	p->is_ipv6 = type == ETH_P_IPV6;
	if (type == ETH_P_IP)
		err = parse_ipv4(p, &end);
	else if (p->is_ipv6)
		err = parse_ipv6(p, &end);
	else
		return PACKET_OTHER;
	return err == PACKET_OK ? parse_udp(p, end) : err;
}

static void swap(unsigned char *a, unsigned char *b, uint32_t n)
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

	swap(ip + 12, ip + 16, 4);
	ip[1] = 0;
	put16(ip + 2, IPV4_LEN + udp_len);
	put16(ip + 4, 0); /* never a fragment, so it needs no number */
	put16(ip + 6, 0x4000);
	ip[8] = HOPS;
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~fold(sum16(ip, IPV4_LEN, 0)));
}

static void reply_ipv6(struct packet *p, uint32_t udp_len)
{
	unsigned char *ip = p->data + p->l3;

	swap(ip + 8, ip + 8 + IP6_LEN, IP6_LEN);
	ip[0] = 0x60;
	memset(ip + 1, 0, 3);
	put16(ip + 4, udp_len);
	ip[7] = HOPS;
}

void packet_reply(struct packet *p, uint32_t payload_len)
{
	uint32_t udp_len = UDP_LEN + payload_len;
	unsigned char *udp = p->data + p->udp;
	uint16_t sum;

	swap(p->data, p->data + ETH_ALEN, ETH_ALEN);
	if (p->is_ipv6)
		reply_ipv6(p, udp_len);
	else
		reply_ipv4(p, udp_len);
	put16(udp, p->dst_port);
	put16(udp + 2, p->src_port);
	put16(udp + 4, udp_len);
	put16(udp + 6, 0);
	sum = (uint16_t)~fold(sum16(udp, udp_len, sum_pseudo(p, udp_len)));
	put16(udp + 6, sum ? sum : 0xffff); /* 0 would say that there is no checksum */
	p->payload_len = payload_len;
	p->len = p->payload + payload_len;
}
