/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals.c - PP_ZONE_SIGNAL_SAFE: handlers allocate and free, whatever they interrupted
 *
 * Each worker has a timer of its own, and more workers than CPUs, so that handlers also come while
 * the holder of a lock is off its CPU. The main thread blocks the signal, or it would get them all.
 */
#include <errno.h>
#include <string.h>

#include "interrupts.h"
#include "variant.h"

#define PAGES	2048
#define WORKERS 4
#define POCKET	32
#define HZ	4000
#define LEAST	25 /* handlers in each worker, however long that takes */

static struct pp_zone *zone;
static unsigned int owners[PAGES];

struct worker {
	unsigned int id;
	void (*fn)(struct worker *w);
	double end;
	struct rng rng;
	uint64_t rounds;
	/* the handler's */
	struct rng handler_rng;
	struct pp_page *pocket[POCKET];
	unsigned int n;
	uint64_t handler_ops;
	uint64_t handler_got;
};

static __thread struct worker *self;

static void own(struct pp_page *const *pages, unsigned int n, unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		require(__atomic_exchange_n(&owners[page_index(zone, pages[i])], to,
					    __ATOMIC_ACQ_REL) == from);
}

/* what it takes it may keep until a later one: then pages leave one context for another */
static void handler(void)
{
	struct worker *w = self;
	unsigned int n, got;

	if (!w)
		return;
	n = 1 + rng_below(&w->handler_rng, POCKET);
	if (w->n) {
		own(w->pocket, w->n, 100 + w->id, 0);
		pp_zone_free_bulk(zone, w->pocket, w->n);
		w->n = 0;
	}
	got = pp_zone_alloc_bulk(zone, w->pocket, n);
	own(w->pocket, got, 0, 100 + w->id);
	w->n = got;
	w->handler_got += got;
	__atomic_store_n(&w->handler_ops, w->handler_ops + 1, __ATOMIC_RELAXED);
}

static void worker_main(void *arg)
{
	struct worker *w = arg;

	self = w;
	interrupts_start(HZ);
	while (now_s() < w->end || __atomic_load_n(&w->handler_ops, __ATOMIC_RELAXED) < LEAST) {
		w->fn(w);
		w->rounds++;
	}
	interrupts_stop();
	own(w->pocket, w->n, 100 + w->id, 0);
	pp_zone_free_bulk(zone, w->pocket, w->n);
}

static void alloc_and_free(struct worker *w)
{
	struct pp_page *pages[64];
	unsigned int n = pp_zone_alloc_bulk(zone, pages, 1 + rng_below(&w->rng, 64));

	own(pages, n, 0, 1 + w->id);
	own(pages, n, 1 + w->id, 0);
	pp_zone_free_bulk(zone, pages, n);
}

/* so large that most of it is done under the zone's lock */
static void in_the_zone(struct worker *w)
{
	struct pp_page *pages[400];
	unsigned int n = pp_zone_alloc_bulk(zone, pages, 300 + rng_below(&w->rng, 100));

	own(pages, n, 0, 1 + w->id);
	own(pages, n, 1 + w->id, 0);
	pp_zone_free_bulk(zone, pages, n);
}

static void drain(struct worker *w)
{
	if (w->id == 0)
		drain_done(pp_zone_drain_all(zone, 10000));
	else
		alloc_and_free(w);
}

static void disable(struct worker *w)
{
	unsigned int i;

	if (w->id || pp_zone_pcp_disable(zone, 50000)) {
		alloc_and_free(w);
		return;
	}
	for (i = 0; i < 20; i++) {
		require(cached_pages(zone) == 0);
		alloc_and_free(w);
	}
	pp_zone_pcp_enable(zone);
}

static void anything(struct worker *w)
{
	static void (*const fns[])(struct worker * w) = { alloc_and_free, alloc_and_free,
							  in_the_zone, drain, disable };

	if (rng_below(&w->rng, 50) == 0)
		pin_to(test_cpu(rng_below(&w->rng, test_cpus())));
	if (rng_below(&w->rng, 200) == 0)
		pp_zone_maintain(zone);
	fns[rng_below(&w->rng, ARRAY_LEN(fns))](w);
}

static void interrupted(void (*fn)(struct worker *w), uint64_t pages)
{
	struct worker w[WORKERS];
	struct pinned threads[WORKERS];
	uint64_t ops = 0, got = 0, rounds = 0;
	double seconds = test_seconds("PP_SIGNAL_SECONDS", 0.5, 10);
	unsigned int i;

	memset(w, 0, sizeof(w));
	memset(owners, 0, sizeof(owners));
	zone = variant_zone(pages, 16, 64);
	for (i = 0; i < WORKERS; i++) {
		w[i].id = i;
		w[i].fn = fn;
		w[i].rng = rng_init(i);
		w[i].handler_rng = rng_init(1000 + i);
		w[i].end = now_s() + seconds;
		pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), worker_main, &w[i]);
	}
	for (i = 0; i < WORKERS; i++) {
		pinned_join(&threads[i]);
		require(w[i].rounds > 0 && w[i].handler_ops >= LEAST);
		ops += w[i].handler_ops;
		got += w[i].handler_got;
		rounds += w[i].rounds;
	}
	print_message("# %llu handlers, which got %llu pages, in %llu rounds\n",
		      (unsigned long long)ops, (unsigned long long)got, (unsigned long long)rounds);
	assert_true(got > 0);
	for (i = 0; i < PAGES; i++)
		require(owners[i] == 0);
	pp_zone_drain_all(zone, 1000000);
	require(zone_stats(zone).free + zone_stats(zone).cached == pages);
	zone_end(zone);
}

static void interrupted_allocation(void **state)
{
	interrupted(alloc_and_free, PAGES);
}

static void interrupted_zone_lock(void **state)
{
	interrupted(in_the_zone, PAGES);
}

static void interrupted_without_memory(void **state)
{
	interrupted(alloc_and_free, 96);
}

static void interrupted_drain(void **state)
{
	interrupted(drain, PAGES);
}

static void interrupted_disable(void **state)
{
	interrupted(disable, PAGES);
}

static void interrupted_anything(void **state)
{
	interrupted(anything, PAGES);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupted_allocation),
		cmocka_unit_test(interrupted_zone_lock),
		cmocka_unit_test(interrupted_without_memory),
		cmocka_unit_test(interrupted_drain),
		cmocka_unit_test(interrupted_disable),
		cmocka_unit_test(interrupted_anything),
	};
	int refused;

	variant_parse(argc, argv);
	variant.flags |= PP_ZONE_SIGNAL_SAFE;
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	interrupts_init(handler);
	return test_main(variant.policy, tests, ARRAY_LEN(tests),
			 60 + 6 * (unsigned int)test_seconds("PP_SIGNAL_SECONDS", 0.5, 10) * 2);
}
