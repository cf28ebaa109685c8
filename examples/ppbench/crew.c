/* SPDX-License-Identifier: BSD-3-Clause */
/* crew.c - see crew.h */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/thread.h"
#include "crew.h"

#define GATE_SPINS 1000u /* more threads than CPUs may wait */
#define POLL_NS	   50000

enum {
	GATE_CLOSED,
	GATE_OPEN,
	GATE_LEAVE,
};

int bench_pin(unsigned int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return 0;
	bench_error("cannot run on CPU %u: %m; choose others with --cores", core);
	return -1;
}

int bench_thread(pthread_t *thread, unsigned int core, void *(*fn)(void *), void *arg)
{
	int err = thread_on_cpu(thread, core, fn, arg);

	if (err)
		bench_error("cannot start a thread on CPU %u: %s; choose others with --cores", core,
			    strerror(err));
	return err ? -1 : 0;
}

bool bench_gate_pass(struct bench_gate *gate)
{
	unsigned int spins = 0, go;

	__atomic_fetch_add(&gate->ready, 1, __ATOMIC_RELEASE);
	while ((go = __atomic_load_n(&gate->go, __ATOMIC_ACQUIRE)) == GATE_CLOSED)
		if (++spins % GATE_SPINS == 0)
			sched_yield();
	return go == GATE_OPEN;
}

/* sleeps in between, since a member may run on this CPU, too */
static void open_gate(struct bench_gate *gate, unsigned int n, bool complete)
{
	const struct timespec poll = { .tv_nsec = POLL_NS };

	while (__atomic_load_n(&gate->ready, __ATOMIC_ACQUIRE) < n)
		nanosleep(&poll, NULL);
	/* pairs with the acquire in bench_gate_pass() */
	__atomic_store_n(&gate->go, complete ? GATE_OPEN : GATE_LEAVE, __ATOMIC_RELEASE);
}

int bench_crew_run(struct bench_gate *gate, const unsigned int *cpus, unsigned int ncpus,
		   unsigned int n, void *(*fn)(void *member), void *members, size_t size)
{
	pthread_t *thread = bench_alloc(n, sizeof(*thread));
	unsigned int started = 0, i;

	if (!thread)
		return -1;
	*gate = (struct bench_gate){ 0 };
	while (started < n && !bench_thread(&thread[started], cpus[started % ncpus], fn,
					    (char *)members + started * size))
		started++;
	open_gate(gate, started, started == n);
	for (i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	return started == n ? 0 : -1;
}
