/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - ppbench: the cost of each way of sharing a core's page cache */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "commit.h"

#define CASE(name) extern const struct bench_case bench_##name;
#include "cases/cases.def"
#undef CASE

#define CASE(name) &bench_##name,
static const struct bench_case *const cases[] = {
#include "cases/cases.def"
	NULL,
};
#undef CASE

static bool is_stdout(const char *file)
{
	return file && !strcmp(file, "-");
}

/* the table goes to stdout, unless JSON or CSV goes there */
static int show_result(const struct bench *b)
{
	const struct bench_opts *o = &b->opts;

	if (!is_stdout(o->json) && !is_stdout(o->csv) &&
	    bench_write("the table to", "-", bench_write_table, b))
		return -1;
	if (o->csv && bench_write("--csv", o->csv, bench_write_csv, b))
		return -1;
	if (o->json && bench_write("--json", o->json, bench_write_json, b))
		return -1;
	return o->plot ? bench_plot(b) : 0;
}

static int run_case(struct bench *b)
{
	int err;

	machine_read(&b->machine);
	b->compiler = PP_COMPILER;
	b->commit = PP_COMMIT;
	b->tsc_hz = pp_cycles_hz();
	b->start = pp_cycles();
	err = bench_pin(b->opts.cores[0]);
	if (!err)
		err = bench_policies_check(b);
	if (!err)
		err = b->what->run(b);
	if (!err)
		err = bench_policies_refused(b);
	bench_progress_end();
	if (b->disturbed)
		bench_note(b,
			   "%lu of %lu measurements were interrupted by other programs; "
			   "%lu of them are in the figures, the others were repeated",
			   b->disturbed, b->measured, b->kept_disturbed);
	return err ? err : show_result(b);
}

int main(int argc, char **argv)
{
	struct bench b = { .cases = cases };
	int status, err;

	if (bench_is_child(argv[0]))
		return bench_child();
	status = bench_options(&b, argc, argv);
	if (status < 0) {
		err = b.what->page ? b.what->run(&b) : run_case(&b);
		status = err ? 1 : 0;
	}
	free(b.rows);
	free(b.command);
	return status;
}
