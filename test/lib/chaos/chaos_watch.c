/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_watch.c - a watchdog that says where each thread is, and a client of the control socket
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <pagepool/control.h>

#include "chaos/chaos.h"

static struct pinned watch, client;
static bool watch_over, client_over;
static struct pp_control *control;
static uint64_t answers;

/* ---- the watchdog ---------------------------------------------------------------------------- */

static _Noreturn void hangs(unsigned int stuck, double seconds)
{
	struct chaos_worker *w;
	uint64_t sum = 0;

	for (w = chaos_workers; w < chaos_workers + CHAOS_THREADS; w++)
		sum += __atomic_load_n(&w->ops, __ATOMIC_RELAXED);
	fprintf(stderr,
		"chaos: thread %u does nothing for %.0f s, after %llu operations of all; where "
		"they are:\n",
		stuck, seconds, (unsigned long long)sum);
	for (w = chaos_workers; w < chaos_workers + CHAOS_THREADS; w++)
		fprintf(stderr, "  thread %2u, operation %llu, %llu handlers: %s on %s\n", w->id,
			(unsigned long long)__atomic_load_n(&w->ops, __ATOMIC_RELAXED),
			(unsigned long long)w->handlers,
			__atomic_load_n(&w->doing, __ATOMIC_RELAXED),
			w->z ? w->z->label : "no zone");
	fprintf(stderr, "  the control socket has answered %llu times\n",
		(unsigned long long)__atomic_load_n(&answers, __ATOMIC_RELAXED));
	require(!"a thread hangs");
	abort();
}

static void watch_main(void *arg)
{
	double limit = test_seconds("PP_CHAOS_HANG", 60, 60), last[CHAOS_THREADS];
	uint64_t seen[CHAOS_THREADS] = { 0 }, ops;
	unsigned int i;

	for (i = 0; i < CHAOS_THREADS; i++)
		last[i] = now_s();
	while (!__atomic_load_n(&watch_over, __ATOMIC_ACQUIRE)) {
		sleep_us(50000);
		for (i = 0; i < CHAOS_THREADS; i++) {
			ops = __atomic_load_n(&chaos_workers[i].ops, __ATOMIC_RELAXED);
			if (ops != seen[i] ||
			    !__atomic_load_n(&chaos_workers[i].doing, __ATOMIC_RELAXED))
				last[i] = now_s();
			seen[i] = ops;
			if (now_s() - last[i] > limit)
				hangs(i, limit);
		}
	}
}

void chaos_watch_start(void)
{
	pinned_start(&watch, -1, watch_main, NULL);
}

void chaos_watch_stop(void)
{
	__atomic_store_n(&watch_over, true, __ATOMIC_RELEASE);
	pinned_join(&watch);
}

/* ---- the client ------------------------------------------------------------------------------ */

static int dial(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", pp_control_path(control));
	require(fd >= 0 && !connect(fd, (struct sockaddr *)&name, sizeof(name)));
	return fd;
}

/* one line there and one back, whatever it says: an error is an answer */
static void ask(int fd, const char *line)
{
	char answer[4096];
	ssize_t n;

	require(send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line));
	do {
		n = read(fd, answer, sizeof(answer));
		require(n > 0);
	} while (answer[n - 1] != '\n');
	__atomic_fetch_add(&answers, 1, __ATOMIC_RELAXED);
}

static void client_main(void *arg)
{
	static const char *const lines[] = {
		"1 stat\n",
		"1 stat\n",
		"1 trim keep=8\n",
		"1 trim\n",
		"1 drain timeout_us=1000\n",
		"1 drain\n",
		"1 holders oldest=5\n",
		"1 disable lease_ms=5 timeout_us=2000\n",
		"1 enable\n",
		"1 nonsense\n",
	};
	struct rng rng = rng_init(1000);
	int fd = dial();

	while (!__atomic_load_n(&client_over, __ATOMIC_ACQUIRE)) {
		ask(fd, lines[rng_below(&rng, ARRAY_LEN(lines))]);
		if (rng_below(&rng, 4) == 0)
			sleep_us(rng_below(&rng, 2000));
	}
	ask(fd, "1 enable\n");
	close(fd);
}

void chaos_control_start(void)
{
	char path[64];
	struct pp_control_params p = { .sz = sizeof(p), .path = path };

	snprintf(path, sizeof(path), "/tmp/ppchaos-%d.sock", (int)getpid());
	client_over = false;
	control = pp_control_open(&p);
	require(control);
	pinned_start(&client, -1, client_main, NULL);
}

void chaos_control_stop(void)
{
	__atomic_store_n(&client_over, true, __ATOMIC_RELEASE);
	pinned_join(&client);
	pp_control_close(control);
}
