/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - xdp_app: a UDP responder on AF_XDP, until Ctrl-C */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "common/clock.h"

#define PAGES_A_QUEUE 2048u
#define FRAME_EXTRA   (256 + 18) /* kernel's headroom; Ethernet header and a VLAN tag */
#define TICK_MS	      200

/* Signals are for the main thread, which asks for them; the others inherit the mask. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static int open_zone(struct app *app)
{
	const struct options *o = &app->options;
	struct pp_zone_params params = {
		.sz = sizeof(params),
		.name = "xdp_app",
		.pages = o->pages ? o->pages : app->nqueues * PAGES_A_QUEUE + o->slow_max,
		.page_size = o->page_size,
		.mem = o->memory,
	};

	if (app->iface.mtu + FRAME_EXTRA > o->page_size)
		return fail("%s has MTU %u, and a page of %u bytes holds packets for %u; %sset the "
			    "MTU: ip link set dev %s mtu %u",
			    app->iface.name, app->iface.mtu, o->page_size,
			    o->page_size - FRAME_EXTRA,
			    o->page_size < 4096 ? "take --page-size 4096 or " : "", app->iface.name,
			    o->page_size - FRAME_EXTRA);
	if (params.pages < 4 * app->nqueues)
		return fail("--pages %u: too few for %u queues of %s; take %u or more", o->pages,
			    app->nqueues, app->iface.name, PAGES_A_QUEUE * app->nqueues);
	app->zone = pp_zone_create(&params);
	return app->zone ? 0 : fail("packet memory: %s", pp_error());
}

static int count_queues(struct app *app)
{
	unsigned int wanted = app->options.queues;

	if (wanted > app->iface.queues)
		return fail("--queues %u: %s has %u; ethtool -l %s shows them", wanted,
			    app->iface.name, app->iface.queues, app->iface.name);
	app->nqueues = wanted ? wanted : app->iface.queues;
	if (app->nqueues > XDP_APP_QUEUES)
		app->nqueues = XDP_APP_QUEUES;
	app->queues = aligned_alloc(_Alignof(struct queue), app->nqueues * sizeof(struct queue));
	if (!app->queues)
		return fail("no memory for %u queues: %s", app->nqueues, strerror(errno));
	memset(app->queues, 0, app->nqueues * sizeof(struct queue));
	return 0;
}

/* Sockets come before the program, and the program before it knows them: no packet is lost. */
static int app_open(struct app *app)
{
	unsigned int i;

	if (iface_query(&app->iface, app->options.interface) || count_queues(app) || open_zone(app))
		return -1;
	if (slow_open(&app->slow, &app->iface, &app->options))
		return -1;
	for (i = 0; i < app->nqueues; i++)
		if (queue_open(app->queues + i, app, i))
			return -1;
	if (prog_attach(&app->prog, &app->iface, &app->options) || slow_start(&app->slow))
		return -1;
	for (i = 0; i < app->nqueues; i++)
		if (queue_start(app->queues + i) ||
		    prog_add_socket(&app->prog, i, app->queues[i].fd))
			return -1;
	return 0;
}

/*
 * The program goes first, so that packets go to the kernel again. Then the threads end, last the
 * slow one, which sends the packets it keeps, and then the sockets. Every page must be home then.
 */
static int app_close(struct app *app)
{
	unsigned int i;
	int err = 0;

	prog_detach(&app->prog);
	__atomic_store_n(&app->stop, true, __ATOMIC_RELAXED);
	for (i = 0; app->queues && i < app->nqueues; i++)
		queue_join(app->queues + i);
	slow_join(&app->slow);
	for (i = 0; app->queues && i < app->nqueues; i++)
		queue_close(app->queues + i);
	slow_close(&app->slow);
	if (!app->zone)
		return 0;
	app->audit.sz = sizeof(app->audit);
	if (pp_zone_audit(app->zone, &app->audit))
		err = fail("cannot count the pages: %s", pp_error());
	else if (app->audit.leaked || app->audit.double_free)
		err = fail("%llu pages leaked and %llu were freed twice: this is a bug",
			   (unsigned long long)app->audit.leaked,
			   (unsigned long long)app->audit.double_free);
	return err;
}

static void queues_free(struct app *app)
{
	unsigned int i;

	for (i = 0; app->queues && i < app->nqueues; i++)
		pp_xsk_destroy(app->queues[i].xsk);
	free(app->queues);
}

/* until a signal, the end of the duration, or of the interface */
static int app_run(struct app *app, const sigset_t *set)
{
	const struct options *o = &app->options;
	struct timespec tick = { .tv_nsec = TICK_MS * 1000000 };
	double start = now_s(), next = start + o->stats_period;

	for (;;) {
		if (sigtimedwait(set, NULL, &tick) > 0)
			return 0;
		app->seconds = now_s() - start;
		if (o->duration && app->seconds >= o->duration)
			return 0;
		if (iface_is_gone(&app->iface))
			return fail("%s does not exist any more, so there is nothing left to do",
				    app->iface.name);
		if (o->stats_period && now_s() >= next) {
			report_line(app, app->seconds);
			next += o->stats_period;
		}
	}
}

int main(int argc, char **argv)
{
	static struct app app;
	sigset_t set;
	int err;

	err = options_parse(&app.options, argc, argv);
	if (err >= 0)
		return err;
	block_signals(&set);
	prog_init(&app.prog);
	app.slow.fd = -1;
	err = report_open(&app);
	if (!err)
		err = app_open(&app);
	if (!err) {
		report_ready(&app);
		err = app_run(&app, &set);
		err |= app_close(&app);
		report_summary(&app);
		err |= report_json(&app);
	} else {
		app_close(&app);
	}
	err |= pp_zone_destroy(app.zone);
	queues_free(&app);
	return err ? 1 : 0;
}
