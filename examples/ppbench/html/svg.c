/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * html/svg.c - figures, drawn for the page that they are in
 *
 * 360 units wide, so that a phone shows them in their own size. A bar has its name and
 * value on a line of their own above it, and the names of curves are pushed apart: no
 * label can lie on another, however long. Colours are the page's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "html/html.h"

#define W	    360.0
#define BARS	    14u
#define BAR_STEP    25.0
#define SERIES	    6u
#define POINTS	    40u
#define PLOT_H	    170.0
#define LEFT	    38.0
#define RIGHT	    204.0
#define TOP	    8.0
#define NAME_CHARS  20
#define LABEL_H	    13.0
#define FEW_DECADES 200.0 /* a logarithmic scale below that has room for 2 and 5 */
#define LOG_FROM    30.0 /* largest to smallest from which a scale is logarithmic */

struct scale {
	double lo, hi, from, to;
	bool log;
};

static double place(const struct scale *s, double v)
{
	double share;

	if (s->hi <= s->lo)
		return (s->from + s->to) / 2;
	v = fmin(fmax(v, s->lo), s->hi); /* what is beyond ends at the edge */
	if (s->log)
		share = log(v / s->lo) / log(s->hi / s->lo);
	else
		share = (v - s->lo) / (s->hi - s->lo);
	return s->from + share * (s->to - s->from);
}

static int by_median(const void *a, const void *b)
{
	const struct rep_row *const *x = a, *const *y = b;

	return (*x)->median < (*y)->median ? -1 : (*x)->median > (*y)->median;
}

/* who is in the picture however slow: what people ask about */
static bool reference(const char *policy)
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

/* @rows sorted; keeps the fastest and the references, at most @max of them, in order */
static unsigned int choose(const struct rep_row **rows, unsigned int n, unsigned int max)
{
	unsigned int references = 0, kept = 0, others, i;

	if (n <= max)
		return n;
	for (i = 0; i < n; i++)
		references += reference(rows[i]->policy);
	others = max > references ? max - references : 0;
	for (i = 0; i < n && kept < max; i++) {
		if (reference(rows[i]->policy) || others) {
			others -= !reference(rows[i]->policy) && others;
			rows[kept++] = rows[i];
		}
	}
	return kept;
}

static void caption(FILE *f, const struct rep_case *c, const char *kind, const char *rest)
{
	fputs("<figcaption><b>", f);
	html_text(f, kind);
	fputs("</b>: ", f);
	html_words(f, c->unit);
	fprintf(f, ", %s</figcaption>\n", rest);
}

static void command(FILE *f, const struct rep_case *c)
{
	fputs("<code class=\"cmd\">", f);
	html_text(f, c->command[0] ? c->command : "command not recorded");
	fputs("</code></figure>\n", f);
}

static void one_bar(FILE *f, const struct rep_row *row, const struct scale *s, double y)
{
	double end = place(s, row->median);

	fprintf(f, "<text x=\"0\" y=\"%.1f\">", y + 11);
	html_text(f, row->policy);
	fprintf(f, "%s</text><text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">",
		row->simulated	 ? " (simulated)"
		: row->published ? " (published)"
				 : "",
		W, y + 11);
	html_number(f, row->median);
	if (row->min > 0) {
		fputs(" (", f);
		html_number(f, row->min);
		fputs(" to ", f);
		html_number(f, row->max);
		fputs(")", f);
	}
	fprintf(f, "</text><rect class=\"%s\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"7\"/>",
		row->simulated		? "sim"
		: rep_ours(row->policy) ? "ours"
					: "other",
		y + 15, end < 1 ? 1 : end);
	if (row->min > 0)
		fprintf(f, "<path class=\"whisker\" d=\"M%.1f %.1fH%.1f\"/>", place(s, row->min),
			y + 18.5, place(s, row->max));
	fputc('\n', f);
}

/* a logarithmic scale begins below the smallest bar, so that that is seen, too */
static void bar_scale(struct scale *s, const struct rep_row **rows, unsigned int n)
{
	double lo = rows[0]->median, hi = rows[0]->median;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (rows[i]->median < lo)
			lo = rows[i]->median;
		if (rows[i]->median > hi)
			hi = rows[i]->median;
		if (rows[i]->max > hi && rows[i]->max < 3 * rows[n - 1]->median)
			hi = rows[i]->max;
	}
	s->log = lo > 0 && hi / lo > LOG_FROM;
	s->lo = s->log ? lo / 2 : 0;
	s->hi = hi > s->lo ? hi : s->lo + 1;
	s->from = 0;
	s->to = W;
}

static void bars(FILE *f, const struct rep_case *c, const char *kind, const char *bulk_name,
		 const struct rep_row **rows, unsigned int all)
{
	unsigned int n, i;
	struct scale s;
	char rest[200];

	qsort(rows, all, sizeof(*rows), by_median);
	n = choose(rows, all, BARS);
	bar_scale(&s, rows, n);
	snprintf(rest, sizeof(rest), "%s %u; median (smallest to largest)%s%s", bulk_name,
		 rows[0]->bulk, s.log ? ", logarithmic scale" : "",
		 n < all ? "; the fastest, and references; all are in the table" : "");
	fputs("<figure>", f);
	caption(f, c, kind, rest);
	fprintf(f, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", W, n * BAR_STEP);
	html_text(f, kind);
	fputs(", bars\">\n", f);
	for (i = 0; i < n; i++)
		one_bar(f, rows[i], &s, i * BAR_STEP);
	fputs("</svg>", f);
	command(f, c);
}

/* ---- curves -------------------------------------------------------------------------------- */

struct curves {
	const struct rep_case *c;
	const char *kind;
	const struct rep_row *last[SERIES]; /* of each, the point with the largest bulk */
	unsigned int n;
	struct scale x, y;
};

static void tick_y(FILE *f, const struct scale *s, double v)
{
	if (v < s->lo * 0.999 || v > s->hi * 1.001)
		return;
	fprintf(f,
		"<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/><text class=\"axis\" x=\"%.0f\" "
		"y=\"%.1f\" text-anchor=\"end\">%g%s</text>\n",
		LEFT, place(s, v), RIGHT, LEFT - 4, place(s, v) + 3.5,
		v >= 1e6   ? v / 1e6
		: v >= 1e4 ? v / 1e3
			   : v,
		v >= 1e6   ? "M"
		: v >= 1e4 ? "k"
			   : "");
}

static void axis_y(FILE *f, const struct scale *s)
{
	static const double part[] = { 1, 2, 5 };
	unsigned int i;
	double step = pow(10, floor(log10((s->hi - s->lo) / 2))), v;

	if (s->log) {
		for (v = pow(10, floor(log10(s->lo))); v <= s->hi; v *= 10)
			for (i = 0; i < (s->hi / s->lo < FEW_DECADES ? 3 : 1); i++)
				tick_y(f, s, v * part[i]);
		return;
	}
	while ((s->hi - s->lo) / step > 6)
		step *= 2;
	for (v = 0; v <= s->hi * 1.001; v += step)
		tick_y(f, s, v);
}

/* the numbers under the x axis: those that have room beside the one before */
static void axis_x(FILE *f, const struct curves *k, const unsigned int *bulks, unsigned int n,
		   const char *name)
{
	double free_from = 0, at, half;
	char text[16];
	unsigned int i;

	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%u", bulks[i]);
		half = 3.5 * (double)strlen(text) + 2;
		at = place(&k->x, bulks[i]);
		if (at - half < free_from)
			continue;
		free_from = at + half;
		fprintf(f,
			"<text class=\"axis\" x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%s"
			"</text>",
			at, TOP + PLOT_H + 13, text);
	}
	fprintf(f, "<text class=\"axis\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%s</text>\n",
		(LEFT + RIGHT) / 2, TOP + PLOT_H + 26, name);
}

/* as much of a name as there is room for; what it ends with tells one ring from another */
static void short_name(FILE *f, const char *name)
{
	char text[NAME_CHARS + 1] = "";

	if (!strncmp(name, "rte_mempool ", 12))
		name += 12;
	else if (!strncmp(name, "rte_", 4))
		name += 4;
	memcpy(text, name, strnlen(name, NAME_CHARS));
	html_text(f, text);
	if (strlen(name) > NAME_CHARS)
		fputs("\xe2\x80\xa6", f);
}

/* names at the right end, in the curves' order, each at least LABEL_H below the one above */
static void names(FILE *f, const struct curves *k)
{
	double y[SERIES], want, floor_y = TOP + PLOT_H + 4;
	unsigned int order[SERIES], i, j, swap;

	for (i = 0; i < k->n; i++)
		order[i] = i;
	for (i = 0; i < k->n; i++)
		for (j = i + 1; j < k->n; j++)
			if (k->last[order[j]]->median > k->last[order[i]]->median) {
				swap = order[i];
				order[i] = order[j];
				order[j] = swap;
			}
	for (i = 0; i < k->n; i++) {
		want = place(&k->y, k->last[order[i]]->median) + 3.5;
		y[i] = i && want < y[i - 1] + LABEL_H ? y[i - 1] + LABEL_H : want;
	}
	for (i = k->n; i-- > 0; floor_y = y[i] - LABEL_H)
		if (y[i] > floor_y)
			y[i] = floor_y;
	for (i = 0; i < k->n; i++) {
		fprintf(f,
			"<path class=\"lead s%u\" d=\"M%.1f %.1fL%.1f %.1f\"/>"
			"<text class=\"name t%u\" x=\"%.0f\" y=\"%.1f\">",
			order[i], place(&k->x, k->last[order[i]]->bulk),
			place(&k->y, k->last[order[i]]->median), RIGHT + 9, y[i] - 3.5, order[i],
			RIGHT + 11, y[i]);
		short_name(f, k->last[order[i]]->policy);
		fputs("</text>\n", f);
	}
}

static int by_bulk(const void *a, const void *b)
{
	const struct rep_row *const *x = a, *const *y = b;

	return (*x)->bulk < (*y)->bulk ? -1 : (*x)->bulk > (*y)->bulk;
}

/* a curve, and a thin line from the smallest to the largest at each point */
static void one_curve(FILE *f, const struct curves *k, unsigned int s)
{
	const struct rep_row *points[POINTS];
	unsigned int n = 0, i;
	size_t r;

	for (r = 0; r < k->c->nrows && n < POINTS; r++)
		if (!k->c->rows[r].refused && !strcmp(k->c->rows[r].kind, k->kind) &&
		    !strcmp(k->c->rows[r].policy, k->last[s]->policy))
			points[n++] = &k->c->rows[r];
	qsort(points, n, sizeof(*points), by_bulk);
	fprintf(f, "<path class=\"series s%u%s\" d=\"", s, k->last[s]->simulated ? " dash" : "");
	for (i = 0; i < n; i++)
		fprintf(f, "%s%.1f %.1f", i ? "L" : "M", place(&k->x, points[i]->bulk),
			place(&k->y, points[i]->median));
	fputs("\"/>", f);
	for (i = 0; i < n; i++)
		fprintf(f,
			"<circle class=\"t%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\">"
			"<title>%u: %.4g</title></circle>",
			s, place(&k->x, points[i]->bulk), place(&k->y, points[i]->median),
			points[i]->bulk, points[i]->median);
	fputc('\n', f);
}

static void scales(struct curves *k)
{
	double lo = INFINITY, hi = 0, first = INFINITY, last = 0;
	const struct rep_row *row;
	unsigned int s;
	size_t i;

	for (i = 0; i < k->c->nrows; i++) {
		row = &k->c->rows[i];
		for (s = 0; s < k->n && strcmp(row->policy, k->last[s]->policy); s++)
			continue;
		if (s == k->n || row->refused || strcmp(row->kind, k->kind))
			continue;
		lo = fmin(lo, row->median);
		hi = fmax(hi, row->median);
		first = fmin(first, row->bulk);
		last = fmax(last, row->bulk);
	}
	k->x = (struct scale){ first, last, LEFT + 6, RIGHT - 6, first > 0 };
	k->y.log = lo > 0 && hi / lo > LOG_FROM;
	k->y.lo = k->y.log ? lo / 1.3 : fmin(lo, 0);
	k->y.hi = k->y.log ? hi * 1.1 : hi > lo ? hi * 1.05 : lo + 1;
	k->y.from = TOP + PLOT_H;
	k->y.to = TOP;
}

/* @rows: one of each series, at the largest bulk */
static void lines(FILE *f, const struct rep_case *c, const char *kind, const char *bulk_name,
		  const struct rep_row **rows, unsigned int all, const unsigned int *bulks,
		  unsigned int nbulks)
{
	struct curves k = { .c = c, .kind = kind };
	char rest[200];
	unsigned int i;

	qsort(rows, all, sizeof(*rows), by_median);
	k.n = choose(rows, all, SERIES);
	for (i = 0; i < k.n; i++)
		k.last[i] = rows[i];
	scales(&k);
	snprintf(rest, sizeof(rest), "against %s; median%s%s", bulk_name,
		 k.y.log ? ", logarithmic scale" : "",
		 k.n < all ? "; the fastest, and references; all are in the table" : "");
	fputs("<figure>", f);
	caption(f, c, kind, rest);
	fprintf(f, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", W,
		TOP + PLOT_H + 30);
	html_text(f, kind);
	fputs(", curves\">\n", f);
	axis_y(f, &k.y);
	axis_x(f, &k, bulks, nbulks, bulk_name);
	for (i = 0; i < k.n; i++)
		one_curve(f, &k, i);
	names(f, &k);
	fputs("</svg>", f);
	command(f, c);
}

static unsigned int add_bulk(unsigned int *bulks, unsigned int n, unsigned int bulk)
{
	unsigned int at, i;

	for (at = 0; at < n && bulks[at] < bulk; at++)
		continue;
	if ((at < n && bulks[at] == bulk) || n == POINTS)
		return n;
	for (i = n; i > at; i--)
		bulks[i] = bulks[i - 1];
	bulks[at] = bulk;
	return n + 1;
}

/* of each policy the row with the largest bulk: where its curve ends */
static unsigned int add_last(const struct rep_row **rows, unsigned int n, const struct rep_row *row)
{
	unsigned int i;

	if (row->median <= 0)
		return n;
	for (i = 0; i < n && strcmp(rows[i]->policy, row->policy); i++)
		continue;
	if (i == n || row->bulk > rows[i]->bulk)
		rows[i] = row;
	return i == n ? n + 1 : n;
}

/* three sizes make a curve, fewer make bars */
static void figure(FILE *f, const struct rep_case *c, const char *kind)
{
	const struct rep_row **rows = calloc(c->nrows, sizeof(*rows));
	unsigned int bulks[POINTS], nbulks = 0, n = 0;
	size_t i;

	for (i = 0; rows && i < c->nrows; i++)
		if (!c->rows[i].refused && !strcmp(c->rows[i].kind, kind))
			nbulks = add_bulk(bulks, nbulks, c->rows[i].bulk);
	for (i = 0; rows && i < c->nrows; i++)
		if (!c->rows[i].refused && !strcmp(c->rows[i].kind, kind))
			n = add_last(rows, n, &c->rows[i]);
	if (n && nbulks > 2)
		lines(f, c, kind, "pages at once", rows, n, bulks, nbulks);
	else if (n)
		bars(f, c, kind, "bulk", rows, n);
	free(rows);
}

void html_figures(FILE *f, const struct rep_case *c)
{
	size_t i, k;

	fputs("<div class=\"figures\">\n", f);
	for (i = 0; i < c->nrows; i++) {
		for (k = 0; k < i && strcmp(c->rows[k].kind, c->rows[i].kind); k++)
			continue;
		if (k == i && !c->rows[i].refused)
			figure(f, c, c->rows[i].kind);
	}
	fputs("</div>\n", f);
}
