/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chart.h - rows as one panel of SVG: the only renderer, of --plot and of the report
 *
 * Rows of one bulk make bars, rows of several make curves against bulk. A scale is
 * logarithmic if its largest value is 30 times its smallest. No label can lie on another: a
 * bar has its name on a line above it, and the names of curves are pushed apart.
 */
#ifndef PPBENCH_CHART_H
#define PPBENCH_CHART_H

#include <stdbool.h>
#include <stdio.h>

#define CHART_SERIES 64u

struct chart_row {
	const char *policy;
	const char *kind;
	unsigned int bulk;
	double y;
	double lo; /* of the repeats, up to @hi; 0: unknown */
	double hi;
	bool marked; /* gets a ring */
	bool simulated;
	bool published;
};

struct chart_scale {
	double lo, hi, from, to;
	bool log;
};

/* a curve, or the bars of one colour; its name is in its rows */
struct chart_series {
	const struct chart_row *first;
	const struct chart_row *last; /* the row with the largest bulk */
};

/*
 * struct chart - one panel
 * @width:  units; a phone shows 360 in their own size
 * @x_name: meaning of bulk
 * @rows:   the caller's; chart_layout() sorts them
 *
 * chart_layout() sets the rest: @bars tells bars from curves, @log whether the values'
 * scale is logarithmic, @height the units that chart_draw() fills.
 */
struct chart {
	double width;
	const char *x_name;
	struct chart_row *rows;
	size_t n;
	bool bars;
	bool log;
	double height;
	double right; /* end of the curves */
	size_t room; /* letters beside them */
	struct chart_series series[CHART_SERIES];
	unsigned int nseries;
	bool kinds; /* the series differ in kind */
	bool policies; /* and in policy */
	struct chart_scale x, y;
};

void chart_layout(struct chart *c);
void chart_draw(FILE *f, const struct chart *c);
/* the rules that give chart_draw()'s classes their colours, on light and dark pages */
void chart_css(FILE *f);

#endif /* PPBENCH_CHART_H */
