/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * udp_frame.h - the 64-byte UDP packets that txonly and flowgen send
 *
 * Addresses are those set aside for benchmarks (RFC 2544): flow i goes from
 * 198.18.x.y port 1024 + i to 198.19.x.y port 5000 + i % 16, x.y = 1 + i.
 */
#ifndef PPFWD_UDP_FRAME_H
#define PPFWD_UDP_FRAME_H

#include <pagepool/page.h>

#define UDP_FRAME_LEN	64u
#define UDP_FRAME_FLOWS 1024u

/* udp_frame_init() - what is the same in all flows */
void udp_frame_init(unsigned char *frame, const unsigned char *dst, const unsigned char *src);

/* udp_frame_flow() - addresses, ports and checksums of flow @flow */
void udp_frame_flow(unsigned char *frame, uint32_t flow);

/* udp_frame_copy() - fill a fresh page */
void udp_frame_copy(struct pp_page *page, const unsigned char *frame);

#endif /* PPFWD_UDP_FRAME_H */
