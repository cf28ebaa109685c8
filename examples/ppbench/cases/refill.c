/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/refill.c - throughput and windows against the size of a pool's refill
 *
 * A larger refill enters the core's cache less often, and keeps it closed for longer.
 * Throughput is measured on an untraced zone, the windows afterwards on a traced one.
 */
#include <stdlib.h>
#include <string.h>

#include "cases/refill_run.h"
#include "common/error.h"

#define KNEE (1 - BENCH_AGREE / 100) /* of the best rate: closer rates do not differ */

#define QUICK_MAX 3 /* repeats, if the ports and policies are many */
#define QUICK_FEW 40 /* figures that --quick measures as often as others */

static const char *specs[REFILL_PORTS]; /* --port */
static unsigned int nspecs;

static const unsigned int bulks[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 0 };

struct refill_result {
	double mpps[BENCH_REPEAT_MAX];
	double cycles[BENCH_REPEAT_MAX];
	double refills[BENCH_REPEAT_MAX];
	double median[BENCH_REPEAT_MAX];
	double p99[BENCH_REPEAT_MAX];
	double p999[BENCH_REPEAT_MAX];
	double mask[BENCH_REPEAT_MAX];
	double pages;
	unsigned int slept;
};

static void note_rate(const struct bench *b, const struct refill_run *run,
		      struct refill_result *res, unsigned int r)
{
	res->cycles[r] = (double)run->cycles / (double)run->packets;
	res->mpps[r] = (double)b->tsc_hz / res->cycles[r] / 1e6;
	res->refills[r] = 1000 * (double)run->refills / (double)run->packets;
	res->slept += run->slept;
}

static void note_windows(const struct refill_run *run, struct refill_result *res, unsigned int r)
{
	const struct pp_window_stats *w = &run->windows;

	res->median[r] = (double)w->median_cycles;
	res->p99[r] = (double)w->p99_cycles;
	res->p999[r] = (double)w->p999_cycles;
	res->mask[r] = w->masks ? (double)w->mask_cycles / (double)w->masks : 0;
	if ((double)w->max_pages > res->pages)
		res->pages = (double)w->max_pages;
}

/* repetitions @r to before @end, on an ordinary zone or on a traced one */
static int measure_zone(struct bench *b, struct refill_run *run, struct refill_result *res,
			unsigned int r, unsigned int end)
{
	unsigned int tries = 0;
	char why[240];
	long before;
	int err = 0;

	if (refill_open(b, run, why, sizeof(why))) {
		bench_error("refill: port %s: %s", run->port->name, why);
		return -1;
	}
	for (; r < end && !err; r++) {
		do {
			before = bench_switches();
			err = refill_measure(b, run);
		} while (!err && bench_disturbed(b, bench_switches() != before, &tries));
		if (!err && run->traced)
			note_windows(run, res, r);
		else if (!err)
			note_rate(b, run, res, r);
	}
	return refill_close(b) ? -1 : err;
}

static int measure_refill(struct bench *b, struct refill_run *run, struct refill_result *res,
			  unsigned int r, unsigned int end)
{
	run->traced = false;
	if (measure_zone(b, run, res, r, end))
		return -1;
	run->traced = true;
	return measure_zone(b, run, res, r, end);
}

static int keep_refill(struct bench *b, const struct refill_run *run, struct refill_result *res)
{
	unsigned int n = b->opts.repeat;
	struct bench_row *row;

	if (run->port->ours && bench_check_slept(b, run->policy, res->slept, n))
		return -1;
	row = bench_row_add(b, run->policy, run->port->name, run->refill, res->mpps, n);
	if (!row)
		return -1;
	bench_extra(row, "cycles_per_packet", bench_median(res->cycles, n));
	bench_extra(row, "refills_per_1000", bench_median(res->refills, n));
	bench_extra(row, "window_median_cycles", bench_median(res->median, n));
	bench_extra(row, "window_p99_cycles", bench_median(res->p99, n));
	bench_extra(row, "window_p999_cycles", bench_median(res->p999, n));
	bench_extra(row, "window_max_pages", res->pages);
	if (res->mask[0] > 0)
		bench_extra(row, "mask_cycles", bench_median(res->mask, n));
	return 0;
}

/* the rows from @first on: one port and policy; marks the smallest refill that is good enough */
static void mark_knee(struct bench *b, size_t first, char *knees, size_t size)
{
	struct bench_row *knee = NULL, *best = NULL;
	size_t i, used = strlen(knees);

	for (i = first; i < b->nrows; i++)
		if (!best || b->rows[i].median > best->median)
			best = &b->rows[i];
	for (i = first; best && i < b->nrows; i++)
		if (b->rows[i].median >= KNEE * best->median &&
		    (!knee || b->rows[i].bulk < knee->bulk))
			knee = &b->rows[i];
	if (!knee)
		return;
	bench_extra(knee, "knee", 1);
	snprintf(knees + used, size - used, "%s %s %u (%.1f Mpps)", used ? "," : "", knee->policy,
		 knee->bulk, knee->median);
}

static int run_policy(struct bench *b, const struct refill_port *port, const char *policy,
		      char *knees, size_t size)
{
	struct refill_run run = { .port = port, .policy = policy };
	unsigned int n = b->opts.nbulks, once = port->slow ? b->opts.repeat : 1, i, r;
	struct refill_result *res = bench_alloc(n, sizeof(*res));
	size_t first = b->nrows;
	int err = 0;

	if (!res)
		return -1;
	for (r = 0; r < b->opts.repeat && !err; r += once) {
		bench_progress(b, "%s, %s, repetition %u of %u", port->name, policy, r + 1,
			       b->opts.repeat);
		for (i = 0; i < n && !err; i++) {
			run.refill = b->opts.bulks[i];
			err = measure_refill(b, &run, &res[i], r, r + once);
		}
	}
	for (i = 0; i < n && !err; i++) {
		run.refill = b->opts.bulks[i];
		err = keep_refill(b, &run, &res[i]);
	}
	if (!err)
		mark_knee(b, first, knees, size);
	free(res);
	return err;
}

static int run_port(struct bench *b, const struct refill_port *port)
{
	char knees[240] = "";
	unsigned int p;

	for (p = 0; p < b->opts.npolicies; p++)
		if (run_policy(b, port, b->opts.policies[p], knees, sizeof(knees)))
			return -1;
	bench_note(b, "%s: knee:%s", port->name, knees);
	return 0;
}

static const struct refill_port *find_port(const char *name)
{
	const struct refill_port *port = refill_ports;

	while (port->name && strcmp(port->name, name) != 0)
		port++;
	return port->name ? port : NULL;
}

/* A port that --port names must open; of many, one that can not open here has a note. */
static int make_and_run(struct bench *b, const struct refill_port *port, bool must)
{
	struct refill_run try = { .port = port, .policy = b->opts.policies[0], .refill = 1 };
	char why[200] = "";
	int err = port->make ? port->make(why, sizeof(why)) : 0;

	if (!err)
		err = refill_open(b, &try, why, sizeof(why));
	if (!err) {
		err = refill_close(b) ? -1 : run_port(b, port);
	} else if (must) {
		bench_error("refill: port %s: %s", port->name, why);
	} else {
		bench_note(b, "%s: left out: %s", port->name, why);
		err = 0;
	}
	refill_ports_unmake();
	return err;
}

/* all ports that need nothing of the user, or the first three, which need nothing of the machine */
static unsigned int count_many(bool all)
{
	unsigned int n = 0;

	while (refill_ports[n].name && (all || n < 3))
		n++;
	return n;
}

static int run_many(struct bench *b, unsigned int n)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = make_and_run(b, &refill_ports[i], false);
	return err;
}

static int run_ports(struct bench *b)
{
	bool all = nspecs && !strcmp(specs[0], "all"), many = all || !nspecs;
	unsigned int i, n = many ? count_many(all) : nspecs;
	struct refill_port own = { .name = NULL };
	const struct refill_port *port;
	int err = 0;

	if (b->opts.quick && n * b->opts.npolicies * b->opts.nbulks > QUICK_FEW &&
	    b->opts.repeat > QUICK_MAX)
		b->opts.repeat = QUICK_MAX;
	if (many)
		return run_many(b, n);
	for (i = 0; i < nspecs && !err; i++) {
		port = find_port(specs[i]);
		own.name = own.spec[0] = specs[i];
		own.ours = !strncmp(specs[i], "null", 4);
		err = make_and_run(b, port ? port : &own, true);
	}
	return err;
}

static int refill_case(struct bench *b)
{
	if (run_ports(b))
		return -1;
	bench_note(b,
		   "one core has a round of %u packets out at once: the pool keeps one refill, the "
		   "other pages come from the zone and go back to it",
		   REFILL_ROUND);
	bench_note(b, "knee: the smallest refill within %.0f %% of the port's best rate",
		   BENCH_AGREE);
	bench_note(b, "windows: of a second, traced run, which moves packets in bursts of the "
		      "refill's size, so that every window is that long");
	return 0;
}

static const struct bench_plot plots[] = {
	{ "Throughput of one core, against the pool's refill", NULL, NULL,
	  "million packets a second", "knee" },
	{ "The same, in cycles a packet", NULL, "cycles_per_packet", "cycles a packet", "knee" },
	{ "How long the core's cache is closed at a time: 99 % of the windows are shorter", NULL,
	  "window_p99_cycles", "cycles", "knee" },
	{ .title = NULL },
};

static void add_port(void *opts, const char *name, const char *arg)
{
	(void)opts;
	if (nspecs == REFILL_PORTS)
		usage_error("%s '%s': at most %u ports", name, arg, REFILL_PORTS);
	else if (nspecs && (!strcmp(arg, "all") || !strcmp(specs[0], "all")))
		usage_error("%s '%s': all is every port; name no other", name, arg);
	else
		specs[nspecs++] = arg;
}

static const struct option_row refill_options[] = {
	{ "port", .arg = "SPEC|all", SET(add_port),
	  .help = "refill: a port to measure; may be repeated (default: null,\n"
		  "loop and pcap, where pcap is a file made for it; all: also\n"
		  "af_xdp on a veth made for it, dpdk:net_null, dpdk:net_ring)" },
	{ .name = NULL },
};

static const char *const in_report[] = { "--port", "all", "--policy", "all", NULL };

const struct bench_case bench_refill = {
	.name = "refill",
	.title = "forwarding, against how many pages a pool is refilled with at once",
	.unit = "mpps",
	.bulks = bulks,
	.cores = 1,
	.run = refill_case,
	.policies = "trylock",
	.bulk_is = "refill, pages",
	.plots = plots,
	.options = refill_options,
	.in_report = in_report,
	.by_kind = true,
};
