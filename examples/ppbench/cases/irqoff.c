/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/irqoff.c - the cost of turning "interrupts" off, and the time for which they are off
 *
 * Three figures are easily taken for one: the price of masking signals, which is the
 * local_irq_save() of userspace; the window in which a core's cache is closed; and the
 * delay of a signal's handler.
 */
#include <signal.h>
#include <stdlib.h>

#include "bench.h"

#define CALLS	    20000u
#define QUICK_CALLS 2000u
#define WARM_UP	    100u

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/* ---- the mask itself ------------------------------------------------------------------------- */

static uint64_t run_mask(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	sigset_t all, old;
	uint64_t start;

	(void)bulk;
	sigfillset(&all);
	start = pp_cycles();
	while (loops--) {
		pthread_sigmask(SIG_SETMASK, &all, &old);
		bench_use(s);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	return pp_cycles() - start;
}

static uint64_t run_lock(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	static unsigned int word __attribute__((aligned(128)));
	uint64_t start = pp_cycles();

	(void)bulk;
	while (loops--) {
		while (__atomic_exchange_n(&word, 1, __ATOMIC_ACQUIRE))
			continue;
		bench_use(s);
		__atomic_store_n(&word, 0, __ATOMIC_RELEASE);
	}
	return pp_cycles() - start;
}

static uint64_t run_flag(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	static unsigned int word __attribute__((aligned(128)));
	uint64_t start = pp_cycles();

	(void)bulk;
	while (loops--) {
		__atomic_store_n(&word, 1, __ATOMIC_RELAXED);
		bench_use(s);
		__atomic_store_n(&word, 0, __ATOMIC_RELEASE);
	}
	return pp_cycles() - start;
}

static int mask_rows(struct bench *b)
{
	struct bench_subject *s = bench_alloc(3, sizeof(*s));
	int err;

	if (!s)
		return -1;
	bench_subject_set(&s[0], "mask", run_mask, NULL, "sigprocmask");
	bench_subject_set(&s[1], "mask", run_lock, NULL, "lock");
	bench_subject_set(&s[2], "mask", run_flag, NULL, "flag");
	err = bench_interleave(b, s, 3, 1);
	free(s);
	return err;
}

/* ---- the window ------------------------------------------------------------------------------ */

/* figures of one policy at one bulk, one value a repetition */
struct windows {
	double median[BENCH_REPEAT_MAX];
	double p99[BENCH_REPEAT_MAX];
	double p999[BENCH_REPEAT_MAX];
	double mask[BENCH_REPEAT_MAX];
	double max;
	double pages;
	double n;
	unsigned int slept; /* repetitions */
};

/* window: as the library traces it; the others: one call, as its caller sees it */
enum kind {
	WINDOW,
	ALLOC,
	ALLOC_PREP,
	KINDS
};

static const char *const kind_names[KINDS] = { "window", "alloc", "alloc+prep" };
static const uint32_t kind_flags[KINDS] = { PP_ZONE_TRACE, PP_ZONE_NO_PREP, 0 };

static unsigned int window_calls(const struct bench *b)
{
	return b->opts.quick ? QUICK_CALLS : CALLS;
}

static void run_traced(const struct bench *b, struct pp_zone *zone, unsigned int bulk,
		       struct pp_window_stats *w)
{
	struct bench_subject s = { .ctx = zone };

	bench_run_zone(&s, bulk, window_calls(b));
	w->sz = sizeof(*w);
	pp_zone_windows(zone, w);
}

/* Two reads of the counter time each call, and add about 20 cycles to it. */
static void run_timed(const struct bench *b, struct pp_zone *zone, unsigned int bulk,
		      double *cycles, struct pp_window_stats *w)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	unsigned int n = window_calls(b), i, got;
	struct bench_subject s = { .ctx = zone };
	uint64_t start;

	bench_run_zone(&s, bulk, WARM_UP);
	for (i = 0; i < n; i++) {
		start = pp_cycles();
		got = pp_zone_alloc_bulk(zone, pages, bulk);
		cycles[i] = (double)(pp_cycles() - start);
		bench_use(pages);
		pp_zone_free_bulk(zone, pages, got);
	}
	w->windows = n;
	w->median_cycles = (uint64_t)bench_quantile(cycles, n, 0.5);
	w->p99_cycles = (uint64_t)cycles[(size_t)(0.99 * n)];
	w->p999_cycles = (uint64_t)cycles[(size_t)(0.999 * n)];
	w->max_cycles = (uint64_t)cycles[n - 1];
	w->max_pages = bulk;
}

/*
 * Each attempt has a zone of its own: the histogram of an interrupted one is thrown away.
 */
static int attempt_window(struct bench *b, const char *policy, enum kind kind, unsigned int bulk,
			  struct pp_window_stats *w, bool *again, unsigned int *tries)
{
	struct pp_zone *zone = bench_zone_open(policy, kind_flags[kind], BENCH_HIGH);
	double *cycles = bench_alloc(CALLS, sizeof(*cycles));
	long before = bench_switches();
	int err = -1;

	if (zone && cycles) {
		if (kind == WINDOW)
			run_traced(b, zone, bulk, w);
		else
			run_timed(b, zone, bulk, cycles, w);
		err = 0;
	}
	*again = bench_disturbed(b, bench_switches() != before, tries);
	free(cycles);
	return bench_zone_close(b, zone) ? -1 : err;
}

static int measure_window(struct bench *b, const char *policy, enum kind kind, unsigned int bulk,
			  struct windows *res, unsigned int r)
{
	struct pp_window_stats w = { .sz = sizeof(w) };
	unsigned int tries = 0;
	bool again = false;
	long sleeps;

	do {
		sleeps = bench_sleeps();
		if (attempt_window(b, policy, kind, bulk, &w, &again, &tries))
			return -1;
		sleeps = bench_sleeps() - sleeps;
	} while (again);
	res->slept += sleeps > 0;
	res->median[r] = (double)w.median_cycles;
	res->p99[r] = (double)w.p99_cycles;
	res->p999[r] = (double)w.p999_cycles;
	res->mask[r] = w.masks ? (double)w.mask_cycles / (double)w.masks : 0;
	if ((double)w.max_cycles > res->max)
		res->max = (double)w.max_cycles;
	if ((double)w.max_pages > res->pages)
		res->pages = (double)w.max_pages;
	res->n += (double)w.windows;
	return 0;
}

static int keep_window(struct bench *b, const char *policy, enum kind kind, unsigned int bulk,
		       struct windows *res)
{
	unsigned int n = b->opts.repeat;
	struct bench_row *row;

	if (bench_check_slept(b, policy, res->slept, n))
		return -1;
	row = bench_row_add(b, policy, kind_names[kind], bulk, res->median, n);
	if (!row)
		return -1;
	bench_extra(row, "p99_cycles", bench_median(res->p99, n));
	bench_extra(row, "p999_cycles", bench_median(res->p999, n));
	bench_extra(row, "max_cycles", res->max);
	bench_extra(row, "max_pages", res->pages);
	if (kind == WINDOW) {
		bench_extra(row, "windows", res->n);
		bench_extra(row, "mask_cycles", bench_median(res->mask, n));
	}
	return 0;
}

static int window_rows(struct bench *b, unsigned int bulk)
{
	unsigned int n = b->opts.npolicies * KINDS, i, r;
	struct windows *res = bench_alloc(n, sizeof(*res));
	int err = 0;

	if (!res)
		return -1;
	for (r = 0; r < b->opts.repeat && !err; r++) {
		bench_progress(b, "bulk %u, repetition %u of %u", bulk, r + 1, b->opts.repeat);
		for (i = 0; i < n && !err; i++)
			err = measure_window(b, b->opts.policies[i / KINDS], i % KINDS, bulk,
					     &res[i], r);
	}
	for (i = 0; i < n && !err; i++)
		err = keep_window(b, b->opts.policies[i / KINDS], i % KINDS, bulk, &res[i]);
	free(res);
	return err;
}

static void irqoff_notes(struct bench *b)
{
	bench_note(b, "mask: one pair, blocking all signals and restoring them; exchange and "
		      "release; store and store");
	bench_note(b, "window: from entering the core's cache to leaving it, allocations and "
		      "frees, traced by the library; mask_cycles: what blocking signals adds");
	bench_note(b, "alloc, alloc+prep: one call with two reads of the clock, pages left as they "
		      "are, and prepared: what the window would grow by, were they prepared in it");
	bench_note(b, "latency: from a 10 kHz timer's expiry to its handler in an allocating "
		      "thread, another thread allocating too; the maximum is mostly the host's");
}

static int irqoff_case(struct bench *b)
{
	unsigned int i;
	int err = mask_rows(b);

	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = window_rows(b, b->opts.bulks[i]);
	if (!err)
		err = bench_latency(b, b->opts.bulks[b->opts.nbulks - 1]);
	irqoff_notes(b);
	return err;
}

static const struct bench_plot plots[] = {
	{ "The mask: one pair", "mask", NULL, "cycles", NULL },
	{ "The window in which a core's cache is closed, median", "window", NULL, "cycles", NULL },
	{ "The same window, p99.9: one in a thousand is longer", "window", "p999_cycles",
	  "cycles, p99.9", NULL },
	{ "A timer's signal: from expiry to handler, p99", "latency", "p99_us", "us", NULL },
	{ .title = NULL },
};

const struct bench_case bench_irqoff = {
	.name = "irqoff",
	.title = "blocking signals, closing a core's cache, and what a signal sees of it",
	.unit = "cycles",
	.bulks = bulks,
	.cores = 2,
	.run = irqoff_case,
	.plots = plots,
};
