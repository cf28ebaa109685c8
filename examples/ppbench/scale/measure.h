/* SPDX-License-Identifier: BSD-3-Clause */
/* scale/measure.h - the input of the model, and the rates that check it */
#ifndef PPBENCH_SCALE_MEASURE_H
#define PPBENCH_SCALE_MEASURE_H

#include "bench.h"

#define SCALE_SLICE 2048u /* pages that a core takes before it gives any back */

/*
 * struct scale_rate - cores at work
 * @pages_per_s: taken and given back, all cores together
 * @visits:      to the zone's lock, for each page taken and given back
 */
struct scale_rate {
	double pages_per_s;
	double visits;
};

/* The first @cores CPUs take and give back pages, @bulk a call. 0, or -1 after bench_error(). */
int scale_measure_rate(struct bench *b, const char *policy, unsigned int cores, unsigned int bulk,
		       struct scale_rate *rate);

/*
 * struct scale_hold - cycles
 * @local:    a visit to the zone's lock after one by the same core
 * @remote:   after one by the other core, without the transfer of the lock's own line
 * @transfer: one way of a cache line between them
 */
struct scale_hold {
	double local;
	double remote;
	double transfer;
};

int scale_measure_hold(struct bench *b, const char *policy, unsigned int bulk,
		       struct scale_hold *hold);

/* the work itself: a slice taken, and given back */
struct pp_zone *scale_zone_open(const char *policy, unsigned int cores);
unsigned int scale_take(struct pp_zone *zone, struct pp_page **pages, unsigned int bulk);
void scale_give(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		unsigned int bulk);
uint64_t scale_visits(struct pp_zone *zone);

#endif /* PPBENCH_SCALE_MEASURE_H */
