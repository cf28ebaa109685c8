/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.c - the line on a terminal: rate, drops, cache hits
 */
#include <inttypes.h>

#include "common/clock.h"
#include "ppfwd.h"

static uint64_t count_drops(struct fwd *fwd)
{
	struct pp_netdev_stats stats = { .sz = sizeof(stats) };
	uint64_t drops = 0;
	unsigned int i;

	for (i = 0; i < fwd->nports; i++) {
		if (!pp_netdev_get_stats(fwd->ports[i], &stats))
			drops += stats.rx_dropped + stats.tx_dropped;
	}
	for (i = 0; i < fwd->ndirs; i++)
		drops += counter_read(&fwd->dirs[i].unsent);
	return drops;
}

/* of the pages that pools handed out, the share that was in their caches, in percent */
static double cache_hits(struct fwd *fwd)
{
	struct page_pool_stats stats = { .sz = sizeof(stats) };
	uint64_t fast = 0, all = 0;
	unsigned int i, q;

	for (i = 0; i < fwd->nports; i++) {
		for (q = 0; q < pp_netdev_queues(fwd->ports[i]); q++) {
			if (page_pool_get_stats(pp_netdev_queue(fwd->ports[i], q)->pool, &stats))
				continue;
			fast += stats.alloc_fast;
			all += stats.alloc_fast + stats.alloc_refill + stats.alloc_slow;
		}
	}
	return all ? 100.0 * (double)fast / (double)all : 0;
}

void live_update(struct live *live, struct fwd *fwd)
{
	uint64_t packets = 0, ns = now_ns();
	double seconds = (double)(ns - live->ns) / 1e9;
	unsigned int i;

	for (i = 0; i < fwd->ndirs; i++)
		packets += counter_read(&fwd->dirs[i].packets);
	fprintf(stderr,
		"\r%7.1f s %11.6f Mpps %14" PRIu64 " packets %10" PRIu64
		" dropped  cache %5.1f %% ",
		(double)(ns - fwd->start_ns) / 1e9,
		(double)(packets - live->packets) / seconds / 1e6, packets, count_drops(fwd),
		cache_hits(fwd));
	live->packets = packets;
	live->ns = ns;
	live->shown = true;
}

void live_end(struct live *live)
{
	if (live->shown)
		fputc('\n', stderr);
}
