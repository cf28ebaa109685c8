/* SPDX-License-Identifier: BSD-3-Clause */
/* rows.c - the rows that a case leaves, and its notes */
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

/* notes the distance of the two CPUs, which figures of two cores depend on most */
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
