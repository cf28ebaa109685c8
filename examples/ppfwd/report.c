/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.c - what the run did: collected while it is taken apart, then a table
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "engines/engine.h"
#include "ppfwd.h"

const char *const mem_names[] = {
	[PP_MEM_ANON] = "anon",
	[PP_MEM_HUGETLB] = "hugetlb",
	[PP_MEM_MEMFD] = "memfd",
	[PP_MEM_USER] = "user",
};

static int report_port(struct report *rep, struct fwd *fwd, unsigned int port)
{
	struct port_report *r = &rep->ports[port];
	struct pp_netdev *dev = fwd->ports[port];
	unsigned int i;

	r->stats.sz = sizeof(r->stats);
	pp_netdev_get_stats(dev, &r->stats);
	for (i = 0; i < fwd->ndirs; i++) {
		if (fwd->dirs[i].out_port == port)
			r->stats.tx_dropped += fwd->dirs[i].unsent;
	}
	r->name = fwd->opts->ports[port];
	r->driver = strdup(pp_netdev_driver(dev));
	r->info = strdup(pp_netdev_info(dev));
	return r->driver && r->info ? 0 : -ENOMEM;
}

static int report_pools(struct report *rep, struct pp_netdev *dev)
{
	struct page_pool *pool;
	struct pool_report *r;
	unsigned int q;

	for (q = 0; q < pp_netdev_queues(dev); q++) {
		pool = pp_netdev_queue(dev, q)->pool;
		r = realloc(rep->pools, (rep->npools + 1) * sizeof(*r));
		if (!r)
			return -ENOMEM;
		rep->pools = r;
		r = &rep->pools[rep->npools];
		r->stats.sz = sizeof(r->stats);
		page_pool_get_stats(pool, &r->stats);
		r->name = strdup(page_pool_name(pool));
		if (!r->name)
			return -ENOMEM;
		rep->npools++;
	}
	return 0;
}

static void report_rates(struct report *rep, const struct fwd *fwd)
{
	uint64_t busy = 0;
	unsigned int i;

	for (i = 0; i < fwd->ndirs; i++) {
		rep->packets += fwd->dirs[i].packets;
		rep->bad_ip += fwd->dirs[i].bad_ip;
		rep->bad_l4 += fwd->dirs[i].bad_l4;
	}
	for (i = 0; i < fwd->nworkers; i++)
		busy += fwd->workers[i].busy_cycles;
	rep->mpps = (double)rep->packets / fwd->duration_s / 1e6;
	rep->cycles_per_packet = rep->packets ? (double)busy / (double)rep->packets : 0;
}

int report_ports(struct report *rep, struct fwd *fwd)
{
	unsigned int i;
	int err = 0;

	rep->fwd = fwd;
	for (i = 0; i < fwd->nports; i++)
		pp_netdev_stop(fwd->ports[i]);
	for (i = 0; i < fwd->nports && !err; i++) {
		err = report_port(rep, fwd, i);
		if (!err)
			err = report_pools(rep, fwd->ports[i]);
	}
	if (err)
		complain("report: not enough memory; end other programs");
	report_rates(rep, fwd);
	rep->mem = pp_zone_mem(fwd->zone);
	snprintf(rep->policy, sizeof(rep->policy), "%s", pp_zone_policy(fwd->zone));
	rep->windows.sz = sizeof(rep->windows);
	rep->traced = fwd->opts->trace && !pp_zone_windows(fwd->zone, &rep->windows);
	return err;
}

static int report_one_zone(struct report *rep, struct pp_zone *zone, struct pp_zone_stats *stats)
{
	struct pp_zone_audit a = { .sz = sizeof(a) };
	uint64_t drains, drained_pages;
	int err;

	stats->sz = sizeof(*stats);
	pp_zone_stats(zone, stats);
	drains = stats->drains;
	drained_pages = stats->drained_pages;
	pp_zone_drain_all(zone, PPFWD_DRAIN_WAIT_US);
	pp_zone_stats(zone, stats);
	/* the drain that brings all pages home is not the run's */
	stats->drains = drains;
	stats->drained_pages = drained_pages;
	err = pp_zone_audit(zone, &a);
	if (err)
		complain("ledger: %s; end other programs", strerror(-err));
	rep->audit.managed += a.managed;
	rep->audit.home += a.home;
	rep->audit.leaked += a.leaked;
	rep->audit.double_free += a.double_free;
	return err;
}

int report_zone(struct report *rep, struct fwd *fwd)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < fwd->nzones && !err; i++)
		err = report_one_zone(rep, fwd->zones[i], &rep->zone_stats[i]);
	return err;
}

static void table_ports(const struct report *rep, FILE *out)
{
	const struct pp_netdev_stats *s;
	unsigned int i;

	fprintf(out, "%4s %14s %14s %12s %12s %9s  %s\n", "port", "rx packets", "tx packets",
		"dropped", "no buffer", "errors", "name");
	for (i = 0; i < rep->fwd->opts->nports; i++) {
		s = &rep->ports[i].stats;
		fprintf(out,
			"%4u %14" PRIu64 " %14" PRIu64 " %12" PRIu64 " %12" PRIu64 " %9" PRIu64
			"  %s (%s)\n",
			i, s->rx_packets, s->tx_packets, s->rx_dropped + s->tx_dropped,
			s->rx_nombuf, s->errors, rep->ports[i].name, rep->ports[i].info);
	}
}

/* what the kernel below a port says, where it says anything */
static void table_kernel(const struct report *rep, FILE *out)
{
	const struct pp_netdev_stats *s;
	unsigned int i;

	for (i = 0; i < rep->fwd->opts->nports; i++) {
		s = &rep->ports[i].stats;
		if (!(s->rx_fill_empty | s->rx_ring_full | s->rx_invalid | s->rx_bad |
		      s->tx_invalid | s->tx_bad | s->link_downs))
			continue;
		fprintf(out,
			"port %u: fill ring empty %" PRIu64 ", RX ring full %" PRIu64
			", invalid buffers %" PRIu64 " rx %" PRIu64 " tx, answers not believed "
			"%" PRIu64 " rx %" PRIu64 " tx, link down %" PRIu64 "\n",
			i, s->rx_fill_empty, s->rx_ring_full, s->rx_invalid, s->tx_invalid,
			s->rx_bad, s->tx_bad, s->link_downs);
	}
}

/* of the packets that were sent with tx_tstamp=on, where the kernel told */
static void table_times(const struct report *rep, FILE *out)
{
	const struct pp_netdev_stats *s;
	unsigned int i;

	for (i = 0; i < rep->fwd->opts->nports; i++) {
		s = &rep->ports[i].stats;
		if (!s->tx_tstamps)
			continue;
		fprintf(out,
			"port %u: sending time of %" PRIu64 " packets: after %.1f us, the slowest "
			"%.1f us\n",
			i, s->tx_tstamps,
			(double)s->tx_latency_sum_ns / (double)s->tx_tstamps / 1000,
			(double)s->tx_latency_max_ns / 1000);
	}
}

static void table_pools(const struct report *rep, FILE *out)
{
	const struct page_pool_stats *s;
	unsigned int i;

	fprintf(out, "%14s %14s %14s %14s %14s  %s\n", "from cache", "ring refills", "zone refills",
		"to cache", "to ring", "pool");
	for (i = 0; i < rep->npools; i++) {
		s = &rep->pools[i].stats;
		fprintf(out,
			"%14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64
			"  %s\n",
			s->alloc_fast, s->alloc_refill, s->alloc_slow, s->recycle_cached,
			s->recycle_ring, rep->pools[i].name);
	}
}

void report_table(const struct report *rep, FILE *out)
{
	const struct pp_window_stats *w = &rep->windows;
	const struct memory_work *m = &rep->fwd->memory;

	table_ports(rep, out);
	table_kernel(rep, out);
	table_times(rep, out);
	table_pools(rep, out);
	if (rep->traced)
		fprintf(out,
			"windows: %" PRIu64 ", median %" PRIu64 ", 99 %% %" PRIu64
			", 99.9 %% %" PRIu64 ", longest %" PRIu64 " "
			"cycles, at most %" PRIu64 " pages\n",
			w->windows, w->median_cycles, w->p99_cycles, w->p999_cycles, w->max_cycles,
			w->max_pages);
	if (rep->traced && w->masks)
		fprintf(out,
			"signals blocked %" PRIu64 " times, %.0f cycles to block and unblock\n",
			w->masks, (double)w->mask_cycles / (double)w->masks);
	if (rep->bad_ip || rep->bad_l4)
		fprintf(out,
			"checksums: %" PRIu64 " IPv4 headers and %" PRIu64
			" TCP or UDP packets were wrong\n",
			rep->bad_ip, rep->bad_l4);
	fprintf(out, "%s: %" PRIu64 " packets in %.3f s, %.6f Mpps, %.1f cycles a packet\n",
		rep->fwd->opts->engine->name, rep->packets, rep->fwd->duration_s, rep->mpps,
		rep->cycles_per_packet);
	if (rep->fwd->opts->memory_hz)
		fprintf(out,
			"memory: %" PRIu64 " ranges isolated, %" PRIu64 " fast, %" PRIu64
			" normal, %" PRIu64 " hard contiguous ones taken, %" PRIu64
			" blocks offlined, %" PRIu64 " refused, %" PRIu64 " MiB given back\n",
			m->isolated, m->taken[0], m->taken[1], m->taken[2], m->offlined, m->busy,
			m->shrunk >> 20);
	fprintf(out,
		"ledger: %" PRIu64 " pages (%s), %" PRIu64 " leaked, %" PRIu64 " freed twice\n",
		rep->audit.managed, mem_names[rep->mem], rep->audit.leaked, rep->audit.double_free);
}

void report_free(struct report *rep)
{
	unsigned int i;

	for (i = 0; i < PPFWD_PORTS_MAX; i++) {
		free(rep->ports[i].driver);
		free(rep->ports[i].info);
	}
	for (i = 0; i < rep->npools; i++)
		free(rep->pools[i].name);
	free(rep->pools);
}
