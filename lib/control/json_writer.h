/* SPDX-License-Identifier: BSD-3-Clause */
/* json_writer.h - JSON into memory that grows; it is valid whatever the names hold */
#ifndef PP_JSON_WRITER_H
#define PP_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * @failed: there was no memory, or too much text; the rest was dropped
 * @error:  the text is an error, see control_error()
 *
 * Keys are the program's own and are not escaped; NULL in arrays and at the top.
 */
struct json_writer {
	char *text; /* ends with a 0, not in len; NULL: nothing yet */
	size_t len;
	size_t size;
	bool failed;
	bool error;
};

void jw_free(struct json_writer *json);
void jw_begin(struct json_writer *json, const char *key, char bracket); /* { or [ */
void jw_end(struct json_writer *json, char bracket);
void jw_text(struct json_writer *json, const char *key, const char *value);
void jw_count(struct json_writer *json, const char *key, uint64_t value);
void jw_number(struct json_writer *json, const char *key, int64_t value);
void jw_bool(struct json_writer *json, const char *key, bool value);
void jw_newline(struct json_writer *json);

#endif /* PP_JSON_WRITER_H */
