/* SPDX-License-Identifier: BSD-3-Clause */
/* values.c - see values.h */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/values.h"

/* a digit must come first: strtoull() skips blanks and takes a sign */
static bool read_number(const char *text, char **end, uint64_t *value)
{
	*value = strtoull(text, end, 10); /* UINT64_MAX on overflow: above any max */
	return *text >= '0' && *text <= '9';
}

uint64_t parse_number(const char *name, const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;
	char *end;

	if (!read_number(text, &end, &value) || *end)
		usage_error("%s %s: not a number; give %" PRIu64 " to %" PRIu64, name, text, min,
			    max);
	else if (value < min || value > max)
		usage_error("%s %s: out of range; give %" PRIu64 " to %" PRIu64, name, text, min,
			    max);
	else
		return value;
	return min;
}

double parse_real(const char *name, const char *text, double min, double max, const char *unit)
{
	double value;
	char *end;

	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		usage_error("%s %s: not a number; give %s, as 2.5", name, text, unit);
	else if (value < min || value > max)
		usage_error("%s %s: out of range; give %.9g to %.9g %s", name, text, min, max,
			    unit);
	else
		return value;
	return min;
}

unsigned int parse_list(const char *name, const char *text, unsigned int min, unsigned int max,
			unsigned int *values, unsigned int room)
{
	uint64_t first, last;
	unsigned int n = 0;
	const char *at;
	char *end;

	for (at = text;; at = end + 1) {
		if (!read_number(at, &end, &first))
			goto no_list;
		last = first;
		if (*end == '-' && !read_number(end + 1, &end, &last))
			goto no_list;
		if ((*end && *end != ',') || first > last)
			goto no_list;
		if (first < min || last > max) {
			usage_error("%s %s: out of range; give %u to %u", name, text, min, max);
			return 0;
		}
		if (last - first >= room - n) {
			usage_error("%s %s: more than %u numbers; name fewer", name, text, room);
			return 0;
		}
		for (; first <= last; first++)
			values[n++] = (unsigned int)first;
		if (!*end)
			return n;
	}
no_list:
	usage_error("%s %s: not a list of numbers; give one as 0,2-3", name, text);
	return 0;
}

int parse_word(const char *name, const char *text, const char *const *words)
{
	char known[256];
	size_t used = 0;
	int i;

	known[0] = '\0';
	for (i = 0; words[i]; i++) {
		if (!strcmp(words[i], text))
			return i;
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 i ? ", " : "", words[i]);
	}
	usage_error("%s %s: unknown; give one of %s", name, text, known);
	return -1;
}
