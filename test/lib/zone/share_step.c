/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share_step.c - a process that shares a zone dies after any one instruction: share_step POLICY
 *
 * As depot_step.c: a child runs one call, an instruction at a time (step.h). Each state of the
 * memory is put back after the child's death, and settled by pp_zone_recover(). Then every page
 * must be at home once, or be claimed by the process that has it now, and all must work. Calls that
 * wait are stepped through with PP_STEP_FULL=1 only; the ends of all calls are also met by kills
 * at random times.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pagepool/share.h>

#include "harness.h"
#include "step.h"

#define PAGES	   96u
#define PAGE_BYTES 2048u
#define HIGH	   16u
#define BATCH	   4u

struct scene {
	const char *name;
	unsigned int held; /* pages that the child takes first, not stepped */
	void (*prepare)(void); /* by the test, before */
	void (*act)(void); /* by the child */
};

static struct pp_zone *zone;
static struct step_states *states; /* of the zone, but for its pages' buffers */
static struct pp_page *pages[PAGES + 1]; /* of the child, and of the test for a moment */
static uint32_t tester;
static unsigned long most_steps, all_steps, all_states, all_kills;
static unsigned int most_kills;
static uint64_t most_recovered, most_claimed;

static void attach(void)
{
	require(pp_zone_attach(pp_zone_fd(zone)) == zone);
}

/* Of the child, before it is stepped. */
static void come_in(const void *arg)
{
	const struct scene *s = arg;

	if (s->act == attach)
		return;
	attach();
	if (s->held)
		require(pp_zone_alloc_bulk(zone, pages, s->held) == s->held);
}

/* ---- what must hold after a death ------------------------------------------------------------ */

/* Every page of the zone can be had once, and the caches are open. */
static void works_on(unsigned int n)
{
	unsigned int cpu;

	require(pp_zone_alloc_bulk(zone, pages, PAGES + 1) == n);
	pages_distinct(zone, pages, n);
	page_is_fresh(zone, pages[0]);
	pp_zone_free_bulk(zone, pages, n);
	for (cpu = 0; cpu < 2; cpu++) {
		pin_to(test_cpu(cpu));
		require(pp_zone_alloc_bulk(zone, pages, 4) == 4);
		pp_zone_free_bulk(zone, pages, 4);
		require(pp_zone_cached(zone, test_cpu(cpu)) >= 4);
	}
	require(pp_zone_pcp_disable(zone, 100000) == 0);
	require(zone_stats(zone).free == n);
	pp_zone_pcp_enable(zone);
}

static void set_bounds(void)
{
	require(!pp_zone_pcp_set(zone, HIGH, BATCH));
}

static void check_state(const struct scene *s)
{
	struct pp_audit a = { .sz = sizeof(a) };
	uint64_t before = zone_stats(zone).recovered, given, i;

	if (s->act == set_bounds)
		set_bounds(); /* a lock that the dead had keeps no call waiting */
	require(pp_zone_recover(zone, 1000000) >= 0);
	require(pp_zone_processes(zone) == 1);
	given = pp_zone_held(zone, tester);
	require(!pp_zone_audit(zone, &a));
	if (a.home + given != PAGES || a.double_free)
		fprintf(stderr, "%s: %llu pages at home, %llu given, %llu twice\n", s->name,
			(unsigned long long)a.home, (unsigned long long)given,
			(unsigned long long)a.double_free);
	require(a.home + given == PAGES && !a.double_free);
	require(pp_zone_held(zone, 0) == a.home);
	before = zone_stats(zone).recovered - before;
	most_recovered = before > most_recovered ? before : most_recovered;
	works_on((unsigned int)a.home);
	/* the giver did not say what it gave */
	require(pp_zone_claim_bulk(zone, pages, PAGES) == given);
	for (i = 0; i < given; i++)
		require(pp_zone_holder(zone, pages[i]) == tester);
	pages_distinct(zone, pages, (unsigned int)given);
	require(pp_zone_claim_bulk(zone, pages, 1) == 0);
	pp_zone_free_bulk(zone, pages, (unsigned int)given);
	most_claimed = given > most_claimed ? given : most_claimed;
	require(pp_zone_held(zone, 0) == PAGES);
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* The child's core has @n pages in its cache, the other one @m; the rest is in the free area. */
static void set_caches(unsigned int n, unsigned int m)
{
	struct pp_page *some[2 * HIGH];
	unsigned int i;

	require(pp_zone_drain_all(zone, 100000) >= 0);
	require(pp_zone_pcp_disable(zone, 100000) == 0);
	require(pp_zone_alloc_bulk(zone, some, n + m) == n + m);
	pp_zone_pcp_enable(zone);
	for (i = 0; i < n + m; i++) {
		pin_to(test_cpu(i >= n));
		pp_zone_free_bulk(zone, &some[i], 1);
	}
	require(pp_zone_cached(zone, test_cpu(0)) == n);
	require(pp_zone_cached(zone, test_cpu(1)) == m);
	unpin();
}

static void ten_here(void)
{
	set_caches(10, 0);
}

static void empty(void)
{
	set_caches(0, 0);
}

static void twelve_there(void)
{
	set_caches(0, 12);
}

/* Another process that died: the child settles its pages. */
static void one_died(void)
{
	pid_t pid;

	ten_here();
	pid = child_fork();
	if (!pid) {
		require(pp_zone_attach(pp_zone_fd(zone)) == zone);
		require(pp_zone_alloc_bulk(zone, pages, 20) == 20);
		require(!pp_zone_pcp_disable(zone, 100000));
		_exit(0);
	}
	child_ends_well(pid);
}

static void take_three(void)
{
	pp_zone_alloc_bulk(zone, pages + 48, 3);
}

static void take_forty(void)
{
	pp_zone_alloc_bulk(zone, pages + 48, 40);
}

static void take_too_many(void)
{
	pp_zone_alloc_bulk(zone, pages, PAGES + 1);
}

static void free_three(void)
{
	pp_zone_free_bulk(zone, pages, 3);
}

static void free_by_batches(void)
{
	unsigned int i;

	for (i = 0; i <= HIGH; i += BATCH)
		pp_zone_free_bulk(zone, pages + i, BATCH);
}

static void free_forty(void)
{
	pp_zone_free_bulk(zone, pages, 40);
}

static void give_five(void)
{
	require(!pp_zone_give_bulk(zone, pages, 5, tester));
}

static void drain_all(void)
{
	pp_zone_drain_all(zone, 1000);
}

static void close_and_open(void)
{
	require(!pp_zone_pcp_disable(zone, 1000));
	pp_zone_pcp_enable(zone);
}

static void detach(void)
{
	require(!pp_zone_destroy(zone));
}

/* More than a batch goes past the cache. */
static const struct scene scenes[] = {
	{ "take from the cache", 0, ten_here, take_three },
	{ "take that refills the cache", 0, empty, take_three },
	{ "take past the cache", 0, ten_here, take_forty },
	{ "take that drains and fails", 0, twelve_there, take_too_many },
	{ "free into the cache", 3, ten_here, free_three },
	{ "free that overflows the cache", HIGH + BATCH, empty, free_by_batches },
	{ "free past the cache", 40, ten_here, free_forty },
	{ "give", 5, ten_here, give_five },
	{ "drain", 3, twelve_there, drain_all },
	{ "closing and opening the caches", 3, ten_here, close_and_open },
	{ "setting the caches' bounds", 3, ten_here, set_bounds },
	{ "attach", 0, ten_here, attach },
	{ "detach", 0, ten_here, detach },
	{ "attach that settles what another one left", 0, one_died, attach },
};

/* ---- the test -------------------------------------------------------------------------------- */

/* The same child, killed for good at that instruction. */
static void kill_there(const struct scene *s, unsigned long step)
{
	unsigned long i;
	pid_t pid;

	s->prepare();
	pid = step_child(come_in, s, s->act);
	/* a call that waits may need fewer this time, and has returned then */
	for (i = 0; i < step && step_one(pid); i++)
		;
	step_kill(pid);
	check_state(s);
	all_kills++;
}

/* Killed wherever it is after some time. */
static void kill_after(const struct scene *s, unsigned int us)
{
	pid_t pid;

	s->prepare();
	pid = step_child(come_in, s, s->act);
	require(!ptrace(PTRACE_CONT, pid, NULL, NULL));
	if (us)
		sleep_us(us);
	step_kill(pid);
	check_state(s);
	all_kills++;
}

static void run_scene(const struct scene *s, struct rng *rng)
{
	unsigned long steps;
	unsigned int i;
	pid_t pid;

	s->prepare();
	pid = step_child(come_in, s, s->act);
	steps = step_through(pid, states, most_steps);
	step_kill(pid);
	unpin();
	for (i = 0; i < states->n; i++) {
		step_put_back(states, i);
		check_state(s);
	}
	for (i = 0; i < 2; i++)
		kill_there(s, states->state[rng_below(rng, states->n)].step);
	for (i = 0; i < most_kills; i++)
		kill_after(s, rng_below(rng, 400));
	printf("#   %s: %u states in %lu instructions\n", s->name, states->n, steps);
	all_steps += steps;
	all_states += states->n;
}

static void test_every_instruction(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	const char *const *policy = *state;
	bool full = test_seconds("PP_STEP_FULL", 0, 1) > 0;
	struct rng rng = rng_init(1);
	struct stat st;
	unsigned int i;
	void *memory;
	size_t size;

	need_two_cpus();
	most_steps = full ? 2000000 : 4000;
	most_kills = full ? 300 : 5;
	p.page_size = PAGE_BYTES;
	p.mem = PP_MEM_MEMFD;
	p.flags = PP_ZONE_SHARED;
	p.policy = *policy;
	p.high = HIGH;
	p.batch = BATCH;
	p.drain_us = 2000;
	zone = pp_zone_create(&p);
	require(zone && !fstat(pp_zone_fd(zone), &st));
	tester = pp_zone_self(zone);
	size = (size_t)st.st_size - PAGES * PAGE_BYTES;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, pp_zone_fd(zone),
		      PAGES * PAGE_BYTES);
	require(memory != MAP_FAILED);
	states = step_states_new(memory, size);
	set_bounds(); /* the dynamic linker has seen it when the children begin */
	for (i = 0; i < ARRAY_LEN(scenes); i++)
		run_scene(&scenes[i], &rng);
	printf("# %lu instructions, %lu states, %lu real kills; at most %llu pages came home from "
	       "a death, and %llu were claimed; none is lost\n",
	       all_steps, all_states, all_kills, (unsigned long long)most_recovered,
	       (unsigned long long)most_claimed);
	require(most_claimed == 5);
	require(all_states > 10 * ARRAY_LEN(scenes));
	require(pp_zone_destroy(zone) == 0);
}

int main(int argc, char **argv)
{
	const char *policy = argc > 1 ? argv[1] : "trylock";
	const struct CMUnitTest tests[] = {
		{ .name = "every_instruction",
		  .test_func = test_every_instruction,
		  .initial_state = &policy },
	};

	need_policy(policy);
	return test_main("share_step", tests, ARRAY_LEN(tests), 200);
}
