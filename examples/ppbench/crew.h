/* SPDX-License-Identifier: BSD-3-Clause */
/* crew.h - threads that wait for each other */
#ifndef PPBENCH_CREW_H
#define PPBENCH_CREW_H

#include <sched.h>

#include "bench.h"

#define BENCH_SPINS 200000u

/*
 * For a loop that waits: the other thread may wait for this CPU. sched_yield() counts as an
 * interruption, so quiet runs must not need it.
 */
static inline void bench_pause(unsigned int *spins)
{
	if (++*spins % BENCH_SPINS == 0)
		sched_yield();
}

/* pairs with the release of the thread that sets @word */
static inline void bench_await(const unsigned int *word, unsigned int value)
{
	unsigned int spins = 0;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
		bench_pause(&spins);
}

/* a crew's threads begin together */
struct bench_gate {
	unsigned int ready;
	unsigned int go;
};

/* for a crew's thread; false: the crew is not complete, leave */
bool bench_gate_pass(struct bench_gate *gate);

/*
 * Runs @fn in @n threads, thread i on CPU @cpus[i % @ncpus] with the i-th of @members, of
 * @size bytes each, and waits until all have ended. 0, or -1 after bench_error().
 */
int bench_crew_run(struct bench_gate *gate, const unsigned int *cpus, unsigned int ncpus,
		   unsigned int n, void *(*fn)(void *member), void *members, size_t size);

#endif /* PPBENCH_CREW_H */
