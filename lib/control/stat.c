/* SPDX-License-Identifier: BSD-3-Clause */
/* control/stat.c - all zones, caches and pools of the process as JSON */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/verbs.h"
#include "pool/page_pool.h"
#include "zone/zone.h"

static const char *const mem_names[] = { "anon", "hugetlb", "memfd", "user" };

static const struct pp_counter zone_counters[] = PP_ZONE_COUNTER_TABLE;
static const struct pp_counter window_counters[] = PP_WINDOW_COUNTER_TABLE;
static const struct pp_counter pool_counters[] = PP_POOL_COUNTER_TABLE;

static void add_counters(struct json_writer *json, const void *stats, const struct pp_counter *c)
{
	for (; c->name; c++)
		jw_count(json, c->name, pp_counter_value(c, stats));
}

/* ---- zones ----------------------------------------------------------------------------------- */

/* Of a thread's number that never came there is nothing to tell, nor of a core that is idle. */
static bool is_used(const struct pp_zone *zone, const struct pcp *pcp, unsigned int i)
{
	return READ_ONCE(pcp->allocs) || READ_ONCE(pcp->frees) || READ_ONCE(pcp->refills) ||
	       pp_zone_cached(zone, i);
}

static void add_caches(struct json_writer *json, const struct pp_zone *zone)
{
	const struct pcp *pcp;
	unsigned int i;

	jw_begin(json, "caches", '[');
	for (i = 0; i < zone->stock->cores; i++) {
		pcp = stock_pcp(zone->stock, i);
		if (!is_used(zone, pcp, i))
			continue;
		jw_begin(json, NULL, '{');
		jw_count(json, "core", i);
		jw_count(json, "cached", pp_zone_cached(zone, i));
		jw_count(json, "high", READ_ONCE(pcp->high));
		jw_count(json, "high_max", READ_ONCE(pcp->high_max));
		jw_count(json, "batch", READ_ONCE(pcp->batch));
		jw_count(json, "allocs", READ_ONCE(pcp->allocs));
		jw_count(json, "frees", READ_ONCE(pcp->frees));
		jw_count(json, "refills", READ_ONCE(pcp->refills));
		jw_count(json, "flushes", READ_ONCE(pcp->flushes));
		jw_end(json, '}');
	}
	jw_end(json, ']');
}

static void add_windows(struct json_writer *json, struct pp_zone *zone)
{
	struct pp_window_stats w = { .sz = sizeof(w) };

	if (!zone->stock->traced || pp_zone_windows(zone, &w))
		return;
	jw_begin(json, "windows", '{');
	add_counters(json, &w, window_counters);
	jw_end(json, '}');
}

/* lease_ms: a request disabled them for a time; the program's own disabling has none. */
static void add_disabled(struct json_writer *json, struct control_state *state,
			 const struct pp_zone *zone)
{
	const struct control_disabled *d = control_find_disabled(state, zone->id);
	uint64_t now = now_ns();

	jw_count(json, "disabled", READ_ONCE(zone->stock->disabled));
	if (d && d->until_ns != UINT64_MAX)
		jw_count(json, "lease_ms", (d->until_ns - min(now, d->until_ns)) / 1000000);
}

static void add_zone(struct json_writer *json, struct control_state *state, struct pp_zone *zone)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	pp_zone_get_stats(zone, &s);
	jw_begin(json, NULL, '{');
	jw_count(json, "id", zone->id);
	jw_text(json, "name", zone->stock->name);
	jw_text(json, "policy", stock_policy(zone->stock)->name);
	jw_text(json, "memory", mem_names[zone->region.mem]);
	jw_text(json, "caches_of", zone->stock->per_thread ? "threads" : "cores");
	add_disabled(json, state, zone);
	add_counters(json, &s, zone_counters);
	add_caches(json, zone);
	add_windows(json, zone);
	jw_end(json, '}');
}

/* ---- pools ----------------------------------------------------------------------------------- */

static void add_pool(struct json_writer *json, struct page_pool *pool)
{
	struct page_pool_stats s = { .sz = sizeof(s) };

	page_pool_get_stats(pool, &s);
	jw_begin(json, NULL, '{');
	jw_count(json, "id", pool->id);
	jw_text(json, "name", page_pool_name(pool));
	if (page_pool_zone(pool)) /* a provider's has none */
		jw_count(json, "zone", page_pool_zone(pool)->id);
	jw_number(json, "nid", page_pool_nid(pool));
	add_counters(json, &s, pool_counters);
	jw_end(json, '}');
}

/* ---- ended pools ----------------------------------------------------------------------------- */

static void count_threads(void *arg, const struct page_pool *pool)
{
	pool_threads(arg, pool);
}

static void add_threads(struct json_writer *json, const struct pool_threads *threads)
{
	unsigned int i;

	jw_begin(json, "threads", '[');
	for (i = 0; i < threads->n; i++) {
		jw_begin(json, NULL, '{');
		control_add_thread(json, threads->of[i].thread);
		jw_count(json, "pages", threads->of[i].pages);
		jw_count(json, "oldest_ns", threads->of[i].oldest_ns);
		jw_end(json, '}');
	}
	jw_end(json, ']');
	if (threads->others)
		jw_count(json, "others", threads->others);
	jw_count(json, "in_drivers", threads->in_drivers);
}

static void add_ended_pool(struct json_writer *json, const struct pool_ended *pool, bool threads)
{
	struct pool_threads held;

	jw_begin(json, NULL, '{');
	jw_count(json, "id", pool->id);
	jw_text(json, "name", pool->name);
	if (pool->zone)
		jw_count(json, "zone", pool->zone);
	jw_count(json, "detach_time_ns", pool->ended_ns);
	jw_count(json, "inflight", pool->inflight);
	if (pool->page_size)
		jw_count(json, "inflight_mem", pool->inflight * pool->page_size);
	jw_bool(json, "tracked", pool->tracked);
	if (threads && pool->tracked && pool_ended_look(pool->id, count_threads, &held))
		add_threads(json, &held);
	jw_end(json, '}');
}

/* Threads are told of for as long as the look at the zones' page tables takes no longer. */
static void add_ended(struct json_writer *json)
{
	unsigned int n = pools_ended(NULL, 0) + 16, there, i;
	uint64_t end_ns = now_ns() + (uint64_t)CONTROL_HOLD_US * 1000;
	struct pool_ended *pools = calloc(n, sizeof(*pools));

	there = pools ? min(pools_ended(pools, n), n) : 0;
	jw_begin(json, "ended", '[');
	for (i = 0; i < there; i++)
		add_ended_pool(json, &pools[i], now_ns() < end_ns);
	jw_end(json, ']');
	free(pools);
}

/* ---- the process ----------------------------------------------------------------------------- */

static void add_command(struct json_writer *json)
{
	char text[256];
	ssize_t n = -1, i;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	n = max(n, (ssize_t)0);
	while (n && !text[n - 1])
		n--;
	for (i = 0; i < n; i++)
		text[i] = text[i] ? text[i] : ' ';
	text[n] = '\0';
	jw_text(json, "command", text);
}

void control_stat(struct control_state *state, struct json_writer *json)
{
	struct page_pool *pool = NULL;
	struct pp_zone *zone = NULL;

	control_begin(json, "stat");
	jw_text(json, "library", PP_VERSION);
	jw_count(json, "pid", (uint64_t)getpid());
	add_command(json);
	jw_count(json, "time_ns", now_ns());
	jw_count(json, "tsc_hz", pp_cycles_hz());
	jw_count(json, "requests", state->requests);
	jw_count(json, "errors", state->errors);
	control_add_faults(json, false);
	jw_begin(json, "zones", '[');
	while ((zone = zone_next(zone)))
		add_zone(json, state, zone);
	jw_end(json, ']');
	jw_begin(json, "pools", '[');
	while ((pool = pool_next(pool)))
		add_pool(json, pool);
	jw_end(json, ']');
	add_ended(json);
	control_end(json);
}
