/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pft/table.h - the layout of mmtests' comparisons, as kernel lists quote them
 *
 * Amean     system-1           58.52 (   0.00%)       58.92 *  -0.68%*
 *
 * The first column is the baseline. A star stands for "significant", on both sides of the
 * percentage; brackets for "not".
 */
#ifndef PPBENCH_PFT_TABLE_H
#define PPBENCH_PFT_TABLE_H

#include <stdio.h>

#include "pft/stats.h"

struct pft_cell {
	struct pft_sample sample;
	double percent;
	bool star;
};

/* @base NULL: this is the baseline */
struct pft_cell pft_cell(const struct pft_sample *base, const double *values, unsigned int n,
			 bool higher, enum pft_rule rule);

void pft_print_title(FILE *f, const char *title, const char *const *columns, unsigned int n);
void pft_print_row(FILE *f, const char *op, bool higher, const struct pft_cell *cells,
		   unsigned int n);

#endif /* PPBENCH_PFT_TABLE_H */
