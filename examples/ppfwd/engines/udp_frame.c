/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * udp_frame.c - see udp_frame.h
 */
#include "engines/packet.h"
#include "engines/udp_frame.h"

#define FRAME_IP  ETH_LEN
#define FRAME_UDP (ETH_LEN + IP4_LEN)

void udp_frame_init(unsigned char *frame, const unsigned char *dst, const unsigned char *src)
{
	unsigned char *ip = frame + FRAME_IP;

	memset(frame, 0, UDP_FRAME_LEN);
	memcpy(frame, dst, 6);
	memcpy(frame + 6, src, 6);
	put16(frame + 12, ETYPE_IP4);
	ip[0] = 0x45;
	put16(ip + 2, UDP_FRAME_LEN - FRAME_IP);
	ip[8] = 64;
	ip[9] = PROTO_UDP;
	put16(frame + FRAME_UDP + 4, UDP_FRAME_LEN - FRAME_UDP);
}

void udp_frame_flow(unsigned char *frame, uint32_t flow)
{
	struct pp_packet p = { .data = frame, .l3 = FRAME_IP, .ip = 4, .proto = PROTO_UDP };
	unsigned char *ip = frame + FRAME_IP, *udp = frame + FRAME_UDP;
	uint16_t sum;

	ip[12] = ip[16] = 198;
	ip[13] = 18;
	ip[17] = 19;
	put16(ip + 14, (uint16_t)(1 + flow));
	put16(ip + 18, (uint16_t)(1 + flow));
	put16(ip + 10, 0);
	sum = (uint16_t)~pp_csum_fold(pp_csum_add(0, ip, IP4_LEN));
	memcpy(ip + 10, &sum, 2);
	put16(udp, (uint16_t)(1024 + flow));
	put16(udp + 2, (uint16_t)(5000 + flow % 16));
	put16(udp + 6, 0);
	/* the payload is zero: header and pseudo header are all there is to add */
	sum = (uint16_t)~pp_csum_fold(
		pp_csum_add(pp_packet_pseudo(&p, UDP_FRAME_LEN - FRAME_UDP), udp, UDP_LEN));
	if (!sum)
		sum = 0xffff;
	memcpy(udp + 6, &sum, 2);
}

void udp_frame_copy(struct pp_page *page, const unsigned char *frame)
{
	unsigned char *to = pp_page_put_tail(page, UDP_FRAME_LEN);

	if (to) /* headroom is limited so that it always fits */
		memcpy(to, frame, UDP_FRAME_LEN);
	page->tstamp = PP_TSTAMP_NONE; /* not that of the packet that the page had before */
}
