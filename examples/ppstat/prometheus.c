/* SPDX-License-Identifier: BSD-3-Clause */
/* prometheus.c - a sample in Prometheus's text format: all of a metric together */
#include <inttypes.h>
#include <string.h>

#include <pagepool/stats.h>

#include "sample.h"

static const struct pp_counter zone_counters[] = PP_ZONE_COUNTER_TABLE;
static const struct pp_counter window_counters[] = PP_WINDOW_COUNTER_TABLE;
static const struct pp_counter pool_counters[] = PP_POOL_COUNTER_TABLE;

/* members of the answer beside the library's structs of counters; @name is the key there */
static const struct pp_counter state_counters[] = {
	{ "disabled", "times that the zone's caches are disabled", PP_GAUGE, 0 },
	PP_LAST_ROW,
};
static const struct pp_counter cache_counters[] = {
	{ "cached", "pages in a cache", PP_GAUGE, 0 },
	{ "high", "most pages that a cache may hold", PP_GAUGE, 0 },
	{ "allocs", "pages taken from a cache", PP_SUM, 0 },
	{ "frees", "pages given to a cache", PP_SUM, 0 },
	{ "refills", "refills of a cache from the free area", PP_SUM, 0 },
	{ "flushes", "flushes of a cache to the free area", PP_SUM, 0 },
	PP_LAST_ROW,
};
static const struct pp_counter ended_counters[] = {
	{ "inflight", "pages that are still out of a pool that was destroyed", PP_GAUGE, 0 },
	PP_LAST_ROW,
};

/* Every sample names its program: several programs may write into one directory. */
struct metric {
	FILE *out;
	struct json_object *root;
	char process[64];
	const char *group;
	const char *label; /* for the name of the object that is shown */
	const struct pp_counter *c;
	char name[80];
	double scale; /* seconds of a cycle; 0: the value is no time; below 0: unknown */
};

/* A label's value; json-c has decoded it, and knows no bytes that are not UTF-8. */
static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void put_head(FILE *out, const char *name, bool total, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, total ? "counter" : "gauge");
}

/* name{process="ppfwd",pid="12",LABEL="VALUE" */
static void put_labels(const struct metric *m, const char *name, const char *label,
		       const char *value)
{
	fprintf(m->out, "%s{", name);
	put_label(m->out, "process", m->process);
	fprintf(m->out, ",pid=\"%" PRIu64 "\",", get_count(m->root, "pid"));
	put_label(m->out, label, value);
}

/* The unit that a name must end with, unless it does: help begins with it. */
static const char *unit_of(const struct pp_counter *c)
{
	if (!strncmp(c->help, "bytes ", 6))
		return "_bytes";
	if (strstr(c->name, "pages"))
		return "";
	return strncmp(c->help, "pages ", 6) && strncmp(c->help, "most pages ", 11) ? "" : "_pages";
}

/*
 * pagepool_GROUP_KEY[_UNIT][_total], as Prometheus names: base units, and _total if it only grows.
 * Kernel counters have their key from ethtool; pools are named already.
 */
static void metric_begin(struct metric *m)
{
	const char *key = m->c->name, *cycles;
	uint64_t hz = get_count(m->root, "tsc_hz");

	key += strncmp(key, "rx_pp_", 6) ? 0 : 6;
	cycles = strstr(key, "_cycles");
	m->scale = !cycles ? 0 : hz ? 1 / (double)hz : -1;
	snprintf(m->name, sizeof(m->name), "pagepool_%s_%.*s%s%s", m->group,
		 cycles ? (int)(cycles - key) : (int)strlen(key), key,
		 cycles ? "_seconds" : unit_of(m->c), m->c->kind == PP_SUM ? "_total" : "");
	put_head(m->out, m->name, m->c->kind == PP_SUM, m->c->help);
}

/* The counter is in @from, which belongs to @o; @cache: one of its caches, or NULL. */
static void put_value(const struct metric *m, struct json_object *o, struct json_object *cache,
		      struct json_object *from)
{
	uint64_t value = get_count(from, m->c->name);

	if (!json_object_object_get(from, m->c->name) || m->scale < 0)
		return; /* the program has an older library, or the zone is not traced */
	put_labels(m, m->name, m->label, get_text(o, "name"));
	fprintf(m->out, ",id=\"%" PRIu64 "\"", get_count(o, "id"));
	if (cache)
		fprintf(m->out, ",core=\"%" PRIu64 "\"", get_count(cache, "core"));
	if (m->scale > 0)
		fprintf(m->out, "} %.9g\n", (double)value * m->scale);
	else
		fprintf(m->out, "} %" PRIu64 "\n", value);
}

/* All counters of a table for all objects of an array; @member: of the object, or NULL. */
static void put_array(struct metric m, const struct pp_counter *table, const char *array,
		      const char *member)
{
	struct json_object *o;
	size_t i;

	for (m.c = table; m.c->name; m.c++) {
		metric_begin(&m);
		for (i = 0; i < array_size(m.root, array); i++) {
			o = array_at(m.root, array, i);
			put_value(&m, o, NULL, member ? get_object(o, member) : o);
		}
	}
}

static void put_caches(struct metric m)
{
	struct json_object *zone, *cache;
	size_t i, k;

	for (m.c = cache_counters; m.c->name; m.c++) {
		metric_begin(&m);
		for (i = 0; i < array_size(m.root, "zones"); i++) {
			zone = array_at(m.root, "zones", i);
			for (k = 0; k < array_size(zone, "caches"); k++) {
				cache = array_at(zone, "caches", k);
				put_value(&m, zone, cache, cache);
			}
		}
	}
}

static void put_ended_ages(const struct metric *m)
{
	static const char name[] = "pagepool_ended_pool_age_seconds";
	uint64_t now = get_count(m->root, "time_ns"), ended;
	struct json_object *pool;
	size_t i;

	put_head(m->out, name, false, "seconds since a pool with pages out was destroyed");
	for (i = 0; i < array_size(m->root, "ended"); i++) {
		pool = array_at(m->root, "ended", i);
		ended = get_count(pool, "detach_time_ns");
		put_labels(m, name, "pool", get_text(pool, "name"));
		fprintf(m->out, ",id=\"%" PRIu64 "\"} %" PRIu64 "\n", get_count(pool, "id"),
			now > ended ? (now - ended) / 1000000000 : 0);
	}
}

static void put_faults(const struct metric *m)
{
	static const char name[] = "pagepool_faults_injected_total";
	struct json_object *fault;
	size_t i;

	put_head(m->out, name, true, "allocations that failed on purpose");
	for (i = 0; i < array_size(m->root, "faults"); i++) {
		fault = array_at(m->root, "faults", i);
		put_labels(m, name, "at", get_text(fault, "at"));
		fprintf(m->out, "} %" PRIu64 "\n", get_count(fault, "injected"));
	}
}

/* The program's file name: the first word of its command without directories. */
static void set_process(struct metric *m)
{
	const char *command = get_text(m->root, "command");
	size_t len = strcspn(command, " "), at = len;

	while (at && command[at - 1] != '/')
		at--;
	snprintf(m->process, sizeof(m->process), "%.*s", (int)(len - at), command + at);
}

void show_prometheus(const struct sample *sample, FILE *out)
{
	static const char info[] = "pagepool_info";
	struct metric m = { .out = out, .root = sample->root, .group = "zone", .label = "zone" };

	set_process(&m);
	put_head(out, info, false, "the program that is asked");
	put_labels(&m, info, "library", get_text(m.root, "library"));
	fputs("} 1\n", out);
	put_array(m, zone_counters, "zones", NULL);
	put_array(m, state_counters, "zones", NULL);
	m.group = "cache";
	put_caches(m);
	m.group = "window";
	put_array(m, window_counters, "zones", "windows");
	m.group = m.label = "pool";
	put_array(m, pool_counters, "pools", NULL);
	m.group = "ended_pool";
	put_array(m, ended_counters, "ended", NULL);
	put_ended_ages(&m);
	put_faults(&m);
}
