/* SPDX-License-Identifier: BSD-3-Clause */
/* prometheus.c - a sample in Prometheus's text format: all of a metric together */
#include <inttypes.h>
#include <string.h>

#include <pagepool/stats.h>

#include "sample.h"

static const struct pp_counter zone_counters[] = PP_ZONE_COUNTER_TABLE;
static const struct pp_counter window_counters[] = PP_WINDOW_COUNTER_TABLE;
static const struct pp_counter pool_counters[] = PP_POOL_COUNTER_TABLE;

/* What the answer has beside the library's structs of counters; @name is its key there. */
static const struct pp_counter state_counters[] = {
	{ "disabled", "times that the zone's caches are disabled", PP_GAUGE, 0 },
	PP_LAST_ROW,
};
static const struct pp_counter cache_counters[] = {
	{ "cached", "pages in a core's cache", PP_GAUGE, 0 },
	{ "high", "most pages that it may hold", PP_GAUGE, 0 },
	{ "allocs", "pages taken from it", PP_SUM, 0 },
	{ "frees", "pages given to it", PP_SUM, 0 },
	{ "refills", "refills from the zone", PP_SUM, 0 },
	{ "flushes", "flushes to the zone", PP_SUM, 0 },
	PP_LAST_ROW,
};
static const struct pp_counter ended_counters[] = {
	{ "inflight", "pages that are still out of a pool that was destroyed", PP_GAUGE, 0 },
	PP_LAST_ROW,
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
	fputs("\",", out);
}

static void put_head(FILE *out, const char *name, bool total, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, total ? "counter" : "gauge");
}

/* A metric for each counter: pagepool_@group_NAME, with _total behind it if it only grows. */
struct metric {
	FILE *out;
	const char *group;
	const char *label; /* for the name of the object that is shown */
	const struct pp_counter *c;
	char name[64];
};

/* Kernel counters have their key from ethtool; pools are named already. */
static void metric_begin(struct metric *m)
{
	const char *key = m->c->name;

	key += strncmp(key, "rx_pp_", 6) ? 0 : 6;
	snprintf(m->name, sizeof(m->name), "pagepool_%s_%s%s", m->group, key,
		 m->c->kind == PP_SUM ? "_total" : "");
	put_head(m->out, m->name, m->c->kind == PP_SUM, m->c->help);
}

/* The counter is in @from, which belongs to @o; @cache: one of its caches, or NULL. */
static void put_value(const struct metric *m, struct json_object *o, struct json_object *cache,
		      struct json_object *from)
{
	if (!json_object_object_get(from, m->c->name))
		return; /* the program has an older library, or the zone is not traced */
	fprintf(m->out, "%s{", m->name);
	put_label(m->out, m->label, get_text(o, "name"));
	fprintf(m->out, "id=\"%" PRIu64 "\"", get_count(o, "id"));
	if (cache)
		fprintf(m->out, ",core=\"%" PRIu64 "\"", get_count(cache, "core"));
	fprintf(m->out, "} %" PRIu64 "\n", get_count(from, m->c->name));
}

/* All counters of a table, each for all objects of an array. */
static void put_array(struct metric m, const struct pp_counter *table, struct json_object *root,
		      const char *array)
{
	size_t i;

	for (m.c = table; m.c->name; m.c++) {
		metric_begin(&m);
		for (i = 0; i < array_size(root, array); i++)
			put_value(&m, array_at(root, array, i), NULL, array_at(root, array, i));
	}
}

static void put_caches(struct metric m, struct json_object *root)
{
	struct json_object *zone, *cache;
	size_t i, k;

	for (m.c = cache_counters; m.c->name; m.c++) {
		metric_begin(&m);
		for (i = 0; i < array_size(root, "zones"); i++) {
			zone = array_at(root, "zones", i);
			for (k = 0; k < array_size(zone, "caches"); k++) {
				cache = array_at(zone, "caches", k);
				put_value(&m, zone, cache, cache);
			}
		}
	}
}

static void put_windows(struct metric m, struct json_object *root)
{
	struct json_object *zone;
	size_t i;

	for (m.c = window_counters; m.c->name; m.c++) {
		metric_begin(&m);
		for (i = 0; i < array_size(root, "zones"); i++) {
			zone = array_at(root, "zones", i);
			put_value(&m, zone, NULL, get_object(zone, "windows"));
		}
	}
}

static void put_ended_ages(FILE *out, struct json_object *root)
{
	static const char name[] = "pagepool_ended_pool_age_seconds";
	uint64_t now = get_count(root, "time_ns"), ended;
	struct json_object *pool;
	size_t i;

	put_head(out, name, false, "seconds since a pool with pages out was destroyed");
	for (i = 0; i < array_size(root, "ended"); i++) {
		pool = array_at(root, "ended", i);
		ended = get_count(pool, "detach_time_ns");
		fprintf(out, "%s{", name);
		put_label(out, "pool", get_text(pool, "name"));
		fprintf(out, "id=\"%" PRIu64 "\"} %" PRIu64 "\n", get_count(pool, "id"),
			now > ended ? (now - ended) / 1000000000 : 0);
	}
}

static void put_faults(FILE *out, struct json_object *root)
{
	static const char name[] = "pagepool_faults_injected_total";
	struct json_object *fault;
	size_t i;

	put_head(out, name, true, "allocations that failed on purpose");
	for (i = 0; i < array_size(root, "faults"); i++) {
		fault = array_at(root, "faults", i);
		fprintf(out, "%s{", name);
		put_label(out, "at", get_text(fault, "at"));
		fprintf(out, "} %" PRIu64 "\n", get_count(fault, "injected"));
	}
}

void show_prometheus(const struct sample *sample, FILE *out)
{
	struct metric m = { .out = out, .group = "zone", .label = "zone" };
	struct json_object *root = sample->root;

	put_head(out, "pagepool_info", false, "the program that is asked");
	fputs("pagepool_info{", out);
	put_label(out, "library", get_text(root, "library"));
	fprintf(out, "pid=\"%" PRIu64 "\"} 1\n", get_count(root, "pid"));
	put_array(m, zone_counters, root, "zones");
	put_array(m, state_counters, root, "zones");
	m.group = "cache";
	put_caches(m, root);
	m.group = "window";
	put_windows(m, root);
	m.group = m.label = "pool";
	put_array(m, pool_counters, root, "pools");
	m.group = "ended_pool";
	put_array(m, ended_counters, root, "ended");
	put_ended_ages(out, root);
	put_faults(out, root);
}
