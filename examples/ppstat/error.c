/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.c - what went wrong, in one line; names that may hold anything
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ppstat.h"

/* C0, DEL, and C1 as UTF-8 writes it: what a terminal obeys */
const char *printable(const char *text, char *buf, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i;

	for (i = 0; i + 1 < size && *s; i++, s++) {
		buf[i] = (char)*s;
		if (*s < ' ' || *s == 0x7f) {
			buf[i] = '?';
		} else if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) {
			buf[i] = '?';
			s++;
		}
	}
	buf[i] = '\0';
	return buf;
}

static void print_line(const char *fmt, va_list ap)
{
	char line[1024], clean[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	fprintf(stderr, "ppstat: %s\n", printable(line, clean, sizeof(clean)));
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
