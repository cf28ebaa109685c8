/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refill_run.h - packets through a port, with a whole round of them out at once
 *
 * Recycling hides the refill: as long as pages come back before the next ones are wanted,
 * a pool's cache never runs empty. So a round receives REFILL_ROUND packets before the
 * first of them leaves, and the pool keeps no more than one refill. The others come from
 * the zone and go back to it, a refill at a time.
 */
#ifndef PPBENCH_REFILL_RUN_H
#define PPBENCH_REFILL_RUN_H

#include <pagepool/netdev.h>

#include "bench.h"

#define REFILL_ROUND 4096u /* packets; the largest refill is an eighth */
#define REFILL_BURST 32u
#define REFILL_FRAME 64u /* bytes */
#define REFILL_PORTS 8u

/*
 * struct refill_port - a port to measure
 * @name: of the rows
 * @spec: a port that forwards to itself, or two ends of a cable
 * @fed:  a cable brings nothing by itself: the case sends packets into it, and keeps what arrives
 * @slow: opening takes longer than measuring: all repeats are of one opening
 * @ours: endless, without system calls: a sleep there is the pool's
 * @make: makes what the port needs; 0, or -1 with the reason in @why
 */
struct refill_port {
	const char *name;
	const char *spec[2];
	bool fed;
	bool slow;
	bool ours;
	int (*make)(char *why, size_t size);
};

/* what is measured, and the figures: of the whole time since the port was opened, the windows */
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

/* the ports that need nothing of the user, of every driver; ended by one without a name */
extern const struct refill_port refill_ports[];
/* a frame of a local experimental type */
extern const unsigned char refill_frame[REFILL_FRAME];
/* removes what make() made */
void refill_ports_unmake(void);

/* opens the port, as @run wants it; 0, or -1 with the reason in @why */
int refill_open(struct bench *b, const struct refill_run *run, char *why, size_t size);
int refill_measure(struct bench *b, struct refill_run *run);
int refill_close(struct bench *b);

#endif /* PPBENCH_REFILL_RUN_H */
