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

static struct {
	unsigned int turn;
} line __attribute__((aligned(128)));

static void *pong_thread(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS * BATCHES; i++) {
		bench_await(&line.turn, 2 * i + 1);
		__atomic_store_n(&line.turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* cycles of one round trip between this thread's CPU and CPU @core; negative after bench_error() */
double bench_pingpong(unsigned int core)
{
	double batch[BATCHES];
	unsigned int i, k;
	uint64_t start;
	pthread_t thread;

	line.turn = 0;
	if (bench_thread(&thread, core, pong_thread, NULL))
		return -1;
	for (k = 0; k < BATCHES; k++) {
		start = pp_cycles();
		for (i = k * ROUNDS; i < (k + 1) * ROUNDS; i++) {
			__atomic_store_n(&line.turn, 2 * i + 1, __ATOMIC_RELEASE);
			bench_await(&line.turn, 2 * i + 2);
		}
		batch[k] = (double)(pp_cycles() - start) / ROUNDS;
	}
	pthread_join(thread, NULL);
	return bench_median(batch, BATCHES);
}

const char *bench_regime(double round_trip)
{
	if (round_trip < 250)
		return "near";
	return round_trip > 600 ? "far" : "between near and far";
}
