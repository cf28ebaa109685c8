/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.h - small steps on the bytes of a packet; the parser is pagepool/packet.h
 *
 * Loads and stores go through memcpy(), because headers behind a 14-byte Ethernet header
 * are not aligned.
 */
#ifndef PPFWD_PACKET_H
#define PPFWD_PACKET_H

#include <stdbool.h>
#include <string.h>

#include <pagepool/packet.h>
#include <pagepool/page.h>

#define ETH_LEN	     14u
#define ARP_LEN	     28u
#define IP4_LEN	     20u
#define UDP_LEN	     8u
#define ICMP_LEN     8u
#define ETYPE_IP4    0x0800u
#define ETYPE_ARP    0x0806u
#define PROTO_ICMP   1u
#define PROTO_TCP    6u
#define PROTO_UDP    17u
#define PREFETCH_GAP 4u

/* the headers of a packet in one page; false: it has not even an Ethernet header */
static inline bool packet_parse(struct pp_packet *p, struct pp_page *page)
{
	return pp_packet_parse(p, pp_page_data(page), page->len, page->len);
}

static inline uint16_t get16(const unsigned char *at) /* network order to host order */
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void put16(unsigned char *at, uint16_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/* swap two fields of @len bytes that do not overlap; @len is a small constant */
static inline void swap_bytes(unsigned char *a, unsigned char *b, size_t len)
{
	unsigned char t[16];

	memcpy(t, a, len);
	memcpy(a, b, len);
	memcpy(b, t, len);
}

static inline void eth_swap(unsigned char *eth)
{
	swap_bytes(eth, eth + 6, 6);
}

static inline void packet_prefetch(struct pp_page *const *pages, unsigned int i, unsigned int n)
{
	if (i + PREFETCH_GAP < n)
		__builtin_prefetch(pp_page_data(pages[i + PREFETCH_GAP]), 1);
}

#endif /* PPFWD_PACKET_H */
