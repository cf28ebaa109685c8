/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packets.c - see packets.h
 */
#include <string.h>

#include "packets.h"

#define TCP	6u
#define UDP	17u
#define PAYLOAD 23u /* odd on purpose */

static struct frame *frames;
static size_t nframes;

static void be16(unsigned char *at, unsigned int v)
{
	at[0] = (unsigned char)(v >> 8);
	at[1] = (unsigned char)v;
}

unsigned int checksum(unsigned int sum, const unsigned char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? b[i] : (unsigned int)b[i] << 8;
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return ~sum & 0xffff;
}

/* not inverted, to be continued */
static unsigned int partial(unsigned int sum, const unsigned char *b, size_t len)
{
	return ~checksum(sum, b, len) & 0xffff;
}

static struct frame *frame(const char *name)
{
	struct frame *f = &frames[nframes++];

	memset(f, 0, sizeof(*f));
	f->name = name;
	return f;
}

static void add(struct frame *f, const void *bytes, size_t len)
{
	memcpy(f->b + f->len, bytes, len);
	f->len += len;
}

static void add_u16(struct frame *f, unsigned int v)
{
	be16(f->b + f->len, v);
	f->len += 2;
}

static void add_fill(struct frame *f, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		f->b[f->len++] = (unsigned char)(i * 7 + nframes);
}

static void add_eth(struct frame *f, unsigned int type)
{
	add(f, "\x02\xaa\xbb\xcc\xdd\x01\x02\x11\x22\x33\x44\x02", 12);
	add_u16(f, type);
}

static void add_vlan(struct frame *f, unsigned int type)
{
	add_u16(f, 100);
	add_u16(f, type);
}

/* IPv4 header for @payload bytes, with @opts words of options */
static void add_ip4(struct frame *f, unsigned int proto, size_t payload, unsigned int opts,
		    unsigned int frag)
{
	size_t at = f->len, hlen = 20 + opts * 4;

	f->b[at] = (unsigned char)(0x40 | hlen / 4);
	be16(f->b + at + 2, (unsigned int)(hlen + payload));
	be16(f->b + at + 4, 0x1234);
	be16(f->b + at + 6, frag);
	f->b[at + 8] = 64;
	f->b[at + 9] = (unsigned char)proto;
	memcpy(f->b + at + 12, "\x0a\x01\x02\x03\x0a\x04\x05\x06", 8);
	memset(f->b + at + 20, 1, opts * 4); /* no operation */
	be16(f->b + at + 10, checksum(0, f->b + at, hlen));
	f->len += hlen;
	f->addr = at + 12;
	f->alen = 4;
}

static void add_ip6(struct frame *f, unsigned int next, size_t payload)
{
	size_t at = f->len, i;

	f->b[at] = 0x60;
	be16(f->b + at + 4, (unsigned int)payload);
	f->b[at + 6] = (unsigned char)next;
	f->b[at + 7] = 64;
	for (i = 0; i < 32; i++)
		f->b[at + 8 + i] = (unsigned char)(0x20 + i * 3);
	f->len += 40;
	f->addr = at + 8;
	f->alen = 16;
}

/* header and payload, with a right checksum */
static void add_l4(struct frame *f, unsigned int proto)
{
	size_t at = f->len, hlen = proto == TCP ? 20 : 8, len = hlen + PAYLOAD;
	size_t field = at + (proto == TCP ? 16 : 6);

	f->ports = at;
	add_u16(f, 40000);
	add_u16(f, 53);
	f->len = at + hlen;
	if (proto == TCP)
		be16(f->b + at + 12, 0x5018);
	else
		be16(f->b + at + 4, (unsigned int)len);
	add_fill(f, PAYLOAD);
	be16(f->b + field, checksum(partial((unsigned int)len + proto, f->b + f->addr, 2 * f->alen),
				    f->b + at, len));
}

/* csum leaves what is there now */
static void keep(struct frame *f)
{
	memcpy(f->fixed, f->b, f->len);
}

static struct frame *udp4(const char *name)
{
	struct frame *f = frame(name);

	add_eth(f, 0x0800);
	add_ip4(f, UDP, 8 + PAYLOAD, 0, 0);
	add_l4(f, UDP);
	keep(f);
	return f;
}

static void good_frames(void)
{
	struct frame *f;

	udp4("UDP over IPv4");

	f = frame("TCP over IPv4 with options");
	add_eth(f, 0x0800);
	add_ip4(f, TCP, 20 + PAYLOAD, 3, 0);
	add_l4(f, TCP);
	keep(f);

	f = frame("UDP in a VLAN in a VLAN");
	add_eth(f, 0x88a8);
	add_vlan(f, 0x8100);
	add_vlan(f, 0x0800);
	add_ip4(f, UDP, 8 + PAYLOAD, 0, 0);
	add_l4(f, UDP);
	keep(f);

	f = frame("TCP over IPv6");
	add_eth(f, 0x86dd);
	add_ip6(f, TCP, 20 + PAYLOAD);
	add_l4(f, TCP);
	keep(f);

	f = frame("UDP behind two extension headers");
	add_eth(f, 0x86dd);
	add_ip6(f, 0, 8 + 16 + 8 + PAYLOAD);
	add(f, "\x3c\0\1\4\0\0\0\0", 8);
	add(f, "\x11\1\1\014\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	add_l4(f, UDP);
	keep(f);

	f = udp4("UDP with Ethernet padding");
	add(f, "\xff\xff\xff\xff\xff", 5);
	keep(f);
}

/* what has no ports, or a checksum over more than is there */
static void odd_frames(void)
{
	struct frame *f;

	f = frame("later fragment");
	add_eth(f, 0x0800);
	add_ip4(f, UDP, 32, 0, 185);
	add_fill(f, 32);
	keep(f);

	f = frame("first fragment");
	add_eth(f, 0x0800);
	add_ip4(f, UDP, 32, 0, 0x2000);
	f->ports = f->len;
	add_fill(f, 32);
	keep(f);

	f = frame("later fragment over IPv6");
	add_eth(f, 0x86dd);
	add_ip6(f, 44, 8 + 32);
	add(f, "\x11\0\0\x10\0\0\0\1", 8);
	add_fill(f, 32);
	keep(f);

	f = frame("routing header not used up");
	add_eth(f, 0x86dd);
	add_ip6(f, 43, 24 + 8 + 4);
	add(f,
	    "\x11\2\4\1\0\0\0\0"
	    "0123456789abcdef",
	    24);
	add(f, "\1\2\3\4\0\014\7\7\1\1\1\1", 12);
	f->addr = 0; /* which would make the sum wrong */
	keep(f);

	f = udp4("UDP cut short");
	f->len -= 5;
	memset(f->b + f->len, 0, 5);
	f->b[f->ports + 6] ^= 1; /* wrong, but nobody can tell */
	keep(f);

	f = udp4("UDP with a length too large");
	be16(f->b + f->ports + 4, 9 + PAYLOAD);
	keep(f);

	f = udp4("UDP with a length too small");
	be16(f->b + f->ports + 4, 7);
	keep(f);

	f = udp4("UDP cut in its ports");
	f->len = f->ports + 3;
	f->ports = 0;
	keep(f);
}

static void short_frames(void)
{
	static const size_t sizes[] = { 14, 15, 20, 33 };
	struct frame *f;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		f = udp4("IPv4 header cut short");
		f->len = sizes[i];
		f->addr = f->ports = 0;
		keep(f);
	}
	f = udp4("IPv4 header longer than the packet");
	f->b[14] = 0x4f;
	f->len = 14 + 24;
	f->addr = f->ports = 0;
	keep(f);

	f = udp4("IPv4 header of 16 bytes");
	f->b[14] = 0x44;
	f->addr = f->ports = 0;
	keep(f);

	f = udp4("IPv4 that says IPv6");
	f->b[14] = 0x65;
	f->addr = f->ports = 0;
	keep(f);

	f = frame("IPv6 header cut short");
	add_eth(f, 0x86dd);
	add_ip6(f, TCP, 0);
	f->len--;
	f->addr = 0;
	keep(f);

	f = frame("extension header longer than the packet");
	add_eth(f, 0x86dd);
	add_ip6(f, 0, 8);
	add(f, "\x11\xff\0\0\0\0\0\0", 8);
	keep(f);

	f = frame("VLAN tag cut short");
	add_eth(f, 0x8100);
	add(f, "\0\1\x08", 3);
	keep(f);
}

static void wrong_sums(void)
{
	struct frame *f;

	f = udp4("wrong IPv4 header checksum");
	f->b[24] ^= 0x55;
	f->bad_ip = true;

	f = udp4("wrong UDP checksum");
	f->b[f->ports + 7] ^= 0x55;
	f->bad_l4 = true;

	f = frame("wrong TCP checksum over IPv6");
	add_eth(f, 0x86dd);
	add_ip6(f, TCP, 20 + PAYLOAD);
	add_l4(f, TCP);
	keep(f);
	f->b[f->ports + 16] ^= 0x55;
	f->bad_l4 = true;

	f = udp4("both wrong");
	f->b[25] ^= 1;
	f->b[f->ports + 6] ^= 1;
	f->bad_ip = f->bad_l4 = true;

	f = udp4("UDP without checksum over IPv4");
	be16(f->b + f->ports + 6, 0);
	keep(f);

	f = frame("UDP without checksum over IPv6");
	add_eth(f, 0x86dd);
	add_ip6(f, UDP, 8 + PAYLOAD);
	add_l4(f, UDP);
	keep(f);
	be16(f->b + f->ports + 6, 0);
	f->bad_l4 = true;
}

/* offset of the message */
static size_t add_icmp(struct frame *f, unsigned int type)
{
	size_t at = f->len;

	f->b[at] = (unsigned char)type;
	be16(f->b + at + 4, 77);
	be16(f->b + at + 6, 1);
	f->len = at + 8;
	add_fill(f, 9);
	be16(f->b + at + 2, checksum(0, f->b + at, 17));
	return at;
}

/* the answer to an echo request with its message at @at; MACs and IPs change places */
static void echo_reply(struct frame *f, size_t at)
{
	memcpy(f->reply, f->b, f->len);
	memcpy(f->reply, f->b + 6, 6);
	memset(f->reply + 6, 0, 6);
	memcpy(f->reply + f->addr, f->b + f->addr + 4, 4);
	memcpy(f->reply + f->addr + 4, f->b + f->addr, 4);
	f->reply[at] = 0;
	be16(f->reply + at + 2, 0);
	be16(f->reply + at + 2, checksum(0, f->reply + at, 17));
	f->answer = true;
}

static void echo_frames(void)
{
	struct frame *f;

	f = frame("ping");
	add_eth(f, 0x0800);
	add_ip4(f, 1, 17, 0, 0);
	echo_reply(f, add_icmp(f, 8));
	keep(f);

	f = frame("ping with IP options in a VLAN");
	add_eth(f, 0x8100);
	add_vlan(f, 0x0800);
	add_ip4(f, 1, 17, 2, 0);
	echo_reply(f, add_icmp(f, 8));
	keep(f);

	f = frame("answer to a ping");
	add_eth(f, 0x0800);
	add_ip4(f, 1, 17, 0, 0);
	add_icmp(f, 0);
	keep(f);

	f = frame("ping to a group");
	add_eth(f, 0x0800);
	add_ip4(f, 1, 17, 0, 0);
	f->b[30] = 224;
	be16(f->b + 24, 0);
	be16(f->b + 24, checksum(0, f->b + 14, 20));
	add_icmp(f, 8);
	keep(f);

	f = frame("ping cut short");
	add_eth(f, 0x0800);
	add_ip4(f, 1, 17, 0, 0);
	add_icmp(f, 8);
	f->len -= 12;
	keep(f);
}

static struct frame *arp(const char *name, const char *from, const char *to)
{
	struct frame *f = frame(name);

	add_eth(f, 0x0806);
	add(f, "\0\1\x08\0\6\4\0\1\x02\x11\x22\x33\x44\x02", 14);
	add(f, from, 4);
	add(f, "\0\0\0\0\0\0", 6);
	add(f, to, 4);
	keep(f);
	return f;
}

static void arp_frames(void)
{
	struct frame *f;

	f = arp("ARP request", "\x0a\1\1\1", "\x0a\1\1\2");
	memcpy(f->reply, f->b, f->len);
	memcpy(f->reply, "\x02\x11\x22\x33\x44\x02\0\0\0\0\0\0", 12);
	f->reply[21] = 2;
	memcpy(f->reply + 22, "\0\0\0\0\0\0\x0a\1\1\2\x02\x11\x22\x33\x44\x02\x0a\1\1\1", 20);
	f->own = 22;
	f->answer = true;

	arp("ARP probe", "\0\0\0\0", "\x0a\1\1\2");
	arp("ARP announcement", "\x0a\1\1\2", "\x0a\1\1\2");
	f = arp("ARP answer", "\x0a\1\1\1", "\x0a\1\1\2");
	f->b[21] = 2;
	keep(f);
	f = arp("ARP cut short", "\x0a\1\1\1", "\x0a\1\1\2");
	f->len--;
}

size_t make_frames(struct frame *f)
{
	frames = f;
	nframes = 0;
	good_frames();
	odd_frames();
	short_frames();
	wrong_sums();
	echo_frames();
	arp_frames();
	return nframes;
}
