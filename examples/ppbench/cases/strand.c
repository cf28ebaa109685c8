/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/strand.c - how many buffers a pool needs because other cores' caches keep some
 *
 * Bisection finds the smallest pool with which two cores forward at 95 % of the rate that
 * they have with 16384 buffers. A pool of 1200 then shows one core taking over after the
 * other has stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "strand/strand.h"

#define ENOUGH	    0.95
#define LEAST	    256u /* buffers that are never enough */
#define STEP	    16u
#define FIXED	    1200u
#define PATIENCE    20u /* for a first rate above 0 */
#define TRIES	    4u /* the best of these counts: other programs only slow a run down */
#define ATTEMPTS    24u /* tries and the runs that lost their CPU */
#define REPEATS_MAX 5u
#define QUICK_MAX   3u
#define QUICK_S	    20u /* after that, runs that lost their CPU count as tries */
#define KINDS_MAX   (BENCH_LIST_MAX + 3 + STRAND_DPDK_MAX)

static const unsigned int bulks[] = { STRAND_BURST, 0 };
static const char *const scenario_names[STRAND_SCENARIOS] = { "idle", "both", "hand-over" };

struct strand_figures {
	double buffers[BENCH_REPEAT_MAX];
	double mpps[BENCH_REPEAT_MAX]; /* unconstrained */
	/* scenario idle, with FIXED buffers */
	double fixed[BENCH_REPEAT_MAX]; /* percent of the unconstrained rate */
	double cached[BENCH_REPEAT_MAX];
	double still[BENCH_REPEAT_MAX];
	size_t bytes; /* a buffer */
};

static uint64_t slice_cycles(const struct bench *b)
{
	return b->tsc_hz / (b->opts.quick ? 2000 : 1000);
}

/* A run that lost its CPU is no try: it may have forwarded no packet, with any pool. */
static bool run_undisturbed(struct bench *b, const struct strand_kind *kind, void *pool,
			    enum strand_scenario scenario, struct strand_result *last, double *best)
{
	long before = bench_switches();

	*last = strand_run(kind, pool, scenario, slice_cycles(b));
	if (last->mpps > *best)
		*best = last->mpps;
	b->measured++;
	bench_progress_tick(b);
	if (bench_switches() == before)
		return true;
	b->disturbed++;
	return false;
}

/* best rate of a few runs with @n buffers, or of fewer if one reaches @goal; -1 on error */
static double best_rate(struct bench *b, const struct strand_kind *kind,
			enum strand_scenario scenario, unsigned int n, double goal,
			struct strand_result *last)
{
	void *pool = kind->ops->open(kind, n);
	bool late = b->opts.quick && pp_cycles() - b->start > QUICK_S * b->tsc_hz;
	unsigned int more = late ? TRIES : ATTEMPTS, i;
	double best = 0;

	memset(last, 0, sizeof(*last));
	if (!pool)
		return 0; /* some pools do not exist this small */
	for (i = 0; i < TRIES && more && best < goal; more--)
		i += run_undisturbed(b, kind, pool, scenario, last, &best);
	return kind->ops->close(b, pool) ? -1 : best;
}

/* the smallest number of buffers that is enough, a multiple of STEP; 0 on error */
static unsigned int search_size(struct bench *b, const struct strand_kind *kind,
				enum strand_scenario scenario, double goal)
{
	unsigned int little = LEAST, enough = STRAND_MAX, n;
	struct strand_result last;
	double best;

	while (enough - little > STEP) {
		/* first by doubling: the answer is small, and large pools are slow to make */
		n = enough == STRAND_MAX && 2 * little < enough ? 2 * little
								: (little + enough) / 2;
		n = n / STEP * STEP;
		best = best_rate(b, kind, scenario, n, goal, &last);
		if (best < 0)
			return 0;
		if (best >= goal)
			enough = n;
		else
			little = n;
	}
	return enough;
}

static int measure_scenario(struct bench *b, const struct strand_kind *kind,
			    enum strand_scenario scenario, struct strand_figures *res,
			    unsigned int r)
{
	double free_rate = 0, fixed;
	struct strand_result last;
	unsigned int found, tries;

	/* no packet with this many buffers: a thread never ran */
	for (tries = 0; tries < PATIENCE && !(free_rate > 0); tries++) {
		free_rate = best_rate(b, kind, scenario, STRAND_MAX, 1e9, &last);
		if (free_rate < 0)
			return -1;
	}
	if (!(free_rate > 0)) {
		bench_error("strand: %s forwards nothing with %u buffers: no figure", kind->name,
			    STRAND_MAX);
		return -1;
	}
	found = search_size(b, kind, scenario, ENOUGH * free_rate);
	if (!found)
		return -1;
	res->buffers[r] = found;
	res->mpps[r] = free_rate;
	if (scenario != STRAND_IDLE)
		return 0;
	fixed = best_rate(b, kind, scenario, FIXED, 1e9, &last);
	if (fixed < 0)
		return -1;
	res->fixed[r] = 100 * fixed / free_rate;
	res->cached[r] = last.idle_cached;
	res->still[r] = last.still_cached;
	return 0;
}

static int keep_scenario(struct bench *b, const struct strand_kind *kind,
			 enum strand_scenario scenario, struct strand_figures *res)
{
	unsigned int n = b->opts.repeat;
	struct bench_row *row = bench_row_add(b, kind->name, scenario_names[scenario], STRAND_BURST,
					      res->buffers, n);

	if (!row)
		return -1;
	bench_extra(row, "bytes", row->median * (double)res->bytes);
	bench_extra(row, "mpps_unconstrained", bench_median(res->mpps, n));
	if (scenario != STRAND_IDLE)
		return 0;
	bench_extra(row, "rate_percent_at_1200", bench_median(res->fixed, n));
	bench_extra(row, "idle_cached_at_1200", bench_median(res->cached, n));
	bench_extra(row, "still_cached_at_1200", bench_median(res->still, n));
	return 0;
}

static int measure_all(struct bench *b, const struct strand_kind *kinds, unsigned int n,
		       enum strand_scenario scenario)
{
	struct strand_figures *results = bench_alloc(n, sizeof(*results));
	unsigned int i, r;
	void *pool;
	int err = results ? 0 : -1;

	for (i = 0; i < n && !err; i++) {
		pool = kinds[i].ops->open(&kinds[i], STRAND_MAX);
		if (!pool) {
			bench_error("strand: no memory for %u buffers of %s", STRAND_MAX,
				    kinds[i].name);
			err = -1;
			break;
		}
		results[i].bytes = kinds[i].ops->bytes(pool);
		err = kinds[i].ops->close(b, pool);
	}
	for (r = 0; r < b->opts.repeat && !err; r++)
		for (i = 0; i < n && !err; i++) {
			bench_progress(b, "%s, %s, repetition %u of %u", scenario_names[scenario],
				       kinds[i].name, r + 1, b->opts.repeat);
			err = measure_scenario(b, &kinds[i], scenario, &results[i], r);
		}
	for (i = 0; i < n && !err; i++)
		err = keep_scenario(b, &kinds[i], scenario, &results[i]);
	free(results);
	return err;
}

static void strand_notes(struct bench *b)
{
	bench_note(b,
		   "buffers: the fewest, to a multiple of %u, with which the rate is %.0f %% of "
		   "that with %u; bytes: their memory with what the pool keeps for each",
		   STEP, 100 * ENOUGH, STRAND_MAX);
	bench_note(b,
		   "idle: one core received and freed bursts of %u, and 256 at once, and parked; "
		   "the other forwards and holds 700",
		   STRAND_BURST);
	bench_note(b, "both: each forwards and holds 350; hand-over: one takes bursts, 8 in a row, "
		      "the other holds 700 and frees");
	bench_note(b,
		   "at_1200: idle, with %u buffers: rate of the core that took over; what the "
		   "parked one's cache kept when it parked, and still kept afterwards",
		   FIXED);
	bench_note(b, "every packet is worked on for 100 cycles; high 512: a core's cache may keep "
		      "as many, whatever the zone's size");
	bench_note(b, "locked stack: strands nothing, so its buffers are what the work needs");
}

static int strand_case(struct bench *b)
{
	struct strand_kind *kinds = bench_alloc(KINDS_MAX, sizeof(*kinds));
	unsigned int n = 0, sc;
	int err = kinds ? 0 : -1;

	if (b->opts.repeat > (b->opts.quick ? QUICK_MAX : REPEATS_MAX))
		b->opts.repeat = b->opts.quick ? QUICK_MAX : REPEATS_MAX;
	if (b->opts.nbulks != 1 || b->opts.bulks[0] != STRAND_BURST) {
		bench_note(b, "--bulk is not used here: bursts are of %u", STRAND_BURST);
		b->opts.bulks[0] = STRAND_BURST;
		b->opts.nbulks = 1;
	}
	if (!err) {
		n = strand_pools(b, kinds);
		n += strand_dpdk_open ? strand_dpdk_open(b, kinds + n) : 0;
		if (!err && !strand_dpdk_open)
			bench_note(b, "rte_mempool: not built (libdpdk not found)");
		err = bench_pin(b->opts.cores[0]);
	}
	if (!err)
		err = strand_work_start(b);
	for (sc = 0; sc < STRAND_SCENARIOS && !err; sc++)
		err = measure_all(b, kinds, n, sc);
	strand_work_stop();
	if (strand_dpdk_close)
		strand_dpdk_close();
	strand_notes(b);
	free(kinds);
	return err;
}

static const struct bench_plot plots[] = {
	{ .title = "Buffers needed to forward at 95 %", .label = "buffers" },
	{ .title = "With 1200 buffers, one core idle: rate of the other",
	  .kind = "idle",
	  .y = "rate_percent_at_1200",
	  .label = "percent of the unconstrained rate" },
	{ .title = NULL },
};

const struct bench_case bench_strand = {
	.name = "strand",
	.title = "buffers that a pool needs because caches of others keep some",
	.unit = "buffers",
	.bulks = bulks,
	.cores = 2,
	.run = strand_case,
	.plots = plots,
	.by_kind = true,
};
