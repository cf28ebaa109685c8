/* SPDX-License-Identifier: BSD-3-Clause */
/* harness.c - ledger checks, pinned threads, seeds */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pagepool/policy.h>

#include "harness.h"
#include "watchdog.h"

static uint64_t seed;
static cpu_set_t all_cpus;

void require_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: require(%s) failed; repeat with PP_SEED=%llu\n", file, line, what,
		(unsigned long long)seed);
	abort();
}

void skip_because(const char *fmt, ...)
{
	va_list ap;

	fputs("SKIP: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fputc('\n', stdout);
	fflush(stdout);
	skip();
	abort();
}

int test_main(const char *name, const struct CMUnitTest *tests, size_t n, unsigned int watchdog_s)
{
	const char *env = getenv("PP_SEED"), *filter = getenv("PP_TEST");

	seed = env ? strtoull(env, NULL, 0) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
	printf("# %s: PP_SEED=%llu\n", name, (unsigned long long)seed);
	fflush(stdout);
	if (sched_getaffinity(0, sizeof(all_cpus), &all_cpus))
		require_failed(__FILE__, __LINE__, "sched_getaffinity");
	if (filter)
		cmocka_set_test_filter(filter);
	watchdog_start(watchdog_s);
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL) ? 1 : 0;
}

struct rng rng_init(uint64_t stream)
{
	struct rng r = { seed ^ (stream + 1) * 0x9e3779b97f4a7c15ull };

	rng_next(&r);
	return r;
}

/* splitmix64: any state will do, so that a seed cannot be a bad one */
uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (unsigned int)(rng_next(r) % n);
}

double test_seconds(const char *name, double quick, double full)
{
	const char *env = getenv(name);
	const char *all = getenv("PP_FULL");

	if (env)
		return atof(env);
	return all && !strcmp(all, "1") ? full : quick;
}

double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void sleep_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&ts, NULL);
}

unsigned int cores_of_machine(void)
{
	return (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
}

unsigned int test_cpus(void)
{
	return (unsigned int)CPU_COUNT(&all_cpus);
}

unsigned int test_cpu(unsigned int i)
{
	unsigned int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all_cpus) && i-- == 0)
			return cpu;
	require(!"fewer CPUs than the test asked for");
	return 0;
}

void pin_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	require(!pthread_setaffinity_np(pthread_self(), sizeof(set), &set));
}

void unpin(void)
{
	require(!pthread_setaffinity_np(pthread_self(), sizeof(all_cpus), &all_cpus));
}

void need_two_cpus(void)
{
	if (test_cpus() < 2)
		skip_because("needs two CPUs, this process may use %u", test_cpus());
}

void need_policy(const char *policy)
{
	if (!pp_policy_check(policy))
		return;
	printf("SKIP: policy %s does not run here: %s\n", policy, pp_error());
	exit(77);
}

pid_t child_fork(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	require(pid >= 0);
	return pid;
}

void child_ends_well(pid_t pid)
{
	int status;

	require(waitpid(pid, &status, 0) == pid);
	require(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void *pinned_main(void *arg)
{
	struct pinned *p = arg;

	if (p->cpu >= 0)
		pin_to((unsigned int)p->cpu);
	p->fn(p->arg);
	return NULL;
}

void pinned_start(struct pinned *p, int cpu, void (*fn)(void *arg), void *arg)
{
	p->cpu = cpu;
	p->fn = fn;
	p->arg = arg;
	require(!pthread_create(&p->thread, NULL, pinned_main, p));
}

void pinned_join(struct pinned *p)
{
	require(!pthread_join(p->thread, NULL));
}

void run_on(int cpu, void (*fn)(void *arg), void *arg)
{
	struct pinned p;

	pinned_start(&p, cpu, fn, arg);
	pinned_join(&p);
}

void meet(unsigned int *arrived, unsigned int step)
{
	unsigned int spins = 0;

	__atomic_fetch_add(arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(arrived, __ATOMIC_ACQUIRE) < 2 * (step + 1))
		if (++spins % 1000 == 0)
			sched_yield();
}

struct pp_zone_params zone_params(uint64_t pages)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = pages, .page_size = 2048 };

	return p;
}

struct pp_zone *zone_new(const struct pp_zone_params *params)
{
	struct pp_zone *zone = pp_zone_create(params);

	if (!zone)
		fprintf(stderr, "pp_zone_create: %s: %s\n", strerror(errno), pp_error());
	require(zone);
	return zone;
}

struct pp_zone_stats zone_stats(struct pp_zone *zone)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	require(pp_zone_get_stats(zone, &s) == 0);
	return s;
}

bool drain_done(long err)
{
	require(err >= 0 || err == -ETIMEDOUT);
	return err >= 0;
}

/* rseq and llist have no hold in which to count what goes in and out of a cache */
static bool counts_pages(struct pp_zone *zone)
{
	return strcmp(pp_zone_policy(zone), "rseq") && strcmp(pp_zone_policy(zone), "llist");
}

/* A drain out of time leaves the list that it switched away to the next drain. */
static bool leaves_lists(struct pp_zone *zone)
{
	const char *policy = pp_zone_policy(zone);

	return zone_stats(zone).drain_timeouts &&
	       (!strcmp(policy, "rcu") || !strcmp(policy, "rseq"));
}

bool zone_has_runs;

void zone_check(struct pp_zone *zone, uint64_t out)
{
	struct pp_audit a = { .sz = sizeof(a) };
	struct pp_zone_stats s = zone_stats(zone);
	uint64_t cached = 0, most;
	unsigned int i;

	require(s.free + s.cached + s.in_flight + s.isolated + s.unaccepted == s.managed);
	require(s.managed == pp_zone_pages(zone));
	require(s.in_flight == out);
	require(!counts_pages(zone) || s.allocs - s.frees == out);
	/* runs of 2, 4 and 8 have caches as large again, at least four of each */
	most = zone_has_runs ? 4 * s.high + 56 : s.high;
	most *= leaves_lists(zone) ? 2 : 1;
	for (i = 0; i < pp_zone_cores(zone); i++) {
		require(pp_zone_cached(zone, i) <= most);
		cached += pp_zone_cached(zone, i);
	}
	require(s.cached == cached);
	require(pp_zone_audit(zone, &a) == 0);
	require(a.managed == s.managed);
	/* what a pool refused did no harm: the test that provokes that counts it */
	require(a.double_free == s.double_puts);
	require(a.leaked == out);
	require(a.home == a.managed - out);
}

void zone_end(struct pp_zone *zone)
{
	zone_check(zone, 0);
	require(pp_zone_destroy(zone) == 0);
}

struct page_pool *pool_new(struct pp_zone *zone, uint32_t ring, uint32_t cache, uint32_t refill)
{
	struct page_pool_params p = {
		.sz = sizeof(p),
		.zone = zone,
		.pool_size = ring,
		.cache_size = cache,
		.refill = refill,
	};
	struct page_pool *pool = page_pool_create(&p);

	if (!pool)
		fprintf(stderr, "page_pool_create: %s: %s\n", strerror(errno), pp_error());
	require(pool);
	return pool;
}

struct page_pool_stats pool_stats(struct page_pool *pool)
{
	struct page_pool_stats s = { .sz = sizeof(s) };

	require(page_pool_get_stats(pool, &s) == 0);
	return s;
}

void pool_check(struct page_pool *pool, uint64_t out)
{
	struct page_pool_stats s = pool_stats(pool);

	require(s.outstanding == out);
	require(page_pool_inflight(pool) >= 0);
	require((uint64_t)page_pool_inflight(pool) == s.cache + s.ring + s.outstanding);
}

uint64_t page_index(struct pp_zone *zone, const struct pp_page *page)
{
	const struct pp_page *table = pp_zone_page_table(zone);

	require(page >= table && page < table + pp_zone_pages(zone));
	return (uint64_t)(page - table);
}

void pages_distinct(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	unsigned char *seen = calloc(pp_zone_pages(zone), 1);
	unsigned int i;

	require(seen);
	for (i = 0; i < n; i++) {
		require(pages[i]);
		require(seen[page_index(zone, pages[i])]++ == 0);
	}
	free(seen);
}

void page_is_fresh(struct pp_zone *zone, const struct pp_page *page)
{
	uint64_t i = page_index(zone, page);

	require(page->next == NULL);
	require(page->len == 0);
	require(page->port == 0);
	require(page->data_off == pp_zone_headroom(zone));
	require(page->refs == 1);
	require(page->pp_refs == 1);
	require(page->owner == 0);
	require(page->zone == zone);
	require(pp_page_size(page) == pp_zone_page_size(zone));
	require(page->addr ==
		(unsigned char *)pp_zone_base(zone) + i * (uint64_t)pp_zone_page_size(zone));
}
