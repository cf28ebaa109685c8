/* SPDX-License-Identifier: BSD-3-Clause */
/* pft/stats.c - see pft/stats.h */
#include <math.h>

#include "pft/stats.h"

#define LEVEL_2022 0.10
#define Z_975	   1.959963984540054 /* the normal quantile of 95 % ranges */

struct pft_sample pft_sample(const double *values, unsigned int n, bool higher)
{
	double sum = 0, inverse = 0, squares = 0, amean;
	struct pft_sample s = { .n = n };
	unsigned int i;

	if (!n)
		return s;
	for (i = 0; i < n; i++) {
		sum += values[i];
		inverse += 1 / values[i];
	}
	amean = sum / n;
	for (i = 0; i < n; i++)
		squares += (values[i] - amean) * (values[i] - amean);
	s.mean = higher ? n / inverse : amean;
	s.stddev = n > 1 ? sqrt(squares / (n - 1)) : 0;
	return s;
}

double pft_percent(double base, double now, bool higher)
{
	if (base == now)
		return 0;
	if (base == 0)
		return higher ? 100 : -99;
	if (now == 0)
		return higher ? -99 : 100;
	return higher ? 100 * now / base - 100 : 100 - 100 * now / base;
}

/* For whole degrees of freedom there are finite sums in powers of cos^2, odd and even apart. */
double pft_student(double t, unsigned int df)
{
	double theta, square, term, sum = 0;
	unsigned int k;

	if (!df)
		return 1;
	theta = atan(fabs(t) / sqrt(df));
	square = cos(theta) * cos(theta);
	if (df % 2) {
		term = cos(theta);
		for (k = 1; k < df; k += 2) {
			sum += term;
			term *= square * (k + 1) / (k + 2);
		}
		return 1 - (theta + sin(theta) * sum) * M_2_PI;
	}
	term = 1;
	for (k = 0; k < df; k += 2) {
		sum += term;
		term *= square * (k + 1) / (k + 2);
	}
	return 1 - sin(theta) * sum;
}

static bool star_2022(const struct pft_sample *a, const struct pft_sample *b, double apart)
{
	double error = sqrt(a->stddev * a->stddev / a->n + b->stddev * b->stddev / b->n);

	return pft_student(apart / error, a->n + b->n - 2) < LEVEL_2022;
}

static bool star_2024(const struct pft_sample *a, const struct pft_sample *b, double apart)
{
	return apart > Z_975 * (a->stddev + b->stddev);
}

bool pft_star(const struct pft_sample *base, const struct pft_sample *now, enum pft_rule rule)
{
	double apart = fabs(base->mean - now->mean);

	/* one value has no spread: no difference is significant */
	if (base->n < 2 || now->n < 2)
		return false;
	if (base->stddev == 0 && now->stddev == 0)
		return apart > 0;
	return rule == PFT_STARS_2022 ? star_2022(base, now, apart) : star_2024(base, now, apart);
}

/* numbers from @from to @to in steps, each once and in ascending order */
static unsigned int add_stride(unsigned int from, unsigned int to, unsigned int step,
			       unsigned int *counts, unsigned int n, unsigned int room)
{
	for (; from <= to && n < room; from += step)
		counts[n++] = from;
	return n;
}

unsigned int pft_clients(unsigned int max, unsigned int *counts, unsigned int room)
{
	unsigned int n = 0;

	if (!max || !room)
		return 0;
	if (max <= 8) {
		n = add_stride(1, max, 2, counts, n, room);
	} else if (max <= 32) {
		n = add_stride(1, 7, 2, counts, n, room);
		n = add_stride(12, max, 6, counts, n, room);
	} else {
		n = add_stride(1, 7, 3, counts, n, room);
		n = add_stride(12, 30, 9, counts, n, room);
		n = add_stride(48, max, 31, counts, n, room);
	}
	/* the last count is always @max */
	if (counts[n - 1] != max) {
		if (n < room)
			n++;
		counts[n - 1] = max;
	}
	return n;
}
