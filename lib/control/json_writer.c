/* SPDX-License-Identifier: BSD-3-Clause */
/* json_writer.c - write JSON into memory that grows */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/json_writer.h"

/* A process with a thousand pools needs a megabyte; beyond this something is wrong. */
#define JSON_MAX ((size_t)64 << 20)

static bool make_room(struct json_writer *json, size_t n)
{
	size_t size = json->size ? json->size : 4096;
	char *text;

	if (json->failed)
		return false;
	while (size - json->len <= n && size < JSON_MAX)
		size *= 2;
	text = size - json->len > n ? realloc(json->text, size) : NULL;
	if (!text) {
		json->failed = true;
		return false;
	}
	json->text = text;
	json->size = size;
	return true;
}

static void put_bytes(struct json_writer *json, const char *text, size_t n)
{
	if (json->size - json->len <= n && !make_room(json, n))
		return;
	memcpy(json->text + json->len, text, n);
	json->len += n;
	json->text[json->len] = '\0';
}

static void put_text(struct json_writer *json, const char *text)
{
	put_bytes(json, text, strlen(text));
}

void jw_free(struct json_writer *json)
{
	free(json->text);
	*json = (struct json_writer){ 0 };
}

/* A comma unless this is the first in its brackets, then the key. */
static void put_key(struct json_writer *json, const char *key)
{
	char last = json->len ? json->text[json->len - 1] : '\n';

	if (last != '{' && last != '[' && last != '\n')
		put_text(json, ",");
	if (!key)
		return;
	put_text(json, "\"");
	put_text(json, key);
	put_text(json, "\":");
}

void jw_begin(struct json_writer *json, const char *key, char bracket)
{
	put_key(json, key);
	put_bytes(json, &bracket, 1);
}

void jw_end(struct json_writer *json, char bracket)
{
	put_bytes(json, &bracket, 1);
}

void jw_newline(struct json_writer *json)
{
	put_text(json, "\n");
}

/*
 * Bytes of the UTF-8 character at @s: 0 if it is none: cut short, longer than it need be,
 * half of a pair, or beyond what there is.
 */
static size_t utf8_length(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c;
	size_t i;

	if (n < 2)
		return n;
	c = s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* the ending 0, too */
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (s[0] >= 0xf8 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

void jw_text(struct json_writer *json, const char *key, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char code[8];
	size_t n;

	put_key(json, key);
	put_text(json, "\"");
	for (; *s; s += n ? n : 1) {
		n = utf8_length(s);
		if (!n) {
			put_text(json, "\\ufffd");
		} else if (*s < ' ' || *s == 0x7f) {
			snprintf(code, sizeof(code), "\\u%04x", *s);
			put_text(json, code);
		} else {
			if (*s == '"' || *s == '\\')
				put_text(json, "\\");
			put_bytes(json, (const char *)s, n);
		}
	}
	put_text(json, "\"");
}

void jw_count(struct json_writer *json, const char *key, uint64_t value)
{
	char text[24];

	put_key(json, key);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(json, text);
}

void jw_number(struct json_writer *json, const char *key, int64_t value)
{
	char text[24];

	put_key(json, key);
	snprintf(text, sizeof(text), "%" PRId64, value);
	put_text(json, text);
}

void jw_bool(struct json_writer *json, const char *key, bool value)
{
	put_key(json, key);
	put_text(json, value ? "true" : "false");
}
