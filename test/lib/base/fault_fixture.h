/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - what fault.c and killed.c share: a small zone, and the machine's hugepages
 */
#ifndef PP_TEST_FAULT_H
#define PP_TEST_FAULT_H

#include <string.h>

#include "harness.h"

#define BLOCK	  512u /* pages of 4 KiB */
#define BLOCKS	  8u
#define PAGES	  (BLOCKS * BLOCK)
#define BLOCK_LEN (2ul << 20)
#define HUGE_DIR  "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static struct pp_page *held[PAGES];

static inline struct pp_zone_params params(enum pp_mem mem, uint32_t flags)
{
	struct pp_zone_params p = zone_params(PAGES);

	p.page_size = 4096;
	p.mem = mem;
	p.flags = flags;
	return p;
}

static inline unsigned int take_all(struct pp_zone *zone)
{
	unsigned int n = 0;

	while (n < PAGES && pp_zone_alloc_bulk(zone, held + n, 1))
		memset(held[n++]->addr, 0x77, 4096);
	return n;
}

static inline void give_all(struct pp_zone *zone, unsigned int n)
{
	while (n--)
		pp_zone_free_bulk(zone, &held[n], 1);
}

/* ---- hugepages ------------------------------------------------------------------------------- */

static inline long huge(const char *what)
{
	char path[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), HUGE_DIR "%s_hugepages", what);
	f = fopen(path, "re");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static inline long set_huge(long n)
{
	FILE *f = fopen(HUGE_DIR "nr_hugepages", "we");

	if (f) {
		fprintf(f, "%ld", n);
		fclose(f);
	}
	return huge("free") - huge("resv");
}

static long reserved_before;

static inline void need_huge(long n)
{
	reserved_before = huge("nr");
	if (set_huge(reserved_before + n) >= n)
		return;
	set_huge(reserved_before);
	skip_because("%ld hugepages could not be reserved: run as root, with memory", n);
}

/*
 * A killed process cannot be asked what it has: all are free again. The kernel takes them back when
 * the process is gone, and not before, which takes a moment.
 */
static inline void wait_free_huge(long n)
{
	double end = now_s() + 10;

	while (huge("free") != n && now_s() < end)
		sleep_us(1000);
	require(huge("free") == n);
}

/* Those that this process has; others may take and give some meanwhile. */
static inline long own_huge(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kb = -1;

	while (f && kb < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "HugetlbPages: %ld kB", &kb) != 1)
			kb = -1;
	}
	require(kb >= 0);
	fclose(f);
	return kb / 2048;
}

#endif /* PP_TEST_FAULT_H */
