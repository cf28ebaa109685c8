/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - collect the counters of a run while its ports and zones are closed */
#include <errno.h>
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
		if (fwd->dirs[i].in_port == port)
			bursts_sum(&r->rx, &fwd->dirs[i].rx);
		if (fwd->dirs[i].out_port != port)
			continue;
		bursts_sum(&r->tx, &fwd->dirs[i].tx);
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
		if (fwd->dirs[i].latency)
			latency_sum(&rep->latency, fwd->dirs[i].latency);
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
	struct pp_audit a = { .sz = sizeof(a) };
	uint64_t drains, drained_pages;
	int err;

	stats->sz = sizeof(*stats);
	pp_zone_get_stats(zone, stats);
	drains = stats->drains;
	drained_pages = stats->drained_pages;
	pp_zone_drain_all(zone, PPFWD_DRAIN_WAIT_US);
	pp_zone_get_stats(zone, stats);
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
