/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c - see error.h */
#include <stdio.h>

#include "common/error.h"

static bool usage_failed;

/* C0, DEL, and C1 in UTF-8: the characters that a terminal obeys */
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

void complain_va(const char *fmt, va_list ap)
{
	char line[1024], clean[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	fprintf(stderr, "%s: %s\n", program_name, printable(line, clean, sizeof(clean)));
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_va(fmt, ap);
	va_end(ap);
}

void usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!usage_failed)
		complain_va(fmt, ap);
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
