/* SPDX-License-Identifier: BSD-3-Clause */
/* chart/curves.c - rows of several bulks: a curve for each series, against bulk */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart/draw.h"

#define DASHES	    4u
#define FEW_DECADES 200.0 /* a logarithmic scale below that has room for 2 and 5 */

/* as much of a name as there is room for */
static void fit_name(FILE *f, const struct chart *c, const char *name)
{
	char text[CHART_LABEL_MAX];

	snprintf(text, sizeof(text), "%.*s", (int)c->room, name);
	html_text(f, text);
	if (strlen(name) > strlen(text))
		fputs("\xe2\x80\xa6", f);
}

static void tick_y(FILE *f, const struct chart *c, double v)
{
	const struct chart_scale *s = &c->y;

	if (v < s->lo * 0.999 || v > s->hi * 1.001)
		return;
	fprintf(f,
		"<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/><text class=\"axis\" x=\"%.0f\" "
		"y=\"%.1f\" text-anchor=\"end\">%g%s</text>\n",
		CHART_LEFT, chart_place(s, v), c->right, CHART_LEFT - 4, chart_place(s, v) + 3.5,
		v >= 1e6   ? v / 1e6
		: v >= 1e4 ? v / 1e3
			   : v,
		v >= 1e6   ? "M"
		: v >= 1e4 ? "k"
			   : "");
}

static void axis_y(FILE *f, const struct chart *c)
{
	static const double part[] = { 1, 2, 5 };
	const struct chart_scale *s = &c->y;
	double step = pow(10, floor(log10((s->hi - s->lo) / 2))), v;
	unsigned int i;

	if (s->log) {
		for (v = pow(10, floor(log10(s->lo))); v <= s->hi; v *= 10)
			for (i = 0; i < (s->hi / s->lo < FEW_DECADES ? 3 : 1); i++)
				tick_y(f, c, v * part[i]);
		return;
	}
	while ((s->hi - s->lo) / step > 6)
		step *= 2;
	for (v = 0; v <= s->hi * 1.001; v += step)
		tick_y(f, c, v);
}

static int by_value(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* numbers under the x axis, and the y axis' 0: those that have room beside the one before */
static void axis_x(FILE *f, const struct chart *c)
{
	unsigned int *bulks = calloc(c->n, sizeof(*bulks));
	double free_from = 0, at, half;
	char text[16];
	size_t i;

	for (i = 0; bulks && i < c->n; i++)
		bulks[i] = c->rows[i].bulk;
	if (bulks)
		qsort(bulks, c->n, sizeof(*bulks), by_value);
	for (i = 0; bulks && i < c->n; i++) {
		snprintf(text, sizeof(text), "%u", bulks[i]);
		half = 3.5 * (double)strlen(text) + 2;
		at = chart_place(&c->x, bulks[i]);
		if (at - half < free_from)
			continue;
		free_from = at + half;
		fprintf(f,
			"<text class=\"axis\" x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%s"
			"</text>",
			at, c->y.from + 17, text);
	}
	free(bulks);
	fprintf(f, "<text class=\"axis\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">",
		(c->x.from + c->x.to) / 2, c->y.from + 30);
	html_text(f, c->x_name);
	fputs("</text>\n", f);
}

static void curve_name(FILE *f, const struct chart *c, unsigned int s, double y)
{
	const struct chart_row *end = c->series[s].last;
	char name[CHART_LABEL_MAX];

	fprintf(f,
		"<path class=\"lead s%u\" d=\"M%.1f %.1fL%.1f %.1f\"/>"
		"<text class=\"name t%u\" x=\"%.0f\" y=\"%.1f\">",
		s % CHART_COLOURS, chart_place(&c->x, end->bulk), chart_place(&c->y, end->y),
		c->right + 9, y - 3.5, s % CHART_COLOURS, c->right + 11, y);
	chart_series_name(c, end, name);
	fit_name(f, c, name);
	fputs("</text>\n", f);
}

/* names at the right end, in the curves' order, each at least CHART_NAME_H below the one above */
static void curve_names(FILE *f, const struct chart *c)
{
	double y[CHART_SERIES], want, floor_y = c->y.from + 4;
	unsigned int order[CHART_SERIES], i, k;

	for (i = 0; i < c->nseries; i++) {
		for (k = i; k && c->series[order[k - 1]].last->y < c->series[i].last->y; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (i = 0; i < c->nseries; i++) {
		want = chart_place(&c->y, c->series[order[i]].last->y) + 3.5;
		y[i] = i && want < y[i - 1] + CHART_NAME_H ? y[i - 1] + CHART_NAME_H : want;
	}
	for (i = c->nseries; i-- > 0; floor_y = y[i] - CHART_NAME_H)
		y[i] = fmin(y[i], floor_y);
	for (i = 0; i < c->nseries; i++)
		curve_name(f, c, order[i], y[i]);
}

static int by_bulk(const void *a, const void *b)
{
	const struct chart_row *const *x = a, *const *y = b;

	return (*x)->bulk < (*y)->bulk ? -1 : (*x)->bulk > (*y)->bulk;
}

static void draw_point(FILE *f, const struct chart *c, const struct chart_row *row, unsigned int s)
{
	double x = chart_place(&c->x, row->bulk), y = chart_place(&c->y, row->y);

	if (row->lo > 0)
		fprintf(f, "<path class=\"lead s%u\" d=\"M%.1f %.1fV%.1f\"/>", s % CHART_COLOURS, x,
			chart_place(&c->y, row->lo), chart_place(&c->y, row->hi));
	if (row->marked)
		fprintf(f, "<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>", x, y);
	fprintf(f, "<circle class=\"t%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\">", s % CHART_COLOURS, x,
		y);
	chart_tooltip(f, row);
	fputs("</circle>", f);
}

/* a curve, and a thin line from the smallest to the largest of the repeats at each point */
static void draw_curve(FILE *f, const struct chart *c, unsigned int s)
{
	const struct chart_row **points = calloc(c->n, sizeof(*points));
	unsigned int dash = s / CHART_COLOURS % DASHES;
	size_t n = 0, i;

	for (i = 0; points && i < c->n; i++)
		if (chart_series_of(c, &c->rows[i]) == s)
			points[n++] = &c->rows[i];
	if (points)
		qsort(points, n, sizeof(*points), by_bulk);
	fprintf(f, "<path class=\"series s%u%s\"", s % CHART_COLOURS,
		c->series[s].first->simulated ? " dash" : "");
	if (dash)
		fprintf(f, " stroke-dasharray=\"%u 2\"", 2 * dash);
	for (i = 0; i < n; i++)
		fprintf(f, "%s%.1f %.1f", i ? "L" : " d=\"M", chart_place(&c->x, points[i]->bulk),
			chart_place(&c->y, points[i]->y));
	fputs(n ? "\"/>" : "/>", f);
	for (i = 0; i < n; i++)
		draw_point(f, c, points[i], s);
	fputc('\n', f);
	free(points);
}

void chart_draw_curves(FILE *f, const struct chart *c)
{
	unsigned int s;

	axis_y(f, c);
	axis_x(f, c);
	for (s = 0; s < c->nseries; s++)
		draw_curve(f, c, s);
	curve_names(f, c);
}
