/* SPDX-License-Identifier: BSD-3-Clause */
/* html/figures.c - a figure for each kind of work, with the fastest and some references */
#include <stdlib.h>
#include <string.h>

#include "chart/chart.h"
#include "html/html.h"

#define WIDTH  360.0
#define BARS   14u
#define CURVES 8u

static int by_median(const void *a, const void *b)
{
	const struct rep_row *const *x = a, *const *y = b;

	return (*x)->median < (*y)->median ? -1 : (*x)->median > (*y)->median;
}

static int by_rate(const void *a, const void *b)
{
	return by_median(b, a);
}

/* in the figure however slow: readers compare with these */
static bool is_reference(const char *policy)
{
	static const char *const names[] = { "trylock",
					     "zone trylock",
					     "page_pool trylock",
					     "malloc glibc",
					     "memcpy",
					     "array",
					     "rte_mempool ring_mp_mc cache 512",
					     "rte_pktmbuf ring_mp_mc cache 512" };
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(policy, names[i]))
			return true;
	return false;
}

/* keeps the fastest and the references, at most @max rows */
static unsigned int choose_rows(const struct rep_case *c, const struct rep_row **rows,
				unsigned int n, unsigned int max)
{
	bool rates = !strncmp(c->unit, "mp", 2); /* mpps, mpages_per_s: more is better */
	unsigned int references = 0, kept = 0, others, i;

	if (n <= max)
		return n;
	qsort(rows, n, sizeof(*rows), rates ? by_rate : by_median);
	for (i = 0; i < n; i++)
		references += is_reference(rows[i]->policy);
	others = max > references ? max - references : 0;
	for (i = 0; i < n && kept < max; i++) {
		if (is_reference(rows[i]->policy) || others) {
			others -= !is_reference(rows[i]->policy) && others;
			rows[kept++] = rows[i];
		}
	}
	return kept;
}

static bool is_in(const struct rep_row *const *rows, unsigned int n, const char *policy)
{
	while (n && strcmp(rows[n - 1]->policy, policy) != 0)
		n--;
	return n;
}

/* takes each policy's row with the largest bulk, where its curve ends */
static unsigned int add_last(const struct rep_row **rows, unsigned int n, const struct rep_row *row)
{
	unsigned int i;

	if (row->median <= 0)
		return n;
	for (i = 0; i < n && strcmp(rows[i]->policy, row->policy) != 0; i++)
		continue;
	if (i == n || row->bulk > rows[i]->bulk)
		rows[i] = row;
	return i == n ? n + 1 : n;
}

static bool is_of(const struct rep_row *row, const char *kind)
{
	return !row->refused && !strcmp(row->kind, kind);
}

/* fills in the chosen policies' rows; fewer are chosen if the rows make curves */
static void fill_chart(struct chart *chart, const struct rep_case *c, const char *kind, bool *all)
{
	const struct rep_row **last = calloc(c->nrows, sizeof(*last)), *row, *first = NULL;
	unsigned int n = 0, kept, max = BARS;
	double knee;
	size_t i;

	for (i = 0; last && i < c->nrows; i++) {
		row = &c->rows[i];
		if (!is_of(row, kind))
			continue;
		n = add_last(last, n, row);
		first = first ? first : row;
		if (row->bulk != first->bulk)
			max = CURVES;
	}
	kept = choose_rows(c, last, n, max);
	*all = kept == n;
	for (i = 0; last && i < c->nrows; i++) {
		row = &c->rows[i];
		if (is_of(row, kind) && is_in(last, kept, row->policy))
			chart->rows[chart->n++] = (struct chart_row){
				.policy = row->policy,
				.kind = row->kind,
				.bulk = row->bulk,
				.y = row->median,
				.lo = row->min,
				.hi = row->max,
				.simulated = row->simulated,
				.published = row->published,
				.marked = rep_number(row, "knee", &knee) && knee > 0,
			};
	}
	free(last);
}

static void write_figure(FILE *f, const struct rep_case *c, const struct chart *chart, bool all)
{
	size_t i;

	fputs("<figure><figcaption><b>", f);
	html_text(f, chart->rows[0].kind);
	fputs("</b>: ", f);
	html_words(f, c->unit);
	if (chart->bars)
		fprintf(f, ", bulk %u; median (smallest to largest)", chart->rows[0].bulk);
	else
		fprintf(f, ", against %s; median, and from smallest to largest", chart->x_name);
	for (i = 0; i < chart->n && !chart->rows[i].marked; i++)
		continue;
	fprintf(f, "%s%s%s</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
		chart->log ? ", logarithmic scale" : "", i < chart->n ? "; ring: the knee" : "",
		all ? "" : "; the fastest, and references; all are in the table", chart->width,
		chart->height);
	html_text(f, chart->rows[0].kind);
	fputs(chart->bars ? ", bars\">\n" : ", curves\">\n", f);
	chart_draw(f, chart);
	fputs("</svg>", f);
	html_command(f, c->command);
	fputs("</figure>\n", f);
}

static void write_kind(FILE *f, const struct rep_case *c, const char *kind)
{
	struct chart chart = { .width = WIDTH, .x_name = "pages at once" };
	bool all;

	chart.rows = calloc(c->nrows, sizeof(*chart.rows));
	if (chart.rows)
		fill_chart(&chart, c, kind, &all);
	if (chart.n) {
		chart_layout(&chart);
		write_figure(f, c, &chart, all);
	}
	free(chart.rows);
}

void html_figures(FILE *f, const struct rep_case *c)
{
	size_t i, k;

	fputs("<div class=\"figures\">\n", f);
	for (i = 0; i < c->nrows; i++) {
		for (k = 0; k < i && strcmp(c->rows[k].kind, c->rows[i].kind); k++)
			continue;
		if (k == i && !c->rows[i].refused)
			write_kind(f, c, c->rows[i].kind);
	}
	fputs("</div>\n", f);
}
