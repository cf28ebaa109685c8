/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/policy.c - the cost of taking and giving back pages through a core's cache, by
 * policy
 */
#include <stdlib.h>

#include "bench.h"

#define CROWD_BULK 64u
#define BASELINES  4u

static const unsigned int bulks[] = { 1, 8, 32, 64, 128, 0 };

/*
 * Each policy has a zone with and one without preparation, so that pages stay where they
 * are warm.
 */
static int add_zones(struct bench *b, struct bench_subject *s)
{
	const char *policy;
	unsigned int i;

	for (i = 0; i < 2 * b->opts.npolicies; i++) {
		policy = b->opts.policies[i / 2];
		bench_subject_set(&s[i], i % 2 ? "raw" : "prep", bench_run_zone,
				  bench_zone_open(policy, i % 2 ? PP_ZONE_NO_PREP : 0, BENCH_HIGH),
				  "%s", policy);
		if (!s[i].ctx)
			return -1;
	}
	return 0;
}

static int policy_case(struct bench *b)
{
	unsigned int n = BASELINES + 2 * b->opts.npolicies, i;
	struct bench_subject *s = bench_alloc(n, sizeof(*s));
	int err = s ? bench_baseline_init() : -1;

	if (err)
		goto out;
	bench_subject_set(&s[0], "raw", bench_run_loop, NULL, "loop");
	bench_subject_set(&s[1], "raw", bench_run_lock, NULL, "lock");
	bench_subject_set(&s[2], "raw", bench_run_array, NULL, "memcpy");
	bench_subject_set(&s[3], "prep", bench_run_array_prep, NULL, "memcpy");
	err = add_zones(b, s + BASELINES);
	if (!err)
		err = bench_interleave_all(b, s, n);
	for (i = BASELINES; i < n; i++)
		if (bench_zone_close(b, s[i].ctx))
			err = -1;
	bench_ratio(b, "vs_memcpy", "memcpy", NULL);
	bench_ratio(b, "vs_lock", "lock", "raw");
	for (i = 0; i < b->opts.nbulks && !err; i++)
		if (b->opts.bulks[i] == CROWD_BULK)
			err = bench_oversubscribed(b, CROWD_BULK);
	bench_note(b,
		   "raw: pointers only (PP_ZONE_NO_PREP); prep: every page's first 16 bytes reset");
	bench_note(b, "loop: empty; lock: two exchange + release pairs; "
		      "memcpy: a thread-local array doing the same");
out:
	bench_baseline_exit();
	free(s);
	return err;
}

static const struct bench_plot plots[] = {
	{ "Take and give back, ready for packets", "prep", NULL, "cycles a page", NULL },
	{ "Take and give back, pointers only", "raw", NULL, "cycles a page", NULL },
	{ "Two threads a CPU, not pinned", "crowded", NULL, "CPU cycles a page", NULL },
	{ .title = NULL },
};

const struct bench_case bench_policy = {
	.name = "policy",
	.title = "alloc + free through this core's cache",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 1,
	.run = policy_case,
	.plots = plots,
};
