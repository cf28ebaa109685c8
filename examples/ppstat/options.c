/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the command line, and the line that the socket gets */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <pagepool/control.h>

#include "common/error.h"
#include "common/options.h"
#include "common/values.h"
#include "ppstat.h"

/* as many digits as the socket takes */
#define FAULT_MAX 999999999999999999ull
#define OPTIONS	  struct command

const char program_name[] = "ppstat";

/* the first is the default */
static const char *const verbs[] = { "stat",  "list",	 "drain",  "trim", "holders",
				     "fault", "disable", "enable", NULL };

/* @o, and the values that become words of the request */
struct command {
	struct options o;
	const char *zone;
	uint64_t core;
	const char *pool;
	uint64_t keep;
	uint64_t oldest;
	const char *track;
	const char *at;
	uint64_t every;
	uint64_t after;
	uint64_t thread;
	double lease;
	double timeout;
};

static void parse_track(void *data, const char *name, const char *text)
{
	static const char *const words[] = { "on", "off", NULL };
	struct command *command = data;

	if (parse_word(name, text, words) >= 0)
		command->track = text;
}

static const struct option_row rows[] = {
	{ "watch", .arg = "S", SECONDS(o.watch, 0.05, 86400), .with = "stat",
	  .help = "show it again every S seconds, with rates" },
	{ "count", .arg = "N", U64(o.count, 0, UINT32_MAX), .with = "stat",
	  .help = "stop after N times" },
	{ "json", BOOL(o.json), .with = "stat drain trim holders fault disable enable",
	  .help = "the program's answer as it is, one JSON object a line" },
	{ "prometheus", BOOL(o.prometheus), .with = "stat", .help = "as Prometheus reads it" },
	{ "out", .arg = "FILE", TEXT(o.out), .with = "stat",
	  .help = "with --prometheus: replace FILE by each sample, at once" },
	{ "zone", .arg = "ZONE", ANY(zone), .with = "drain disable enable",
	  .help = "this one's name or id (all)" },
	{ "core", .arg = "N", U64(core, 0, 65535), .with = "drain",
	  .help = "this core's cache (all); with caches of threads, this number's" },
	{ "pool", .arg = "POOL", ANY(pool), .with = "trim holders",
	  .help = "this one's name or id (all)" },
	{ "keep", .arg = "N", U64(keep, 0, UINT32_MAX), .with = "trim",
	  .help = "pages that may stay in each (0)" },
	{ "oldest", .arg = "N", U64(oldest, 1, 1000), .with = "holders",
	  .help = "how many holders of each to tell of (10)" },
	{ "track", .arg = "on|off", SET(parse_track), .with = "holders",
	  .help = "remember takers of pages from now on, or stop it" },
	{ "at", .arg = "POINT", ANY(at), .with = "fault",
	  .help = "let allocations fail there: page_pool_alloc or zone_alloc" },
	{ "every", .arg = "N", U64(every, 0, FAULT_MAX), .with = "fault",
	  .help = "each N-th call; 0: none any more" },
	{ "after", .arg = "N", U64(after, 0, FAULT_MAX), .with = "fault",
	  .help = "not the first N calls (0)" },
	{ "thread", .arg = "TID", U64(thread, 0, INT32_MAX), .with = "fault",
	  .help = "calls of this thread only (all)" },
	{ "lease", .arg = "S", SECONDS(lease, 0.001, 86400), .with = "disable",
	  .help = "enable them again after S seconds (not before ppstat enable)" },
	{ "timeout", .arg = "S", SECONDS(timeout, 0.000001, 1), .with = "drain trim disable",
	  .help = "longest wait for the user of a cache, up to 1 (0.1)" },
	{ .name = NULL },
};

static void print_usage(FILE *out)
{
	fputs("usage: ppstat [SOCKET|PID] [--watch S [--count N]] [--json]\n"
	      "       ppstat [SOCKET|PID] --prometheus [--out FILE [--watch S [--count N]]]\n"
	      "       ppstat list\n"
	      "       ppstat drain [SOCKET|PID] [--zone ZONE [--core N]] [--timeout S] [--json]\n"
	      "       ppstat trim [SOCKET|PID] [--pool POOL] [--keep N] [--timeout S] [--json]\n"
	      "       ppstat holders [SOCKET|PID] [--pool POOL] [--oldest N] [--track on|off]\n"
	      "                      [--json]\n"
	      "       ppstat fault [SOCKET|PID] [--at POINT --every N [--after N]\n"
	      "                    [--thread TID]] [--json]\n"
	      "       ppstat disable [SOCKET|PID] [--zone ZONE] [--lease S] [--timeout S]\n"
	      "                      [--json]\n"
	      "       ppstat enable [SOCKET|PID] [--zone ZONE] [--json]\n"
	      "Look into a program that uses pagepool, and drain it. SOCKET or PID may be left\n"
	      "out if only one is running.\n"
	      "\n",
	      out);
}

/* a word of the request: no blank ends it, and no sign makes it something else */
static void check_name(const char *name, const char *text)
{
	const char *c = text;

	while (c && (unsigned char)*c > ' ' && *c != '=' && *c != 0x7f)
		c++;
	if (text && (!*text || *c || strlen(text) > 64))
		usage_error("%s %s: no such name can be asked for; give its id", name, text);
}

static void check_together(const struct command *command, const struct option_use *use)
{
	const struct options *o = &command->o;

	options_check(use, o->verb);
	check_name("--zone", command->zone);
	check_name("--pool", command->pool);
	check_name("--at", command->at);
	if (options_given(use, "core") && !command->zone)
		usage_error("--core: of which zone? give --zone ZONE, too");
	if (!command->at != !options_given(use, "every") ||
	    (!command->at && (options_given(use, "after") || options_given(use, "thread"))))
		usage_error("--at, --every: one needs the other; --every 0 ends the faults there");
	if (o->count && o->watch <= 0)
		usage_error("--count: how often? give --watch S, too");
	if (o->prometheus && (o->json || (o->watch > 0 && !o->out)))
		usage_error("--prometheus: one page at a time; leave out --json, and give --watch "
			    "only with --out");
	if (o->out && !o->prometheus)
		usage_error("--out: only metrics go into a file; give --prometheus, too");
}

static void add_text(struct options *opts, const char *prefix, const char *word)
{
	size_t len = strlen(opts->request);

	if (word)
		snprintf(opts->request + len, sizeof(opts->request) - len, " %s%s", prefix, word);
}

static void add_number(struct options *opts, const struct option_use *use, const char *option,
		       const char *prefix, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	add_text(opts, prefix, options_given(use, option) ? text : NULL);
}

static void build_request(struct command *command, const struct option_use *use)
{
	struct options *o = &command->o;

	snprintf(o->request, sizeof(o->request), "%u %s", PP_CONTROL_VERSION, o->verb);
	add_text(o, "", command->zone);
	add_number(o, use, "core", "", command->core);
	add_text(o, "", command->pool);
	add_number(o, use, "keep", "keep=", command->keep);
	add_number(o, use, "oldest", "oldest=", command->oldest);
	add_text(o, "track=", command->track);
	add_text(o, "", command->at);
	add_number(o, use, "every", "every=", command->every);
	add_number(o, use, "after", "after=", command->after);
	add_number(o, use, "thread", "thread=", command->thread);
	add_number(o, use, "lease", "lease_ms=", (uint64_t)ceil(command->lease * 1e3));
	add_number(o, use, "timeout", "timeout_us=", (uint64_t)ceil(command->timeout * 1e6));
}

static const char *find_verb(const char *name)
{
	const char *const *verb;

	for (verb = verbs; *verb; verb++)
		if (name && !strcmp(*verb, name))
			return *verb;
	return NULL;
}

/* [VERB] [SOCKET|PID] */
static void parse_operands(struct options *opts, char **argv)
{
	opts->verb = find_verb(*argv);
	if (opts->verb)
		argv++;
	else
		opts->verb = verbs[0];
	if (*argv && strcmp(opts->verb, "list"))
		opts->target = *argv++;
	if (*argv)
		usage_error("%s: unexpected argument; see ppstat --help", *argv);
	if (opts->target && !*opts->target)
		usage_error("the socket has no name; give its path, or the program's pid");
}

int options_parse(struct options *opts, int argc, char **argv)
{
	struct option_use use = { .rows = rows, .usage = print_usage };
	struct command command = { 0 };
	int err;

	err = options_read(&use, &command, argc, argv);
	if (err >= 0)
		return err;
	parse_operands(&command.o, argv + use.operand);
	check_together(&command, &use);
	build_request(&command, &use);
	*opts = command.o;
	return usage_wrong() ? 2 : -1;
}
