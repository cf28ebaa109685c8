/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the command line: the options of all cases, and those that each case adds */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "common/error.h"
#include "common/values.h"

#define OPTIONS struct bench_opts

const char program_name[] = "ppbench";

static void set_bulks(void *opts, const char *name, const char *arg)
{
	struct bench_opts *o = opts;

	o->nbulks = parse_list(name, arg, 1, PP_BULK_MAX, o->bulks, BENCH_LIST_MAX);
}

static void set_cores(void *opts, const char *name, const char *arg)
{
	struct bench_opts *o = opts;

	o->ncores = parse_list(name, arg, 0, CPU_SETSIZE - 1, o->cores, CPU_SETSIZE);
}

static const struct option_row common_rows[] = {
	{ "policy", .arg = "LIST|all", SET(bench_policies_set),
	  .help = "policies of the cores' caches, also auto (default: all;\n"
		  "for refill and bulk: trylock)" },
	{ "bulk", .arg = "LIST", SET(set_bulks),
	  .help = "pages a call, 1 to 512, for example 1,8,64" },
	{ "cores", .arg = "LIST", SET(set_cores),
	  .help = "CPUs to run on; the first owns the cache that is measured" },
	{ "repeat", .arg = "N", U32(repeat, 1, BENCH_REPEAT_MAX),
	  .help = "measurements of each figure, 1 to 999 (default: 11)" },
	{ "quick", BOOL(quick),
	  .help = "5 short measurements: to see that it works, not how fast" },
	{ "json", .arg = "FILE", ANY(json),
	  .help = "write the result as JSON; - is stdout, instead of the table" },
	{ "csv", .arg = "FILE", ANY(csv),
	  .help = "write the result as CSV; - is stdout, instead of the table" },
	{ "plot", .arg = "FILE", SET(bench_plot_set), .help = "draw the result, as FILE.svg" },
	{ .name = NULL },
};

/* the common options, then each case's own, which go with that case only */
static struct option_row rows[OPTIONS_MAX + 1];
static const struct bench_case *const *all_cases;

static void make_rows(const struct bench_case *const *cases)
{
	const struct option_row *row;
	unsigned int n = 0;

	memset(rows, 0, sizeof(rows));
	for (row = common_rows; row->name; row++)
		rows[n++] = *row;
	for (; *cases; cases++) {
		for (row = (*cases)->options; row && row->name && n < OPTIONS_MAX; row++) {
			rows[n] = *row;
			rows[n++].with = (*cases)->name;
		}
	}
}

static void print_usage(FILE *out)
{
	const struct bench_case *const *c;

	fputs("usage: ppbench CASE [OPTION ...]\n\ncases:\n", out);
	for (c = all_cases; *c; c++)
		fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->title);
	fputs("\noptions:\n", out);
}

static void pick_case(struct bench *b, const char *name)
{
	const struct bench_case *const *c;
	char known[200];
	size_t used = 0;

	for (c = b->cases; *c; c++) {
		if (name && !strcmp((*c)->name, name)) {
			b->what = *c;
			return;
		}
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", (*c)->name);
	}
	if (name)
		usage_error("no case '%s'; there are %s", name, known);
	else
		usage_error("name a case, one of %s; see ppbench --help", known);
}

/*
 * the process must be allowed on the CPUs that --cores names; without it, take the first
 * allowed
 */
static int pick_cores(struct bench *b)
{
	struct bench_opts *o = &b->opts;
	unsigned int most = b->what->all_cores ? CPU_SETSIZE : b->what->cores;
	bool named = o->ncores > 0;
	unsigned int i;

	if (sched_getaffinity(0, sizeof(b->cpus), &b->cpus))
		CPU_ZERO(&b->cpus);
	for (i = 0; i < o->ncores; i++) {
		if (!CPU_ISSET(o->cores[i], &b->cpus)) {
			bench_error("--cores: this program may not run on CPU %u; "
				    "see taskset -p $$ for those it may",
				    o->cores[i]);
			return -1;
		}
	}
	for (i = 0; !named && i < CPU_SETSIZE && o->ncores < most; i++)
		if (CPU_ISSET(i, &b->cpus))
			o->cores[o->ncores++] = i;
	if (o->ncores >= b->what->cores && (b->what->cores < 2 || o->cores[0] != o->cores[1]))
		return 0;
	bench_error("%s needs %u different CPUs; name them with --cores, or use a larger machine",
		    b->what->name, b->what->cores);
	return -1;
}

unsigned int bench_second_cpu(const struct bench *b)
{
	unsigned int first = b->opts.cores[0], i;

	if (b->opts.ncores > 1)
		return b->opts.cores[1];
	for (i = 0; i < CPU_SETSIZE; i++)
		if (i != first && CPU_ISSET(i, &b->cpus))
			return i;
	return first;
}

/* a policy of the default that this machine refuses is not an error */
static void set_defaults(struct bench *b)
{
	struct bench_opts *o = &b->opts;

	if (!o->npolicies) {
		bench_policies_set(o, "--policy", b->what->policies ? b->what->policies : "all");
		o->all_policies = true;
	}
	if (!o->nbulks)
		for (; b->what->bulks[o->nbulks]; o->nbulks++)
			o->bulks[o->nbulks] = b->what->bulks[o->nbulks];
	if (!o->repeat)
		o->repeat = o->quick ? 5 : b->what->repeat ? b->what->repeat : 11;
}

static void check_usage(struct bench *b, const struct option_use *use, char **operands)
{
	pick_case(b, operands[0]);
	if (usage_wrong())
		return;
	if (operands[1])
		usage_error("'%s': one case at a time; see ppbench --help", operands[1]);
	options_check(use, b->what->name);
	if (b->what->page && (b->opts.json || b->opts.csv || b->opts.plot))
		usage_error("%s: has no --json, no --csv and no --plot; see ppbench --help",
			    b->what->name);
	if (b->what->check)
		b->what->check();
}

int bench_options(struct bench *b, int argc, char **argv)
{
	struct option_use use = {
		.rows = rows,
		.usage = print_usage,
		.tail = "\nEvery figure is a median of measurements taken in turns, in TSC "
			"cycles.\n"
			"Example: ppbench policy --bulk 64 --policy trylock\n",
	};
	static char name[] = "ppbench";
	int status;

	all_cases = b->cases;
	make_rows(b->cases);
	argv[0] = name; /* not the path, which differs from machine to machine */
	b->command = options_join(argc, argv);
	status = options_read(&use, &b->opts, argc, argv);
	if (status >= 0)
		return status;
	check_usage(b, &use, argv + use.operand);
	if (usage_wrong())
		return 2;
	set_defaults(b);
	return pick_cores(b) ? 1 : -1;
}
