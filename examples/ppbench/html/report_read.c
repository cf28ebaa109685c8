/* SPDX-License-Identifier: BSD-3-Clause */
/* report_read.c - a case's JSON, read back into rows */
#include <stdlib.h>
#include <string.h>

#include "html/html.h"

#define TEXT_MAX (64u << 20)

const char *rep_text(struct json_object *o, const char *key, const char *none)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : none;
}

static double member_number(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_double(value) : 0;
}

bool rep_number(const struct rep_row *row, const char *key, double *value)
{
	struct json_object *o;

	if (!json_object_object_get_ex(row->json, key, &o))
		return false;
	*value = json_object_get_double(o);
	return true;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL, *more;
	size_t size = 0, got = 1;

	while (f && got && size < TEXT_MAX) {
		more = realloc(text, size + (1u << 16) + 1);
		if (!more)
			break;
		text = more;
		got = fread(text + size, 1, 1u << 16, f);
		size += got;
		text[size] = '\0';
	}
	if (f)
		fclose(f);
	return text;
}

/* the figures' unit is the text before _median in the first row that has one */
static void find_unit(struct rep_case *c, struct json_object *row)
{
	const char *suffix = "_median";
	size_t len;

	json_object_object_foreach(row, key, value)
	{
		len = strlen(key);
		(void)value;
		if (!c->unit[0] && len > strlen(suffix) &&
		    !strcmp(key + len - strlen(suffix), suffix))
			snprintf(c->unit, sizeof(c->unit), "%.*s", (int)(len - strlen(suffix)),
				 key);
	}
}

static double row_figure(const struct rep_case *c, struct json_object *row, const char *what)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_%s", c->unit, what);
	return member_number(row, key);
}

static void fill_row(const struct rep_case *c, struct rep_row *row, struct json_object *o)
{
	row->json = o;
	row->policy = rep_text(o, "policy", "");
	row->kind = rep_text(o, "kind", "");
	row->bulk = (unsigned int)member_number(o, "bulk");
	row->refused = rep_text(o, "refused", NULL);
	row->published = member_number(o, "published") != 0;
	row->median = row_figure(c, o, "median");
	row->min = row_figure(c, o, "min");
	row->max = row_figure(c, o, "max");
	row->simulated = member_number(o, "simulated") != 0 || strstr(row->kind, "simulated") ||
			 strstr(row->policy, "simulated");
}

static int fill_rows(struct rep_case *c)
{
	struct json_object *rows;
	size_t i, n;

	if (!json_object_object_get_ex(c->json, "rows", &rows) ||
	    !json_object_is_type(rows, json_type_array))
		return -1;
	n = json_object_array_length(rows);
	c->rows = calloc(n ? n : 1, sizeof(*c->rows));
	if (!c->rows)
		return -1;
	for (i = 0; i < n; i++)
		if (json_object_is_type(json_object_array_get_idx(rows, i), json_type_object))
			find_unit(c, json_object_array_get_idx(rows, i));
	for (i = 0; i < n; i++)
		if (json_object_is_type(json_object_array_get_idx(rows, i), json_type_object))
			fill_row(c, &c->rows[c->nrows++], json_object_array_get_idx(rows, i));
	return 0;
}

/* the command that made the result, without the file that it wrote */
static void tell_command(struct rep_case *c)
{
	const char *command = rep_text(c->json, "command", NULL), *at;

	if (!command || c->command[0])
		return;
	at = strstr(command, " --json ");
	snprintf(c->command, sizeof(c->command), "%.*s%s",
		 at ? (int)(at - command) : (int)strlen(command), command,
		 at ? at + strlen(" --json ") + strcspn(at + strlen(" --json "), " ") : "");
}

/* 0, or -1 with the reason in c->error */
int rep_read(struct rep_case *c, const char *path)
{
	c->text = read_file(path);
	c->json = c->text ? json_tokener_parse(c->text) : NULL;
	if (!json_object_is_type(c->json, json_type_object)) {
		snprintf(c->error, sizeof(c->error), "%s is no JSON object", path);
		return -1;
	}
	snprintf(c->name, sizeof(c->name), "%s", rep_text(c->json, "bench", "unnamed"));
	tell_command(c);
	if (!fill_rows(c))
		return 0;
	snprintf(c->error, sizeof(c->error), "%s has no rows: it is no result of ppbench", path);
	return -1;
}

void rep_free(struct rep_case *c)
{
	json_object_put(c->json);
	free(c->rows);
	free(c->text);
}

const struct rep_case *rep_case_find(const struct rep *r, const char *name)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (r->cases[i].nrows && !strcmp(r->cases[i].name, name))
			return &r->cases[i];
	return NULL;
}

const struct rep_row *rep_row_find(const struct rep_case *c, const char *policy, const char *kind,
				   unsigned int bulk)
{
	size_t i;

	for (i = 0; c && i < c->nrows; i++)
		if (c->rows[i].bulk == bulk && !c->rows[i].refused &&
		    !strcmp(c->rows[i].policy, policy) && !strcmp(c->rows[i].kind, kind))
			return &c->rows[i];
	return NULL;
}

const struct rep_row *rep_best(const struct rep_case *c, const char *kind, unsigned int bulk,
			       const char *prefix)
{
	const struct rep_row *best = NULL, *row;
	size_t i;

	for (i = 0; c && i < c->nrows; i++) {
		row = &c->rows[i];
		if (row->refused || row->published || row->bulk != bulk || strcmp(row->kind, kind))
			continue;
		if (prefix ? strncmp(row->policy, prefix, strlen(prefix))
			   : !bench_is_ours(row->policy))
			continue;
		if (!best || row->median < best->median)
			best = row;
	}
	return best;
}

/* @want if the kind has it, otherwise its largest below, otherwise its smallest; 0: none */
unsigned int rep_bulk_near(const struct rep_case *c, const char *kind, unsigned int want)
{
	unsigned int below = 0, above = 0, bulk;
	size_t i;

	for (i = 0; c && i < c->nrows; i++) {
		bulk = c->rows[i].bulk;
		if (c->rows[i].refused || c->rows[i].published || strcmp(c->rows[i].kind, kind))
			continue;
		if (bulk <= want && bulk > below)
			below = bulk;
		if (bulk > want && (!above || bulk < above))
			above = bulk;
	}
	return below ? below : above;
}

/* median over all rows of max / min - 1; -1: unknown */
double rep_spread(const struct rep_case *c)
{
	double *spread = calloc(c->nrows + 1, sizeof(*spread)), median = -1;
	unsigned int n = 0;
	size_t i;

	for (i = 0; spread && i < c->nrows; i++)
		if (c->rows[i].min > 0 && !c->rows[i].simulated)
			spread[n++] = c->rows[i].max / c->rows[i].min - 1;
	if (n)
		median = bench_median(spread, n);
	free(spread);
	return median;
}
