/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h - one line on stderr: "PROGRAM: WHAT: WHY; what to do"
 *
 * A program defines program_name. Control characters in a line become '?', so that a line
 * stays one line and a terminal obeys no name.
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

/* printable() - @text in @buf without control characters; cut to @size; returns @buf */
const char *printable(const char *text, char *buf, size_t size);

#endif /* COMMON_ERROR_H */
