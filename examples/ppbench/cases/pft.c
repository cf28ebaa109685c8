/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/pft.c - the page-fault test's tables: policies side by side, by number of threads
 *
 * The test is pft by Christoph Lameter, as mmtests runs and reports it. The columns of a
 * kernel list's table are kernels, here they are policies. doc/bench-pft.md lists what differs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/values.h"
#include "pft/run.h"
#include "pft/table.h"

#define FAULTS	     (1u << 20)
#define FAULTS_QUICK (1u << 17)
#define REPORTED     1e8 /* seconds are for this many faults, so that two decimals are enough */
#define COUNTS	     32u
#define KIND	     24u

static const unsigned int bulks[] = { 1, 0 };

static struct {
	uint32_t threads; /* 0: as many as there are CPUs */
	uint32_t drain_hz; /* 0: no drains */
	unsigned int stars; /* year of the rule */
} options = { .stars = 2022 };

static const struct op {
	const char *name;
	bool higher; /* is better */
	const char *table; /* NULL: for programs only */
} ops[] = {
	{ "user", false, NULL },
	{ "system", false, "pft timings" },
	{ "elapsed", false, "pft timings" },
	{ "faults/cpu", true, "pft faults" },
	{ "faults/sec", true, "pft faults" },
};

#define OPS (sizeof(ops) / sizeof(ops[0]))

struct column {
	char name[BENCH_NAME];
	const char *policy;
	unsigned int drain_hz;
	unsigned long drains;
	unsigned long drained;
	unsigned long timeouts;
	double seconds;
};

/* print_pft() needs it after pft_case() has ended */
static struct {
	struct column column[2 * BENCH_LIST_MAX];
	unsigned int ncolumns;
	unsigned int count[COUNTS];
	unsigned int ncounts;
	char kind[OPS][COUNTS][KIND];
	struct pft_cell *cell; /* by bulk, operation, count, column */
	double *sample; /* the same, and by repetition */
} pft;

static size_t cell_at(unsigned int bulk, unsigned int op, unsigned int count, unsigned int column)
{
	return ((bulk * OPS + op) * pft.ncounts + count) * pft.ncolumns + column;
}

static void add_columns(const struct bench *b, unsigned int drain_hz)
{
	struct column *c;
	unsigned int i;

	for (i = 0; i < b->opts.npolicies; i++) {
		c = &pft.column[pft.ncolumns++];
		c->policy = b->opts.policies[i];
		c->drain_hz = drain_hz;
		if (drain_hz)
			snprintf(c->name, sizeof(c->name), "%s+%u/s", c->policy, drain_hz);
		else
			snprintf(c->name, sizeof(c->name), "%s", c->policy);
	}
}

static int measure_column(struct bench *b, const struct pft_setup *setup, unsigned int bulk,
			  unsigned int count, unsigned int column, unsigned int r)
{
	struct column *c = &pft.column[column];
	double value[OPS], scale;
	long before = bench_switches();
	struct pft_times t;
	unsigned int op;

	if (pft_run(b, setup, &t))
		return -1;
	b->measured++;
	if (setup->threads <= setup->ncpus && !setup->drain_hz && bench_switches() != before) {
		b->disturbed++;
		b->kept_disturbed++;
	}
	c->drains += t.drains;
	c->drained += t.drained;
	c->timeouts += t.timeouts;
	c->seconds += t.elapsed;
	scale = REPORTED / (double)t.faults;
	value[0] = t.user * scale;
	value[1] = t.system * scale;
	value[2] = t.elapsed * scale;
	value[3] = (double)t.faults / (t.user + t.system);
	value[4] = (double)t.faults / t.elapsed;
	for (op = 0; op < OPS; op++)
		pft.sample[cell_at(bulk, op, count, column) * b->opts.repeat + r] = value[op];
	return 0;
}

/* columns in turns, then numbers of threads, then the next repetition */
static int measure_all(struct bench *b, struct pft_setup *setup, unsigned int bulk)
{
	unsigned int r, n, c;
	int err = 0;

	setup->bulk = b->opts.bulks[bulk];
	for (r = 0; r < b->opts.repeat && !err; r++) {
		for (n = 0; n < pft.ncounts && !err; n++) {
			for (c = 0; c < pft.ncolumns && !err; c++) {
				setup->threads = pft.count[n];
				setup->policy = pft.column[c].policy;
				setup->drain_hz = pft.column[c].drain_hz;
				err = measure_column(b, setup, bulk, n, c, r);
			}
		}
	}
	return err;
}

static int keep_row(struct bench *b, unsigned int bulk, unsigned int op, unsigned int n,
		    unsigned int c)
{
	struct pft_cell *cell = &pft.cell[cell_at(bulk, op, n, c)];
	double *sample = &pft.sample[cell_at(bulk, op, n, c) * b->opts.repeat];
	const struct column *col = &pft.column[c];
	const struct pft_sample *base = c ? &(cell - c)->sample : NULL;
	struct bench_row *row;

	*cell = pft_cell(base, sample, b->opts.repeat, ops[op].higher,
			 options.stars == 2024 ? PFT_STARS_2024 : PFT_STARS_2022);
	row = bench_row_add(b, col->name, pft.kind[op][n], b->opts.bulks[bulk], sample,
			    b->opts.repeat);
	if (!row)
		return -1;
	bench_extra(row, "threads", pft.count[n]);
	bench_extra(row, ops[op].higher ? "hmean" : "amean", cell->sample.mean);
	bench_extra(row, "stddev", cell->sample.stddev);
	bench_extra(row, "percent", cell->percent);
	bench_extra(row, "star", cell->star);
	if (col->drain_hz)
		bench_extra(row, "drains_per_s", (double)col->drains / col->seconds);
	return 0;
}

static int keep_rows(struct bench *b, unsigned int bulk)
{
	unsigned int op, n, c;

	for (op = 0; op < OPS; op++)
		for (n = 0; n < pft.ncounts; n++)
			for (c = 0; c < pft.ncolumns; c++)
				if (keep_row(b, bulk, op, n, c))
					return -1;
	return 0;
}

static void add_notes(struct bench *b, unsigned int ncpus)
{
	const struct column *c;
	unsigned int i;

	bench_note(b, "baseline: %s; percent: how much better than it; a star: %s (rule of %u)",
		   pft.column[0].name,
		   options.stars == 2024 ? "the 95 % ranges of both do not overlap"
					 : "t-test at 10 %, says repeatable, not large",
		   options.stars);
	bench_note(b,
		   "seconds for %.0f million faults, scaled from about %u measured: "
		   "1.00 is 10 ns a page; a fault is a page taken and its first line written",
		   REPORTED / 1e6, b->opts.quick ? FAULTS_QUICK : FAULTS);
	bench_note(b, "system: CPU time inside the pool's calls, giving back included, all threads "
		      "together; user: the rest of their CPU time, in CSV and JSON");
	if (pft.count[pft.ncounts - 1] > ncpus)
		bench_note(b, "more threads than the %u CPU%s: they share", ncpus,
			   ncpus > 1 ? "s" : "");
	for (i = 0; i < pft.ncolumns; i++) {
		c = &pft.column[i];
		if (c->drain_hz)
			bench_note(b,
				   "%s: %.1f drains of all caches a second, %.0f pages each, "
				   "%lu of %lu timed out",
				   c->name, (double)c->drains / c->seconds,
				   c->drains ? (double)c->drained / (double)c->drains : 0,
				   c->timeouts, c->drains);
	}
}

static int prepare_tables(struct bench *b, unsigned int ncpus)
{
	unsigned int max = options.threads, n, op;
	size_t cells;

	if (!max)
		max = ncpus < PFT_THREADS_MAX ? ncpus : PFT_THREADS_MAX;
	pft.ncounts = pft_clients(max, pft.count, COUNTS);
	for (op = 0; op < OPS; op++)
		for (n = 0; n < pft.ncounts; n++)
			snprintf(pft.kind[op][n], KIND, "%s-%u", ops[op].name, pft.count[n]);
	add_columns(b, 0);
	if (options.drain_hz)
		add_columns(b, options.drain_hz);
	cells = cell_at(b->opts.nbulks, 0, 0, 0);
	pft.cell = calloc(cells, sizeof(*pft.cell));
	pft.sample = calloc(cells * b->opts.repeat, sizeof(*pft.sample));
	if (pft.cell && pft.sample)
		return 0;
	bench_error("pft: not enough memory for the result; use a smaller --repeat");
	return -1;
}

static int pft_case(struct bench *b)
{
	struct pft_setup setup = {
		.cpus = b->opts.cores,
		.ncpus = b->opts.ncores,
		.faults = b->opts.quick ? FAULTS_QUICK : FAULTS,
	};
	unsigned int i;
	int err = prepare_tables(b, setup.ncpus);

	for (i = 0; i < b->opts.nbulks && !err; i++) {
		err = measure_all(b, &setup, i);
		if (!err)
			err = keep_rows(b, i);
	}
	if (!err)
		add_notes(b, setup.ncpus);
	return err;
}

static void print_tables(FILE *f, const struct bench *b, unsigned int bulk)
{
	const char *columns[2 * BENCH_LIST_MAX], *table = "";
	unsigned int op, n, c;
	char title[64];

	for (c = 0; c < pft.ncolumns; c++)
		columns[c] = pft.column[c].name;
	for (op = 0; op < OPS; op++) {
		if (!ops[op].table)
			continue;
		if (strcmp(table, ops[op].table)) {
			table = ops[op].table;
			if (b->opts.nbulks > 1)
				snprintf(title, sizeof(title), "%s, bulk %u", table,
					 b->opts.bulks[bulk]);
			else
				snprintf(title, sizeof(title), "%s", table);
			pft_print_title(f, title, columns, pft.ncolumns);
		}
		for (n = 0; n < pft.ncounts; n++)
			pft_print_row(f, pft.kind[op][n], ops[op].higher,
				      &pft.cell[cell_at(bulk, op, n, 0)], pft.ncolumns);
	}
}

static void print_pft(FILE *f, const struct bench *b)
{
	unsigned int i;

	for (i = 0; i < b->opts.nbulks; i++) {
		if (i)
			fputc('\n', f);
		print_tables(f, b, i);
	}
	for (i = 0; i < b->nrefused; i++)
		fprintf(f, "%s refused: %s\n", b->refused[i].policy, b->refused[i].why);
}

static void set_stars(void *opts, const char *name, const char *arg)
{
	static const char *const years[] = { "2022", "2024", NULL };

	(void)opts;
	options.stars = parse_word(name, arg, years) == 1 ? 2024 : 2022;
}

static const struct option_row pft_options[] = {
	{ "threads", .arg = "N", .kind = OPTION_U32, .var = &options.threads, .min = 1, .max = 128,
	  .help = "pft: at most so many threads, 1 to 128 (default: a CPU each)" },
	{ "drain-hz", .arg = "N", .kind = OPTION_U32, .var = &options.drain_hz, .min = 1,
	  .max = 100000, .help = "pft: again with all caches drained so often, 1 to 100000" },
	{ "stars", .arg = "YEAR", SET(set_stars),
	  .help = "pft: mmtests' rule for stars, of 2022 (default) or 2024" },
	{ .name = NULL },
};

const struct bench_case bench_pft = {
	.name = "pft",
	.title = "the page-fault test: alloc, touch and free by 1 to N threads",
	.unit = "value",
	.bulks = bulks,
	.policies = "irqsave,spin,trylock,rcu",
	.cores = 1,
	.all_cores = true,
	.repeat = 30,
	.run = pft_case,
	.print = print_pft,
	.options = pft_options,
};
