/* SPDX-License-Identifier: BSD-3-Clause */
/* drain_owner.c - the owner fills its cache, or allocates and frees as fast as it can */
#include "cases/drain_owner.h"
#include "crew.h"

#define LOOPS 64u

static void fill_cache(struct owner *o)
{
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int got = pp_zone_alloc_bulk(o->zone, pages, BENCH_HIGH);

	pp_zone_free_bulk(o->zone, pages, got);
}

static void owner_work(struct owner *o, unsigned int asked, bool full)
{
	struct bench_subject s = { .ctx = o->zone };
	uint64_t start = pp_cycles(), pages = 0;

	while (__atomic_load_n(&o->asked, __ATOMIC_ACQUIRE) == asked) {
		if (full)
			fill_cache(o);
		bench_run_zone(&s, o->bulk, LOOPS);
		pages += (uint64_t)LOOPS * o->bulk;
	}
	o->shorts += s.shorts;
	o->cycles_per_page = pages ? (double)(pp_cycles() - start) / (double)pages : 0;
}

static void *owner_main(void *arg)
{
	unsigned int seen = 0, now, spins = 0;
	struct owner *o = arg;

	for (;;) {
		now = __atomic_load_n(&o->asked, __ATOMIC_ACQUIRE);
		if (now == seen) {
			bench_pause(&spins);
			continue;
		}
		seen = now;
		spins = 0;
		if (o->order == ORDER_QUIT)
			return NULL;
		if (o->order == ORDER_NONE)
			o->cache = pp_zone_this_core(o->zone);
		if (o->order == ORDER_FILL)
			fill_cache(o);
		if (o->order == ORDER_RUN || o->order == ORDER_RUN_FULL)
			owner_work(o, now, o->order == ORDER_RUN_FULL);
		__atomic_store_n(&o->done, now, __ATOMIC_RELEASE);
	}
}

/* pairs with the acquire in owner_main(): the order is there before it is seen */
unsigned int owner_order(struct owner *o, enum order order)
{
	o->order = order;
	__atomic_store_n(&o->asked, o->asked + 1, __ATOMIC_RELEASE);
	return o->asked;
}

void owner_await(const struct owner *o, unsigned int asked)
{
	unsigned int spins = 0;

	while (__atomic_load_n(&o->done, __ATOMIC_ACQUIRE) < asked)
		bench_pause(&spins);
}

int owner_start(struct owner *o, unsigned int core)
{
	o->asked = 0;
	o->done = 0;
	if (bench_thread(&o->thread, core, owner_main, o))
		return -1;
	owner_await(o, owner_order(o, ORDER_NONE));
	return 0;
}

void owner_quit(struct owner *o)
{
	owner_order(o, ORDER_QUIT);
	pthread_join(o->thread, NULL);
}
