/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/telemetry.c - /pagepool/... for dpdk-telemetry.py
 *
 * Commands run on EAL's own thread, beside the traffic.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_telemetry.h>

#include "dpdk_mempool/known.h"

#define DRAIN_US 100000u

/* rte_tel_data_add_dict_uint(), or its name before 23.03, _u64(), which 25.11 has no more. */
static int (*add_number)(struct rte_tel_data *d, const char *name, uint64_t value);

/* ---- lists ----------------------------------------------------------------------------------- */

static void add_name(struct rte_mempool *mp, void *arg)
{
	if (mempool_is_ours(mp))
		rte_tel_data_add_array_string(arg, mp->name);
}

static int cmd_list(const char *cmd, const char *params, struct rte_tel_data *d)
{
	(void)cmd;
	(void)params;
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	rte_mempool_walk(add_name, d);
	return 0;
}

/* The pool that @params names up to a comma, and the text behind the comma. */
static struct mempool *find_pool(const char *params, struct rte_mempool **mp, const char **rest)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	size_t len = params ? strcspn(params, ",") : 0;

	if (!len || len >= sizeof(name))
		return NULL;
	memcpy(name, params, len);
	name[len] = '\0';
	*rest = params[len] ? params + len + 1 : "";
	*mp = rte_mempool_lookup(name);
	return *mp && mempool_is_ours(*mp) ? mempool_of(*mp) : NULL;
}

static void add_caches(struct rte_tel_data *d, const struct pp_depot *depot)
{
	struct rte_tel_data *cores = rte_tel_data_alloc();
	unsigned int i;
	char key[16];

	if (!cores)
		return;
	rte_tel_data_start_dict(cores);
	for (i = 0; i < pp_depot_cores(depot); i++) {
		if (!pp_depot_cached(depot, i))
			continue;
		snprintf(key, sizeof(key), "%u", i);
		add_number(cores, key, pp_depot_cached(depot, i));
	}
	rte_tel_data_add_dict_container(d, "cached_by_core", cores, 0);
}

static void add_ledger(struct rte_tel_data *d, const struct ledger *ledger)
{
	uint64_t double_free, foreign;

	ledger_counts(ledger, &double_free, &foreign);
	add_number(d, "double_free", double_free);
	add_number(d, "foreign", foreign);
}

static int cmd_info(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *rest;

	(void)cmd;
	pool = find_pool(params, &mp, &rest);
	if (!pool)
		return -EINVAL;
	mempool_recover(mp, pool);
	pp_depot_get_stats(depot_of(pool), &s);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "name", mp->name);
	rte_tel_data_add_dict_string(d, "ops", rte_mempool_get_ops(mp->ops_index)->name);
	rte_tel_data_add_dict_string(d, "policy", pp_depot_policy(depot_of(pool)));
	add_number(d, "size", mp->size);
	add_number(d, "lcore_cache", mp->cache_size);
	add_number(d, "lcore_cache_asked", pool->lcore_cache_asked);
	add_number(d, "managed", s.managed);
	add_number(d, "free", s.free);
	add_number(d, "cached", s.cached);
	add_number(d, "out", s.in_flight);
	add_number(d, "high", s.high);
	add_number(d, "batch", s.batch);
	add_number(d, "refills", s.refills);
	add_number(d, "flushes", s.flushes);
	add_number(d, "fallbacks", s.fallbacks);
	add_number(d, "drains", s.drains);
	add_number(d, "drained", s.drained_pages);
	add_number(d, "drain_timeouts", s.drain_timeouts);
	add_number(d, "failures", pool->failures);
	add_number(d, "processes", pp_depot_processes(depot_of(pool)));
	add_number(d, "died", pool->died);
	if (pool->ledger)
		add_ledger(d, pool->ledger);
	add_caches(d, depot_of(pool));
	return 0;
}

/* ---- holders of pagepool_debug --------------------------------------------------------------- */

#define OLDEST 16u

struct holders {
	uint64_t out[LEDGER_LCORES];
	uint64_t ms[LEDGER_LCORES]; /* of the oldest */
	struct holder oldest[OLDEST]; /* of all, the oldest first */
	unsigned int n;
};

static void add_holder(void *arg, const struct holder *holder)
{
	unsigned int lcore = RTE_MIN(holder->lcore, (unsigned int)RTE_MAX_LCORE), i;
	struct holders *h = arg;

	h->out[lcore]++;
	h->ms[lcore] = RTE_MAX(h->ms[lcore], holder->ms);
	if (h->n < OLDEST)
		h->n++;
	else if (h->oldest[OLDEST - 1].ms >= holder->ms)
		return;
	for (i = h->n - 1; i && h->oldest[i - 1].ms < holder->ms; i--)
		h->oldest[i] = h->oldest[i - 1];
	h->oldest[i] = *holder;
}

static void lcore_name(char *text, size_t size, unsigned int lcore)
{
	if (lcore < RTE_MAX_LCORE)
		snprintf(text, size, "%u", lcore);
	else
		snprintf(text, size, "none");
}

static void add_by_lcore(struct rte_tel_data *d, const char *name, const struct holders *h,
			 const uint64_t *numbers)
{
	struct rte_tel_data *dict = rte_tel_data_alloc();
	unsigned int i;
	char key[16];

	if (!dict)
		return;
	rte_tel_data_start_dict(dict);
	for (i = 0; i < LEDGER_LCORES; i++) {
		lcore_name(key, sizeof(key), i);
		if (h->out[i])
			add_number(dict, key, numbers[i]);
	}
	rte_tel_data_add_dict_container(d, name, dict, 0);
}

static void add_oldest(struct rte_tel_data *d, const struct holders *h)
{
	struct rte_tel_data *list = rte_tel_data_alloc();
	char text[64], lcore[16];
	unsigned int i;

	if (!list)
		return;
	rte_tel_data_start_array(list, RTE_TEL_STRING_VAL);
	for (i = 0; i < h->n; i++) {
		lcore_name(lcore, sizeof(lcore), h->oldest[i].lcore);
		snprintf(text, sizeof(text), "%p lcore %s %" PRIu64 " ms", h->oldest[i].object,
			 lcore, h->oldest[i].ms);
		rte_tel_data_add_array_string(list, text);
	}
	rte_tel_data_add_dict_container(d, "oldest", list, 0);
}

static int cmd_holders(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct holders h = { .n = 0 };
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *rest;

	(void)cmd;
	pool = find_pool(params, &mp, &rest);
	if (!pool || !pool->ledger || *rest)
		return -EINVAL;
	ledger_walk(pool->ledger, add_holder, &h);
	rte_tel_data_start_dict(d);
	add_by_lcore(d, "out_by_lcore", &h, h.out);
	add_by_lcore(d, "longest_ms_by_lcore", &h, h.ms);
	add_oldest(d, &h);
	return 0;
}

/* ---- drains and settings --------------------------------------------------------------------- */

static int cmd_drain(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *rest;
	long moved;

	(void)cmd;
	pool = find_pool(params, &mp, &rest);
	if (!pool || pp_depot_attach(depot_of(pool)))
		return -EINVAL;
	mempool_recover(mp, pool);
	moved = pp_depot_drain_all(depot_of(pool), DRAIN_US);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_int(d, "moved", moved > 0 ? (int)moved : 0);
	rte_tel_data_add_dict_string(d, "result", moved < 0 ? pp_error() : "done");
	return 0;
}

/* Reads "HIGH,BATCH" with nothing behind it. */
static bool parse_sizes(const char *text, struct mempool_config *config)
{
	return mempool_parse(&text, ',', &config->high) &&
	       mempool_parse(&text, '\0', &config->batch);
}

/* Sizes the caches of a pool. */
static int set_pool(struct mempool *pool, const char *sizes, struct rte_tel_data *d)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };
	const char *result = "done";
	struct mempool_config config;

	if (!parse_sizes(sizes, &config))
		return -EINVAL;
	if (pp_depot_attach(depot_of(pool)) ||
	    pp_depot_pcp_set(depot_of(pool), config.high, config.batch))
		result = pp_error();
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "result", result);
	pp_depot_get_stats(depot_of(pool), &s);
	add_number(d, "high", s.high);
	add_number(d, "batch", s.batch);
	return 0;
}

/* Checks POLICY[,HIGH,BATCH] as a creation does, and keeps it for later pools. */
static int set_default(const char *text, struct rte_tel_data *d)
{
	struct mempool_config config = mempool_config_get();
	size_t len = strcspn(text, ",");
	struct pp_depot_params params;
	const char *result = "done";

	if (!len || len >= sizeof(config.policy))
		return -EINVAL;
	snprintf(config.policy, sizeof(config.policy), "%.*s", (int)len, text);
	config.high = config.batch = 0;
	if (text[len] && !parse_sizes(text + len + 1, &config))
		return -EINVAL;
	mempool_depot_params(&config, "default", UINT32_MAX, &params);
	if (pp_depot_size(&params))
		mempool_config_set(&config);
	else
		result = pp_error();
	config = mempool_config_get();
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "result", result);
	rte_tel_data_add_dict_string(d, "policy", config.policy);
	add_number(d, "high", config.high);
	add_number(d, "batch", config.batch);
	return 0;
}

/* The answer has the values in force, also after a refusal. */
static int cmd_set(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *sizes;

	(void)cmd;
	if (params && !strncmp(params, "default,", 8))
		return set_default(params + 8, d);
	pool = find_pool(params, &mp, &sizes);
	return pool ? set_pool(pool, sizes, d) : -EINVAL;
}

void mempool_telemetry_register(void)
{
	void *found = dlsym(RTLD_DEFAULT, "rte_tel_data_add_dict_uint");

	if (!found)
		found = dlsym(RTLD_DEFAULT, "rte_tel_data_add_dict_u64");
	if (!found)
		return;
	memcpy(&add_number, &found, sizeof(found));
	rte_telemetry_register_cmd("/pagepool/list", cmd_list,
				   "The pools on pagepool. Takes no parameters");
	rte_telemetry_register_cmd("/pagepool/info", cmd_info,
				   "Objects and counters of a pool. Parameters: NAME");
	rte_telemetry_register_cmd("/pagepool/holders", cmd_holders,
				   "Which lcores took a pagepool_debug pool's objects, and when. "
				   "Parameters: NAME");
	rte_telemetry_register_cmd("/pagepool/drain", cmd_drain,
				   "Empty all cores' caches of a pool. Parameters: NAME");
	rte_telemetry_register_cmd("/pagepool/set", cmd_set,
				   "Parameters: NAME,HIGH,BATCH or default,POLICY[,HIGH,BATCH]");
}
