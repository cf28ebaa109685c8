/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/config.h - the log, and the settings of later pools */
#ifndef PP_DPDK_MEMPOOL_CONFIG_H
#define PP_DPDK_MEMPOOL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_log.h>
#include <rte_mempool.h>

#include <pagepool/depot.h>

/*
 * The plugin is linked with no library, and a program without mempools has none of these. In EAL's
 * directory the plugin is loaded into such a program, too.
 */
#pragma weak rte_mempool_register_ops
#pragma weak rte_mempool_ops_table
#pragma weak rte_mempool_lookup
#pragma weak rte_mempool_op_populate_default
#pragma weak rte_mempool_walk

#define MEMPOOL_OPS	  "pagepool"
#define MEMPOOL_OPS_DEBUG "pagepool_debug"
#define MEMPOOL_INVALID	  UINT32_MAX /* a number that no pool takes */
#define MEMPOOL_AS_ASKED  (UINT32_MAX - 1) /* no setting: the program's choice stays */

extern int mempool_logtype;

#define MEMPOOL_LOG(level, fmt, ...) \
	rte_log(RTE_LOG_##level, mempool_logtype, "PAGEPOOL: " fmt "\n", ##__VA_ARGS__)

/* Settings of pools that are made later: from the environment, or by telemetry. */
struct mempool_config {
	char policy[16];
	uint32_t high; /* 0: by the pool's size; so is batch */
	uint32_t batch;
	uint32_t lcore_cache; /* most objects in rte_mempool's cache for an lcore */
};

void mempool_config_read(void); /* from the environment, once */
struct mempool_config mempool_config_get(void);
void mempool_config_set(const struct mempool_config *config);

/* The parameters of a depot with @objects objects. */
void mempool_depot_params(const struct mempool_config *config, const char *name, uint32_t objects,
			  struct pp_depot_params *params);

/*
 * Reads the digits that *@text begins with, up to @end, and moves *@text behind them. False: other
 * characters, no digits, or more than 32 bits.
 */
bool mempool_parse(const char **text, char end, uint32_t *number);

#endif /* PP_DPDK_MEMPOOL_CONFIG_H */
