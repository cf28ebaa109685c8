/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ppfwd.h - types and functions that the files of ppfwd share
 *
 * A direction carries packets from one queue to another through the engine; a
 * worker is a pinned thread that runs some directions in turn. All directions
 * of a queue belong to one worker, so nothing in the loop is shared.
 */
#ifndef PPFWD_H
#define PPFWD_H

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pagepool/control.h>
#include <pagepool/memory.h>
#include <pagepool/netdev.h>
#include <pagepool/zone_set.h>

#include "dir.h"

#define PPFWD_PORTS_MAX	    64u
#define PPFWD_CORES_MAX	    CPU_SETSIZE
#define PPFWD_DRIVER_PAGES  8192u /* rings below a queue: fill 4096, RX 2048, TX 2048 */
#define PPFWD_DRAIN_WAIT_US 100000u

/**
 * struct options - the command line
 * @command:  all of it, for reports; allocated
 * @cores:    CPUs of the workers
 * @pages:    pages of the zone; 0: enough for the ports, see default_pages()
 * @drain_hz: drains of all cores a second by a thread of their own; 0: none
 * @memory_hz: operations on the zone's memory a second by a thread of their own; 0: none
 * @zone_flags: PP_ZONE_LAZY, PP_ZONE_ACCEPT_THREAD, PP_ZONE_LOCK
 * @idle_wait: workers without packets sleep
 * @duration: seconds; 0: no limit
 * @packets:  packets; 0: no limit
 * @period:   seconds between updates of the live line; 0: none
 * @period_set: it was given: lines are written also where stderr is no terminal
 * @json:     file for the report, "-": stdout; NULL: none
 * @control:  socket for ppstat, "auto": the library's choice; NULL: none
 * @eal:      options of DPDK's EAL; NULL: the driver's default
 * @traffic:  packets that generators make
 * @noise:    of the engine noisy
 * The others are passed on: see struct pp_zone_params and pp_netdev_params.
 */
struct options {
	char *command;
	const char *ports[PPFWD_PORTS_MAX];
	unsigned int nports;
	const struct engine *engine;
	unsigned int cores[PPFWD_CORES_MAX];
	unsigned int ncores;
	uint32_t burst;
	uint32_t refill;
	uint32_t cache;
	uint32_t ring;
	uint64_t pages;
	uint32_t page_size;
	uint32_t order;
	uint32_t headroom;
	enum pp_mem mem;
	bool huge_fallback;
	int node;
	bool node_local; /* that of the first worker */
	bool node_set; /* a zone on each */
	const char *policy;
	uint32_t batch;
	uint32_t high;
	uint32_t drain_hz;
	uint32_t memory_hz;
	uint32_t idle_ms;
	uint32_t zone_flags;
	bool trace;
	bool idle_wait;
	double duration;
	uint64_t packets;
	double period;
	bool period_set;
	const char *json;
	const char *control;
	const char *eal;
	struct traffic traffic;
	struct noise noise;
};

/**
 * struct worker - a thread and its directions
 * @fds:         of the queues that it receives from, and the stop; with --idle wait only
 * @nap_ms:      longest sleep, unless a packet comes
 * @empty_rounds: rounds since the last packet
 * @sleeps:      times that it slept
 * @cycles:      cycles of its loop
 * @busy_cycles: cycles of the rounds that moved packets
 * @error:       pp_error() of this thread at its end; "": there was no error
 */
struct worker {
	struct fwd *fwd;
	pthread_t thread;
	unsigned int core;
	unsigned int ndirs;
	struct dir **dirs;
	struct pollfd *fds;
	int nap_ms;
	unsigned int empty_rounds;
	uint64_t sleeps;
	uint64_t cycles;
	uint64_t busy_cycles;
	char error[512];
} __attribute__((aligned(128)));

/**
 * struct memory_work - work of the thread of --memory-hz and --idle-ms
 * @isolated: ranges isolated, hard and not, and put back
 * @taken:    contiguous ranges taken, by enum pp_contig, and given back
 * @offlined: blocks emptied and given back to the system
 * @busy:     attempts that were refused, as they may be
 * @shrunk:   bytes given back to the system, by --memory-hz
 */
struct memory_work {
	uint64_t isolated;
	uint64_t taken[3];
	uint64_t offlined;
	uint64_t busy;
	uint64_t shrunk;
};

/**
 * struct fwd - a run of ppfwd
 * @opts:    the command line
 * @stop:    atomic: workers leave at the end of their round
 * @wake:    eventfd, readable for all threads once @stop is set, also by signal handlers
 * @set:     with --node set; NULL: there is one zone
 * @zone:    the first of
 * @zones:   one, or one a node
 * @control: ppstat's way in; NULL: closed
 * @left:    atomic: packets that no worker has reserved yet; with a limit only
 * @settled: atomic: packets forwarded; with a limit only
 */
struct fwd {
	const struct options *opts;
	struct pp_zone_set *set;
	struct pp_zone *zone;
	struct pp_zone *zones[PP_NODES_MAX];
	unsigned int nzones;
	struct pp_netdev *ports[PPFWD_PORTS_MAX];
	unsigned int nports;
	struct dir *dirs;
	unsigned int ndirs;
	struct worker *workers;
	unsigned int nworkers;
	unsigned int nstarted;
	pthread_t drainer;
	bool draining;
	pthread_t keeper;
	bool keeping;
	struct memory_work memory;
	struct pp_control *control;
	int stop;
	int wake;
	uint64_t start_ns;
	double duration_s;
	uint64_t left __attribute__((aligned(128)));
	uint64_t settled;
};

/* options.c: -1: go on; else the exit status: 0 for --help and --version, 2 for bad usage */
int options_parse(struct options *opts, int argc, char **argv);
uint64_t default_pages(const struct options *opts);

/* values.c: options with words and lists as values; @data is the struct options */
void add_port(void *data, const char *name, const char *text);
void parse_engine(void *data, const char *name, const char *text);
void parse_memory(void *data, const char *name, const char *text);
void parse_accept(void *data, const char *name, const char *text);
void parse_node(void *data, const char *name, const char *text);
void parse_policy(void *data, const char *name, const char *text);
void parse_cores(void *data, const char *name, const char *text);
void parse_idle(void *data, const char *name, const char *text);
void parse_size(void *data, const char *name, const char *text);
void parse_rate(void *data, const char *name, const char *text);
void parse_peer(void *data, const char *name, const char *text);
void engines_help(FILE *out);
void policies_help(FILE *out);
void default_core(struct options *opts);

/* plan.c: workers_create() deals the queues of fwd->ports to workers */
int workers_create(struct fwd *fwd);
void workers_free(struct fwd *fwd);

/* worker.c */
int workers_start(struct fwd *fwd);
void workers_join(struct fwd *fwd);
void fwd_stop(struct fwd *fwd); /* safe in signal handlers */

/* idle.c */
int idle_create(struct worker *w);
int idle_check(struct worker *w);
void idle_round(struct worker *w, bool moved, bool waits);

/* memory.c */
int keeper_start(struct fwd *fwd);
void keeper_join(struct fwd *fwd);

/**
 * struct port_report - a port after the run; @stats.tx_dropped includes packets it refused
 */
struct port_report {
	const char *name;
	char *driver;
	char *info;
	struct pp_netdev_stats stats;
	struct bursts rx;
	struct bursts tx;
};

struct pool_report {
	char *name;
	struct page_pool_stats stats;
};

/**
 * struct report - the content of table and JSON
 * @zone_stats: of each zone: places of pages after the run; the caches' counters of the run
 * @audit:      of all zones
 * @mem:        kind of memory that the zone got
 * @traced:     @windows is valid
 */
struct report {
	const struct fwd *fwd;
	struct port_report ports[PPFWD_PORTS_MAX];
	struct pool_report *pools;
	unsigned int npools;
	struct pp_zone_stats zone_stats[PP_NODES_MAX];
	enum pp_mem mem;
	char policy[32];
	bool traced;
	struct pp_window_stats windows;
	struct pp_audit audit;
	uint64_t packets;
	uint64_t bad_ip;
	uint64_t bad_l4;
	struct latency latency;
	double mpps;
	double cycles_per_packet;
};

extern const char *const mem_names[]; /* by enum pp_mem */

/* report.c */
int report_ports(struct report *rep, struct fwd *fwd); /* stops the ports */
int report_zone(struct report *rep, struct fwd *fwd); /* after close */
void report_free(struct report *rep);

/* table.c */
void report_table(const struct report *rep, FILE *out);

/**
 * struct live - the line while it runs
 * @packets: all, at the last update
 * @ns:      time of the last update
 * @len:     columns of the line on the terminal, where the cursor stands; 0: there is none
 */
struct live {
	uint64_t packets;
	uint64_t ns;
	unsigned int len;
};

/* live.c */
void live_update(struct live *live, struct fwd *fwd);
void live_end(struct live *live);

/* json.c: 0 or -errno */
int json_write(const struct report *rep, FILE *out);

#endif /* PPFWD_H */
