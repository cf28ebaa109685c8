/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/policy.c - the cost of taking and giving back pages through a core's cache, by
 * policy
 */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "bench.h"

#define CROWD_BULK 64u

static const unsigned int bulks[] = { 1, 8, 32, 64, 128, 0 };

/*
 * Each policy has a zone with and one without preparation, so that pages stay where they
 * are warm.
 */
static unsigned int add_zones(struct bench *b, struct bench_subject *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < b->opts.npolicies; i++) {
		bench_name(&s[n], "prep", "%s", b->opts.policies[i]);
		s[n].run = bench_run_zone;
		s[n].ctx = bench_zone_open_high(b->opts.policies[i], 0, BENCH_HIGH);
		if (!s[n++].ctx)
			return 0;
		bench_name(&s[n], "raw", "%s", b->opts.policies[i]);
		s[n].run = bench_run_zone;
		s[n].ctx = bench_zone_open_high(b->opts.policies[i], PP_ZONE_NO_PREP, BENCH_HIGH);
		if (!s[n++].ctx)
			return 0;
	}
	return n;
}

static unsigned int add_baselines(struct bench_subject *s)
{
	bench_name(&s[0], "raw", "loop");
	s[0].run = bench_run_loop;
	bench_name(&s[1], "raw", "lock");
	s[1].run = bench_run_lock;
	bench_name(&s[2], "raw", "memcpy");
	s[2].run = bench_run_array;
	bench_name(&s[3], "prep", "memcpy");
	s[3].run = bench_run_array_prep;
	return 4;
}

static int policy_case(struct bench *b)
{
	unsigned int max = 4 + 2 * b->opts.npolicies, n, zones, i;
	struct bench_subject *s = calloc(max, sizeof(*s));
	int err = -1;

	if (!s || bench_baseline_init())
		goto out;
	n = add_baselines(s);
	zones = add_zones(b, s + n);
	err = zones ? 0 : -1;
	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = bench_interleave(b, s, n + zones, b->opts.bulks[i]);
	for (i = n; i < max; i++)
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
	{ .title = "Take and give back, ready for packets",
	  .kind = "prep",
	  .label = "cycles a page" },
	{ .title = "Take and give back, pointers only", .kind = "raw", .label = "cycles a page" },
	{ .title = "Two threads a CPU, not pinned",
	  .kind = "crowded",
	  .label = "CPU cycles a page" },
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
