/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.h - a UDP packet, taken apart and turned round in place
 *
 * Knows bytes only: no page, no socket. So it can be fed anything in a test.
 */
#ifndef XDP_APP_PACKET_H
#define XDP_APP_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define IP6_LEN 16

enum packet_error {
	PACKET_OK,
	PACKET_OTHER, /* no UDP, a fragment, options, a VLAN: the BPF program sends none of these */
	PACKET_MALFORMED, /* lengths that lie */
	PACKET_CHECKSUM,
	PACKET_UNANSWERABLE, /* from an address or a port that must not be sent to */
};

/*
 * struct packet - where things are in a frame
 * @data:    first byte of the frame
 * @room:    bytes from @data on that may be read and written
 * @len:     bytes of the frame, at most @room
 * @l3:      offset of the IP header; those of UDP and its payload follow
 * @payload_len: bytes of payload, which end within @len
 * @is_ipv6: which header is at @l3
 */
struct packet {
	unsigned char *data;
	uint32_t room;
	uint32_t len;
	uint32_t l3;
	uint32_t udp;
	uint32_t payload;
	uint32_t payload_len;
	uint16_t src_port;
	uint16_t dst_port;
	bool is_ipv6;
};

static inline uint16_t get16(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void put16(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/*
 * Find the headers of a frame, of which @data, @room and @len are set, and check all that can be
 * checked. Writes nothing.
 */
enum packet_error packet_parse(struct packet *p);

/*
 * Make the packet one from its receiver to its sender, with @payload_len bytes of payload, which
 * are there already: addresses, ports, lengths, hop limit and checksums.
 */
void packet_reply(struct packet *p, uint32_t payload_len);

#endif /* XDP_APP_PACKET_H */
