/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.h - where the headers of a packet are, if it has them
 *
 * Packets come from anywhere: offsets are handed out only for headers that lie
 * wholly inside the packet. Loads and stores go through memcpy(), because
 * headers behind a 14-byte Ethernet header are not aligned.
 */
#ifndef PPFWD_PACKET_H
#define PPFWD_PACKET_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include <pagepool/page.h>

#define ETH_LEN	     14u
#define ARP_LEN	     28u
#define IP4_LEN	     20u
#define IP6_LEN	     40u
#define TCP_LEN	     20u
#define UDP_LEN	     8u
#define ICMP_LEN     8u
#define ETYPE_IP4    0x0800u
#define ETYPE_ARP    0x0806u
#define ETYPE_IP6    0x86ddu
#define ETYPE_VLAN   0x8100u
#define ETYPE_QINQ   0x88a8u
#define PROTO_ICMP   1u
#define PROTO_TCP    6u
#define PROTO_UDP    17u
#define PREFETCH_GAP 4u

/**
 * struct packet - what packet_parse() found
 * @data:  first byte
 * @len:   bytes
 * @etype: EtherType behind any VLAN tags; 0: the packet ends before it
 * @l3:    offset of what follows the Ethernet header
 * @ip:    4 or 6: a valid fixed header is at @l3; otherwise 0
 * @proto: transport protocol, if @l4
 * @l4:    offset of the transport header, which may itself be cut short; 0: none, as in later
 *         fragments
 * @end:   offset behind the IP packet, at most @len
 * @whole: neither a fragment nor cut short nor source-routed: checksums can be computed
 */
struct packet {
	unsigned char *data;
	unsigned int len;
	unsigned int etype;
	unsigned int l3;
	unsigned int ip;
	unsigned int proto;
	unsigned int l4;
	unsigned int end;
	bool whole;
};

/* packet_parse() - find the headers; false if there is not even an Ethernet header */
bool packet_parse(struct packet *p, struct pp_page *page);

/* sum16() - add @len bytes to a ones' complement sum, as 16-bit words in memory order */
uint64_t sum16(uint64_t sum, const unsigned char *data, unsigned int len);

/* sum_fold() - the 16 bits of a sum, in memory order; 0xffff if a checksum was in it and right */
uint16_t sum_fold(uint64_t sum);

/* pseudo_sum() - sum of the pseudo header for @len bytes of transport protocol */
uint64_t pseudo_sum(const struct packet *p, unsigned int len);

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
