/* SPDX-License-Identifier: BSD-3-Clause */
/* html/heat.c - policy against bulk, one map over all kinds of a case of rates */
#include <string.h>

#include "html/html.h"

#define SIZES 32u

static double best_of(const struct rep_case *c, const char *kind)
{
	double best = 0;
	size_t i;

	for (i = 0; i < c->nrows; i++)
		if (!c->rows[i].refused && !strcmp(c->rows[i].kind, kind) &&
		    c->rows[i].median > best)
			best = c->rows[i].median;
	return best;
}

/* mean over the kinds, as a share of the kind's best rate; 0: nothing was measured */
static double share_of(const struct rep_case *c, const char *policy, unsigned int bulk)
{
	double sum = 0, best;
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < c->nrows; i++) {
		best = best_of(c, c->rows[i].kind);
		if (c->rows[i].bulk != bulk || strcmp(c->rows[i].policy, policy) || best <= 0)
			continue;
		sum += c->rows[i].median / best;
		n++;
	}
	return n ? sum / n : 0;
}

static unsigned int find_sizes(const struct rep_case *c, unsigned int *sizes)
{
	unsigned int n = 0, k;
	size_t i;

	for (i = 0; i < c->nrows; i++) {
		for (k = 0; k < n && sizes[k] != c->rows[i].bulk; k++)
			continue;
		if (k == n && n < SIZES && !c->rows[i].refused)
			sizes[n++] = c->rows[i].bulk;
	}
	return n;
}

static void heat_row(FILE *f, const struct rep_case *c, const char *policy,
		     const unsigned int *sizes, unsigned int n)
{
	unsigned int k;
	double share;

	fputs("<tr><td>", f);
	html_text(f, policy);
	fputs("</td>", f);
	for (k = 0; k < n; k++) {
		share = share_of(c, policy, sizes[k]);
		fprintf(f, "<td style=\"background:rgba(9,105,218,%.2f)\">", share * share / 2);
		fprintf(f, share > 0 ? "%.0f</td>" : "&ndash;</td>", 100 * share);
	}
	fputs("</tr>\n", f);
}

void html_heat(FILE *f, const struct rep_case *c)
{
	unsigned int sizes[SIZES], n = find_sizes(c, sizes), k;
	size_t i, before;

	fputs("<h3>Policy against refill</h3>\n<p class=\"soft\">Percent of the best rate of each "
	      "port, mean over the ports.</p>\n<div class=\"scroll\"><table><thead>"
	      "<tr><th>policy</th>",
	      f);
	for (k = 0; k < n; k++)
		fprintf(f, "<th>%u</th>", sizes[k]);
	fputs("</tr></thead><tbody>\n", f);
	for (i = 0; i < c->nrows; i++) {
		for (before = 0; before < i; before++)
			if (!strcmp(c->rows[before].policy, c->rows[i].policy))
				break;
		if (before == i && !c->rows[i].refused)
			heat_row(f, c, c->rows[i].policy, sizes, n);
	}
	fputs("</tbody></table></div>\n", f);
	html_command(f, c->command);
}
