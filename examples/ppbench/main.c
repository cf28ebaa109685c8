/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - ppbench: what each way of sharing a core's page cache costs */
#include <stdlib.h>

#include "bench.h"

static const struct bench_case *const cases[] = {
	&bench_refill, &bench_policy, &bench_page_pool, &bench_cross,	&bench_drain,
	&bench_irqoff, &bench_bulk,   &bench_strand,	&bench_compare, &bench_pft,
	&bench_scale,  &bench_memory, &bench_numa,	&bench_report,	NULL,
};

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	int err;

	if (bench_is_child(argv[0]))
		return bench_child();
	err = bench_options(&b, argc, argv, cases);
	if (err > 0)
		return 0;
	if (err)
		return err == -1 ? 2 : 1;
	if (b.what == &bench_report)
		return bench_report_run(&b, cases) ? 1 : 0;
	bench_machine(&b.machine);
	b.start = pp_cycles();
	err = bench_pin(b.opts.cores[0]);
	if (!err)
		err = bench_policies_check(&b);
	if (!err)
		err = b.what->run(&b);
	if (!err)
		err = bench_policies_refused(&b);
	bench_progress_end();
	if (b.disturbed)
		bench_note(&b,
			   "%lu of %lu measurements were interrupted by other programs; "
			   "%lu of them are in the figures, the others were repeated",
			   b.disturbed, b.measured, b.kept_disturbed);
	if (!err)
		err = bench_print(&b);
	free(b.rows);
	return err ? 1 : 0;
}
