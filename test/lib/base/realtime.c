/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * realtime.c - how long a SCHED_FIFO thread waits for a holder that it preempted
 *
 * All threads of a scene run on one CPU: ordinary ones that use the zone without a pause, in
 * some scenes a hog of middle priority, and the FIFO thread, which comes by a timer and so
 * preempts a holder now and then. Each wait is measured; the worst are printed.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "base/lock.h"

#define PRIO_WAITER 30
#define PRIO_HOG    20

/* A wait as long as this means that the holder did not run: its hold takes far less. */
#define LONG_NS 2000000u

static unsigned int cpu;

static void nap(unsigned int us)
{
	const struct timespec t = { .tv_nsec = (long)us * 1000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void spin_for(clockid_t clock, uint64_t ns)
{
	uint64_t end = clock_ns(clock) + ns;

	while (clock_ns(clock) < end)
		;
}

static bool become_fifo(int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	return !sched_setscheduler(0, SCHED_FIFO, &param);
}

static void need_fifo(void)
{
	const struct sched_param none = { 0 };

	if (!become_fifo(1))
		skip_because("needs SCHED_FIFO: %s", strerror(errno));
	require(!sched_setscheduler(0, SCHED_OTHER, &none));
	cpu = test_cpu(test_cpus() - 1);
}

/* ---- the lock itself ------------------------------------------------------------------------- */

static struct pp_lock lock;
static sem_t held, hog_start;
static bool stop;
static unsigned int counter;

static void hold_for_3_ms(void *arg)
{
	(void)arg;
	pp_lock(&lock);
	sem_post(&held);
	spin_for(CLOCK_THREAD_CPUTIME_ID, 3000000);
	pp_unlock(&lock);
}

static void hog_once(void *arg)
{
	uint64_t end;

	(void)arg;
	require(become_fifo(PRIO_HOG));
	sem_wait(&hog_start);
	end = clock_ns(CLOCK_MONOTONIC) + 200000000;
	while (!READ_ONCE(stop) && clock_ns(CLOCK_MONOTONIC) < end)
		;
}

static void wait_beside_hog(void *arg)
{
	uint64_t *waited = arg, start;

	require(become_fifo(PRIO_WAITER));
	sem_wait(&held);
	start = clock_ns(CLOCK_MONOTONIC);
	sem_post(&hog_start);
	pp_lock(&lock);
	*waited = clock_ns(CLOCK_MONOTONIC) - start;
	WRITE_ONCE(stop, true);
	pp_unlock(&lock);
}

static void lock_once(void *arg)
{
	(void)arg;
	pp_lock(&lock);
	counter++;
	pp_unlock(&lock);
}

/* The holder of 3 ms is lent the waiter's priority, so that the hog of 200 ms does not delay it. */
static void test_holder_is_lent_priority(void **state)
{
	struct pinned waiter, hog, holder, ordinary[2];
	uint64_t waited, worst = 0;
	unsigned int round, i;

	(void)state;
	need_fifo();
	counter = 0;
	for (round = 0; round < 5; round++) {
		sem_init(&held, 0, 0);
		sem_init(&hog_start, 0, 0);
		stop = false;
		pinned_start(&waiter, (int)cpu, wait_beside_hog, &waited);
		pinned_start(&hog, (int)cpu, hog_once, NULL);
		nap(2000);
		pinned_start(&holder, (int)cpu, hold_for_3_ms, NULL);
		for (i = 0; i < 2; i++)
			pinned_start(&ordinary[i], -1, lock_once, NULL);
		pinned_join(&waiter);
		pinned_join(&hog);
		pinned_join(&holder);
		for (i = 0; i < 2; i++)
			pinned_join(&ordinary[i]);
		worst = waited > worst ? waited : worst;
	}
	printf("lock: worst wait of 5, hold of 3 ms, hog of 200 ms: %.1f ms\n",
	       (double)worst / 1e6);
	assert_int_equal(counter, 10);
	assert_true(worst < 100000000);
	assert_int_equal(lock.word, 0);
}

static void time_out(void *arg)
{
	bool *got = arg;

	require(become_fifo(PRIO_WAITER));
	*got = pp_lock_timed(&lock, 5000);
}

/* A real-time waiter with a bound gives up, and leaves a lock that others can still take. */
static void test_timed_wait_ends(void **state)
{
	struct pinned waiter;
	bool got = true;

	(void)state;
	need_fifo();
	pp_lock(&lock);
	pinned_start(&waiter, -1, time_out, &got);
	pinned_join(&waiter);
	assert_false(got);
	pp_unlock(&lock);
	assert_true(pp_trylock(&lock));
	pp_unlock(&lock);
}

static void count_up(void *arg)
{
	unsigned int i;

	if (arg)
		require(become_fifo(*(int *)arg));
	for (i = 0; i < 20000; i++) {
		pp_lock(&lock);
		WRITE_ONCE(counter, READ_ONCE(counter) + 1);
		pp_unlock(&lock);
		if (arg && !(i % 64))
			nap(50);
	}
}

/* Real-time and ordinary threads sleep at one lock: each of them gets it, one at a time. */
static void test_both_kinds_of_waiters(void **state)
{
	int priority[2] = { PRIO_WAITER, PRIO_HOG };
	struct pinned threads[5];
	unsigned int i;

	(void)state;
	need_fifo();
	counter = 0;
	for (i = 0; i < 5; i++)
		pinned_start(&threads[i], -1, count_up, i < 2 ? &priority[i] : NULL);
	for (i = 0; i < 5; i++)
		pinned_join(&threads[i]);
	assert_int_equal(counter, 100000);
	assert_int_equal(lock.word, 0);
}

static int in_child(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	require(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void lock_names_me(void)
{
	pp_lock(&lock);
	if (READ_ONCE(lock.word) != (uint32_t)syscall(SYS_gettid))
		_exit(1);
	pp_unlock(&lock);
}

/* A lock that named the parent's thread would lend priority to a stranger. */
static void test_child_has_its_own_name(void **state)
{
	(void)state;
	pp_lock(&lock);
	pp_unlock(&lock);
	assert_int_equal(in_child(lock_names_me), 0);
}

/* As kernels without PI futexes, and some emulators, answer. */
static bool forbid_pi_futexes(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FUTEX_CMD_MASK & 0xff),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_LOCK_PI, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_UNLOCK_PI, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 13 /* FUTEX_LOCK_PI2 */, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_LEN(filter), filter };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void both_kinds_without_pi(void)
{
	struct pinned waiter;
	bool got = true;

	if (!forbid_pi_futexes())
		_exit(77);
	if (syscall(SYS_futex, &counter, FUTEX_LOCK_PI_PRIVATE, 0, NULL) != -1 || errno != ENOSYS)
		_exit(2);
	test_both_kinds_of_waiters(NULL);
	pp_lock(&lock);
	pinned_start(&waiter, -1, time_out, &got);
	pinned_join(&waiter);
	pp_unlock(&lock);
	_exit(got);
}

/* Without PI futexes the lock is one without inheritance. */
static void test_kernel_without_pi(void **state)
{
	int status;

	(void)state;
	need_fifo();
	status = in_child(both_kinds_without_pi);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("needs seccomp filters");
	assert_int_equal(status, 0);
}

/* ---- the zone -------------------------------------------------------------------------------- */

#define ROUNDS 100u
#define CACHE  64u

struct scene {
	struct pp_zone *zone;
	bool stop;
	uint64_t waited[ROUNDS];
	unsigned int timeouts;
};

/* More than a cache holds: each call is a hold of the cache and of the zone's lock. */
static void use_zone(void *arg)
{
	struct scene *s = arg;
	struct pp_page *pages[4 * CACHE];
	unsigned int n;

	while (!READ_ONCE(s->stop)) {
		n = pp_zone_alloc_bulk(s->zone, pages, 4 * CACHE);
		pp_zone_free_bulk(s->zone, pages, n);
	}
}

/* It runs two thirds of the time, which leaves what real-time throttling asks for. */
static void hog(void *arg)
{
	struct scene *s = arg;

	require(become_fifo(PRIO_HOG));
	while (!READ_ONCE(s->stop)) {
		spin_for(CLOCK_MONOTONIC, 8000000);
		nap(4000);
	}
}

static void measure_waits(void *arg)
{
	struct scene *s = arg;
	struct rng rng = rng_init(7);
	struct pp_page *pages[CACHE + 1];
	unsigned int i, n;
	uint64_t start;

	require(become_fifo(PRIO_WAITER));
	for (i = 0; i < ROUNDS; i++) {
		nap(500 + rng_below(&rng, 3000));
		start = clock_ns(CLOCK_MONOTONIC);
		n = pp_zone_alloc_bulk(s->zone, pages, CACHE + 1);
		pp_zone_free_bulk(s->zone, pages, n);
		s->waited[i] = clock_ns(CLOCK_MONOTONIC) - start;
		require(n == CACHE + 1);
	}
}

static void measure_drains(void *arg)
{
	struct scene *s = arg;
	unsigned int i;
	long moved;

	require(become_fifo(PRIO_WAITER));
	for (i = 0; i < 20; i++) {
		nap(500);
		moved = pp_zone_drain_all(s->zone, 50000);
		require(moved >= 0 || moved == -ETIMEDOUT);
		s->timeouts += moved < 0;
	}
}

static void play(struct scene *s, const char *policy, bool with_hog, void (*waiter)(void *arg))
{
	struct pp_zone_params params = zone_params(4096);
	struct pinned load[2], middle, fifo;
	unsigned int i;

	memset(s, 0, sizeof(*s));
	params.policy = policy;
	params.high = CACHE;
	params.batch = CACHE / 2;
	s->zone = zone_new(&params);
	for (i = 0; i < 2; i++)
		pinned_start(&load[i], (int)cpu, use_zone, s);
	if (with_hog)
		pinned_start(&middle, (int)cpu, hog, s);
	pinned_start(&fifo, (int)cpu, waiter, s);
	pinned_join(&fifo);
	WRITE_ONCE(s->stop, true);
	if (with_hog)
		pinned_join(&middle);
	for (i = 0; i < 2; i++)
		pinned_join(&load[i]);
	zone_end(s->zone);
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The host may take the CPU away from any of them now and then. */
static void check_waits(const char *policy, bool with_hog)
{
	unsigned int i, slow = 0;
	struct scene s;

	play(&s, policy, with_hog, measure_waits);
	qsort(s.waited, ROUNDS, sizeof(*s.waited), by_time);
	for (i = 0; i < ROUNDS; i++)
		slow += s.waited[i] > LONG_NS;
	printf("%-8s %s: median %.1f, p95 %.1f, worst %.1f us; over %u us: %u of %u\n", policy,
	       with_hog ? "beside a hog" : "beside load ", (double)s.waited[ROUNDS / 2] / 1e3,
	       (double)s.waited[ROUNDS * 95 / 100] / 1e3, (double)s.waited[ROUNDS - 1] / 1e3,
	       LONG_NS / 1000, slow, ROUNDS);
	assert_true(slow <= ROUNDS / 25);
}

static const char *policy_of(unsigned int i)
{
	static const char *const names[] = { PP_TEST_POLICIES };

	return i < ARRAY_LEN(names) ? names[i] : NULL;
}

static void test_waits(void **state)
{
	const char *policy;
	unsigned int i;

	(void)state;
	need_fifo();
	for (i = 0; (policy = policy_of(i)); i++) {
		if (pp_policy_check(policy))
			continue;
		check_waits(policy, false);
		check_waits(policy, true);
	}
}

/* A FIFO drainer sleeps while it waits, so that an owner that it preempted leaves its cache. */
static void test_drains(void **state)
{
	static const char *const policies[] = { "trylock", "spin", "softmask", "rcu" };
	unsigned int i;
	struct scene s;

	(void)state;
	need_fifo();
	for (i = 0; i < ARRAY_LEN(policies); i++) {
		if (pp_policy_check(policies[i]))
			continue;
		play(&s, policies[i], false, measure_drains);
		printf("%-8s drains: %u of 20 timed out\n", policies[i], s.timeouts);
		assert_true(s.timeouts <= 2);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holder_is_lent_priority),
		cmocka_unit_test(test_timed_wait_ends),
		cmocka_unit_test(test_both_kinds_of_waiters),
		cmocka_unit_test(test_child_has_its_own_name),
		cmocka_unit_test(test_kernel_without_pi),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_drains),
	};

	return test_main("realtime", tests, ARRAY_LEN(tests), 120);
}
