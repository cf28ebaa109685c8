/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the command line */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum {
	OPT_POLICY = 256,
	OPT_BULK,
	OPT_CORES,
	OPT_REPEAT,
	OPT_QUICK,
	OPT_THREADS,
	OPT_DRAIN_HZ,
	OPT_STARS,
	OPT_JSON,
	OPT_CSV,
	OPT_OUT,
	OPT_FROM,
	OPT_PLOT,
	OPT_PORT,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option longopts[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "bulk", required_argument, NULL, OPT_BULK },
	{ "cores", required_argument, NULL, OPT_CORES },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "quick", no_argument, NULL, OPT_QUICK },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "drain-hz", required_argument, NULL, OPT_DRAIN_HZ },
	{ "stars", required_argument, NULL, OPT_STARS },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "csv", required_argument, NULL, OPT_CSV },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "plot", required_argument, NULL, OPT_PLOT },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void help(const struct bench_case *const *cases)
{
	puts("usage: ppbench CASE [OPTION ...]\n\ncases:");
	for (; *cases; cases++)
		printf("  %-10s %s\n", (*cases)->name, (*cases)->title);
	puts("\noptions:\n"
	     "  --policy LIST|all  policies of the cores' caches, also auto (default: all;\n"
	     "                     for refill and bulk: trylock)\n"
	     "  --bulk LIST        pages a call, 1 to 512, for example 1,8,64\n"
	     "  --cores LIST       CPUs to run on; the first owns the cache that is measured\n"
	     "  --repeat N         measurements of each figure, 1 to 999 (default: 11)\n"
	     "  --quick            5 short measurements: to see that it works, not how fast\n"
	     "  --threads N        pft: at most so many threads, 1 to 128 (default: a CPU each)\n"
	     "  --drain-hz N       pft: again with all caches drained so often, 1 to 100000\n"
	     "  --stars YEAR       pft: mmtests' rule for stars, of 2022 (default) or 2024\n"
	     "  --json FILE        write the result as JSON; - is stdout, instead of the table\n"
	     "  --csv FILE         write the result as CSV; - is stdout, instead of the table\n"
	     "  --out FILE         report: the page to write; - is stdout\n"
	     "  --from DIR         report: results made earlier with --json DIR/CASE.json\n"
	     "  --plot FILE        draw the result, as FILE.svg\n"
	     "  --port SPEC        refill: a port to measure; may be repeated (default: null,\n"
	     "                     loop and pcap, where pcap is a file made for it)\n"
	     "  --help             this text\n"
	     "  --version          version\n\n"
	     "Every figure is a median of measurements taken in turns, in TSC cycles.\n"
	     "Example: ppbench policy --bulk 64 --policy trylock");
}

static int number(const char *option, const char *text, unsigned int min, unsigned int max,
		  unsigned int *value, char **end)
{
	unsigned long n;

	errno = 0;
	n = strtoul(text, end, 10);
	if (*end == text || *text < '0' || *text > '9' || errno || n < min || n > max) {
		bench_error("--%s '%s': need numbers from %u to %u; see ppbench --help", option,
			    text, min, max);
		return -1;
	}
	*value = (unsigned int)n;
	return 0;
}

static int single(const char *option, const char *text, unsigned int min, unsigned int max,
		  unsigned int *value)
{
	char *end;

	if (number(option, text, min, max, value, &end))
		return -1;
	if (!*end)
		return 0;
	bench_error("--%s '%s': need one number from %u to %u; see ppbench --help", option, text,
		    min, max);
	return -1;
}

/* "1,8,32-34" */
static int list(const char *option, const char *text, unsigned int min, unsigned int max,
		unsigned int *values, unsigned int *n)
{
	const char *at = text;
	unsigned int from, to;
	char *end;

	for (*n = 0;; at = end + 1) {
		if (number(option, at, min, max, &from, &end))
			return -1;
		to = from;
		if (*end == '-' && number(option, end + 1, from, max, &to, &end))
			return -1;
		for (; from <= to; from++) {
			if (*n == BENCH_LIST_MAX) {
				bench_error("--%s '%s': more than %u numbers; name fewer", option,
					    text, BENCH_LIST_MAX);
				return -1;
			}
			values[(*n)++] = from;
		}
		if (!*end)
			return 0;
		if (*end != ',') {
			bench_error("--%s '%s': need numbers separated by commas; "
				    "see ppbench --help",
				    option, text);
			return -1;
		}
	}
}

static int stars(const char *text, unsigned int *year)
{
	if (!strcmp(text, "2022") || !strcmp(text, "2024")) {
		*year = text[3] == '2' ? 2022 : 2024;
		return 0;
	}
	bench_error("--stars '%s': there are rules of 2022 and 2024; see ppbench(1)", text);
	return -1;
}

static int set_pft_option(struct bench_opts *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_THREADS:
		o->pft_only = "threads";
		return single(o->pft_only, arg, 1, 128, &o->threads);
	case OPT_DRAIN_HZ:
		o->pft_only = "drain-hz";
		return single(o->pft_only, arg, 1, 100000, &o->drain_hz);
	case OPT_STARS:
		o->pft_only = "stars";
		return stars(arg, &o->stars);
	}
	return -1;
}

static int set_option(struct bench_opts *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_POLICY:
		return bench_policies_parse(o, arg);
	case OPT_BULK:
		return list("bulk", arg, 1, PP_BULK_MAX, o->bulks, &o->nbulks);
	case OPT_CORES:
		return list("cores", arg, 0, CPU_SETSIZE - 1, o->cores, &o->ncores);
	case OPT_REPEAT:
		return single("repeat", arg, 1, BENCH_REPEAT_MAX, &o->repeat);
	case OPT_QUICK:
		o->quick = true;
		return 0;
	case OPT_JSON:
		o->json = arg;
		return 0;
	case OPT_CSV:
		o->csv = arg;
		return 0;
	case OPT_OUT:
		o->out = arg;
		return 0;
	case OPT_FROM:
		o->from = arg;
		return 0;
	case OPT_PLOT:
		o->plot = arg;
		return bench_plot_check(arg);
	case OPT_PORT:
		if (o->nports < BENCH_PORTS) {
			o->ports[o->nports++] = arg;
			return 0;
		}
		bench_error("--port '%s': at most %u ports", arg, BENCH_PORTS);
		return -1;
	}
	return set_pft_option(o, opt, arg);
}

static int pick_case(struct bench *b, const char *name, const struct bench_case *const *cases)
{
	const struct bench_case *const *c;
	char known[200];
	size_t used = 0;

	for (c = cases; *c; c++) {
		if (name && !strcmp((*c)->name, name)) {
			b->what = *c;
			return 0;
		}
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", (*c)->name);
	}
	if (name)
		bench_error("no case '%s'; there are %s", name, known);
	else
		bench_error("name a case, one of %s; see ppbench --help", known);
	return -1;
}

/* CPUs that were named must be ours; otherwise the first ones that are */
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
			return -2;
		}
	}
	for (i = 0; !named && i < CPU_SETSIZE && o->ncores < most; i++)
		if (CPU_ISSET(i, &b->cpus))
			o->cores[o->ncores++] = i;
	if (o->ncores >= b->what->cores && (b->what->cores < 2 || o->cores[0] != o->cores[1]))
		return 0;
	bench_error("%s needs %u different CPUs; name them with --cores, or use a larger machine",
		    b->what->name, b->what->cores);
	return -2;
}

/* a default is no wish: what this machine refuses of it is not an error */
static void use_policies(struct bench_opts *o, const char *list)
{
	bench_policies_parse(o, list);
	o->all_policies = true;
}

static void defaults(struct bench *b)
{
	struct bench_opts *o = &b->opts;

	if (!o->npolicies)
		use_policies(o, b->what->policies ? b->what->policies : "all");
	if (!o->nbulks)
		for (; b->what->bulks[o->nbulks]; o->nbulks++)
			o->bulks[o->nbulks] = b->what->bulks[o->nbulks];
	if (!o->repeat)
		o->repeat = o->quick ? 5 : b->what->repeat ? b->what->repeat : 11;
	if (!o->stars)
		o->stars = 2022;
}

/* --out and --from are the report's, which has no rows to print */
static int check_report(const struct bench *b)
{
	const struct bench_opts *o = &b->opts;

	if (b->what != &bench_report) {
		if (!o->out && !o->from)
			return 0;
		bench_error("--%s is for case report; see ppbench --help", o->out ? "out" : "from");
		return -1;
	}
	if (o->json || o->csv || o->plot) {
		bench_error("report: has no --json, no --csv and no --plot; see ppbench --help");
		return -1;
	}
	if (o->out)
		return 0;
	bench_error("report: where to? name the page with --out FILE.html");
	return -1;
}

/* as it was typed, so that a reader of the result can repeat it */
static void keep_command(struct bench *b, int argc, char **argv)
{
	size_t used = (size_t)snprintf(b->command, sizeof(b->command), "ppbench");
	int i;

	for (i = 1; i < argc && used < sizeof(b->command); i++)
		used += (size_t)snprintf(b->command + used, sizeof(b->command) - used, " %s",
					 argv[i]);
}

int bench_options(struct bench *b, int argc, char **argv, const struct bench_case *const *cases)
{
	int opt, err;

	keep_command(b, argc, argv);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longopts, NULL)) != -1) {
		if (opt == OPT_HELP) {
			help(cases);
			return 1;
		} else if (opt == OPT_VERSION) {
			puts("ppbench " PP_VERSION);
			return 1;
		} else if (opt == '?' || opt == ':') {
			bench_error("%s '%s'; see ppbench --help",
				    opt == '?' ? "unknown option" : "a value must follow option",
				    argv[optind - 1]);
			return -1;
		}
		err = set_option(&b->opts, opt, optarg);
		if (err)
			return err;
	}
	if (pick_case(b, argv[optind], cases))
		return -1;
	if (argv[optind + 1]) {
		bench_error("'%s': one case at a time; see ppbench --help", argv[optind + 1]);
		return -1;
	}
	if (b->opts.pft_only && b->what != &bench_pft) {
		bench_error("--%s: %s has no use for it, only pft has; leave it out",
			    b->opts.pft_only, b->what->name);
		return -1;
	}
	if (check_report(b))
		return -1;
	if (b->opts.nports && !b->what->ports) {
		bench_error("--port: case %s uses no port; name refill, or leave it out",
			    b->what->name);
		return -1;
	}
	defaults(b);
	return pick_cores(b);
}
