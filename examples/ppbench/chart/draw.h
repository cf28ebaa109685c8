/* SPDX-License-Identifier: BSD-3-Clause */
/* chart/draw.h - functions and sizes that the files of the renderer share */
#ifndef PPBENCH_CHART_DRAW_H
#define PPBENCH_CHART_DRAW_H

#include "chart/chart.h"
#include "html/text.h"

#define CHART_COLOURS	8u
#define CHART_LABEL_MAX 100u
#define CHART_CHAR_W	7.8 /* of a name beside a curve */
#define CHART_NAME_H	13.0
#define CHART_HEAD	14.0 /* the line above a bar */
#define CHART_BAR	11.0
#define CHART_LEFT	38.0
#define CHART_TOP	8.0

/* layout.c */
double chart_place(const struct chart_scale *s, double v);
/* the index of the row's series; nseries: none */
unsigned int chart_series_of(const struct chart *c, const struct chart_row *row);
/* whether the row is the first of a group of bars, those of its policy */
bool chart_heads_group(const struct chart *c, size_t i);
/* the shortest name that tells the series of a panel apart; @name: CHART_LABEL_MAX */
void chart_series_name(const struct chart *c, const struct chart_row *row, char *name);
/* the row, for a reader that points at it and for programs */
void chart_tooltip(FILE *f, const struct chart_row *row);

/* bars.c, curves.c */
void chart_draw_bars(FILE *f, const struct chart *c);
void chart_draw_curves(FILE *f, const struct chart *c);

#endif /* PPBENCH_CHART_DRAW_H */
