/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the command line */
#include <arpa/inet.h>
#include <string.h>

#include "app.h"
#include "common/error.h"
#include "common/options.h"
#include "common/values.h"

#define OPTIONS	     struct options
#define SECONDS_MAX  (1u << 30)
#define ANSWER_USUAL "192.0.2.1" /* of all names, if none is given */

const char program_name[] = "xdp_app";

static void add_name(void *opts, const char *option, const char *value)
{
	struct responder *r = &((struct options *)opts)->responder;
	struct dns_name *n = r->names + r->nnames;
	const char *equals = strchr(value, '=');
	char text[NAME_MAX_LEN + 2];

	if (r->nnames == NAMES_MAX) {
		usage_error("%s %s: more than %d names; give fewer", option, value, NAMES_MAX);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", equals ? (int)(equals - value) : 0, value);
	if (!dns_name_parse(n, text))
		usage_error("%s %s: not NAME=ADDRESS with labels of 1 to 63 characters", option,
			    value);
	else if (inet_pton(AF_INET, equals + 1, n->address) != 1)
		usage_error("%s %s: no IPv4 address behind the =; give one", option, value);
	else
		r->nnames++;
}

static void set_answer(void *opts, const char *option, const char *value)
{
	struct responder *r = &((struct options *)opts)->responder;

	r->any = true;
	if (inet_pton(AF_INET, value, r->address) != 1)
		usage_error("%s %s: not an IPv4 address; give one as 192.0.2.7", option, value);
}

static void set_mode(void *opts, const char *option, const char *value)
{
	static const char *const words[] = { "auto", "native", "skb", NULL };

	((struct options *)opts)->mode = (enum mode)parse_word(option, value, words);
}

static void set_memory(void *opts, const char *option, const char *value)
{
	static const char *const words[] = { "anon", "hugetlb", NULL };

	((struct options *)opts)->memory = parse_word(option, value, words) == 1 ? PP_MEM_HUGETLB
										 : PP_MEM_ANON;
}

static void set_page_size(void *opts, const char *option, const char *value)
{
	static const char *const words[] = { "2048", "4096", NULL };

	((struct options *)opts)->page_size = parse_word(option, value, words) == 1 ? 4096 : 2048;
}

static const struct option_row rows[] = {
	{ "port", .arg = "N", U32(responder.dns_port, 0, UINT16_MAX),
	  .help = "UDP port of the questions; 0: none (53)" },
	{ "echo-port", .arg = "N", U32(responder.echo_port, 0, UINT16_MAX),
	  .help = "UDP port of the echo; 0: none (7)" },
	{ "name", .arg = "NAME=ADDR", SET(add_name),
	  .help = "IPv4 address of a name; may be repeated, up to 64 times" },
	{ "answer", .arg = "ADDR", SET(set_answer),
	  .help = "IPv4 address of all other names (192.0.2.1 if there is no\n"
		  "--name; otherwise they do not exist)" },
	{ "slow-ms", .arg = "N", U32(slow_ms, 0, 60000),
	  .help = "names that begin with \"slow\" are answered after N ms (50)" },
	{ "slow-max", .arg = "N", U32(slow_max, 0, 1u << 20),
	  .help = "at most N packets wait for that, others are refused (512)" },
	{ "queues", .arg = "N", U32(queues, 0, XDP_APP_QUEUES),
	  .help = "use the first N queues (all)" },
	{ "mode", .arg = "MODE", SET(set_mode),
	  .help = "auto, native or skb: where the XDP program runs (auto)" },
	{ "pages", .arg = "N", U32(pages, 0, 1u << 24),
	  .help = "packet buffers in all (2048 a queue, and --slow-max)" },
	{ "page-size", .arg = "N", SET(set_page_size), .help = "their bytes, 2048 or 4096 (2048)" },
	{ "memory", .arg = "KIND", SET(set_memory), .help = "anon or hugetlb (anon)" },
	{ "busy", BOOL(busy), .help = "poll without sleeping" },
	{ "duration", .arg = "S", U32(duration, 0, SECONDS_MAX),
	  .help = "end after S seconds (0: do not)" },
	{ "stats-period", .arg = "S", U32(stats_period, 0, SECONDS_MAX),
	  .help = "a line of counters each S seconds (0: none)" },
	{ "json", .arg = "FILE", ANY(json),
	  .help = "write the summary as JSON; -: to stdout, the text to stderr" },
	{ .name = NULL },
};

static void print_usage(FILE *out)
{
	fputs("usage: xdp_app [OPTION ...] INTERFACE\n"
	      "Answers DNS questions for addresses, and echoes UDP, on AF_XDP sockets; all other\n"
	      "packets go to the kernel. Until Ctrl-C, which prints what was done.\n"
	      "\n",
	      out);
}

static void check_together(struct options *o, char **operands)
{
	struct responder *r = &o->responder;

	if (!operands[0] || operands[1])
		usage_error("need one interface, as in: xdp_app eth0; see xdp_app --help");
	if (!r->dns_port && !r->echo_port)
		usage_error("--port 0 --echo-port 0: then there is nothing to do; give one");
	if (r->dns_port == r->echo_port)
		usage_error("--port and --echo-port are both %u; take different ones", r->dns_port);
	if (!r->any && !r->nnames)
		set_answer(o, "--answer", ANSWER_USUAL);
}

int options_parse(struct options *o, int argc, char **argv)
{
	struct option_use use = { .rows = rows, .usage = print_usage };
	int status;

	*o = (struct options){
		.responder = { .dns_port = 53, .echo_port = 7 },
		.page_size = 2048,
		.slow_ms = 50,
		.slow_max = 512,
	};
	status = options_read(&use, o, argc, argv);
	if (status >= 0)
		return status;
	check_together(o, argv + use.operand);
	o->interface = argv[use.operand];
	return usage_wrong() ? 2 : -1;
}
