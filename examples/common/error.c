/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c - see error.h */
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "common/error.h"

static bool usage_failed;

/* The character at @text: its bytes, and its columns; 0 columns: print '?' for it. */
static size_t next_character(const char *text, unsigned int *columns)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, text, strlen(text), &state);

	*columns = 0;
	if (n == 0 || n > strlen(text))
		return 1; /* no UTF-8 */
	if (iswprint((wint_t)c) && wcwidth(c) > 0)
		*columns = (unsigned int)wcwidth(c);
	return n;
}

/* The columns that @buf has in the end. */
static unsigned int clean_text(const char *text, char *buf, size_t size, unsigned int most)
{
	unsigned int columns, used = 0;
	size_t n, len = 0;

	for (; *text; text += n) {
		n = next_character(text, &columns);
		if (used + (columns ? columns : 1) > most || len + (columns ? n : 1) >= size)
			break;
		memcpy(buf + len, columns ? text : "?", columns ? n : 1);
		len += columns ? n : 1;
		used += columns ? columns : 1;
	}
	buf[len] = '\0';
	return used;
}

/* With the C library's tables for UTF-8, whatever the locale; without them only ASCII passes. */
static unsigned int clean(const char *text, char *buf, size_t size, unsigned int most)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	unsigned int used = clean_text(text, buf, size, most);

	if (!utf8)
		return used;
	uselocale(before);
	freelocale(utf8);
	return used;
}

const char *printable(const char *text, char *buf, size_t size)
{
	clean(text, buf, size, UINT_MAX);
	return buf;
}

const char *printable_columns(const char *text, char *buf, size_t size, unsigned int columns)
{
	clean(text, buf, size, columns);
	return buf;
}

const char *printable_field(const char *text, char *buf, size_t size, unsigned int columns)
{
	unsigned int used = clean(text, buf, size, columns);
	size_t len = strlen(buf);

	for (; used < columns && len + 1 < size; used++)
		buf[len++] = ' ';
	buf[len] = '\0';
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
