/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the command line */
#include <stdlib.h>
#include <string.h>

#include <pagepool/netdev.h>

#include "common/error.h"
#include "common/options.h"
#include "engines/engine.h"
#include "ppfwd.h"

#define HEADROOM_AUTO UINT32_MAX
#define SECONDS_MAX   1e8
#define OPTIONS	      struct options

const char program_name[] = "ppfwd";

static const struct option_row rows[] = {
	{ "port", .letter = 'p', .arg = "SPEC", SET(add_port),
	  .help = "null[:size=64,copy=0|1]\n"
		  "loop:NAME[,peer=NAME]\n"
		  "pcap:rx=FILE[,tx=FILE][,loop=N][,snaplen=N][,only=N]\n"
		  "pcap:iface=IF[,filter=EXPR][,promisc=on|off]\n"
		  "af_xdp:IF[,queues=N][,queue=K][,mode=auto|native|skb]\n"
		  "  [,promisc=on|off][,offloads=keep|fix]...\n"
		  "dpdk:DEVARGS[,queues=N]" },
	{ "engine", .letter = 'e', .also = "forward-mode", .arg = "NAME", SET(parse_engine),
	  .help = "what to do with packets (io)", .more = engines_help },
	{ "cores", .letter = 'l', .arg = "LIST", SET(parse_cores),
	  .help = "CPUs of the workers, as 0,2-3 (default: the first allowed)" },
	{ "idle", .arg = "HOW", SET(parse_idle),
	  .help = "without packets: poll, or wait: sleep until one comes (poll)" },
	{ "duration", .letter = 't', .arg = "S", SECONDS(duration, 0.001, SECONDS_MAX),
	  .help = "stop after S seconds" },
	{ "packets", .letter = 'n', .arg = "N", U64(packets, 1, UINT64_MAX - 1),
	  .help = "stop after N packets" },
	{ "stats-period", .letter = 's', .arg = "S", SECONDS(period, 0, SECONDS_MAX),
	  .help = "seconds between lines of rates, 0: none (1, on a terminal only)" },
	{ "size", .also = "txpkts", .arg = "SIZE", SET(parse_size),
	  .help = "bytes of packets made: N, MIN-MAX, or imix (64)" },
	{ "flows", .also = "flowgen-flows", .arg = "N", U32(traffic.flows, 1, TRAFFIC_FLOWS_MAX),
	  .help = "flows of packets made (1024 with flowgen, else 1)" },
	{ "seed", .arg = "N", U64(traffic.seed, 1, UINT64_MAX - 1),
	  .help = "draw flows and sizes at random (in turn)" },
	{ "vlan", .arg = "ID", U32(traffic.vlan, 0, 4094), .help = "tag of packets made (none)" },
	{ "eth-peer", .arg = "N,MAC", SET(parse_peer),
	  .help = "destination address of what port N sends, where it is set" },
	{ "rate", .arg = "RATE", SET(parse_rate),
	  .help = "packets a second that each queue makes, as 2.5M, or bits, as 1Gbit" },
	{ "tx-first", BOOL(traffic.first), .help = "send a burst in each direction at the start" },
	{ "latency", .arg = "N", U32(traffic.mark, 1, 1000000000),
	  .help = "put the time into each N-th packet made, and time those received" },
	{ "noisy-tx-sw-buffer-size", .arg = "N", U32(noise.buffer, 0, 65536),
	  .help = "noisy: packets that each direction keeps (0)" },
	{ "noisy-tx-sw-buffer-flushtime", .arg = "MS", U32(noise.flush_ms, 0, 3600000),
	  .help = "noisy: send what is kept after so long without packets, 0: never (0)" },
	{ "noisy-lkup-memory", .arg = "MIB", U32(noise.mebibytes, 1, 65536),
	  .help = "noisy: memory that each direction reads and writes (1)" },
	{ "noisy-lkup-num-reads", .arg = "N", U32(noise.reads, 0, 1000000),
	  .help = "noisy: words read for each packet (0)" },
	{ "noisy-lkup-num-writes", .arg = "N", U32(noise.writes, 0, 1000000),
	  .help = "noisy: words written for each packet (0)" },
	{ "noisy-lkup-num-reads-writes", .arg = "N", U32(noise.both, 0, 1000000),
	  .help = "noisy: words read and written for each packet (0)" },
	{ "json", .letter = 'j', .arg = "FILE", ANY(json),
	  .help = "write the report as JSON, - is standard output" },
	{ "control", .arg = "SOCKET", TEXT(control),
	  .help = "let ppstat(1) in; auto: where ppstat PID looks" },
	{ "eal", .arg = "ARGS", ANY(eal),
	  .help = "options of DPDK's EAL for dpdk ports (the least that works)" },
	{ "burst", .letter = 'b', .arg = "N", U32(burst, 1, PP_BURST_MAX),
	  .help = "packets taken at once, 1 to 512 (32)" },
	{ "refill", .arg = "N", U32(refill, 1, PP_BULK_MAX),
	  .help = "pages a pool takes at once (64, or half the cache)" },
	{ "cache", .also = "mbcache", .arg = "N", U32(cache, 1, 4096),
	  .help = "pages in a pool's cache (128)" },
	{ "ring", .arg = "N", U32(ring, 2, 16384),
	  .help = "pages in a pool's ring, a power of two (1024)" },
	{ "pages", .also = "total-num-mbufs", .arg = "N", U64(pages, 1, UINT32_MAX),
	  .help = "pages altogether (default: enough for the ports)" },
	{ "page-size", .also = "mbuf-size", .arg = "N", U32(page_size, 2048, 65536),
	  .help = "bytes of a page, a power of two, 2048 to 65536 (4096)" },
	{ "order", .arg = "N", U32(order, 0, 9),
	  .help = "each buffer is 2^N pages beside each other, 0 to 9 (0)" },
	{ "headroom", .arg = "N", U32(headroom, 0, 65535),
	  .help = "bytes left free before each packet (128; 320 beside dpdk:net_af_xdp)" },
	{ "memory", .arg = "KIND", SET(parse_memory),
	  .help = "anon, hugetlb, hugetlb,fallback or memfd (anon)" },
	{ "accept", .arg = "WHEN", SET(parse_accept),
	  .help = "eager, lazy (on demand), or thread (ahead of need) (eager)" },
	{ "lock", BITS(zone_flags, PP_ZONE_LOCK), .help = "lock the memory (mlock)" },
	{ "idle-ms", .arg = "N", U32(idle_ms, 1, 86400000),
	  .help = "give memory back that was not needed for N ms" },
	{ "memory-hz", .arg = "N", U32(memory_hz, 1, 1000),
	  .help = "isolate, take ranges, offline, shrink, in turns, N times a second" },
	{ "node", .arg = "N", SET(parse_node),
	  .help = "NUMA node of the memory, local: the first worker's, or\n"
		  "set: a zone on each, of which workers take their own (any)" },
	{ "batch", .arg = "N", U32(batch, 1, PP_BULK_MAX),
	  .help = "pages moved between a core's cache and the zone at once (auto)" },
	{ "high", .arg = "N", U32(high, 1, 65536), .help = "most pages in a core's cache (auto)" },
	{ "drain-hz", .arg = "N", U32(drain_hz, 1, 1000000),
	  .help = "drain all cores' caches N times a second" },
	{ "trace", BOOL(trace), .help = "record how long the cores' caches are closed" },
	{ "policy", .arg = "NAME", SET(parse_policy),
	  .help = "how the cores' caches are shared (trylock), one of", .more = policies_help },
	{ .name = NULL },
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) <= OPTIONS_MAX + 1, "see OPTIONS_MAX");

static void print_usage(FILE *out)
{
	fputs("usage: ppfwd --port SPEC [--port SPEC ...] [OPTION ...]\n"
	      "Forward packets between ports: 0 and 1, 2 and 3, ...; a single port to itself.\n"
	      "\n",
	      out);
}

static bool has_port(const struct options *opts, const char *spec)
{
	unsigned int i;

	for (i = 0; i < opts->nports; i++)
		if (!strncmp(opts->ports[i], spec, strlen(spec)))
			return true;
	return false;
}

/* defaults that depend on other options */
static void set_defaults(struct options *opts)
{
	/* with room for an mbuf in front, this device sends other ports' packets without a copy */
	if (opts->headroom == HEADROOM_AUTO)
		opts->headroom = has_port(opts, "dpdk:net_af_xdp") ? 320 : 128;
	if (!opts->refill)
		opts->refill = opts->cache < 2 ? 1 : opts->cache < 128 ? opts->cache / 2 : 64;
}

static void check_pages(const struct options *opts)
{
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
	if (opts->headroom > opts->page_size - 64)
		usage_error("--headroom %u: leaves no room for packets; give at most %u",
			    opts->headroom, opts->page_size - 64);
	if (opts->traffic.size_max > (opts->page_size << opts->order) - opts->headroom)
		usage_error("--size: %u bytes do not fit a page behind --headroom %u; take a "
			    "larger --page-size or --order",
			    opts->traffic.size_max, opts->headroom);
	if (opts->high && opts->batch > opts->high)
		usage_error("--batch %u: more than --high %u; give at most that", opts->batch,
			    opts->high);
}

static void check_together(const struct options *opts)
{
	if (opts->eal && !has_port(opts, "dpdk:"))
		usage_error("--eal: no port is DPDK's; leave it out, or give --port dpdk:DEVARGS");
	if (opts->node_set && opts->trace)
		usage_error("--trace: tells of one zone; leave out --node set");
	if (opts->order && opts->node_set)
		usage_error("--order: takes runs of one zone; leave out --node set");
	if (opts->idle_wait && opts->engine->generate)
		usage_error("--idle wait: --engine %s makes packets all the time; take one that "
			    "forwards, or --idle poll",
			    opts->engine->name);
	if (!opts->nports)
		usage_error("no port: nothing to forward; give --port SPEC, see ppfwd --help");
	check_pages(opts);
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
			opts->ring + opts->cache + 2 * opts->burst + opts->noise.buffer;
		pages += queue * spec_parse_number(opts->ports[i], "queues", 1);
	}
	return (pages ? pages : 1) << opts->order;
}

int options_parse(struct options *opts, int argc, char **argv)
{
	struct option_use use = { .rows = rows, .usage = print_usage };
	int err;

	*opts = (struct options){
		.engine = engines[0],
		.burst = 32,
		.cache = 128,
		.ring = 1024,
		.page_size = 4096,
		.headroom = HEADROOM_AUTO,
		.node = PP_NODE_ANY,
		.period = 1,
		.traffic = { .size_min = 64, .size_max = 64, .vlan = VLAN_NONE },
		.noise = { .mebibytes = 1 },
	};
	err = options_read(&use, opts, argc, argv);
	if (err >= 0)
		return err;
	if (use.operand < argc)
		usage_error("%s: unexpected argument; ports are given as --port SPEC",
			    argv[use.operand]);
	opts->period_set = options_given(&use, "stats-period");
	set_defaults(opts);
	check_together(opts);
	if (usage_wrong())
		return 2;
	if (!opts->ncores)
		default_core(opts);
	if (opts->node_local)
		opts->node = pp_node_of_cpu(opts->cores[0]);
	opts->command = options_join(argc, argv);
	return -1;
}
