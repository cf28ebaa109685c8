/* SPDX-License-Identifier: BSD-3-Clause */
/* strand/nodpdk.c - for builds without DPDK: says so */
#include "strand/strand.h"

unsigned int strand_dpdk_open(struct bench *b, struct strand_kind *kinds)
{
	(void)kinds;
	bench_note(b, "rte_mempool: not built (libdpdk not found)");
	return 0;
}

void strand_dpdk_thread(bool begin)
{
	(void)begin;
}

void strand_dpdk_close(void)
{
}
