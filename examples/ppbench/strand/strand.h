/* SPDX-License-Identifier: BSD-3-Clause */
/* strand.h - pools of a given size, and two threads that share them */
#ifndef PPBENCH_STRAND_H
#define PPBENCH_STRAND_H

#include "bench.h"
#include "common/part.h"

#define STRAND_BURST	32u
#define STRAND_WORKERS	2u
#define STRAND_MAX	16384u /* buffers: no core runs short */
#define STRAND_DPDK_MAX 32u

struct strand_kind;

/*
 * struct strand_ops - verbs of a kind of pool
 * @open:   a pool of @n buffers; NULL: there is none of that size
 * @begin:  worker @w uses the pool from now on, until it parks
 * @alloc:  up to @n buffers; returns how many
 * @free:   gives back buffers of alloc, from either worker
 * @cached: buffers in caches that worker @w alone fills, out of the other's reach
 * @bytes:  memory for a buffer
 * @close:  0; -1 after bench_error(): a buffer is missing, or there twice
 */
struct strand_ops {
	void *(*open)(const struct strand_kind *kind, unsigned int n);
	void (*begin)(void *pool, unsigned int w);
	unsigned int (*alloc)(void *pool, unsigned int w, void **objs, unsigned int n);
	void (*free)(void *pool, unsigned int w, void **objs, unsigned int n);
	unsigned int (*cached)(void *pool, unsigned int w);
	size_t (*bytes)(void *pool);
	int (*close)(struct bench *b, void *pool);
};

struct strand_kind {
	char name[BENCH_NAME];
	const struct strand_ops *ops;
	const char *variant; /* a policy, or mempool ops */
	unsigned int cache;
};

/* strand/pools.c: returns kinds written */
unsigned int strand_pools(struct bench *b, struct strand_kind *kinds);

/* strand/dpdk.c, in builds with DPDK; its notes list the pools left out, with reasons */
PART unsigned int strand_dpdk_open(struct bench *b, struct strand_kind *kinds);
PART void strand_dpdk_thread(bool begin);
PART void strand_dpdk_close(void);

/* strand/work.c */
enum strand_scenario {
	STRAND_IDLE,
	STRAND_BOTH,
	STRAND_HAND_OVER,
	STRAND_SCENARIOS
};

struct strand_result {
	double mpps;
	unsigned int idle_cached; /* by worker 0 when it parked */
	unsigned int still_cached; /* when worker 1 had done */
};

int strand_work_start(struct bench *b);
void strand_work_stop(void);
/* one run; the buffers are home in the pool or its caches afterwards */
struct strand_result strand_run(const struct strand_kind *kind, void *pool,
				enum strand_scenario scenario, uint64_t cycles);

#endif /* PPBENCH_STRAND_H */
