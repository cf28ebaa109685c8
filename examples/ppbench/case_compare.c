/* SPDX-License-Identifier: BSD-3-Clause */
/* case_compare.c - the same work on other people's allocators, in one run */
#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define BASELINES   4u
#define DPDK_MAX    8u
#define RTE_MEMPOOL "rte_mempool ring_mp_mc cache 512"
#define RTE_PKTMBUF "rte_pktmbuf ring_mp_mc cache 512"
#define PER_POLICY  3u
#define TARGET_BULK 64u

static const unsigned int bulks[] = { 1, 8, 32, 64, 0 };

/* a policy's cache, raw and with preparation, and a page_pool on top of the latter */
struct ours {
	struct pp_zone *raw;
	struct pp_zone *prep;
	struct pp_zone *under_pool;
	struct page_pool *pool;
};

static int ours_open(struct ours *o, struct bench_subject *s, const char *policy)
{
	struct page_pool_params params = { .sz = sizeof(params) };

	o->raw = bench_zone_open(policy, PP_ZONE_NO_PREP);
	o->prep = bench_zone_open(policy, 0);
	o->under_pool = bench_zone_open(policy, 0);
	if (!o->raw || !o->prep || !o->under_pool)
		return -1;
	params.zone = o->under_pool;
	o->pool = page_pool_create(&params);
	if (!o->pool) {
		bench_error("cannot create a pool: %s", pp_error());
		return -1;
	}
	bench_name(&s[0], "raw", "zone %s", policy);
	s[0].run = bench_run_zone;
	s[0].ctx = o->raw;
	bench_name(&s[1], "prep", "zone %s", policy);
	s[1].run = bench_run_zone;
	s[1].ctx = o->prep;
	bench_name(&s[2], "prep", "page_pool %s", policy);
	s[2].run = bench_run_pool;
	s[2].ctx = o->pool;
	return 0;
}

static int ours_close(struct bench *b, struct ours *o)
{
	int err = 0;

	page_pool_destroy(o->pool);
	err |= bench_zone_close(b, o->raw);
	err |= bench_zone_close(b, o->prep);
	err |= bench_zone_close(b, o->under_pool);
	return err;
}

static unsigned int add_baselines(struct bench_subject *s)
{
	bench_name(&s[0], "raw", "array");
	s[0].run = bench_run_array;
	bench_name(&s[1], "prep", "array");
	s[1].run = bench_run_array_prep;
	bench_name(&s[2], "raw", "locked stack");
	s[2].run = bench_run_stack;
	bench_name(&s[3], "raw", "malloc(2048)");
	s[3].run = bench_run_malloc;
	return BASELINES;
}

/* one sentence for those who will not read the table */
static void summarise(struct bench *b, const char *kind, const char *rival)
{
	struct bench_row *us, *array, *them;
	char name[BENCH_NAME];

	snprintf(name, sizeof(name), "zone %s", b->opts.policies[0]);
	us = bench_find(b, name, kind, TARGET_BULK);
	array = bench_find(b, "array", kind, TARGET_BULK);
	them = bench_find(b, rival, kind, TARGET_BULK);
	if (!us || !array || us->median <= 0)
		return;
	if (them)
		bench_note(b, "%s, %s, bulk %u: %.2f x the plain array; %s takes %.2f x as long",
			   name, kind, TARGET_BULK, us->median / array->median, rival,
			   them->median / us->median);
	else
		bench_note(b, "%s, %s, bulk %u: %.2f x the plain array", name, kind, TARGET_BULK,
			   us->median / array->median);
}

static int measure(struct bench *b, struct bench_subject *s, unsigned int n)
{
	const char *why = NULL;
	unsigned int i;
	int err;

	n += bench_dpdk_open(b->opts.cores[0], s + n, DPDK_MAX, &why);
	if (why)
		bench_note(b, "rte_mempool: %s", why);
	err = bench_pin(b->opts.cores[0]);
	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = bench_interleave(b, s, n, b->opts.bulks[i]);
	if (!err)
		err = bench_dpdk_audit();
	bench_dpdk_close();
	return err;
}

static int run(struct bench *b)
{
	unsigned int max = BASELINES + DPDK_MAX + PER_POLICY * b->opts.npolicies, n, i;
	struct bench_subject *s = calloc(max, sizeof(*s));
	struct ours ours[BENCH_LIST_MAX] = { 0 };
	int err = s && !bench_baseline_init() ? 0 : -1;

	n = err ? 0 : add_baselines(s);
	for (i = 0; i < b->opts.npolicies && !err; i++, n += PER_POLICY)
		err = ours_open(&ours[i], s + n, b->opts.policies[i]);
	if (!err)
		err = measure(b, s, n);
	for (i = 0; i < b->opts.npolicies; i++)
		if (ours_close(b, &ours[i]))
			err = -1;
	bench_ratio(b, "vs_array", "array", NULL);
	bench_ratio(b, "vs_rte", RTE_MEMPOOL, NULL);
	bench_ratio(b, "vs_rte", RTE_PKTMBUF, NULL);
	summarise(b, "raw", RTE_MEMPOOL);
	summarise(b, "prep", RTE_PKTMBUF);
	bench_note(b, "raw: pointers only; prep: ready for a packet, as applications get them");
	bench_baseline_exit();
	free(s);
	return err;
}

const struct bench_case bench_compare = {
	.name = "compare",
	.title = "the same alloc + free on pagepool, rte_mempool, malloc",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 1,
	.run = run,
};
