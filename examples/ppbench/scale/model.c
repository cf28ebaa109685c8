/* SPDX-License-Identifier: BSD-3-Clause */
/* scale/model.c - see scale/model.h */
#include <math.h>

#include "scale/model.h"

#define NO_CORE UINT32_MAX

struct zone {
	double free_at;
	unsigned int last; /* core that held the lock */
};

struct sums {
	double held;
	double waited;
};

/* splitmix64: the same numbers on every machine */
static double draw_uniform(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return ((double)(z >> 11) + 0.5) / 9007199254740992.0; /* 0 < it < 1 */
}

static double draw_time(uint64_t *state, enum scale_dist dist, double mean)
{
	return dist == SCALE_FIXED ? mean : -mean * log(draw_uniform(state));
}

static unsigned int node_of(const struct scale_params *p, unsigned int core)
{
	return core * p->nodes / p->cores;
}

/* index of @transfer and @hold */
static unsigned int visit_distance(const struct scale_params *p, unsigned int core,
				   unsigned int last)
{
	if (last == core || last == NO_CORE)
		return 0;
	return node_of(p, core) == node_of(p, last) ? 1 : 2;
}

static struct zone *zone_of(const struct scale_params *p, struct zone *zones, unsigned int core)
{
	return &zones[p->zone_per_node ? node_of(p, core) : 0];
}

static unsigned int earliest_core(const double *arrival, unsigned int cores)
{
	unsigned int i, first = 0;

	for (i = 1; i < cores; i++)
		if (arrival[i] < arrival[first])
			first = i;
	return first;
}

/*
 * No core overtakes another: the model works visits off in the order of arrival, and a
 * queue is no more than the time when the zone is free again.
 */
static double visit_zone(const struct scale_params *p, struct zone *zone, unsigned int core,
			 double at, uint64_t *state, struct sums *sums)
{
	unsigned int far = visit_distance(p, core, zone->last);
	double free_at = at > zone->free_at ? at : zone->free_at;
	double start = free_at + p->transfer[far];
	double held = draw_time(state, p->hold_dist, p->hold[far]);

	zone->free_at = start + held;
	zone->last = core;
	sums->held += zone->free_at - free_at;
	sums->waited += start - at;
	return zone->free_at;
}

struct scale_result scale_simulate(const struct scale_params *p)
{
	struct zone zones[SCALE_NODES_MAX], *zone;
	unsigned long done, warm = p->visits / 10;
	struct sums sums = { 0 };
	struct scale_result res = { 0 };
	double arrival[SCALE_CORES_MAX], now = 0, began = 0;
	uint64_t state = p->seed;
	unsigned int i;

	for (i = 0; i < SCALE_NODES_MAX; i++)
		zones[i] = (struct zone){ .last = NO_CORE };
	/* spread over one cycle: cores do not start in step */
	for (i = 0; i < p->cores; i++)
		arrival[i] = draw_uniform(&state) * (p->think + p->hold[0]);
	for (done = 0; done < p->visits; done++) {
		i = earliest_core(arrival, p->cores);
		now = arrival[i];
		zone = zone_of(p, zones, i);
		if (done == warm) {
			began = now;
			sums = (struct sums){ 0 };
		}
		arrival[i] = visit_zone(p, zone, i, now, &state, &sums);
		arrival[i] += draw_time(&state, p->think_dist, p->think);
	}
	res.rate = (double)(p->visits - warm) / (now - began);
	res.busy = sums.held / (now - began) / (p->zone_per_node ? p->nodes : 1);
	res.wait = sums.waited / (double)(p->visits - warm);
	return res;
}
