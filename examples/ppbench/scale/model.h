/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scale/model.h - cores that queue for zones' locks: a closed queueing network, simulated
 *
 * Each core works for itself ("thinks"), then visits its zone. It waits, first come first
 * served, until the lock and its cache line have come to it, and holds the lock. Both take
 * longer if another core was there last. Times are in any one unit.
 */
#ifndef PPBENCH_SCALE_MODEL_H
#define PPBENCH_SCALE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define SCALE_CORES_MAX 256u
#define SCALE_NODES_MAX 8u

enum scale_dist {
	SCALE_FIXED,
	SCALE_EXPONENTIAL,
};

/*
 * struct scale_params - parameters of a simulation
 * @cores:         1 .. SCALE_CORES_MAX
 * @nodes:         1 .. SCALE_NODES_MAX; the cores are split evenly
 * @zone_per_node: each core visits its own node's zone; otherwise there is one
 * @think:         mean time between visits
 * @transfer:      of the free lock to a core: [0] it was there last itself, [1] another core of
 *                 its node was, [2] one of another node
 * @hold:          how long it then holds the lock, the same three
 * @visits:        of all cores together, of which the first tenth is not counted
 */
struct scale_params {
	unsigned int cores;
	unsigned int nodes;
	bool zone_per_node;
	double think;
	double transfer[3];
	double hold[3];
	enum scale_dist think_dist;
	enum scale_dist hold_dist;
	unsigned long visits;
	uint64_t seed;
};

/*
 * struct scale_result - figures of a simulation
 * @rate: visits a unit of time, all cores together
 * @busy: part of the time that a lock is held or on its way, 0 .. 1, mean of the zones
 * @wait: mean time from wanting the lock to having it
 */
struct scale_result {
	double rate;
	double busy;
	double wait;
};

struct scale_result scale_simulate(const struct scale_params *p);

#endif /* PPBENCH_SCALE_MODEL_H */
