/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_packet.c - xdp_app's packet code under libFuzzer
 *
 * The first byte chooses: bit 0: make the checksums right, without which nothing gets far;
 * bits 1 and 2: what to do with slow names; the rest: room behind the packet.
 */
#include <stdlib.h>
#include <string.h>

#include "frame.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct responder responder;
	unsigned char frame[2048] = { 0 };
	uint32_t len;

	if (!responder.nnames)
		frame_responder(&responder);
	if (!size || size > sizeof(frame))
		return 0;
	len = (uint32_t)size - 1;
	memcpy(frame, data + 1, len);
	if (data[0] & 1)
		frame_checksums(frame, len);
	frame_feed(&responder, frame, len, data[0] >> 3, (enum slow_policy)((data[0] >> 1) % 3));
	return 0;
}
