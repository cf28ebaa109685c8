/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pft/drainer.c - a thread that drains all caches, at a rate
 *
 * This is the stress of the kernel's lists: 100 drains a second while pft runs. Runs are
 * shorter than a second, so ticks are multiples of the period since the process's first
 * run. Each run gets those that fall into it.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/thread.h"
#include "common/clock.h"
#include "pft/run.h"

#define TIMEOUT_US 1000u

/* until the next tick; true: stop instead */
static bool await_tick(struct pft_drainer *d)
{
	uint64_t at = now_ns();
	struct timespec until;
	int err = 0;

	at += d->period_ns - (at - d->origin_ns) % d->period_ns;
	until = ns_to_timespec(at);
	pthread_mutex_lock(&d->lock);
	while (!d->stop && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&d->wake, &d->lock, &until);
	pthread_mutex_unlock(&d->lock);
	return err != ETIMEDOUT;
}

static void *drainer_thread(void *arg)
{
	struct pft_drainer *d = arg;
	long n;

	while (!await_tick(d)) {
		if (!__atomic_load_n(d->go, __ATOMIC_ACQUIRE))
			continue;
		n = pp_zone_drain_all(d->zone, TIMEOUT_US);
		d->drains++;
		if (n < 0)
			d->timeouts++;
		else
			d->drained += (unsigned long)n;
	}
	return NULL;
}

int pft_drainer_start(struct pft_drainer *d, struct pp_zone *zone, const unsigned int *go,
		      unsigned int hz, const cpu_set_t *cpus)
{
	static uint64_t first_ns;
	pthread_condattr_t clock;
	int err;

	if (!first_ns)
		first_ns = now_ns();
	memset(d, 0, sizeof(*d));
	d->zone = zone;
	d->go = go;
	d->period_ns = 1000000000 / hz;
	d->origin_ns = first_ns;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &clock);
	pthread_condattr_destroy(&clock);
	err = thread_on_cpus(&d->thread, cpus, drainer_thread, d);
	if (err)
		bench_error("pft: cannot start the thread that drains: %s; try without --drain-hz",
			    strerror(err));
	return err ? -1 : 0;
}

void pft_drainer_stop(struct pft_drainer *d)
{
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
}
