/* SPDX-License-Identifier: BSD-3-Clause */
/* chart/layout.c - the series of a panel, its height, and the places of values in it */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart/draw.h"

#define PLOT_H	 170.0 /* of curves, unless their names need more */
#define BELOW	 34.0 /* the x axis */
#define VALUES	 150.0 /* width of the values beside the bars, where there are several */
#define NAMES	 0.43 /* share of the width that the names of curves have at most */
#define LOG_FROM 30.0

double chart_place(const struct chart_scale *s, double v)
{
	double share;

	if (s->hi <= s->lo)
		return (s->from + s->to) / 2;
	v = fmin(fmax(v, s->lo), s->hi); /* a value beyond the scale ends at its edge */
	if (s->log)
		share = log(v / s->lo) / log(s->hi / s->lo);
	else
		share = (v - s->lo) / (s->hi - s->lo);
	return s->from + share * (s->to - s->from);
}

static int by_size(const void *a, const void *b)
{
	const struct chart_row *x = a, *y = b;

	return x->y < y->y ? -1 : x->y > y->y;
}

/* bars: a colour for each kind; curves: one for each policy and kind */
static bool same_series(const struct chart *c, const struct chart_row *a, const struct chart_row *b)
{
	return !strcmp(a->kind, b->kind) &&
	       (c->bars || (a->simulated == b->simulated && !strcmp(a->policy, b->policy)));
}

unsigned int chart_series_of(const struct chart *c, const struct chart_row *row)
{
	unsigned int s;

	for (s = 0; s < c->nseries && !same_series(c, c->series[s].first, row); s++)
		continue;
	return s;
}

void chart_series_name(const struct chart *c, const struct chart_row *row, char *name)
{
	const char *policy = row->policy;

	if (!strncmp(policy, "rte_mempool ", 12)) /* its ops tell it from the others */
		policy += 12;
	if (c->bars || (c->kinds && !c->policies))
		snprintf(name, CHART_LABEL_MAX, "%s", row->kind);
	else if (c->kinds)
		snprintf(name, CHART_LABEL_MAX, "%s %s", policy, row->kind);
	else
		snprintf(name, CHART_LABEL_MAX, "%s", policy);
	if (row->simulated && !strstr(name, "simulated"))
		snprintf(name + strlen(name), CHART_LABEL_MAX - strlen(name), " (simulated)");
}

void chart_tooltip(FILE *f, const struct chart_row *row)
{
	fputs("<title>", f);
	html_text(f, row->policy);
	fputs(", ", f);
	html_text(f, row->kind);
	fprintf(f, ", %u: %.6g</title>", row->bulk, row->y);
}

static void collect_series(struct chart *c)
{
	struct chart_series *s;
	size_t i;

	for (i = 0; i < c->n; i++) {
		s = &c->series[chart_series_of(c, &c->rows[i])];
		if (s == &c->series[CHART_SERIES])
			continue;
		if (s == &c->series[c->nseries]) {
			*s = (struct chart_series){ &c->rows[i], &c->rows[i] };
			c->nseries++;
		}
		if (c->rows[i].bulk > s->last->bulk)
			s->last = &c->rows[i];
		c->kinds |= strcmp(c->rows[i].kind, c->rows[0].kind) != 0;
		c->policies |= strcmp(c->rows[i].policy, c->rows[0].policy) != 0;
	}
}

bool chart_heads_group(const struct chart *c, size_t i)
{
	size_t k;

	for (k = 0; c->nseries > 1 && k < i; k++)
		if (!strcmp(c->rows[k].policy, c->rows[i].policy))
			return false;
	return true;
}

/* a logarithmic scale begins below the smallest bar, so that it is seen, too */
static void layout_bars(struct chart *c, double least, double most)
{
	size_t i;

	c->height = c->nseries > 1 ? c->nseries * CHART_NAME_H + 4 : 0;
	for (i = 0; i < c->n; i++) {
		c->height += CHART_BAR + (chart_heads_group(c, i) ? CHART_HEAD : 0);
		if (c->rows[i].hi > most && c->rows[i].hi < 3 * most)
			most = c->rows[i].hi;
	}
	c->y.lo = c->log ? least / 2 : 0;
	c->y.hi = most > c->y.lo ? most : c->y.lo + 1;
	c->y.from = 0;
	c->y.to = c->nseries > 1 ? c->width - VALUES : c->width;
}

/* letters that the names beside the curves have room for: as many as they need, up to a share */
static size_t name_room(const struct chart *c)
{
	size_t longest = 0, most = (size_t)(c->width * NAMES / CHART_CHAR_W);
	char name[CHART_LABEL_MAX];
	unsigned int i;

	for (i = 0; i < c->nseries; i++) {
		chart_series_name(c, c->series[i].last, name);
		longest = strlen(name) > longest ? strlen(name) : longest;
	}
	return longest < most ? longest : most;
}

static void layout_curves(struct chart *c, double least, double most)
{
	double first = INFINITY, last = 0, high = fmax(PLOT_H, c->nseries * CHART_NAME_H);
	size_t i;

	for (i = 0; i < c->n; i++) {
		first = fmin(first, c->rows[i].bulk);
		last = fmax(last, c->rows[i].bulk);
	}
	c->height = CHART_TOP + high + BELOW;
	c->room = name_room(c);
	c->right = c->width - 12 - CHART_CHAR_W * (double)c->room;
	c->x = (struct chart_scale){ first, last, CHART_LEFT + 6, c->right - 6, first > 0 };
	c->y.lo = c->log ? least / 1.3 : fmin(least, 0);
	c->y.hi = c->log ? most * 1.1 : most > least ? most * 1.05 : least + 1;
	c->y.from = CHART_TOP + high;
	c->y.to = CHART_TOP;
}

void chart_layout(struct chart *c)
{
	double least = INFINITY, most = 0;
	size_t i;

	c->bars = true;
	for (i = 0; i < c->n; i++) {
		least = fmin(least, c->rows[i].y);
		most = fmax(most, c->rows[i].y);
		c->bars &= c->rows[i].bulk == c->rows[0].bulk;
	}
	c->log = c->y.log = least > 0 && most / least > LOG_FROM;
	collect_series(c);
	if (c->bars && c->nseries == 1)
		qsort(c->rows, c->n, sizeof(*c->rows), by_size);
	if (c->bars)
		layout_bars(c, least, most);
	else
		layout_curves(c, least, most);
}
