/* SPDX-License-Identifier: BSD-3-Clause */
/* html/text.h - text and numbers for HTML and SVG */
#ifndef PPBENCH_TEXT_H
#define PPBENCH_TEXT_H

#include <stdio.h>

/* @text with its markup escaped */
void html_text(FILE *f, const char *text);
/* a key as words: cycles_per_page, vs_array */
void html_words(FILE *f, const char *key);
/* a command, in a line of its own */
void html_command(FILE *f, const char *command);
/* three significant digits */
void html_number(FILE *f, double value);

#endif /* PPBENCH_TEXT_H */
