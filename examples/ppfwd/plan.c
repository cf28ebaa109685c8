/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.c - pair the ports' queues, and deal the pairs to workers */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "engines/engine.h"
#include "ppfwd.h"

static unsigned int peer_of(const struct fwd *fwd, unsigned int port)
{
	unsigned int peer = port ^ 1;

	return fwd->opts->engine->paired && peer < fwd->nports ? peer : port;
}

/* queues that both ports of a pair have */
static unsigned int units_of(const struct fwd *fwd, unsigned int port)
{
	unsigned int here = pp_netdev_queues(fwd->ports[port]);
	unsigned int there = pp_netdev_queues(fwd->ports[peer_of(fwd, port)]);

	return here < there ? here : there;
}

static void dir_init(struct fwd *fwd, struct dir *d, unsigned int from, unsigned int u)
{
	unsigned int to = peer_of(fwd, from);

	memset(d, 0, sizeof(*d));
	d->engine = fwd->opts->engine;
	d->in = pp_netdev_queue(fwd->ports[from], u);
	d->out = pp_netdev_queue(fwd->ports[to], u);
	d->in_port = from;
	d->out_port = to;
	memcpy(d->src, pp_netdev_mac(fwd->ports[to]), 6);
	d->dst[0] = 2;
	d->dst[5] = (unsigned char)to;
	d->traffic = &fwd->opts->traffic;
	d->noise = &fwd->opts->noise;
	if (d->traffic->has_peer[to])
		memcpy(d->dst, d->traffic->peers[to], 6);
	traffic_init(d);
}

static int dir_start(struct dir *d)
{
	if (d->traffic->mark) {
		d->latency = calloc(1, sizeof(*d->latency));
		if (!d->latency)
			return -1;
	}
	return d->engine->start ? d->engine->start(d) : 0;
}

/* also of a direction that has not started */
static void dir_end(struct dir *d)
{
	if (d->engine && d->engine->end)
		d->engine->end(d);
	free(d->latency);
}

static void *zalloc_lines(size_t n, size_t size)
{
	void *mem = aligned_alloc(128, n * size); /* both structs are padded to 128 */

	return mem ? memset(mem, 0, n * size) : NULL;
}

/* a unit is a pair's queues of one number: both directions, one worker */
static void deal_units(struct fwd *fwd)
{
	unsigned int port, u, turn = 0;
	struct dir *d = fwd->dirs;
	struct worker *w;

	for (port = 0; port < fwd->nports; port++) {
		if (peer_of(fwd, port) < port)
			continue;
		for (u = 0; u < units_of(fwd, port); u++) {
			w = &fwd->workers[turn++ % fwd->nworkers];
			dir_init(fwd, d, port, u);
			w->dirs[w->ndirs++] = d++;
			if (peer_of(fwd, port) == port)
				continue;
			dir_init(fwd, d, port + 1, u);
			w->dirs[w->ndirs++] = d++;
		}
	}
}

static void warn_unused(const struct fwd *fwd, unsigned int units)
{
	unsigned int port, queues;

	for (port = 0; port < fwd->nports; port++) {
		queues = pp_netdev_queues(fwd->ports[port]);
		if (queues > units_of(fwd, port))
			complain("--port %s: %u of its %u queues have no partner and are not "
				 "served; give both ports of a pair as many",
				 fwd->opts->ports[port], queues - units_of(fwd, port), queues);
	}
	if (fwd->opts->ncores > units)
		complain("--cores: %u CPUs for %u pairs of queues; the last %u stay unused",
			 fwd->opts->ncores, units, fwd->opts->ncores - units);
}

/* packets of several pages: only between ports, and by engines, that look at their heads alone */
static int check_chains(const struct fwd *fwd)
{
	const struct engine *engine = fwd->opts->engine;
	unsigned int port;

	for (port = 0; port < fwd->nports; port++) {
		if (!pp_netdev_chains(fwd->ports[port]))
			continue;
		if (!pp_netdev_chains(fwd->ports[peer_of(fwd, port)])) {
			complain("port %s: takes packets of one page only, and its peer has sg=on; "
				 "give both sg=on",
				 fwd->opts->ports[peer_of(fwd, port)]);
			return -EINVAL;
		}
		if (!engine->chains) {
			complain("port %s: sg=on does not go with --engine %s, which reads packets "
				 "of one page; take io, mac or macswap",
				 fwd->opts->ports[port], engine->name);
			return -EINVAL;
		}
	}
	return 0;
}

static int start_all(struct fwd *fwd)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < fwd->ndirs && !err; i++)
		err = dir_start(&fwd->dirs[i]);
	for (i = 0; fwd->opts->idle_wait && i < fwd->nworkers && !err; i++)
		err = idle_create(&fwd->workers[i]);
	return err;
}

static int check_idle(struct fwd *fwd)
{
	unsigned int i;
	int err = 0;

	for (i = 0; fwd->opts->idle_wait && i < fwd->nworkers && !err; i++)
		err = idle_check(&fwd->workers[i]);
	return err;
}

int workers_create(struct fwd *fwd)
{
	unsigned int port, i, units = 0;

	if (check_chains(fwd))
		return -EINVAL;

	for (port = 0; port < fwd->nports; port++) {
		fwd->ndirs += units_of(fwd, port);
		units += peer_of(fwd, port) < port ? 0 : units_of(fwd, port);
	}
	warn_unused(fwd, units);
	fwd->nworkers = fwd->opts->ncores < units ? fwd->opts->ncores : units;
	fwd->dirs = zalloc_lines(fwd->ndirs, sizeof(*fwd->dirs));
	fwd->workers = zalloc_lines(fwd->nworkers, sizeof(*fwd->workers));
	if (!fwd->dirs || !fwd->workers)
		goto no_memory;
	for (i = 0; i < fwd->nworkers; i++) {
		fwd->workers[i].fwd = fwd;
		fwd->workers[i].core = fwd->opts->cores[i];
		fwd->workers[i].dirs = calloc(fwd->ndirs, sizeof(struct dir *));
		if (!fwd->workers[i].dirs)
			goto no_memory;
	}
	deal_units(fwd);
	if (start_all(fwd))
		goto no_memory;
	if (check_idle(fwd)) {
		workers_free(fwd);
		return -ENOTSUP;
	}
	return 0;

no_memory:
	complain("workers: not enough memory; end other programs");
	workers_free(fwd);
	return -ENOMEM;
}

void workers_free(struct fwd *fwd)
{
	unsigned int i;

	for (i = 0; fwd->workers && i < fwd->nworkers; i++) {
		free(fwd->workers[i].dirs);
		free(fwd->workers[i].fds);
	}
	for (i = 0; fwd->dirs && i < fwd->ndirs; i++)
		dir_end(&fwd->dirs[i]);
	free(fwd->workers);
	free(fwd->dirs);
	fwd->workers = NULL;
	fwd->dirs = NULL;
}
