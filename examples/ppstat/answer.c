/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * answer.c - what a program answered, and what a verb did, in words
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/control.h>

#include "sample.h"

const bool can_show = true;

static struct json_object *parse(const char *answer)
{
	struct json_object *root = json_tokener_parse(answer);
	uint64_t version;

	if (!json_object_is_type(root, json_type_object)) {
		complain("the answer is no JSON object; is that a socket of pagepool?");
		json_object_put(root);
		return NULL;
	}
	version = get_count(root, "version");
	if (version != PP_CONTROL_VERSION) {
		complain("the program speaks version %" PRIu64 " of the protocol, this ppstat %u; "
			 "take its ppstat",
			 version, PP_CONTROL_VERSION);
		json_object_put(root);
		return NULL;
	}
	return root;
}

struct sample *sample_parse(const char *answer)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	if (sample)
		sample->root = parse(answer);
	if (sample && sample->root)
		return sample;
	free(sample);
	return NULL;
}

void sample_free(struct sample *sample)
{
	if (!sample)
		return;
	json_object_put(sample->root);
	free(sample);
}

static int complain_of(struct json_object *root)
{
	struct json_object *error = get_object(root, "error");

	if (!error)
		return 0;
	complain("%s", get_text(error, "message"));
	return -1;
}

int show_error(const char *verb, const char *answer)
{
	struct json_object *root = parse(answer);
	int err = root ? complain_of(root) : -1;

	json_object_put(root);
	return err;
}

static int show_drain(struct json_object *root)
{
	uint64_t timeouts = 0;
	struct json_object *zone;
	size_t i;

	for (i = 0; i < array_size(root, "zones"); i++) {
		zone = array_at(root, "zones", i);
		printf("zone %" PRIu64 ": %" PRIu64 " pages drained\n", get_count(zone, "id"),
		       get_count(zone, "drained"));
		timeouts += get_count(zone, "timeouts");
	}
	if (!timeouts)
		return 0;
	fflush(stdout);
	complain("drain: %" PRIu64 " caches were held by somebody all the time; try again with a "
		 "longer --timeout",
		 timeouts);
	return -1;
}

static void show_zones(struct json_object *root, const char *what)
{
	size_t i;

	for (i = 0; i < array_size(root, "zones"); i++)
		printf("zone %" PRIu64 ": caches %s\n", get_count(array_at(root, "zones", i), "id"),
		       what);
}

int show_answer(const char *verb, const char *answer)
{
	struct json_object *root = parse(answer);
	int err = root ? complain_of(root) : -1;

	if (!err && !strcmp(verb, "drain"))
		err = show_drain(root);
	else if (!err && !strcmp(verb, "disable"))
		show_zones(root, "disabled");
	else if (!err && !strcmp(verb, "enable"))
		show_zones(root, "enabled");
	json_object_put(root);
	return err;
}
