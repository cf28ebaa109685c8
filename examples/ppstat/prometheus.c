/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prometheus.c - a sample in Prometheus's text format: all of a metric together
 */
#include <inttypes.h>
#include <string.h>

#include "sample.h"

/* @label: NAME="VALUE" beside the others; NULL: none */
struct metric {
	const char *name;
	const char *type;
	const char *help;
	struct {
		const char *key;
		const char *label;
	} values[12];
};

static const struct metric zone_metrics[] = {
	{ "pagepool_zone_pages",
	  "gauge",
	  "Pages of a zone by where they are.",
	  { { "free", "place=\"free\"" },
	    { "cached", "place=\"cached\"" },
	    { "in_flight", "place=\"in_flight\"" },
	    { "isolated", "place=\"isolated\"" },
	    { "unaccepted", "place=\"unaccepted\"" } } },
	{ "pagepool_zone_page_bytes", "gauge", "Bytes of a page.", { { "page_size", NULL } } },
	{ "pagepool_zone_disabled",
	  "gauge",
	  "How often its caches are disabled.",
	  { { "disabled", NULL } } },
	{ "pagepool_zone_pages_total",
	  "counter",
	  "Pages taken from and given to a zone.",
	  { { "allocs", "way=\"taken\"" }, { "frees", "way=\"given\"" } } },
	{ "pagepool_zone_alloc_failures_total",
	  "counter",
	  "Allocations that got fewer pages than asked for.",
	  { { "alloc_failures", NULL } } },
	{ "pagepool_zone_events_total",
	  "counter",
	  "What caches and free area did.",
	  { { "refills", "event=\"refill\"" },
	    { "flushes", "event=\"flush\"" },
	    { "fallbacks", "event=\"fallback\"" },
	    { "drains", "event=\"drain\"" },
	    { "drain_timeouts", "event=\"drain_timeout\"" },
	    { "high_raises", "event=\"high_raise\"" },
	    { "high_decays", "event=\"high_decay\"" },
	    { "accepts", "event=\"accept\"" },
	    { "accept_failures", "event=\"accept_failure\"" },
	    { "releases", "event=\"release\"" } } },
	{ "pagepool_zone_drained_pages_total",
	  "counter",
	  "Pages moved by drains.",
	  { { "drained_pages", NULL } } },
};

static const struct metric cache_metrics[] = {
	{ "pagepool_cache_pages", "gauge", "Pages in a core's cache.", { { "cached", NULL } } },
	{ "pagepool_cache_high_pages",
	  "gauge",
	  "Most pages that it may hold.",
	  { { "high", NULL } } },
	{ "pagepool_cache_pages_total",
	  "counter",
	  "Pages taken from and given to it.",
	  { { "allocs", "way=\"taken\"" }, { "frees", "way=\"given\"" } } },
	{ "pagepool_cache_events_total",
	  "counter",
	  "Refills from and flushes to the zone.",
	  { { "refills", "event=\"refill\"" }, { "flushes", "event=\"flush\"" } } },
};

static const struct metric window_metrics[] = {
	{ "pagepool_window_cycles",
	  "gauge",
	  "How long a core's cache was closed to others.",
	  { { "median_cycles", "quantile=\"0.5\"" },
	    { "p99_cycles", "quantile=\"0.99\"" },
	    { "p999_cycles", "quantile=\"0.999\"" },
	    { "max_cycles", "quantile=\"1\"" } } },
	{ "pagepool_windows_total", "counter", "Times that it was.", { { "windows", NULL } } },
};

static const struct metric pool_metrics[] = {
	{ "pagepool_pool_pages",
	  "gauge",
	  "Pages of a pool by where they are.",
	  { { "cache", "place=\"cache\"" },
	    { "ring", "place=\"ring\"" },
	    { "reserve", "place=\"reserve\"" },
	    { "outstanding", "place=\"outstanding\"" } } },
	{ "pagepool_pool_inflight_max_pages",
	  "gauge",
	  "Most pages that it had from its zone at once.",
	  { { "inflight_max", NULL } } },
	{ "pagepool_pool_ring_max_pages",
	  "gauge",
	  "Most pages in its ring at once.",
	  { { "ring_max", NULL } } },
	{ "pagepool_pool_trims_total",
	  "counter",
	  "Times that it was trimmed.",
	  { { "trims", NULL } } },
	{ "pagepool_pool_trimmed_pages_total",
	  "counter",
	  "Pages that were taken from it so.",
	  { { "trimmed", NULL } } },
	{ "pagepool_pool_double_puts_total",
	  "counter",
	  "Pages given back that were at home already.",
	  { { "double_puts", NULL } } },
	{ "pagepool_pool_alloc_total",
	  "counter",
	  "Allocations by where they found pages.",
	  { { "rx_pp_alloc_fast", "from=\"fast\"" },
	    { "rx_pp_alloc_slow", "from=\"slow\"" },
	    { "rx_pp_alloc_slow_ho", "from=\"slow_ho\"" },
	    { "rx_pp_alloc_empty", "from=\"empty\"" },
	    { "rx_pp_alloc_refill", "from=\"refill\"" },
	    { "alloc_reserve", "from=\"reserve\"" },
	    { "rx_pp_alloc_waive", "from=\"waive\"" } } },
	{ "pagepool_pool_recycle_total",
	  "counter",
	  "Pages returned by where they went.",
	  { { "rx_pp_recycle_cached", "to=\"cached\"" },
	    { "rx_pp_recycle_cache_full", "to=\"cache_full\"" },
	    { "rx_pp_recycle_ring", "to=\"ring\"" },
	    { "rx_pp_recycle_ring_full", "to=\"ring_full\"" },
	    { "rx_pp_recycle_released_ref", "to=\"released_ref\"" } } },
	{ "pagepool_pool_alloc_failures_total",
	  "counter",
	  "Allocations that got fewer pages than asked for.",
	  { { "alloc_failures", NULL } } },
	{ "pagepool_pool_wrong_owner_total",
	  "counter",
	  "Direct recycling by a thread that is not the owner.",
	  { { "wrong_owner", NULL } } },
};

static const struct metric ended_pages = {
	"pagepool_ended_pool_pages",
	"gauge",
	"Pages that are still out of a pool that was destroyed.",
	{ { "inflight", NULL } },
};

static const struct metric ended_age = {
	"pagepool_ended_pool_age_seconds",
	"gauge",
	"Seconds since a pool with pages out was destroyed.",
	{ { "detach_time_ns", NULL } },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

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

/* @kind: what o's name and id are labels of; @cache: one of its caches, or NULL */
static void put_values(FILE *out, const struct metric *m, const char *kind, struct json_object *o,
		       struct json_object *cache, struct json_object *from)
{
	unsigned int i;

	for (i = 0; i < NR(m->values) && m->values[i].key; i++) {
		if (!json_object_object_get(from, m->values[i].key))
			continue; /* of an older library */
		fprintf(out, "%s{", m->name);
		put_label(out, kind, get_text(o, "name"));
		fprintf(out, "id=\"%" PRIu64 "\"", get_count(o, "id"));
		if (cache)
			fprintf(out, ",core=\"%" PRIu64 "\"", get_count(cache, "core"));
		if (m->values[i].label)
			fprintf(out, ",%s", m->values[i].label);
		fprintf(out, "} %" PRIu64 "\n", get_count(from, m->values[i].key));
	}
}

static void put_head(FILE *out, const struct metric *m)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
}

static void put_zones(FILE *out, struct json_object *root, const struct metric *m, size_t n)
{
	size_t i;

	for (; n; n--, m++) {
		put_head(out, m);
		for (i = 0; i < array_size(root, "zones"); i++)
			put_values(out, m, "zone", array_at(root, "zones", i), NULL,
				   array_at(root, "zones", i));
	}
}

static void put_caches(FILE *out, struct json_object *root)
{
	struct json_object *zone, *cache;
	size_t i, k, n;

	for (n = 0; n < NR(cache_metrics); n++) {
		put_head(out, &cache_metrics[n]);
		for (i = 0; i < array_size(root, "zones"); i++) {
			zone = array_at(root, "zones", i);
			for (k = 0; k < array_size(zone, "caches"); k++) {
				cache = array_at(zone, "caches", k);
				put_values(out, &cache_metrics[n], "zone", zone, cache, cache);
			}
		}
	}
}

static void put_windows(FILE *out, struct json_object *root)
{
	struct json_object *zone;
	size_t i, n;

	for (n = 0; n < NR(window_metrics); n++) {
		put_head(out, &window_metrics[n]);
		for (i = 0; i < array_size(root, "zones"); i++) {
			zone = array_at(root, "zones", i);
			if (get_object(zone, "windows"))
				put_values(out, &window_metrics[n], "zone", zone, NULL,
					   get_object(zone, "windows"));
		}
	}
}

static void put_pools(FILE *out, struct json_object *root)
{
	size_t i, n;

	for (n = 0; n < NR(pool_metrics); n++) {
		put_head(out, &pool_metrics[n]);
		for (i = 0; i < array_size(root, "pools"); i++)
			put_values(out, &pool_metrics[n], "pool", array_at(root, "pools", i), NULL,
				   array_at(root, "pools", i));
	}
}

static void put_ended(FILE *out, struct json_object *root)
{
	uint64_t now = get_count(root, "time_ns"), ended;
	struct json_object *pool;
	size_t i;

	put_head(out, &ended_pages);
	for (i = 0; i < array_size(root, "ended"); i++) {
		pool = array_at(root, "ended", i);
		put_values(out, &ended_pages, "pool", pool, NULL, pool);
	}
	put_head(out, &ended_age);
	for (i = 0; i < array_size(root, "ended"); i++) {
		pool = array_at(root, "ended", i);
		ended = get_count(pool, "detach_time_ns");
		fprintf(out, "%s{", ended_age.name);
		put_label(out, "pool", get_text(pool, "name"));
		fprintf(out, "id=\"%" PRIu64 "\"} %" PRIu64 "\n", get_count(pool, "id"),
			now > ended ? (now - ended) / 1000000000 : 0);
	}
}

static void put_faults(FILE *out, struct json_object *root)
{
	static const struct metric injected = {
		"pagepool_faults_injected_total",
		"counter",
		"Allocations that failed on purpose.",
		{ { NULL, NULL } },
	};
	struct json_object *fault;
	size_t i;

	put_head(out, &injected);
	for (i = 0; i < array_size(root, "faults"); i++) {
		fault = array_at(root, "faults", i);
		fprintf(out, "%s{", injected.name);
		put_label(out, "at", get_text(fault, "at"));
		fprintf(out, "} %" PRIu64 "\n", get_count(fault, "injected"));
	}
}

void show_prometheus(const struct sample *sample, FILE *out)
{
	struct json_object *root = sample->root;

	fputs("# HELP pagepool_info Who is asked.\n# TYPE pagepool_info gauge\npagepool_info{",
	      out);
	put_label(out, "library", get_text(root, "library"));
	fprintf(out, "pid=\"%" PRIu64 "\"} 1\n", get_count(root, "pid"));
	put_zones(out, root, zone_metrics, NR(zone_metrics));
	put_caches(out, root);
	put_windows(out, root);
	put_pools(out, root);
	put_ended(out, root);
	put_faults(out, root);
}
