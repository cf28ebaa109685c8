/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.c - what went wrong, in one line
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "ppfwd.h"

static void print_line(const char *fmt, va_list ap)
{
	char line[1024];
	char *c;

	vsnprintf(line, sizeof(line), fmt, ap);
	/* an argument may hold anything, but one line is promised */
	for (c = line; *c; c++) {
		if ((unsigned char)*c < ' ')
			*c = '?';
	}
	fprintf(stderr, "ppfwd: %s\n", line);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
}

/* One line is promised: what follows from the first error is not told. */
static bool usage_failed;

void usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!usage_failed)
		print_line(fmt, ap);
	va_end(ap);
	usage_failed = true;
}

bool usage_wrong(void)
{
	return usage_failed;
}

void usage_begin(void)
{
	usage_failed = false;
}
