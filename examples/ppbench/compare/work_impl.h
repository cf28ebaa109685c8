/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/work_impl.h - the kinds of work of `ppbench compare`, over a rival's get and put
 *
 * Defined before inclusion, and undefined by it, so that a file may include it again:
 *   WORK(name)             a name for each function here
 *   WORK_GET(pool, o, n)   take n objects; those it got
 *   WORK_PUT(pool, o, n)   give n objects back
 *   WORK_ENTER(), WORK_LEAVE()  register a thread with the rival, and unregister it; optional
 */
#include <sched.h>
#include <stdlib.h>

#include "compare/compare.h"
#include "crew.h"
#include "spsc.h"

#ifndef PPBENCH_COMPARE_WORK
#define PPBENCH_COMPARE_WORK

#define CMP_CLOCK   2048u /* pages between two looks at the clock */
#define CMP_LIFE    4096u /* pages that a thread of CMP_CHURN handles */
#define CMP_PER_CPU 2u

struct cmp_worker {
	void *pool;
	const struct cmp_job *job;
	uint64_t deadline;
	uint64_t pages;
	uint64_t cycles;
	uint64_t shorts;
	struct spsc *ring;
	const cpu_set_t *set;
	/* on lines that no thread writes while the other reads them */
	unsigned int ready __attribute__((aligned(128)));
	unsigned int stop;
} __attribute__((aligned(128)));

static inline unsigned int cmp_per_clock(unsigned int bulk)
{
	return bulk < CMP_CLOCK ? CMP_CLOCK / bulk : 1;
}

#endif

#ifndef WORK_ENTER
#define WORK_ENTER() ((void)0)
#define WORK_LEAVE() ((void)0)
#endif

static inline void WORK(pairs)(struct cmp_worker *w, unsigned int n)
{
	void *objects[PP_BULK_MAX] __attribute__((aligned(64)));
	const unsigned int bulk = w->job->bulk;
	unsigned int got;

	while (n--) {
		got = WORK_GET(w->pool, objects, bulk);
		w->shorts += got != bulk;
		bench_use(objects);
		WORK_PUT(w->pool, objects, got);
		w->pages += bulk;
	}
}

/* @pages, or a little less, in hand at once; given back in the order in which they came */
static inline void WORK(train)(struct cmp_worker *w, unsigned int pages)
{
	void *objects[CMP_KEEP + PP_BULK_MAX] __attribute__((aligned(64)));
	const unsigned int bulk = w->job->bulk;
	unsigned int held = 0, at;

	do {
		if (unlikely(WORK_GET(w->pool, objects + held, bulk) != bulk)) {
			w->shorts++;
			break;
		}
		held += bulk;
	} while (held + bulk <= pages);
	bench_use(objects);
	for (at = 0; at < held; at += bulk)
		WORK_PUT(w->pool, objects + at, bulk);
	w->pages += held;
}

static void WORK(alone)(struct cmp_worker *w)
{
	const unsigned int pairs = cmp_per_clock(w->job->bulk);
	const enum cmp_kind kind = (enum cmp_kind)w->job->kind;
	uint64_t start = pp_cycles(), now;
	unsigned int seed = 1;

	w->deadline = start + w->job->budget;
	do {
		if (kind == CMP_KEEP_MANY) {
			WORK(train)(w, CMP_KEEP);
		} else if (kind == CMP_BURSTY) {
			seed = seed * 1664525u + 1013904223u;
			WORK(train)(w, 1u << (seed >> 16) % 11);
		} else {
			WORK(pairs)(w, pairs);
		}
		now = pp_cycles();
	} while (now < w->deadline);
	w->cycles = now - start;
}

static void *WORK(foreign)(void *arg)
{
	WORK(alone)(arg);
	return NULL;
}

static void *WORK(give_back)(void *arg)
{
	void *objects[PP_BULK_MAX] __attribute__((aligned(64)));
	struct cmp_worker *w = arg;
	struct spsc *const ring = w->ring;
	void *const pool = w->pool;
	const unsigned int bulk = w->job->bulk;
	unsigned int spins = 0, last;

	WORK_ENTER();
	__atomic_store_n(&w->ready, 1, __ATOMIC_RELEASE);
	for (;;) {
		/* pairs with the release in cross(): earlier pushes are visible after it */
		last = __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
		if (spsc_pop(ring, (struct pp_page **)objects, bulk)) {
			WORK_PUT(pool, objects, bulk);
			spins = 0;
		} else if (last) {
			break;
		} else {
			bench_pause(&spins);
		}
	}
	WORK_LEAVE();
	return NULL;
}

/* waits for the other thread to give back the pages that are missing */
static inline void WORK(hand_over)(struct cmp_worker *w, unsigned int n)
{
	void *objects[PP_BULK_MAX] __attribute__((aligned(64)));
	const unsigned int bulk = w->job->bulk;
	unsigned int got, spins;

	while (n-- && !w->shorts) {
		got = spins = 0;
		while ((got += WORK_GET(w->pool, objects + got, bulk - got)) < bulk) {
			bench_pause(&spins);
			if (spins % BENCH_SPINS == 0 &&
			    pp_cycles() > w->deadline + w->job->budget) {
				w->shorts++;
				WORK_PUT(w->pool, objects, got);
				return;
			}
		}
		bench_use(objects);
		while (!spsc_push(w->ring, (struct pp_page **)objects, bulk))
			bench_pause(&spins);
		w->pages += bulk;
	}
}

static int WORK(cross)(struct cmp_worker *w)
{
	const unsigned int n = cmp_per_clock(w->job->bulk);
	uint64_t start;
	pthread_t thread;
	int err = 0;

	w->ring = bench_alloc(1, sizeof(*w->ring));
	if (!w->ring)
		return -1;
	if (bench_thread(&thread, w->job->core[1], WORK(give_back), w)) {
		err = -1;
		goto out;
	}
	bench_await(&w->ready, 1);
	start = pp_cycles();
	w->deadline = start + w->job->budget;
	do
		WORK(hand_over)(w, n);
	while (pp_cycles() < w->deadline && !w->shorts);
	__atomic_store_n(&w->stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	w->cycles = pp_cycles() - start;
out:
	free(w->ring);
	return err;
}

static void *WORK(member)(void *arg)
{
	const struct sched_param ordinary = { .sched_priority = 0 };
	struct cmp_worker *all = arg, mine = *all;
	uint64_t now;

	/* a real-time crowd would keep all other programs from these CPUs */
	sched_setscheduler(0, SCHED_OTHER, &ordinary);
	sched_setaffinity(0, sizeof(*all->set), all->set);
	WORK_ENTER();
	do {
		WORK(pairs)(&mine, cmp_per_clock(mine.job->bulk));
		now = pp_cycles();
	} while (now < mine.deadline);
	WORK_LEAVE();
	__atomic_fetch_add(&all->pages, mine.pages, __ATOMIC_RELAXED);
	__atomic_fetch_add(&all->shorts, mine.shorts, __ATOMIC_RELAXED);
	return NULL;
}

static int WORK(crowd)(struct cmp_worker *w)
{
	struct cmp_worker all = *w;
	pthread_t thread[2 * CMP_PER_CPU];
	cpu_set_t set;
	uint64_t start = pp_cycles();
	unsigned int n, i;

	CPU_ZERO(&set);
	CPU_SET(w->job->core[0], &set);
	CPU_SET(w->job->core[1], &set);
	all.set = &set;
	all.deadline = start + w->job->budget;
	for (n = 0; n < 2 * CMP_PER_CPU; n++)
		if (bench_thread(&thread[n], w->job->core[n % 2], WORK(member), &all))
			break;
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	w->cycles = 2 * (pp_cycles() - start);
	w->pages = all.pages;
	w->shorts = all.shorts;
	return n == 2 * CMP_PER_CPU ? 0 : -1;
}

static void *WORK(short_life)(void *arg)
{
	struct cmp_worker *w = arg;
	const uint64_t until = w->pages + CMP_LIFE;

	WORK_ENTER();
	while (w->pages < until && !w->shorts)
		WORK(train)(w, CMP_KEEP / 4);
	WORK_LEAVE();
	return NULL;
}

static int WORK(in_threads)(struct cmp_worker *w, void *(*fn)(void *))
{
	uint64_t start = pp_cycles(), now;
	pthread_t thread;

	do {
		if (bench_thread(&thread, w->job->core[0], fn, w))
			return -1;
		pthread_join(thread, NULL);
		now = pp_cycles();
	} while (now - start < w->job->budget && !w->shorts);
	if (w->job->kind == CMP_CHURN)
		w->cycles = now - start;
	return 0;
}

static int WORK(run)(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	struct cmp_worker w = { .pool = r->pool, .job = job };
	long before = bench_switches();
	int err = 0;

	if (job->kind == CMP_CROSS)
		err = WORK(cross)(&w);
	else if (job->kind == CMP_CROWD)
		err = WORK(crowd)(&w);
	else if (job->kind == CMP_CHURN)
		err = WORK(in_threads)(&w, WORK(short_life));
	else if (job->kind == CMP_FOREIGN)
		err = WORK(in_threads)(&w, WORK(foreign));
	else
		WORK(alone)(&w);
	*res = (struct cmp_result){ w.pages, w.cycles, w.shorts, bench_switches() - before };
	return err;
}

#undef WORK
#undef WORK_GET
#undef WORK_PUT
#undef WORK_ENTER
#undef WORK_LEAVE
