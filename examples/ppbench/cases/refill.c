/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/refill.c - throughput and windows against the size of a pool's refill
 *
 * A larger refill enters the core's cache less often, and keeps it closed for longer.
 * Throughput is measured on an untraced zone, the windows afterwards on a traced one.
 */
#include <stdlib.h>
#include <string.h>

#include "cases/refill.h"
#include "common/error.h"

#define KNEE (1 - BENCH_AGREE / 100) /* of the best rate: closer rates do not differ */

#define PORTS_MAX 8u

static const char *port_specs[PORTS_MAX]; /* --port */
static unsigned int nports;

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

static bool have_driver(const char *driver)
{
	const char *const *name = pp_netdev_driver_names();

	while (*name && strcmp(*name, driver))
		name++;
	return *name;
}

/* null, loop and pcap have ports made here; any other is the user's own */
static int name_port(struct refill_port *p, const char *spec)
{
	int fd;

	p->name = spec;
	p->ends = 1;
	p->ours = !strncmp(spec, "null", 4);
	p->spec[0] = spec;
	if (!strcmp(spec, "loop")) {
		p->ends = 2;
		p->ours = true;
		p->spec[0] = p->made[0];
		p->spec[1] = p->made[1];
		snprintf(p->made[0], sizeof(p->made[0]), "loop:ppbench-a,peer=ppbench-b,size=%u",
			 REFILL_ROUND);
		snprintf(p->made[1], sizeof(p->made[1]), "loop:ppbench-b,peer=ppbench-a,size=%u",
			 REFILL_ROUND);
	} else if (!strcmp(spec, "pcap") && have_driver("pcap")) {
		fd = refill_capture();
		if (fd < 0)
			return -1;
		p->spec[0] = p->made[0];
		snprintf(p->made[0], sizeof(p->made[0]), "pcap:rx=/proc/self/fd/%d,loop=0", fd);
	}
	return 0;
}

static int name_ports(struct bench *b, struct refill_port *ports, unsigned int *n)
{
	static const char *const defaults[] = { "null", "loop", "pcap" };
	unsigned int i;

	*n = 0;
	for (i = 0; i < nports; i++)
		if (name_port(&ports[(*n)++], port_specs[i]))
			return -1;
	for (i = 0; i < 3 && !nports; i++) {
		if (!have_driver(defaults[i]))
			bench_note(b, "%s: left out, this build has no such port", defaults[i]);
		else if (name_port(&ports[(*n)++], defaults[i]))
			return -1;
	}
	return 0;
}

static int measure_refill(struct bench *b, struct refill_run *run, struct refill_result *res,
			  unsigned int r)
{
	unsigned int tries = 0;
	long before;

	run->traced = false;
	do {
		before = bench_switches();
		if (refill_run(b, run))
			return -1;
	} while (bench_disturbed(b, before, &tries));
	res->cycles[r] = (double)run->cycles / (double)run->packets;
	res->mpps[r] = (double)b->machine.tsc_hz / res->cycles[r] / 1e6;
	res->refills[r] = 1000 * (double)run->refills / (double)run->packets;
	res->slept += run->slept;

	run->traced = true;
	tries = 0;
	do {
		before = bench_switches();
		if (refill_run(b, run))
			return -1;
	} while (bench_disturbed(b, before, &tries));
	res->median[r] = (double)run->windows.median_cycles;
	res->p99[r] = (double)run->windows.p99_cycles;
	res->p999[r] = (double)run->windows.p999_cycles;
	res->mask[r] = run->windows.masks
			       ? (double)run->windows.mask_cycles / (double)run->windows.masks
			       : 0;
	if ((double)run->windows.max_pages > res->pages)
		res->pages = (double)run->windows.max_pages;
	return 0;
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
static void mark_knee(struct bench *b, size_t first)
{
	struct bench_row *knee = NULL, *best = NULL;
	const double *window;
	size_t i;

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
	window = bench_extra_find(knee, "window_p99_cycles");
	bench_note(b,
		   "%s, %s: the knee is at %u: %.1f of at most %.1f Mpps (at %u), windows of %.0f "
		   "cycles in 99 of 100",
		   knee->kind, knee->policy, knee->bulk, knee->median, best->median, best->bulk,
		   window ? *window : 0);
}

static int run_port(struct bench *b, const struct refill_port *port, const char *policy)
{
	struct refill_run run = { .port = port, .policy = policy };
	unsigned int n = b->opts.nbulks, i, r;
	struct refill_result *res = calloc(n, sizeof(*res));
	size_t first = b->nrows;
	int err = 0;

	if (!res) {
		bench_error("refill: not enough memory");
		return -1;
	}
	for (r = 0; r < b->opts.repeat && !err; r++) {
		bench_progress(b, "%s, %s, repetition %u of %u", port->name, policy, r + 1,
			       b->opts.repeat);
		for (i = 0; i < n && !err; i++) {
			run.refill = b->opts.bulks[i];
			err = measure_refill(b, &run, &res[i], r);
		}
	}
	for (i = 0; i < n && !err; i++) {
		run.refill = b->opts.bulks[i];
		err = keep_refill(b, &run, &res[i]);
	}
	if (!err)
		mark_knee(b, first);
	free(res);
	return err;
}

static int refill_case(struct bench *b)
{
	struct refill_port ports[PORTS_MAX] = { 0 };
	unsigned int n = 0, i, p;
	int err;

	err = name_ports(b, ports, &n);
	for (i = 0; i < n && !err; i++)
		for (p = 0; p < b->opts.npolicies && !err; p++)
			err = run_port(b, &ports[i], b->opts.policies[p]);
	refill_capture_close();
	bench_note(b,
		   "one core receives %u packets, then sends them: the pool keeps one refill, "
		   "the other pages come from the zone and go back to it",
		   REFILL_ROUND);
	bench_note(b, "knee: the smallest refill within %.0f %% of the port's best rate",
		   BENCH_AGREE);
	bench_note(b, "windows: of a second, traced run, which moves packets in bursts of the "
		      "refill's size, so that every window is that long");
	return err;
}

static const struct bench_plot plots[] = {
	{ .title = "Throughput of one core, against the pool's refill",
	  .label = "million packets a second",
	  .mark = "knee" },
	{ .title = "The same, in cycles a packet",
	  .y = "cycles_per_packet",
	  .label = "cycles a packet",
	  .mark = "knee" },
	{ .title = "How long the core's cache is closed at a time: 99 % of the windows are shorter",
	  .y = "window_p99_cycles",
	  .label = "cycles",
	  .mark = "knee" },
	{ .title = NULL },
};

static void add_port(void *opts, const char *name, const char *arg)
{
	(void)opts;
	if (nports < PORTS_MAX)
		port_specs[nports++] = arg;
	else
		usage_error("%s '%s': at most %u ports", name, arg, PORTS_MAX);
}

static const struct option_row refill_options[] = {
	{ "port", .arg = "SPEC", SET(add_port),
	  .help = "refill: a port to measure; may be repeated (default: null,\n"
		  "loop and pcap, where pcap is a file made for it)" },
	{ .name = NULL },
};

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
	.by_kind = true,
};
