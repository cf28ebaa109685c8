/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handlers.c - what a signal handler must not do: wait, sleep, drain, trim, touch errno
 *
 * Its zone is signal safe and runs short, so that it takes the slow path, and it interrupts threads
 * that hold other locks of the library: a ring's, a pool's, a zone's control, another zone's.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include <pagepool/memory.h>

#include "interrupts.h"
#include "variant.h"
#include "watchdog.h"

#include "control/verbs.h"

#define ENOUGH 1000 /* handlers */

/* The kernel may make a handler sleep in a page fault; ThreadSanitizer sleeps in its own locks. */
#ifdef __SANITIZE_THREAD__
#define SLEEPS_MAX ENOUGH
#else
#define SLEEPS_MAX (ENOUGH / 200)
#endif

static struct pp_zone *safe;

struct tally {
	unsigned int handlers;
	unsigned int slept;
	unsigned int changed_errno;
	unsigned int changed_error;
	unsigned int got;
};

static struct tally tally;

static unsigned int count(const unsigned int *what)
{
	return __atomic_load_n(what, __ATOMIC_RELAXED);
}

static long sleeps(void)
{
	struct rusage use;

	getrusage(RUSAGE_THREAD, &use);
	return use.ru_nvcsw;
}

static void add(unsigned int *what, unsigned int n)
{
	__atomic_fetch_add(what, n, __ATOMIC_RELAXED);
}

/* Wants more than there is, so that nothing which the library might try is left out. */
static void handler(void)
{
	struct pp_page *pages[128];
	char before[240];
	unsigned int got;
	long slept;

	snprintf(before, sizeof(before), "%s", pp_error());
	slept = sleeps();
	errno = 4711;
	got = pp_zone_alloc_bulk(safe, pages, 128);
	pp_zone_free_bulk(safe, pages, got);
	add(&tally.changed_errno, errno != 4711);
	add(&tally.slept, sleeps() != slept);
	add(&tally.changed_error, strcmp(before, pp_error()) != 0);
	add(&tally.got, got);
	add(&tally.handlers, 1);
}

/* ---- threads that hold locks while handlers come --------------------------------------------- */

struct busy {
	struct pinned thread;
	void (*fn)(void);
	bool interrupted;
	unsigned int rounds;
};

static bool enough(void)
{
	return count(&tally.handlers) >= ENOUGH;
}

static void busy_main(void *arg)
{
	struct busy *b = arg;

	interrupts_unblock();
	/* where the library has not seen the thread since, its first handler may wait */
	require(pp_zone_drain_all(safe, 1000000) >= 0);
	if (b->interrupted)
		interrupts_start(2000);
	while (!enough() || count(&b->rounds) < 20) {
		b->fn();
		add(&b->rounds, 1);
	}
	interrupts_stop();
}

static struct busy *running;
static unsigned int nrunning;

static void tell_progress(void)
{
	unsigned int i;

	watchdog_say("%u handlers of %u; rounds of 20:", count(&tally.handlers), ENOUGH);
	for (i = 0; i < nrunning; i++)
		watchdog_say(" %u%s", count(&running[i].rounds),
			     running[i].interrupted ? " (interrupted)" : "");
	watchdog_say("\n");
}

/* Until enough handlers came and each thread got through enough rounds; a deadlock hangs here. */
static void run(struct busy *b, unsigned int n)
{
	unsigned int i;

	memset(&tally, 0, sizeof(tally));
	running = b;
	nrunning = n;
	for (i = 0; i < n; i++)
		pinned_start(&b[i].thread, (int)test_cpu(i % test_cpus()), busy_main, &b[i]);
	for (i = 0; i < n; i++)
		pinned_join(&b[i].thread);
	nrunning = 0;
	print_message("# %u handlers, %u slept, %u pages\n", tally.handlers, tally.slept,
		      tally.got);
	assert_in_range(tally.slept, 0, SLEEPS_MAX);
	assert_int_equal(tally.changed_errno, 0);
	assert_int_equal(tally.changed_error, 0);
}

static void request(const char *line)
{
	static __thread struct control_state state;
	static __thread struct json_writer answer;

	control_answer(&state, line, strlen(line), &answer);
	control_expire(&state, UINT64_MAX);
	jw_free(&answer);
}

static void ask_stat(void)
{
	request("1 stat");
}

static void ask_disable(void)
{
	request("1 disable safe timeout_us=20000");
}

static void ask_trim(void)
{
	request("1 trim");
}

/* Its own pool, of the handlers' zone: ring, closing, registry. */
static void use_pool(void)
{
	struct page_pool *pool = pool_new(safe, 16, 8, 4);
	struct pp_page *pages[16];
	unsigned int i, got;

	for (i = 0; i < 50; i++) {
		got = page_pool_alloc_bulk(pool, pages, 16);
		page_pool_disable_direct_recycling(pool); /* so that they go into the ring */
		page_pool_put_bulk(pages, got);
		page_pool_enable_direct_recycling(pool);
		pool_stats(pool);
	}
	page_pool_trim(pool, 0, 1000);
	page_pool_destroy(pool);
}

static void short_zone(uint32_t drain_us)
{
	struct pp_zone_params p = variant_params(96, 8, 32);

	p.name = "safe";
	p.drain_us = drain_us;
	safe = zone_new(&p);
}

static void beside_requests(void **state)
{
	struct busy b[] = { { .fn = use_pool, .interrupted = true },
			    { .fn = use_pool, .interrupted = true },
			    { .fn = ask_stat },
			    { .fn = ask_trim, .interrupted = true } };

	short_zone(1000000);
	run(b, ARRAY_LEN(b));
	zone_end(safe);
}

static struct pp_zone *other;

static void use_other(void)
{
	struct pp_page *pages[64];
	unsigned int got = pp_zone_alloc_bulk(other, pages, 64);

	pp_zone_free_bulk(other, pages, got);
}

/* An ordinary zone that runs short, and no socket. */
static void beside_another_zone(void **state)
{
	struct busy b[] = { { .fn = use_other, .interrupted = true },
			    { .fn = use_other, .interrupted = true },
			    { .fn = use_other },
			    { .fn = use_pool } };
	struct pp_zone_params p = zone_params(96);

	other = zone_new(&p);
	short_zone(1000000);
	run(b, ARRAY_LEN(b));
	zone_end(safe);
	zone_end(other);
}

static void set_caches(void)
{
	static const uint32_t high[] = { 8, 16, 32 };
	static __thread unsigned int i;
	int err = pp_zone_pcp_set(safe, high[++i % 3], 4);

	require(!err || err == -EBUSY);
}

static void beside_control(void **state)
{
	struct busy b[] = { { .fn = set_caches, .interrupted = true },
			    { .fn = ask_disable, .interrupted = true },
			    { .fn = use_pool },
			    { .fn = ask_stat } };

	short_zone(1000000);
	run(b, ARRAY_LEN(b));
	assert_true(pp_zone_drain_all(safe, 1000000) >=
		    0); /* high was lowered below what they have */
	zone_end(safe);
}

/* ---- a handler that interrupts the program's own code ---------------------------------------- */

static int slow_accept(void *arg, void *base, size_t len)
{
	static bool have_one;

	(void)arg, (void)base, (void)len;
	if (__atomic_exchange_n(&have_one, true, __ATOMIC_RELAXED)) {
		sleep_us(20000);
		return -ENOMEM;
	}
	return 0;
}

static const struct pp_zone_ops slow_ops = { .accept = slow_accept };

static void compute(void)
{
	static unsigned int x;
	unsigned int i;

	for (i = 0; i < 10000; i++)
		__atomic_store_n(&x, i, __ATOMIC_RELAXED);
}

/* The acceptor seems to be on its way all the time, but a handler does not wait for it. */
static void beside_slow_acceptor(void **state)
{
	struct busy b[] = { { .fn = compute, .interrupted = true } };
	struct pp_zone_params p = variant_params(2048, 8, 32);
	struct pp_page *pages[2048];
	unsigned int got, i;

	p.flags |= PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD;
	p.ops = &slow_ops;
	p.low = 1;
	safe = zone_new(&p);
	for (got = 0; got < 512;)
		got += pp_zone_alloc_bulk(safe, pages + got, 512 - got);
	run(b, 1);
	for (i = 0; i < got; i += 64)
		pp_zone_free_bulk(safe, pages + i, got - i < 64 ? got - i : 64);
	zone_end(safe);
}

static void drain_nothing(bool known)
{
	struct busy b[] = { { .fn = compute, .interrupted = true } };
	struct page_pool *pool;
	struct pp_page *pages[64], *rest[96];
	unsigned int got;
	uint64_t drains;

	short_zone(1000000);
	pool = pool_new(safe, 64, 64, 32);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, 48), 48);
	page_pool_put_bulk(pages, 48);
	got = pp_zone_alloc_bulk(safe, rest, 32);
	drains = zone_stats(safe).drains;
	b[0].fn = known ? use_other : compute;
	run(b, 1);
	assert_int_equal(pool_stats(pool).trims, 0);
	assert_int_equal(zone_stats(safe).drains, drains);
	pp_zone_free_bulk(safe, rest, got);
	page_pool_destroy(pool);
	zone_end(safe);
}

/* A thread that the library has seen outside of handlers: in another zone. */
static void drains_and_trims_nothing(void **state)
{
	struct pp_zone_params p = zone_params(96);

	other = zone_new(&p);
	drain_nothing(true);
	zone_end(other);
}

/* ---- a timer that is faster than drain_us ---------------------------------------------------- */

static void starve_main(void *arg)
{
	struct pp_page *pages[128];
	unsigned int i, got;

	interrupts_start(2000);
	for (i = 0; i < 100; i++) {
		got = pp_zone_alloc_bulk(safe, pages, 128);
		require(pp_zone_pcp_disable(safe, 1000000) == 0);
		pp_zone_pcp_enable(safe);
		pp_zone_free_bulk(safe, pages, got);
	}
	interrupts_stop();
}

static void thread_gets_on(void **state)
{
	struct pinned threads[2];
	unsigned int i;

	short_zone(1000000);
	for (i = 0; i < 2; i++)
		pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), starve_main, NULL);
	for (i = 0; i < 2; i++)
		pinned_join(&threads[i]);
	zone_end(safe);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_requests),	    cmocka_unit_test(beside_another_zone),
		cmocka_unit_test(beside_control),	    cmocka_unit_test(beside_slow_acceptor),
		cmocka_unit_test(drains_and_trims_nothing), cmocka_unit_test(thread_gets_on),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	interrupts_init(handler);
	watchdog_report(tell_progress);
	return test_main("handlers", tests, ARRAY_LEN(tests), 140);
}
