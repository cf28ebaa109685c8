/* SPDX-License-Identifier: BSD-3-Clause */
/* compare/nodpdk.c - for builds without DPDK: says so */
#include "compare/compare.h"

void cmp_dpdk_open(unsigned int core, struct cmp_rival *r, unsigned int *n, const char **why)
{
	(void)core;
	(void)r;
	(void)n;
	*why = "not built (libdpdk not found)";
}

int cmp_dpdk_audit(void)
{
	return 0;
}

void cmp_dpdk_close(void)
{
}
