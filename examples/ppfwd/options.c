/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.c - the command line
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/netdev.h>

#include "engines/engine.h"
#include "ppfwd.h"

#define HEADROOM_AUTO UINT32_MAX

enum {
	OPT_PORT = 256,
	OPT_ENGINE,
	OPT_CORES,
	OPT_BURST,
	OPT_REFILL,
	OPT_CACHE,
	OPT_RING,
	OPT_PAGES,
	OPT_PAGE_SIZE,
	OPT_ORDER,
	OPT_HEADROOM,
	OPT_MEMORY,
	OPT_ACCEPT,
	OPT_LOCK,
	OPT_IDLE_MS,
	OPT_MEMORY_HZ,
	OPT_NODE,
	OPT_POLICY,
	OPT_BATCH,
	OPT_HIGH,
	OPT_DRAIN_HZ,
	OPT_TRACE,
	OPT_DURATION,
	OPT_PACKETS,
	OPT_STATS_PERIOD,
	OPT_JSON,
	OPT_CONTROL,
	OPT_EAL,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "port", required_argument, NULL, OPT_PORT },
	{ "engine", required_argument, NULL, OPT_ENGINE },
	{ "cores", required_argument, NULL, OPT_CORES },
	{ "burst", required_argument, NULL, OPT_BURST },
	{ "refill", required_argument, NULL, OPT_REFILL },
	{ "cache", required_argument, NULL, OPT_CACHE },
	{ "ring", required_argument, NULL, OPT_RING },
	{ "pages", required_argument, NULL, OPT_PAGES },
	{ "page-size", required_argument, NULL, OPT_PAGE_SIZE },
	{ "order", required_argument, NULL, OPT_ORDER },
	{ "headroom", required_argument, NULL, OPT_HEADROOM },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "accept", required_argument, NULL, OPT_ACCEPT },
	{ "lock", no_argument, NULL, OPT_LOCK },
	{ "idle-ms", required_argument, NULL, OPT_IDLE_MS },
	{ "memory-hz", required_argument, NULL, OPT_MEMORY_HZ },
	{ "node", required_argument, NULL, OPT_NODE },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "batch", required_argument, NULL, OPT_BATCH },
	{ "high", required_argument, NULL, OPT_HIGH },
	{ "drain-hz", required_argument, NULL, OPT_DRAIN_HZ },
	{ "trace", no_argument, NULL, OPT_TRACE },
	{ "duration", required_argument, NULL, OPT_DURATION },
	{ "packets", required_argument, NULL, OPT_PACKETS },
	{ "stats-period", required_argument, NULL, OPT_STATS_PERIOD },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "eal", required_argument, NULL, OPT_EAL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage_head[] =
	"usage: ppfwd --port SPEC [--port SPEC ...] [OPTION ...]\n"
	"Forward packets between ports: 0 and 1, 2 and 3, ...; a single port to itself.\n"
	"\n"
	"  --port SPEC        null[:size=64,copy=0|1]\n"
	"                     loop:NAME[,peer=NAME]\n"
	"                     pcap:rx=FILE[,tx=FILE][,loop=N][,snaplen=N][,only=N]\n"
	"                     pcap:iface=IF[,filter=EXPR][,promisc=on|off]\n"
	"                     af_xdp:IF[,queues=N][,queue=K][,mode=auto|native|skb]\n"
	"                       [,promisc=on|off][,offloads=keep|fix]...\n"
	"                     dpdk:DEVARGS[,queues=N]\n";

static const char usage_run[] =
	"  --cores LIST       CPUs of the workers, as 0,2-3 (default: the first allowed)\n"
	"  --duration S       stop after S seconds\n"
	"  --packets N        stop after N packets\n"
	"  --stats-period S   seconds between updates of the line on a terminal, 0: none (1)\n"
	"  --json FILE        write the report as JSON, - is standard output\n"
	"  --control SOCKET   let ppstat(1) in; auto: where ppstat PID looks\n"
	"  --eal ARGS         what dpdk ports start DPDK's EAL with (the least that works)\n"
	"  --help, --version  print this, or the version, and exit\n";

static const char usage_pool[] =
	"  --burst N          packets taken at once, 1 to 512 (32)\n"
	"  --refill N         pages a pool takes at once (64, or half the cache)\n"
	"  --cache N          pages in a pool's cache (128)\n"
	"  --ring N           pages in a pool's ring, a power of two (1024)\n"
	"  --pages N          pages altogether (default: enough for the ports)\n"
	"  --page-size N      bytes of a page, a power of two, 2048 to 65536 (4096)\n"
	"  --order N          each buffer is 2^N pages beside each other, 0 to 9 (0)\n"
	"  --headroom N       bytes left free before each packet (128; 320 beside dpdk ports)\n"
	"  --memory KIND      anon, hugetlb, hugetlb,fallback or memfd (anon)\n"
	"  --accept WHEN      eager, lazy (on demand), or thread (ahead of need) (eager)\n"
	"  --lock             lock the memory (mlock)\n"
	"  --idle-ms N        give memory back that was not needed for N ms\n"
	"  --memory-hz N      isolate, take ranges, offline, shrink, in turns, N times a second\n"
	"  --node N           NUMA node of the memory, local: the first worker's, or\n"
	"                     set: a zone on each, of which workers take their own (any)\n"
	"  --batch N          pages moved between a core's cache and the zone at once (auto)\n"
	"  --high N           most pages in a core's cache (auto)\n"
	"  --drain-hz N       drain all cores' caches N times a second\n"
	"  --trace            record how long the cores' caches are closed\n";

static void print_help(void)
{
	const char *const *policy = pp_policy_names();
	unsigned int i;

	fputs(usage_head, stdout);
	printf("  --engine NAME      what to do with packets (io)\n");
	for (i = 0; engines[i]; i++)
		printf("           %-9s   %s\n", engines[i]->name, engines[i]->help);
	fputs(usage_run, stdout);
	fputs(usage_pool, stdout);
	printf("  --policy NAME      how the cores' caches are shared:");
	for (; *policy; policy++)
		printf(" %s", *policy);
	printf(" auto (trylock)\n");
}

static void parse_memory(struct options *opts, const char *text)
{
	opts->huge_fallback = false;
	if (!strcmp(text, "anon")) {
		opts->mem = PP_MEM_ANON;
	} else if (!strcmp(text, "memfd")) {
		opts->mem = PP_MEM_MEMFD;
	} else if (!strcmp(text, "hugetlb")) {
		opts->mem = PP_MEM_HUGETLB;
	} else if (!strcmp(text, "hugetlb,fallback")) {
		opts->mem = PP_MEM_HUGETLB;
		opts->huge_fallback = true;
	} else {
		usage_error("--memory %s: unknown; give anon, hugetlb, hugetlb,fallback or memfd",
			    text);
	}
}

static void parse_accept(struct options *opts, const char *text)
{
	if (!strcmp(text, "eager"))
		opts->zone_flags &= ~(PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD);
	else if (!strcmp(text, "lazy"))
		opts->zone_flags |= PP_ZONE_LAZY;
	else if (!strcmp(text, "thread"))
		opts->zone_flags |= PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD;
	else
		usage_error("--accept %s: unknown; give eager, lazy or thread", text);
}

static void parse_engine(struct options *opts, const char *text)
{
	opts->engine = engine_find(text);
	if (!opts->engine)
		usage_error("--engine %s: unknown; give one that ppfwd --help lists", text);
}

static void parse_policy(struct options *opts, const char *text)
{
	const char *const *name;

	if (!strcmp(text, "auto")) {
		opts->policy = "auto";
		return;
	}
	for (name = pp_policy_names(); *name; name++) {
		if (!strcmp(*name, text)) {
			opts->policy = *name;
			return;
		}
	}
	usage_error("--policy %s: not in this build; give one that ppfwd --help lists", text);
}

static void parse_json(struct options *opts, const char *text)
{
	opts->json = text;
}

static void add_port(struct options *opts, const char *text)
{
	if (opts->nports == PPFWD_PORTS_MAX)
		usage_error("--port %s: too many ports; give at most %u", text, PPFWD_PORTS_MAX);
	else
		opts->ports[opts->nports++] = text;
}

static void parse_pool_option(struct options *opts, int opt, const char *arg)
{
	switch (opt) {
	case OPT_BURST:
		opts->burst = (uint32_t)parse_number("--burst", arg, 1, PP_BURST_MAX);
		break;
	case OPT_REFILL:
		opts->refill = (uint32_t)parse_number("--refill", arg, 1, PP_BULK_MAX);
		break;
	case OPT_CACHE:
		opts->cache = (uint32_t)parse_number("--cache", arg, 1, 4096);
		break;
	case OPT_RING:
		opts->ring = (uint32_t)parse_number("--ring", arg, 2, 16384);
		break;
	case OPT_PAGES:
		opts->pages = parse_number("--pages", arg, 1, UINT32_MAX);
		break;
	case OPT_PAGE_SIZE:
		opts->page_size = (uint32_t)parse_number("--page-size", arg, 2048, 65536);
		break;
	case OPT_ORDER:
		opts->order = (uint32_t)parse_number("--order", arg, 0, 9);
		break;
	case OPT_HEADROOM:
		opts->headroom = (uint32_t)parse_number("--headroom", arg, 0, 65535);
		break;
	case OPT_IDLE_MS:
		opts->idle_ms = (uint32_t)parse_number("--idle-ms", arg, 1, 86400000);
		break;
	case OPT_MEMORY_HZ:
		opts->memory_hz = (uint32_t)parse_number("--memory-hz", arg, 1, 1000);
		break;
	case OPT_NODE:
		opts->node_local = !strcmp(arg, "local");
		opts->node_set = !strcmp(arg, "set");
		opts->node = PP_NODE_ANY;
		if (!opts->node_local && !opts->node_set && (*arg < '0' || *arg > '9'))
			usage_error("--node %s: unknown; give local, set or a number", arg);
		if (!opts->node_local && !opts->node_set)
			opts->node = (int)parse_number("--node", arg, 0, 1023);
		break;
	case OPT_BATCH:
		opts->batch = (uint32_t)parse_number("--batch", arg, 1, PP_BULK_MAX);
		break;
	case OPT_HIGH:
		opts->high = (uint32_t)parse_number("--high", arg, 1, 65536);
		break;
	}
}

static void parse_run_option(struct options *opts, int opt, const char *arg)
{
	switch (opt) {
	case OPT_PORT:
		add_port(opts, arg);
		break;
	case OPT_ENGINE:
		parse_engine(opts, arg);
		break;
	case OPT_CORES:
		parse_cores(opts, arg);
		break;
	case OPT_MEMORY:
		parse_memory(opts, arg);
		break;
	case OPT_ACCEPT:
		parse_accept(opts, arg);
		break;
	case OPT_LOCK:
		opts->zone_flags |= PP_ZONE_LOCK;
		break;
	case OPT_POLICY:
		parse_policy(opts, arg);
		break;
	case OPT_DRAIN_HZ:
		opts->drain_hz = (uint32_t)parse_number("--drain-hz", arg, 1, 1000000);
		break;
	case OPT_TRACE:
		opts->trace = true;
		break;
	case OPT_DURATION:
		opts->duration = parse_seconds("--duration", arg, 0.001);
		break;
	case OPT_PACKETS:
		opts->packets = parse_number("--packets", arg, 1, UINT64_MAX - 1);
		break;
	case OPT_STATS_PERIOD:
		opts->period = parse_seconds("--stats-period", arg, 0);
		break;
	case OPT_JSON:
		parse_json(opts, arg);
		break;
	case OPT_CONTROL:
		if (!*arg)
			usage_error("--control: the socket has no name; give one, or auto");
		opts->control = arg;
		break;
	case OPT_EAL:
		opts->eal = arg;
		break;
	default:
		parse_pool_option(opts, opt, arg);
	}
}

static bool has_dpdk(const struct options *opts)
{
	unsigned int i;

	for (i = 0; i < opts->nports; i++)
		if (!strncmp(opts->ports[i], "dpdk:", 5))
			return true;
	return false;
}

static void check_together(struct options *opts)
{
	/* what others receive then has room for an mbuf in front, and is sent without a copy */
	if (opts->headroom == HEADROOM_AUTO)
		opts->headroom = has_dpdk(opts) ? 320 : 128;
	if (opts->eal && !has_dpdk(opts))
		usage_error("--eal: no port is DPDK's; leave it out, or give --port dpdk:DEVARGS");
	if (opts->node_set && opts->trace)
		usage_error("--trace: tells of one zone; leave out --node set");
	if (!opts->refill)
		opts->refill = opts->cache < 2 ? 1 : opts->cache < 128 ? opts->cache / 2 : 64;
	if (!opts->nports)
		usage_error("no port: nothing to forward; give --port SPEC, see ppfwd --help");
	if (opts->refill > opts->cache)
		usage_error("--refill %u: more than --cache %u holds; give at most that",
			    opts->refill, opts->cache);
	if (opts->ring & (opts->ring - 1))
		usage_error("--ring %u: not a power of two; give 2, 4, 8 .. 16384", opts->ring);
	if (opts->page_size & (opts->page_size - 1))
		usage_error("--page-size %u: not a power of two; give 2048, 4096 .. 65536",
			    opts->page_size);
	if (opts->page_size << opts->order > 2u << 20)
		usage_error("--order %u: 2^%u pages of %u bytes are more than 2 MiB; give less",
			    opts->order, opts->order, opts->page_size);
	if (opts->order && opts->node_set)
		usage_error("--order: takes runs of one zone; leave out --node set");
	if (opts->headroom > opts->page_size - 64)
		usage_error("--headroom %u: leaves no room for packets; give at most %u",
			    opts->headroom, opts->page_size - 64);
	if (opts->high && opts->batch > opts->high)
		usage_error("--batch %u: more than --high %u; give at most that", opts->batch,
			    opts->high);
}

/* what getopt_long() did not like; argv[optind - 1] is the culprit, but for --opt=value */
static void bad_option(int opt, char **argv)
{
	const char *word = argv[optind - 1];

	if (opt == ':')
		usage_error("%s: a value is missing; see ppfwd --help", word);
	else if (optopt > 255)
		usage_error("%s: takes no value; see ppfwd --help", word);
	else
		usage_error("%s: unknown option; see ppfwd --help", word);
}

static char *join(int argc, char **argv)
{
	size_t size = 1;
	char *text;
	int i;

	for (i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = calloc(1, size);
	for (i = 0; text && i < argc; i++) {
		strcat(text, argv[i]);
		if (i < argc - 1)
			strcat(text, " ");
	}
	return text;
}

/* the value of a number in a port's spec, @otherwise if it is not there; the driver checks it */
static uint64_t spec_parse_number(const char *spec, const char *key, uint64_t otherwise)
{
	const char *at = strpbrk(spec, ":,");
	size_t len = strlen(key);

	for (; at; at = strchr(at + 1, ',')) {
		if (!strncmp(at + 1, key, len) && at[1 + len] == '=')
			return strtoul(at + len + 2, NULL, 10) & 0xffffff;
	}
	return otherwise;
}

uint64_t default_pages(const struct options *opts)
{
	uint64_t pages = 0, queue;
	unsigned int i;

	for (i = 0; i < opts->nports; i++) {
		queue = PPFWD_DRIVER_PAGES + spec_parse_number(opts->ports[i], "fill", 0) +
			opts->ring + opts->cache + 2 * opts->burst;
		pages += queue * spec_parse_number(opts->ports[i], "queues", 1);
	}
	return (pages ? pages : 1) << opts->order;
}

/* 0: go on, -1: help or version was printed, or usage_wrong() */
static int parse_all(struct options *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	optind = 0; /* afresh: whoever calls again has other arguments */
	while ((opt = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (opt == OPT_HELP) {
			print_help();
			return -1;
		}
		if (opt == OPT_VERSION) {
			printf("ppfwd %s\n", PP_VERSION);
			return -1;
		}
		if (opt == ':' || opt == '?')
			bad_option(opt, argv);
		else
			parse_run_option(opts, opt, optarg);
		if (usage_wrong())
			return -1;
	}
	if (optind < argc)
		usage_error("%s: unexpected argument; ports are given as --port SPEC",
			    argv[optind]);
	else
		check_together(opts);
	return usage_wrong() ? -1 : 0;
}

int options_parse(struct options *opts, int argc, char **argv)
{
	*opts = (struct options){
		.engine = engines[0],
		.burst = 32,
		.cache = 128,
		.ring = 1024,
		.page_size = 4096,
		.headroom = HEADROOM_AUTO,
		.node = PP_NODE_ANY,
		.period = 1,
	};
	usage_begin();
	if (parse_all(opts, argc, argv))
		return usage_wrong() ? 2 : 0;
	if (opts->json && !json_available) {
		complain("--json %s: built without json-c; install libjson-c-dev and build again",
			 opts->json);
		return 1;
	}
	if (!opts->ncores)
		default_core(opts);
	if (opts->node_local)
		opts->node = pp_node_of_cpu(opts->cores[0]);
	opts->command = join(argc, argv);
	return -1;
}
