/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shrink.c - memory given back to the system, as the system counts it, and taken again
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "harness.h"

#define BLOCK	  512u /* pages of 4 KiB */
#define PAGES	  (32 * BLOCK)
#define BLOCK_LEN (2ul << 20)
#define HUGE_DIR  "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static struct pp_page *held[PAGES];

static struct pp_zone_params params(enum pp_mem mem, uint32_t flags)
{
	struct pp_zone_params p = zone_params(PAGES);

	p.page_size = 4096;
	p.mem = mem;
	p.flags = flags;
	p.drain_us = 10000000; /* an acceptor is waited for, however busy the machine */
	return p;
}

/* Anonymous and shared memory of ours that is there, bytes. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages;

	require(f && fscanf(f, "%*d %ld", &pages) == 1);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static long number_in(const char *path)
{
	FILE *f = fopen(path, "re");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static unsigned int take_all(struct pp_zone *zone)
{
	unsigned int n = 0;

	while (n < PAGES && pp_zone_alloc_bulk(zone, held + n, 1))
		memset(held[n++]->addr, 0x77, 4096);
	return n;
}

static void give_all(struct pp_zone *zone, unsigned int n)
{
	while (n--)
		pp_zone_free_bulk(zone, &held[n], 1);
}

static void to_nothing_and_back(enum pp_mem mem, uint32_t flags)
{
	struct pp_zone_params p = params(mem, flags);
	struct pp_zone *zone = zone_new(&p);
	long full, empty;
	unsigned int round, late = 0;

	for (round = 0; round < 3; round++) {
		assert_int_equal(take_all(zone), PAGES);
		full = resident();
		give_all(zone, PAGES);
		/* the acceptor may still be at what it was asked for last */
		late = flags & PP_ZONE_ACCEPT_THREAD ? 5 : 0;
		assert_true(pp_zone_shrink(zone, 0) >= (32 - late) * (long)BLOCK_LEN);
		empty = resident();
		assert_true(full - empty > (31 - late) * (long)BLOCK_LEN);
		assert_true(zone_stats(zone).unaccepted >= PAGES - late * BLOCK);
		assert_true(zone_stats(zone).releases >= (32 - late) * (round + 1));
		if (!late)
			zone_check(zone, 0);
	}
	/* it comes back as zero, and in parts */
	assert_int_equal(pp_zone_alloc_bulk(zone, held, 1), 1);
	assert_true(zone_stats(zone).unaccepted >= (29 - late) * BLOCK);
	assert_int_equal(held[0]->addr[4095], 0);
	pp_zone_free_bulk(zone, held, 1);
	assert_int_equal(pp_zone_shrink(zone, UINT64_MAX), 0);
	assert_int_equal(pp_zone_shrink(zone, 0) % BLOCK_LEN, 0);
	zone_end(zone);
}

static void anonymous(void **state)
{
	to_nothing_and_back(PP_MEM_ANON, 0);
	to_nothing_and_back(PP_MEM_ANON, PP_ZONE_LAZY);
	to_nothing_and_back(PP_MEM_ANON, PP_ZONE_LAZY | PP_ZONE_LOCK);
}

static void memfd(void **state)
{
	to_nothing_and_back(PP_MEM_MEMFD, 0);
	to_nothing_and_back(PP_MEM_MEMFD, PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD);
}

/* ---- hugepages ------------------------------------------------------------------------------- */

static long reserved;

static bool reserve(long n)
{
	FILE *f;

	reserved = number_in(HUGE_DIR "nr_hugepages");
	if (number_in(HUGE_DIR "free_hugepages") - number_in(HUGE_DIR "resv_hugepages") >= n)
		return true;
	f = fopen(HUGE_DIR "nr_hugepages", "we");
	if (f) {
		fprintf(f, "%ld", reserved + n);
		fclose(f);
	}
	return number_in(HUGE_DIR "free_hugepages") >= n;
}

static void unreserve(void)
{
	FILE *f = fopen(HUGE_DIR "nr_hugepages", "we");

	if (f) {
		fprintf(f, "%ld", reserved);
		fclose(f);
	}
}

static void hugepages(void **state)
{
	uint32_t flags[] = { 0, PP_ZONE_LAZY };
	struct pp_zone_params p;
	struct pp_zone *zone;
	unsigned int i, n;
	long before;

	if (!reserve(40)) {
		unreserve();
		skip_because("40 hugepages could not be reserved: run as root, with memory");
	}
	for (i = 0; i < ARRAY_LEN(flags); i++) {
		before = number_in(HUGE_DIR "free_hugepages");
		p = params(PP_MEM_HUGETLB, flags[i]);
		zone = zone_new(&p);
		assert_int_equal(number_in(HUGE_DIR "free_hugepages"), before - (i ? 0 : 32));
		assert_int_equal(take_all(zone), PAGES);
		assert_int_equal(number_in(HUGE_DIR "free_hugepages"), before - 32);
		give_all(zone, PAGES);
		assert_int_equal(pp_zone_shrink(zone, 8 * BLOCK_LEN), 24 * BLOCK_LEN);
		assert_int_equal(number_in(HUGE_DIR "free_hugepages"), before - 8);
		assert_int_equal(number_in(HUGE_DIR "resv_hugepages"), 0);
		assert_int_equal(take_all(zone), PAGES);
		assert_int_equal(number_in(HUGE_DIR "free_hugepages"), before - 32);
		give_all(zone, PAGES);
		zone_end(zone);
		assert_int_equal(number_in(HUGE_DIR "free_hugepages"), before);
	}
	/* more addresses than hugepages: short answers, no signal, and nothing lost */
	unreserve();
	p = params(PP_MEM_HUGETLB, PP_ZONE_LAZY);
	p.pages = 300 * BLOCK;
	zone = zone_new(&p);
	before = number_in(HUGE_DIR "free_hugepages");
	n = take_all(zone);
	assert_true(n <= before * BLOCK);
	zone_check(zone, n);
	assert_true(n == PAGES || zone_stats(zone).accept_failures > 0);
	give_all(zone, n);
	zone_end(zone);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void blocks_in_use_stay(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, 0);
	struct pp_zone *zone = zone_new(&p);
	unsigned int n = take_all(zone), i, kept = 0;

	/* a page of every fourth block */
	for (i = 0; i < n; i++) {
		if (page_index(zone, held[i]) % (4 * BLOCK) == 77)
			held[kept++] = held[i];
		else
			pp_zone_free_bulk(zone, &held[i], 1);
	}
	assert_int_equal(kept, 8);
	assert_int_equal(pp_zone_shrink(zone, 16 * BLOCK_LEN), 16 * BLOCK_LEN);
	assert_int_equal(pp_zone_shrink(zone, 0), 8 * BLOCK_LEN);
	zone_check(zone, kept);
	for (i = 0; i < kept; i++)
		assert_int_equal(held[i]->addr[100], 0x77);
	give_all(zone, kept);
	assert_int_equal(pp_zone_shrink(zone, 0), 8 * BLOCK_LEN);
	zone_end(zone);
}

static void offline(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, 0);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *page;
	long before = resident();

	assert_int_equal(pp_zone_offline(zone, 4 * BLOCK, 8 * BLOCK, 10000), 0);
	assert_true(before - resident() > 7 * (long)BLOCK_LEN);
	assert_int_equal(zone_stats(zone).unaccepted, 8 * BLOCK);
	assert_int_equal(zone_stats(zone).isolated, 0);
	zone_check(zone, 0);
	assert_int_equal(pp_zone_offline(zone, 4 * BLOCK, 8 * BLOCK, 10000), 0); /* again */
	assert_int_equal(pp_zone_offline(zone, 1, BLOCK, 0), -EINVAL);
	assert_int_equal(pp_zone_offline(zone, 0, BLOCK + 1, 0), -EINVAL);
	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	assert_int_equal(pp_zone_offline(zone, page_index(zone, page) / BLOCK * BLOCK, BLOCK, 5000),
			 -EBUSY);
	zone_check(zone, 1);
	assert_int_equal(zone_stats(zone).isolated, 0);
	pp_zone_free_bulk(zone, &page, 1);
	assert_int_equal(take_all(zone), PAGES);
	give_all(zone, PAGES);
	zone_end(zone);
}

/* Neither accepted for an allocation nor given back by a shrink, until that is undone. */
static void isolated_blocks_stay(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LAZY);
	struct pp_zone *zone = zone_new(&p);

	assert_int_equal(pp_zone_isolate(zone, 0, 3 * BLOCK), 0);
	assert_int_equal(take_all(zone), PAGES - 3 * BLOCK);
	assert_int_equal(zone_stats(zone).unaccepted, 3 * BLOCK);
	assert_int_equal(pp_zone_isolate_undo(zone, 0, 3 * BLOCK), 0);
	give_all(zone, PAGES - 3 * BLOCK);
	assert_int_equal(pp_zone_isolate(zone, 5 * BLOCK, 2 * BLOCK), 0);
	assert_int_equal(pp_zone_shrink(zone, 0), 27 * BLOCK_LEN);
	assert_int_equal(zone_stats(zone).isolated, 2 * BLOCK);
	assert_int_equal(zone_stats(zone).unaccepted, 30 * BLOCK);
	assert_int_equal(pp_zone_isolate_undo(zone, 5 * BLOCK, 2 * BLOCK), 0);
	assert_int_equal(pp_zone_shrink(zone, 0), 2 * BLOCK_LEN);
	zone_end(zone);
}

/* A device has it: all there, and none goes. */
static void pinned(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LAZY);
	struct pp_zone *zone = zone_new(&p);

	assert_int_equal(pp_zone_pin(zone), 0);
	assert_int_equal(zone_stats(zone).unaccepted, 0);
	assert_int_equal(pp_zone_pin(zone), 0);
	assert_int_equal(pp_zone_shrink(zone, 0), -EBUSY);
	pp_zone_unpin(zone);
	assert_int_equal(pp_zone_offline(zone, 0, BLOCK, 1000), -EBUSY);
	assert_int_equal(zone_stats(zone).unaccepted, 0);
	pp_zone_unpin(zone);
	assert_int_equal(pp_zone_shrink(zone, 0), 32 * BLOCK_LEN);
	zone_end(zone);
}

static void pin_and_give(void *arg, struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct pp_page **page = arg;

	if (!*page)
		return;
	require(!pp_zone_pin(zone));
	pp_zone_free_bulk(zone, page, 1);
	*page = NULL;
}

/* a device comes while a thread waits for the last page of a block to give back */
static void pinned_meanwhile(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, 0);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *page = NULL;
	struct pp_reclaimer r = { .reclaim = pin_and_give, .arg = &page };
	uint64_t first;

	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	first = page_index(zone, page) / BLOCK * BLOCK;
	pp_zone_reclaimer_add(zone, &r);
	assert_int_equal(pp_zone_offline(zone, first, BLOCK, 1000000), -EBUSY);
	assert_null(page); /* it was asked for */
	assert_int_equal(zone_stats(zone).unaccepted, 0);
	assert_int_equal(zone_stats(zone).isolated, 0);
	pp_zone_reclaimer_del(zone, &r);
	pp_zone_unpin(zone);
	assert_int_equal(pp_zone_offline(zone, first, BLOCK, 0), 0);
	assert_int_equal(zone_stats(zone).unaccepted, BLOCK);
	zone_end(zone);
}

static void after_idle_time(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LAZY);
	struct pp_zone *zone;
	unsigned int i;

	p.idle_ms = 50;
	zone = zone_new(&p);
	assert_int_equal(take_all(zone), PAGES);
	give_all(zone, PAGES);
	pp_zone_drain_all(zone, 10000);
	for (i = 0; i < 4; i++) {
		pp_zone_maintain(zone);
		sleep_us(40000);
	}
	pp_zone_maintain(zone);
	assert_true(zone_stats(zone).unaccepted >= 28 * BLOCK);
	zone_check(zone, 0);
	/* what is in use, and a reserve, stays */
	for (i = 0; i < 10 * BLOCK; i++)
		assert_int_equal(pp_zone_alloc_bulk(zone, held + i, 1), 1);
	for (i = 0; i < 5; i++) {
		pp_zone_maintain(zone);
		sleep_us(40000);
	}
	assert_true(zone_stats(zone).managed - zone_stats(zone).unaccepted >= 10 * BLOCK);
	give_all(zone, 10 * BLOCK);
	zone_end(zone);
}

/* The most that was in use since the last time stays, not what happens to be in use now. */
static void after_a_peak(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LAZY);
	struct pp_zone *zone;
	unsigned int i;
	double start;

	p.idle_ms = 300;
again:
	zone = zone_new(&p);
	for (i = 0; i < 10 * BLOCK; i++)
		assert_int_equal(pp_zone_alloc_bulk(zone, held + i, 1), 1);
	start = now_s();
	pp_zone_maintain(zone);
	give_all(zone, 10 * BLOCK);
	pp_zone_drain_all(zone, 10000);
	pp_zone_maintain(zone);
	if (now_s() - start > 0.25) { /* on a busy machine the time was over by then */
		zone_end(zone);
		goto again;
	}
	sleep_us(320000);
	pp_zone_maintain(zone);
	assert_true(zone_stats(zone).managed - zone_stats(zone).unaccepted >= 10 * BLOCK);
	sleep_us(320000);
	pp_zone_maintain(zone);
	assert_true(zone_stats(zone).managed - zone_stats(zone).unaccepted < 10 * BLOCK);
	zone_end(zone);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void not_lockable(void **state)
{
	struct rlimit none = { 0, 0 };
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LOCK);
	struct pp_zone *zone;
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		/* root may lock whatever the limit says, so be another user */
		if (setrlimit(RLIMIT_MEMLOCK, &none) || (getuid() == 0 && setuid(65534)))
			_exit(3);
		if (!mlock(held, 4096))
			_exit(77);
		if (pp_zone_create(&p) || !strstr(pp_error(), "ulimit -l"))
			_exit(4);
		p.flags |= PP_ZONE_LAZY;
		zone = pp_zone_create(&p);
		if (!zone || pp_zone_alloc_bulk(zone, held, 1))
			_exit(5);
		_exit(zone_stats(zone).unaccepted == PAGES && !pp_zone_destroy(zone) ? 0 : 6);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("mlock() has no limit here: a sanitizer makes it do nothing");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void signal_safe(void **state)
{
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_SIGNAL_SAFE);
	struct pp_zone *zone = zone_new(&p);

	assert_int_equal(pp_zone_shrink(zone, 0), -ENOTSUP);
	assert_int_equal(pp_zone_offline(zone, 0, BLOCK, 0), -ENOTSUP);
	zone_end(zone);
	p.flags |= PP_ZONE_LAZY;
	assert_null(pp_zone_create(&p));
	p.flags |= PP_ZONE_ACCEPT_THREAD;
	zone = zone_new(&p);
	assert_int_equal(take_all(zone), PAGES);
	give_all(zone, PAGES);
	assert_true(pp_zone_shrink(zone, 0) >= 27 * (long)BLOCK_LEN);
	assert_int_equal(take_all(zone), PAGES);
	give_all(zone, PAGES);
	zone_end(zone);
}

/* ---- the tick, beside ports that come and go ------------------------------------------------- */

static unsigned int stop_ticks;

static void tick_on(void *arg)
{
	while (!__atomic_load_n(&stop_ticks, __ATOMIC_RELAXED))
		pp_zone_maintain(arg);
}

static void tick_beside_pins(void **state)
{
	struct pp_zone_params p = zone_params(4 * BLOCK);
	struct pp_zone *zone;
	struct pinned ticker;
	unsigned int i;

	p.flags = PP_ZONE_LAZY;
	p.idle_ms = 1;
	zone = zone_new(&p);
	__atomic_store_n(&stop_ticks, 0, __ATOMIC_RELAXED);
	pinned_start(&ticker, -1, tick_on, zone);
	for (i = 0; i < 300; i++) {
		require(!pp_zone_pin(zone));
		require(zone_stats(zone).unaccepted == 0);
		sleep_us(i % 50 ? 0 : 2000);
		require(zone_stats(zone).unaccepted == 0);
		pp_zone_unpin(zone);
	}
	__atomic_store_n(&stop_ticks, 1, __ATOMIC_RELAXED);
	pinned_join(&ticker);
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anonymous),	    cmocka_unit_test(memfd),
		cmocka_unit_test(hugepages),	    cmocka_unit_test(blocks_in_use_stay),
		cmocka_unit_test(offline),	    cmocka_unit_test(after_idle_time),
		cmocka_unit_test(after_a_peak),	    cmocka_unit_test(isolated_blocks_stay),
		cmocka_unit_test(pinned),	    cmocka_unit_test(pinned_meanwhile),
		cmocka_unit_test(not_lockable),	    cmocka_unit_test(signal_safe),
		cmocka_unit_test(tick_beside_pins),
	};

	return test_main("shrink", tests, ARRAY_LEN(tests), 120);
}
