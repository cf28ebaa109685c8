/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * case_drain.c - emptying another core's cache: what it costs the drainer, and its owner
 *
 * idle: the owner filled its cache and does nothing. busy: the owner allocates
 * and frees as fast as it can, while its cache is drained 1000 times a second.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define DRAINS_HZ  1000u
#define TIMEOUT_US 20000u
#define IDLE_RUNS  50u
#define SPINS	   200000u /* sched_yield() counts as an interruption: not in quiet runs */
#define WINDOW_MAX 16u
#define LOOPS	   64u
#define TRIES	   20u

static const unsigned int bulks[] = { 64, 0 };

enum order {
	ORDER_NONE,
	ORDER_FILL, /* fill the cache, then do nothing */
	ORDER_RUN, /* alloc + free, with a full cache, until another order comes */
	ORDER_QUIT,
};

/*
 * The owner lives through a repetition and takes orders; it answers in
 * @done with the number of the order it has carried out.
 */
struct owner {
	struct pp_zone *zone;
	unsigned int bulk;
	unsigned int high;
	pthread_t thread;
	enum order order;
	unsigned int asked __attribute__((aligned(128)));
	unsigned int done __attribute__((aligned(128)));
	unsigned long shorts;
	double cycles_per_page;
};

static void owner_fill(struct owner *o)
{
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int got = pp_zone_alloc_bulk(o->zone, pages, o->high);

	pp_zone_free_bulk(o->zone, pages, got);
}

/* Filled again and again: a loop that needs 64 pages would leave no more than these to drain. */
static void owner_run(struct owner *o, unsigned int asked)
{
	struct bench_subject s = { .ctx = o->zone };
	uint64_t start = pp_cycles(), pages = 0;

	while (__atomic_load_n(&o->asked, __ATOMIC_ACQUIRE) == asked) {
		owner_fill(o);
		bench_run_zone(&s, o->bulk, LOOPS);
		pages += o->high + (uint64_t)LOOPS * o->bulk;
	}
	o->shorts += s.shorts;
	o->cycles_per_page = pages ? (double)(pp_cycles() - start) / (double)pages : 0;
}

static void *owner_main(void *arg)
{
	unsigned int seen = 0, now, spins = 0;
	struct owner *o = arg;

	for (;;) {
		now = __atomic_load_n(&o->asked, __ATOMIC_ACQUIRE);
		if (now == seen) {
			if (++spins % SPINS == 0)
				sched_yield();
			continue;
		}
		seen = now;
		spins = 0;
		if (o->order == ORDER_QUIT)
			return NULL;
		if (o->order == ORDER_FILL)
			owner_fill(o);
		if (o->order == ORDER_RUN)
			owner_run(o, now);
		__atomic_store_n(&o->done, now, __ATOMIC_RELEASE);
	}
}

/* pairs with the acquire in owner_main(): the order is there before it is seen */
static unsigned int give_order(struct owner *o, enum order order)
{
	o->order = order;
	__atomic_store_n(&o->asked, o->asked + 1, __ATOMIC_RELEASE);
	return o->asked;
}

static void await(struct owner *o, unsigned int asked)
{
	unsigned int spins = 0;

	while (__atomic_load_n(&o->done, __ATOMIC_ACQUIRE) < asked)
		if (++spins % SPINS == 0)
			sched_yield();
}

/* what one policy gave, one value a repetition, but for the sums */
struct result {
	double idle[BENCH_REPEAT_MAX];
	double idle_pages[BENCH_REPEAT_MAX];
	double busy[BENCH_REPEAT_MAX];
	double busy_pages[BENCH_REPEAT_MAX];
	double alone[BENCH_REPEAT_MAX];
	double drained[BENCH_REPEAT_MAX];
	double slower[BENCH_REPEAT_MAX];
	double distance[BENCH_REPEAT_MAX];
	unsigned long timeouts;
};

struct subject {
	struct owner owner;
	struct result result;
};

/* cycles of one drain; *pages: how many it moved */
static double drain_once(struct bench *b, struct subject *s, double *pages)
{
	uint64_t start = pp_cycles();
	long moved = pp_zone_drain(s->owner.zone, b->opts.cores[1], TIMEOUT_US);
	uint64_t end = pp_cycles();

	if (moved < 0)
		s->result.timeouts++;
	*pages = moved > 0 ? (double)moved : 0;
	return (double)(end - start);
}

static double mean(const double *values, unsigned int n)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += values[i];
	return n ? sum / n : 0;
}

static void measure_idle(struct bench *b, struct subject *s, unsigned int r)
{
	double cycles[IDLE_RUNS], pages[IDLE_RUNS];
	unsigned int i;

	for (i = 0; i < IDLE_RUNS; i++) {
		await(&s->owner, give_order(&s->owner, ORDER_FILL));
		cycles[i] = drain_once(b, s, &pages[i]);
	}
	s->result.idle[r] = bench_median(cycles, IDLE_RUNS);
	s->result.idle_pages[r] = mean(pages, IDLE_RUNS);
}

/* long enough for five drains, short enough to be interrupted seldom */
static uint64_t window(const struct bench *b)
{
	return b->machine.tsc_hz / (DRAINS_HZ / 5);
}

static void measure_alone(struct bench *b, struct subject *s, unsigned int r)
{
	unsigned int order = give_order(&s->owner, ORDER_RUN);
	uint64_t end = pp_cycles() + window(b);

	while (pp_cycles() < end)
		continue;
	give_order(&s->owner, ORDER_NONE);
	await(&s->owner, order + 1);
	s->result.alone[r] = s->owner.cycles_per_page;
}

static void measure_busy(struct bench *b, struct subject *s, unsigned int r)
{
	uint64_t step = b->machine.tsc_hz / DRAINS_HZ, next = pp_cycles() + step;
	unsigned int order = give_order(&s->owner, ORDER_RUN), n = 0;
	double cycles[WINDOW_MAX], pages[WINDOW_MAX];
	uint64_t end = next - step + window(b);

	while (next <= end && n < WINDOW_MAX) {
		while (pp_cycles() < next)
			continue;
		cycles[n] = drain_once(b, s, &pages[n]);
		n++;
		/* one that is late must not be made up for: the cache would still be empty */
		for (next += step; next < pp_cycles(); next += step)
			continue;
	}
	give_order(&s->owner, ORDER_NONE);
	await(&s->owner, order + 1);
	s->result.busy[r] = bench_median(cycles, n);
	s->result.busy_pages[r] = mean(pages, n);
	s->result.drained[r] = s->owner.cycles_per_page;
}

static void undisturbed(struct bench *b, struct subject *s, unsigned int r,
			void (*part)(struct bench *b, struct subject *s, unsigned int r))
{
	unsigned int tries;
	long before;

	for (tries = 0; tries < TRIES; tries++) {
		before = bench_switches();
		b->measured++;
		part(b, s, r);
		if (bench_switches() == before)
			return;
		b->disturbed++;
	}
	b->kept_disturbed++;
}

/* The owner's thread lives for one repetition: those of other policies must not share its CPU. */
static int measure(struct bench *b, struct subject *s, unsigned int r)
{
	struct result *res = &s->result;

	res->distance[r] = bench_pingpong(b->opts.cores[1]);
	s->owner.asked = 0;
	s->owner.done = 0;
	if (res->distance[r] < 0 ||
	    bench_thread(&s->owner.thread, b->opts.cores[1], owner_main, &s->owner))
		return -1;
	undisturbed(b, s, r, measure_idle);
	undisturbed(b, s, r, measure_alone);
	undisturbed(b, s, r, measure_busy);
	res->slower[r] = 100 * (res->drained[r] / res->alone[r] - 1);
	give_order(&s->owner, ORDER_QUIT);
	pthread_join(s->owner.thread, NULL);
	return 0;
}

static int keep(struct bench *b, struct subject *s)
{
	const char *policy = pp_zone_policy(s->owner.zone);
	unsigned int n = b->opts.repeat, bulk = s->owner.bulk;
	double distance = bench_median(s->result.distance, n);
	struct bench_row *row;

	if (s->owner.shorts) {
		bench_error("drain: the owner ran out of pages with policy %s: no figure; "
			    "use a smaller --bulk",
			    policy);
		return -1;
	}
	row = bench_row_add(b, policy, "idle", bulk, s->result.idle, n);
	if (!row)
		return -1;
	bench_extra(row, "pingpong_cycles", distance);
	bench_extra(row, "pages_per_drain", bench_median(s->result.idle_pages, n));
	row = bench_row_add(b, policy, "busy", bulk, s->result.busy, n);
	if (!row)
		return -1;
	bench_extra(row, "pingpong_cycles", distance);
	bench_extra(row, "pages_per_drain", bench_median(s->result.busy_pages, n));
	bench_extra(row, "drain_timeouts", (double)s->result.timeouts);
	bench_extra(row, "alone_cycles", bench_median(s->result.alone, n));
	bench_extra(row, "drained_cycles", bench_median(s->result.drained, n));
	bench_extra(row, "slowdown_percent", bench_median(s->result.slower, n));
	return 0;
}

static int open_subject(struct bench *b, struct subject *s, const char *policy, unsigned int bulk)
{
	struct pp_zone_stats stats = { .sz = sizeof(stats) };

	s->owner.bulk = bulk;
	s->owner.zone = bench_zone_open(policy, 0);
	if (!s->owner.zone)
		return -1;
	pp_zone_stats(s->owner.zone, &stats);
	s->owner.high = stats.high < PP_BULK_MAX ? (unsigned int)stats.high : PP_BULK_MAX;
	return 0;
}

static int measure_all(struct bench *b, struct subject *s)
{
	unsigned int i, r;
	int err = 0;

	for (r = 0; r < b->opts.repeat && !err; r++)
		for (i = 0; i < b->opts.npolicies && !err; i++)
			err = measure(b, &s[i], r);
	for (i = 0; i < b->opts.npolicies && !err; i++)
		err = keep(b, &s[i]);
	return err;
}

static int run(struct bench *b)
{
	size_t n = b->opts.npolicies, size = n * sizeof(struct subject);
	struct subject *s;
	unsigned int i, k;
	int err = 0;

	for (k = 0; k < b->opts.nbulks && !err; k++) {
		s = aligned_alloc(128, size);
		if (!s) {
			bench_error("drain: not enough memory");
			return -1;
		}
		memset(s, 0, size);
		for (i = 0; i < n && !err; i++)
			err = open_subject(b, &s[i], b->opts.policies[i], b->opts.bulks[k]);
		if (!err)
			err = measure_all(b, s);
		for (i = 0; i < n; i++)
			if (bench_zone_close(b, s[i].owner.zone))
				err = -1;
		free(s);
	}
	bench_note_distance(b);
	bench_note(b,
		   "idle: the owner filled its cache and waits; busy: it allocates and frees "
		   "flat out, drained %u times a second;"
		   " alone and drained: its cycles a page",
		   DRAINS_HZ);
	return err;
}

const struct bench_case bench_drain = {
	.name = "drain",
	.title = "draining another core's cache, and what its owner loses",
	.unit = "cycles_per_drain",
	.bulks = bulks,
	.cores = 2,
	.run = run,
};
