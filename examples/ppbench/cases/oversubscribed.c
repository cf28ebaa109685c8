/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * oversubscribed.c - more threads than CPUs, free to move
 *
 * A thread may lose its CPU while it holds that CPU's cache. The others then find the
 * cache closed and take the zone's lock, or wait with policy spin. Caches for threads and
 * restartable sequences are measured against how often that happens.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define CPUS_MAX    2u
#define PER_CPU	    2u
#define REPEATS_MAX 5u
#define LOOPS	    64u
#define RUN_MS	    150u
#define QUICK_MS    30u
#define DEADLINE_S  5u

struct crowd {
	struct pp_zone *zone;
	const cpu_set_t *set;
	unsigned int threads;
	unsigned int bulk;
	unsigned int go;
	unsigned int stop;
	uint64_t deadline;
	/* the threads' sums */
	uint64_t loops;
	uint64_t shorts;
};

struct crowd_result {
	char name[BENCH_NAME];
	struct pp_zone *zone;
	double cycles[REPEATS_MAX];
	double rate[REPEATS_MAX];
	uint64_t calls;
};

static void *crowd_member(void *arg)
{
	struct crowd *c = arg;
	const struct sched_param ordinary = { .sched_priority = 0 };
	struct bench_subject s = { .ctx = c->zone };
	uint64_t loops = 0;

	/* a real-time crowd would keep the CPU from the thread that stops it */
	sched_setscheduler(0, SCHED_OTHER, &ordinary);
	sched_setaffinity(0, sizeof(*c->set), c->set);
	while (!__atomic_load_n(&c->go, __ATOMIC_ACQUIRE))
		sched_yield();
	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED) && pp_cycles() < c->deadline) {
		bench_run_zone(&s, c->bulk, LOOPS);
		loops += LOOPS;
	}
	__atomic_fetch_add(&c->loops, loops, __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->shorts, s.shorts, __ATOMIC_RELAXED);
	return NULL;
}

static void rest_ms(unsigned int ms)
{
	struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

/* Cycles from the start until the last thread has stopped; 0 after bench_error(). */
static uint64_t crowd_run(const struct bench *b, struct crowd *c)
{
	pthread_t thread[CPUS_MAX * PER_CPU];
	unsigned int i, n;
	uint64_t start;

	for (n = 0; n < c->threads; n++)
		if (bench_thread(&thread[n], b->opts.cores[0], crowd_member, c))
			break;
	start = pp_cycles();
	__atomic_store_n(&c->go, 1, __ATOMIC_RELEASE);
	if (n == c->threads)
		rest_ms(b->opts.quick ? QUICK_MS : RUN_MS);
	__atomic_store_n(&c->stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	return n == c->threads ? pp_cycles() - start : 0;
}

static int measure_crowd(struct bench *b, struct crowd_result *res, unsigned int r,
			 const cpu_set_t *set, unsigned int bulk)
{
	unsigned int cpus = (unsigned int)CPU_COUNT(set);
	struct crowd c = { .zone = res->zone,
			   .set = set,
			   .threads = PER_CPU * cpus,
			   .bulk = bulk,
			   .deadline = pp_cycles() + DEADLINE_S * b->tsc_hz };
	uint64_t cycles = crowd_run(b, &c);
	double pages = (double)(c.loops * bulk);

	if (!cycles)
		return -1;
	if (c.shorts || !c.loops) {
		bench_error("policy: %u threads ran out of pages with policy %s: no figure",
			    c.threads, res->name);
		return -1;
	}
	res->cycles[r] = (double)cycles * cpus / pages;
	res->rate[r] = pages / ((double)cycles / (double)b->tsc_hz) / 1e6;
	res->calls += 2 * c.loops;
	return 0;
}

static int keep_crowd(struct bench *b, struct crowd_result *res, unsigned int n, unsigned int bulk)
{
	struct pp_zone_stats stats = { .sz = sizeof(stats) };
	struct bench_row *row;

	pp_zone_get_stats(res->zone, &stats);
	row = bench_row_add(b, res->name, "crowded", bulk, res->cycles, n);
	if (!row)
		return -1;
	bench_extra(row, "mpages_per_s", bench_median(res->rate, n));
	bench_extra(row, "fallbacks_percent", 100.0 * (double)stats.fallbacks / (double)res->calls);
	return 0;
}

static int open_zones(struct bench *b, struct crowd_result *res, unsigned int *n)
{
	const char *policy;
	unsigned int i;

	for (i = 0, *n = 0; i < 2 * b->opts.npolicies; i++) {
		policy = b->opts.policies[i / 2];
		if (i % 2 && strcmp(policy, "trylock"))
			continue;
		snprintf(res[*n].name, BENCH_NAME, "%s%s", policy, i % 2 ? " per thread" : "");
		res[*n].zone = bench_zone_open(policy, i % 2 ? PP_ZONE_PER_THREAD : 0, BENCH_HIGH);
		if (!res[(*n)++].zone)
			return -1;
	}
	return 0;
}

int bench_oversubscribed(struct bench *b, unsigned int bulk)
{
	unsigned int repeat = b->opts.repeat < REPEATS_MAX ? b->opts.repeat : REPEATS_MAX;
	struct crowd_result *res = bench_alloc(b->opts.npolicies + 1, sizeof(*res));
	unsigned int n = 0, i, r;
	cpu_set_t set;
	int err;

	if (!res)
		return -1;
	CPU_ZERO(&set);
	CPU_SET(b->opts.cores[0], &set);
	CPU_SET(bench_second_cpu(b), &set);
	err = open_zones(b, res, &n);
	for (r = 0; r < repeat && !err; r++)
		for (i = 0; i < n && !err; i++)
			err = measure_crowd(b, &res[i], r, &set, bulk);
	for (i = 0; i < n && !err; i++)
		err = keep_crowd(b, &res[i], repeat, bulk);
	for (i = 0; i < n; i++)
		if (bench_zone_close(b, res[i].zone))
			err = -1;
	bench_note(b,
		   "crowded: %u threads on %d CPU%s, not pinned; CPU cycles a page; "
		   "fallbacks_percent: calls that found their cache closed and took the zone",
		   PER_CPU * (unsigned int)CPU_COUNT(&set), CPU_COUNT(&set),
		   CPU_COUNT(&set) > 1 ? "s" : "");
	free(res);
	return err;
}
