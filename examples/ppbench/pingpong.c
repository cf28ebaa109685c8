/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pingpong.c - the distance of two CPUs
 *
 * Figures of two cores differ several times with the CPUs' places, and the host of a
 * virtual machine may move them at any time. The round trip of one cache line tells the
 * distance.
 */
#include <pthread.h>

#include "crew.h"

#define ROUNDS	200u
#define BATCHES 15u

struct turns {
	unsigned int turn __attribute__((aligned(128)));
	unsigned int rounds;
	void (*act)(void *visitor);
	void *visitor; /* of the other thread */
};

static void *other_thread(void *arg)
{
	struct turns *t = arg;
	unsigned int i;

	for (i = 0; i < t->rounds * BATCHES; i++) {
		bench_await(&t->turn, 2 * i + 1);
		if (t->act)
			t->act(t->visitor);
		__atomic_store_n(&t->turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
	return NULL;
}

double bench_turns(unsigned int core, unsigned int rounds, void (*act)(void *visitor), void *here,
		   void *there)
{
	struct turns t = { .rounds = rounds, .act = act, .visitor = there };
	double batch[BATCHES];
	unsigned int i, k;
	pthread_t thread;
	uint64_t start;

	if (bench_thread(&thread, core, other_thread, &t))
		return -1;
	for (k = 0; k < BATCHES; k++) {
		start = pp_cycles();
		for (i = k * rounds; i < (k + 1) * rounds; i++) {
			if (act)
				act(here);
			__atomic_store_n(&t.turn, 2 * i + 1, __ATOMIC_RELEASE);
			bench_await(&t.turn, 2 * i + 2);
		}
		batch[k] = (double)(pp_cycles() - start) / rounds;
	}
	pthread_join(thread, NULL);
	return bench_median(batch, BATCHES);
}

double bench_pingpong(unsigned int core)
{
	return bench_turns(core, ROUNDS, NULL, NULL, NULL);
}

const char *bench_regime(double round_trip)
{
	if (round_trip < 250)
		return "near";
	return round_trip > 600 ? "far" : "between near and far";
}
