/* SPDX-License-Identifier: BSD-3-Clause */
/* cases/compare.c - the same work on other allocators, in one run */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"

#define RTE_MEMPOOL "rte_mempool ring_mp_mc cache 512"
#define RTE_PKTMBUF "rte_pktmbuf ring_mp_mc cache 512"
#define MALLOC	    "malloc glibc"
#define TARGET_BULK 64u
#define ROUNDS_MAX  5u /* for the kinds that take long */

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/*
 * @ms:    of a measurement, and a quick one
 * @pair:  needs a second CPU
 * @rough: at one bulk and in few rounds: it starts threads, which the scheduler disturbs
 */
static const struct cmp_work {
	const char *name;
	unsigned int ms, quick_ms;
	bool pair, rough;
} works[CMP_KINDS] = {
	[CMP_RAW] = { .name = "raw", .ms = 2, .quick_ms = 1 },
	[CMP_PREP] = { .name = "prep", .ms = 2, .quick_ms = 1 },
	[CMP_KEEP_MANY] = { .name = "keep1024", .ms = 2, .quick_ms = 1 },
	[CMP_BURSTY] = { .name = "bursty", .ms = 2, .quick_ms = 1 },
	[CMP_CROSS] = { .name = "cross", .ms = 4, .quick_ms = 2, .pair = true },
	[CMP_CROWD] = { .name = "crowd", .ms = 100, .quick_ms = 30, .pair = true, .rough = true },
	[CMP_CHURN] = { .name = "churn", .ms = 10, .quick_ms = 4, .rough = true },
	[CMP_FOREIGN] = { .name = "foreign", .ms = 2, .quick_ms = 1, .rough = true },
};

struct field {
	struct cmp_rival *rivals;
	unsigned int n;
	bool two;
	unsigned int core[2];
};

static bool takes_part(const struct cmp_rival *r, unsigned int kind)
{
	return !r->missing && r->kinds & CMP_BIT(kind);
}

/* -1: the rival can not go on, and r->missing says why */
static int measure_rival(struct bench *b, struct cmp_rival *r, const struct cmp_job *job,
			 double *cycles)
{
	struct cmp_result res = { 0 };
	unsigned int tries = 0;

	do {
		if (r->run(r, job, &res)) {
			if (!r->missing)
				r->missing = "could not start its threads, or had no memory";
			return -1;
		}
		/* a crowd's own threads interrupt each other: switches say nothing there */
	} while (job->kind != CMP_CROWD && bench_disturbed(b, res.switches, &tries));
	if (res.shorts || !res.pages) {
		r->missing = "ran out of pages; use a smaller --bulk";
		return -1;
	}
	*cycles = (double)res.cycles / (double)res.pages;
	return 0;
}

static int keep_rivals(struct bench *b, struct field *f, unsigned int kind, unsigned int bulk,
		       unsigned int rounds, double *distance)
{
	double round_trip = works[kind].pair ? bench_median(distance, rounds) : 0;
	struct bench_row *row;
	unsigned int i;

	for (i = 0; i < f->n; i++) {
		if (!takes_part(&f->rivals[i], kind))
			continue;
		row = bench_row_add(b, f->rivals[i].name, works[kind].name, bulk,
				    f->rivals[i].samples, rounds);
		if (!row)
			return -1;
		if (works[kind].pair)
			bench_extra(row, "pingpong_cycles", round_trip);
		if (kind == CMP_CROWD)
			bench_extra(row, "mpages_per_s", 2e-6 * (double)b->tsc_hz / row->median);
	}
	return 0;
}

/* one kind at one bulk: all rivals in turns, --repeat times */
static int rounds_of(struct bench *b, struct field *f, unsigned int kind, unsigned int bulk)
{
	const struct cmp_work *w = &works[kind];
	unsigned int rounds = w->rough && b->opts.repeat > ROUNDS_MAX ? ROUNDS_MAX : b->opts.repeat;
	uint64_t budget = b->tsc_hz / 1000 * (b->opts.quick ? w->quick_ms : w->ms);
	struct cmp_job job = { kind, bulk, { f->core[0], f->core[1] }, budget };
	double distance[BENCH_REPEAT_MAX], warm;
	struct cmp_job first = job;
	unsigned int r, i;

	first.budget = budget / 4;
	for (i = 0; i < f->n; i++)
		if (takes_part(&f->rivals[i], kind))
			measure_rival(b, &f->rivals[i], &first, &warm);
	for (r = 0; r < rounds; r++) {
		distance[r] = w->pair ? bench_pingpong(f->core[1]) : 0;
		if (distance[r] < 0)
			return -1;
		for (i = 0; i < f->n; i++)
			if (takes_part(&f->rivals[i], kind))
				measure_rival(b, &f->rivals[i], &job, &f->rivals[i].samples[r]);
	}
	return keep_rivals(b, f, kind, bulk, rounds, distance);
}

static int all_kinds(struct bench *b, struct field *f)
{
	unsigned int kind, i;

	for (kind = 0; kind < CMP_KINDS; kind++) {
		if (works[kind].pair && !f->two)
			continue;
		for (i = works[kind].rough ? b->opts.nbulks - 1 : 0; i < b->opts.nbulks; i++)
			if (rounds_of(b, f, kind, b->opts.bulks[i]))
				return -1;
	}
	return 0;
}

/* a missing rival has a line, with the reason */
static int say_missing(struct bench *b, const struct field *f)
{
	unsigned int i, bulk = b->opts.bulks[b->opts.nbulks - 1];

	for (i = 0; i < f->n; i++) {
		const struct cmp_rival *r = &f->rivals[i];

		if (r->missing && !bench_row_refused(b, r->name, bulk, r->missing))
			return -1;
		if (!r->missing && r->unable && !bench_row_refused(b, r->name, bulk, r->unable))
			return -1;
	}
	return 0;
}

/* the result in one sentence */
static void summarise_kind(struct bench *b, const char *kind, const char *rival)
{
	struct bench_row *us, *array, *them;
	char name[BENCH_NAME];

	snprintf(name, sizeof(name), "zone %s", b->opts.policies[0]);
	us = bench_find(b, name, kind, TARGET_BULK);
	array = bench_find(b, "array", kind, TARGET_BULK);
	them = bench_find(b, rival, kind, TARGET_BULK);
	if (!us || !array || us->median <= 0)
		return;
	if (them)
		bench_note(b, "%s, %s, bulk %u: %.2f x the plain array; %s takes %.2f x as long",
			   name, kind, TARGET_BULK, us->median / array->median, rival,
			   them->median / us->median);
	else
		bench_note(b, "%s, %s, bulk %u: %.2f x the plain array", name, kind, TARGET_BULK,
			   us->median / array->median);
}

static void compare_notes(struct bench *b, const struct field *f)
{
	bench_ratio(b, "vs_array", "array", NULL);
	bench_ratio(b, "vs_malloc", MALLOC, NULL);
	bench_ratio(b, "vs_rte", RTE_MEMPOOL, NULL);
	bench_ratio(b, "vs_rte", RTE_PKTMBUF, NULL);
	summarise_kind(b, "raw", RTE_MEMPOOL);
	summarise_kind(b, "prep", RTE_PKTMBUF);
	bench_note(
		b,
		"raw: pointers only, taken and given back at once; prep: ready for a packet, "
		"as applications get them; the others are raw, but for page_pool, which prepares");
	bench_note(b, "keep1024: 1024 held at once; bursty: 1 to 1024, each power of two as often; "
		      "foreign: a thread that registered nowhere");
	bench_note(b,
		   "churn: every %u pages the thread ends and another starts; no pool: that alone",
		   4096u);
	if (f->two)
		bench_note(
			b,
			"cross: taken on CPU %u, given back on CPU %u; no pool: hand-over alone; "
			"crowd: 4 threads on these 2 CPUs, cycles of both",
			f->core[0], f->core[1]);
	else
		bench_note(b, "cross and crowd left out: they need a second CPU");
	bench_note(b, "each malloc(%u) runs in a process of its own, preloaded", BENCH_PAGE_SIZE);
	bench_note_distance(b);
}

/* malloc first: fork its processes before EAL has threads */
static int run_rivals(struct bench *b, struct field *f)
{
	const char *why = NULL;
	int err = cmp_malloc_open(f->rivals, &f->n);

	if (!cmp_dpdk_open)
		why = "not built (libdpdk not found)";
	else if (!err)
		cmp_dpdk_open(b->opts.cores[0], f->rivals, &f->n, &why);
	if (why)
		bench_note(b, "rte_mempool: %s", why);
	if (!err)
		err = bench_pin(b->opts.cores[0]);
	if (!err)
		err = all_kinds(b, f);
	if (!err)
		err = cmp_plain_audit();
	if (!err && cmp_dpdk_audit)
		err = cmp_dpdk_audit();
	if (!err)
		err = say_missing(b, f);
	cmp_malloc_close();
	if (cmp_dpdk_close)
		cmp_dpdk_close();
	return err;
}

static int compare_case(struct bench *b)
{
	unsigned int max = CMP_PLAIN + CMP_MALLOCS + CMP_DPDK + CMP_PER_POLICY * b->opts.npolicies;
	struct cmp_ours ours[BENCH_LIST_MAX] = { 0 };
	struct field f = { 0 };
	unsigned int i;
	int err;

	f.core[0] = b->opts.cores[0];
	f.core[1] = bench_second_cpu(b);
	f.two = f.core[0] != f.core[1];
	f.rivals = calloc(max, sizeof(*f.rivals));
	err = f.rivals ? cmp_plain_open(f.rivals, &f.n) : -1;
	for (i = 0; i < b->opts.npolicies && !err; i++)
		err = cmp_ours_open(&ours[i], f.rivals, &f.n, b->opts.policies[i]);
	if (!err)
		err = run_rivals(b, &f);
	for (i = 0; i < b->opts.npolicies; i++)
		if (cmp_ours_close(b, &ours[i]))
			err = -1;
	if (!err)
		compare_notes(b, &f);
	cmp_plain_close();
	free(f.rivals);
	return err;
}

const struct bench_case bench_compare = {
	.name = "compare",
	.title = "the same work on pagepool, rte_mempool, malloc, a locked stack",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 1,
	.run = compare_case,
};
