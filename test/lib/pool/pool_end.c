/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_end.c - trims beside all that a pool does, without membarrier, beside a stopped owner;
 * and the end of a pool while its pages come home
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupts.h"
#include "pool/pool_fixture.h"

/* ---- storm ----------------------------------------------------------------------------------- */

#define PAGES 4096u
#define SLOTS 256u

struct storm {
	struct pp_zone *zone;
	struct page_pool *pool;
	struct pp_page *slot[SLOTS]; /* from the owner to the threads that return */
	unsigned int stop;
	unsigned long trims;
	unsigned long timeouts;
	unsigned long snapshots;
};

static bool over(struct storm *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

static void producer_main(void *arg)
{
	struct storm *s = arg;
	struct pp_page *pages[SLOTS];
	unsigned int i, n;
	bool last;

	do {
		last = over(s);
		for (i = n = 0; i < SLOTS; i++) {
			pages[n] = __atomic_exchange_n(&s->slot[i], NULL, __ATOMIC_ACQ_REL);
			n += !!pages[n];
		}
		page_pool_put_bulk(pages, n);
	} while (!last);
}

static void trimmer_main(void *arg)
{
	struct storm *s = arg;
	struct rng r = rng_init((uint64_t)(uintptr_t)&r);
	long k;

	while (!over(s)) {
		k = page_pool_trim(s->pool, rng_below(&r, 3) * 40, 20000);
		require(k >= 0 || k == -ETIMEDOUT);
		__atomic_fetch_add(k < 0 ? &s->timeouts : &s->trims, 1, __ATOMIC_RELAXED);
		if (!rng_below(&r, 4))
			sleep_us(50);
	}
}

static void reader_main(void *arg)
{
	struct storm *s = arg;
	struct page_pool_stats p;

	while (!over(s)) {
		p = pool_stats(s->pool);
		require(p.outstanding == p.alloc_fast + p.alloc_slow + p.alloc_slow_ho +
						 p.alloc_refill + p.alloc_reserve -
						 p.recycle_cached - p.recycle_ring -
						 p.recycle_ring_full - p.recycle_released_ref);
		require((int64_t)p.outstanding >= 0);
		require(p.outstanding <= PAGES);
		require(p.cache <= 128 && p.ring <= 1024 && p.inflight_max <= PAGES);
		require(p.double_puts == 0 && p.wrong_owner == 0);
		s->snapshots++;
	}
}

/* One call of the owner's, in ns. */
static uint64_t owner_round(struct storm *s, struct rng *r)
{
	struct pp_page *pages[64], *old;
	unsigned int n = 1 + rng_below(r, 64), i, k = 0;
	uint64_t start = (uint64_t)(now_s() * 1e9), took;

	n = page_pool_alloc_bulk(s->pool, pages, n);
	took = (uint64_t)(now_s() * 1e9) - start;
	require(n);
	for (i = 0; i < n; i++)
		page_is_fresh(s->zone, pages[i]);
	for (i = 0; i < n / 2; i++) {
		old = __atomic_exchange_n(&s->slot[rng_below(r, SLOTS)], pages[i],
					  __ATOMIC_ACQ_REL);
		if (old)
			pages[k++] = old;
	}
	memmove(pages + k, pages + n / 2, (n - n / 2) * sizeof(*pages));
	page_pool_put_bulk(pages, k + n - n / 2);
	return took;
}

static void storm_with(uint32_t flags)
{
	static void (*const others[])(void *arg) = { producer_main, producer_main, trimmer_main,
						     trimmer_main, reader_main };
	struct pp_zone_params zp = zone_params(PAGES);
	struct storm s = { .zone = zone_new(&zp) };
	struct page_pool_params pp = { .sz = sizeof(pp),
				       .zone = s.zone,
				       .pool_size = 1024,
				       .cache_size = 128,
				       .refill = 64,
				       .flags = flags };
	double end = now_s() + test_seconds("PP_STORM_SECONDS", 1, 20);
	struct pinned threads[ARRAY_LEN(others)];
	struct rng r = rng_init(0);
	uint64_t took, longest = 0;
	unsigned long rounds = 0;
	unsigned int i;

	s.pool = page_pool_create(&pp);
	require(s.pool);
	for (i = 0; i < ARRAY_LEN(others); i++)
		pinned_start(&threads[i], -1, others[i], &s);
	while (now_s() < end) {
		took = owner_round(&s, &r);
		longest = took > longest ? took : longest;
		rounds++;
	}
	__atomic_store_n(&s.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < ARRAY_LEN(others); i++)
		pinned_join(&threads[i]);
	producer_main(&s); /* what lies in the slots */
	print_message("%lu rounds, %lu trims, %lu in vain, %lu snapshots; the owner's longest "
		      "call: %llu us, with the scheduler's part\n",
		      rounds, s.trims, s.timeouts, s.snapshots, (unsigned long long)longest / 1000);
	assert_true(s.trims > 100 && s.snapshots > 100);
	pool_check(s.pool, 0);
	page_pool_destroy(s.pool);
	zone_end(s.zone);
}

static void storm(void **state)
{
	(void)state;
	storm_with(0);
}

static void isolated_storm(void **state)
{
	(void)state;
	storm_with(PAGE_POOL_ISOLATED);
}

/* ---- without membarrier ---------------------------------------------------------------------- */

static void no_membarrier(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_LEN(code), code };

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	require(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
	require(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) == -1 && errno == ENOSYS);
}

static void fenced_storm(void **state)
{
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		no_membarrier();
		storm(NULL);
		fflush(stdout);
		_exit(0);
	}
	child_ends_well(pid);
}

/* ---- an owner that stands still -------------------------------------------------------------- */

static struct {
	struct page_pool *pool;
	sem_t parked;
	sem_t go;
	long in_handler;
	unsigned int stop;
} standing;

/* In the middle of whatever the owner did, perhaps of a turn. */
static void park(int sig)
{
	int err = errno;

	standing.in_handler = page_pool_trim(standing.pool, 0, 1000);
	sem_post(&standing.parked);
	while (sem_wait(&standing.go))
		;
	errno = err;
}

static void busy_owner(void *arg)
{
	struct pp_page *pages[8];
	unsigned int n;

	page_pool_enable_direct_recycling(standing.pool);
	sem_post(&standing.parked);
	while (!__atomic_load_n(&standing.stop, __ATOMIC_ACQUIRE)) {
		n = page_pool_alloc_bulk(standing.pool, pages, 8);
		require(n == 8);
		page_pool_put_bulk(pages, n);
	}
	page_pool_disable_direct_recycling(standing.pool);
}

/* Wherever it was stopped: a trim empties the pool or says why not, in time; nothing is lost. */
static void stopped_owner(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);
	struct sigaction sa = { .sa_handler = park, .sa_flags = SA_RESTART };
	unsigned int i, inside = 0;
	struct pinned owner;
	double start;
	long k;

	standing.pool = f.pool;
	sem_init(&standing.parked, 0, 0);
	sem_init(&standing.go, 0, 0);
	require(!sigaction(SIGUSR1, &sa, NULL));
	pinned_start(&owner, (int)test_cpu(1 % test_cpus()), busy_owner, NULL);
	sem_wait(&standing.parked);
	for (i = 0; i < 300; i++) {
		sleep_us(20); /* so that it went on after the last time */
		require(!pthread_kill(owner.thread, SIGUSR1));
		while (sem_wait(&standing.parked))
			;
		start = now_s();
		k = page_pool_trim(f.pool, 0, 500);
		require(now_s() - start < 2);
		require(k >= 0 || k == -ETIMEDOUT);
		require((standing.in_handler == -EDEADLK) == (k == -ETIMEDOUT));
		require(k < 0 || pool_stats(f.pool).cache == 0);
		inside += k < 0;
		sem_post(&standing.go);
	}
	__atomic_store_n(&standing.stop, 1, __ATOMIC_RELEASE);
	pinned_join(&owner);
	print_message("%u of %u times in the middle of a turn\n", inside, i);
	assert_true(inside && inside < i);
	page_pool_enable_direct_recycling(f.pool);
	fixture_end(&f);
}

/* ---- idle ------------------------------------------------------------------------------------ */

static void idle_pool_shrinks(void **state)
{
	struct pp_zone_params zp = zone_params(256);
	struct fixture f = { .zone = zone_new(&zp) };
	struct page_pool_params p = { .sz = sizeof(p), .zone = f.zone, .idle_ms = 30 };
	unsigned int i;

	f.pool = page_pool_create(&p);
	require(f.pool);
	take(&f, 0, 64);
	give(&f, 0, 64, true);
	pp_zone_maintain(f.zone);
	for (i = 0; i < 10; i++) { /* in use */
		sleep_us(5000);
		take(&f, 0, 1);
		give(&f, 0, 1, true);
		pp_zone_maintain(f.zone);
	}
	assert_int_equal(pool_stats(f.pool).cache, 64);
	for (i = 0; i < 5; i++) {
		sleep_us(40000);
		pp_zone_maintain(f.zone);
	}
	assert_int_equal(pool_stats(f.pool).cache, 0);
	assert_int_equal(pool_stats(f.pool).trims, 1); /* nothing is done to an empty one */
	fixture_end(&f);
}

/* ---- a handler that finds nothing ------------------------------------------------------------ */

static struct pp_zone *empty;
static unsigned int handled;

static void ask(void)
{
	struct pp_page *page;

	require(!pp_zone_alloc_bulk(empty, &page, 1));
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

/* It asks the pools while its own thread may be changing their list: it must not wait for that. */
static void handler_beside_create(void **state)
{
	struct pp_zone_params zp = zone_params(64);
	struct fixture f = { 0 };
	double end = now_s() + test_seconds("PP_HANDLER_SECONDS", 0.5, 5);

	zp.flags = PP_ZONE_SIGNAL_SAFE;
	zp.drain_us = 100;
	empty = f.zone = zone_new(&zp);
	f.pool = pool_new(f.zone, 0, 0, 0);
	take(&f, 0, 64);
	interrupts_init(ask);
	interrupts_start(20000);
	while (now_s() < end)
		page_pool_destroy(pool_new(f.zone, 2, 1, 1));
	interrupts_stop();
	assert_true(handled > 20);
	give(&f, 0, 64, true);
	fixture_end(&f);
}

/* ---- the end --------------------------------------------------------------------------------- */

struct late {
	struct pp_page *pages[64];
	unsigned int n;
	unsigned int after_us;
	unsigned int *go;
};

static void late_main(void *arg)
{
	struct late *l = arg;
	unsigned int i;

	while (!__atomic_load_n(l->go, __ATOMIC_ACQUIRE))
		;
	sleep_us(l->after_us);
	for (i = 0; i < l->n; i++)
		page_pool_put_page(NULL, l->pages[i], false);
}

static void on_report(void *arg, const struct page_pool_report *report)
{
	unsigned int *told = arg;

	require(report->outstanding && report->outstanding <= 64);
	require(report->nholders <= 16 && report->nholders <= 64);
	++*told;
}

/* Pages come home before, while and after it is waited for: nothing is lost, nobody is touched. */
static void late_returns(void **state)
{
	struct rng r = rng_init(7);
	unsigned int round, told, go, timeouts = 0;
	struct page_pool_end end = { .sz = sizeof(end), .report_ms = 1 };
	struct fixture f;
	struct pinned thread;
	struct late l;
	int err;

	end.report = on_report;
	end.arg = &told;
	for (round = 0; round < 60; round++) {
		f = fixture(128, 64, 0, 0);
		told = go = 0;
		l = (struct late){ .n = 64, .after_us = rng_below(&r, 5000), .go = &go };
		take(&f, 0, 64);
		memcpy(l.pages, f.pages, sizeof(l.pages));
		pinned_start(&thread, -1, late_main, &l);
		end.timeout_ms = rng_below(&r, 5);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		err = page_pool_destroy_wait(f.pool, &end);
		require(!err || err == -ETIMEDOUT);
		require(!err || told);
		timeouts += !!err;
		pinned_join(&thread);
		zone_end(f.zone);
	}
	print_message("%u of %u ran out of time\n", timeouts, round);
	assert_true(timeouts && timeouts < round);
}

/* Given back by a thread that had it from the zone, long ago: it waits in a pool's cache by now. */
static void put_of_a_page_at_home(void **state)
{
	struct fixture f = fixture(64, 0, 64, 64);
	unsigned int i;

	if (PP_DEBUG)
		skip_because("a debug build aborts here, as it should");
	require(pp_zone_alloc_bulk(f.zone, f.pages, 64) == 64);
	pp_zone_free_bulk(f.zone, f.pages, 64);
	take(&f, 0, 64);
	give(&f, 0, 63, true); /* 63 in the cache, of which none was out before */
	require(page_pool_trim(f.pool, 0, 0) == 63);
	require(pp_zone_alloc_bulk(f.zone, f.pages, 63) == 63);
	pp_zone_free_bulk(f.zone, f.pages, 63);
	page_pool_put_page(f.pool, f.pages[63], true);
	require(page_pool_alloc_bulk(f.pool, f.pages + 63, 2) == 2); /* 62 more are at home */
	for (i = 0; i < 63; i++)
		if (f.pages[i] != f.pages[63] && f.pages[i] != f.pages[64])
			page_pool_put_page(f.pool, f.pages[i], true);
	assert_int_equal(pool_stats(f.pool).double_puts, 62);
	page_pool_put_bulk(f.pages + 63, 2);
	fixture_end(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm),
		cmocka_unit_test(isolated_storm),
		cmocka_unit_test(fenced_storm),
		cmocka_unit_test(stopped_owner),
		cmocka_unit_test(late_returns),
		cmocka_unit_test(idle_pool_shrinks),
		cmocka_unit_test(handler_beside_create),
		cmocka_unit_test(put_of_a_page_at_home),
	};

	return test_main("pool end", tests, ARRAY_LEN(tests), 120);
}
