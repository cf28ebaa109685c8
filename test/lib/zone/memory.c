/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c - the kinds of memory under a zone, and the page table over it
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"

#define HUGE_KB	     "2048"
#define HUGE_DIR     "/sys/kernel/mm/hugepages/hugepages-" HUGE_KB "kB/"
#define HUGE_BYTES   (2ull << 20)
#define HUGE_MAX_ASK (1ull << 30)

/* Memory of a page at home must not be looked at: all of them are out meanwhile. */
static struct pp_page **take_all(struct pp_zone *zone)
{
	unsigned int n = (unsigned int)pp_zone_pages(zone);
	struct pp_page **pages = calloc(n, sizeof(*pages));

	require(pages);
	require(pp_zone_alloc_bulk(zone, pages, n) == n);
	return pages;
}

static void give_all(struct pp_zone *zone, struct pp_page **pages)
{
	pp_zone_free_bulk(zone, pages, (unsigned int)pp_zone_pages(zone));
	free(pages);
}

static void memory_is_zero(struct pp_zone *zone)
{
	const unsigned char *base = pp_zone_base(zone);
	uint64_t len = pp_zone_pages(zone) * pp_zone_page_size(zone);
	struct pp_page **pages = take_all(zone);

	assert_int_equal(base[0], 0);
	assert_memory_equal(base, base + 1, len - 1);
	give_all(zone, pages);
}

static void memory_is_writable(struct pp_zone *zone)
{
	struct pp_page **pages = take_all(zone);

	memset(pp_zone_base(zone), 0xa5, pp_zone_pages(zone) * pp_zone_page_size(zone));
	give_all(zone, pages);
}

static void page_table_adds_up(struct pp_zone *zone)
{
	const struct pp_page *table = pp_zone_page_table(zone);
	uint64_t ps = pp_zone_page_size(zone);
	uint64_t n = pp_zone_pages(zone);
	unsigned char *base = pp_zone_base(zone);
	struct rng r = rng_init(1);
	uint64_t i;

	assert_int_equal((uintptr_t)table % 64, 0);
	assert_int_equal((uintptr_t)base % ps, 0);
	for (i = 0; i < n; i++) {
		require(table[i].addr == base + i * ps);
		require(table[i].zone == zone);
		require(1ull << table[i].shift == ps);
		require(table[i].refs == 1 && table[i].pp_refs == 1 && table[i].owner == 0);
		require(pp_zone_page_at(zone, i * ps) == &table[i]);
		require(pp_zone_page_at(zone, i * ps + ps - 1) == &table[i]);
		require(pp_zone_page_at(zone, i * ps + rng_next(&r) % ps) == &table[i]);
	}
	assert_null(pp_zone_page_at(zone, n * ps));
	assert_null(pp_zone_page_at(zone, n * ps + 1));
	assert_null(pp_zone_page_at(zone, 1ull << 32 | 1ull << 63));
	assert_null(pp_zone_page_at(zone, (1ull << 32) * ps));
	assert_null(pp_zone_page_at(zone, UINT64_MAX));
	assert_null(pp_zone_page_at(zone, (uint64_t) - (int64_t)ps));
}

static void page_table(void **state)
{
	static const uint64_t counts[] = { 1, 2, 3, 63, 64, 65, 1000 };
	struct pp_zone_params p = zone_params(1);
	struct pp_zone *zone;
	unsigned int i;

	for (p.page_size = 2048; p.page_size <= 65536; p.page_size *= 2)
		for (i = 0; i < ARRAY_LEN(counts); i++) {
			p.pages = counts[i];
			zone = zone_new(&p);
			page_table_adds_up(zone);
			zone_end(zone);
		}
}

static void anon(void **state)
{
	struct pp_zone_params p = zone_params(777);
	struct pp_zone *zone = zone_new(&p);

	assert_int_equal(pp_zone_mem(zone), PP_MEM_ANON);
	memory_is_zero(zone);
	memory_is_writable(zone);
	zone_end(zone);
}

static void memfd(void **state)
{
	struct pp_zone_params p = zone_params(100);
	uint64_t len = 100 * 2048;
	unsigned char *base, *map;
	struct pp_page **pages;
	struct pp_zone *zone;
	int fd;

	p.mem = PP_MEM_MEMFD;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_mem(zone), PP_MEM_MEMFD);
	memory_is_zero(zone);
	fd = pp_zone_fd(zone);
	assert_true(fd >= 0);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	base = pp_zone_base(zone);
	pages = take_all(zone);
	base[0] = 1;
	base[len - 1] = 2;
	map[4096] = 3;
	assert_int_equal(map[0], 1);
	assert_int_equal(map[len - 1], 2);
	assert_int_equal(base[4096], 3);
	give_all(zone, pages);
	page_table_adds_up(zone);
	zone_end(zone);
	/* the descriptor was the zone's; the mapping keeps the memory */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(map[0], 1);
	munmap(map, len);
}

static void user_region(void **state)
{
	struct pp_zone_params p = zone_params(64);
	size_t len = 64 * 2048;
	unsigned char *region = aligned_alloc(4096, len + 4096);
	struct pp_page *page;
	struct pp_zone *zone;
	size_t i;

	assert_non_null(region);
	memset(region, 0x5a, len + 4096);
	p.mem = PP_MEM_USER;
	p.region = region;
	p.region_len = len;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_mem(zone), PP_MEM_USER);
	assert_ptr_equal(pp_zone_base(zone), region);
	page_table_adds_up(zone);
	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	pp_zone_free_bulk(zone, &page, 1);
	zone_end(zone);
	for (i = 0; i < len + 4096; i++)
		assert_int_equal(region[i], 0x5a);

	p.region_len = len - 1;
	assert_null(pp_zone_create(&p));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(pp_error(), "region_len"));
	p.region_len = len;
	p.region = region + 64;
	assert_null(pp_zone_create(&p));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(pp_error(), "region"));
	p.region = NULL;
	assert_null(pp_zone_create(&p));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(pp_error(), "region"));
	free(region);
}

static unsigned long read_number(const char *path)
{
	unsigned long n = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		skip_because("no 2 MiB hugepages in this kernel: %s: %s", path, strerror(errno));
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static void write_number(const char *path, unsigned long n)
{
	FILE *f = fopen(path, "w");

	if (!f)
		skip_because("cannot reserve hugepages: %s: %s", path, strerror(errno));
	fprintf(f, "%lu\n", n);
	if (fclose(f))
		skip_because("cannot reserve hugepages: %s: %s", path, strerror(errno));
}

static uint64_t more_than_there_is(void)
{
	uint64_t ask = read_number(HUGE_DIR "free_hugepages") +
		       read_number(HUGE_DIR "nr_overcommit_hugepages") + 8;

	if (ask * HUGE_BYTES > HUGE_MAX_ASK)
		skip_because("%llu hugepages are free here: too many to run out of",
			     (unsigned long long)ask - 8);
	return ask;
}

static void hugetlb_none(void **state)
{
	struct pp_zone_params p = zone_params(1);
	struct pp_page *page;
	struct pp_zone *zone;

	p.page_size = 65536;
	p.pages = more_than_there_is() * (HUGE_BYTES / p.page_size);
	p.mem = PP_MEM_HUGETLB;
	errno = 0;
	assert_null(pp_zone_create(&p));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(pp_error(), "hugepage"));

	p.flags = PP_ZONE_HUGE_FALLBACK;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_mem(zone), PP_MEM_ANON);
	memory_is_zero(zone);
	zone_end(zone);

	/* lazy memory is reserved then, so that what cannot be had is known at once */
	p.flags |= PP_ZONE_LAZY;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_mem(zone), PP_MEM_ANON);
	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	pp_zone_free_bulk(zone, &page, 1);
	zone_end(zone);
}

static void hugetlb(void **state)
{
	struct pp_zone_params p = zone_params(1500);
	unsigned long had, freed;
	struct pp_zone *zone;

	if (geteuid())
		skip_because("reserving hugepages needs root");
	had = read_number(HUGE_DIR "nr_hugepages");
	write_number(HUGE_DIR "nr_hugepages", had + 4);
	if (read_number(HUGE_DIR "nr_hugepages") < had + 4) {
		write_number(HUGE_DIR "nr_hugepages", had);
		skip_because("the kernel found no memory for 4 hugepages");
	}
	freed = read_number(HUGE_DIR "free_hugepages");
	p.mem = PP_MEM_HUGETLB;
	/* 1500 x 2 KiB is 2 hugepages, the second not full */
	zone = pp_zone_create(&p);
	if (zone) {
		require(pp_zone_mem(zone) == PP_MEM_HUGETLB);
		require(read_number(HUGE_DIR "free_hugepages") == freed - 2);
		memory_is_zero(zone);
		page_table_adds_up(zone);
		memory_is_writable(zone);
		zone_end(zone);
	}
	require(read_number(HUGE_DIR "free_hugepages") == freed);
	write_number(HUGE_DIR "nr_hugepages", had);
	assert_non_null(zone);
}

static long resident_kb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void populated(void **state)
{
	struct pp_zone_params p = zone_params(16384);
	long before = resident_kb();
	struct pp_zone *zone = zone_new(&p);

	assert_true(resident_kb() - before >= 32 * 1024);
	zone_end(zone);
	assert_true(resident_kb() - before < 16 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_table),	cmocka_unit_test(anon),
		cmocka_unit_test(memfd),	cmocka_unit_test(user_region),
		cmocka_unit_test(hugetlb_none), cmocka_unit_test(hugetlb),
		cmocka_unit_test(populated),
	};

	return test_main("memory", tests, ARRAY_LEN(tests), 120);
}
