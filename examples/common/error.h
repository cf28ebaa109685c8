/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h - one line on stderr: "PROGRAM: WHAT: WHY; what to do"
 *
 * A program defines program_name. A character without a column of its own becomes '?': a line
 * stays one line, and no name moves the cursor or turns the text around it.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

extern const char program_name[];

void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
void complain_va(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0), cold));

/*
 * usage_error() - complain() about the command line, once
 *
 * The first error is told; later ones are silent, as most follow from the first. So a parser
 * asks usage_wrong() at its end, not after each step. usage_begin() forgets an error.
 */
void usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
bool usage_wrong(void);
void usage_begin(void);

/*
 * printable() - UTF-8 @text in @buf, fit for a terminal; returns @buf
 *
 * Control characters, marks of direction, characters without width and bytes that are no UTF-8
 * become '?'. The text ends before the character that does not fit into @size.
 */
const char *printable(const char *text, char *buf, size_t size);

/* printable_columns() - the same, cut before the character that does not fit into @columns */
const char *printable_columns(const char *text, char *buf, size_t size, unsigned int columns);

/* printable_field() - the same with blanks behind it: exactly @columns, if @size is enough */
const char *printable_field(const char *text, char *buf, size_t size, unsigned int columns);

#endif /* COMMON_ERROR_H */
