/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/config.c - the log, and the settings of pools that are made later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_spinlock.h>

#include "dpdk_mempool/config.h"

int mempool_logtype;

/* Any thread makes pools, and EAL's telemetry thread changes the settings. */
static rte_spinlock_t config_lock = RTE_SPINLOCK_INITIALIZER;
static struct mempool_config current;

bool mempool_parse(const char **text, char end, uint32_t *number)
{
	const char *digits = *text;
	size_t len = strspn(digits, "0123456789");
	unsigned long long n = strtoull(digits, NULL, 10);

	if (!len || digits[len] != end || n > UINT32_MAX)
		return false;
	*number = (uint32_t)n;
	*text = digits + len + (end != '\0');
	return true;
}

/* Reads *@number from the environment; a text that is none in range makes it MEMPOOL_INVALID. */
static void env_number(const char *name, uint32_t least, uint32_t most, const char *range,
		       uint32_t *number)
{
	const char *text = getenv(name), *rest = text;

	if (!text || !*text)
		return;
	if (mempool_parse(&rest, '\0', number) && *number >= least && *number <= most)
		return;
	MEMPOOL_LOG(ERR, "%s: \"%s\" is not a number %s", name, text, range);
	*number = MEMPOOL_INVALID;
}

void mempool_config_read(void)
{
	const char *policy = getenv("PAGEPOOL_POLICY");
	struct mempool_config *c = &current;

	snprintf(c->policy, sizeof(c->policy), "%s", policy && *policy ? policy : "auto");
	env_number("PAGEPOOL_HIGH", 1, UINT32_MAX, "above 0", &c->high);
	env_number("PAGEPOOL_BATCH", 1, UINT32_MAX, "above 0", &c->batch);
	c->lcore_cache = MEMPOOL_AS_ASKED;
	env_number("PAGEPOOL_LCORE_CACHE", 0, RTE_MEMPOOL_CACHE_MAX_SIZE, "from 0 to 512",
		   &c->lcore_cache);
}

struct mempool_config mempool_config_get(void)
{
	struct mempool_config config;

	rte_spinlock_lock(&config_lock);
	config = current;
	rte_spinlock_unlock(&config_lock);
	return config;
}

void mempool_config_set(const struct mempool_config *config)
{
	rte_spinlock_lock(&config_lock);
	current = *config;
	rte_spinlock_unlock(&config_lock);
}

void mempool_depot_params(const struct mempool_config *config, const char *name, uint32_t objects,
			  struct pp_depot_params *params)
{
	*params = (struct pp_depot_params){
		.sz = sizeof(*params),
		.name = name,
		.objects = objects,
		.policy = config->policy,
		.users = rte_lcore_count(),
		.high = config->high,
		.batch = config->batch,
	};
}
