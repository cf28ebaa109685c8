/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - the result as one JSON object, see ppbench(1) for its keys */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "common/json.h"

#define DIGITS 6

static void write_figures(struct json *j, const char *unit, const struct bench_row *row)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_median", unit);
	json_real(j, key, row->median, DIGITS);
	if (row->published)
		return;
	snprintf(key, sizeof(key), "%s_min", unit);
	json_real(j, key, row->min, DIGITS);
	snprintf(key, sizeof(key), "%s_max", unit);
	json_real(j, key, row->max, DIGITS);
	json_real(j, "spread_percent", bench_row_spread(row), DIGITS);
	json_real(j, "iqr_percent", bench_row_iqr(row), DIGITS);
}

static void write_row(struct json *j, const char *unit, const struct bench_row *row)
{
	unsigned int k;

	json_open(j, NULL, '{');
	json_text(j, "policy", row->policy);
	json_text(j, "kind", row->kind);
	json_count(j, "bulk", row->bulk);
	if (row->published)
		json_bool(j, "published", true);
	if (row->simulated)
		json_bool(j, "simulated", true);
	if (row->refused)
		json_text(j, "refused", row->refused);
	else
		write_figures(j, unit, row);
	for (k = 0; !row->refused && k < row->nextra; k++) {
		if (!strcmp(row->extra[k].key, "pingpong_cycles"))
			json_text(j, "distance", bench_regime(row->extra[k].value));
		json_real(j, row->extra[k].key, row->extra[k].value, DIGITS);
	}
	json_close(j, '}');
}

static void write_spread(struct json *j, const struct bench *b)
{
	struct bench_spread s;

	bench_spread(b, &s);
	json_open(j, "repeatability", '{');
	json_count(j, "rows", s.rows);
	json_real(j, "median_spread_percent", s.median, DIGITS);
	json_real(j, "worst_spread_percent", s.worst, DIGITS);
	json_real(j, "median_iqr_percent", s.iqr, DIGITS);
	json_real(j, "limit_percent", BENCH_AGREE, DIGITS);
	json_bool(j, "noisy", s.noisy);
	json_text(j, "text", s.text);
	json_close(j, '}');
}

static void write_lists(struct json *j, const struct bench *b)
{
	size_t i;

	json_open(j, "on_cores", '[');
	for (i = 0; i < bench_cores(b); i++)
		json_count(j, NULL, b->opts.cores[i]);
	json_close(j, ']');
	json_count(j, "repeat", b->opts.repeat);
	json_open(j, "rows", '[');
	for (i = 0; i < b->nrows; i++)
		write_row(j, b->what->unit, &b->rows[i]);
	json_close(j, ']');
	json_open(j, "notes", '[');
	for (i = 0; i < b->nnotes; i++)
		json_text(j, NULL, b->notes[i]);
	json_close(j, ']');
}

void bench_write_json(FILE *f, const void *bench)
{
	const struct bench *b = bench;
	struct json j;

	json_begin(&j, f);
	json_text(&j, "bench", b->what->name);
	json_text(&j, "version", PP_VERSION);
	json_text(&j, "command", b->command);
	machine_json_open(&j, &b->machine);
	json_text(&j, "compiler", b->compiler);
	json_text(&j, "commit", b->commit);
	json_count(&j, "tsc_hz", b->tsc_hz);
	json_close(&j, '}');
	write_lists(&j, b);
	write_spread(&j, b);
	json_end(&j); /* the caller looks at the stream */
}
