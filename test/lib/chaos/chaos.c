/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos.c - test-chaos [OPERATIONS [SEED]]: phases of everything at random, and rests with ledgers
 *
 * A phase is 16 new threads, each with a timer and a handler that allocates and frees, and a client
 * that speaks to the control socket. At a rest nothing runs: every page is where the model says,
 * and all that no user has can be allocated. In the environment:
 *
 *   PP_CHAOS_HZ=N       signals a second and thread (1000), 0: none
 *   PP_CHAOS_HANG=S     seconds without an operation that make a hang (60)
 *   PP_CHAOS_SKIP=NAMES operations to leave out, as the watchdog names them
 *   PP_CHAOS_CONTROL=0  no control socket
 *   PP_CHAOS_COUNT=1    short answers while pages are free, and handlers that change
 *                       errno or pp_error(), are counted, and do not fail
 *   PP_CHAOS_ONCE=1     no page is given back twice at a rest
 *   PP_CHAOS_ZONES=TEXT only zones with this text in the label
 */
#include <string.h>

#include "chaos/chaos.h"

#define OPERATIONS 60000u
#define PHASE	   1500u /* operations of a thread between two rests */

static const struct chaos_op *const tables[] = { chaos_zone_ops,    chaos_memory_ops,
						 chaos_control_ops, chaos_pool_ops,
						 chaos_share_ops,   chaos_other_ops };
static struct chaos_op ops[80];
static uint64_t done[ARRAY_LEN(ops)];
static unsigned int nops, weights;
static uint64_t wanted = OPERATIONS;
static unsigned int hz, phase;

static unsigned int env_number(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static void collect(void)
{
	const char *skip = getenv("PP_CHAOS_SKIP");
	const struct chaos_op *op;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(tables); i++)
		for (op = tables[i]; op->fn; op++) {
			if (skip && strstr(skip, op->name))
				continue;
			require(nops < ARRAY_LEN(ops));
			ops[nops++] = *op;
			weights += op->weight;
		}
}

static void step(struct chaos_worker *w)
{
	unsigned int at = rng_below(&w->rng, weights), i = 0;

	while (at >= ops[i].weight)
		at -= ops[i++].weight;
	w->z = &chaos_zones[rng_below(&w->rng, chaos_nzones)];
	w->hold = &w->holds[w->z - chaos_zones];
	__atomic_store_n(&w->doing, ops[i].name, __ATOMIC_RELAXED);
	ops[i].fn(w);
	__atomic_fetch_add(&done[i], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&w->ops, 1, __ATOMIC_RELAXED);
}

static void work(void *arg)
{
	struct chaos_worker *w = arg;
	unsigned int i;

	chaos_timer_start(w, hz);
	chaos_pools_adopt(w);
	for (i = 0; i < PHASE; i++)
		step(w);
	chaos_timer_stop();
	__atomic_store_n(&w->doing, NULL, __ATOMIC_RELAXED);
}

/* all that a worker has; its thread has ended */
static void put_all(struct chaos_worker *w)
{
	unsigned int i;

	for (i = 0; i < CHAOS_POOLS; i++)
		chaos_pool_end(w, &w->pools[i]);
	chaos_parts_end(w);
	chaos_objects_put(w);
	for (i = 0; i < chaos_nzones; i++) {
		w->z = &chaos_zones[i];
		w->hold = &w->holds[i];
		while (w->hold->n)
			chaos_put(w, w->hold->pages[--w->hold->n]);
		while (w->hold->nruns)
			chaos_put(w, w->hold->runs[--w->hold->nruns]);
	}
}

static void put_slots(void)
{
	unsigned int i, k;
	struct pp_page *page;

	for (i = 0; i < chaos_nzones; i++)
		for (k = 0; k < CHAOS_SLOTS; k++) {
			page = __atomic_exchange_n(&chaos_zones[i].slots[k], NULL,
						   __ATOMIC_ACQ_REL);
			if (page)
				chaos_put(&chaos_workers[0], page);
		}
}

/* Pools end at every second rest, and users keep what they have; the owner there is this thread. */
static void rest(bool last)
{
	bool full = last || phase % 2;
	struct chaos_worker *w;
	unsigned int i;

	for (w = chaos_workers; w < chaos_workers + CHAOS_THREADS; w++) {
		chaos_kept_put(w);
		if (last)
			put_all(w);
		for (i = 0; full && i < CHAOS_POOLS; i++)
			chaos_pool_end(w, &w->pools[i]);
	}
	if (last)
		put_slots();
	chaos_zones_check(full);
	chaos_depots_check();
}

static void run_phase(bool control)
{
	struct pinned threads[CHAOS_THREADS];
	unsigned int i;

	if (control)
		chaos_control_start();
	for (i = 0; i < CHAOS_THREADS; i++)
		pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(i / 2 % test_cpus()), work,
			     &chaos_workers[i]);
	for (i = 0; i < CHAOS_THREADS; i++)
		pinned_join(&threads[i]);
	if (control)
		chaos_control_stop();
}

static uint64_t sum_up(double seconds, uint64_t total)
{
	uint64_t handlers = 0, errnos = 0, short_answers = 0, broken = 0;
	unsigned int i;

	for (i = 0; i < CHAOS_THREADS; i++) {
		handlers += chaos_workers[i].handlers;
		errnos += chaos_workers[i].errnos;
	}
	for (i = 0; i < chaos_nzones + chaos_ndepots; i++) {
		short_answers += chaos_zones[i].short_answers;
		broken += chaos_zones[i].broken;
		if (chaos_zones[i].broken || getenv("PP_CHAOS_VERBOSE"))
			print_message("# %s: %llu short answers, %llu while pages were free\n",
				      chaos_zones[i].label,
				      (unsigned long long)chaos_zones[i].short_answers,
				      (unsigned long long)chaos_zones[i].broken);
	}
	for (i = 0; getenv("PP_CHAOS_VERBOSE") && i < nops; i++)
		print_message("# %8llu %s\n", (unsigned long long)done[i], ops[i].name);
	print_message(
		"# %llu operations in %.1f s, %u rests, %llu handlers, of which %llu changed errno "
		"or pp_error(); %llu short answers, %llu of them while pages were free\n",
		(unsigned long long)total, seconds, phase, (unsigned long long)handlers,
		(unsigned long long)errnos, (unsigned long long)short_answers,
		(unsigned long long)broken);
	require(!hz || handlers);
	return broken + errnos;
}

static void everything(void **state)
{
	bool control = env_number("PP_CHAOS_CONTROL", 1);
	double start = now_s();
	uint64_t total = 0, broken;
	unsigned int i, k;

	hz = env_number("PP_CHAOS_HZ", 1000);
	collect();
	chaos_signals_init(); /* a signal is blocked before the library sees this thread */
	chaos_zones_new();
	chaos_depots_new();
	for (i = 0; i < CHAOS_THREADS; i++) {
		chaos_workers[i].id = i;
		chaos_workers[i].rng = rng_init(i);
		chaos_workers[i].handler_rng = rng_init(100 + i);
		for (k = 0; k < CHAOS_POOLS; k++)
			pthread_rwlock_init(&chaos_workers[i].pools[k].lock, NULL);
	}
	chaos_watch_start();
	while (total < wanted) {
		run_phase(control);
		total += PHASE * CHAOS_THREADS;
		rest(total >= wanted);
		phase++;
	}
	chaos_watch_stop();
	broken = sum_up(now_s() - start, total);
	chaos_zones_end();
	chaos_depots_end();
	assert_true(!broken || env_number("PP_CHAOS_COUNT", 0));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(everything) };

	if (argc > 3) {
		fprintf(stderr, "usage: %s [OPERATIONS [SEED]]\n", argv[0]);
		return 2;
	}
	if (argc > 2)
		setenv("PP_SEED", argv[2], 1);
	if (argc > 1)
		wanted = strtoull(argv[1], NULL, 0);
	/* the watchdog of chaos_watch.c says more; this one is for the rests */
	return test_main("chaos", tests, ARRAY_LEN(tests), 4 * 3600);
}
