/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refill.h - a port that forwards to itself, with all its pages out at once
 *
 * Recycling hides the refill: as long as pages come back before the next ones are wanted,
 * a pool's cache never runs empty. So a round receives REFILL_ROUND packets before it
 * sends the first, and the pool keeps no more than one refill. The others come from the
 * zone and go back to it, a refill at a time.
 */
#ifndef PPBENCH_REFILL_H
#define PPBENCH_REFILL_H

#include <pagepool/netdev.h>

#include "bench.h"

#define REFILL_ROUND 4096u /* packets; the largest refill is an eighth */
#define REFILL_BURST 32u

struct refill_port {
	const char *name; /* of the rows */
	const char *spec[2]; /* two ends of a cable, or one port */
	char made[2][64]; /* specs that are ours */
	unsigned int ends;
	bool ours; /* an endless port without system calls: a sleep there is the pool's */
};

/* one run over a port that is opened for it */
struct refill_run {
	const struct refill_port *port;
	const char *policy;
	unsigned int refill;
	bool traced;
	uint64_t cycles;
	uint64_t packets;
	uint64_t refills;
	bool slept;
	struct pp_window_stats windows;
};

int refill_run(struct bench *b, struct refill_run *run);

/* a capture file in memory; its descriptor, or -1 after bench_error() */
int refill_capture(void);
void refill_capture_close(void);

#endif /* PPBENCH_REFILL_H */
