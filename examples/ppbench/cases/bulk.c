/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/bulk.c - the shape of the bulk call
 *
 * The case compares an array with a list, filling the holes of an array with appending to
 * it, and preparing the pages while the cache is closed with preparing them after it.
 * Every subject looks once at each page that it takes: a list that is never walked would
 * cost nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define COLD_PAGES 65536u /* with 4 MiB of metadata, more than a core's own cache */
#define SAMPLES	   4096u

static const unsigned int bulks[] = { 1, 8, 32, 64, 128, 256, 0 };

/*
 * a subject's zone and queue; pages that are not wanted yet wait in the queue, oldest
 * first
 */
struct bulk_work {
	struct pp_zone *zone;
	struct pp_page **queue;
	unsigned int held;
	unsigned int at;
	/* prep: cycles for which the guard was held, of the last SAMPLES calls */
	uint64_t window[SAMPLES];
	unsigned int nwindows;
	unsigned int guard __attribute__((aligned(128)));
};

static inline void walk_array(struct pp_page *const *pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		bench_use((size_t)pages[i]->len);
}

/* the queue takes @n pages and gives the @n oldest back, which are cold by then */
static inline void exchange_pages(struct bulk_work *w, struct pp_page **pages, unsigned int n)
{
	struct pp_page *page;
	unsigned int i;

	if (!w->held)
		return;
	for (i = 0; i < n; i++) {
		page = w->queue[w->at];
		w->queue[w->at] = pages[i];
		pages[i] = page;
		w->at = w->at + 1 == w->held ? 0 : w->at + 1;
	}
}

static uint64_t run_array(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct bulk_work *w = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		got = pp_zone_alloc_bulk(w->zone, pages, bulk);
		s->shorts += got != bulk;
		walk_array(pages, got);
		exchange_pages(w, pages, got);
		pp_zone_free_bulk(w->zone, pages, got);
	}
	return pp_cycles() - start;
}

static uint64_t run_fill(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct bulk_work *w = s->ctx;
	uint64_t start = pp_cycles();
	unsigned int got;

	while (loops--) {
		memset(pages, 0, bulk * sizeof(*pages));
		got = pp_zone_alloc_bulk_fill(w->zone, pages, bulk);
		s->shorts += got != bulk;
		walk_array(pages, got);
		exchange_pages(w, pages, got);
		pp_zone_free_bulk(w->zone, pages, got);
	}
	return pp_cycles() - start;
}

/* Every other slot is taken already, as in a ring that is refilled in the middle. */
static uint64_t run_holes(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[2 * PP_BULK_MAX], *fresh[PP_BULK_MAX];
	unsigned int got, n = 2 * bulk, part, i, k;
	struct bulk_work *w = s->ctx;
	uint64_t start = pp_cycles();

	for (i = 0; i < n; i++)
		pages[i] = pp_zone_page_table(w->zone); /* any page, but not NULL */
	while (loops--) {
		for (i = 0; i < n; i += 2)
			pages[i] = NULL;
		for (i = got = 0; i < n; i += part) {
			part = n - i < PP_BULK_MAX ? n - i : PP_BULK_MAX;
			got += pp_zone_alloc_bulk_fill(w->zone, pages + i, part);
		}
		s->shorts += got != n;
		if (unlikely(got != n))
			break;
		for (i = k = 0; i < n; i += 2)
			fresh[k++] = pages[i];
		walk_array(fresh, k);
		exchange_pages(w, fresh, k);
		pp_zone_free_bulk(w->zone, fresh, k);
	}
	return pp_cycles() - start;
}

static uint64_t run_list(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64))), *page;
	struct bulk_work *w = s->ctx;
	uint64_t start = pp_cycles();
	struct pp_list list;
	unsigned int n;

	while (loops--) {
		list = (struct pp_list)PP_LIST_INIT;
		s->shorts += pp_zone_alloc_bulk_list(w->zone, bulk, &list) != bulk;
		if (!w->held) {
			for (page = list.head; page; page = page->next)
				bench_use((size_t)page->len);
			pp_zone_free_bulk_list(w->zone, &list);
			continue;
		}
		for (n = 0; (page = pp_list_pop(&list)); n++) {
			bench_use((size_t)page->len);
			pages[n] = page;
		}
		exchange_pages(w, pages, n);
		for (n = 0; n < bulk; n++)
			pp_list_add_tail(&list, pages[n]);
		pp_zone_free_bulk_list(w->zone, &list);
	}
	return pp_cycles() - start;
}

/* ---- preparation: while the guard is held, or after ------------------------------------------ */

/* the part of struct pp_page that an allocation resets */
static inline void prepare_pages(struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		pages[i]->next = NULL;
		pages[i]->len = 0;
		pages[i]->data_off = BENCH_HEADROOM;
		pages[i]->port = 0;
	}
	bench_use(pages);
}

static inline void guard_begin(struct bulk_work *w, uint64_t *since)
{
	while (__atomic_exchange_n(&w->guard, 1, __ATOMIC_ACQUIRE))
		continue;
	*since = pp_cycles();
}

static inline void guard_end(struct bulk_work *w, uint64_t since)
{
	w->window[w->nwindows++ % SAMPLES] = pp_cycles() - since;
	__atomic_store_n(&w->guard, 0, __ATOMIC_RELEASE);
}

/* The library prepares after its window, so a guard of this file stands around its call. */
static inline uint64_t run_prep(struct bench_subject *s, unsigned int bulk, unsigned long loops,
				const bool inside, const bool after)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct bulk_work *w = s->ctx;
	uint64_t start = pp_cycles(), since;
	unsigned int got;

	while (loops--) {
		guard_begin(w, &since);
		got = pp_zone_alloc_bulk(w->zone, pages, bulk);
		if (inside)
			prepare_pages(pages, got);
		guard_end(w, since);
		s->shorts += got != bulk;
		if (after)
			prepare_pages(pages, got);
		exchange_pages(w, pages, got);
		pp_zone_free_bulk(w->zone, pages, got);
	}
	return pp_cycles() - start;
}

static uint64_t run_inside(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	return run_prep(s, bulk, loops, true, false);
}

static uint64_t run_after(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	return run_prep(s, bulk, loops, false, true);
}

static uint64_t run_never(struct bench_subject *s, unsigned int bulk, unsigned long loops)
{
	return run_prep(s, bulk, loops, false, false);
}

/* ---- the case -------------------------------------------------------------------------------- */

static const struct shape {
	const char *name;
	const char *hot; /* kinds */
	const char *cold;
	uint64_t (*run)(struct bench_subject *s, unsigned int bulk, unsigned long loops);
	uint32_t flags;
} shapes[] = {
	{ "array, append", "hot", "cold", run_array, 0 },
	{ "array, fill NULL", "hot", "cold", run_fill, 0 },
	{ "array, fill every other", "hot", "cold", run_holes, 0 },
	{ "list", "hot", "cold", run_list, 0 },
	{ "prep never", "prep hot", "prep cold", run_never, PP_ZONE_NO_PREP },
	{ "prep after", "prep hot", "prep cold", run_after, PP_ZONE_NO_PREP },
	{ "prep inside", "prep hot", "prep cold", run_inside, PP_ZONE_NO_PREP },
};

#define SHAPES	 (sizeof(shapes) / sizeof(shapes[0]))
#define SUBJECTS (2 * SHAPES)

static struct bulk_work works[SUBJECTS];

static int hold_pages(struct bulk_work *w)
{
	unsigned int n = COLD_PAGES / 2, k;

	w->queue = calloc(n, sizeof(struct pp_page *));
	while (w->queue && w->held < n) {
		k = pp_zone_alloc_bulk(w->zone, w->queue + w->held, 256);
		if (!k)
			break;
		w->held += k;
	}
	if (w->held == n)
		return 0;
	bench_error("bulk: not enough memory to hold %u pages", n);
	return -1;
}

static void release_pages(struct bulk_work *w)
{
	unsigned int i, k;

	for (i = 0; i < w->held; i += k) {
		k = w->held - i < PP_BULK_MAX ? w->held - i : PP_BULK_MAX;
		pp_zone_free_bulk(w->zone, w->queue + i, k);
	}
	free(w->queue);
	w->queue = NULL;
	w->held = 0;
}

static int work_open(struct bench *b, struct bench_subject *s, struct bulk_work *w, unsigned int i)
{
	const struct shape *shape = &shapes[i % SHAPES];
	bool cold = i >= SHAPES;
	struct pp_zone_params params = {
		.pages = cold ? COLD_PAGES : BENCH_PAGES,
		.page_size = BENCH_PAGE_SIZE,
		.headroom = BENCH_HEADROOM,
		.flags = shape->flags,
		.policy = b->opts.policies[0],
		.high = BENCH_HIGH,
	};

	memset(w, 0, sizeof(*w));
	bench_name(s, cold ? shape->cold : shape->hot, "%s", shape->name);
	s->run = shape->run;
	s->ctx = w;
	w->zone = bench_zone_create(params);
	if (!w->zone)
		return -1;
	return cold ? hold_pages(w) : 0;
}

static int work_close(struct bench *b, struct bulk_work *w)
{
	release_pages(w);
	return bench_zone_close(b, w->zone);
}

/* adds the guard's windows to the row, if the subject has a guard */
static void add_windows(struct bench *b, struct bench_subject *s, unsigned int bulk)
{
	struct bulk_work *w = s->ctx;
	struct bench_row *row = bench_find(b, s->policy, s->kind, bulk);
	unsigned int n = w->nwindows < SAMPLES ? w->nwindows : SAMPLES, i;
	static double window[SAMPLES];

	for (i = 0; i < n; i++)
		window[i] = (double)w->window[i];
	w->nwindows = 0;
	if (!row || !n)
		return;
	bench_extra(row, "window_median_cycles", bench_quantile(window, n, 0.5));
	bench_extra(row, "window_p99_cycles", bench_quantile(window, n, 0.99));
}

static void bulk_notes(struct bench *b)
{
	bench_note(b, "hot: the pages go back at once; cold: each goes round a queue of %u first",
		   COLD_PAGES / 2);
	bench_note(b, "every page taken is looked at once; array, fill every other: half of the "
		      "slots are taken already, figures are for the pages that were filled in");
	bench_note(b, "prep: a lock of the benchmark's own around the library's call, and the "
		      "16 bytes of each page reset never, after it is dropped, or before");
}

static int bulk_case(struct bench *b)
{
	struct bench_subject *s = calloc(SUBJECTS, sizeof(*s));
	unsigned int i, k, n = 0;
	int err = s ? 0 : -1;

	if (err)
		bench_error("bulk: not enough memory");
	if (!err && b->opts.npolicies > 1)
		bench_note(b, "policy %s only: the shape of the call is compared here",
			   b->opts.policies[0]);
	for (; n < SUBJECTS && !err; n++)
		err = work_open(b, &s[n], &works[n], n);
	for (k = 0; k < b->opts.nbulks && !err; k++) {
		err = bench_interleave(b, s, n, b->opts.bulks[k]);
		for (i = 0; i < n && !err; i++)
			add_windows(b, &s[i], b->opts.bulks[k]);
	}
	for (i = 0; i < n; i++)
		if (work_close(b, &works[i]))
			err = -1;
	bench_ratio(b, "vs_append", "array, append", NULL);
	bench_ratio(b, "vs_after", "prep after", NULL);
	bulk_notes(b);
	free(s);
	return err;
}

static const struct bench_plot plots[] = {
	{ .title = "Pages that are warm", .kind = "hot", .label = "cycles a page" },
	{ .title = "Pages that are cold", .kind = "cold", .label = "cycles a page" },
	{ .title = "Preparing cold pages: how long the lock is held, median",
	  .kind = "prep cold",
	  .y = "window_median_cycles",
	  .label = "cycles" },
	{ .title = "Preparing cold pages: what it costs altogether",
	  .kind = "prep cold",
	  .label = "cycles a page" },
	{ .title = NULL },
};

const struct bench_case bench_bulk = {
	.name = "bulk",
	.title = "list or array, fill or append, prepare inside or after",
	.unit = "cycles_per_page",
	.bulks = bulks,
	.cores = 1,
	.run = bulk_case,
	.policies = "trylock",
	.plots = plots,
};
