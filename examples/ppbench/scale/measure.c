/* SPDX-License-Identifier: BSD-3-Clause */
/* scale/measure.c - the work that is to scale, on the cores of this machine */
#include <math.h>
#include <stdlib.h>

#include "crew.h"
#include "scale/measure.h"

#define ROUNDS	20u /* slices between two meetings: short beside a time slice of the scheduler */
#define BATCHES 61u
#define WARM_UP 4u /* batches */

struct crew {
	struct pp_zone *zone;
	unsigned int bulk;
	struct bench_gate gate;
	unsigned int cores;
	unsigned int met; /* arrivals at all meetings so far */
};

struct member {
	struct crew *crew;
	struct pp_page *page[SCALE_SLICE + PP_BULK_MAX];
	double batch[BATCHES]; /* cycles a slice */
	bool short_of;
} __attribute__((aligned(128)));

struct pp_zone *scale_zone_open(const char *policy, unsigned int cores)
{
	return bench_zone_create((struct pp_zone_params){
		.pages = (uint64_t)(cores + 1) * (SCALE_SLICE + 4 * PP_BULK_MAX),
		.page_size = BENCH_PAGE_SIZE,
		.flags = PP_ZONE_NO_PREP,
		.policy = policy,
		.high = BENCH_HIGH,
	});
}

unsigned int scale_take(struct pp_zone *zone, struct pp_page **pages, unsigned int bulk)
{
	unsigned int got = 0, k;

	while (got < SCALE_SLICE) {
		k = pp_zone_alloc_bulk(zone, pages + got, bulk);
		got += k;
		if (unlikely(k < bulk))
			break;
	}
	return got;
}

void scale_give(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		unsigned int bulk)
{
	unsigned int i, k;

	for (i = 0; i < n; i += k) {
		k = n - i < bulk ? n - i : bulk;
		pp_zone_free_bulk(zone, pages + i, k);
	}
}

static void take_and_give(struct member *m)
{
	unsigned int n = scale_take(m->crew->zone, m->page, m->crew->bulk);

	m->short_of |= n < SCALE_SLICE;
	scale_give(m->crew->zone, m->page, n, m->crew->bulk);
}

/* Returns when all cores are there. None waits for a CPU then. */
static void meet(struct crew *crew, unsigned int times)
{
	unsigned int spins = 0;

	__atomic_fetch_add(&crew->met, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&crew->met, __ATOMIC_ACQUIRE) < times * crew->cores)
		bench_pause(&spins);
}

static void *member_thread(void *arg)
{
	struct member *m = arg;
	unsigned int k, i;
	uint64_t start;

	if (!bench_gate_pass(&m->crew->gate))
		return NULL;
	for (k = 0; k < WARM_UP + BATCHES; k++) {
		meet(m->crew, k + 1);
		start = pp_cycles();
		for (i = 0; i < ROUNDS; i++)
			take_and_give(m);
		if (k >= WARM_UP)
			m->batch[k - WARM_UP] = (double)(pp_cycles() - start) / ROUNDS;
	}
	return NULL;
}

uint64_t scale_visits(struct pp_zone *zone)
{
	struct pp_zone_stats stats = { .sz = sizeof(stats) };

	pp_zone_get_stats(zone, &stats);
	return stats.refills + stats.flushes + stats.fallbacks;
}

/*
 * The median batch, from the meeting to the last core's end: a core that keeps the others from the
 * lock is done sooner, and then they are. One in which another program ran is not the median.
 */
static int add_up(struct bench *b, const struct crew *crew, struct member *m,
		  struct scale_rate *rate)
{
	unsigned int i, k;

	for (i = 0; i < crew->cores; i++) {
		if (m[i].short_of) {
			bench_error("scale: %u cores ran out of pages with policy %s: no figure; "
				    "this is a bug, please report it",
				    crew->cores, pp_zone_policy(crew->zone));
			return -1;
		}
		for (k = 0; k < BATCHES; k++)
			m->batch[k] = fmax(m->batch[k], m[i].batch[k]);
	}
	rate->pages_per_s =
		(double)b->tsc_hz * crew->cores * SCALE_SLICE / bench_median(m->batch, BATCHES);
	rate->visits = (double)scale_visits(crew->zone) /
		       ((double)crew->cores * (WARM_UP + BATCHES) * ROUNDS * SCALE_SLICE);
	return 0;
}

int scale_measure_rate(struct bench *b, const char *policy, unsigned int cores, unsigned int bulk,
		       struct scale_rate *rate)
{
	struct crew crew = { .bulk = bulk, .cores = cores };
	struct member *m = bench_alloc(cores, sizeof(*m));
	unsigned int i;
	int err = m ? 0 : -1;

	crew.zone = m ? scale_zone_open(policy, cores) : NULL;
	if (!crew.zone)
		err = -1;
	for (i = 0; i < cores && !err; i++)
		m[i].crew = &crew;
	if (!err)
		err = bench_crew_run(&crew.gate, b->opts.cores, cores, cores, member_thread, m,
				     sizeof(*m));
	if (!err)
		err = add_up(b, &crew, m, rate);
	free(m);
	return bench_zone_close(b, crew.zone) ? -1 : err;
}
