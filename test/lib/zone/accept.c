/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * accept.c - lazy zones: memory that comes on demand, from firmware that is slow or refuses
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "harness.h"

#define BLOCK	  512u /* pages of 4 KiB */
#define MAX_BLOCK 256u

/* What a machine that must be asked remembers. Neighbouring blocks have different numbers. */
static struct {
	unsigned int delay_us;
	bool hangs; /* until it is cleared */
	int refuse; /* the next so many */
	int now;
	int most;
	unsigned int accepted;
	unsigned int refused;
	unsigned int gone;
	unsigned char have[MAX_BLOCK];
	unsigned char inside[MAX_BLOCK];
} fw;

static unsigned int number(const void *base)
{
	return (unsigned int)((uintptr_t)base >> 21) % MAX_BLOCK;
}

static int fw_accept(void *arg, void *base, size_t len)
{
	int now = __atomic_add_fetch(&fw.now, 1, __ATOMIC_ACQ_REL), err = 0;
	unsigned int k = number(base);

	require(arg == &fw && len && len <= BLOCK * 4096u);
	require(__atomic_exchange_n(&fw.inside[k], 1, __ATOMIC_ACQ_REL) == 0); /* one a block */
	if (now > __atomic_load_n(&fw.most, __ATOMIC_RELAXED))
		__atomic_store_n(&fw.most, now, __ATOMIC_RELAXED);
	if (fw.delay_us)
		sleep_us(fw.delay_us);
	while (__atomic_load_n(&fw.hangs, __ATOMIC_ACQUIRE))
		sleep_us(1000);
	if (__atomic_sub_fetch(&fw.refuse, 1, __ATOMIC_ACQ_REL) >= 0) {
		__atomic_fetch_add(&fw.refused, 1, __ATOMIC_RELAXED);
		err = -EIO;
	} else {
		require(__atomic_exchange_n(&fw.have[k], 1, __ATOMIC_ACQ_REL) == 0);
		__atomic_fetch_add(&fw.accepted, 1, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&fw.inside[k], 0, __ATOMIC_RELEASE);
	__atomic_fetch_sub(&fw.now, 1, __ATOMIC_ACQ_REL);
	return err;
}

static void fw_unaccept(void *arg, void *base, size_t len)
{
	require(arg == &fw && len);
	require(__atomic_exchange_n(&fw.have[number(base)], 0, __ATOMIC_ACQ_REL) == 1);
	__atomic_fetch_add(&fw.gone, 1, __ATOMIC_RELAXED);
}

static const struct pp_zone_ops fw_ops = { fw_accept, fw_unaccept };

static struct pp_zone_params lazy_params(uint64_t pages)
{
	struct pp_zone_params p = zone_params(pages);

	memset(&fw, 0, sizeof(fw));
	p.page_size = 4096;
	p.flags = PP_ZONE_LAZY;
	p.ops = &fw_ops;
	p.ops_arg = &fw;
	return p;
}

static struct pp_page *held[MAX_BLOCK * BLOCK];

/* Each page is written, so that memory which is not there would kill us. */
static unsigned int take_all(struct pp_zone *zone, unsigned int most)
{
	unsigned int n = 0, k;

	do {
		k = pp_zone_alloc_bulk(zone, held + n, most - n < 64 ? most - n : 64);
		for (; k; k--, n++)
			memset(held[n]->addr, 0x5a, 4096);
	} while (n < most && k + 1 && pp_zone_alloc_bulk(zone, held + n, 1) && ++n);
	return n;
}

static void give_all(struct pp_zone *zone, unsigned int n)
{
	unsigned int k;

	for (; n; n -= k) {
		k = n < 64 ? n : 64;
		pp_zone_free_bulk(zone, held + n - k, k);
	}
}

static void on_demand(void **state)
{
	struct pp_zone_params p = lazy_params(10 * BLOCK + 100);
	struct pp_zone *zone = zone_new(&p);
	struct pp_zone_stats s = zone_stats(zone);

	assert_int_equal(s.unaccepted, s.managed);
	assert_int_equal(s.free, 0);
	assert_int_equal(fw.accepted, 0);
	zone_check(zone, 0);
	assert_int_equal(pp_zone_alloc_bulk(zone, held, 64), 64);
	zone_check(zone, 64);
	assert_in_range(fw.accepted, 1, 3); /* what was needed, and up to the watermark */
	pp_zone_free_bulk(zone, held, 64);
	assert_int_equal(take_all(zone, MAX_BLOCK * BLOCK), 10 * BLOCK + 100);
	zone_check(zone, 10 * BLOCK + 100);
	s = zone_stats(zone);
	assert_int_equal(s.unaccepted, 0);
	assert_int_equal(s.accepts, 11);
	assert_int_equal(fw.accepted, 11);
	pages_distinct(zone, held, 10 * BLOCK + 100);
	give_all(zone, 10 * BLOCK + 100);
	zone_end(zone);
	assert_int_equal(fw.gone, 11);
}

static void kinds_of_memory(void **state)
{
	static const uint32_t sizes[] = { 2048, 4096, 65536 };
	struct pp_zone_params p;
	struct pp_zone *zone;
	unsigned int i, mem, n;

	for (mem = PP_MEM_ANON; mem <= PP_MEM_USER; mem++)
		for (i = 0; i < ARRAY_LEN(sizes); i++) {
			p = lazy_params((3u << 21) / sizes[i] + 5);
			p.page_size = sizes[i];
			p.mem = (enum pp_mem)mem;
			p.flags |= PP_ZONE_HUGE_FALLBACK | PP_ZONE_LOCK;
			if (mem == PP_MEM_HUGETLB) /* reserved lazily: see shrink.c */
				continue;
			p.region_len = p.pages * sizes[i];
			p.region = mem == PP_MEM_USER
					   ? aligned_alloc(65536, (p.region_len + 65535) & ~65535ul)
					   : NULL;
			zone = zone_new(&p);
			n = (unsigned int)p.pages;
			assert_int_equal(pp_zone_alloc_bulk(zone, held, 32), 32);
			pp_zone_free_bulk(zone, held, 32);
			for (n = 0; n < p.pages && pp_zone_alloc_bulk(zone, held + n, 1); n++)
				memset(held[n]->addr, 1, sizes[i]);
			assert_int_equal(n, p.pages);
			zone_check(zone, n);
			give_all(zone, n);
			zone_end(zone);
			assert_int_equal(fw.gone, fw.accepted);
			free(p.region);
		}
}

/* A block that fails is left for later, and another one taken. */
static void refused(void **state)
{
	struct pp_zone_params p = lazy_params(8 * BLOCK);
	struct pp_zone *zone = zone_new(&p);
	unsigned int n;

	fw.refuse = 2;
	assert_int_equal(pp_zone_alloc_bulk(zone, held, 64), 64);
	assert_int_equal(fw.refused, 2);
	assert_int_equal(zone_stats(zone).accept_failures, 2);
	/* one for these pages and one ahead of need: those refused are not awaited any more */
	assert_int_equal(zone_stats(zone).accepts, 2);
	pp_zone_free_bulk(zone, held, 64);
	fw.refuse = 1000000;
	n = take_all(zone, MAX_BLOCK * BLOCK);
	assert_true(n >= BLOCK && n < 8 * BLOCK);
	assert_int_equal(n % BLOCK, 0);
	zone_check(zone, n);
	assert_true(zone_stats(zone).alloc_failures > 0);
	/* the machine changed its mind: nothing was lost */
	fw.refuse = 0;
	give_all(zone, n);
	assert_int_equal(take_all(zone, MAX_BLOCK * BLOCK), 8 * BLOCK);
	give_all(zone, 8 * BLOCK);
	zone_end(zone);
}

static void eager_is_told(void **state)
{
	struct pp_zone_params p = lazy_params(4 * BLOCK + 1);
	struct pp_zone *zone;

	p.flags = 0;
	zone = zone_new(&p);
	assert_int_equal(fw.accepted, 5);
	assert_int_equal(zone_stats(zone).free, 4 * BLOCK + 1);
	zone_end(zone);
	assert_int_equal(fw.gone, 5);
	fw.refuse = 1;
	errno = 0;
	assert_null(pp_zone_create(&p));
	assert_int_equal(errno, EIO);
	assert_non_null(strstr(pp_error(), "block 0"));
}

/* Bigger than the machine, in no time and no memory. */
static void costs_nothing(void **state)
{
	struct pp_zone_params p = lazy_params(1 << 20);
	double best = 1, start;
	struct pp_zone *zone;
	long before, after;
	unsigned int i;
	FILE *f;

	p.ops = NULL;
	for (i = 0; i < 5; i++) {
		f = fopen("/proc/self/statm", "re");
		require(f && fscanf(f, "%*d %ld", &before) == 1);
		fclose(f);
		start = now_s();
		zone = zone_new(&p);
		start = now_s() - start;
		best = start < best ? start : best;
		f = fopen("/proc/self/statm", "re");
		require(f && fscanf(f, "%*d %ld", &after) == 1);
		fclose(f);
		assert_true((after - before) * sysconf(_SC_PAGESIZE) < 1 << 20);
		assert_int_equal(pp_zone_destroy(zone), 0);
	}
	print_message("# 4 GiB lazy: created in %.3f ms\n", best * 1e3);
	assert_true(best < 0.001);
}

struct taker {
	struct pp_zone *zone;
	struct pp_page *pages[3 * BLOCK];
	unsigned int n;
};

static void take(void *arg)
{
	struct taker *t = arg;

	while (t->n < ARRAY_LEN(t->pages) && pp_zone_alloc_bulk(t->zone, t->pages + t->n, 1))
		t->n++;
}

/* More threads than free blocks: each gets its share, and each block is asked for once. */
static void together(void **state)
{
	static struct taker takers[8];
	struct pinned threads[ARRAY_LEN(takers)];
	struct pp_zone_params p = lazy_params(ARRAY_LEN(takers) * 3 * BLOCK);
	unsigned int i, k, round;
	struct pp_zone *zone;

	for (round = 0; round < 3; round++) {
		p = lazy_params(ARRAY_LEN(takers) * 3 * BLOCK);
		p.flags |= round == 2 ? PP_ZONE_ACCEPT_THREAD : 0;
		p.drain_us = 5000000; /* an acceptor that lost its CPU for longer is an excuse */
		fw.delay_us = 1000;
		zone = zone_new(&p);
		for (i = 0; i < ARRAY_LEN(takers); i++) {
			takers[i].zone = zone;
			takers[i].n = 0;
			pinned_start(&threads[i], -1, take, &takers[i]);
		}
		for (i = 0; i < ARRAY_LEN(takers); i++)
			pinned_join(&threads[i]);
		for (i = 0; i < ARRAY_LEN(takers); i++)
			assert_int_equal(takers[i].n, 3 * BLOCK);
		zone_check(zone, ARRAY_LEN(takers) * 3 * BLOCK);
		assert_int_equal(fw.accepted, ARRAY_LEN(takers) * 3);
		assert_true(fw.most > 1);
		for (i = 0; i < ARRAY_LEN(takers); i++)
			for (k = 0; k < takers[i].n; k += 64)
				pp_zone_free_bulk(zone, takers[i].pages + k, 64);
		zone_end(zone);
	}
}

/* ---- a thread with free pages does not notice ------------------------------------------------ */

#define SAMPLES 200000u

static struct {
	struct pp_zone *zone;
	uint32_t *ns;
	bool stop;
} quiet;

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sample(void *arg)
{
	double *p999 = arg;
	struct pp_page *pages[16];
	uint64_t start;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		start = pp_cycles();
		require(pp_zone_alloc_bulk(quiet.zone, pages, 16) == 16);
		pp_zone_free_bulk(quiet.zone, pages, 16);
		quiet.ns[i] = (uint32_t)(pp_cycles() - start);
	}
	qsort(quiet.ns, SAMPLES, sizeof(*quiet.ns), by_value);
	*p999 = quiet.ns[SAMPLES - SAMPLES / 1000];
	__atomic_store_n(&quiet.stop, true, __ATOMIC_RELEASE);
}

static void grow(void *arg)
{
	unsigned int *n = arg;

	/* some blocks at least: on a busy machine the samples may be taken before this runs */
	while ((!__atomic_load_n(&quiet.stop, __ATOMIC_ACQUIRE) ||
		__atomic_load_n(&fw.accepted, __ATOMIC_RELAXED) <= 2) &&
	       *n < 200 * BLOCK)
		*n += pp_zone_alloc_bulk(quiet.zone, held + *n, 8);
}

static void others_do_not_notice(void **state)
{
	struct pp_zone_params p = lazy_params(MAX_BLOCK * BLOCK);
	/* a tenth of a millisecond would be an acceptance showing; figures are ppbench's */
	double alone[7], beside[7], best_alone = 1e18, best_beside = 1e18, limit;
	struct pinned a, b;
	unsigned int i, n;

	need_two_cpus();
	quiet.ns = calloc(SAMPLES, sizeof(*quiet.ns));
	limit = pp_cycles_hz() / 10000.0;
	/* time slices of other programs are taken for ours: then again, until it is seen without */
	for (i = 0; i < ARRAY_LEN(alone) && (i < 2 || best_beside >= limit); i++) {
		p = lazy_params(MAX_BLOCK * BLOCK);
		fw.delay_us = 1000;
		quiet.zone = zone_new(&p);
		quiet.stop = false;
		pinned_start(&a, (int)test_cpu(0), sample, &alone[i]);
		pinned_join(&a);
		n = fw.accepted;
		quiet.stop = false;
		n = 0;
		pinned_start(&b, (int)test_cpu(1), grow, &n);
		pinned_start(&a, (int)test_cpu(0), sample, &beside[i]);
		pinned_join(&a);
		pinned_join(&b);
		assert_true(fw.accepted > 2);
		for (; n; n -= 8)
			pp_zone_free_bulk(quiet.zone, held + n - 8, 8);
		zone_end(quiet.zone);
		best_alone = alone[i] < best_alone ? alone[i] : best_alone;
		best_beside = beside[i] < best_beside ? beside[i] : best_beside;
	}
	free(quiet.ns);
	print_message("# p99.9 of 16 pages: %.0f cycles alone, %.0f beside an acceptor of 1 ms\n",
		      best_alone, best_beside);
	assert_true(best_beside < limit);
}

static void nobody_waits_for_a_full_node(void **state)
{
	/* one zone's acceptor hangs: the other zone's threads see nothing */
	struct pp_zone_params p = lazy_params(4 * BLOCK), q;
	struct taker *t = calloc(1, sizeof(*t));
	struct pinned thread;

	fw.hangs = true;
	t->zone = zone_new(&p);
	q = p;
	q.ops = NULL;
	quiet.zone = zone_new(&q);
	pinned_start(&thread, -1, take, t);
	while (!__atomic_load_n(&fw.now, __ATOMIC_ACQUIRE))
		sleep_us(1000);
	assert_int_equal(take_all(quiet.zone, 2 * BLOCK), 2 * BLOCK);
	assert_int_equal(fw.accepted, 0);
	give_all(quiet.zone, 2 * BLOCK);
	__atomic_store_n(&fw.hangs, false, __ATOMIC_RELEASE);
	pinned_join(&thread);
	zone_end(quiet.zone);
	for (; t->n; t->n--)
		pp_zone_free_bulk(t->zone, &t->pages[t->n - 1], 1);
	zone_end(t->zone);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_demand),
		cmocka_unit_test(kinds_of_memory),
		cmocka_unit_test(refused),
		cmocka_unit_test(eager_is_told),
		cmocka_unit_test(costs_nothing),
		cmocka_unit_test(together),
		cmocka_unit_test(others_do_not_notice),
		cmocka_unit_test(nobody_waits_for_a_full_node),
	};

	return test_main("accept", tests, ARRAY_LEN(tests), 120);
}
