/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.h - types and functions that the cases of ppbench share
 *
 * A case builds subjects, each of which does the same work in its own way. The harness
 * measures them in turns (A B A B ...), and the case leaves rows. print.c, json.c and
 * plot.c show the rows, so a case formats nothing.
 */
#ifndef PPBENCH_BENCH_H
#define PPBENCH_BENCH_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pagepool/page.h>
#include <pagepool/stats.h>
#include <pagepool/zone.h>

#include "common/machine.h"
#include "common/options.h"
#include "common/part.h"

#define BENCH_LIST_MAX	 32u
#define BENCH_REPEAT_MAX 999u
#define BENCH_EXTRAS	 14u
#define BENCH_ROWS_MAX	 512u
#define BENCH_NOTES	 16u
#define BENCH_AGREE	 5.0 /* percent: two runs on a quiet machine agree within it */
#define BENCH_NAME	 40u
#define BENCH_PAGES	 4096u
#define BENCH_PAGE_SIZE	 2048u
#define BENCH_HEADROOM	 128u
#define BENCH_HIGH	 512u /* pages in a cache, for cases that need a full one */

#define unlikely(x) __builtin_expect(!!(x), 0)

/* the compiler must assume that the pages are used, as a real user would use them */
#define bench_use(ptr) __asm__ volatile("" : : "r"(ptr) : "memory")

struct bench_opts {
	const char *policies[BENCH_LIST_MAX];
	unsigned int npolicies;
	bool all_policies;
	unsigned int bulks[BENCH_LIST_MAX];
	unsigned int nbulks;
	unsigned int cores[CPU_SETSIZE];
	unsigned int ncores;
	unsigned int repeat;
	bool quick;
	const char *json;
	const char *csv;
	const char *plot;
};

/* a line of the result; the case's unit is the prefix of the three figures' keys */
struct bench_row {
	char policy[BENCH_NAME];
	const char *kind;
	unsigned int bulk;
	double median;
	double min;
	double max;
	bool simulated; /* computed by a model, and marked so in every output */
	double iqr; /* interquartile range of the repeats */
	bool published; /* measured elsewhere, by others: it has a median only */
	const char *refused; /* the reason why there is no figure; NULL: there is one */
	struct {
		const char *key;
		double value;
	} extra[BENCH_EXTRAS];
	unsigned int nextra;
};

struct bench {
	const struct bench_case *const *cases; /* all of them, ended by NULL */
	const struct bench_case *what;
	struct bench_opts opts;
	struct machine machine;
	const char *compiler;
	const char *commit;
	uint64_t tsc_hz;
	char *command; /* as it was typed; allocated */
	cpu_set_t cpus; /* CPUs that this process may use */
	struct bench_row *rows;
	size_t nrows;
	struct {
		const char *policy;
		char why[160];
	} refused[BENCH_LIST_MAX];
	unsigned int nrefused;
	char notes[BENCH_NOTES][240];
	unsigned int nnotes;
	uint64_t start; /* cycles */
	unsigned long measured;
	unsigned long disturbed; /* interrupted, and repeated, but for the next */
	unsigned long kept_disturbed;
	char doing[80]; /* for the progress line */
};

/*
 * struct bench_plot - one panel of a case's picture; chart.h says how rows are drawn
 * @title: above the panel; NULL ends an array of panels
 * @kind:  rows of this kind only; NULL: all rows
 * @y:     key of an extra; NULL: the median, with a line from min to max
 * @label: name of y, with its unit; NULL: the case's unit
 * @mark:  key of an extra; a row that has it gets a ring around its point
 */
struct bench_plot {
	const char *title;
	const char *kind;
	const char *y;
	const char *label;
	const char *mark;
};

/* how far the repeats of a run lie apart, in percent; see bench_spread() */
struct bench_spread {
	unsigned int rows;
	double median; /* of the rows' max / min - 1 */
	double worst;
	double iqr; /* median of the rows' interquartile range / median */
	bool noisy;
	char text[240];
};

/*
 * struct bench_case - one file each
 * @unit:     prefix of the figures' keys, "cycles_per_page"
 * @bulks:    default of --bulk, ended by 0
 * @policies: default of --policy; NULL: all
 * @cores:    CPUs that the case needs; with @all_cores it uses all it may
 * @repeat:   default of --repeat; 0: 11
 * @notes_first: the notes stand above the table, which needs them
 * @run:      0, or -1 after bench_error()
 * @print:    the text, instead of a line for each row; NULL: that
 * @bulk_is:  meaning of the column bulk; NULL: pages a call
 * @plots:    panels of --plot; NULL: one for each kind
 * @options:  those that only this case has, with their help; NULL: none
 * @in_report: further words of its command in the report, ended by NULL; NULL: none
 * @check:    usage_error() if its options do not fit together; NULL: they do
 * @page:     writes a page, and leaves no rows: runs without pinning, --json, --csv and --plot
 * @by_kind:  rows stand together by kind, not by bulk
 */
struct bench_case {
	const char *name;
	const char *title;
	const char *unit;
	const unsigned int *bulks;
	const char *policies;
	unsigned int cores;
	bool all_cores;
	unsigned int repeat;
	bool notes_first;
	int (*run)(struct bench *b);
	void (*print)(FILE *f, const struct bench *b);
	const char *bulk_is;
	const struct bench_plot *plots;
	const struct option_row *options;
	const char *const *in_report;
	void (*check)(void);
	bool page;
	bool by_kind;
};

struct bench_subject;

/* take and give back @bulk pages @loops times; returns the cycles that this took */
typedef uint64_t bench_run_fn(struct bench_subject *s, unsigned int bulk, unsigned long loops);

/*
 * struct bench_subject - one way to do the work
 * @kind:   the kind of work: rows are compared within a kind only
 * @shorts: allocations that came up short; any is an error, since the figures would lie
 */
struct bench_subject {
	char policy[BENCH_NAME];
	const char *kind;
	bench_run_fn *run;
	void *ctx;
	unsigned long shorts;
	unsigned long slept; /* measurements in which the subject slept */
	unsigned long loops;
	double samples[BENCH_REPEAT_MAX];
};

/* harness.c */
void bench_subject_set(struct bench_subject *s, const char *kind, bench_run_fn *run, void *ctx,
		       const char *policy, ...) __attribute__((format(printf, 5, 6)));
int bench_interleave(struct bench *b, struct bench_subject *s, unsigned int n, unsigned int bulk);
/* the same at each of --bulk */
int bench_interleave_all(struct bench *b, struct bench_subject *s, unsigned int n);
/* cycles of the thread's CPU time: the slices of other programs do not count */
uint64_t bench_cpu_cycles(const struct bench *b);
/* involuntary context switches of this process, all threads counted */
long bench_switches(void);
bool bench_disturbed(struct bench *b, bool interrupted, unsigned int *tries);
/* voluntary context switches of the calling thread; one that closes a cache must have none */
long bench_sleeps(void);
int bench_check_slept(struct bench *b, const char *name, unsigned long slept, unsigned int of);

/* crew.c: the calling thread, or a new one, on CPU @core; 0, or -1 after bench_error() */
int bench_pin(unsigned int core);
int bench_thread(pthread_t *thread, unsigned int core, void *(*fn)(void *), void *arg);

/* progress.c: a line on a terminal, during long runs; the first error clears it */
void bench_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* @n zeroed members of @size bytes, from a 128-byte boundary on; NULL after bench_error() */
void *bench_alloc(size_t n, size_t size);
void bench_progress(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bench_progress_tick(struct bench *b);
void bench_progress_end(void);

/* spread.c; these two sort @values */
double bench_median(double *values, unsigned int n);
/* the smallest value that the part @q of them does not exceed, 0 .. 1 */
double bench_quantile(double *values, size_t n, double q);
void bench_spread(const struct bench *b, struct bench_spread *spread);
double bench_row_spread(const struct bench_row *row);
double bench_row_iqr(const struct bench_row *row);

/* plot.c */
void bench_plot_set(void *opts, const char *name, const char *arg);
int bench_plot(const struct bench *b);

/* rows.c */
struct bench_row *bench_row_add(struct bench *b, const char *policy, const char *kind,
				unsigned int bulk, double *samples, unsigned int n);
struct bench_row *bench_row_published(struct bench *b, const char *policy, const char *kind,
				      double cycles);
struct bench_row *bench_row_refused(struct bench *b, const char *policy, unsigned int bulk,
				    const char *why);
void bench_extra(struct bench_row *row, const char *key, double value);
/* NULL if the row has no such extra */
const double *bench_extra_find(const struct bench_row *row, const char *key);
void bench_note_distance(struct bench *b);
void bench_note(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct bench_row *bench_find(struct bench *b, const char *policy, const char *kind,
			     unsigned int bulk);
void bench_ratio(struct bench *b, const char *key, const char *policy, const char *kind);

/* options.c: another CPU than the first: the second of --cores, or one that is allowed */
unsigned int bench_second_cpu(const struct bench *b);

/* print.c */
/* CPUs that the case runs on: the first so many of opts.cores */
unsigned int bench_cores(const struct bench *b);
void bench_write_table(FILE *f, const void *bench);
void bench_write_csv(FILE *f, const void *bench);
/* @write() writes @what to @file, - is stdout, as @option wants; -1 after bench_error() */
int bench_write(const char *option, const char *file, void (*write)(FILE *f, const void *what),
		const void *what);

/* json.c */
void bench_write_json(FILE *f, const void *bench);

/* options.c; -1: run the case; otherwise the exit status */
int bench_options(struct bench *b, int argc, char **argv);

/* policies.c */
void bench_policies_set(void *opts, const char *name, const char *arg);
int bench_policies_check(struct bench *b);
int bench_policies_refused(struct bench *b);
/* a policy of this library's, or a zone or pool over one */
bool bench_is_ours(const char *policy);

/* oversubscribed.c */
int bench_oversubscribed(struct bench *b, unsigned int bulk);

/* irqoff_latency.c */
int bench_latency(struct bench *b, unsigned int bulk);

/* zone.c: NULL after bench_error() */
/* @params without sz and name */
struct pp_zone *bench_zone_create(struct pp_zone_params params);
/* @high: pages in a cache, 0: the library's choice, which for threads' caches is few */
struct pp_zone *bench_zone_open(const char *policy, uint32_t flags, uint32_t high);
struct page_pool *bench_pool_open(struct pp_zone *zone, uint32_t flags);
/* 0; -1 after bench_error(): a page is lost, or there twice */
int bench_zone_audit(const struct bench *b, struct pp_zone *zone);
int bench_zone_close(struct bench *b, struct pp_zone *zone);
/* through the zone s->ctx, and through the pool s->ctx, of which the caller is the owner */
bench_run_fn bench_run_zone, bench_run_pool;
/* bytes that the process has mapped, or @resident: those in memory; 0: unknown */
long bench_bytes(bool resident);

/* baseline.c: rivals without a pool */
bench_run_fn bench_run_loop, bench_run_lock, bench_run_array, bench_run_array_prep;
int bench_baseline_init(void);
void bench_baseline_exit(void);

/* pingpong.c */
/*
 * The calling thread and one on CPU @core act in turns, on @here and @there. Cycles of a turn of
 * each, the median of some batches of @rounds; negative after bench_error()
 */
double bench_turns(unsigned int core, unsigned int rounds, void (*act)(void *visitor), void *here,
		   void *there);
/* the same without acts: the round trip of a cache line */
double bench_pingpong(unsigned int core);
const char *bench_regime(double round_trip);

/*
 * html/run.c, in builds with json-c
 *
 * Writes the page to @out, of the results in @from, or if it is NULL of every other case,
 * run now. 0, or -1 after bench_error().
 */
PART int html_run(struct bench *b, const char *out, const char *from);

/* compare/malloc.c: this program, started again to measure a preloaded malloc */
bool bench_is_child(const char *argv0);
int bench_child(void);

#endif /* PPBENCH_BENCH_H */
