/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/telemetry.c - /pagepool/... for dpdk-telemetry.py
 *
 * Commands run on EAL's own thread, beside the traffic.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include "dpdk_mempool/debug.h"
#include "dpdk_mempool/known.h"
#include "dpdk_mempool/telemetry.h"

#define DRAIN_US 100000u

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
static struct mempool *named(const char *params, struct rte_mempool **mp, const char **rest)
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
		rte_tel_data_add_dict_u64(cores, key, pp_depot_cached(depot, i));
	}
	rte_tel_data_add_dict_container(d, "cached_by_core", cores, 0);
}

static int cmd_info(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };
	uint64_t double_free = 0, foreign = 0;
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *rest;

	(void)cmd;
	pool = named(params, &mp, &rest);
	if (!pool)
		return -EINVAL;
	mempool_recover(mp, pool);
	pp_depot_stats(depot_of(pool), &s);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "name", mp->name);
	rte_tel_data_add_dict_string(d, "ops", rte_mempool_get_ops(mp->ops_index)->name);
	rte_tel_data_add_dict_string(d, "policy", pp_depot_policy(depot_of(pool)));
	rte_tel_data_add_dict_u64(d, "size", mp->size);
	rte_tel_data_add_dict_u64(d, "lcore_cache", mp->cache_size);
	rte_tel_data_add_dict_u64(d, "managed", s.managed);
	rte_tel_data_add_dict_u64(d, "free", s.free);
	rte_tel_data_add_dict_u64(d, "cached", s.cached);
	rte_tel_data_add_dict_u64(d, "out", s.in_flight);
	rte_tel_data_add_dict_u64(d, "high", s.high);
	rte_tel_data_add_dict_u64(d, "batch", s.batch);
	rte_tel_data_add_dict_u64(d, "refills", s.refills);
	rte_tel_data_add_dict_u64(d, "flushes", s.flushes);
	rte_tel_data_add_dict_u64(d, "fallbacks", s.fallbacks);
	rte_tel_data_add_dict_u64(d, "drains", s.drains);
	rte_tel_data_add_dict_u64(d, "drained", s.drained_pages);
	rte_tel_data_add_dict_u64(d, "drain_timeouts", s.drain_timeouts);
	rte_tel_data_add_dict_u64(d, "failures", pool->failures);
	rte_tel_data_add_dict_u64(d, "processes", pp_depot_processes(depot_of(pool)));
	rte_tel_data_add_dict_u64(d, "died", pool->died);
	if (pool->ledger) {
		ledger_counts(pool->ledger, &double_free, &foreign);
		rte_tel_data_add_dict_u64(d, "double_free", double_free);
		rte_tel_data_add_dict_u64(d, "foreign", foreign);
	}
	add_caches(d, depot_of(pool));
	return 0;
}

static int cmd_drain(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *rest;
	long moved;

	(void)cmd;
	pool = named(params, &mp, &rest);
	if (!pool || pp_depot_attach(depot_of(pool)))
		return -EINVAL;
	mempool_recover(mp, pool);
	moved = pp_depot_drain_all(depot_of(pool), DRAIN_US);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_int(d, "moved", moved > 0 ? (int)moved : 0);
	rte_tel_data_add_dict_string(d, "result", moved < 0 ? pp_error() : "done");
	return 0;
}

/* NAME,HIGH,BATCH: a pool's caches now; or default,POLICY[,HIGH,BATCH]: of pools made later. */
static int cmd_set(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct mempool_config config = { .high = 0 };
	struct rte_mempool *mp;
	struct mempool *pool;
	const char *rest, *result = "done";

	(void)cmd;
	if (params && !strncmp(params, "default,", 8)) {
		if (sscanf(params + 8, "%15[a-z],%" SCNu32 ",%" SCNu32, config.policy, &config.high,
			   &config.batch) < 1)
			return -EINVAL;
		if (strcmp(config.policy, "auto") && pp_policy_check(config.policy))
			result = pp_error();
		else
			mempool_config = config;
	} else {
		pool = named(params, &mp, &rest);
		if (!pool || sscanf(rest, "%" SCNu32 ",%" SCNu32, &config.high, &config.batch) != 2)
			return -EINVAL;
		if (pp_depot_attach(depot_of(pool)) ||
		    pp_depot_pcp_set(depot_of(pool), config.high, config.batch))
			result = pp_error();
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "result", result);
	return 0;
}

void mempool_telemetry_register(void)
{
	rte_telemetry_register_cmd("/pagepool/list", cmd_list,
				   "The pools on pagepool. Takes no parameters");
	rte_telemetry_register_cmd("/pagepool/info", cmd_info,
				   "What a pool holds, and where. Parameters: NAME");
	rte_telemetry_register_cmd("/pagepool/drain", cmd_drain,
				   "Empty all cores' caches of a pool. Parameters: NAME");
	rte_telemetry_register_cmd("/pagepool/set", cmd_set,
				   "Parameters: NAME,HIGH,BATCH or default,POLICY[,HIGH,BATCH]");
}
