/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.c - what went wrong, in one line
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
	exit(2);
}
