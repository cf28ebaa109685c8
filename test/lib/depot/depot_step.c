/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot_step.c - a process that dies after any one instruction: depot_step [rseq|trylock]
 *
 * A child runs one call of a depot, an instruction at a time (step.h), and is killed at the end.
 * Each state of the depot's memory is put back and looked at: the dead is found, no object is there
 * twice, none is lost but what the dead had in hand, and everything works. From some of them a
 * second child recovers, and dies at each of its own instructions. Then some are repeated with a
 * real SIGKILL at that place, which must leave what was kept.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "depot/depot_fixture.h"
#include "step.h"

#define OBJECTS	   96u
#define HIGH	   16u
#define BATCH	   4u
#define MOST_STEPS 2000000ul

/* One call, and what may be out when its process died somewhere in it. */
struct scene {
	const char *name;
	unsigned int held; /* objects that the child has taken before */
	unsigned int certain; /* of these, those that it keeps */
	unsigned int most; /* objects that it may have in hand at once */
	bool moves; /* a list on its way to the free area may be dropped */
	void (*prepare)(void); /* by us, before */
	void (*act)(void); /* by the child */
};

static struct depot_fixture f;
static void **taken; /* shared: what the child holds */
static struct step_states *states;
static struct rng rng;
static unsigned long all_steps, all_states, all_kills, nested_states;
static uint64_t most_lost;

/* ---- the child ------------------------------------------------------------------------------- */

static void attach(void)
{
	pp_depot_attach(f.depot);
}

static void recover(void)
{
	pp_depot_attach(f.depot);
	pp_depot_recover(f.depot, NULL);
}

/* Before it is stepped. */
static void come_in(const void *arg)
{
	void (*const *act)(void) = arg;

	if (*act != attach && *act != recover)
		require(pp_depot_attach(f.depot) == 0);
}

/* Step a child through @act; it is dead afterwards. */
static void die_in(void (*act)(void), struct step_states *s)
{
	pid_t pid = step_child(come_in, &act, act);
	unsigned long steps = step_through(pid, s, MOST_STEPS);

	require(steps < MOST_STEPS);
	step_kill(pid);
	all_steps += steps;
}

/* ---- what must hold after a death ------------------------------------------------------------ */

struct outcome {
	uint64_t home;
	uint64_t dropped;
};

static bool is_home(unsigned char *seen, const void *obj)
{
	return seen[depot_index(&f, obj)];
}

/* Take everything, one by one: all different, all ours, and as many as were counted. */
static void take_all(unsigned char *seen, uint64_t home)
{
	void *objs[OBJECTS + 1];
	unsigned int n = 0, i;

	while (n <= home && depot_take(f.depot, &objs[n], 1))
		seen[depot_index(&f, objs[n++])]++;
	require(n == home);
	depot_distinct(&f, objs, n);
	for (i = 0; i < n; i++) {
		pin_to(test_cpu(i / 8 % 2));
		pp_depot_put_bulk(f.depot, &objs[i], 1);
	}
	require(pp_depot_count(f.depot) == home);
}

/* The caches, their size and their drains as well as ever. */
static void works_on(void)
{
	void *objs[OBJECTS];
	unsigned int n;

	pp_depot_pcp_enable(f.depot); /* if it died after it closed them */
	require(pp_depot_pcp_set(f.depot, HIGH, BATCH) == 0);
	for (n = 0; n < 2; n++) {
		pin_to(test_cpu(n));
		require(depot_take(f.depot, objs, 4) == 4);
		pp_depot_put_bulk(f.depot, objs, 4);
		require(pp_depot_cached(f.depot, test_cpu(n)) >= 4);
	}
	require(pp_depot_pcp_disable(f.depot, 100000) == 0);
	require(depot_stats(f.depot).free == OBJECTS);
	pp_depot_pcp_enable(f.depot);
	for (n = 1; n <= OBJECTS; n += 7) {
		require(depot_take(f.depot, objs, n) == n);
		pp_depot_put_bulk(f.depot, objs, n);
	}
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	depot_check(&f, 0);
}

static struct outcome check_state(const struct scene *s, bool explicitly)
{
	unsigned int before = pp_depot_processes(f.depot), i;
	unsigned char seen[OBJECTS] = { 0 };
	struct outcome o = { 0, 0 };
	struct pp_audit a;
	uint64_t out;
	void *obj;

	if (explicitly) {
		require(pp_depot_recover(f.depot, &o.dropped) >= before - 1);
		require(pp_depot_processes(f.depot) == 1);
	} else { /* the next one that needs it finds out */
		pin_to(test_cpu(1));
		if (depot_take(f.depot, taken + OBJECTS, 1))
			pp_depot_put_bulk(f.depot, taken + OBJECTS, 1);
		else
			require(pp_depot_count(f.depot) == 0);
		require(pp_depot_drain_all(f.depot, 1000000) >= 0);
		require(pp_depot_recover(f.depot, &o.dropped) >= before - 1);
	}
	a = depot_audit(&f);
	if (a.double_free)
		fprintf(stderr, "%s: %llu objects are there twice\n", s->name,
			(unsigned long long)a.double_free);
	require(a.double_free == 0);
	o.home = a.home;
	require(pp_depot_count(f.depot) == o.home);
	out = OBJECTS - a.home;
	require(out >= s->certain);
	if (out > s->most + o.dropped)
		fprintf(stderr, "%s: %llu objects are out, at most %u + %llu dropped\n", s->name,
			(unsigned long long)out, s->most, (unsigned long long)o.dropped);
	require(out <= s->most + o.dropped);
	require(!o.dropped || s->moves || !strcmp(depot_policy, "trylock"));
	take_all(seen, o.home);
	for (i = 0; i < s->certain; i++)
		require(!is_home(seen, taken[i]));
	for (i = 0; i < OBJECTS; i++) { /* what is lost is known: give it back */
		obj = f.objects + i * 4096ul;
		if (!is_home(seen, obj))
			pp_depot_put_bulk(f.depot, &obj, 1);
	}
	works_on();
	most_lost = out - s->certain > most_lost ? out - s->certain : most_lost;
	return o;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static void take(unsigned int cpu, unsigned int n)
{
	pin_to(test_cpu(cpu));
	require(depot_take(f.depot, taken, n) == n);
}

/* the cache of a core has @n objects, and the rest is in the free area */
static void set_cache(unsigned int cpu, unsigned int n)
{
	void *objs[HIGH];
	unsigned int i;

	require(n <= HIGH);
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	pin_to(test_cpu(1 - cpu));
	for (i = 0; i < n; i++)
		require(depot_take(f.depot, &objs[i], 1) == 1);
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	pin_to(test_cpu(cpu));
	for (i = 0; i < n; i++)
		pp_depot_put_bulk(f.depot, &objs[i], 1);
	require(pp_depot_cached(f.depot, test_cpu(cpu)) == n);
}

static void nothing_cached(void)
{
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
}

static void ten_here(void)
{
	set_cache(0, 10);
}

static void three_held(void)
{
	take(1, 3);
	set_cache(0, 6);
}

static void four_held_and_full(void)
{
	take(1, BATCH);
	set_cache(0, HIGH);
}

static void forty_held(void)
{
	take(1, 40);
	set_cache(0, 3);
}

/* nothing in the free area, nothing here, all in the other core's cache but what is held */
static void all_there(void)
{
	take(1, OBJECTS - 12);
	set_cache(1, 12);
	pin_to(test_cpu(1));
}

static void twelve_there(void)
{
	set_cache(1, 12);
}

/* The list of a core's cache is in the free area as it is, and no other list is. */
static void set_list(unsigned int cpu)
{
	void *objs[OBJECTS];
	unsigned int i;

	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	require(depot_take(f.depot, objs, OBJECTS) == OBJECTS);
	pp_depot_put_bulk(f.depot, objs + 10, OBJECTS - 10); /* more than a batch: past the cache */
	pin_to(test_cpu(cpu));
	for (i = 0; i < 10; i++)
		pp_depot_put_bulk(f.depot, &objs[i], 1);
	require(pp_depot_drain(f.depot, test_cpu(cpu), 1000) == 10);
}

static void list_here(void)
{
	set_list(0);
}

static void list_there(void)
{
	set_list(1);
}

static void rest_here(void)
{
	void *objs[7];
	unsigned int i;

	set_list(0);
	require(depot_take(f.depot, objs, 7) == 7); /* past the cache, from the list first */
	for (i = 0; i < 7; i++)
		pp_depot_put_bulk(f.depot, &objs[i], 1);
	require(pp_depot_cached(f.depot, test_cpu(0)) == 7);
}

static void closed(void)
{
	ten_here();
	require(pp_depot_pcp_disable(f.depot, 100000) == 0);
}

static void put_three(void)
{
	pp_depot_put_bulk(f.depot, taken, 3);
}

static void put_batch(void)
{
	pp_depot_put_bulk(f.depot, taken, BATCH);
}

static void put_forty(void)
{
	pp_depot_put_bulk(f.depot, taken, 40);
}

static void get_five(void)
{
	depot_take(f.depot, taken + OBJECTS, 5);
}

static void get_three(void)
{
	depot_take(f.depot, taken + OBJECTS, 3);
}

static void get_forty(void)
{
	depot_take(f.depot, taken + OBJECTS, 40);
}

static void get_too_many(void)
{
	depot_take(f.depot, taken + OBJECTS, OBJECTS + 1);
}

static void drain_here(void)
{
	pp_depot_drain(f.depot, test_cpu(0), 1000);
}

static void drain_there(void)
{
	pp_depot_drain(f.depot, test_cpu(1), 1000);
}

static void set_smaller(void)
{
	pp_depot_pcp_set(f.depot, 8, 2);
}

static void disable(void)
{
	pp_depot_pcp_disable(f.depot, 1000);
}

static void enable(void)
{
	pp_depot_pcp_enable(f.depot);
}

static void detach(void)
{
	pp_depot_detach(f.depot);
}

/*
 * More than a batch goes past the cache.
 * most: what is put or got, and a batch that goes past it, which a process has in hand for some
 * instructions (rseq), and which nobody counts.
 */
static const struct scene scenes[] = {
	{ "put into the cache", 3, 0, 3, false, three_held, put_three },
	{ "put that overflows the cache", BATCH, 0, 2 * BATCH, true, four_held_and_full,
	  put_batch },
	{ "put past the cache", 40, 0, 40, false, forty_held, put_forty },
	{ "get from the cache", 0, 0, 3, false, ten_here, get_three },
	{ "get that refills the cache", 0, 0, 3 + BATCH, false, nothing_cached, get_three },
	{ "get past the cache", 0, 0, 40, false, ten_here, get_forty },
	{ "get that drains", OBJECTS - 12, OBJECTS - 12, OBJECTS - 12 + 5, true, all_there,
	  get_five },
	{ "get that drains and fails", 0, 0, OBJECTS, true, twelve_there, get_too_many },
	{ "drain of its own core", 0, 0, 0, true, ten_here, drain_here },
	{ "drain of another core", 0, 0, 0, true, twelve_there, drain_there },
	{ "smaller caches", 0, 0, 0, false, ten_here, set_smaller },
	{ "closing the caches", 0, 0, 0, true, ten_here, disable },
	{ "opening the caches", 0, 0, 0, false, closed, enable },
	{ "attach", 0, 0, 0, false, ten_here, attach },
	{ "detach", 0, 0, 0, false, ten_here, detach },
};

/* Of drains that hand a list over as it is: trylock's. */
static const struct scene hand_scenes[] = {
	{ "drain that finds the rest of a list", 0, 0, 0, true, rest_here, drain_here },
	{ "get that takes a list back", 0, 0, 3, false, list_here, get_three },
	{ "get that refills from a list", 0, 0, 3 + BATCH, false, list_there, get_three },
};

/* ---- the tests ------------------------------------------------------------------------------- */

static void set_the_stage(const struct scene *s)
{
	depot_again(&f);
	s->prepare();
	require(pp_depot_count(f.depot) == OBJECTS - s->held);
	unpin();
}

/* The same child, killed for good at that instruction; it must leave the same. */
static void kill_there(const struct scene *s, unsigned long step)
{
	unsigned long steps;
	pid_t pid;

	set_the_stage(s);
	pid = step_child(come_in, &s->act, s->act);
	for (steps = 0; steps < step; steps++)
		require(step_one(pid));
	step_kill(pid);
	check_state(s, rng_below(&rng, 2));
	all_kills++;
}

/* A second process recovers what the first one left, and dies after any instruction. */
static void die_recovering(const struct scene *s, struct step_states *second, unsigned int chosen)
{
	unsigned int i;

	step_put_back(states, chosen);
	die_in(recover, second);
	for (i = 0; i < second->n; i++) {
		step_put_back(second, i);
		check_state(s, true);
	}
	nested_states += second->n;
}

static bool full(void)
{
	return test_seconds("PP_STEP_FULL", 0, 1) > 0;
}

static void run_scene(const struct scene *s, struct step_states *second)
{
	unsigned int i, nested = full() ? 24 : 1, killed = full() ? 60 : 3;

	set_the_stage(s);
	die_in(s->act, states);
	all_states += states->n;
	printf("#   %s: %u states in %lu instructions\n", s->name, states->n,
	       states->state[states->n - 1].step);
	for (i = 0; i < states->n; i++) {
		step_put_back(states, i);
		check_state(s, true);
	}
	for (i = 0; i < states->n; i += 1 + rng_below(&rng, 1 + states->n / 4)) {
		step_put_back(states, i);
		check_state(s, false);
	}
	for (i = 0; i < nested; i++)
		die_recovering(s, second, rng_below(&rng, states->n));
	for (i = 0; i < killed; i++)
		kill_there(s, states->state[rng_below(&rng, states->n)].step);
}

static void test_every_instruction(void **state)
{
	struct pp_depot_params p = depot_params(OBJECTS, HIGH, BATCH);
	struct step_states *second;
	unsigned int i;

	need_two_cpus();
	p.drain_us = 2000;
	depot_new(&f, &p);
	taken = mmap(NULL, 3 * OBJECTS * sizeof(*taken), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(taken != MAP_FAILED);
	states = step_states_new(f.memory, f.size);
	second = step_states_new(f.memory, f.size);
	rng = rng_init(1);
	for (i = 0; i < ARRAY_LEN(scenes); i++)
		run_scene(&scenes[i], second);
	for (i = 0; i < ARRAY_LEN(hand_scenes) && !strcmp(depot_policy, "trylock"); i++)
		run_scene(&hand_scenes[i], second);
	printf("# %lu instructions, %lu states, %lu of a death in a recovery, %lu real kills; at "
	       "most %llu objects lost beyond what was held\n",
	       all_steps, all_states, nested_states, all_kills, (unsigned long long)most_lost);
	require(all_states > 10 * ARRAY_LEN(scenes));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_instruction),
	};

	depot_policy_parse(argc, argv);
	return test_main("depot_step", tests, ARRAY_LEN(tests), 280);
}
