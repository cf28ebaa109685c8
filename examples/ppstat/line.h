/* SPDX-License-Identifier: BSD-3-Clause */
/* line.h - lines and numbers of the view */
#ifndef PPSTAT_LINE_H
#define PPSTAT_LINE_H

#include "sample.h"

/**
 * struct view - a sample, the one before, and a stream
 * @seconds: since the sample before; 0: there is none, show totals
 */
struct view {
	FILE *out;
	unsigned int columns;
	double seconds;
	struct json_object *root;
	struct json_object *before;
};

/* at most 6 columns: 99999, then 100k to 999k, 1.23M ... */
const char *short_number(double value, char buf[16]);
/* one line, no longer than the terminal */
void put_line(const struct view *v, const char *text);

#endif /* PPSTAT_LINE_H */
