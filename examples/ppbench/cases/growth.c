/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * growth.c - figures that may grow with a zone, with pools and threads, with runs and pages
 *
 * All figures are in CPU time. A figure that grows along its axis is in a note.
 */
#include <pagepool/error.h>
#include <pagepool/memory.h>
#include <pagepool/page_pool.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"

#define BULK	  64u
#define LOOPS	  1000u
#define FLAT	  1.5 /* times the first figure: less is flat */
#define KEYS	  12u
#define SWEEP_MAX 65536u /* pages: all are touched */
#define RUNS	  8u

/* ---- a row's figures ------------------------------------------------------------------------- */

struct figures {
	double cycles[BENCH_REPEAT_MAX]; /* a page */
	const char *key[KEYS];
	double value[KEYS][BENCH_REPEAT_MAX];
	unsigned int nkeys;
	unsigned int r; /* the repetition */
};

static void figure_set(struct figures *f, const char *key, double value)
{
	unsigned int k;

	for (k = 0; k < f->nkeys && strcmp(f->key[k], key) != 0; k++)
		continue;
	if (k == KEYS)
		return;
	f->nkeys += k == f->nkeys;
	f->key[k] = key;
	f->value[k][f->r] = value;
}

/* the cycles since @start, for each of @n */
static void figure_since(const struct bench *b, struct figures *f, const char *key, uint64_t start,
			 double n)
{
	figure_set(f, key, (double)(bench_cpu_cycles(b) - start) / n);
}

/* ---- a zone: calls that touch one block of it, and calls that touch all ---------------------- */

/* the second pass counts: the first touches memory that the system has not given out yet */
static int figure_range(struct bench *b, struct pp_zone *zone, struct figures *f)
{
	uint64_t block = pp_zone_block_pages(zone), start;
	struct pp_page *first;
	unsigned int pass;
	int err = 0;

	for (pass = 0; pass < 2 && !err; pass++) {
		start = bench_cpu_cycles(b);
		err = pp_zone_isolate(zone, 0, block);
		if (!err)
			err = pp_zone_isolate_undo(zone, 0, block);
		figure_since(b, f, "isolate_cycles", start, 1);
		start = bench_cpu_cycles(b);
		if (!err)
			err = pp_zone_alloc_contig(zone, block / 2, 0, PP_CONTIG_NORMAL, 0, &first);
		if (!err)
			pp_zone_free_contig(zone, first, block / 2);
		figure_since(b, f, "contig_cycles", start, 1);
	}
	return err;
}

/* takes all pages and gives them back */
static int figure_sweep(struct bench *b, struct pp_zone *zone, struct figures *f)
{
	unsigned int n = (unsigned int)pp_zone_pages(zone), got = 0, i, k, pass;
	struct pp_page **pages = bench_alloc(n, sizeof(*pages));
	uint64_t start = 0;

	for (pass = 0; pages && pass < 2; pass++) { /* the first accepts the memory */
		start = bench_cpu_cycles(b);
		for (got = 0; got < n; got += k) {
			k = pp_zone_alloc_bulk(zone, pages + got, n - got < BULK ? n - got : BULK);
			if (!k)
				break;
		}
		for (i = 0; i < got; i += BULK)
			pp_zone_free_bulk(zone, pages + i, got - i < BULK ? got - i : BULK);
	}
	figure_since(b, f, "sweep_cycles", start, n);
	free(pages);
	start = bench_cpu_cycles(b);
	if (pp_zone_shrink(zone, 0) < 0)
		pages = NULL;
	figure_since(b, f, "shrink_cycles", start, n);
	return pages && got == n ? 0 : -1;
}

static int figure_audit(struct bench *b, struct pp_zone *zone, struct figures *f)
{
	struct pp_audit audit = { .sz = sizeof(audit) };
	uint64_t start = bench_cpu_cycles(b);
	int err = pp_zone_audit(zone, &audit);

	figure_since(b, f, "audit_cycles", start, (double)pp_zone_pages(zone));
	return err;
}

static int measure_zone(struct bench *b, const char *policy, unsigned int pages, uint32_t page_size,
			struct figures *f)
{
	struct bench_subject s = { .policy = "" };
	uint64_t start = bench_cpu_cycles(b);
	long before = bench_bytes(false);
	int err;

	s.ctx = bench_zone_create((struct pp_zone_params){
		.pages = pages, .page_size = page_size, .flags = PP_ZONE_LAZY, .policy = policy });
	if (!s.ctx)
		return -1;
	figure_since(b, f, "create_cycles", start, 1);
	figure_set(f, "metadata_bytes", (double)(bench_bytes(false) - before) / pages - page_size);
	bench_run_zone(&s, BULK, LOOPS / 10);
	start = bench_cpu_cycles(b);
	bench_run_zone(&s, BULK, LOOPS);
	f->cycles[f->r] = (double)(bench_cpu_cycles(b) - start) / LOOPS / BULK;
	err = figure_audit(b, s.ctx, f) || figure_range(b, s.ctx, f) ? -1 : 0;
	if (!err && (uint64_t)pages * page_size <= (uint64_t)SWEEP_MAX * BENCH_PAGE_SIZE)
		err = figure_sweep(b, s.ctx, f);
	start = bench_cpu_cycles(b);
	err |= pp_zone_destroy(s.ctx);
	figure_since(b, f, "destroy_cycles", start, 1);
	if (err)
		bench_error("growth: a zone of %u pages: %s", pages, pp_error());
	return err ? -1 : 0;
}

static int grow_zone(struct bench *b, const char *policy, unsigned int x, struct figures *f)
{
	return measure_zone(b, policy, x, BENCH_PAGE_SIZE, f);
}

static int grow_page(struct bench *b, const char *policy, unsigned int x, struct figures *f)
{
	return measure_zone(b, policy, BENCH_PAGES, x, f);
}

/* ---- pools ----------------------------------------------------------------------------------- */

/* Each pool keeps a page. The zone has no more, so that one allocation asks all of them. */
static int figure_trim(struct bench *b, struct pp_zone *zone, struct page_pool **pools,
		       unsigned int n, struct figures *f)
{
	struct pp_page *page, *pages[PP_BULK_MAX];
	unsigned int i, got, want = n < PP_BULK_MAX ? n : PP_BULK_MAX;
	uint64_t start;

	for (i = 0; i < n; i++)
		if (page_pool_alloc_bulk(pools[i], &page, 1))
			page_pool_put_bulk(&page, 1);
	start = bench_cpu_cycles(b);
	got = pp_zone_alloc_bulk(zone, pages, want);
	figure_since(b, f, "trim_cycles", start, n);
	pp_zone_free_bulk(zone, pages, got);
	return got == want ? 0 : -1;
}

static int figure_pools(struct bench *b, struct pp_zone *zone, struct page_pool **pools,
			unsigned int n, struct figures *f)
{
	struct page_pool_params params = { .sz = sizeof(params), .zone = zone, .refill = 1 };
	struct bench_subject s = { .policy = "" };
	uint64_t start = bench_cpu_cycles(b);
	long before = bench_bytes(false);
	unsigned int i, made;
	int err;

	for (made = 0; made < n && (pools[made] = page_pool_create(&params)); made++)
		continue;
	figure_since(b, f, "create_cycles", start, n);
	if (n >= BULK) /* of fewer, the heap has room for some */
		figure_set(f, "metadata_bytes", (double)(bench_bytes(false) - before) / n);
	err = made < n || figure_trim(b, zone, pools, n, f) ? -1 : 0;
	if (err)
		bench_error("growth: %u of %u pools: %s", made, n, pp_error());
	s.ctx = pools[0];
	start = bench_cpu_cycles(b);
	if (!err)
		bench_run_pool(&s, 1, (unsigned long)LOOPS * BULK);
	f->cycles[f->r] = (double)(bench_cpu_cycles(b) - start) / LOOPS / BULK;
	start = bench_cpu_cycles(b);
	for (i = 0; i < made; i++)
		page_pool_destroy(pools[i]);
	figure_since(b, f, "destroy_cycles", start, n);
	return err;
}

static int grow_pools(struct bench *b, const char *policy, unsigned int x, struct figures *f)
{
	struct page_pool **pools = bench_alloc(x, sizeof(struct page_pool *));
	struct pp_zone *zone = bench_zone_create((struct pp_zone_params){
		.pages = x,
		.page_size = BENCH_PAGE_SIZE,
		.policy = policy,
	});
	int err = pools && zone ? figure_pools(b, zone, pools, x, f) : -1;

	free(pools);
	return bench_zone_close(b, zone) ? -1 : err;
}

/* ---- threads --------------------------------------------------------------------------------- */

struct grower {
	const struct bench *b;
	struct bench_gate *gate;
	struct bench_subject subject;
	uint64_t cycles;
} __attribute__((aligned(128)));

static void *grower_thread(void *arg)
{
	struct grower *g = arg;
	uint64_t start;

	if (!bench_gate_pass(g->gate))
		return NULL;
	bench_run_zone(&g->subject, BULK, LOOPS / 10);
	start = bench_cpu_cycles(g->b);
	bench_run_zone(&g->subject, BULK, LOOPS);
	g->cycles = bench_cpu_cycles(g->b) - start;
	return NULL;
}

static int grow_threads(struct bench *b, const char *policy, unsigned int x, struct figures *f)
{
	struct grower *g = bench_alloc(x, sizeof(*g));
	struct pp_zone *zone = bench_zone_create((struct pp_zone_params){
		.pages = (uint64_t)x * 4 * PP_BULK_MAX + BENCH_PAGES,
		.page_size = BENCH_PAGE_SIZE,
		.flags = PP_ZONE_LAZY,
		.policy = policy,
	});
	struct bench_gate gate;
	double cycles = 0;
	unsigned int i;
	int err = g && zone ? 0 : -1;

	for (i = 0; i < x && !err; i++)
		g[i] = (struct grower){ .b = b, .gate = &gate, .subject.ctx = zone };
	if (!err)
		err = bench_crew_run(&gate, b->opts.cores, b->opts.ncores, x, grower_thread, g,
				     sizeof(*g));
	for (i = 0; i < x && !err; i++)
		cycles += (double)g[i].cycles;
	f->cycles[f->r] = cycles / x / LOOPS / BULK;
	free(g);
	return bench_zone_close(b, zone) ? -1 : err;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static int grow_runs(struct bench *b, const char *policy, unsigned int x, struct figures *f)
{
	struct pp_zone *zone = bench_zone_create((struct pp_zone_params){
		.pages = 16 * PP_BULK_MAX * RUNS,
		.page_size = BENCH_PAGE_SIZE,
		.flags = PP_ZONE_LAZY,
		.policy = policy,
	});
	unsigned int order = (unsigned int)__builtin_ctz(x), i, got;
	struct pp_page *pages[RUNS];
	uint64_t start = 0;

	for (i = 0; zone && i < LOOPS + LOOPS / 10; i++) {
		if (i == LOOPS / 10)
			start = bench_cpu_cycles(b);
		got = pp_zone_alloc_order_bulk(zone, order, pages, RUNS);
		bench_use(pages);
		pp_zone_free_order_bulk(zone, pages, got);
	}
	figure_since(b, f, "run_cycles", start, LOOPS * RUNS);
	f->cycles[f->r] = f->value[0][f->r] / x;
	return !zone || bench_zone_close(b, zone) ? -1 : 0;
}

/* ---- the case -------------------------------------------------------------------------------- */

static const struct axis {
	const char *kind;
	unsigned int from, quick, to, times; /* the values of --quick end sooner */
	int (*measure)(struct bench *b, const char *policy, unsigned int x, struct figures *f);
} axes[] = {
	{ "zone pages", 1024, 1048576, 16777216, 4, grow_zone },
	{ "pools", 1, 4096, 4096, 8, grow_pools },
	{ "threads", 1, 64, 64, 2, grow_threads },
	{ "pages a run", 1, 512, 512, 2, grow_runs },
	{ "page size", 2048, 65536, 65536, 2, grow_page },
};

static int keep_figures(struct bench *b, const char *policy, const struct axis *axis,
			unsigned int x, struct figures *f)
{
	struct bench_row *row = bench_row_add(b, policy, axis->kind, x, f->cycles, b->opts.repeat);
	unsigned int k;

	for (k = 0; row && k < f->nkeys; k++)
		bench_extra(row, f->key[k], bench_median(f->value[k], b->opts.repeat));
	return row ? 0 : -1;
}

/* names the figures that are larger at the end of the axis than at its beginning */
static void note_slopes(struct bench *b, const struct axis *axis, size_t first)
{
	const struct bench_row *from = &b->rows[first], *to = &b->rows[b->nrows - 1];
	char text[200] = "nothing";
	unsigned int i, k, used = 0;
	const double *a, *z;

	for (k = 0; k < from->nextra; k++) {
		a = &from->extra[k].value;
		for (i = (unsigned int)b->nrows, z = NULL; !z && i > first; i--)
			z = bench_extra_find(&b->rows[i - 1], from->extra[k].key);
		if (*z > FLAT * *a && used < sizeof(text))
			used += (unsigned int)snprintf(text + used, sizeof(text) - used,
						       "%s %s from %.3g to %.3g", used ? "," : "",
						       from->extra[k].key, *a, *z);
	}
	bench_note(b, "%s, %s, %u to %u: cycles a page from %.3g to %.3g; grows: %s", axis->kind,
		   to->policy, from->bulk, to->bulk, from->median, to->median, text);
}

static int run_axis(struct bench *b, const struct axis *axis, const char *policy)
{
	unsigned int to = b->opts.quick ? axis->quick : axis->to, n = 0, i, r;
	struct figures *f = bench_alloc(BENCH_LIST_MAX, sizeof(*f));
	size_t first = b->nrows;
	uint64_t x;
	int err = f ? 0 : -1;

	for (r = 0; r < b->opts.repeat && !err; r++) {
		for (x = axis->from, n = 0; x <= to && !err; x *= axis->times, n++) {
			bench_progress(b, "%s %u, repetition %u of %u", axis->kind, (unsigned int)x,
				       r + 1, b->opts.repeat);
			f[n].r = r;
			err = axis->measure(b, policy, (unsigned int)x, &f[n]);
			bench_progress_tick(b);
		}
	}
	for (i = 0, x = axis->from; i < n && !err; i++, x *= axis->times)
		err = keep_figures(b, policy, axis, (unsigned int)x, &f[i]);
	free(f);
	if (!err)
		note_slopes(b, axis, first);
	return err;
}

static int growth_case(struct bench *b)
{
	unsigned int a, p;
	int err = 0;

	for (a = 0; a < sizeof(axes) / sizeof(*axes); a++)
		for (p = 0; p < b->opts.npolicies && !err; p++)
			err = run_axis(b, &axes[a], b->opts.policies[p]);
	bench_note(b,
		   "a page: taken and given back, 64 at once; one at once from a pool; all in CPU "
		   "time; the other figures are explained in doc/bench.md");
	return err;
}

static const unsigned int bulks[] = { 0 };

const struct bench_case bench_growth = {
	.name = "growth",
	.title = "what grows with zones, pools, threads, runs and pages",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.policies = "trylock",
	.cores = 1,
	.all_cores = true,
	.run = growth_case,
	.bulk_is = "how many",
	.by_kind = true,
};
