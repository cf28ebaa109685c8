/* SPDX-License-Identifier: BSD-3-Clause */
/* sample.h - an answer, for the files that read it with json-c */
#ifndef PPSTAT_SAMPLE_H
#define PPSTAT_SAMPLE_H

#include <json-c/json.h>

#include "ppstat.h"

struct sample {
	struct json_object *root;
};

/* a member that is missing, or of another kind, is 0, "", or an empty array */
static inline uint64_t get_count(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_int) ? json_object_get_uint64(v) : 0;
}

static inline const char *get_text(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

static inline struct json_object *get_object(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_object) ? v : NULL;
}

static inline size_t array_size(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;
}

/* Member @i of an array, if it is an object; else one without members. */
static inline struct json_object *array_at(struct json_object *o, const char *key, size_t i)
{
	struct json_object *v;

	v = json_object_array_get_idx(json_object_object_get(o, key), i);
	return json_object_is_type(v, json_type_object) ? v : NULL;
}

#endif /* PPSTAT_SAMPLE_H */
