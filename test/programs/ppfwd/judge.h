/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge.h - are a frame's checksums right? Shares nothing with the code under test
 *
 * The receiver's view: the sum of a packet with a source route is over the address where the
 * route ends, and with a Home Address option over the home address.
 */
#ifndef TEST_CLI_JUDGE_H
#define TEST_CLI_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

enum sum {
	SUM_NONE, /* there is none, or the frame has not all that it covers */
	SUM_RIGHT,
	SUM_WRONG,
};

/*
 * struct verdict - on a frame
 * @ip:       sum of the IPv4 header
 * @l4:       sum of TCP or UDP
 * @ip_field: where the former is, if @ip
 * @l4_field: where the latter is, if @l4
 * @l4_want:  what belongs there, if @l4
 * @routed:   the sum is over another address than those in the IP header
 * @odd:      options that do not parse: no receiver takes the packet
 */
struct verdict {
	enum sum ip;
	enum sum l4;
	size_t ip_field;
	size_t l4_field;
	unsigned int l4_want;
	bool routed;
	bool odd;
};

struct verdict judge(const unsigned char *b, size_t len);

/* make both sums right */
void judge_fix(unsigned char *b, size_t len);

/* must icmpecho answer, with everything but its address known? */
bool judge_ping(const unsigned char *b, size_t len);

/* is @a icmpecho's answer to @q, of the same length? */
bool judge_pong(const unsigned char *a, const unsigned char *q, size_t len);

#endif /* TEST_CLI_JUDGE_H */
