/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * harness.h - what the tests of the library share
 *
 * Each program prints its random seed; PP_SEED=N repeats a run, and PP_TEST=PATTERN
 * runs some of its tests. Checks in threads other than cmocka's use require(), which aborts:
 * cmocka's own asserts jump out of the wrong stack there.
 */
#ifndef PP_TEST_HARNESS_H
#define PP_TEST_HARNESS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <pthread.h>
#include <cmocka.h>

#include <pagepool/error.h>
#include <pagepool/page.h>
#include <pagepool/page_pool.h>
#include <pagepool/stats.h>
#include <pagepool/zone.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* true in every thread, and with assertions compiled out */
#define require(cond)                                              \
	do {                                                       \
		if (!(cond))                                       \
			require_failed(__FILE__, __LINE__, #cond); \
	} while (0)

_Noreturn void require_failed(const char *file, int line, const char *what);

struct rng {
	uint64_t state;
};

/* run all tests of a program: print the seed, arm the watchdog, let cmocka loop */
int test_main(const char *name, const struct CMUnitTest *tests, size_t n, unsigned int watchdog_s);

/* say why, where test/run.sh finds it, and leave the test as skipped */
_Noreturn void skip_because(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* a generator of its own for each thread, derived from the program's seed */
struct rng rng_init(uint64_t stream);
uint64_t rng_next(struct rng *r);
/* 0 .. n - 1 */
unsigned int rng_below(struct rng *r, unsigned int n);

/* duration of a stress test: environment variable @name, else @full with PP_FULL=1, else @quick */
double test_seconds(const char *name, double quick, double full);
double now_s(void);
void sleep_us(unsigned int us);

/* CPUs that there are, running or not */
unsigned int cores_of_machine(void);
/* CPUs that this process may use */
unsigned int test_cpus(void);
unsigned int test_cpu(unsigned int i);
void pin_to(unsigned int cpu);
void unpin(void);
/* skip the test, with the reason, unless two CPUs are there */
void need_two_cpus(void);
/* Before the first test: the program ends as skipped (77) where @policy does not run. */
void need_policy(const char *policy);

/* fork(), with nothing in stdio that both would write. */
pid_t child_fork(void);
/* Wait for @pid, which must exit with 0. */
void child_ends_well(pid_t pid);

struct pinned {
	pthread_t thread;
	int cpu;
	void (*fn)(void *arg);
	void *arg;
};

/* start @fn on @cpu (-1: any) */
void pinned_start(struct pinned *p, int cpu, void (*fn)(void *arg), void *arg);
void pinned_join(struct pinned *p);
/* start and join */
void run_on(int cpu, void (*fn)(void *arg), void *arg);

/*
 * Two threads arrive at the same step at once, so that a race is met and not waited for. Each
 * calls it with @step 0, 1, 2 ...; @arrived begins at 0.
 */
void meet(unsigned int *arrived, unsigned int step);

struct pp_zone_params zone_params(uint64_t pages);
struct pp_zone *zone_new(const struct pp_zone_params *params);
struct pp_zone_stats zone_stats(struct pp_zone *zone);
/* a drain beside busy threads: a holder that lost its CPU is an answer, anything else is not */
bool drain_done(long err);
/* the ledger, with @out pages known to be with the test; nothing else may run in the zone */
void zone_check(struct pp_zone *zone, uint64_t out);
/* runs of pages are in use, too, which have caches of their own */
extern bool zone_has_runs;
/* the ledger with every page at home, then the end */
void zone_end(struct pp_zone *zone);

struct page_pool *pool_new(struct pp_zone *zone, uint32_t ring, uint32_t cache, uint32_t refill);
struct page_pool_stats pool_stats(struct page_pool *pool);
/* hold - release == cache + ring + outstanding, with @out pages with the test */
void pool_check(struct page_pool *pool, uint64_t out);

/* are all of these pages different, and pages of the zone? */
void pages_distinct(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);
/* the state in which an allocation leaves a page */
void page_is_fresh(struct pp_zone *zone, const struct pp_page *page);
uint64_t page_index(struct pp_zone *zone, const struct pp_page *page);

#endif /* PP_TEST_HARNESS_H */
