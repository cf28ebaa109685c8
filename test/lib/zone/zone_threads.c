/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone_threads.c - threads that come and go, are more than there are caches, or than CPUs
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "variant.h"

#define CROWD 300

struct hand {
	struct pp_zone *zone;
	struct pp_page *pages[32];
	unsigned int core;
	unsigned int n;
};

static void take_and_give(void *arg)
{
	struct hand *h = arg;

	h->n = pp_zone_alloc_bulk(h->zone, h->pages, 32);
	require(h->n == 32);
	pp_zone_free_bulk(h->zone, h->pages, 32);
	h->core = pp_zone_this_core(h->zone);
}

/* what a thread leaves is drained at once, by every policy; its number serves the next one */
static void ended_thread(void **state)
{
	struct pp_zone *zone = variant_zone(1024, 16, 64);
	struct hand h = { .zone = zone };
	unsigned int i, first = 0, left;

	/* a thread that drains gets a number, too: ours before theirs */
	pp_zone_this_core(zone);
	for (i = 0; i < 20; i++) {
		run_on((int)test_cpu(0), take_and_give, &h);
		assert_true(h.core < pp_zone_cores(zone));
		if (!i)
			first = h.core;
		assert_int_equal(h.core, first);
		left = pp_zone_cached(zone, h.core);
		assert_true(left >= 32);
		if (i & 1)
			continue; /* the next with this number finds them */
		assert_int_equal(pp_zone_drain(zone, h.core, 1000000), left);
		assert_int_equal(pp_zone_cached(zone, h.core), 0);
	}
	zone_end(zone);
}

/* numbers are for 256 threads; later ones go to the zone, until a number is free */
static void more_threads_than_numbers(void **state)
{
	struct pp_zone *zone = variant_zone(65536, 16, 64);
	static struct puppet crowd[CROWD];
	static struct hand hands[CROWD];
	unsigned int i, without = 0;
	struct hand h = { .zone = zone };
	uint64_t fallbacks;

	for (i = 0; i < CROWD; i++) {
		hands[i].zone = zone;
		puppet_start(&crowd[i], -1);
		puppet_do(&crowd[i], take_and_give, &hands[i]);
		without += hands[i].core == pp_zone_cores(zone);
	}
	if (variant_of_threads()) {
		assert_int_equal(pp_zone_cores(zone), 256);
		assert_true(without >= CROWD - 256);
		fallbacks = zone_stats(zone).fallbacks;
		puppet_do(&crowd[CROWD - 1], take_and_give, &hands[CROWD - 1]);
		assert_true(zone_stats(zone).fallbacks > fallbacks);
	} else {
		assert_int_equal(without, 0);
	}
	for (i = 0; i < CROWD; i++)
		puppet_end(&crowd[i]);
	run_on(-1, take_and_give, &h);
	assert_true(h.core < pp_zone_cores(zone));
	assert_true(pp_zone_drain_all(zone, 1000000) >= 0);
	assert_int_equal(cached_pages(zone), 0);
	zone_end(zone);
}

/* the child leaves zones alone; the parent's caches, numbers and barriers are as before */
static void forked_child(void **state)
{
	struct pp_zone *zone = variant_zone(1024, 16, 64);
	struct hand h = { .zone = zone };
	unsigned int i, core;
	int status;
	pid_t pid;

	pin_to(test_cpu(0));
	take_and_give(&h);
	core = h.core;
	for (i = 0; i < 5; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (!pid)
			_exit(0);
		take_and_give(&h);
		assert_int_equal(h.core, core);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(pp_zone_drain_all(zone, 1000000) >= 32);
		zone_check(zone, 0);
	}
	unpin();
	zone_end(zone);
}

struct churner {
	struct pp_zone *zone;
	double end;
	uint64_t ops;
};

static void churn(void *arg)
{
	struct churner *c = arg;
	struct pp_page *pages[64];

	while (now_s() < c->end || !c->ops) {
		require(pp_zone_alloc_bulk(c->zone, pages, 64) == 64);
		pp_zone_free_bulk(c->zone, pages, 64);
		c->ops += 2;
	}
}

/* 4 threads on 2 CPUs: what share of operations finds the cache of a preempted thread? */
static void more_threads_than_cpus(void **state)
{
	struct pp_zone *zone = variant_zone(8192, 64, 256);
	struct pinned threads[4];
	struct churner c[4];
	uint64_t ops = 0, fallbacks;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		c[i] = (struct churner){ .zone = zone, .end = now_s() + 0.5 };
		pinned_start(&threads[i], -1, churn, &c[i]);
	}
	for (i = 0; i < 4; i++) {
		pinned_join(&threads[i]);
		ops += c[i].ops;
	}
	fallbacks = zone_stats(zone).fallbacks;
	print_message("# 4 threads on %u CPUs: %llu of %llu operations fell back to the zone, "
		      "%.3f %%\n",
		      test_cpus(), (unsigned long long)fallbacks, (unsigned long long)ops,
		      100.0 * (double)fallbacks / (double)ops);
	if (policy_is("rseq") || variant_of_threads())
		assert_true(fallbacks * 1000 < ops);
	assert_true(fallbacks <= ops);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ended_thread),
		cmocka_unit_test(more_threads_than_numbers),
		cmocka_unit_test(forked_child),
		cmocka_unit_test(more_threads_than_cpus),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests), 120);
}
