/* SPDX-License-Identifier: BSD-3-Clause */
/* chart/bars.c - rows of one bulk: a bar each, with its name and value */
#include <string.h>

#include "bench.h"
#include "chart/draw.h"

static void value_text(FILE *f, const struct chart_row *row)
{
	html_number(f, row->y);
	if (row->lo <= 0)
		return;
	fputs(" (", f);
	html_number(f, row->lo);
	fputs(" to ", f);
	html_number(f, row->hi);
	fputs(")", f);
}

static void bar_class(const struct chart *c, const struct chart_row *row, char *class, size_t size)
{
	if (row->simulated)
		snprintf(class, size, "sim");
	else if (c->nseries > 1)
		snprintf(class, size, "t%u", chart_series_of(c, row) % CHART_COLOURS);
	else
		snprintf(class, size, bench_is_ours(row->policy) ? "ours" : "other");
}

static void draw_bar(FILE *f, const struct chart *c, const struct chart_row *row, double y)
{
	double end = chart_place(&c->y, row->y);
	bool alone = c->nseries == 1;
	char class[8];

	bar_class(c, row, class, sizeof(class));
	fprintf(f, "<text%s x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">",
		alone ? "" : " class=\"axis\"", c->width, alone ? y - 3 : y + 8);
	value_text(f, row);
	fprintf(f, "</text><path class=\"%s\" d=\"M0 %.1fH%.1fv7H0z\">", class, y + 1,
		end < 1 ? 1 : end);
	chart_tooltip(f, row);
	fputs("</path>", f);
	if (row->lo > 0)
		fprintf(f, "<path class=\"whisker\" d=\"M%.1f %.1fH%.1f\"/>",
			chart_place(&c->y, row->lo), y + 4.5, chart_place(&c->y, row->hi));
	if (row->marked)
		fprintf(f, "<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>", end,
			y + 4.5);
	fputc('\n', f);
}

static double draw_legend(FILE *f, const struct chart *c)
{
	char name[CHART_LABEL_MAX], class[8];
	unsigned int s;

	for (s = 0; s < c->nseries; s++) {
		bar_class(c, c->series[s].first, class, sizeof(class));
		chart_series_name(c, c->series[s].first, name);
		fprintf(f, "<path class=\"%s\" d=\"M0 %.1fh7v7h-7z\"/><text x=\"11\" y=\"%.1f\">",
			class, s * CHART_NAME_H + 2, s * CHART_NAME_H + 9);
		html_text(f, name);
		fputs("</text>\n", f);
	}
	return s * CHART_NAME_H + 4;
}

static void draw_group(FILE *f, const struct chart *c, size_t head, double *y)
{
	const struct chart_row *row = &c->rows[head];
	size_t i, end = c->nseries > 1 ? c->n : head + 1;

	fprintf(f, "<text x=\"0\" y=\"%.1f\">", *y + 11);
	html_text(f, row->policy);
	fprintf(f, "%s</text>\n",
		c->nseries > 1	 ? ""
		: row->simulated ? " (simulated)"
		: row->published ? " (published)"
				 : "");
	*y += CHART_HEAD;
	for (i = head; i < end; i++) {
		if (strcmp(c->rows[i].policy, row->policy) != 0)
			continue;
		draw_bar(f, c, &c->rows[i], *y);
		*y += CHART_BAR;
	}
}

void chart_draw_bars(FILE *f, const struct chart *c)
{
	double y = c->nseries > 1 ? draw_legend(f, c) : 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (chart_heads_group(c, i))
			draw_group(f, c, i, &y);
}
