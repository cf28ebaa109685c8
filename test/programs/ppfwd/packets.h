/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packets.h - packets for the tests of the engines, each with what is known about it
 */
#ifndef TEST_CLI_PACKETS_H
#define TEST_CLI_PACKETS_H

#include <stdbool.h>
#include <stddef.h>

#define FRAME_MAX  256u
#define FRAMES_MAX 64u

/**
 * struct frame - a packet
 * @name:   for messages
 * @b:      its bytes
 * @len:    how many
 * @addr:   offset of the source address, followed by the destination's; 0: an engine must see none
 * @alen:   bytes of each address
 * @ports:  offset of the ports that 5tswap must exchange; 0: none
 * @fixed:  bytes as csum must leave them
 * @bad_ip: csum must count a wrong IPv4 header
 * @bad_l4: csum must count a wrong TCP or UDP checksum
 * @reply:  bytes as icmpecho must answer, but for the port's address: 6 at offset 6 and, in ARP, at
 *          @own; all 0 there
 * @own:    see @reply; 0: not ARP
 * @answer: icmpecho must answer
 */
struct frame {
	const char *name;
	unsigned char b[FRAME_MAX];
	size_t len;
	size_t addr;
	size_t alen;
	size_t ports;
	unsigned char fixed[FRAME_MAX];
	bool bad_ip;
	bool bad_l4;
	unsigned char reply[FRAME_MAX];
	size_t own;
	bool answer;
};

/* make_frames() - fill @f with at most FRAMES_MAX packets; how many */
size_t make_frames(struct frame *f);

/* checksum() - of @len bytes, after @sum; 0 if a right checksum was among them */
unsigned int checksum(unsigned int sum, const unsigned char *b, size_t len);

#endif /* TEST_CLI_PACKETS_H */
