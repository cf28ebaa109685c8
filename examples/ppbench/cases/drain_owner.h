/* SPDX-License-Identifier: BSD-3-Clause */
/* drain_owner.h - the owner of the cache that is drained, a thread */
#ifndef PPBENCH_DRAIN_OWNER_H
#define PPBENCH_DRAIN_OWNER_H

#include "bench.h"

enum order {
	ORDER_NONE,
	ORDER_FILL, /* fill the cache, then wait */
	ORDER_RUN, /* alloc + free until another order comes */
	ORDER_RUN_FULL, /* the same, filling the cache in between */
	ORDER_QUIT,
};

/*
 * The owner lives through a repetition and takes orders; it answers in
 * @done with the number of the order it has carried out.
 */
struct owner {
	struct pp_zone *zone;
	unsigned int bulk;
	unsigned int cache; /* the cache that the owner uses: only its thread can tell */
	pthread_t thread;
	enum order order;
	unsigned int asked __attribute__((aligned(128)));
	unsigned int done __attribute__((aligned(128)));
	unsigned long shorts;
	double cycles_per_page;
};

/* 0, or -1 after bench_error(); @cache is valid when it returns */
int owner_start(struct owner *o, unsigned int core);
void owner_quit(struct owner *o);

/* the number of the order, for owner_await() */
unsigned int owner_order(struct owner *o, enum order order);
void owner_await(const struct owner *o, unsigned int asked);

#endif /* PPBENCH_DRAIN_OWNER_H */
