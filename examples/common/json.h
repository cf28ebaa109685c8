/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.h - write a JSON object, a member a line
 *
 *	json_begin(&j, out);
 *	json_text(&j, "name", "x");
 *	json_open(&j, "rows", '[');
 *	json_count(&j, NULL, 1);		in an array: no key
 *	json_close(&j, ']');
 *	err = json_end(&j);
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned int depth;
	bool first; /* of its object or array */
};

void json_begin(struct json *j, FILE *out);
int json_end(struct json *j); /* 0 or -errno */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_count(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* @text NULL: "" */
void json_text(struct json *j, const char *key, const char *text);
/* @digits: significant ones; infinity and NaN, which JSON has not, become null */
void json_real(struct json *j, const char *key, double value, int digits);

#endif /* COMMON_JSON_H */
