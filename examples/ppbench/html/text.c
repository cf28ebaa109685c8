/* SPDX-License-Identifier: BSD-3-Clause */
/* html/text.c - see html/text.h */
#include "html/text.h"

void html_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

void html_words(FILE *f, const char *key)
{
	char text[80], *at;

	snprintf(text, sizeof(text), "%s", key);
	for (at = text; *at; at++)
		if (*at == '_')
			*at = ' ';
	html_text(f, text);
}

void html_number(FILE *f, double value)
{
	double size = value < 0 ? -value : value;

	fprintf(f, "%.*f", size < 10 ? 2 : size < 100 ? 1 : 0, value);
}

void html_command(FILE *f, const char *command)
{
	fputs("<code class=\"cmd\">", f);
	html_text(f, *command ? command : "command not recorded");
	fputs("</code>\n", f);
}
