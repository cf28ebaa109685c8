/* SPDX-License-Identifier: BSD-3-Clause */
/* harness.c - pin, warm up, measure in turns, keep the median and the spread */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "common/thread.h"

#define TRIES	20u
#define RETRY_S 30u

/* one line: later errors follow from the first */
void bench_error(const char *fmt, ...)
{
	static bool said;
	va_list ap;

	if (said)
		return;
	said = true;
	bench_progress_end();
	fputs("ppbench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int bench_pin(unsigned int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return 0;
	bench_error("cannot run on CPU %u: %m; choose others with --cores", core);
	return -1;
}

/* a thread that runs on @core from its first instruction */
int bench_thread(pthread_t *thread, unsigned int core, void *(*fn)(void *), void *arg)
{
	int err = thread_on_cpu(thread, core, fn, arg);

	if (err)
		bench_error("cannot start a thread on CPU %u: %s; choose others with --cores", core,
			    strerror(err));
	return err ? -1 : 0;
}

void bench_name(struct bench_subject *s, const char *kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->policy, sizeof(s->policy), fmt, ap);
	va_end(ap);
	s->kind = kind;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* sorts @values */
double bench_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* sorts @values; the smallest that @q of them do not exceed */
double bench_quantile(double *values, size_t n, double q)
{
	size_t i = (size_t)(q * (double)n);

	if (!n)
		return 0;
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[i < n ? i : n - 1];
}

/* Cycles that one measurement should take: short against the scheduler's slices, long against the
 * cost of reading the clock. */
static uint64_t slice_cycles(const struct bench *b)
{
	return b->machine.tsc_hz / (b->opts.quick ? 1000 : 500);
}

/* involuntary context switches of this process, all threads counted */
long bench_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
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
	return pp_cycles() - b->start > (b->opts.quick ? 5 : RETRY_S) * b->machine.tsc_hz;
}

/*
 * A figure that holds another program's time slice says nothing about the subject: measure
 * again. A machine that is never quiet gets figures all the same, and a note.
 * @before: bench_switches() before the measurement; @tries: 0 before the first
 */
bool bench_disturbed(struct bench *b, long before, unsigned int *tries)
{
	b->measured++;
	bench_progress_tick(b);
	if (bench_switches() == before)
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
	} while (bench_disturbed(b, before, &tries));
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

/* Two-core figures mean nothing without the distance of the two cores when they were taken. */
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
