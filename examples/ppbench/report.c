/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - rows, and how they look on a terminal and in a spreadsheet */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static struct bench_row *new_row(struct bench *b, const char *policy, const char *kind,
				 unsigned int bulk)
{
	struct bench_row *rows = realloc(b->rows, (b->nrows + 1) * sizeof(*rows));
	struct bench_row *row;

	if (!rows) {
		bench_error("not enough memory for the result");
		return NULL;
	}
	b->rows = rows;
	row = &rows[b->nrows++];
	memset(row, 0, sizeof(*row));
	snprintf(row->policy, sizeof(row->policy), "%s", policy);
	row->kind = kind;
	row->bulk = bulk;
	return row;
}

/* sorts @samples; the row is valid until the next one is added */
struct bench_row *bench_row_add(struct bench *b, const char *policy, const char *kind,
				unsigned int bulk, double *samples, unsigned int n)
{
	struct bench_row *row = new_row(b, policy, kind, bulk);

	if (!row)
		return NULL;
	row->median = bench_median(samples, n);
	row->min = samples[0];
	row->max = samples[n - 1];
	row->iqr = bench_quantile(samples, n, 0.75) - bench_quantile(samples, n, 0.25);
	return row;
}

struct bench_row *bench_row_published(struct bench *b, const char *policy, const char *kind,
				      double cycles)
{
	struct bench_row *row = new_row(b, policy, kind, 1);

	if (!row)
		return NULL;
	row->median = cycles;
	row->published = true;
	return row;
}

/* @why must live as long as the row */
struct bench_row *bench_row_refused(struct bench *b, const char *policy, unsigned int bulk,
				    const char *why)
{
	struct bench_row *row = new_row(b, policy, "refused", bulk);

	if (row)
		row->refused = why;
	return row;
}

void bench_extra(struct bench_row *row, const char *key, double value)
{
	if (row->nextra == BENCH_EXTRAS)
		return;
	row->extra[row->nextra].key = key;
	row->extra[row->nextra++].value = value;
}

const double *bench_extra_find(const struct bench_row *row, const char *key)
{
	unsigned int k;

	for (k = 0; k < row->nextra; k++)
		if (!strcmp(row->extra[k].key, key))
			return &row->extra[k].value;
	return NULL;
}

void bench_note(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	if (b->nnotes == BENCH_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(b->notes[b->nnotes++], sizeof(b->notes[0]), fmt, ap);
	va_end(ap);
}

struct bench_row *bench_find(struct bench *b, const char *policy, const char *kind,
			     unsigned int bulk)
{
	size_t i;

	for (i = 0; i < b->nrows; i++) {
		if (b->rows[i].bulk == bulk && !strcmp(b->rows[i].policy, policy) &&
		    !strcmp(b->rows[i].kind, kind))
			return &b->rows[i];
	}
	return NULL;
}

/* this row's median over that of @policy at the same bulk; @kind NULL: of the row's own kind */
void bench_ratio(struct bench *b, const char *key, const char *policy, const char *kind)
{
	struct bench_row *row, *base;
	size_t i;

	for (i = 0; i < b->nrows; i++) {
		row = &b->rows[i];
		base = bench_find(b, policy, kind ? kind : row->kind, row->bulk);
		if (base && base->median > 0 && !row->published && !row->refused)
			bench_extra(row, key, row->median / base->median);
	}
}

/* what the figures of two cores depend on most */
void bench_note_distance(struct bench *b)
{
	double distance[BENCH_ROWS_MAX];
	unsigned int n = 0;
	double median;
	size_t i;

	for (i = 0; i < b->nrows && n < BENCH_ROWS_MAX; i++)
		if (b->rows[i].nextra && !strcmp(b->rows[i].extra[0].key, "pingpong_cycles"))
			distance[n++] = b->rows[i].extra[0].value;
	if (!n)
		return;
	median = bench_median(distance, n);
	bench_note(b, "ping-pong round trip between the two CPUs: %.0f cycles, %.0f to %.0f: %s",
		   median, distance[0], distance[n - 1], bench_regime(median));
	bench_note(b, "near is below 250, far above 600; compare figures of one regime only");
}

struct columns {
	const char *key[16];
	unsigned int n;
};

/* rows need not have the same extras: a column for each key that any row has */
static void collect_columns(const struct bench *b, struct columns *c)
{
	unsigned int k, known;
	size_t i;

	c->n = 0;
	for (i = 0; i < b->nrows; i++) {
		for (k = 0; k < b->rows[i].nextra; k++) {
			for (known = 0; known < c->n; known++)
				if (!strcmp(c->key[known], b->rows[i].extra[k].key))
					break;
			if (known == c->n && c->n < 16)
				c->key[c->n++] = b->rows[i].extra[k].key;
		}
	}
}

static void print_figure(FILE *f, int width, const double *value)
{
	if (!value)
		fprintf(f, " %*s", width, "-");
	else
		fprintf(f, " %*.*f", width, *value < 100 ? 2 : 0, *value);
}

/* CPUs that the case ran on: the first so many of opts.cores */
unsigned int bench_cores(const struct bench *b)
{
	return b->what->all_cores ? b->opts.ncores : b->what->cores;
}

static void print_header(FILE *f, const struct bench *b)
{
	const struct bench_machine *m = &b->machine;
	unsigned int i;

	if (b->what->print)
		fprintf(f, "%s: %s, %u times\n", b->what->name, b->what->title, b->opts.repeat);
	else
		fprintf(f, "%s: %s, %s, median of %u\n", b->what->name, b->what->title,
			b->what->unit, b->opts.repeat);
	fprintf(f, "%s, %u cores; Linux %s; %s; commit %s; TSC %.3f GHz; on CPU", m->cpu, m->cores,
		m->kernel, m->compiler, m->commit, (double)m->tsc_hz / 1e9);
	for (i = 0; i < bench_cores(b); i++)
		fprintf(f, " %u", b->opts.cores[i]);
	fputs("\n\n", f);
}

static int name_width(const struct bench *b)
{
	size_t width = strlen("policy"), i;

	for (i = 0; i < b->nrows; i++)
		if (strlen(b->rows[i].policy) > width)
			width = strlen(b->rows[i].policy);
	return (int)width;
}

static int kind_width(const struct bench *b)
{
	size_t width = 10, i;

	for (i = 0; i < b->nrows; i++)
		if (strlen(b->rows[i].kind) > width)
			width = strlen(b->rows[i].kind);
	return (int)width;
}

static void print_row(FILE *f, const struct bench_row *row, const struct columns *c, int width,
		      int kind)
{
	unsigned int k;

	fprintf(f, "%-*s %-*s %4u", width, row->policy, kind, row->kind, row->bulk);
	if (row->refused) {
		fprintf(f, "  %s\n", row->refused);
		return;
	}
	print_figure(f, 9, &row->median);
	print_figure(f, 9, row->published ? NULL : &row->min);
	print_figure(f, 9, row->published ? NULL : &row->max);
	if (row->published)
		fprintf(f, " %5s", "-");
	else
		fprintf(f, " %5.1f", bench_row_spread(row));
	for (k = 0; k < c->n; k++)
		print_figure(f, (int)strlen(c->key[k]), bench_extra_find(row, c->key[k]));
	fputs(row->published ? "  (published)\n" : row->simulated ? "  (simulated)\n" : "\n", f);
}

/* a blank line between what is not compared with each other */
static bool new_group(const struct bench *b, size_t i)
{
	const struct bench_row *row = &b->rows[i];

	if (!i)
		return false;
	if (b->what->by_kind)
		return strcmp(row->kind, row[-1].kind) != 0;
	return row->bulk != row[-1].bulk;
}

static void print_rows(FILE *f, const struct bench *b)
{
	int width = name_width(b), kind = kind_width(b);
	struct columns c;
	unsigned int k;
	size_t i;

	collect_columns(b, &c);
	fprintf(f, "%-*s %-*s %4s %9s %9s %9s +-%3s", width, "policy", kind, "kind", "bulk",
		"median", "min", "max", "%");
	for (k = 0; k < c.n; k++)
		fprintf(f, " %s", c.key[k]);
	fputc('\n', f);
	for (i = 0; i < b->nrows; i++) {
		if (new_group(b, i))
			fputc('\n', f);
		print_row(f, &b->rows[i], &c, width, kind);
	}
}

static void print_notes(FILE *f, const struct bench *b)
{
	unsigned int k;

	for (k = 0; k < b->nnotes; k++)
		fprintf(f, "%s\n", b->notes[k]);
}

static void print_text(FILE *f, const struct bench *b)
{
	struct bench_spread spread;

	print_header(f, b);
	if (b->what->notes_first) {
		print_notes(f, b);
		fputc('\n', f);
	}
	if (b->what->print)
		b->what->print(f, b);
	else
		print_rows(f, b);
	if (!b->what->notes_first && b->nnotes) {
		fputc('\n', f);
		print_notes(f, b);
	}
	bench_spread(b, &spread);
	fprintf(f, "%s\n", spread.text);
}

static void print_csv_row(FILE *f, const struct bench_row *row, const struct columns *c)
{
	const double *value;
	unsigned int k;

	fprintf(f, "\"%s\",%s,%u,%d,%d,\"%s\",", row->policy, row->kind, row->bulk, row->published,
		row->simulated, row->refused ? row->refused : "");
	if (!row->refused)
		fprintf(f, "%.4f", row->median);
	if (row->published || row->refused)
		fputs(",,,,", f);
	else
		fprintf(f, ",%.4f,%.4f,%.2f,%.2f", row->min, row->max, bench_row_spread(row),
			bench_row_iqr(row));
	for (k = 0; k < c->n; k++) {
		value = bench_extra_find(row, c->key[k]);
		fputc(',', f);
		if (value)
			fprintf(f, "%.4f", *value);
	}
	fputc('\n', f);
}

static int print_csv(const struct bench *b)
{
	bool to_stdout = !strcmp(b->opts.csv, "-");
	FILE *f = to_stdout ? stdout : fopen(b->opts.csv, "we");
	const char *unit = b->what->unit;
	struct columns c;
	unsigned int k;
	size_t i;
	int err;

	if (!f) {
		bench_error("cannot write --csv '%s': %m; choose another file", b->opts.csv);
		return -1;
	}
	collect_columns(b, &c);
	fprintf(f, "policy,kind,bulk,published,simulated,refused,%s_median,%s_min,%s_max", unit,
		unit, unit);
	fputs(",spread_percent,iqr_percent", f);
	for (k = 0; k < c.n; k++)
		fprintf(f, ",%s", c.key[k]);
	fputc('\n', f);
	for (i = 0; i < b->nrows; i++)
		print_csv_row(f, &b->rows[i], &c);
	err = fflush(f) || ferror(f);
	if (err)
		bench_error("cannot write --csv '%s': %m; choose another file", b->opts.csv);
	if (!to_stdout)
		fclose(f);
	return err ? -1 : 0;
}

static bool is_stdout(const char *file)
{
	return file && !strcmp(file, "-");
}

/* the table goes to stdout unless stdout is to be read by a program */
int bench_print(const struct bench *b)
{
	if (!is_stdout(b->opts.json) && !is_stdout(b->opts.csv))
		print_text(stdout, b);
	if (b->opts.csv && print_csv(b))
		return -1;
	if (b->opts.json && bench_print_json(b))
		return -1;
	if (b->opts.plot && bench_plot(b))
		return -1;
	if (fflush(stdout) || ferror(stdout)) {
		bench_error("cannot write to stdout: %m; free some space or write elsewhere");
		return -1;
	}
	return 0;
}
