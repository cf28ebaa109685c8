/* SPDX-License-Identifier: BSD-3-Clause */
/* line.c - see line.h */
#include <limits.h>
#include <math.h>

#include "common/error.h"
#include "line.h"

const char *short_number(double value, char buf[16])
{
	static const char units[] = " kMGTPE";
	const char *unit = units;

	if (value < 99999.5) {
		snprintf(buf, 16, "%.*f", value < 9.995 && value != floor(value) ? 1 : 0, value);
		return buf;
	}
	while (value >= 999.5 && unit[1]) {
		value /= 1000;
		unit++;
	}
	snprintf(buf, 16, "%.*f%c", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, *unit);
	return buf;
}

void put_line(const struct view *v, const char *text)
{
	char clean[1024];

	fprintf(v->out, "%s\n",
		printable_columns(text, clean, sizeof(clean), v->columns ? v->columns : UINT_MAX));
}
