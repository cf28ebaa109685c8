/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - the life of a run: opens zone and ports, runs workers, closes all again */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <pagepool/error.h>

#include "common/clock.h"
#include "common/error.h"
#include "engines/engine.h"
#include "ppfwd.h"

#define EVENTS_NS 100000000u /* between looks for events of the ports */

/* signal handlers have no argument */
static struct fwd fwd;

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	fwd_stop(&fwd);
	errno = saved;
}

/* a signal asks the workers to stop; more signals do no harm */
static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigemptyset(&stop.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL); /* a reader that left is an error like any other */
}

static int open_one(const struct pp_zone_params *params)
{
	fwd.zone = pp_zone_create(params);
	if (!fwd.zone)
		return -1;
	fwd.zones[fwd.nzones++] = fwd.zone;
	return 0;
}

static int open_set(const struct pp_zone_params *zone)
{
	struct pp_zone_set_params params = { .sz = sizeof(params), .zone = zone };
	int node;

	fwd.set = pp_zone_set_create(&params);
	if (!fwd.set)
		return -1;
	for (node = 0; node < PP_NODES_MAX; node++)
		if (pp_zone_set_zone(fwd.set, node))
			fwd.zones[fwd.nzones++] = pp_zone_set_zone(fwd.set, node);
	fwd.zone = fwd.zones[0];
	return 0;
}

static int open_zone(void)
{
	const struct options *opts = fwd.opts;
	struct pp_zone_params params = {
		.sz = sizeof(params),
		.name = "ppfwd",
		.pages = opts->pages ? opts->pages : default_pages(opts),
		.page_size = opts->page_size,
		.headroom = opts->headroom,
		.mem = opts->mem,
		.node = pp_node_param(opts->node),
		.policy = opts->policy,
		.batch = opts->batch,
		.high = opts->high,
	};

	if (opts->policy && strcmp(opts->policy, "auto") && pp_policy_check(opts->policy)) {
		complain("--policy %s: this machine can not: %s; take auto", opts->policy,
			 pp_error());
		return -1;
	}
	if (opts->huge_fallback)
		params.flags |= PP_ZONE_HUGE_FALLBACK;
	params.flags |= opts->zone_flags;
	params.idle_ms = opts->idle_ms;
	if (opts->trace)
		params.flags |= PP_ZONE_TRACE;
	if (!(opts->node_set ? open_set(&params) : open_one(&params)))
		return 0;
	complain("memory: %s", pp_error());
	return -1;
}

static void close_zones(void)
{
	if (fwd.set)
		pp_zone_set_destroy(fwd.set);
	else
		pp_zone_destroy(fwd.zone);
}

static void close_ports(void)
{
	while (fwd.nports)
		pp_netdev_close(fwd.ports[--fwd.nports]);
}

static int open_ports(void)
{
	const struct options *opts = fwd.opts;
	struct pp_netdev_params params = {
		.sz = sizeof(params),
		.zone = fwd.set ? NULL : fwd.zone,
		.set = fwd.set,
		.pool_size = opts->ring,
		.cache_size = opts->cache,
		.refill = opts->refill,
		.order = opts->order,
	};

	if (opts->eal && pp_netdev_dpdk_eal(opts->eal)) {
		complain("--eal: %s", pp_error());
		return -1;
	}
	for (; fwd.nports < opts->nports; fwd.nports++) {
		params.port = (uint16_t)fwd.nports;
		fwd.ports[fwd.nports] = pp_netdev_open(opts->ports[fwd.nports], &params);
		if (fwd.ports[fwd.nports])
			continue;
		complain("port %s: %s", opts->ports[fwd.nports], pp_error());
		close_ports();
		return -1;
	}
	return 0;
}

static int open_control(void)
{
	const char *name = fwd.opts->control;
	struct pp_control_params params = {
		.sz = sizeof(params),
		.path = strcmp(name, "auto") ? name : NULL,
	};

	fwd.control = pp_control_open(&params);
	if (fwd.control)
		return 0;
	complain("--control %s: %s", name, pp_error());
	return -1;
}

/* before the ports end and the pages are counted: ppstat must not drain then */
static void close_control(void)
{
	pp_control_close(fwd.control);
	fwd.control = NULL;
}

static void wait_until(uint64_t ns)
{
	struct pollfd wake = { .fd = fwd.wake, .events = POLLIN };
	uint64_t now = now_ns();
	struct timespec ts = ns_to_timespec(ns > now ? ns - now : 0);

	ppoll(&wake, 1, &ts, NULL);
}

/* prints events of interfaces; the other ports go on */
static void tell_events(struct live *live)
{
	const char *event;
	unsigned int i;

	for (i = 0; i < fwd.nports; i++) {
		event = pp_netdev_event(fwd.ports[i]);
		if (!event)
			continue;
		live_end(live);
		complain("port %s: %s", fwd.opts->ports[i], event);
	}
}

/* from start to the first reason to stop */
static void watch_run(void)
{
	const uint64_t forever = UINT64_MAX / 2;
	uint64_t period_ns = (uint64_t)(fwd.opts->period * 1e9);
	struct live live = { .ns = fwd.start_ns };
	uint64_t end, tick, next;

	end = fwd.opts->duration > 0 ? fwd.start_ns + (uint64_t)(fwd.opts->duration * 1e9)
				     : forever;
	tick = fwd.start_ns + period_ns;
	if (!period_ns || (!fwd.opts->period_set && !isatty(STDERR_FILENO)))
		tick = forever;
	tell_events(&live); /* of the time when the ports were opened */
	while (!__atomic_load_n(&fwd.stop, __ATOMIC_ACQUIRE)) {
		next = tick < end ? tick : end;
		if (next > now_ns() + EVENTS_NS)
			next = now_ns() + EVENTS_NS;
		wait_until(next);
		tell_events(&live);
		if (now_ns() >= end)
			break;
		if (now_ns() < tick)
			continue;
		live_update(&live, &fwd);
		tick = now_ns() + period_ns;
	}
	live_end(&live);
}

static int run_workers(void)
{
	int err;

	fwd.left = fwd.opts->packets;
	fwd.start_ns = now_ns();
	err = workers_start(&fwd);
	if (!err)
		watch_run();
	workers_join(&fwd);
	fwd.duration_s = (double)(now_ns() - fwd.start_ns) / 1e9;
	return err;
}

static int write_reports(const struct report *rep, FILE *json)
{
	int err = 0;

	if (json && json != stdout && ftruncate(fileno(json), 0) && errno != EINVAL)
		err = -errno; /* EINVAL: a pipe or a device has no length */
	if (json && !err)
		err = json_write(rep, json);
	if (json != stdout)
		report_table(rep, stdout);
	if (json && json != stdout && fclose(json))
		err = -errno;
	if (err) {
		complain("--json %s: %s; is the disk full?", fwd.opts->json, strerror(-err));
		return err;
	}
	if (fflush(stdout) || ferror(stdout)) {
		complain("standard output: cannot write the report; was its reader closed?");
		return -EIO;
	}
	return 0;
}

static int check_ledger(const struct report *rep)
{
	const struct pp_audit *a = &rep->audit;

	if (!a->leaked && !a->double_free)
		return 0;
	complain("ledger: %" PRIu64 " pages leaked, %" PRIu64
		 " freed twice; please report this with --json",
		 a->leaked, a->double_free);
	return -EIO;
}

/*
 * Drivers that fail while they run, for instance in a damaged file, go on as
 * well as they can and leave a sentence with the thread that called them.
 */
static int check_drivers(const char *main_error)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < fwd.nworkers; i++) {
		if (!fwd.workers[i].error[0])
			continue;
		complain("%s", fwd.workers[i].error);
		err = -EIO;
	}
	if (!err && strcmp(main_error, pp_error())) {
		complain("%s", pp_error());
		err = -EIO;
	}
	return err;
}

/* forward and report; the ports are closed and all memory is freed on return */
static int forward_and_report(FILE *json)
{
	static struct report rep;
	char main_error[512];
	int err, driver_err;

	err = workers_create(&fwd);
	if (err) {
		close_ports();
		return err;
	}
	snprintf(main_error, sizeof(main_error), "%s", pp_error());
	err = run_workers();
	close_control();
	if (!err)
		err = report_ports(&rep, &fwd);
	driver_err = check_drivers(main_error);
	close_ports();
	if (!err)
		err = report_zone(&rep, &fwd);
	if (!err)
		err = write_reports(&rep, json);
	if (!err)
		err = check_ledger(&rep);
	workers_free(&fwd);
	report_free(&rep);
	return err ? err : driver_err;
}

/* before the run, so that a bad name costs none; an older report stays until the new one */
static FILE *open_json(const char *name)
{
	FILE *file;

	if (!strcmp(name, "-"))
		return stdout;
	file = fopen(name, "ae");
	if (!file)
		complain("--json %s: %s; name a file that can be written", name, strerror(errno));
	return file;
}

int main(int argc, char **argv)
{
	static struct options opts;
	FILE *json = NULL;
	int err;

	err = options_parse(&opts, argc, argv);
	if (err >= 0)
		return err;
	fwd.opts = &opts;
	fwd.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	catch_signals();
	if (opts.json) {
		json = open_json(opts.json);
		err = json ? 0 : -1;
		if (err)
			goto out;
	}
	err = open_zone();
	if (err)
		goto out;
	err = open_ports();
	if (!err && opts.control && open_control()) {
		close_ports();
		err = -1;
	}
	if (!err)
		err = forward_and_report(json);
	close_control();
	close_zones();
out:
	free(opts.command);
	return err ? 1 : 0;
}
