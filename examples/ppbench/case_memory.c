/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * case_memory.c - runs of pages by order; building a zone, eager and lazy; and whether a
 * thread that has free pages notices another one that accepts memory from slow firmware
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <pagepool/error.h>
#include <pagepool/memory.h>

#include "bench.h"

#define ORDERS	    10u
#define BIG_PAGES   131072u /* 512 MiB of 4 KiB */
#define SAMPLES	    100000u
#define SAMPLE_BULK 16u
#define FIRMWARE_NS 1000000

static const unsigned int bulks[] = { 1, 8, 32, 0 };

/* ---- runs ------------------------------------------------------------------------------------ */

struct run_ctx {
	struct pp_zone *zone;
	unsigned int order;
};

static uint64_t run_runs(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX];
	const struct run_ctx *ctx = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		got = pp_zone_alloc_order_bulk(ctx->zone, ctx->order, pages, bulk);
		s->shorts += got != bulk;
		bench_use(pages);
		pp_zone_free_order_bulk(ctx->zone, pages, got);
	}
	return pp_cycles() - start;
}

static struct pp_zone *open_zone(uint64_t pages, uint32_t flags, const struct pp_zone_ops *ops)
{
	struct pp_zone_params params = {
		.sz = sizeof(params),
		.name = "ppbench",
		.pages = pages,
		.flags = flags,
		.ops = ops,
	};
	struct pp_zone *zone = pp_zone_create(&params);

	if (!zone)
		bench_error("memory: cannot create a zone of %llu pages: %s",
			    (unsigned long long)pages, pp_error());
	return zone;
}

static int runs(struct bench *b)
{
	static const char *const kinds[ORDERS] = { "order 0", "order 1", "order 2", "order 3",
						   "order 4", "order 5", "order 6", "order 7",
						   "order 8", "order 9" };
	struct run_ctx ctx[ORDERS];
	struct bench_subject *s = calloc(ORDERS, sizeof(*s));
	struct pp_zone *zone = s ? open_zone(BIG_PAGES, PP_ZONE_LAZY, NULL) : NULL;
	unsigned int i;
	int err = zone ? 0 : -1;

	for (i = 0; i < ORDERS && !err; i++) {
		ctx[i] = (struct run_ctx){ zone, i };
		bench_name(&s[i], kinds[i], "trylock");
		s[i].run = run_runs;
		s[i].ctx = &ctx[i];
		run_runs(&s[i], 32, 100); /* what has to be accepted for it is */
	}
	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = bench_interleave(b, s, ORDERS, b->opts.bulks[i]);
	if (bench_zone_close(b, zone))
		err = -1;
	free(s);
	return err;
}

/* ---- building a zone, to the first page ------------------------------------------------------ */

static int build(struct bench *b, const char *kind, uint32_t flags)
{
	double samples[BENCH_REPEAT_MAX];
	unsigned int i, n = b->opts.repeat < 7 ? b->opts.repeat : 7;
	struct pp_zone *zone;
	struct pp_page *page;
	uint64_t start;

	for (i = 0; i < n; i++) {
		start = pp_cycles();
		zone = open_zone(BIG_PAGES, flags, NULL);
		if (!zone)
			return -1;
		if (!pp_zone_alloc_bulk(zone, &page, 1)) {
			bench_error("memory: a zone of 512 MiB has no page: %s", pp_error());
			return -1;
		}
		samples[i] = (double)(pp_cycles() - start);
		pp_zone_free_bulk(zone, &page, 1);
		if (bench_zone_close(b, zone))
			return -1;
	}
	bench_row_add(b, "512 MiB", kind, 1, samples, n);
	return 0;
}

/* ---- who has pages, beside who accepts ------------------------------------------------------- */

static struct {
	struct pp_zone *zone;
	bool stop;
	unsigned int taken;
	struct pp_page *pages[BIG_PAGES];
} grower;

static int slow_accept(void *arg, void *base, size_t len)
{
	const struct timespec delay = { .tv_nsec = FIRMWARE_NS };

	(void)arg;
	(void)base;
	(void)len;
	return nanosleep(&delay, NULL) ? -errno : 0;
}

static const struct pp_zone_ops slow_ops = { .accept = slow_accept };

static void *grow(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&grower.stop, __ATOMIC_ACQUIRE) && grower.taken < BIG_PAGES - 8192)
		grower.taken += pp_zone_alloc_bulk(grower.zone, grower.pages + grower.taken, 8);
	return NULL;
}

static double p999(double *values)
{
	struct pp_page *pages[SAMPLE_BULK];
	uint64_t start;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		start = pp_cycles();
		pp_zone_free_bulk(grower.zone, pages,
				  pp_zone_alloc_bulk(grower.zone, pages, SAMPLE_BULK));
		values[i] = (double)(pp_cycles() - start);
	}
	return bench_quantile(values, SAMPLES, 0.999);
}

/* One zone, new each time: alone, then beside a thread that takes all there is. */
static int notice_once(struct bench *b, double *values, double *alone, double *beside)
{
	pthread_t thread;
	int err;

	grower.zone = open_zone(BIG_PAGES, PP_ZONE_LAZY, &slow_ops);
	if (!grower.zone)
		return -1;
	grower.stop = false;
	grower.taken = 0;
	p999(values);
	*alone = p999(values);
	err = bench_thread(&thread, b->opts.cores[1], grow, NULL);
	if (!err) {
		*beside = p999(values);
		__atomic_store_n(&grower.stop, true, __ATOMIC_RELEASE);
		pthread_join(thread, NULL);
	}
	for (; grower.taken; grower.taken--)
		pp_zone_free_bulk(grower.zone, &grower.pages[grower.taken - 1], 1);
	return bench_zone_close(b, grower.zone) || err ? -1 : 0;
}

static int notice(struct bench *b)
{
	double alone[BENCH_REPEAT_MAX], beside[BENCH_REPEAT_MAX];
	double *values = calloc(SAMPLES, sizeof(*values));
	unsigned int i;
	int err = values ? 0 : -1;

	for (i = 0; i < b->opts.repeat && !err; i++)
		err = notice_once(b, values, &alone[i], &beside[i]);
	free(values);
	if (err)
		return err;
	bench_row_add(b, "trylock", "p99.9 alone", SAMPLE_BULK, alone, b->opts.repeat);
	bench_row_add(b, "trylock", "p99.9 accept", SAMPLE_BULK, beside, b->opts.repeat);
	bench_note(b,
		   "p99.9: of 16 pages taken and given back, alone and while another thread takes "
		   "pages of blocks whose firmware needs 1 ms each");
	return 0;
}

static int run(struct bench *b)
{
	int err = runs(b);

	if (!err)
		err = build(b, "build eager", 0);
	if (!err)
		err = build(b, "build lazy", PP_ZONE_LAZY);
	if (!err && b->opts.ncores > 1)
		err = notice(b);
	else if (!err)
		bench_note(b, "p99.9 beside an acceptor needs two cores: --cores A,B");
	bench_note(b, "order: cycles a run of 2^order pages of 4 KiB, taken and given back");
	bench_note(b, "build: a zone of 512 MiB, to its first page");
	return err;
}

const struct bench_case bench_memory = {
	.name = "memory",
	.title = "runs of pages, and memory on demand",
	.unit = "cycles",
	.bulks = bulks,
	.policies = "trylock",
	.cores = 2,
	.run = run,
};
