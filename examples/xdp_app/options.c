/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the command line */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

#define USAGE 3 /* exit status 2, plus 1 */

enum {
	OPT_PORT = 256,
	OPT_ECHO_PORT,
	OPT_NAME,
	OPT_ANSWER,
	OPT_QUEUES,
	OPT_MODE,
	OPT_ATTACH,
	OPT_PAGES,
	OPT_PAGE_SIZE,
	OPT_MEMORY,
	OPT_SLOW_MS,
	OPT_SLOW_MAX,
	OPT_BUSY,
	OPT_DURATION,
	OPT_STATS_PERIOD,
	OPT_JSON,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "port", required_argument, NULL, OPT_PORT },
	{ "echo-port", required_argument, NULL, OPT_ECHO_PORT },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "answer", required_argument, NULL, OPT_ANSWER },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "attach", required_argument, NULL, OPT_ATTACH },
	{ "pages", required_argument, NULL, OPT_PAGES },
	{ "page-size", required_argument, NULL, OPT_PAGE_SIZE },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "slow-ms", required_argument, NULL, OPT_SLOW_MS },
	{ "slow-max", required_argument, NULL, OPT_SLOW_MAX },
	{ "busy", no_argument, NULL, OPT_BUSY },
	{ "duration", required_argument, NULL, OPT_DURATION },
	{ "stats-period", required_argument, NULL, OPT_STATS_PERIOD },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"usage: xdp_app [OPTIONS] INTERFACE\n"
	"Answers DNS questions for addresses, and echoes UDP, on AF_XDP sockets; all other\n"
	"packets go to the kernel. Until Ctrl-C, which prints what was done.\n"
	"  --port N           UDP port of the questions; 0: none (53)\n"
	"  --echo-port N      UDP port of the echo; 0: none (7)\n"
	"  --name NAME=ADDR   IPv4 address of a name; may be repeated, up to 64 times\n"
	"  --answer ADDR      IPv4 address of all other names (192.0.2.1 if there is no --name;\n"
	"                     otherwise they do not exist)\n"
	"  --slow-ms N        names that begin with \"slow\" are answered after N ms (50)\n"
	"  --slow-max N       at most N packets wait for that, others are refused (512)\n"
	"  --queues N         use the first N queues (all)\n"
	"  --mode MODE        auto, native or skb: where the XDP program runs (auto)\n"
	"  --attach HOW       dispatcher: by libxdp, beside other programs; link: alone, by a\n"
	"                     bpf_link; auto: dispatcher if the kernel can (auto)\n"
	"  --pages N          packet buffers in all (2048 a queue, and --slow-max)\n"
	"  --page-size N      their bytes, 2048 or 4096 (2048)\n"
	"  --memory KIND      anon or hugetlb (anon)\n"
	"  --busy             poll without sleeping\n"
	"  --duration S       end after S seconds (0: do not)\n"
	"  --stats-period S   a line of counters each S seconds (0: none)\n"
	"  --json FILE        write the summary as JSON; -: to stdout, the text to stderr\n"
	"  --help, --version\n";

static int usage(const char *option, const char *value, const char *need)
{
	fail("--%s '%s': need %s; see --help", option, value, need);
	return USAGE;
}

static int number(const char *option, const char *value, unsigned int max, unsigned int *out)
{
	char need[64], *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && !*end && !errno && n <= max) {
		*out = (unsigned int)n;
		return 0;
	}
	snprintf(need, sizeof(need), "a number from 0 to %u", max);
	return usage(option, value, need);
}

static int port(const char *option, const char *value, uint16_t *out)
{
	unsigned int n;
	int err = number(option, value, UINT16_MAX, &n);

	if (!err)
		*out = (uint16_t)n;
	return err;
}

/* the index of a word in a list that ends with NULL */
static int word(const char *option, const char *value, const char *const *words, unsigned int *out)
{
	char need[64] = "";
	unsigned int i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(value, words[i])) {
			*out = i;
			return 0;
		}
		strcat(strcat(need, i ? ", " : "one of "), words[i]);
	}
	return usage(option, value, need);
}

static int name(struct responder *r, const char *value)
{
	const char *equals = strchr(value, '=');
	struct dns_name *n = r->names + r->nnames;
	char text[NAME_MAX_LEN + 2];
	size_t len = equals ? (size_t)(equals - value) : 0;

	if (r->nnames == NAMES_MAX)
		return usage("name", value, "no more than 64 names");
	if (!len || len >= sizeof(text))
		return usage("name", value, "NAME=ADDRESS");
	memcpy(text, value, len);
	text[len] = '\0';
	if (!dns_name_parse(n, text))
		return usage("name", value, "a name of labels with 1 to 63 characters");
	if (inet_pton(AF_INET, equals + 1, n->address) != 1)
		return usage("name", value, "an IPv4 address behind the =");
	r->nnames++;
	return 0;
}

static int answer(struct responder *r, const char *value)
{
	if (inet_pton(AF_INET, value, r->address) != 1)
		return usage("answer", value, "an IPv4 address");
	r->any = true;
	return 0;
}

static int words(struct options *o, int opt, const char *value)
{
	static const char *const modes[] = { "auto", "native", "skb", NULL };
	static const char *const attach[] = { "auto", "dispatcher", "link", NULL };
	static const char *const memory[] = { "anon", "hugetlb", NULL };
	static const char *const sizes[] = { "2048", "4096", NULL };
	unsigned int i = 0;
	int err;

	switch (opt) {
	case OPT_MODE:
		err = word("mode", value, modes, &i);
		o->mode = (enum mode)i;
		return err;
	case OPT_ATTACH:
		err = word("attach", value, attach, &i);
		o->attach = (enum attach)i;
		return err;
	case OPT_MEMORY:
		err = word("memory", value, memory, &i);
		o->memory = i ? PP_MEM_HUGETLB : PP_MEM_ANON;
		return err;
	default:
		err = word("page-size", value, sizes, &i);
		o->page_size = i ? 4096 : 2048;
		return err;
	}
}

static int numbers(struct options *o, int opt, const char *value)
{
	switch (opt) {
	case OPT_PORT:
		return port("port", value, &o->responder.dns_port);
	case OPT_ECHO_PORT:
		return port("echo-port", value, &o->responder.echo_port);
	case OPT_QUEUES:
		return number("queues", value, XDP_APP_QUEUES, &o->queues);
	case OPT_PAGES:
		return number("pages", value, 1u << 24, &o->pages);
	case OPT_SLOW_MS:
		return number("slow-ms", value, 60000, &o->slow_ms);
	case OPT_SLOW_MAX:
		return number("slow-max", value, 1u << 20, &o->slow_max);
	case OPT_DURATION:
		return number("duration", value, 1u << 30, &o->duration);
	default:
		return number("stats-period", value, 1u << 30, &o->stats_period);
	}
}

static int option(struct options *o, int opt, const char *value)
{
	switch (opt) {
	case OPT_NAME:
		return name(&o->responder, value);
	case OPT_ANSWER:
		return answer(&o->responder, value);
	case OPT_MODE:
	case OPT_ATTACH:
	case OPT_MEMORY:
	case OPT_PAGE_SIZE:
		return words(o, opt, value);
	case OPT_BUSY:
		o->busy = true;
		return 0;
	case OPT_JSON:
		o->json = value;
		return 0;
	case OPT_HELP:
		fputs(help, stdout);
		return 1;
	case OPT_VERSION:
		printf("xdp_app %s\n", PP_VERSION);
		return 1;
	case '?':
	case ':':
		return USAGE;
	default:
		return numbers(o, opt, value);
	}
}

static int check(struct options *o)
{
	struct responder *r = &o->responder;

	if (!r->dns_port && !r->echo_port) {
		fail("--port 0 --echo-port 0: then there is nothing to do; see --help");
		return USAGE;
	}
	if (r->dns_port == r->echo_port) {
		fail("--port and --echo-port are both %u; take different ones", r->dns_port);
		return USAGE;
	}
	if (!r->any && !r->nnames)
		return answer(r, "192.0.2.1");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int opt, err;

	*o = (struct options){
		.responder = { .dns_port = 53, .echo_port = 7 },
		.page_size = 2048,
		.slow_ms = 50,
		.slow_max = 512,
	};
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == '?')
			fail("unknown option or missing value: '%s'; see --help", argv[optind - 1]);
		err = option(o, opt, optarg);
		if (err)
			return err;
	}
	if (optind != argc - 1) {
		fail("need one interface, as in: xdp_app eth0; see --help");
		return USAGE;
	}
	o->interface = argv[optind];
	return check(o);
}
