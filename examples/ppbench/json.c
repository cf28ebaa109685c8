/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - the result as one JSON object, see ppbench(1) for its keys */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

bool bench_has_json(void)
{
	return true;
}

static void add_number(struct json_object *o, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.6g", value);
	json_object_object_add(o, key, json_object_new_double_s(value, text));
}

static void add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void add_int(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)value));
}

static struct json_object *machine_json(const struct bench_machine *m)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "cpu", m->cpu);
	add_int(o, "cores", m->cores);
	add_string(o, "kernel", m->kernel);
	add_string(o, "compiler", m->compiler);
	add_string(o, "commit", m->commit);
	add_int(o, "tsc_hz", m->tsc_hz);
	return o;
}

static struct json_object *row_json(const struct bench *b, const struct bench_row *row)
{
	struct json_object *o = json_object_new_object();
	char key[64];
	unsigned int k;

	add_string(o, "policy", row->policy);
	add_string(o, "kind", row->kind);
	add_int(o, "bulk", row->bulk);
	if (row->published)
		json_object_object_add(o, "published", json_object_new_boolean(true));
	if (row->simulated)
		json_object_object_add(o, "simulated", json_object_new_boolean(true));
	if (row->refused) {
		add_string(o, "refused", row->refused);
		return o;
	}
	snprintf(key, sizeof(key), "%s_median", b->what->unit);
	add_number(o, key, row->median);
	if (!row->published) {
		snprintf(key, sizeof(key), "%s_min", b->what->unit);
		add_number(o, key, row->min);
		snprintf(key, sizeof(key), "%s_max", b->what->unit);
		add_number(o, key, row->max);
		add_number(o, "spread_percent", bench_row_spread(row));
		add_number(o, "iqr_percent", bench_row_iqr(row));
	}
	for (k = 0; k < row->nextra; k++) {
		if (!strcmp(row->extra[k].key, "pingpong_cycles"))
			add_string(o, "distance", bench_regime(row->extra[k].value));
		add_number(o, row->extra[k].key, row->extra[k].value);
	}
	return o;
}

static struct json_object *spread_json(const struct bench *b)
{
	struct json_object *o = json_object_new_object();
	struct bench_spread s;

	bench_spread(b, &s);
	add_int(o, "rows", s.rows);
	add_number(o, "median_spread_percent", s.median);
	add_number(o, "worst_spread_percent", s.worst);
	add_number(o, "median_iqr_percent", s.iqr);
	add_number(o, "limit_percent", BENCH_AGREE);
	json_object_object_add(o, "noisy", json_object_new_boolean(s.noisy));
	add_string(o, "text", s.text);
	return o;
}

static struct json_object *result_json(const struct bench *b)
{
	struct json_object *o = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	struct json_object *notes = json_object_new_array();
	struct json_object *cores = json_object_new_array();
	size_t i;

	for (i = 0; i < bench_cores(b); i++)
		json_object_array_add(cores, json_object_new_int((int)b->opts.cores[i]));
	for (i = 0; i < b->nrows; i++)
		json_object_array_add(rows, row_json(b, &b->rows[i]));
	for (i = 0; i < b->nnotes; i++)
		json_object_array_add(notes, json_object_new_string(b->notes[i]));
	add_string(o, "bench", b->what->name);
	add_string(o, "version", PP_VERSION);
	add_string(o, "command", b->command);
	json_object_object_add(o, "machine", machine_json(&b->machine));
	json_object_object_add(o, "on_cores", cores);
	add_int(o, "repeat", b->opts.repeat);
	json_object_object_add(o, "rows", rows);
	json_object_object_add(o, "notes", notes);
	json_object_object_add(o, "repeatability", spread_json(b));
	return o;
}

int bench_print_json(const struct bench *b)
{
	bool to_stdout = !strcmp(b->opts.json, "-");
	FILE *f = to_stdout ? stdout : fopen(b->opts.json, "we");
	struct json_object *o;
	int err;

	if (!f) {
		bench_error("cannot write --json '%s': %m; choose another file", b->opts.json);
		return -1;
	}
	o = result_json(b);
	fprintf(f, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	err = fflush(f) || ferror(f);
	if (err)
		bench_error("cannot write --json '%s': %m; choose another file", b->opts.json);
	if (!to_stdout)
		fclose(f);
	return err ? -1 : 0;
}
