/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slow_clock.c - LD_PRELOAD: DPDK's clock seems PP_SLOW_CLOCK times slower than it is
 *
 * So that a benchmark with rows of five seconds each is done in time.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

uint64_t rte_get_tsc_hz(void);

uint64_t rte_get_tsc_hz(void)
{
	static uint64_t hz;
	uint64_t (*real)(void) = (uint64_t(*)(void))dlsym(RTLD_NEXT, "rte_get_tsc_hz");
	const char *times = getenv("PP_SLOW_CLOCK");
	int n = times ? atoi(times) : 1;

	if (!hz && real)
		hz = real() / (uint64_t)(n > 0 ? n : 1);
	return hz;
}
