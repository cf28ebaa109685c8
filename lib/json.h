/* SPDX-License-Identifier: BSD-3-Clause */
/* json.h - write JSON into memory that grows; what is written is valid whatever the names hold */
#ifndef PP_JSON_H
#define PP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * @failed: there was no memory, or too much text; the rest was dropped
 *
 * Keys are the program's own and are not escaped; NULL in arrays and at the top.
 */
struct json {
	char *text; /* ends with a 0, not in len; NULL: nothing yet */
	size_t len;
	size_t size;
	bool failed;
};

void json_free(struct json *json);
void json_begin(struct json *json, const char *key, char bracket); /* { or [ */
void json_end(struct json *json, char bracket);
void json_text(struct json *json, const char *key, const char *value);
void json_count(struct json *json, const char *key, uint64_t value);
void json_number(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_newline(struct json *json);

#endif /* PP_JSON_H */
