/* SPDX-License-Identifier: BSD-3-Clause */
/* answer.c - a program's answer, and the effect of a verb in words */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/control.h>

#include "common/error.h"
#include "sample.h"

static struct json_object *parse_answer(const char *answer)
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
		sample->root = parse_answer(answer);
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
	struct json_object *root = parse_answer(answer);
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
	complain("drain: %" PRIu64 " caches were held all the time; try again with a "
		 "longer --timeout",
		 timeouts);
	return -1;
}

static int show_trim(struct json_object *root)
{
	struct json_object *pool;
	char name[64];
	int err = 0;
	size_t i;

	for (i = 0; i < array_size(root, "pools"); i++) {
		pool = array_at(root, "pools", i);
		printable(get_text(pool, "name"), name, sizeof(name));
		printf("pool %" PRIu64 " %s: %" PRIu64 " pages trimmed\n", get_count(pool, "id"),
		       name, get_count(pool, "trimmed"));
		if (!*get_text(pool, "failed"))
			continue;
		fflush(stdout);
		complain("trim: pool %s: %s; try again, with a longer --timeout", name,
			 get_text(pool, "failed"));
		err = -1;
	}
	return err;
}

static const char *const age_names[] = {
	"< 1 ms", "< 10 ms", "< 100 ms", "< 1 s", "< 10 s", "< 100 s", "older",
};

#define AGES (sizeof(age_names) / sizeof(age_names[0]))

static void show_ages(struct json_object *pool)
{
	uint64_t count[AGES], most = 1;
	struct json_object *ages = json_object_object_get(pool, "ages");
	unsigned int i, k;

	for (i = 0; i < AGES; i++) {
		count[i] = json_object_is_type(ages, json_type_array)
				   ? json_object_get_uint64(json_object_array_get_idx(ages, i))
				   : 0;
		most = count[i] > most ? count[i] : most;
	}
	for (i = 0; i < AGES; i++) {
		printf("  %8s %8" PRIu64 " ", age_names[i], count[i]);
		for (k = 0; k < (count[i] * 40 + most - 1) / most; k++)
			putchar('#');
		putchar('\n');
	}
}

static void show_holder(struct json_object *holder)
{
	const char *site = get_text(holder, "site"), *base = strrchr(site, '/');
	char thread[64], clean[300];

	printf("  %12.3f %5" PRIu64 ":%-8" PRIu64 " %8" PRIu64 " %s %s %s\n",
	       (double)get_count(holder, "age_ns") / 1e9, get_count(holder, "zone"),
	       get_count(holder, "page"), get_count(holder, "thread"),
	       printable_field(get_text(holder, "thread_name"), thread, sizeof(thread), 15),
	       json_object_get_boolean(json_object_object_get(holder, "in_driver")) ? "driver"
										    : "user  ",
	       printable(base ? base + 1 : site, clean, sizeof(clean)));
}

static int show_holders(struct json_object *root)
{
	struct json_object *pool;
	char name[64];
	size_t i, k, n;
	int err = 0;

	for (i = 0; i < array_size(root, "pools"); i++) {
		pool = array_at(root, "pools", i);
		n = array_size(pool, "holders");
		printf("%spool %" PRIu64 " %s%s%s\n", i ? "\n" : "", get_count(pool, "id"),
		       printable(get_text(pool, "name"), name, sizeof(name)),
		       json_object_get_boolean(json_object_object_get(pool, "ended")) ? ", ended"
										      : "",
		       json_object_get_boolean(json_object_object_get(pool, "tracked"))
			       ? ""
			       : ": takers of pages are not recorded: ppstat holders --track on");
		if (*get_text(pool, "failed")) {
			complain("holders: %s; it goes on without", get_text(pool, "failed"));
			err = -1;
		}
		if (!n)
			continue;
		show_ages(pool);
		printf("  %12s %14s %8s %-15s %-6s %s\n", "seconds", "zone:page", "thread", "",
		       "where", "taken at");
		for (k = 0; k < n; k++)
			show_holder(array_at(pool, "holders", k));
	}
	return err;
}

static void show_zones(struct json_object *root, const char *what)
{
	size_t i;

	for (i = 0; i < array_size(root, "zones"); i++)
		printf("zone %" PRIu64 ": caches %s\n", get_count(array_at(root, "zones", i), "id"),
		       what);
}

static void show_faults(struct json_object *root)
{
	struct json_object *fault;
	char at[64];
	size_t i;

	printf("%-16s %10s %10s %8s %12s %10s\n", "point", "every", "after", "thread", "calls",
	       "failed");
	for (i = 0; i < array_size(root, "faults"); i++) {
		fault = array_at(root, "faults", i);
		printf("%s %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %12" PRIu64 " %10" PRIu64 "\n",
		       printable_field(get_text(fault, "at"), at, sizeof(at), 16),
		       get_count(fault, "every"), get_count(fault, "after"),
		       get_count(fault, "thread"), get_count(fault, "calls"),
		       get_count(fault, "injected"));
	}
}

int show_answer(const char *verb, const char *answer)
{
	struct json_object *root = parse_answer(answer);
	int err = root ? complain_of(root) : -1;

	if (!err && !strcmp(verb, "drain"))
		err = show_drain(root);
	else if (!err && !strcmp(verb, "trim"))
		err = show_trim(root);
	else if (!err && !strcmp(verb, "holders"))
		err = show_holders(root);
	else if (!err && !strcmp(verb, "fault"))
		show_faults(root);
	else if (!err && !strcmp(verb, "disable"))
		show_zones(root, "disabled");
	else if (!err && !strcmp(verb, "enable"))
		show_zones(root, "enabled");
	json_object_put(root);
	return err;
}
