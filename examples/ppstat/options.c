/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.c - the command line, and the line that the socket gets
 */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/control.h>

#include "ppstat.h"

enum {
	OPT_WATCH = 256,
	OPT_COUNT,
	OPT_JSON,
	OPT_PROMETHEUS,
	OPT_ZONE,
	OPT_CORE,
	OPT_POOL,
	OPT_KEEP,
	OPT_OLDEST,
	OPT_TRACK,
	OPT_AT,
	OPT_EVERY,
	OPT_AFTER,
	OPT_THREAD,
	OPT_LEASE,
	OPT_TIMEOUT,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "watch", required_argument, NULL, OPT_WATCH },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "prometheus", no_argument, NULL, OPT_PROMETHEUS },
	{ "zone", required_argument, NULL, OPT_ZONE },
	{ "core", required_argument, NULL, OPT_CORE },
	{ "pool", required_argument, NULL, OPT_POOL },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "oldest", required_argument, NULL, OPT_OLDEST },
	{ "track", required_argument, NULL, OPT_TRACK },
	{ "at", required_argument, NULL, OPT_AT },
	{ "every", required_argument, NULL, OPT_EVERY },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "thread", required_argument, NULL, OPT_THREAD },
	{ "lease", required_argument, NULL, OPT_LEASE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

#define BIT(opt) (1u << ((opt)-OPT_WATCH))

static const struct verb {
	const char *name;
	unsigned int options;
} verbs[] = {
	{ "stat", BIT(OPT_WATCH) | BIT(OPT_COUNT) | BIT(OPT_JSON) | BIT(OPT_PROMETHEUS) },
	{ "list", 0 },
	{ "drain", BIT(OPT_ZONE) | BIT(OPT_CORE) | BIT(OPT_TIMEOUT) | BIT(OPT_JSON) },
	{ "trim", BIT(OPT_POOL) | BIT(OPT_KEEP) | BIT(OPT_TIMEOUT) | BIT(OPT_JSON) },
	{ "holders", BIT(OPT_POOL) | BIT(OPT_OLDEST) | BIT(OPT_TRACK) | BIT(OPT_JSON) },
	{ "fault",
	  BIT(OPT_AT) | BIT(OPT_EVERY) | BIT(OPT_AFTER) | BIT(OPT_THREAD) | BIT(OPT_JSON) },
	{ "disable", BIT(OPT_ZONE) | BIT(OPT_LEASE) | BIT(OPT_TIMEOUT) | BIT(OPT_JSON) },
	{ "enable", BIT(OPT_ZONE) | BIT(OPT_JSON) },
};

/* as many digits as the socket takes */
#define FAULT_MAX 999999999999999999ull

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Values that become words of the request. */
struct words {
	const char *zone;
	const char *core;
	const char *pool;
	const char *keep;
	const char *oldest;
	const char *track;
	const char *at;
	const char *every;
	const char *after;
	const char *thread;
	double lease;
	double timeout;
};

static const char usage[] =
	"usage: ppstat [SOCKET|PID] [--watch S [--count N]] [--json|--prometheus]\n"
	"       ppstat list\n"
	"       ppstat drain [SOCKET|PID] [--zone ZONE [--core N]] [--timeout S] [--json]\n"
	"       ppstat trim [SOCKET|PID] [--pool POOL] [--keep N] [--timeout S] [--json]\n"
	"       ppstat holders [SOCKET|PID] [--pool POOL] [--oldest N] [--track on|off] [--json]\n"
	"       ppstat fault [SOCKET|PID] [--at POINT --every N [--after N] [--thread TID]]\n"
	"                    [--json]\n"
	"       ppstat disable [SOCKET|PID] [--zone ZONE] [--lease S] [--timeout S] [--json]\n"
	"       ppstat enable [SOCKET|PID] [--zone ZONE] [--json]\n"
	"Look into a program that uses pagepool, and drain it. SOCKET or PID may be left out\n"
	"if only one is running.\n"
	"\n"
	"  --watch S          show it again every S seconds, with rates\n"
	"  --count N          stop after N times\n"
	"  --json             the program's answer as it is, one JSON object a line\n"
	"  --prometheus       as Prometheus reads it\n"
	"  --zone ZONE        this one's name or id (all)\n"
	"  --core N           this core's cache (all); with caches of threads, this number's\n"
	"  --pool POOL        this one's name or id (all)\n"
	"  --keep N           pages that may stay in each (0)\n"
	"  --oldest N         how many holders of each to tell of (10)\n"
	"  --track on|off     remember who takes pages from now on, or stop it\n"
	"  --at POINT         let allocations fail there: page_pool_alloc or zone_alloc\n"
	"  --every N          each N-th call; 0: none any more\n"
	"  --after N          not the first N calls (0)\n"
	"  --thread TID       calls of this thread only (all)\n"
	"  --lease S          enable them again after S seconds (not before ppstat enable)\n"
	"  --timeout S        wait so long for those who hold a cache, up to 1 (0.1)\n"
	"  --help, --version  print this, or the version, and exit\n";

static uint64_t parse_number(const char *name, const char *text, uint64_t max)
{
	unsigned long long value;
	char *end;

	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value > max)
		usage_error("%s %s: not a number; give 0 to %" PRIu64, name, text, max);
	return value;
}

static double parse_seconds(const char *name, const char *text, double min, double max)
{
	double value;
	char *end;

	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		usage_error("%s %s: not a number; give seconds, as 2.5", name, text);
	if (value < min || value > max)
		usage_error("%s %s: out of range; give %g to %g seconds", name, text, min, max);
	return value;
}

/* A word of the request: no blank ends it, and no sign makes it something else. */
static const char *parse_name(const char *name, const char *text)
{
	if (!*text || strlen(text) > 64 || strpbrk(text, " =\n"))
		usage_error("%s %s: no such name can be asked for; give its id", name, text);
	return text;
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < NR(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void print_and_exit(int opt)
{
	if (opt == OPT_HELP)
		fputs(usage, stdout);
	else
		printf("ppstat %s\n", PP_VERSION);
	exit(fflush(stdout) ? 1 : 0);
}

static void parse_option(struct options *opts, struct words *words, int opt, const char *arg)
{
	switch (opt) {
	case OPT_WATCH:
		opts->watch = parse_seconds("--watch", arg, 0.05, 86400);
		break;
	case OPT_COUNT:
		opts->count = parse_number("--count", arg, UINT32_MAX);
		break;
	case OPT_JSON:
		opts->json = true;
		break;
	case OPT_PROMETHEUS:
		opts->prometheus = true;
		break;
	case OPT_ZONE:
		words->zone = parse_name("--zone", arg);
		break;
	case OPT_CORE:
		parse_number("--core", arg, 65535);
		words->core = arg;
		break;
	case OPT_POOL:
		words->pool = parse_name("--pool", arg);
		break;
	case OPT_KEEP:
		parse_number("--keep", arg, UINT32_MAX);
		words->keep = arg;
		break;
	case OPT_OLDEST:
		if (!parse_number("--oldest", arg, 1000))
			usage_error("--oldest 0: nothing to tell; give 1 to 1000");
		words->oldest = arg;
		break;
	case OPT_TRACK:
		if (strcmp(arg, "on") && strcmp(arg, "off"))
			usage_error("--track %s: give on or off", arg);
		words->track = arg;
		break;
	case OPT_AT:
		words->at = parse_name("--at", arg);
		break;
	case OPT_EVERY:
		parse_number("--every", arg, FAULT_MAX);
		words->every = arg;
		break;
	case OPT_AFTER:
		parse_number("--after", arg, FAULT_MAX);
		words->after = arg;
		break;
	case OPT_THREAD:
		parse_number("--thread", arg, INT32_MAX);
		words->thread = arg;
		break;
	case OPT_LEASE:
		words->lease = parse_seconds("--lease", arg, 0.001, 86400);
		break;
	case OPT_TIMEOUT:
		words->timeout = parse_seconds("--timeout", arg, 0.000001, 1);
		break;
	}
}

static void add_word(struct options *opts, const char *prefix, const char *word)
{
	size_t len = strlen(opts->request);

	if (word)
		snprintf(opts->request + len, sizeof(opts->request) - len, " %s%s", prefix, word);
}

static void add_time(struct options *opts, const char *prefix, double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.0f", ceil(value));
	add_word(opts, prefix, value > 0 ? text : NULL);
}

static void build_request(struct options *opts, const struct words *words)
{
	snprintf(opts->request, sizeof(opts->request), "%u %s", PP_CONTROL_VERSION, opts->verb);
	add_word(opts, "", words->zone);
	add_word(opts, "", words->core);
	add_word(opts, "", words->pool);
	add_word(opts, "keep=", words->keep);
	add_word(opts, "oldest=", words->oldest);
	add_word(opts, "track=", words->track);
	add_word(opts, "", words->at);
	add_word(opts, "every=", words->every);
	add_word(opts, "after=", words->after);
	add_word(opts, "thread=", words->thread);
	add_time(opts, "lease_ms=", words->lease * 1e3);
	add_time(opts, "timeout_us=", words->timeout * 1e6);
}

static void check_together(const struct options *opts, const struct words *words,
			   const struct verb *verb, unsigned int given)
{
	unsigned int odd = given & ~verb->options;

	if (odd)
		usage_error("--%s: not with ppstat %s; see ppstat --help",
			    long_options[__builtin_ctz(odd)].name, verb->name);
	if (words->core && !words->zone)
		usage_error("--core: of which zone? give --zone ZONE, too");
	if (!words->at != !words->every || (!words->at && (words->after || words->thread)))
		usage_error("--at, --every: one needs the other; --every 0 ends the faults there");
	if (opts->count && opts->watch <= 0)
		usage_error("--count: how often? give --watch S, too");
	if (opts->prometheus && (opts->json || opts->watch > 0))
		usage_error("--prometheus: one page at a time; leave out --json and --watch");
}

void options_parse(struct options *opts, int argc, char **argv)
{
	const struct verb *verb = &verbs[0];
	struct words words = { 0 };
	unsigned int given = 0;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (opt == OPT_HELP || opt == OPT_VERSION)
			print_and_exit(opt);
		if (opt == ':')
			usage_error("%s: a value is missing; see ppstat --help", argv[optind - 1]);
		if (opt == '?')
			usage_error("%s: %s; see ppstat --help", argv[optind - 1],
				    optopt > 255 ? "takes no value" : "unknown option");
		given |= BIT(opt);
		parse_option(opts, &words, opt, optarg);
	}
	if (optind < argc && find_verb(argv[optind]))
		verb = find_verb(argv[optind++]);
	opts->verb = verb->name;
	if (optind < argc)
		opts->target = argv[optind++];
	if (optind < argc || (opts->target && !strcmp(opts->verb, "list")))
		usage_error("%s: unexpected argument; see ppstat --help", argv[optind - 1]);
	if (opts->target && !*opts->target)
		usage_error("the socket has no name; give its path, or the program's pid");
	check_together(opts, &words, verb, given);
	build_request(opts, &words);
}
