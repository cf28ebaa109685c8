/* SPDX-License-Identifier: BSD-3-Clause */
/* compare_nodpdk.c - for builds without DPDK: says so */
#include "bench.h"

unsigned int bench_dpdk_open(unsigned int core, struct bench_subject *s, unsigned int max,
			     const char **why)
{
	(void)core;
	(void)s;
	(void)max;
	*why = "not built (libdpdk not found)";
	return 0;
}

int bench_dpdk_audit(void)
{
	return 0;
}

void bench_dpdk_close(void)
{
}
