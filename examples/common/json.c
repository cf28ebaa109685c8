/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - see json.h */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "common/json.h"

static void put_string(struct json *j, const char *text)
{
	const unsigned char *c;

	fputc('"', j->out);
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			fprintf(j->out, "\\u%04x", *c);
		else if (*c == '"' || *c == '\\')
			fprintf(j->out, "\\%c", *c);
		else
			fputc(*c, j->out);
	}
	fputc('"', j->out);
}

static void new_line(struct json *j)
{
	fprintf(j->out, "\n%*s", 2 * (int)j->depth, "");
}

static void put_key(struct json *j, const char *key)
{
	if (!j->first)
		fputc(',', j->out);
	j->first = false;
	new_line(j);
	if (!key)
		return;
	put_string(j, key);
	fputc(':', j->out);
}

void json_begin(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out, .depth = 1, .first = true };
	errno = 0;
	fputc('{', out);
}

int json_end(struct json *j)
{
	j->depth = 0;
	fputs("\n}\n", j->out);
	if (!fflush(j->out) && !ferror(j->out))
		return 0;
	return errno ? -errno : -EIO;
}

void json_open(struct json *j, const char *key, char bracket)
{
	put_key(j, key);
	fputc(bracket, j->out);
	j->depth++;
	j->first = true;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (!j->first)
		new_line(j);
	fputc(bracket, j->out);
	j->first = false;
}

void json_count(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_text(struct json *j, const char *key, const char *text)
{
	put_key(j, key);
	put_string(j, text ? text : "");
}

void json_real(struct json *j, const char *key, double value, int digits)
{
	put_key(j, key);
	if (isfinite(value))
		fprintf(j->out, "%.*g", digits, value);
	else
		fputs("null", j->out);
}
