/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interrupts.c - which calls interrupt the CPU of a busy owner, by /proc/interrupts
 *
 * The owner works on one CPU while another one trims or drains. membarrier() reaches the owner's
 * CPU by a function call interrupt. Other programs cause some, too, and may keep the owner from its
 * CPU: so each case is measured several times, and the median counts.
 */
#include <sched.h>
#include <string.h>

#include "harness.h"

#define CALLS  500u
#define TRIALS 5u
#define POOLS  16u
#define KEPT   8u

struct scene {
	struct pp_zone *zone;
	struct page_pool *pools[POOLS];
	unsigned int nr_pools;
	bool stop;
	unsigned int rounds; /* of the owner */
	unsigned int filled; /* refills asked of the owner, and done: odd, it is asked for one */
	bool refills; /* the owner works only when it is asked to */
};

static unsigned int owner_cpu, other_cpu;

/* Function call interrupts of @cpu since the boot; -1: the machine does not count them. */
static long interrupts_of(unsigned int cpu)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[8192], *at = NULL;
	unsigned int column = 0, n = 0;
	long count = -1;

	require(file);
	/* the head names the CPUs that are there, which have a column each */
	require(fgets(line, sizeof(line), file));
	for (at = strtok(line, " \n"); at; at = strtok(NULL, " \n"), n++) {
		if (!strncmp(at, "CPU", 3) && strtoul(at + 3, NULL, 10) == cpu)
			column = n;
	}
	while (count < 0 && fgets(line, sizeof(line), file)) {
		if (!strstr(line, "Function call interrupts"))
			continue;
		at = strchr(line, ':') + 1;
		for (n = 0; n <= column; n++)
			count = strtol(at, &at, 10);
	}
	fclose(file);
	return count;
}

static void become_fifo(void)
{
	const struct sched_param param = { .sched_priority = 10 };

	/* so that the owner runs all the time; without the right to, more trials are in vain */
	(void)sched_setscheduler(0, SCHED_FIFO, &param);
}

static void use_pool(struct page_pool *pool, unsigned int n)
{
	struct pp_page *pages[KEPT];

	n = page_pool_alloc_bulk(pool, pages, n);
	page_pool_put_bulk(pages, n);
}

static void owner_main(void *arg)
{
	struct scene *s = arg;
	unsigned int i;

	become_fifo();
	for (i = 0; i < s->nr_pools; i++)
		page_pool_enable_direct_recycling(s->pools[i]);
	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&s->rounds, 1, __ATOMIC_RELEASE);
		if (s->refills && !(__atomic_load_n(&s->filled, __ATOMIC_ACQUIRE) & 1))
			continue;
		for (i = 0; i < s->nr_pools; i++)
			use_pool(s->pools[i], KEPT);
		if (s->refills)
			__atomic_fetch_add(&s->filled, 1, __ATOMIC_RELEASE);
	}
}

static struct scene scene_new(unsigned int pools, uint32_t flags, bool refills)
{
	struct pp_zone_params zp = zone_params(2048);
	struct page_pool_params pp = { .sz = sizeof(pp),
				       .pool_size = 64,
				       .cache_size = KEPT,
				       .refill = KEPT,
				       .flags = flags };
	struct scene s = { .nr_pools = pools, .refills = refills };
	unsigned int i;

	zp.high = 8;
	zp.batch = 4;
	pp.zone = s.zone = zone_new(&zp);
	for (i = 0; i < pools; i++) {
		s.pools[i] = page_pool_create(&pp);
		require(s.pools[i]);
	}
	return s;
}

static void scene_end(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_pools; i++)
		page_pool_destroy(s->pools[i]);
	zone_end(s->zone);
}

/* ---- what the other CPU does ----------------------------------------------------------------- */

static void trim(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++)
		(void)page_pool_trim(s->pools[0], 0, 1000);
}

static void drain(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++)
		require(drain_done(pp_zone_drain(s->zone, owner_cpu, 1000)));
}

/* Each pool of the owner keeps a few pages, and an allocation needs all of them. */
static void run_short(struct scene *s)
{
	static struct pp_page *pages[2048];
	unsigned int i, k, n, got;

	for (i = 0; i < CALLS / 10; i++) {
		k = __atomic_add_fetch(&s->filled, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&s->filled, __ATOMIC_ACQUIRE) == k)
			;
		for (n = 0; n < 2048; n += got) {
			got = 2048 - n > 256 ? 256 : 2048 - n;
			got = pp_zone_alloc_bulk(s->zone, pages + n, got);
			require(got);
		}
		for (n = 0; n < 2048; n += 256)
			pp_zone_free_bulk(s->zone, pages + n, 256);
	}
}

/* The kernel takes a FIFO thread off its CPU for 50 ms of each second. */
static void owner_runs(struct scene *s)
{
	unsigned int rounds = __atomic_load_n(&s->rounds, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&s->rounds, __ATOMIC_ACQUIRE) - rounds < 10)
		;
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

/* The median of several trials, in interrupts of the owner's CPU. */
static long median_interrupts(unsigned int pools, uint32_t flags, void (*work)(struct scene *s))
{
	struct scene s = scene_new(pools, flags, work == run_short);
	struct pinned owner;
	long count[TRIALS];
	unsigned int i;

	pinned_start(&owner, (int)owner_cpu, owner_main, &s);
	pin_to(other_cpu);
	for (i = 0; i < TRIALS; i++) {
		owner_runs(&s);
		count[i] = interrupts_of(owner_cpu);
		work(&s);
		count[i] = interrupts_of(owner_cpu) - count[i];
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pinned_join(&owner);
	unpin();
	scene_end(&s);
	qsort(count, TRIALS, sizeof(*count), by_size);
	return count[TRIALS / 2];
}

static void need_counts(void)
{
	need_two_cpus();
	owner_cpu = test_cpu(1);
	other_cpu = test_cpu(0);
	if (interrupts_of(owner_cpu) < 0)
		skip_because("/proc/interrupts has no function call interrupts");
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_trim(void **state)
{
	long plain, isolated;

	(void)state;
	need_counts();
	plain = median_interrupts(1, 0, trim);
	isolated = median_interrupts(1, PAGE_POOL_ISOLATED, trim);
	printf("%u trims interrupt the owner's CPU %ld times, isolated %ld\n", CALLS, plain,
	       isolated);
	if (plain < (long)CALLS / 4)
		skip_because("the owner did not get its CPU: %ld interrupts of %u trims", plain,
			     CALLS);
	assert_true(isolated < plain / 8);
}

static void test_drain(void **state)
{
	long count;

	(void)state;
	need_counts();
	count = median_interrupts(1, PAGE_POOL_ISOLATED, drain);
	printf("%u drains of a trylock zone: %ld\n", CALLS, count);
	assert_true(count < (long)CALLS / 8);
}

/* Each allocation that runs short trims 16 pools: with one barrier, or with none. */
static void test_run_short(void **state)
{
	long plain, isolated;

	(void)state;
	need_counts();
	plain = median_interrupts(POOLS, 0, run_short);
	isolated = median_interrupts(POOLS, PAGE_POOL_ISOLATED, run_short);
	printf("%u rounds over %u pools: %ld, isolated %ld\n", CALLS / 10, POOLS, plain, isolated);
	assert_true(plain <= (long)CALLS / 10 * 5);
	assert_true(isolated <= (long)CALLS / 10 * 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_run_short),
	};

	return test_main("interrupts", tests, ARRAY_LEN(tests), 60);
}
