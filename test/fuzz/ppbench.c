/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ppbench.c - ppbench's command line
 *
 * The cases are not run: they have names here, and what options look at.
 */
#include <getopt.h>
#include <stdarg.h>

#include "bench.h"

#include "fuzz.h"

static const unsigned int bulks[] = { 1, 64, 0 };

const struct bench_case bench_refill = {
	.name = "refill",
	.title = "t",
	.bulks = bulks,
	.policies = "trylock",
	.cores = 1,
	.ports = true,
};
const struct bench_case bench_policy = { .name = "policy", .bulks = bulks, .cores = 1 };
const struct bench_case bench_cross = { .name = "cross", .bulks = bulks, .cores = 2 };
const struct bench_case bench_pft = {
	.name = "pft",
	.bulks = bulks,
	.cores = 1,
	.all_cores = true,
};
const struct bench_case bench_report = { .name = "report", .bulks = bulks, .cores = 1 };

static const struct bench_case *const cases[] = {
	&bench_refill, &bench_policy, &bench_cross, &bench_pft, &bench_report, NULL,
};

static unsigned int errors;

void bench_error(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	errors++;
}

void bench_note(struct bench *b, const char *fmt, ...)
{
	must(b && fmt);
}

int bench_plot_check(const char *file)
{
	if (strlen(file) > 4)
		return 0;
	bench_error("--plot '%s': too short", file);
	return -1;
}

struct pp_zone *bench_zone_open(const char *policy, uint32_t flags)
{
	abort(); /* only when a case runs */
}

struct bench_row *bench_row_refused(struct bench *b, const char *policy, unsigned int bulk,
				    const char *why)
{
	abort();
}

static void check_accepted(const struct bench *b)
{
	const struct bench_opts *o = &b->opts;
	unsigned int i;

	must(b->what && b->what->name);
	must(o->npolicies >= 1 && o->npolicies <= BENCH_LIST_MAX);
	for (i = 0; i < o->npolicies; i++)
		must(o->policies[i] && o->policies[i][0]);
	must(o->nbulks >= 1 && o->nbulks <= BENCH_LIST_MAX);
	for (i = 0; i < o->nbulks; i++)
		must(o->bulks[i] >= 1 && o->bulks[i] <= PP_BULK_MAX);
	must(o->ncores >= b->what->cores && o->ncores <= CPU_SETSIZE);
	for (i = 0; i < o->ncores; i++)
		must(CPU_ISSET(o->cores[i], &b->cpus));
	must(o->repeat >= 1 && o->repeat <= BENCH_REPEAT_MAX);
	must(o->threads <= 128 && o->drain_hz <= 100000);
	must(o->stars == 2022 || o->stars == 2024);
	must(o->nports <= BENCH_PORTS && (!o->nports || b->what->ports));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench b;
	struct fuzz_args args;
	int status;

	memset(&b, 0, sizeof(b));
	errors = 0;
	optind = 0;
	fuzz_args_make(&args, "ppbench", data, size);
	status = bench_options(&b, args.argc, args.argv, cases);
	must(status >= -2 && status <= 1);
	if (!status)
		check_accepted(&b);
	/* every refusal says why, once */
	must(errors == (status < 0));
	fuzz_args_free(&args);
	return 0;
}
