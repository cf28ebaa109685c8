/* SPDX-License-Identifier: BSD-3-Clause */
/* view.c - a sample for the eye: totals, or rates since the one before */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include <pagepool/stats.h>

#include "common/error.h"
#include "line.h"

#define BAR 10u

static void put_number(const struct view *v, double value, int width)
{
	char buf[16];

	fprintf(v->out, " %*s", width, short_number(value, buf));
}

/* the increase since the sample before, a second; the total if there is none */
static double counter_rate(const struct view *v, struct json_object *now,
			   struct json_object *before, const char *key)
{
	uint64_t new = get_count(now, key), old = get_count(before, key);

	if (v->seconds <= 0)
		return (double)new;
	if (!before || new < old)
		return 0; /* it began meanwhile, or another one has its place */
	return (double)(new - old) / v->seconds;
}

/* The one in the sample before with the same id and name. */
static struct json_object *find_before(const struct view *v, const char *array,
				       struct json_object *now)
{
	struct json_object *o;
	size_t i;

	for (i = 0; v->before && i < array_size(v->before, array); i++) {
		o = array_at(v->before, array, i);
		if (get_count(o, "id") == get_count(now, "id") &&
		    !strcmp(get_text(o, "name"), get_text(now, "name")))
			return o;
	}
	return NULL;
}

/* Of all objects of an array, or of the one that is @only: by kind one value. */
static double all_of(const struct view *v, const struct pp_counter *c, const char *array,
		     struct json_object *only)
{
	struct json_object *now;
	double value, sum = 0;
	size_t i;

	for (i = 0; i < array_size(v->root, array); i++) {
		now = array_at(v->root, array, i);
		if (only && now != only)
			continue;
		value = c->kind == PP_SUM
				? counter_rate(v, now, find_before(v, array, now), c->name)
				: (double)get_count(now, c->name);
		sum = c->kind == PP_MAX ? fmax(sum, value) : sum + value;
	}
	return sum;
}

/* One line: the counters of a table that are not 0, and not among the words of @shown. */
static void put_others(const struct view *v, const struct pp_counter *c, const char *shown,
		       const char *array, struct json_object *only)
{
	char text[1024] = "", word[64], number[16];
	size_t len = 0;
	double value;

	for (; c->name && len < sizeof(text); c++) {
		snprintf(word, sizeof(word), " %s ", c->name);
		value = all_of(v, c, array, only);
		if (!strstr(shown, word) && value > 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s%s",
						len ? ", " : "  also: ", c->name,
						short_number(value, number),
						c->kind == PP_SUM && v->seconds > 0 ? "/s" : "");
	}
	if (len)
		put_line(v, text);
}

/* ---- zones ----------------------------------------------------------------------------------- */

static void put_zone_head(const struct view *v, struct json_object *zone)
{
	char text[512], lease[64] = "";

	if (get_count(zone, "disabled"))
		snprintf(lease, sizeof(lease), ", DISABLED");
	if (json_object_object_get(zone, "lease_ms"))
		snprintf(lease, sizeof(lease), ", DISABLED for %.1f s",
			 (double)get_count(zone, "lease_ms") / 1e3);
	fputc('\n', v->out);
	snprintf(text, sizeof(text),
		 "zone %" PRIu64 " %s: %s%s, %" PRIu64 " pages of %" PRIu64
		 " bytes, %s, node %" PRIu64 ", batch %" PRIu64,
		 get_count(zone, "id"), get_text(zone, "name"), get_text(zone, "policy"), lease,
		 get_count(zone, "managed"), get_count(zone, "page_size"), get_text(zone, "memory"),
		 get_count(zone, "node"), get_count(zone, "batch"));
	put_line(v, text);
}

static void put_places(const struct view *v, struct json_object *zone)
{
	double managed = (double)get_count(zone, "managed");
	char text[256];

	snprintf(text, sizeof(text),
		 "  %" PRIu64 " free (%.0f %%), %" PRIu64 " cached, %" PRIu64 " in flight, %" PRIu64
		 " isolated, %" PRIu64 " unaccepted",
		 get_count(zone, "free"),
		 managed > 0 ? 100 * (double)get_count(zone, "free") / managed : 0,
		 get_count(zone, "cached"), get_count(zone, "in_flight"),
		 get_count(zone, "isolated"), get_count(zone, "unaccepted"));
	put_line(v, text);
}

static void put_zone_rates(const struct view *v, struct json_object *zone,
			   struct json_object *before)
{
	static const char *const keys[] = {
		"allocs",    "frees",  "refills",	"flushes",
		"fallbacks", "drains", "drained_pages", "alloc_failures"
	};
	unsigned int i;

	fputs(v->seconds > 0 ? "  allocs/s  frees/s refill/s  flush/s fallbk/s drains/s drained/s "
			       "failed/s\n"
			     : "    allocs    frees  refills  flushes fallback   drains  drained  "
			       "failures\n",
	      v->out);
	fputc(' ', v->out);
	for (i = 0; i < 8; i++)
		put_number(v, counter_rate(v, zone, before, keys[i]), i < 6 ? 8 : 9);
	fputc('\n', v->out);
}

static struct json_object *find_cache(struct json_object *zone, uint64_t core)
{
	size_t i;

	for (i = 0; i < array_size(zone, "caches"); i++)
		if (get_count(array_at(zone, "caches", i), "core") == core)
			return array_at(zone, "caches", i);
	return NULL;
}

static void put_cache(const struct view *v, struct json_object *cache, struct json_object *before)
{
	static const char *const keys[] = { "allocs", "frees", "refills", "flushes" };
	uint64_t high = get_count(cache, "high"), cached = get_count(cache, "cached");
	uint64_t full = high ? (cached * BAR + high / 2) / high : cached ? BAR : 0;
	unsigned int i;

	fprintf(v->out, "  %4" PRIu64 " [", get_count(cache, "core"));
	for (i = 0; i < BAR; i++)
		fputc(i < full ? '#' : ' ', v->out);
	fputc(']', v->out);
	put_number(v, (double)cached, 6);
	put_number(v, (double)high, 6);
	for (i = 0; i < 4; i++)
		put_number(v, counter_rate(v, cache, before, keys[i]), 8);
	fputc('\n', v->out);
}

static void put_windows(const struct view *v, struct json_object *w)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "  %" PRIu64 " windows: median %" PRIu64 ", p99 %" PRIu64 ", p99.9 %" PRIu64
		 ", max %" PRIu64 " cycles, %" PRIu64 " pages",
		 get_count(w, "windows"), get_count(w, "median_cycles"), get_count(w, "p99_cycles"),
		 get_count(w, "p999_cycles"), get_count(w, "max_cycles"),
		 get_count(w, "max_pages"));
	put_line(v, text);
}

static void put_zone(const struct view *v, struct json_object *zone)
{
	static const struct pp_counter counters[] = PP_ZONE_COUNTER_TABLE;
	static const char shown[] = " node page_size managed free cached in_flight isolated "
				    "unaccepted batch high allocs frees refills flushes fallbacks "
				    "drains drained_pages alloc_failures ";
	struct json_object *before = find_before(v, "zones", zone), *cache;
	size_t i, n = array_size(zone, "caches");

	put_zone_head(v, zone);
	put_places(v, zone);
	put_zone_rates(v, zone, before);
	put_others(v, counters, shown, "zones", zone);
	if (n)
		fprintf(v->out, "  %4s %12s %6s %6s %8s %8s %8s %8s\n",
			strcmp(get_text(zone, "caches_of"), "threads") ? "core" : "slot", "",
			"cached", "high", v->seconds > 0 ? "allocs/s" : "allocs",
			v->seconds > 0 ? "frees/s" : "frees",
			v->seconds > 0 ? "refill/s" : "refills",
			v->seconds > 0 ? "flush/s" : "flushes");
	for (i = 0; i < n; i++) {
		cache = array_at(zone, "caches", i);
		put_cache(v, cache, find_cache(before, get_count(cache, "core")));
	}
	if (get_object(zone, "windows"))
		put_windows(v, get_object(zone, "windows"));
}

/* ---- pools ----------------------------------------------------------------------------------- */

/* Pages out of the pool, and the share of them that was in its cache, in percent. */
static double pool_allocs(const struct view *v, struct json_object *pool,
			  struct json_object *before, double *hits)
{
	double fast = counter_rate(v, pool, before, "rx_pp_alloc_fast");
	double all = fast + counter_rate(v, pool, before, "rx_pp_alloc_slow") +
		     counter_rate(v, pool, before, "rx_pp_alloc_slow_ho") +
		     counter_rate(v, pool, before, "rx_pp_alloc_refill") +
		     counter_rate(v, pool, before, "alloc_reserve");

	*hits = all > 0 ? 100 * fast / all : 0;
	return all;
}

static void put_pool(const struct view *v, struct json_object *pool)
{
	struct json_object *before = find_before(v, "pools", pool);
	char name[64];
	double hits, all = pool_allocs(v, pool, before, &hits);

	fprintf(v->out, "  %s %4" PRIu64,
		printable_field(get_text(pool, "name"), name, sizeof(name), 14),
		get_count(pool, "zone"));
	put_number(v, (double)get_count(pool, "cache"), 6);
	put_number(v, (double)get_count(pool, "ring"), 6);
	put_number(v, (double)get_count(pool, "outstanding"), 6);
	put_number(v, all, 7);
	fprintf(v->out, " %6.2f", hits);
	put_number(v, counter_rate(v, pool, before, "rx_pp_recycle_cached"), 7);
	put_number(v, counter_rate(v, pool, before, "rx_pp_recycle_ring"), 7);
	put_number(v, counter_rate(v, pool, before, "alloc_failures"), 6);
	fputc('\n', v->out);
}

static void put_pools(const struct view *v)
{
	static const struct pp_counter counters[] = PP_POOL_COUNTER_TABLE;
	static const char shown[] =
		" rx_pp_alloc_fast rx_pp_alloc_slow rx_pp_alloc_slow_ho rx_pp_alloc_refill "
		"alloc_reserve rx_pp_recycle_cached rx_pp_recycle_ring alloc_failures cache ring "
		"outstanding ";
	size_t i, n = array_size(v->root, "pools");
	bool rates = v->seconds > 0;

	if (!n)
		return;
	fprintf(v->out, "\n  %-14s %4s %6s %6s %6s %7s %6s %7s %7s %6s\n", "pool", "zone", "cache",
		"ring", "users", rates ? "alloc/s" : "allocs", "fast %",
		rates ? "cache/s" : "tocache", rates ? "ring/s" : "toring",
		rates ? "fail/s" : "fails");
	for (i = 0; i < n; i++)
		put_pool(v, array_at(v->root, "pools", i));
	put_others(v, counters, shown, "pools", NULL);
}

/* ---- pools that were destroyed while pages were out ------------------------------------------ */

static void put_threads(struct json_object *pool, char *text, size_t size)
{
	struct json_object *thread;
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; i < array_size(pool, "threads") && len < size; i++) {
		thread = array_at(pool, "threads", i);
		len += (size_t)snprintf(text + len, size - len, "%s%" PRIu64 " by ", i ? ", " : "",
					get_count(thread, "pages"));
		if (len >= size)
			return;
		if (!get_count(thread, "thread"))
			len += (size_t)snprintf(text + len, size - len, "unknown");
		else
			len += (size_t)snprintf(text + len, size - len, "%" PRIu64 " %s",
						get_count(thread, "thread"),
						get_text(thread, "thread_name"));
	}
	if (get_count(pool, "others") && len < size)
		len += (size_t)snprintf(text + len, size - len, ", %" PRIu64 " by others",
					get_count(pool, "others"));
	if (get_count(pool, "in_drivers") && len < size)
		snprintf(text + len, size - len, "; %" PRIu64 " of them in drivers",
			 get_count(pool, "in_drivers"));
}

static void put_ended(const struct view *v, struct json_object *pool)
{
	double age =
		(double)get_count(v->root, "time_ns") - (double)get_count(pool, "detach_time_ns");
	char name[64], threads[512], pages[16], text[640];

	put_threads(pool, threads, sizeof(threads));
	snprintf(text, sizeof(text), "  %s %4" PRIu64 " %6s %9.1f  %s",
		 printable_field(get_text(pool, "name"), name, sizeof(name), 14),
		 get_count(pool, "zone"), short_number((double)get_count(pool, "inflight"), pages),
		 age > 0 ? age / 1e9 : 0.0, threads);
	put_line(v, text);
}

static void put_ended_pools(const struct view *v)
{
	size_t i, n = array_size(v->root, "ended");

	if (n)
		fprintf(v->out, "\n  %-14s %4s %6s %9s  %s\n", "ended pool", "zone", "pages",
			"seconds", "held");
	for (i = 0; i < n; i++)
		put_ended(v, array_at(v->root, "ended", i));
}

/* ---- a sample -------------------------------------------------------------------------------- */

static void put_head(const struct view *v, const char *user)
{
	char text[512], clock[16] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "ppstat %s  %s  pid %" PRIu64 "%s  %s", PP_VERSION, clock,
		 get_count(v->root, "pid"), user, get_text(v->root, "command"));
	put_line(v, text);
}

/* Failures on purpose must not be taken for others. */
static void put_faults(const struct view *v)
{
	struct json_object *fault;
	char text[256];
	size_t i;

	for (i = 0; i < array_size(v->root, "faults"); i++) {
		fault = array_at(v->root, "faults", i);
		snprintf(text, sizeof(text),
			 "FAULTS at %s: every %" PRIu64 ", after %" PRIu64 ": %" PRIu64
			 " of %" PRIu64 " calls failed on purpose",
			 get_text(fault, "at"), get_count(fault, "every"),
			 get_count(fault, "after"), get_count(fault, "injected"),
			 get_count(fault, "calls"));
		put_line(v, text);
	}
}

void show_sample(const struct sample *sample, const struct sample *before, unsigned int columns,
		 const char *user, FILE *out)
{
	struct view v = { .out = out, .columns = columns, .root = sample->root };
	size_t i;

	if (before) {
		v.before = before->root;
		v.seconds = ((double)get_count(v.root, "time_ns") -
			     (double)get_count(v.before, "time_ns")) /
			    1e9;
	}
	put_head(&v, user);
	put_faults(&v);
	for (i = 0; i < array_size(v.root, "zones"); i++)
		put_zone(&v, array_at(v.root, "zones", i));
	put_pools(&v);
	put_ended_pools(&v);
}
