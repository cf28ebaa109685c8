/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pft/stats.h - means, percentages and stars, by the rules of mmtests' reports
 *
 * The functions compute, and know no benchmark. doc/bench-pft.md has the rules in
 * words.
 */
#ifndef PPBENCH_PFT_STATS_H
#define PPBENCH_PFT_STATS_H

#include <stdbool.h>

/* which differences of two means get a star */
enum pft_rule {
	PFT_STARS_2022, /* a t-test at 10 %: the difference would repeat */
	PFT_STARS_2024, /* the two samples' 95 % ranges do not overlap: it would show in one run */
};

/*
 * struct pft_sample - one column of one row
 * @mean:   the row's value: arithmetic, or harmonic where higher is better
 * @stddev: around the arithmetic mean, n - 1; 0 for less than two values
 */
struct pft_sample {
	double mean;
	double stddev;
	unsigned int n;
};

struct pft_sample pft_sample(const double *values, unsigned int n, bool higher);

/* percent by which @now is better than @base, in either direction of better */
double pft_percent(double base, double now, bool higher);

bool pft_star(const struct pft_sample *base, const struct pft_sample *now, enum pft_rule rule);

/* probability that Student's t with @df degrees of freedom is beyond +-@t */
double pft_student(double t, unsigned int df);

/*
 * Client counts from 1 to @max in mmtests' large stride, at most @room of them; returns how many.
 * 128: 1 4 7 12 21 30 48 79 110 128; 32: 1 3 5 7 12 18 24 30 32; 4: 1 3 4.
 */
unsigned int pft_clients(unsigned int max, unsigned int *counts, unsigned int room);

#endif /* PPBENCH_PFT_STATS_H */
