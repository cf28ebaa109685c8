/* SPDX-License-Identifier: BSD-3-Clause */
/* print.c - rows as a table, as CSV, and as the files that the options name */
#include <stdio.h>
#include <string.h>

#include "bench.h"

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

unsigned int bench_cores(const struct bench *b)
{
	return b->what->all_cores ? b->opts.ncores : b->what->cores;
}

static void print_header(FILE *f, const struct bench *b)
{
	const struct machine *m = &b->machine;
	unsigned int i;

	if (b->what->print)
		fprintf(f, "%s: %s, %u times\n", b->what->name, b->what->title, b->opts.repeat);
	else
		fprintf(f, "%s: %s, %s, median of %u\n", b->what->name, b->what->title,
			b->what->unit, b->opts.repeat);
	fprintf(f, "%s, %u cores; Linux %s; %s; commit %s; TSC %.3f GHz; on CPU", m->cpu, m->cores,
		m->kernel, b->compiler, b->commit, (double)b->tsc_hz / 1e9);
	for (i = 0; i < bench_cores(b); i++)
		fprintf(f, " %u", b->opts.cores[i]);
	fputs("\n\n", f);
}

/* of a column of names, at least @least */
static int text_width(const struct bench *b, bool kinds, size_t least)
{
	size_t len, i;

	for (i = 0; i < b->nrows; i++) {
		len = strlen(kinds ? b->rows[i].kind : b->rows[i].policy);
		least = len > least ? len : least;
	}
	return (int)least;
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

/* a blank line separates rows that are not compared */
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
	int width = text_width(b, false, strlen("policy")), kind = text_width(b, true, 10);
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

void bench_write_table(FILE *f, const void *bench)
{
	const struct bench *b = bench;
	struct bench_spread spread;

	if (b->what->notes_first) {
		print_notes(f, b);
		fputc('\n', f);
	}
	print_header(f, b);
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

void bench_write_csv(FILE *f, const void *bench)
{
	const struct bench *b = bench;
	const char *unit = b->what->unit;
	struct columns c;
	unsigned int k;
	size_t i;

	collect_columns(b, &c);
	fprintf(f, "policy,kind,bulk,published,simulated,refused,%s_median,%s_min,%s_max", unit,
		unit, unit);
	fputs(",spread_percent,iqr_percent", f);
	for (k = 0; k < c.n; k++)
		fprintf(f, ",%s", c.key[k]);
	fputc('\n', f);
	for (i = 0; i < b->nrows; i++)
		print_csv_row(f, &b->rows[i], &c);
}

int bench_write(const char *option, const char *file, void (*write)(FILE *f, const void *what),
		const void *what)
{
	bool to_stdout = !strcmp(file, "-");
	FILE *f = to_stdout ? stdout : fopen(file, "we");
	int err = -1;

	if (f) {
		write(f, what);
		err = fflush(f) || ferror(f) ? -1 : 0;
	}
	if (err)
		bench_error("cannot write %s '%s': %m; choose another file", option, file);
	if (f && !to_stdout)
		fclose(f);
	return err;
}
