/* SPDX-License-Identifier: BSD-3-Clause */
/* pft/table.c - see pft/table.h */
#include "pft/table.h"

#define LABEL 26 /* "Amean", an operation */
#define VALUE 13
#define FIELD (VALUE + 11) /* with " (   0.00%)" */

struct pft_cell pft_cell(const struct pft_sample *base, const double *values, unsigned int n,
			 bool higher, enum pft_rule rule)
{
	struct pft_cell cell = { .sample = pft_sample(values, n, higher) };

	if (!base)
		return cell;
	cell.percent = pft_percent(base->mean, cell.sample.mean, higher);
	cell.star = pft_star(base, &cell.sample, rule);
	return cell;
}

void pft_print_title(FILE *f, const char *title, const char *const *columns, unsigned int n)
{
	unsigned int i;

	fprintf(f, "%s:\n%*s", title, LABEL, "");
	for (i = 0; i < n; i++)
		fprintf(f, "%*s", FIELD, columns[i]);
	fputc('\n', f);
}

void pft_print_row(FILE *f, const char *op, bool higher, const struct pft_cell *cells,
		   unsigned int n)
{
	unsigned int i;

	fprintf(f, "%-9s %-*s", higher ? "Hmean" : "Amean", LABEL - 10, op);
	for (i = 0; i < n; i++)
		fprintf(f, "%*.2f %c%7.2f%%%c", VALUE, cells[i].sample.mean,
			cells[i].star ? '*' : '(', cells[i].percent, cells[i].star ? '*' : ')');
	fputc('\n', f);
}
