/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "interrupts.h"

static void (*handle)(void);
static __thread timer_t timer;
static __thread bool started;
static __thread double period_s;

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void arm(double after_s)
{
	struct itimerspec once = { .it_value.tv_sec = (time_t)after_s };

	once.it_value.tv_nsec = (long)((after_s - (double)once.it_value.tv_sec) * 1e9);
	require(!timer_settime(timer, 0, &once, NULL));
}

static void interrupted(int sig)
{
	double start = now_s(), took;
	int err = errno;

	(void)sig;
	handle();
	took = now_s() - start;
	if (started)
		arm(took > period_s ? took : period_s);
	errno = err;
}

void interrupts_init(void (*body)(void))
{
	struct sigaction sa = { .sa_handler = interrupted, .sa_flags = SA_RESTART };

	handle = body;
	mask(SIG_BLOCK);
	require(!sigaction(SIGUSR1, &sa, NULL));
}

void interrupts_unblock(void)
{
	mask(SIG_UNBLOCK);
}

void interrupts_start(unsigned int hz)
{
	struct sigevent event;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGUSR1;
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	require(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	period_s = 1.0 / hz;
	started = true;
	arm(period_s);
	interrupts_unblock();
}

void interrupts_stop(void)
{
	mask(SIG_BLOCK);
	if (started)
		require(!timer_delete(timer));
	started = false;
}
