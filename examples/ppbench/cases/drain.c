/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/drain.c - emptying another core's cache: the cost to the drainer and to the owner
 *
 * There are five parts. The drainer's cost is measured with a full cache and an idle or a
 * busy owner. The owner's loss is measured while it does nothing but its work.
 */
#include <stdlib.h>

#include "cases/drain_owner.h"

#define TIMEOUT_US	20000u
#define IDLE_TIMEOUT_US 200u
#define IDLE_RUNS	50u

static const unsigned int bulks[] = { 64, 0 };

/*
 * @hz:    drains a second; 0: one after each filling, of an owner that waits
 * @per_s: windows that fit in a second; a repetition has one without drains and one with
 */
static const struct part {
	const char *kind;
	enum order order;
	unsigned int hz;
	unsigned int per_s;
} parts[] = {
	{ "idle", ORDER_FILL, 0, 0 },		{ "full", ORDER_RUN_FULL, 1000, 100 },
	{ "100/s", ORDER_RUN, 100, 33 },	{ "1000/s", ORDER_RUN, 1000, 100 },
	{ "100000/s", ORDER_RUN, 100000, 200 },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* figures of one part, one value a repetition, but for the sums and @cycles */
struct drain_result {
	double median[BENCH_REPEAT_MAX];
	double pages[BENCH_REPEAT_MAX];
	double alone[BENCH_REPEAT_MAX];
	double drained[BENCH_REPEAT_MAX];
	double slower[BENCH_REPEAT_MAX];
	double rate[BENCH_REPEAT_MAX];
	double *cycles; /* of every drain */
	size_t n;
	size_t room;
	unsigned long timeouts;
};

struct drain_subject {
	struct owner owner;
	struct drain_result result[PARTS];
	double distance[BENCH_REPEAT_MAX];
};

/* figures of one repetition */
struct pass {
	size_t first;
	unsigned long timeouts;
	double pages;
};

static int make_room(struct drain_result *res, size_t more)
{
	double *cycles;

	if (res->n + more <= res->room)
		return 0;
	res->room = 2 * (res->n + more);
	cycles = realloc(res->cycles, res->room * sizeof(*cycles));
	if (!cycles) {
		bench_error("drain: not enough memory for the samples");
		return -1;
	}
	res->cycles = cycles;
	return 0;
}

static void drain_once(struct drain_subject *s, struct drain_result *res, struct pass *pass,
		       unsigned int timeout_us)
{
	uint64_t start = pp_cycles();
	long moved = pp_zone_drain(s->owner.zone, s->owner.cache, timeout_us);
	uint64_t end = pp_cycles();

	if (moved < 0)
		pass->timeouts++;
	else
		pass->pages += (double)moved;
	res->cycles[res->n++] = (double)(end - start);
}

static void drain_idle(struct drain_subject *s, struct drain_result *res, struct pass *pass)
{
	unsigned int i;

	for (i = 0; i < IDLE_RUNS; i++) {
		owner_await(&s->owner, owner_order(&s->owner, ORDER_FILL));
		drain_once(s, res, pass, IDLE_TIMEOUT_US);
	}
}

/* returns the owner's cycles a page; no drains without @res */
static double drain_busy(struct bench *b, struct drain_subject *s, const struct part *part,
			 struct drain_result *res, struct pass *pass)
{
	unsigned int order = owner_order(&s->owner, part->order);
	uint64_t step = b->tsc_hz / part->hz;
	uint64_t now = pp_cycles(), end = now + b->tsc_hz / part->per_s;
	uint64_t next = res ? now + step : end + 1;

	/* another program may have had this CPU all the time: at least one drain must be in */
	for (; now < end || (res && res->n == pass->first); now = pp_cycles()) {
		if (now < next)
			continue;
		drain_once(s, res, pass, TIMEOUT_US);
		/* a late drain is not made up for: the cache would still be empty */
		for (next += step; next < pp_cycles(); next += step)
			continue;
	}
	owner_order(&s->owner, ORDER_NONE);
	owner_await(&s->owner, order + 1);
	return s->owner.cycles_per_page;
}

static int measure_part(struct bench *b, struct drain_subject *s, unsigned int p, unsigned int r)
{
	const struct part *part = &parts[p];
	struct drain_result *res = &s->result[p];
	struct pass pass = { .first = res->n };
	unsigned int tries = 0;
	long before;

	if (make_room(res, part->hz ? 2 * part->hz / part->per_s + 2 : IDLE_RUNS))
		return -1;
	do {
		before = bench_switches();
		res->n = pass.first;
		pass.timeouts = 0;
		pass.pages = 0;
		if (!part->hz) {
			drain_idle(s, res, &pass);
			continue;
		}
		res->alone[r] = drain_busy(b, s, part, NULL, NULL);
		res->drained[r] = drain_busy(b, s, part, res, &pass);
	} while (bench_disturbed(b, bench_switches() != before, &tries));
	res->timeouts += pass.timeouts;
	res->pages[r] = pass.pages / (double)(res->n - pass.first);
	res->rate[r] = (double)(res->n - pass.first) * part->per_s;
	res->slower[r] = 100 * (res->drained[r] / res->alone[r] - 1);
	res->median[r] = bench_quantile(res->cycles + pass.first, res->n - pass.first, 0.5);
	return 0;
}

/*
 * The owner's thread lives for one repetition, so that threads of other policies do not
 * share its CPU.
 */
static int measure_owner(struct bench *b, struct drain_subject *s, unsigned int r)
{
	unsigned int p;
	int err = 0;

	s->distance[r] = bench_pingpong(b->opts.cores[1]);
	if (s->distance[r] < 0 || owner_start(&s->owner, b->opts.cores[1]))
		return -1;
	for (p = 0; p < PARTS && !err; p++)
		err = measure_part(b, s, p, r);
	owner_quit(&s->owner);
	return err;
}

static int keep_part(struct bench *b, struct drain_subject *s, unsigned int p)
{
	struct drain_result *res = &s->result[p];
	unsigned int n = b->opts.repeat;
	struct bench_row *row = bench_row_add(b, pp_zone_policy(s->owner.zone), parts[p].kind,
					      s->owner.bulk, res->median, n);

	if (!row)
		return -1;
	bench_extra(row, "pingpong_cycles", bench_median(s->distance, n));
	bench_extra(row, "p99_cycles", bench_quantile(res->cycles, res->n, 0.99));
	bench_extra(row, "pages_per_drain", bench_median(res->pages, n));
	bench_extra(row, "timeouts_percent", 100.0 * (double)res->timeouts / (double)res->n);
	if (!parts[p].hz)
		return 0;
	bench_extra(row, "drains_per_s", bench_median(res->rate, n));
	bench_extra(row, "alone_cycles", bench_median(res->alone, n));
	bench_extra(row, "drained_cycles", bench_median(res->drained, n));
	bench_extra(row, "slowdown_percent", bench_median(res->slower, n));
	return 0;
}

static int keep_owner(struct bench *b, struct drain_subject *s)
{
	unsigned int p;
	int err = 0;

	if (s->owner.shorts) {
		bench_error("drain: the owner ran out of pages with policy %s: no figure; "
			    "use a smaller --bulk",
			    pp_zone_policy(s->owner.zone));
		return -1;
	}
	for (p = 0; p < PARTS && !err; p++)
		err = keep_part(b, s, p);
	return err;
}

static int measure_all(struct bench *b, struct drain_subject *s)
{
	unsigned int i, r;
	int err = 0;

	for (r = 0; r < b->opts.repeat && !err; r++)
		for (i = 0; i < b->opts.npolicies && !err; i++) {
			bench_progress(b, "%s, repetition %u of %u", b->opts.policies[i], r + 1,
				       b->opts.repeat);
			err = measure_owner(b, &s[i], r);
		}
	for (i = 0; i < b->opts.npolicies && !err; i++)
		err = keep_owner(b, &s[i]);
	return err;
}

static int close_subject(struct bench *b, struct drain_subject *s)
{
	unsigned int p;

	for (p = 0; p < PARTS; p++)
		free(s->result[p].cycles);
	return bench_zone_close(b, s->owner.zone);
}

static int run_bulk(struct bench *b, unsigned int bulk)
{
	unsigned int n = b->opts.npolicies, i;
	struct drain_subject *s = bench_alloc(n, sizeof(*s));
	int err = s ? 0 : -1;

	for (i = 0; i < n && !err; i++) {
		s[i].owner.bulk = bulk;
		s[i].owner.zone = bench_zone_open(b->opts.policies[i], 0, BENCH_HIGH);
		err = s[i].owner.zone ? 0 : -1;
	}
	if (!err)
		err = measure_all(b, s);
	for (i = 0; s && i < n; i++)
		if (close_subject(b, &s[i]))
			err = -1;
	free(s);
	return err;
}

static int drain_case(struct bench *b)
{
	unsigned int k;
	int err = 0;

	for (k = 0; k < b->opts.nbulks && !err; k++)
		err = run_bulk(b, b->opts.bulks[k]);
	bench_note_distance(b);
	bench_note(b,
		   "idle: the owner filled its cache of %u pages and waits; full: it allocates "
		   "and frees flat out, and fills its cache in between",
		   BENCH_HIGH);
	bench_note(b, "N/s: the owner allocates and frees flat out, and is drained so often; alone "
		      "and drained: its cycles a page, one after the other");
	bench_note(b,
		   "timeouts_percent: drains that the owner did not answer within %u us when "
		   "idle, %u us when busy; the cycles of such drains are the wait",
		   IDLE_TIMEOUT_US, TIMEOUT_US);
	return err;
}

static const struct bench_plot plots[] = {
	{ "What a drain costs the drainer", NULL, NULL, "cycles a drain", NULL },
	{ "What the owner loses to 100000 drains a second", "100000/s", "slowdown_percent",
	  "percent", NULL },
	{ .title = NULL },
};

const struct bench_case bench_drain = {
	.name = "drain",
	.title = "draining another core's cache, and what its owner loses",
	.unit = "cycles_per_drain",
	.bulks = bulks,
	.cores = 2,
	.run = drain_case,
	.plots = plots,
};
