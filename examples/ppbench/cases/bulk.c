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

#include "stack.h"

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

/* how an array is filled and prepared */
enum {
	FILL = 1, /* where it is NULL, instead of from its start */
	GUARD = 2, /* held around the call: the library prepares after its own window */
	INSIDE = 4, /* the pages are prepared while the guard is held */
	AFTER = 8, /* and after it */
};

static inline __attribute__((always_inline)) uint64_t
run_calls(struct bench_subject *s, unsigned int bulk, unsigned long loops, const unsigned int how)
{
	struct pp_page *pages[PP_BULK_MAX] __attribute__((aligned(64)));
	struct bulk_work *w = s->ctx;
	uint64_t start = pp_cycles(), since;
	unsigned int got;

	while (loops--) {
		if (how & FILL)
			memset(pages, 0, bulk * sizeof(*pages));
		if (how & GUARD)
			guard_begin(w, &since);
		got = how & FILL ? pp_zone_alloc_bulk_fill(w->zone, pages, bulk)
				 : pp_zone_alloc_bulk(w->zone, pages, bulk);
		if (how & INSIDE)
			stack_prepare((void *const *)pages, got);
		if (how & GUARD)
			guard_end(w, since);
		s->shorts += got != bulk;
		if (how & AFTER)
			stack_prepare((void *const *)pages, got);
		if (!(how & GUARD))
			walk_array(pages, got);
		exchange_pages(w, pages, got);
		pp_zone_free_bulk(w->zone, pages, got);
	}
	return pp_cycles() - start;
}

#define RUN_CALLS(name, how)                                                                  \
	static uint64_t name(struct bench_subject *s, unsigned int bulk, unsigned long loops) \
	{                                                                                     \
		return run_calls(s, bulk, loops, how);                                        \
	}
RUN_CALLS(run_array, 0)
RUN_CALLS(run_fill, FILL)
RUN_CALLS(run_never, GUARD)
RUN_CALLS(run_after, GUARD | AFTER)
RUN_CALLS(run_inside, GUARD | INSIDE)

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

/* ---- the case -------------------------------------------------------------------------------- */

static const struct shape {
	const char *name;
	const char *hot; /* kinds */
	const char *cold;
	bench_run_fn *run;
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
	unsigned int n = COLD_PAGES / 2, k = 1;

	w->queue = bench_alloc(n, sizeof(struct pp_page *));
	if (!w->queue)
		return -1;
	for (; w->held < n && k; w->held += k)
		k = pp_zone_alloc_bulk(w->zone, w->queue + w->held, 256);
	if (w->held < n)
		bench_error("bulk: the zone has fewer than %u pages to hold", n);
	return w->held < n ? -1 : 0;
}

static int work_close(struct bench *b, struct bulk_work *w)
{
	unsigned int i, k;

	for (i = 0; i < w->held; i += k) {
		k = w->held - i < PP_BULK_MAX ? w->held - i : PP_BULK_MAX;
		pp_zone_free_bulk(w->zone, w->queue + i, k);
	}
	free(w->queue);
	return bench_zone_close(b, w->zone);
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
	bench_subject_set(s, cold ? shape->cold : shape->hot, shape->run, w, "%s", shape->name);
	w->zone = bench_zone_create(params);
	if (!w->zone)
		return -1;
	return cold ? hold_pages(w) : 0;
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
	struct bench_subject *s = bench_alloc(SUBJECTS, sizeof(*s));
	unsigned int i, k, n = 0;
	int err = s ? 0 : -1;

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
	{ "Pages that are warm", "hot", NULL, "cycles a page", NULL },
	{ "Pages that are cold", "cold", NULL, "cycles a page", NULL },
	{ "Preparing cold pages: how long the lock is held, median", "prep cold",
	  "window_median_cycles", "cycles", NULL },
	{ "Preparing cold pages: what it costs altogether", "prep cold", NULL, "cycles a page",
	  NULL },
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
