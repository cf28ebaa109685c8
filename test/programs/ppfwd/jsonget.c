/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jsonget.c - print values of a JSON file: jsonget FILE KEY..., where a key is a.b.0.c
 *
 * Fails if the file holds anything but one JSON object, or if a key is missing.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

static struct json_object *find(struct json_object *at, const char *key)
{
	char step[128];
	size_t len;

	while (at && *key) {
		len = strcspn(key, ".");
		if (len >= sizeof(step))
			return NULL;
		memcpy(step, key, len);
		step[len] = '\0';
		key += len + (key[len] == '.');
		if (isdigit((unsigned char)step[0]))
			at = json_object_is_type(at, json_type_array)
				     ? json_object_array_get_idx(at, (size_t)atoi(step))
				     : NULL;
		else if (!json_object_is_type(at, json_type_object) ||
			 !json_object_object_get_ex(at, step, &at))
			return NULL;
	}
	return at;
}

int main(int argc, char **argv)
{
	struct json_object *o, *value;
	int i, err = 0;

	if (argc < 3)
		return 2;
	o = json_object_from_file(argv[1]); /* refuses what follows the object */
	if (!json_object_is_type(o, json_type_object)) {
		fprintf(stderr, "jsonget: %s: not a JSON object\n", argv[1]);
		return 1;
	}
	for (i = 2; i < argc; i++) {
		value = find(o, argv[i]);
		if (value) {
			printf("%s\n", json_object_get_string(value));
		} else {
			fprintf(stderr, "jsonget: %s: no %s\n", argv[1], argv[i]);
			err = 1;
		}
	}
	json_object_put(o);
	return err;
}
