/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ppbench.c - ppbench's command line: what is accepted is in range, what is not is an exit status
 *
 * The cases are not run: they have names here, options of their own, and what options look at.
 */
#include "bench.h"
#include "common/error.h"

#include "fuzz.h"

static const unsigned int bulks[] = { 1, 64, 0 };
static uint32_t threads;
static const char *page_file;

static const struct option_row pft_options[] = {
	{ "threads", .arg = "N", .kind = OPTION_U32, .var = &threads, .min = 1, .max = 128 },
	{ .name = NULL },
};

static const struct option_row report_options[] = {
	{ "out", .arg = "FILE", .kind = OPTION_ANY, .var = &page_file },
	{ .name = NULL },
};

static void check_report(void)
{
	if (!page_file)
		usage_error("report: no page");
}

static const struct bench_case refill = {
	.name = "refill",
	.title = "t",
	.bulks = bulks,
	.policies = "trylock",
	.cores = 1,
};
static const struct bench_case cross = { .name = "cross", .bulks = bulks, .cores = 2 };
static const struct bench_case pft = {
	.name = "pft",
	.bulks = bulks,
	.cores = 1,
	.all_cores = true,
	.options = pft_options,
};
static const struct bench_case report = {
	.name = "report",
	.bulks = bulks,
	.options = report_options,
	.check = check_report,
	.page = true,
};

static const struct bench_case *const cases[] = { &refill, &cross, &pft, &report, NULL };

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

void bench_plot_set(void *opts, const char *name, const char *arg)
{
	if (strlen(arg) <= 4)
		usage_error("%s '%s': too short", name, arg);
	((struct bench_opts *)opts)->plot = arg;
}

struct pp_zone *bench_zone_open(const char *policy, uint32_t flags, uint32_t high)
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
	must(threads <= 128 && (!threads || b->what == &pft));
	must(!page_file == (b->what != &report));
	must(b->what != &report || (!o->json && !o->csv && !o->plot));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench b;
	struct fuzz_args args;
	int status;

	memset(&b, 0, sizeof(b));
	b.cases = cases;
	threads = 0;
	page_file = NULL;
	errors = 0;
	fuzz_args_make(&args, "ppbench", data, size);
	status = bench_options(&b, args.argc, args.argv);
	must(status >= -1 && status <= 2);
	if (status < 0)
		check_accepted(&b);
	/* CPUs that are not there: a failure, that says why; usage errors are another matter */
	must(errors == (status == 1));
	must(usage_wrong() == (status == 2));
	free(b.command);
	fuzz_args_free(&args);
	return 0;
}
