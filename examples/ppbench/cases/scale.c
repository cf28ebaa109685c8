/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/scale.c - from the cores of this machine to 256: the first measured, the rest
 * simulated
 *
 * Measurements feed the model and check it on this machine's cores. Every simulated figure
 * is marked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pft/stats.h"
#include "scale/measure.h"
#include "scale/model.h"

#define COUNTS	     32u
#define SEEDS	     3u
#define SEED	     20260000u
#define VISITS	     4000u
#define VISITS_CORE  400u
#define CORES_A_NODE 32u
#define FAR	     2.5 /* transfers across nodes, of those within one */
#define ONE_ZONE     "simulated one zone"
#define ZONE_A_NODE  "simulated zone/node"

static const unsigned int bulks[] = { 64, 0 };
static const unsigned int simulated[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 0 };

/*
 * struct scale_subject - a policy, as measured
 * @think: cycles between visits, of one core alone
 * @scale: pages a second for a visit a cycle
 */
struct scale_subject {
	const char *policy;
	unsigned int bulk;
	double *rate; /* pages a second, by count of cores and repetition */
	double visits; /* a page, of one core alone */
	unsigned int pages; /* a visit */
	double alone; /* pages a second of one core */
	double think;
	double scale;
	double (*holds)[BENCH_REPEAT_MAX]; /* local, remote, transfer, by repetition */
	double transfer[3];
	double hold[3];
};

struct plan {
	unsigned int count[COUNTS];
	unsigned int ncounts;
	double model[COUNTS]; /* Mpages/s, of the subject at hand */
	double error[COUNTS]; /* of the model, percent */
	double worst;
	char errors[160];
};

static int measure_rates(struct bench *b, const struct plan *plan, struct scale_subject *s,
			 unsigned int r)
{
	struct scale_rate rate;
	unsigned int c;

	for (c = 0; c < plan->ncounts; c++) {
		if (scale_measure_rate(b, s->policy, plan->count[c], s->bulk, &rate))
			return -1;
		s->rate[c * b->opts.repeat + r] = rate.pages_per_s / 1e6;
		if (!c)
			s->visits = rate.visits;
	}
	return 0;
}

/*
 * Subjects in turns. What the model needs of a policy and the rates that check it follow each
 * other, so that both are of one machine state.
 */
static int measure_subjects(struct bench *b, const struct plan *plan, struct scale_subject *s,
			    unsigned int n)
{
	struct scale_hold hold;
	unsigned int r, i;

	for (r = 0; r < b->opts.repeat; r++) {
		for (i = 0; i < n; i++) {
			bench_progress(b, "%s, repetition %u of %u", s[i].policy, r + 1,
				       b->opts.repeat);
			if (measure_rates(b, plan, &s[i], r) ||
			    scale_measure_hold(b, s[i].policy, s[i].bulk, &hold))
				return -1;
			s[i].holds[0][r] = hold.local;
			s[i].holds[1][r] = hold.remote;
			s[i].holds[2][r] = hold.transfer;
		}
	}
	return 0;
}

/* sets the times between and during visits, for the model; @alone: Mpages/s of one core */
static void derive_think(const struct bench *b, struct scale_subject *s, double alone, double local,
			 double remote, double transfer)
{
	double visit;

	s->alone = alone * 1e6;
	/* one visit moves pages one way; a page goes both */
	s->pages = s->visits > 0 ? (unsigned int)(2 / s->visits + 0.5) : PP_BULK_MAX;
	s->scale = (double)b->tsc_hz * s->pages / 2;
	visit = s->scale / s->alone;
	/* the hold cannot exceed the whole time: the measurement was disturbed */
	s->hold[0] = local < visit ? local : visit;
	s->think = visit - s->hold[0];
	s->hold[1] = remote > s->hold[0] ? remote : s->hold[0];
	s->hold[2] = s->hold[0] + FAR * (s->hold[1] - s->hold[0]);
	s->transfer[1] = transfer;
	s->transfer[2] = FAR * transfer;
}

static struct scale_result simulate_cores(const struct scale_subject *s, unsigned int cores,
					  bool zone_a_node, unsigned int seed)
{
	struct scale_params p = {
		.cores = cores,
		.nodes = (cores + CORES_A_NODE - 1) / CORES_A_NODE,
		.zone_per_node = zone_a_node,
		.think = s->think,
		.transfer = { s->transfer[0], s->transfer[1], s->transfer[2] },
		.hold = { s->hold[0], s->hold[1], s->hold[2] },
		.think_dist = SCALE_EXPONENTIAL,
		.hold_dist = SCALE_FIXED,
		.visits = VISITS + VISITS_CORE * cores,
		.seed = SEED + seed,
	};

	return scale_simulate(&p);
}

static int keep_simulated(struct bench *b, const struct scale_subject *s, unsigned int cores,
			  bool zone_a_node)
{
	double rate[SEEDS], busy = 0, wait = 0;
	struct scale_result res;
	struct bench_row *row;
	unsigned int i;

	for (i = 0; i < SEEDS; i++) {
		res = simulate_cores(s, cores, zone_a_node, i);
		rate[i] = res.rate * s->scale / 1e6;
		busy += res.busy / SEEDS;
		wait += res.wait / SEEDS;
	}
	row = bench_row_add(b, s->policy, zone_a_node ? ZONE_A_NODE : ONE_ZONE, s->bulk, rate,
			    SEEDS);
	if (!row)
		return -1;
	row->simulated = true;
	bench_extra(row, "cores", cores);
	bench_extra(row, "nodes", (cores + CORES_A_NODE - 1) / CORES_A_NODE);
	bench_extra(row, "efficiency_percent", 100 * row->median * 1e6 / cores / s->alone);
	bench_extra(row, "busy_percent", 100 * busy);
	bench_extra(row, "wait_cycles", wait);
	bench_extra(row, "think_cycles", s->think);
	bench_extra(row, "hold_cycles", s->hold[0]);
	return 0;
}

/*
 * The model beside what was measured, in each repetition by itself, since the distance of two CPUs
 * of a virtual machine may change between two. Keeps the medians.
 */
static void check_model(const struct bench *b, struct plan *plan, struct scale_subject *s,
			unsigned int c)
{
	double models[BENCH_REPEAT_MAX], errors[BENCH_REPEAT_MAX];
	const double *rate = &s->rate[c * b->opts.repeat];
	unsigned int r;

	for (r = 0; r < b->opts.repeat; r++) {
		derive_think(b, s, s->rate[r], s->holds[0][r], s->holds[1][r], s->holds[2][r]);
		models[r] = simulate_cores(s, plan->count[c], false, 0).rate * s->scale / 1e6;
		errors[r] = 100 * models[r] / rate[r] - 100;
	}
	plan->model[c] = bench_median(models, r);
	plan->error[c] = bench_median(errors, r);
}

static int keep_measured(struct bench *b, struct plan *plan, struct scale_subject *s,
			 unsigned int c)
{
	unsigned int cores = plan->count[c];
	double error = plan->error[c];
	struct bench_row *row;
	size_t used;

	row = bench_row_add(b, s->policy, "measured", s->bulk, &s->rate[c * b->opts.repeat],
			    b->opts.repeat);
	if (!row)
		return -1;
	bench_extra(row, "cores", cores);
	bench_extra(row, "efficiency_percent", 100 * row->median * 1e6 / cores / s->alone);
	if (cores == 1 || cores > SCALE_CORES_MAX)
		return 0;
	bench_extra(row, "simulated_mpages_per_s", plan->model[c]);
	bench_extra(row, "simulated_error_percent", error);
	if (plan->worst * plan->worst < error * error)
		plan->worst = error;
	used = strlen(plan->errors);
	snprintf(plan->errors + used, sizeof(plan->errors) - used, "%s%s-%u %+.0f %%",
		 used ? ", " : "", s->policy, cores, error);
	return 0;
}

static int keep_subject(struct bench *b, struct plan *plan, struct scale_subject *s)
{
	double(*holds)[BENCH_REPEAT_MAX] = s->holds;
	unsigned int n = b->opts.repeat, i;

	/* before the medians are taken, which sort the repetitions */
	for (i = 0; i < plan->ncounts; i++)
		if (plan->count[i] > 1 && plan->count[i] <= SCALE_CORES_MAX)
			check_model(b, plan, s, i);
	derive_think(b, s, bench_median(s->rate, n), bench_median(holds[0], n),
		     bench_median(holds[1], n), bench_median(holds[2], n));
	for (i = 0; i < plan->ncounts; i++)
		if (keep_measured(b, plan, s, i))
			return -1;
	for (i = 0; simulated[i]; i++)
		if (keep_simulated(b, s, simulated[i], false))
			return -1;
	for (i = 0; simulated[i]; i++)
		if (simulated[i] > CORES_A_NODE && keep_simulated(b, s, simulated[i], true))
			return -1;
	return 0;
}

static void add_notes(struct bench *b, const struct plan *plan, const struct scale_subject *s)
{
	bench_note(b, "simulated against measured: %s; worst %+.0f %%", plan->errors, plan->worst);
	bench_note(b,
		   "measured, the cores there are: each takes 2048 pages, %u a call, pointers "
		   "only, and gives them back; a page is both",
		   s->bulk);
	bench_note(b,
		   "SIMULATED, by a model and no machine: each core works for itself, for times "
		   "that are exponential around the mean measured on one core (%s: %.0f cycles)",
		   s->policy, s->think);
	bench_note(b,
		   "then queues for its zone's lock, first come first served, and moves %u pages "
		   "under it: %.0f cycles if it was there last, else %.0f until it has the lock "
		   "and %.0f (fixed; all measured)",
		   s->pages, s->hold[0], s->transfer[1], s->hold[1]);
	bench_note(b,
		   "what comes from another node's caches takes %.1f times as long (ASSUMED); a "
		   "node has %u cores; '%s': all share it; '%s': each node has its own",
		   FAR, CORES_A_NODE, ONE_ZONE, ZONE_A_NODE);
	bench_note(b, "left out: memory bandwidth, waiters that sleep and are woken, clocks that "
		      "slow down, cores that share units: real machines do worse, most where "
		      "busy_percent is near 100");
	bench_note(b, "seeds %u to %u: the same input gives the same simulated figures", SEED,
		   SEED + SEEDS - 1);
	bench_note(b, "ping-pong round trip between the first two CPUs: %.0f cycles: %s",
		   2 * s->transfer[1], bench_regime(2 * s->transfer[1]));
}

static int run_bulk(struct bench *b, struct plan *plan, unsigned int bulk)
{
	struct scale_subject *s = calloc(b->opts.npolicies, sizeof(*s));
	unsigned int i, n;
	int err = s ? 0 : -1;

	for (n = 0; n < b->opts.npolicies && !err; n++) {
		s[n].policy = b->opts.policies[n];
		s[n].bulk = bulk;
		s[n].rate = calloc(plan->ncounts * b->opts.repeat, sizeof(*s[n].rate));
		s[n].holds = calloc(3, sizeof(*s[n].holds));
		err = s[n].rate && s[n].holds ? 0 : -1;
	}
	if (err)
		bench_error("scale: not enough memory for the result; use a smaller --repeat");
	else
		err = measure_subjects(b, plan, s, n);
	plan->errors[0] = '\0';
	plan->worst = 0;
	for (i = 0; i < n && !err; i++)
		err = keep_subject(b, plan, &s[i]);
	if (!err && n)
		add_notes(b, plan, &s[0]);
	for (i = 0; i < n; i++) {
		free(s[i].rate);
		free(s[i].holds);
	}
	free(s);
	return err;
}

static int scale_case(struct bench *b)
{
	struct plan plan = { .worst = 0 };
	unsigned int i;
	int err = 0;

	plan.ncounts = pft_clients(b->opts.ncores, plan.count, COUNTS);
	for (i = 0; i < b->opts.nbulks && !err; i++)
		err = run_bulk(b, &plan, b->opts.bulks[i]);
	return err;
}

const struct bench_case bench_scale = {
	.name = "scale",
	.title = "measured on the cores there are, SIMULATED up to 256",
	.unit = "mpages_per_s",
	.bulks = bulks,
	.policies = "trylock,irqsave,rseq",
	.cores = 2,
	.all_cores = true,
	.notes_first = true,
	.run = scale_case,
};
