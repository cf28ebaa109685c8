/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_model.c - random calls, by an owner and by threads that return pages, against a naive model
 *
 * PP_MODEL_SECONDS: how long (1.5; with PP_FULL=1 60). PP_SEED: which order. Every so often the
 * threads are waited for, and then all sums must hold exactly.
 */
#include <string.h>

#include "pool/pool_ops.h"

#define THREADS 3u
#define BOX	128u

/* What a thread was given and has not returned yet: the owner writes, it reads. */
static struct box {
	struct model *m;
	pthread_mutex_t lock;
	struct model_ref refs[BOX];
	unsigned int n;
	bool stop;
	uint64_t returned;
	unsigned int id;
} boxes[THREADS];

static bool trimming;
static uint64_t trims; /* that got something */

static bool into_a_box(struct model *m, struct model_ref ref)
{
	struct box *box = &boxes[rng_below(&m->from.rng, THREADS)];
	bool fits;

	pthread_mutex_lock(&box->lock);
	fits = box->n < BOX;
	if (fits)
		box->refs[box->n++] = ref;
	pthread_mutex_unlock(&box->lock);
	return fits;
}

/* @refs: room for BOX */
static unsigned int empty_box(struct box *box, struct model_ref *refs, bool *stop)
{
	unsigned int n;

	pthread_mutex_lock(&box->lock);
	n = box->n;
	memcpy(refs, box->refs, n * sizeof(*refs));
	box->n = 0;
	*stop = box->stop;
	pthread_mutex_unlock(&box->lock);
	return n;
}

static void return_pages(void *arg)
{
	struct box *box = arg;
	struct rng r = rng_init(100 + box->id);
	struct model_ref refs[BOX];
	unsigned int n, i, k;
	bool stop;

	do {
		n = empty_box(box, refs, &stop);
		for (i = 0; i < n; i += k) {
			k = 1 + rng_below(&r, 20);
			k = k < n - i ? k : n - i;
			model_drop(box->m, refs + i, k, rng_below(&r, 2));
		}
		__atomic_fetch_add(&box->returned, n, __ATOMIC_RELEASE);
		if (!n)
			sched_yield();
	} while (n || !stop);
}

/* A thread that empties pools and caches of others, and reads their state. */
static void trim_pools(void *arg)
{
	struct rng r = rng_init(200);
	struct model_life *life;
	struct model *m = arg;
	struct page_pool_stats s;
	long n;

	while (__atomic_load_n(&trimming, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&m->ending);
		life = &m->lives[m->life[rng_below(&r, MODEL_POOLS)]];
		n = page_pool_trim(life->pool, rng_below(&r, 32), 2000);
		trims += drain_done(n) && n > 0;
		s = pool_stats(life->pool);
		require(s.cache <= life->cache && s.ring <= life->ring);
		pthread_mutex_unlock(&m->ending);
		if (rng_below(&r, 16) == 0)
			drain_done(pp_zone_drain_all(m->zone, 2000));
		if (rng_below(&r, 16) == 0)
			sleep_us(rng_below(&r, 50));
	}
}

static void threads_start(struct model *m, struct pinned *threads)
{
	unsigned int i;

	m->others = m->gave = true;
	m->give_away = into_a_box;
	__atomic_store_n(&trimming, true, __ATOMIC_RELAXED);
	pinned_start(&threads[THREADS], -1, trim_pools, m);
	for (i = 0; i < THREADS; i++) {
		boxes[i].m = m;
		boxes[i].stop = false;
		boxes[i].id = i;
		pinned_start(&threads[i], i ? -1 : (int)test_cpu(0), return_pages, &boxes[i]);
	}
}

static void threads_join(struct model *m, struct pinned *threads)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		pthread_mutex_lock(&boxes[i].lock);
		boxes[i].stop = true;
		pthread_mutex_unlock(&boxes[i].lock);
	}
	__atomic_store_n(&trimming, false, __ATOMIC_RELAXED);
	for (i = 0; i <= THREADS; i++)
		pinned_join(&threads[i]);
	m->others = false;
	m->give_away = NULL;
}

/* one thread, all sums after every tenth step */
static void model_alone(void **state)
{
	double end = now_s() + test_seconds("PP_MODEL_SECONDS", 1.5, 60) / 3;
	struct model *m = malloc(sizeof(*m));
	uint64_t rounds, steps = 0;
	unsigned int i;

	require(m);
	for (rounds = 0; now_s() < end; rounds++) {
		model_init(m, NULL, 0, 1000 + rounds);
		for (i = 0; i < 2000; i++) {
			model_step(m);
			if (i % 10 == 0)
				model_check(m);
		}
		model_fini(m);
		steps += i;
	}
	print_message("# %llu steps\n", (unsigned long long)steps);
	free(m);
}

static void model_with_threads(void **state)
{
	double end = now_s() + test_seconds("PP_MODEL_SECONDS", 1.5, 60) * 2 / 3;
	struct model *m = malloc(sizeof(*m));
	struct pinned threads[THREADS + 1];
	uint64_t rounds, steps = 0, returned = 0;
	unsigned int i, part;

	require(m);
	for (i = 0; i < THREADS; i++)
		pthread_mutex_init(&boxes[i].lock, NULL);
	for (rounds = 0; now_s() < end; rounds++) {
		model_init(m, NULL, 0, 2000 + rounds);
		for (part = 0; part < 4; part++) {
			threads_start(m, threads);
			for (i = 0; i < 1500; i++)
				model_step(m);
			threads_join(m, threads);
			model_check(m);
			steps += i;
		}
		model_fini(m);
	}
	for (i = 0; i < THREADS; i++)
		returned += boxes[i].returned;
	print_message("# %llu steps, %llu references returned by others, %llu trims\n",
		      (unsigned long long)steps, (unsigned long long)returned,
		      (unsigned long long)trims);
	assert_true(returned > 0 && trims > 0);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_alone),
		cmocka_unit_test(model_with_threads),
	};

	return test_main("pool_model", tests, ARRAY_LEN(tests), 300);
}
