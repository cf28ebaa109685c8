/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pft/run.c - one run of the page-fault test, in a zone of its own
 *
 * A fault is one page taken and its first line written to. Like pft's processes, a thread
 * keeps all pages until its slice is complete. So the pages cannot come from its
 * core's cache alone, and the zone's lock is part of the work.
 *
 * System time is the time inside the pool's calls. Reading a clock around each call would
 * cost more than the call. So the cycle counter is read around PHASE pages of calls, and
 * divides the thread's CPU time in that proportion. Time that the scheduler gives to
 * others counts for neither, as with getrusage().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/thread.h"
#include "crew.h"
#include "pft/run.h"

#define PHASE	  64u
#define SLICE	  16384u /* pages out at once, all threads together */
#define SLICE_MIN (4 * BENCH_HIGH)
#define SPARE	  1024u
#define DRAIN_US  1000u /* longest wait for a cache */

struct pft_run {
	const struct pft_setup *setup;
	struct pp_zone *zone;
	unsigned int slice;
	unsigned long rounds;
	struct bench_gate gate;
	unsigned int running; /* threads between their start and their end */
};

struct pft_worker {
	struct pft_run *run;
	struct pp_page **pages;
	uint64_t start; /* cycles */
	uint64_t end;
	uint64_t inside;
	double cpu; /* seconds */
	uint64_t faults;
	bool short_of;
} __attribute__((aligned(128)));

static double thread_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* takes @n pages in calls of @bulk; returns the pages that it got */
static unsigned int take_phase(struct pp_zone *zone, struct pp_page **pages, unsigned int n,
			       unsigned int bulk)
{
	unsigned int got = 0, want, k;

	while (got < n) {
		want = n - got < bulk ? n - got : bulk;
		k = pp_zone_alloc_bulk(zone, pages + got, want);
		got += k;
		if (unlikely(k < want))
			break;
	}
	return got;
}

static void touch_pages(struct pp_page *const *pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		*(unsigned char *)pp_page_data(pages[i]) = 1;
	bench_use(pages);
}

static void give_back(struct pft_worker *w, unsigned int n)
{
	unsigned int bulk = w->run->setup->bulk, i, k;
	uint64_t start = pp_cycles();

	for (i = 0; i < n; i += k) {
		k = n - i < bulk ? n - i : bulk;
		pp_zone_free_bulk(w->run->zone, w->pages + i, k);
	}
	w->inside += pp_cycles() - start;
}

static void fault_slice(struct pft_worker *w)
{
	unsigned int bulk = w->run->setup->bulk, phase = bulk < PHASE ? PHASE : bulk;
	unsigned int slice = w->run->slice, got = 0, n, k;
	uint64_t start;

	while (got < slice && !w->short_of) {
		n = slice - got < phase ? slice - got : phase;
		start = pp_cycles();
		k = take_phase(w->run->zone, w->pages + got, n, bulk);
		w->inside += pp_cycles() - start;
		touch_pages(w->pages + got, k);
		w->short_of = k < n;
		got += k;
	}
	give_back(w, got);
	w->faults += got;
}

static void *fault_thread(void *arg)
{
	struct pft_worker *w = arg;
	struct pft_run *r = w->run;
	unsigned long round;

	if (!bench_gate_pass(&r->gate))
		return NULL;
	w->cpu = thread_seconds();
	w->start = pp_cycles();
	__atomic_fetch_add(&r->running, 1, __ATOMIC_RELAXED);
	for (round = 0; round < r->rounds && !w->short_of; round++)
		fault_slice(w);
	__atomic_fetch_sub(&r->running, 1, __ATOMIC_RELAXED);
	w->end = pp_cycles();
	w->cpu = thread_seconds() - w->cpu;
	return NULL;
}

static int run_workers(struct pft_run *r, struct pft_worker *w)
{
	unsigned int i, threads = r->setup->threads;

	for (i = 0; i < threads; i++) {
		w[i].run = r;
		w[i].pages = bench_alloc(r->slice, sizeof(*w[i].pages));
		if (!w[i].pages)
			return -1;
	}
	return bench_crew_run(&r->gate, r->setup->cpus, r->setup->ncpus, threads, fault_thread, w,
			      sizeof(*w));
}

static int add_up(const struct bench *b, const struct pft_run *r, const struct pft_worker *w,
		  struct pft_times *t)
{
	uint64_t first = w[0].start, last = w[0].end;
	unsigned int i;
	double system;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < r->setup->threads; i++) {
		if (w[i].short_of) {
			bench_error("pft: %u threads ran out of pages with policy %s: no figure; "
				    "this is a bug, please report it",
				    r->setup->threads, r->setup->policy);
			return -1;
		}
		first = w[i].start < first ? w[i].start : first;
		last = w[i].end > last ? w[i].end : last;
		system = w[i].cpu * (double)w[i].inside / (double)(w[i].end - w[i].start);
		t->system += system;
		t->user += w[i].cpu - system;
		t->faults += w[i].faults;
	}
	t->elapsed = (double)(last - first) / (double)b->tsc_hz;
	return 0;
}

static struct pp_zone *open_zone(const struct pft_setup *setup, unsigned int slice)
{
	struct pp_zone_params params = {
		.page_size = BENCH_PAGE_SIZE,
		.headroom = BENCH_HEADROOM,
		.policy = setup->policy,
		.high = BENCH_HIGH,
	};

	/* pages for the caches come on top, so that no thread finds the zone empty */
	params.pages = (uint64_t)setup->threads * slice + SPARE;
	params.pages += (uint64_t)(setup->threads + 4) * BENCH_HIGH;
	return bench_zone_create(params);
}

/*
 * The stress of the kernel's lists: all caches are drained, 100 times a second for instance.
 * Runs are shorter than a second, so ticks are multiples of the period since the process's
 * first run. Each run gets those that fall into it.
 */
struct drainer {
	struct pft_run *run;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	unsigned long drains;
	unsigned long drained;
	unsigned long timeouts;
};

/* until the next tick; true: stop instead */
static bool await_tick(struct drainer *d)
{
	static uint64_t first_ns;
	uint64_t period_ns = NS_PER_S / d->run->setup->drain_hz, at = now_ns();
	struct timespec until;
	int err = 0;

	first_ns = first_ns ? first_ns : at;
	until = ns_to_timespec(at + period_ns - (at - first_ns) % period_ns);
	pthread_mutex_lock(&d->lock);
	while (!d->stop && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&d->wake, &d->lock, &until);
	pthread_mutex_unlock(&d->lock);
	return err != ETIMEDOUT;
}

static void *drainer_thread(void *arg)
{
	struct drainer *d = arg;
	long n;

	while (!await_tick(d)) {
		/* ticks count in the time that is measured: threads may start and end late */
		if (!__atomic_load_n(&d->run->running, __ATOMIC_RELAXED))
			continue;
		n = pp_zone_drain_all(d->run->zone, DRAIN_US);
		d->drains++;
		if (n < 0)
			d->timeouts++;
		else
			d->drained += (unsigned long)n;
	}
	return NULL;
}

static int drainer_start(struct drainer *d, const cpu_set_t *cpus)
{
	pthread_condattr_t clock;
	int err;

	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &clock);
	pthread_condattr_destroy(&clock);
	err = thread_on_cpus(&d->thread, cpus, drainer_thread, d);
	if (err)
		bench_error("pft: cannot start the thread that drains: %s; try without --drain-hz",
			    strerror(err));
	return err ? -1 : 0;
}

static void drainer_stop(struct drainer *d)
{
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
}

static int run_drained(struct bench *b, struct pft_run *r, struct pft_worker *w,
		       struct pft_times *times)
{
	struct drainer drainer = { .run = r };
	unsigned int i;
	int err;

	if (r->setup->drain_hz && drainer_start(&drainer, &b->cpus))
		return -1;
	err = run_workers(r, w);
	if (r->setup->drain_hz)
		drainer_stop(&drainer);
	if (!err)
		err = add_up(b, r, w, times);
	times->drains = drainer.drains;
	times->drained = drainer.drained;
	times->timeouts = drainer.timeouts;
	for (i = 0; i < r->setup->threads; i++)
		free(w[i].pages);
	return err;
}

int pft_run(struct bench *b, const struct pft_setup *setup, struct pft_times *times)
{
	struct pft_run r = { .setup = setup, .slice = SLICE / setup->threads };
	struct pft_worker *w;
	int err = -1;

	r.slice = r.slice < SLICE_MIN ? SLICE_MIN : r.slice;
	r.rounds = setup->faults / ((uint64_t)r.slice * setup->threads);
	r.rounds += !r.rounds;
	w = bench_alloc(setup->threads, sizeof(*w));
	if (!w)
		return -1;
	r.zone = open_zone(setup, r.slice);
	if (r.zone)
		err = run_drained(b, &r, w, times);
	if (bench_zone_close(b, r.zone))
		err = -1;
	free(w);
	return err;
}
