/* SPDX-License-Identifier: BSD-3-Clause */
/* worker.c - the loop */
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <pagepool/error.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/thread.h"
#include "engines/engine.h"
#include "ppfwd.h"

#define TX_RETRIES  4u
#define CLEAN_EVERY 16u /* rounds under load; a driver short of descriptors cleans by itself */

/*
 * --packets: a direction reserves packets before it asks for them, and gives
 * the rest back, so that several workers stop at exactly N.
 */
static unsigned int budget_take(struct fwd *fwd, unsigned int want)
{
	uint64_t left = __atomic_load_n(&fwd->left, __ATOMIC_RELAXED);
	uint64_t take;

	do {
		take = left < want ? left : want;
	} while (!__atomic_compare_exchange_n(&fwd->left, &left, left - take, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (unsigned int)take;
}

static void budget_settle(struct fwd *fwd, unsigned int taken, unsigned int forwarded)
{
	uint64_t settled;

	if (forwarded < taken)
		__atomic_fetch_add(&fwd->left, taken - forwarded, __ATOMIC_RELAXED);
	settled = __atomic_add_fetch(&fwd->settled, forwarded, __ATOMIC_RELAXED);
	if (settled >= fwd->opts->packets)
		fwd_stop(fwd);
}

/* the out queue took @k of @m: push a little, then give up on the rest */
static __attribute__((noinline)) unsigned int send_rest(struct dir *d, struct pp_page **pages,
							unsigned int k, unsigned int m)
{
	unsigned int i;

	for (i = 0; i < TX_RETRIES && k < m; i++) {
		pp_tx_clean(d->out);
		k += pp_tx_burst(d->out, pages + k, m - k);
	}
	if (k < m) {
		pp_packet_put(pages + k, m - k);
		counter_add(&d->unsent, m - k);
	}
	return k;
}

/* move one burst; *moved: something came or went */
static inline unsigned int dir_burst(struct dir *d, struct pp_page **pages, unsigned int want,
				     bool *moved)
{
	const struct engine *engine = d->engine;
	unsigned int n = 0, m, k = 0;

	if (unlikely(engine->clean_first))
		pp_tx_clean(d->out);
	if (likely(engine->burst || !engine->generate)) {
		n = pp_rx_burst(d->in, pages, want);
		bursts_add(&d->rx, n);
		if (unlikely(d->latency))
			latency_read(d->latency, pages, n);
	}
	m = n;
	if (engine->burst && n)
		m = engine->burst(d, pages, n);
	else if (unlikely(engine->idle))
		m = engine->idle(d, pages, want);
	if (unlikely(engine->generate))
		m = engine->generate(d, pages, want);
	if (m) {
		k = pp_tx_burst(d->out, pages, m);
		bursts_add(&d->tx, k);
		if (unlikely(k < m))
			k = send_rest(d, pages, k, m);
	}
	*moved |= n || k;
	if (unlikely(engine->sink))
		k = n;
	counter_add(&d->packets, k);
	return k;
}

static void worker_clean(struct worker *w)
{
	unsigned int i;

	for (i = 0; i < w->ndirs; i++)
		pp_tx_clean(w->dirs[i]->out);
}

static bool worker_round(struct worker *w, struct pp_page **pages)
{
	struct fwd *fwd = w->fwd;
	unsigned int want = fwd->opts->burst;
	unsigned int i, k;
	bool moved = false;

	if (unlikely(fwd->opts->packets)) {
		for (i = 0; i < w->ndirs; i++) {
			want = budget_take(fwd, fwd->opts->burst);
			if (!want)
				continue;
			k = dir_burst(w->dirs[i], pages, want, &moved);
			budget_settle(fwd, want, k);
		}
		return moved;
	}
	for (i = 0; i < w->ndirs; i++)
		dir_burst(w->dirs[i], pages, want, &moved);
	return moved;
}

/* the engine keeps packets that it will send later */
static bool worker_waits(const struct worker *w)
{
	unsigned int i;

	for (i = 0; i < w->ndirs; i++)
		if (w->dirs[i]->engine->waits && w->dirs[i]->engine->waits(w->dirs[i]))
			return true;
	return false;
}

/* every source is a file that was read to its end: no packet comes any more */
static bool sources_done(const struct worker *w)
{
	const struct fwd *fwd = w->fwd;
	unsigned int i;

	if (fwd->opts->engine->generate || worker_waits(w))
		return false;
	for (i = 0; i < fwd->nports; i++) {
		if (!pp_netdev_done(fwd->ports[i]))
			return false;
	}
	return true;
}

/* --tx-first: something that goes round where all others only pass on */
static void send_first(struct worker *w, struct pp_page **pages)
{
	unsigned int i, n, k;

	for (i = 0; i < w->ndirs; i++) {
		n = traffic_generate(w->dirs[i], pages, w->fwd->opts->burst);
		k = pp_tx_burst(w->dirs[i]->out, pages, n);
		if (k < n)
			send_rest(w->dirs[i], pages, k, n);
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct pp_page *pages[PP_BURST_MAX];
	uint64_t start, now, then, busy = 0;
	unsigned int round = 0, i;
	bool moved;

	for (i = 0; i < w->ndirs; i++) {
		pp_queue_own(w->dirs[i]->in);
		pp_queue_own(w->dirs[i]->out);
	}
	if (w->fwd->opts->traffic.first)
		send_first(w, pages);
	start = now = then = pp_cycles();
	while (!__atomic_load_n(&w->fwd->stop, __ATOMIC_RELAXED)) {
		moved = worker_round(w, pages);
		now = pp_cycles();
		if (likely(moved))
			busy += now - then;
		then = now;
		if (!moved || ++round % CLEAN_EVERY == 0)
			worker_clean(w);
		if (!moved && sources_done(w))
			fwd_stop(w->fwd);
		else if (unlikely(w->fds))
			idle_round(w, moved, worker_waits(w));
	}
	worker_clean(w);
	for (i = 0; i < w->ndirs; i++)
		if (w->dirs[i]->engine->end)
			w->dirs[i]->engine->end(w->dirs[i]); /* this thread owns the pools still */
	w->cycles = now - start;
	w->busy_cycles = busy;
	snprintf(w->error, sizeof(w->error), "%s", pp_error());
	return NULL;
}

static void *drainer_main(void *arg)
{
	struct fwd *fwd = arg;
	uint64_t period = NS_PER_S / fwd->opts->drain_hz, next = now_ns();
	struct timespec at;
	unsigned int i;

	while (!__atomic_load_n(&fwd->stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < fwd->nzones; i++)
			pp_zone_drain_all(fwd->zones[i], 1000);
		next += period;
		if (next < now_ns())
			next = now_ns(); /* too slow for the rate: do not catch up */
		at = ns_to_timespec(next);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	return NULL;
}

void fwd_stop(struct fwd *fwd)
{
	__atomic_store_n(&fwd->stop, 1, __ATOMIC_RELEASE);
	eventfd_write(fwd->wake, 1);
}

/* signals are for the main thread: a worker's loop is not to be interrupted by them */
int workers_start(struct fwd *fwd)
{
	struct worker *w;
	unsigned int i;
	sigset_t all, old;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (i = 0; i < fwd->nworkers && !err; i++) {
		w = &fwd->workers[i];
		err = thread_on_cpu(&w->thread, w->core, worker_main, w);
		if (err)
			complain("worker on CPU %u: %s; try other --cores", w->core, strerror(err));
		else
			fwd->nstarted++;
	}
	if (!err && fwd->opts->drain_hz) {
		err = pthread_create(&fwd->drainer, NULL, drainer_main, fwd);
		fwd->draining = !err;
		if (err)
			complain("thread for --drain-hz: %s; end other programs", strerror(err));
	}
	if (!err)
		err = keeper_start(fwd);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

void workers_join(struct fwd *fwd)
{
	unsigned int i;

	fwd_stop(fwd);
	for (i = 0; i < fwd->nstarted; i++)
		pthread_join(fwd->workers[i].thread, NULL);
	if (fwd->draining)
		pthread_join(fwd->drainer, NULL);
	keeper_join(fwd);
}
