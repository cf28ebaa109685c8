/* SPDX-License-Identifier: BSD-3-Clause */
/* scale/measure.c - the work that is to scale, on the cores of this machine */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crew.h"
#include "scale/measure.h"

#define RUN_MS 20u

struct crew {
	struct pp_zone *zone;
	unsigned int bulk;
	struct bench_gate gate;
	uint64_t cycles; /* to run for */
};

struct member {
	struct crew *crew;
	struct pp_page *page[SCALE_SLICE + PP_BULK_MAX];
	uint64_t pages;
	uint64_t cycles;
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

	m->short_of = n < SCALE_SLICE;
	scale_give(m->crew->zone, m->page, n, m->crew->bulk);
	m->pages += n;
}

static void *member_thread(void *arg)
{
	struct member *m = arg;
	struct crew *crew = m->crew;
	uint64_t start;

	if (!bench_gate_pass(&crew->gate))
		return NULL;
	start = pp_cycles();
	do {
		take_and_give(m);
		m->cycles = pp_cycles() - start;
	} while (m->cycles < crew->cycles && !m->short_of);
	return NULL;
}

uint64_t scale_visits(struct pp_zone *zone)
{
	struct pp_zone_stats stats = { .sz = sizeof(stats) };

	pp_zone_get_stats(zone, &stats);
	return stats.refills + stats.flushes + stats.fallbacks;
}

static int add_up(struct bench *b, const struct crew *crew, const struct member *m,
		  unsigned int cores, struct scale_rate *rate)
{
	uint64_t pages = 0;
	unsigned int i;

	memset(rate, 0, sizeof(*rate));
	for (i = 0; i < cores; i++) {
		if (m[i].short_of) {
			bench_error("scale: %u cores ran out of pages with policy %s: no figure; "
				    "this is a bug, please report it",
				    cores, pp_zone_policy(crew->zone));
			return -1;
		}
		rate->pages_per_s += (double)m[i].pages / (double)m[i].cycles;
		pages += m[i].pages;
	}
	rate->pages_per_s *= (double)b->tsc_hz;
	rate->visits = (double)scale_visits(crew->zone) / (double)pages;
	return 0;
}

static int measure_once(struct bench *b, struct crew *crew, struct member *m, unsigned int cores,
			struct scale_rate *rate)
{
	unsigned int i;
	int err;

	memset(m, 0, cores * sizeof(*m));
	for (i = 0; i < cores; i++)
		m[i].crew = crew;
	err = bench_crew_run(&crew->gate, b->opts.cores, cores, cores, member_thread, m,
			     sizeof(*m));
	if (!err)
		err = add_up(b, crew, m, cores, rate);
	return bench_zone_close(b, crew->zone) ? -1 : err;
}

int scale_measure_rate(struct bench *b, const char *policy, unsigned int cores, unsigned int bulk,
		       struct scale_rate *rate)
{
	struct crew crew = { .bulk = bulk };
	unsigned int tries = 0;
	struct member *m;
	long before;
	int err;

	crew.cycles = b->tsc_hz / 1000 * (b->opts.quick ? RUN_MS / 4 : RUN_MS);
	m = bench_alloc(cores, sizeof(*m));
	if (!m)
		return -1;
	do {
		before = bench_switches();
		crew.zone = scale_zone_open(policy, cores);
		err = crew.zone ? measure_once(b, &crew, m, cores, rate) : -1;
	} while (!err && bench_disturbed(b, bench_switches() != before, &tries));
	free(m);
	return err;
}
