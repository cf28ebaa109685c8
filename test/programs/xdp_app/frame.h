/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame.h - frames to feed to xdp_app's packet code, and what an answer has to look like
 */
#ifndef XDP_APP_TEST_FRAME_H
#define XDP_APP_TEST_FRAME_H

#include <stddef.h>

#include "responder.h"

#define DNS_PORT  53
#define ECHO_PORT 7
#define SRC_PORT  40000

/* knows www.example.org, which is 192.0.2.7, and slow.example.org, which is 192.0.2.8 */
void frame_responder(struct responder *r);

/* a whole frame into @frame, which has room for it; returns its length */
uint32_t frame_udp(unsigned char *frame, bool is_ipv6, uint16_t dst_port,
		   const unsigned char *payload, uint32_t len);

/* a query into @payload; returns its length */
uint32_t frame_query(unsigned char *payload, const char *name, uint16_t type);

/* after a change of the bytes: make the checksums right again, as far as there are any */
void frame_checksums(unsigned char *frame, uint32_t len);

/* 0: addresses, lengths and checksums of @answer are those of an answer to @query; else a reason */
const char *frame_is_answer(const unsigned char *answer, uint32_t len, const unsigned char *query);

/*
 * Feed @len bytes, with @tail bytes of room behind them, in memory that ends there. Aborts, saying
 * why, if the answer is none, or a packet that was dropped has changed.
 */
enum verdict frame_feed(const struct responder *r, const unsigned char *frame, uint32_t len,
			uint32_t tail, enum slow_policy slow);

#endif /* XDP_APP_TEST_FRAME_H */
