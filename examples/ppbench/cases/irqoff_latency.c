/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * irqoff_latency.c - from a timer's expiry to its handler, while two threads allocate
 *
 * A signal is the interrupt of userspace. A policy that blocks signals delays the handler;
 * the others do not. The handler interrupts the allocating thread ten thousand times a
 * second.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "common/clock.h"

#define PERIOD_NS   100000u
#define START_NS    1000000u
#define REPEATS_MAX 5u
#define RUN_NS	    150000000u
#define QUICK_NS    20000000u
#define PATIENCE_NS 5000000000u /* for the first signal */
#define SAMPLES	    4096u
#define LOOPS	    16u

/* written by the handler; the thread reads it when the timer is gone */
static struct {
	uint64_t first_ns;
	uint64_t expired;
	unsigned int n;
	double us[SAMPLES];
} seen;

struct latency_subject {
	const char *name;
	struct pp_zone *zone;
	unsigned int bulk;
	unsigned int stop;
	double median[REPEATS_MAX];
	double *all;
	size_t nall;
};

/* Latency counts from the first expiry that no handler has answered yet. */
static void on_timer(int sig, siginfo_t *info, void *context)
{
	uint64_t now = now_ns(), due = seen.first_ns + seen.expired * PERIOD_NS;

	(void)sig;
	(void)context;
	seen.expired += 1 + (uint64_t)info->si_overrun;
	if (seen.n < SAMPLES)
		seen.us[seen.n++] = now > due ? (double)(now - due) / 1e3 : 0;
}

/* no zone: the same loop without an allocation */
static void allocate_some(struct latency_subject *s)
{
	struct bench_subject run = { .ctx = s->zone };

	if (s->zone)
		bench_run_zone(&run, s->bulk, LOOPS);
	else
		bench_run_loop(&run, s->bulk, LOOPS);
}

static void *other_thread(void *arg)
{
	struct latency_subject *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		allocate_some(s);
	return NULL;
}

static int start_timer(timer_t *timer)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec when = { .it_interval.tv_nsec = PERIOD_NS };

	if (timer_create(CLOCK_MONOTONIC, &event, timer)) {
		bench_error("irqoff: cannot create a timer: %m; raise ulimit -i");
		return -1;
	}
	seen.n = 0;
	seen.expired = 0;
	seen.first_ns = now_ns() + START_NS;
	when.it_value = ns_to_timespec(seen.first_ns);
	if (!timer_settime(*timer, TIMER_ABSTIME, &when, NULL))
		return 0;
	bench_error("irqoff: cannot start a timer: %m");
	timer_delete(*timer);
	return -1;
}

/* The signal goes to this thread: the other one, started now, has it blocked. */
static int start_other(const struct bench *b, struct latency_subject *s, pthread_t *thread)
{
	sigset_t timers, old;
	int err;

	sigemptyset(&timers);
	sigaddset(&timers, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &timers, &old);
	s->stop = 0;
	err = bench_thread(thread, b->opts.cores[1], other_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static int keep_samples(struct latency_subject *s, unsigned int r)
{
	double *all = realloc(s->all, (s->nall + seen.n) * sizeof(*all));

	if (!all || !seen.n) {
		bench_error("irqoff: %s", all ? "the timer never fired" : "not enough memory");
		return -1;
	}
	memcpy(all + s->nall, seen.us, seen.n * sizeof(*all));
	s->all = all;
	s->nall += seen.n;
	s->median[r] = bench_median(seen.us, seen.n);
	return 0;
}

/* a machine under load may give this thread its CPU only when the time is over */
static bool goes_on(uint64_t end)
{
	uint64_t now = now_ns();

	return now < end ||
	       (!__atomic_load_n(&seen.n, __ATOMIC_RELAXED) && now < end + PATIENCE_NS);
}

static int measure_latency(struct bench *b, struct latency_subject *s, unsigned int r)
{
	uint64_t end = now_ns() + (b->opts.quick ? QUICK_NS : RUN_NS);
	pthread_t thread;
	timer_t timer;
	int err;

	if (start_other(b, s, &thread))
		return -1;
	err = start_timer(&timer);
	while (!err && goes_on(end))
		allocate_some(s);
	if (!err)
		timer_delete(timer);
	__atomic_store_n(&s->stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return err ? err : keep_samples(s, r);
}

static int keep_latency(struct bench *b, struct latency_subject *s, unsigned int n)
{
	double cycles_per_us = (double)b->tsc_hz / 1e6, cycles[REPEATS_MAX];
	struct bench_row *row;
	unsigned int i;

	for (i = 0; i < n; i++)
		cycles[i] = s->median[i] * cycles_per_us;
	row = bench_row_add(b, s->name, "latency", s->bulk, cycles, n);
	if (!row)
		return -1;
	bench_extra(row, "median_us", bench_quantile(s->all, s->nall, 0.5));
	bench_extra(row, "p99_us", bench_quantile(s->all, s->nall, 0.99));
	bench_extra(row, "max_us", s->all[s->nall - 1]);
	bench_extra(row, "signals", (double)s->nall);
	return 0;
}

static int measure_all(struct bench *b, struct latency_subject *s, unsigned int n)
{
	unsigned int repeat = b->opts.repeat < REPEATS_MAX ? b->opts.repeat : REPEATS_MAX, i, r;
	struct sigaction action = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction old;
	int err;

	sigemptyset(&action.sa_mask);
	err = sigaction(SIGRTMIN, &action, &old);
	for (r = 0; r < repeat && !err; r++)
		for (i = 0; i < n && !err; i++)
			err = measure_latency(b, &s[i], r);
	sigaction(SIGRTMIN, &old, NULL);
	for (i = 0; i < n && !err; i++)
		err = keep_latency(b, &s[i], repeat);
	return err;
}

int bench_latency(struct bench *b, unsigned int bulk)
{
	unsigned int n = b->opts.npolicies + 1, i;
	struct latency_subject *s = bench_alloc(n, sizeof(*s));
	int err = s ? 0 : -1;

	for (i = 0; i < n && !err; i++) {
		s[i].name = i ? b->opts.policies[i - 1] : "no allocation";
		s[i].bulk = bulk;
		s[i].zone = i ? bench_zone_open(s[i].name, 0, BENCH_HIGH) : NULL;
		err = !i || s[i].zone ? 0 : -1;
	}
	if (!err)
		err = measure_all(b, s, n);
	for (i = 0; s && i < n; i++) {
		if (bench_zone_close(b, s[i].zone))
			err = -1;
		free(s[i].all);
	}
	free(s);
	return err;
}
