/* SPDX-License-Identifier: BSD-3-Clause */
/* harness.c - pin, warm up, measure in turns, keep the median and the spread */
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

#define TRIES	20u
#define RETRY_S 30u

void bench_subject_set(struct bench_subject *s, const char *kind, bench_run_fn *run, void *ctx,
		       const char *policy, ...)
{
	va_list ap;

	va_start(ap, policy);
	vsnprintf(s->policy, sizeof(s->policy), policy, ap);
	va_end(ap);
	s->kind = kind;
	s->run = run;
	s->ctx = ctx;
}

/*
 * Cycles that one measurement should take: few against a slice of the scheduler, many against
 * the cost of reading the clock.
 */
static uint64_t slice_cycles(const struct bench *b)
{
	return b->tsc_hz / (b->opts.quick ? 1000 : 500);
}

long bench_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
}

uint64_t bench_cpu_cycles(const struct bench *b)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)(((double)t.tv_sec + (double)t.tv_nsec / 1e9) * (double)b->tsc_hz);
}

long bench_sleeps(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nvcsw;
}

/*
 * Code that is measured on one core must not sleep: a thread that sleeps while a cache is
 * closed keeps all others out of it. One sleep may be the C library's own.
 */
int bench_check_slept(struct bench *b, const char *name, unsigned long slept, unsigned int of)
{
	if (!slept || slept * 3 < of)
		return 0;
	bench_error("%s: '%s' slept in %lu of %u measurements, where nothing may sleep: no figure; "
		    "this is a bug, please report it",
		    b->what->name, name, slept, of);
	return -1;
}

/* a case must end on a machine that is never quiet, too */
static bool is_late(const struct bench *b)
{
	return pp_cycles() - b->start > (b->opts.quick ? 5 : RETRY_S) * b->tsc_hz;
}

/*
 * A figure that holds another program's time slice is not the subject's: measure
 * again. A machine that is never quiet gets figures all the same, and a note.
 * @tries: 0 before the first measurement of a figure
 */
bool bench_disturbed(struct bench *b, bool interrupted, unsigned int *tries)
{
	b->measured++;
	bench_progress_tick(b);
	if (!interrupted)
		return false;
	b->disturbed++;
	if (++*tries < TRIES && !is_late(b))
		return true;
	b->kept_disturbed++;
	return false;
}

static uint64_t run_undisturbed(struct bench *b, struct bench_subject *s, unsigned int bulk)
{
	unsigned int tries = 0;
	uint64_t cycles;
	long before, sleeps;

	do {
		before = bench_switches();
		sleeps = bench_sleeps();
		cycles = s->run(s, bulk, s->loops);
		sleeps = bench_sleeps() - sleeps;
	} while (bench_disturbed(b, bench_switches() != before, &tries));
	s->slept += sleeps > 0;
	return cycles;
}

/* Doubles as the warm-up: caches, predictors and the pool's own caches are hot afterwards. */
static void calibrate_loops(const struct bench *b, struct bench_subject *s, unsigned int bulk)
{
	uint64_t want = slice_cycles(b) / 2, cycles;

	for (s->loops = 16;; s->loops *= 2) {
		cycles = s->run(s, bulk, s->loops);
		if (cycles >= want || s->loops >= 1ul << 30)
			break;
	}
}

/* Figures of two cores need the distance of the two at that time beside them. */
static double probe_distance(const struct bench *b)
{
	return b->what->cores < 2 ? 0 : bench_pingpong(b->opts.cores[1]);
}

static int keep_rows(struct bench *b, struct bench_subject *s, unsigned int n, unsigned int bulk,
		     double round_trip)
{
	struct bench_row *row;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (s[i].shorts) {
			bench_error("%s: '%s' ran out of pages at bulk %u: no figure; "
				    "use a smaller --bulk",
				    b->what->name, s[i].policy, bulk);
			return -1;
		}
		/* subjects on two cores wait for each other */
		if (b->what->cores < 2 &&
		    bench_check_slept(b, s[i].policy, s[i].slept, b->opts.repeat))
			return -1;
		row = bench_row_add(b, s[i].policy, s[i].kind, bulk, s[i].samples, b->opts.repeat);
		if (!row)
			return -1;
		if (b->what->cores > 1)
			bench_extra(row, "pingpong_cycles", round_trip);
	}
	return 0;
}

int bench_interleave(struct bench *b, struct bench_subject *s, unsigned int n, unsigned int bulk)
{
	double distance[BENCH_REPEAT_MAX];
	unsigned int i, r;
	uint64_t cycles;

	for (i = 0; i < n; i++) {
		s[i].slept = 0;
		calibrate_loops(b, &s[i], bulk);
	}
	for (r = 0; r < b->opts.repeat; r++) {
		bench_progress(b, "bulk %u, repetition %u of %u", bulk, r + 1, b->opts.repeat);
		distance[r] = probe_distance(b);
		if (distance[r] < 0)
			return -1;
		for (i = 0; i < n; i++) {
			cycles = run_undisturbed(b, &s[i], bulk);
			s[i].samples[r] = (double)cycles / ((double)s[i].loops * bulk);
		}
	}
	return keep_rows(b, s, n, bulk, bench_median(distance, b->opts.repeat));
}

int bench_interleave_all(struct bench *b, struct bench_subject *s, unsigned int n)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = bench_interleave(b, s, n, b->opts.bulks[i]);
	return err;
}
