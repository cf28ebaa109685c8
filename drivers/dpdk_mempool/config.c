/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/config.c - the log, and the settings of pools that are made later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpdk_mempool/config.h"

int mempool_logtype;
struct mempool_config mempool_config;

void mempool_log_register(void)
{
	mempool_logtype = rte_log_register_type_and_pick_level("mempool.pagepool", RTE_LOG_NOTICE);
}

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

/* A number from the environment; MEMPOOL_INVALID, which no pool takes, if it is none. */
static uint32_t env_number(const char *name)
{
	const char *text = getenv(name);
	uint32_t n;

	if (!text || !*text)
		return 0;
	if (!mempool_parse(&text, '\0', &n) || !n) {
		MEMPOOL_LOG(ERR, "%s: \"%s\" is not a number above 0", name, getenv(name));
		return MEMPOOL_INVALID;
	}
	return n;
}

void mempool_config_read(void)
{
	const char *policy = getenv("PAGEPOOL_POLICY");

	snprintf(mempool_config.policy, sizeof(mempool_config.policy), "%s",
		 policy && *policy ? policy : "auto");
	mempool_config.high = env_number("PAGEPOOL_HIGH");
	mempool_config.batch = env_number("PAGEPOOL_BATCH");
}
