/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pagepool/packet.h - where the headers of an Ethernet frame are, and their checksums
 *
 * Frames come from anywhere: the parser gives an offset only of a header that lies inside the
 * frame. Ports and programs share it, so that they agree about every packet. It knows bytes only:
 * no page, no socket.
 */
#ifndef PAGEPOOL_PACKET_H
#define PAGEPOOL_PACKET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum pp_packet_flag - why the TCP or UDP checksum of a packet cannot be judged
 * @PP_PACKET_FRAGMENT: a part of a packet: the sum covers the other parts, too
 * @PP_PACKET_CUT:      the frame ends before the IP packet does
 * @PP_PACKET_ROUTED:   the sum is over other addresses than those in the IP header: a source route
 *                      (IPv4 options 131 and 137, IPv6 routing headers) has hops left, or there is
 *                      a Home Address option. Also set for options that do not parse
 */
enum pp_packet_flag {
	PP_PACKET_FRAGMENT = 1,
	PP_PACKET_CUT = 2,
	PP_PACKET_ROUTED = 4,
};

/**
 * struct pp_packet - headers of a frame, as pp_packet_parse() found them
 * @data:  first byte
 * @len:   bytes at @data
 * @total: bytes of the frame; more than @len in the first page of a chain
 * @l3:    offset behind the Ethernet header and its VLAN tags
 * @l4:    offset of the transport header, which may itself be cut short; 0: none was found, or a
 *         later fragment has none
 * @end:   offset behind the IP packet, at most @total
 * @flags: enum pp_packet_flag, or 0
 * @etype: EtherType behind the VLAN tags; 0: the frame ends before it
 * @ip:    4 or 6: a whole fixed header is at @l3, and its lengths can be; otherwise 0
 * @proto: the transport protocol if @l4 is set
 */
struct pp_packet {
	unsigned char *data;
	uint32_t len;
	uint32_t total;
	uint32_t l3;
	uint32_t l4;
	uint32_t end;
	uint32_t flags;
	uint16_t etype;
	uint8_t ip;
	uint8_t proto;
};

/**
 * pp_packet_parse() - find the headers of a frame
 * @p:     out: the headers
 * @data:  the frame from its destination address on, or the beginning of it
 * @len:   bytes at @data; only these are read
 * @total: bytes of the whole frame, @len or more
 *
 * Skips up to 8 VLAN tags (EtherTypes 0x8100, 0x88a8, 0x9100, 0x9200), IPv4 options and up to 16
 * IPv6 extension headers. The IP packet ends where its own length says, so that padding and
 * trailers are not taken for payload. Writes nothing but @p.
 *
 * Context: any thread.
 * Cost:    about 60 instructions for UDP over IPv4.
 * Return:  true; false: the frame is shorter than an Ethernet header, in which case no field tells
 *          anything.
 * Source:  __skb_flow_dissect() in net/core/flow_dissector.c. Differs: offsets, not keys; does not
 *          look into tunnels.
 */
bool pp_packet_parse(struct pp_packet *p, void *data, uint32_t len, uint32_t total);

/**
 * pp_packet_csum_at() - where the checksum of a TCP or UDP packet is, and how much it covers
 * @p:     a packet that pp_packet_parse() has seen
 * @cover: out: bytes from @l4 on that the sum covers, beside the pseudo header
 *
 * A UDP packet ends where its own length says, which may be before the IP packet does.
 *
 * Context: any thread.
 * Cost:    a few instructions.
 * Return:  offset of the field, within @len; 0: leave it alone, because the packet is neither TCP
 *          nor UDP, has @flags, UDP over IPv4 without a sum, or lengths that cannot be. @cover is
 *          not written then.
 * Source:  skb_checksum_setup() in net/core/skbuff.c. Differs: leaves packets with a source route
 *          alone.
 */
uint32_t pp_packet_csum_at(const struct pp_packet *p, uint32_t *cover);

/**
 * pp_packet_pseudo() - sum of the pseudo header
 * @p:   a packet with @ip and @proto
 * @len: bytes from the transport header on, @cover of pp_packet_csum_at()
 *
 * Context: any thread.
 * Cost:    reads the addresses: 8 or 32 bytes.
 * Return:  a sum to go on with in pp_csum_add().
 * Source:  csum_tcpudp_nofold(), and the same of csum_ipv6_magic().
 */
uint64_t pp_packet_pseudo(const struct pp_packet *p, uint32_t len);

/**
 * pp_packet_fix_ip() - make the sum of an IPv4 header right
 * @p: a packet with @ip == 4
 *
 * Context: any thread that may write the packet.
 * Cost:    reads the header: 20 to 60 bytes.
 * Return:  true: it was wrong; false: it was right, and nothing was written.
 * Source:  ip_send_check(). Differs: does not write what is right.
 */
bool pp_packet_fix_ip(const struct pp_packet *p);

/**
 * pp_packet_fix_l4() - make the checksum of a TCP or UDP packet right
 * @p: a packet with @len == @total
 *
 * Context: any thread that may write the packet.
 * Cost:    reads all of the packet, 8 bytes in 6 instructions.
 * Return:  true: it was wrong; false: it was right, or has to be left alone (see
 *          pp_packet_csum_at()), and nothing was written.
 * Source:  skb_checksum_help(). Differs: finds the field itself, and does not write what is right.
 */
bool pp_packet_fix_l4(const struct pp_packet *p);

/**
 * pp_csum_carry() - add a number to a ones' complement sum
 * @sum:  so far
 * @word: to add, up to 64 bits in memory order
 *
 * Context: any thread.
 * Cost:    an addition with carry.
 * Return:  the sum: a carry out of the upper end comes in at the lower one.
 * Source:  csum_add(). Differs: 64 bits.
 */
static inline uint64_t pp_csum_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/**
 * pp_csum_add() - go on with a ones' complement sum
 * @sum:  so far, or 0; the bytes summed up before were even in number
 * @data: bytes to add, as 16-bit words in memory order
 * @len:  how many; an odd last byte counts as one followed by 0
 *
 * Context: any thread.
 * Cost:    8 bytes in 6 instructions.
 * Return:  the sum, for pp_csum_add() or pp_csum_fold().
 * Source:  csum_partial(). Differs: 64 bits.
 */
static inline uint64_t pp_csum_add(uint64_t sum, const void *data, uint32_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	uint64_t word;
	uint32_t half;
	uint16_t last;

	/* words of any size fold to the same 16 bits */
	for (; len >= 8; len -= 8, at += 8) {
		memcpy(&word, at, 8);
		sum = pp_csum_carry(sum, word);
	}
	if (len & 4) {
		memcpy(&half, at, 4);
		sum = pp_csum_carry(sum, half);
		at += 4;
	}
	if (len & 2) {
		memcpy(&last, at, 2);
		sum = pp_csum_carry(sum, last);
		at += 2;
	}
	if (len & 1) {
		last = 0;
		memcpy(&last, at, 1);
		sum = pp_csum_carry(sum, last);
	}
	return sum;
}

/**
 * pp_csum_fold() - the 16 bits of a sum
 * @sum: from pp_csum_add()
 *
 * Context: any thread.
 * Cost:    a few instructions.
 * Return:  the sum in memory order; 0xffff if the bytes included a checksum that is right.
 *          The complement of the sum without the checksum belongs into the field.
 * Source:  csum_fold(). Differs: not the complement.
 */
static inline uint16_t pp_csum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

/**
 * pp_csum_fix() - make a checksum right
 * @field: in: the checksum as it was summed up; out: the right one
 * @sum:   of all that the checksum covers, the field itself included
 * @udp:   0 says that there is no sum, so that a sum of 0 is written as 0xffff
 *
 * Context: any thread that may write @field.
 * Cost:    a few instructions.
 * Return:  true: it was wrong; false: it was right, and nothing was written.
 * Source:  csum_replace2() with CSUM_MANGLED_0. Differs: takes the whole sum, not a change of it.
 */
static inline bool pp_csum_fix(void *field, uint64_t sum, bool udp)
{
	uint16_t old, now = pp_csum_fold(sum);

	memcpy(&old, field, 2);
	if (now == 0xffff && (old || !udp))
		return false;
	/* adding the complement takes the old value out */
	now = (uint16_t)~pp_csum_fold((uint64_t)now + (uint16_t)~old);
	if (udp && !now)
		now = 0xffff;
	memcpy(field, &now, 2);
	return true;
}

#ifdef __cplusplus
}
#endif

#endif /* PAGEPOOL_PACKET_H */
