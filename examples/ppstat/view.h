/* SPDX-License-Identifier: BSD-3-Clause */
/* view.h - what the parts of the view share */
#ifndef PPSTAT_VIEW_H
#define PPSTAT_VIEW_H

#include "sample.h"

/**
 * struct view - what the rows need
 * @seconds: since the sample before; 0: there is none, show totals
 */
struct view {
	FILE *out;
	unsigned int columns;
	double seconds;
	struct json_object *root;
	struct json_object *before;
};

/* At most 6 columns: 99999, then 100k to 999k, 1.23M ... */
const char *short_number(double value, char buf[16]);
/* One line, no longer than the terminal. */
void put_line(const struct view *v, const char *text);
/* Pools that were destroyed while pages were out. */
void put_ended_pools(const struct view *v);

#endif /* PPSTAT_VIEW_H */
