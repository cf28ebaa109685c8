/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recycle.c - pass packets on, and bring each burst's buffers home before the next
 *
 * A buffer goes from RX to the peer's TX side and straight back. The peer's sent packets are
 * completed before the next burst is received, so that few buffers are under way, and the
 * pool's ring and the zone stay untouched.
 */
#include "engines/engine.h"

const struct engine engine_recycle = {
	.name = "recycle",
	.help = "pass packets on untouched, complete what was sent before each burst",
	.paired = true,
	.chains = true,
	.clean_first = true,
};
