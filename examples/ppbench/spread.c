/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spread.c - median and quantiles, and how far apart the repeats of a run are
 *
 * A run knows this much of its own repeatability. If repeats of a figure lie further apart
 * than two runs may, closer figures do not differ.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double bench_quantile(double *values, size_t n, double q)
{
	size_t i = (size_t)(q * (double)n);

	if (!n)
		return 0;
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[i < n ? i : n - 1];
}

/* percent by which the largest repeat is above the smallest */
double bench_row_spread(const struct bench_row *row)
{
	return row->min > 0 ? 100 * (row->max / row->min - 1) : 0;
}

/* interquartile range, percent of the median */
double bench_row_iqr(const struct bench_row *row)
{
	return row->median > 0 ? 100 * row->iqr / row->median : 0;
}

static void spread_text(const struct bench *b, struct bench_spread *s)
{
	if (!s->rows || b->opts.repeat < 2)
		snprintf(s->text, sizeof(s->text),
			 "repeatability: unknown, nothing was measured twice");
	else if (s->noisy)
		snprintf(s->text, sizeof(s->text),
			 "repeatability: machine too noisy: median spread %.0f %%, worst %.0f %%, "
			 "interquartile range %.1f %%; figures closer than that do not differ",
			 s->median, s->worst, s->iqr);
	else
		snprintf(s->text, sizeof(s->text),
			 "repeatability: median spread %.1f %%, worst %.0f %%, interquartile range "
			 "%.1f %%: another run should agree within %.0f %%",
			 s->median, s->worst, s->iqr, BENCH_AGREE);
}

/* Only rows with measured figures count. */
void bench_spread(const struct bench *b, struct bench_spread *s)
{
	double *spread = calloc(2 * b->nrows + 1, sizeof(*spread)), *iqr = spread + b->nrows;
	size_t i;

	*s = (struct bench_spread){ 0 };
	for (i = 0; spread && i < b->nrows; i++) {
		if (b->rows[i].published || b->rows[i].simulated || b->rows[i].refused ||
		    b->rows[i].min <= 0)
			continue;
		spread[s->rows] = bench_row_spread(&b->rows[i]);
		iqr[s->rows++] = bench_row_iqr(&b->rows[i]);
	}
	if (s->rows) {
		s->median = bench_median(spread, s->rows);
		s->worst = spread[s->rows - 1];
		s->iqr = bench_median(iqr, s->rows);
		s->noisy = s->median > BENCH_AGREE;
	}
	spread_text(b, s);
	free(spread);
}
