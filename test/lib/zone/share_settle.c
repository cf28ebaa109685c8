/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share_settle.c - a death is settled in the middle of a living process's call: share_settle POLICY
 *
 * A tracer (step.h) stops the living process, another process settles the death as it attaches, and
 * the living one goes on. Then every page must be at home once.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/share.h>

#include "harness.h"
#include "step.h"

#define PAGES	   96u
#define PAGE_BYTES 2048u

static struct pp_zone *zone;
static struct step_states *states; /* of the zone, but for its pages' buffers */
static struct pp_page *pages[PAGES + 1];
static uint32_t receiver; /* of pages; dead as soon as the giver has seen it alive */

static void zone_start(const char *policy)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct stat st;
	void *memory;
	size_t size;

	p.page_size = PAGE_BYTES;
	p.mem = PP_MEM_MEMFD;
	p.flags = PP_ZONE_SHARED;
	p.policy = policy;
	p.high = 16;
	p.batch = 4;
	zone = pp_zone_create(&p);
	require(zone && !fstat(pp_zone_fd(zone), &st));
	size = (size_t)st.st_size - PAGES * PAGE_BYTES;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, pp_zone_fd(zone),
		      PAGES * PAGE_BYTES);
	require(memory != MAP_FAILED);
	states = states ? states : step_states_new(memory, size);
	states->memory = memory; /* each test has a zone of its own, of this size */
}

/* All is home once, and this process is the last one. */
static void settled(void)
{
	struct pp_audit a = { .sz = sizeof(a) };

	require(pp_zone_recover(zone, 1000000) >= 0);
	require(pp_zone_processes(zone) == 1);
	require(!pp_zone_audit(zone, &a));
	require(a.home == PAGES && !a.double_free);
	require(pp_zone_held(zone, 0) == PAGES);
	require(pp_zone_alloc_bulk(zone, pages, PAGES + 1) == PAGES);
	pages_distinct(zone, pages, PAGES);
	pp_zone_free_bulk(zone, pages, PAGES);
}

static void attach(void)
{
	require(pp_zone_attach(pp_zone_fd(zone)) == zone);
}

static pid_t receiver_start(void)
{
	int fds[2];
	pid_t pid;

	require(!pipe(fds));
	pid = child_fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attach();
		receiver = pp_zone_self(zone);
		require(write(fds[1], &receiver, sizeof(receiver)) == sizeof(receiver));
		for (;;)
			pause();
	}
	require(read(fds[0], &receiver, sizeof(receiver)) == sizeof(receiver));
	close(fds[0]);
	close(fds[1]);
	return pid;
}

/* It settles as it attaches; and for so long again, after a stop. */
static pid_t settler_start(unsigned int timeout_us)
{
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attach();
		if (timeout_us) {
			raise(SIGSTOP);
			pp_zone_recover(zone, timeout_us);
		}
		require(pp_zone_destroy(zone) == 0);
		_exit(0);
	}
	return pid;
}

/* ---- a process that gives pages to one that dies --------------------------------------------- */

static void take_pooled(const void *arg)
{
	attach();
	require(page_pool_alloc_bulk(pool_new(zone, 16, 16, 4), pages, 3) == 3);
}

static void give(void)
{
	require(!pp_zone_give_bulk(zone, pages, 3, receiver));
}

static unsigned int pooled(void)
{
	unsigned int n = 0, i;

	for (i = 0; i < PAGES; i++)
		n += pp_zone_page_table(zone)[i].pool != NULL;
	return n;
}

/* A giver that has seen its receiver alive, and stands there; the receiver is dead since. */
static pid_t giver_start(void)
{
	pid_t dead = receiver_start(), pid = step_child(take_pooled, NULL, give);
	unsigned int n = pooled();

	step_kill(dead);
	while (pooled() == n)
		require(step_one(pid));
	require(pp_zone_maintain(zone) >= 0);
	require(pp_zone_processes(zone) == 2);
	return pid;
}

/* If the giver has a lock there, the settler waits for it, and both go on. */
static void settle_after(unsigned long steps)
{
	pid_t pid = giver_start(), settler, ended = 0;
	unsigned int naps;
	int status;

	while (steps--)
		require(step_one(pid));
	settler = settler_start(0);
	for (naps = 0; !ended && naps < 15; naps++) {
		sleep_us(1000);
		ended = waitpid(settler, &status, WNOHANG);
	}
	require(!ptrace(PTRACE_CONT, pid, NULL, NULL));
	require(ended || waitpid(settler, &status, 0) == settler);
	require(WIFEXITED(status) && !WEXITSTATUS(status));
	require(waitpid(pid, &status, 0) == pid);
	require(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1);
	step_kill(pid);
	settled();
}

/* The giver dies there, too; no walk for its receiver comes any more. */
static void die_after(unsigned long steps)
{
	pid_t pid = giver_start();

	while (steps--)
		require(step_one(pid));
	step_kill(pid);
	unpin();
	settled();
}

static void test_give_to_the_dead(void **state)
{
	const char *const *policy = *state;
	bool full = test_seconds("PP_STEP_FULL", 0, 1) > 0;
	unsigned long steps;
	unsigned int i;
	pid_t pid;

	need_two_cpus();
	zone_start(*policy);
	pid = giver_start();
	steps = step_through(pid, states, 100000);
	step_kill(pid);
	unpin();
	settled();
	for (i = 0; i < states->n; i += full ? 1 : 3)
		settle_after(states->state[i].step);
	for (i = 0; i < states->n; i += full ? 1 : 3)
		die_after(states->state[i].step);
	printf("# %u changes in %lu instructions\n", states->n, steps);
	require(states->n > 10);
	require(pp_zone_destroy(zone) == 0);
}

/* ---- a settler that waits for a call --------------------------------------------------------- */

static void come_in(const void *arg)
{
	attach();
}

static void take_three(void)
{
	pp_zone_alloc_bulk(zone, pages, 3);
}

/* It keeps no allocation waiting that runs short. */
static void test_short_beside_settler(void **state)
{
	const char *const *policy = *state;
	pid_t dead, caller, settler;
	double begin, least = 1;
	unsigned int i;
	int status;

	need_two_cpus();
	zone_start(*policy);
	caller = step_child(come_in, NULL, take_three);
	do /* until it has counted itself as inside */
		step_through(caller, states, 1);
	while (states->n < 2);
	unpin();
	dead = receiver_start();
	step_kill(dead);
	settler = settler_start(10000000);
	require(waitpid(settler, &status, WUNTRACED) == settler && WIFSTOPPED(status));
	require(!kill(settler, SIGCONT));
	while (zone_stats(zone).high) /* until it has closed the caches */
		sleep_us(100);
	for (i = 0; i < 5; i++) {
		sleep_us(11000); /* allocations look for the dead as seldom */
		begin = now_s();
		require(pp_zone_alloc_bulk(zone, pages, PAGES + 1) == PAGES);
		least = now_s() - begin < least ? now_s() - begin : least;
		pp_zone_free_bulk(zone, pages, PAGES);
	}
	require(zone_stats(zone).high == 0);
	step_kill(settler);
	step_kill(caller);
	settled();
	printf("# at least %.1f ms\n", least * 1e3);
	require(least < 0.015); /* a wait for the settler takes 20 ms */
	require(pp_zone_destroy(zone) == 0);
}

/* ---- calls beside a settler that looks in many parts ----------------------------------------- */

#define MANY 20000u

/* Frees in another order than it took, so that pages change their places in the free area. */
static void churn(struct rng *rng)
{
	static struct pp_page *some[600];
	unsigned int n = 1 + rng_below(rng, ARRAY_LEN(some)), got, k;

	got = pp_zone_alloc_bulk(zone, some, n);
	k = got ? rng_below(rng, got) : 0;
	pp_zone_free_bulk(zone, some + k, got - k);
	pp_zone_free_bulk(zone, some, k);
}

static pid_t churner_start(unsigned int number)
{
	struct rng rng = rng_init(number);
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attach();
		for (;;)
			churn(&rng);
	}
	return pid;
}

static void test_many_parts(void **state)
{
	const char *const *policy = *state;
	struct pp_audit a = { .sz = sizeof(a) };
	struct pp_zone_params p = zone_params(MANY);
	struct rng rng = rng_init(0);
	pid_t stays, dies;
	unsigned int i;

	need_two_cpus();
	p.page_size = PAGE_BYTES;
	p.mem = PP_MEM_MEMFD;
	p.flags = PP_ZONE_SHARED;
	p.policy = *policy;
	zone = pp_zone_create(&p);
	require(zone);
	stays = churner_start(1);
	for (i = 0; i < 40; i++) {
		dies = churner_start(i + 2);
		sleep_us(2000 + rng_below(&rng, 4000));
		step_kill(dies);
		require(pp_zone_recover(zone, 5000000) >= 0);
	}
	step_kill(stays);
	require(pp_zone_recover(zone, 5000000) >= 0);
	require(!pp_zone_audit(zone, &a));
	require(a.home == MANY && !a.double_free);
	require(zone_stats(zone).double_puts == 0);
	require(pp_zone_held(zone, 0) == MANY);
	require(pp_zone_destroy(zone) == 0);
}

int main(int argc, char **argv)
{
	const char *policy = argc > 1 ? argv[1] : "trylock";
	const struct CMUnitTest tests[] = {
		{ .name = "give_to_the_dead",
		  .test_func = test_give_to_the_dead,
		  .initial_state = &policy },
		{ .name = "short_beside_settler",
		  .test_func = test_short_beside_settler,
		  .initial_state = &policy },
		{ .name = "many_parts", .test_func = test_many_parts, .initial_state = &policy },
	};

	need_policy(policy);
	return test_main("share_settle", tests, ARRAY_LEN(tests), 100);
}
