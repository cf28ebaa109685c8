/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.c - producers of a pool's ring: under the lock, and the sole one without it
 */
#include "harness.h"

#include "base/barrier.h"
#include "base/ring.h"

#define PATIENCE_S 20

static struct pp_ring ring;
static uintptr_t made, eaten;

static void ring_new(uint32_t size)
{
	memset(&ring, 0, sizeof(ring));
	require(!ring_init(&ring, size));
	ring.may_be_sole = true;
	made = eaten = 0;
}

/* One object; its number says that none is lost, none comes twice, and all are in order. */
static bool give(void)
{
	void *obj = (void *)(made + 1);

	if (!ring_produce(&ring, &obj, 1))
		return false;
	made++;
	return true;
}

static void eat_all(void)
{
	void *objs[64];
	unsigned int n, i;

	while ((n = ring_consume(&ring, objs, 64)))
		for (i = 0; i < n; i++)
			require((uintptr_t)objs[i] == ++eaten);
}

static void give_many(void *arg)
{
	unsigned int n = *(unsigned int *)arg;

	while (n--) {
		require(give());
		eat_all();
	}
}

static void give_in_thread(unsigned int n)
{
	run_on(-1, give_many, &n);
}

static void becomes_sole(void)
{
	unsigned int n = RING_STREAK + 1;

	give_many(&n);
	require(ring.sole && ring.sole->thread == thread_id());
}

static void ring_end(void)
{
	ring_close(&ring);
	assert_false(give());
	eat_all();
	assert_int_equal(made, eaten);
	assert_int_equal(ring.produced, made);
	ring_fini(&ring);
}

/* ---- one thread at a time -------------------------------------------------------------------- */

static void streak_makes_sole(void **state)
{
	unsigned int n = RING_STREAK / 2, i;

	ring_new(64);
	for (i = 0; i < 4; i++) { /* neither has a streak */
		give_many(&n);
		give_in_thread(n);
	}
	assert_null(ring.sole);
	becomes_sole();
	pp_lock(&ring.lock); /* it waits for no holder */
	for (i = 0; i < 60; i++)
		assert_true(give());
	pp_unlock(&ring.lock);
	ring_end();
}

static void never_where_barriers_fail(void **state)
{
	unsigned int n = 4 * RING_STREAK;

	ring_new(64);
	ring.may_be_sole = false;
	give_many(&n);
	assert_null(ring.sole);
	ring_end();
}

static void another_producer_ends_it(void **state)
{
	unsigned int needed;

	ring_new(64);
	becomes_sole();
	give_in_thread(1);
	assert_null(ring.sole);
	assert_null(ring.leaving);
	needed = ring.streak_needed;
	assert_int_equal(needed, 2 * RING_STREAK); /* it was not worth a barrier */
	give_many(&needed);
	give_many(&needed);
	assert_non_null(ring.sole);
	needed = 4 * RING_STREAK;
	give_many(&needed);
	give_in_thread(1);
	assert_int_equal(ring.streak_needed, RING_STREAK); /* this was */
	ring_end();
}

static void full_ring_refuses(void **state)
{
	void *objs[64];
	unsigned int i;

	ring_new(64);
	becomes_sole();
	eat_all();
	for (i = 0; i < 64; i++)
		assert_true(give());
	assert_false(give());
	assert_int_equal(ring_refused(&ring), 1);
	assert_int_equal(ring.max, 64);
	for (i = 0; i < 64; i++)
		objs[i] = (void *)(made + 1 + i);
	assert_int_equal(ring_consume(&ring, objs, 0), 0);
	eat_all();
	assert_int_equal(ring_produce(&ring, objs, 64), 64);
	made += 64;
	ring_end();
}

/* A place of a dead thread is free again. */
static void generations(void **state)
{
	unsigned int n = 16 * RING_STREAK, i;

	ring_new(64);
	for (i = 0; i < 3 * RING_SOLES; i++) {
		give_in_thread(n);
		assert_non_null(ring.sole);
	}
	ring_end();
}

/* ---- a sole producer that is stopped in its turn --------------------------------------------- */

static void give_refused(void *arg)
{
	require(!give());
}

static void stopped_in_a_turn(void **state)
{
	struct ring_sole *sole;

	ring_new(64);
	becomes_sole();
	sole = ring.sole;
	WRITE_ONCE(sole->turn, sole->turn + 1);
	run_on(-1, give_refused, NULL);
	run_on(-1, give_refused, NULL);
	assert_int_equal(ring_refused(&ring), 2);
	assert_int_equal(ring_turn(&ring) & 1, 1); /* a reader of the counters sees it */
	store_release(&sole->turn, sole->turn + 1);
	give_in_thread(1);
	assert_null(ring.leaving);
	ring_end();
}

static void close_it(void *arg)
{
	ring_close(&ring);
	store_release((bool *)arg, true);
}

static void close_waits_for_the_turn(void **state)
{
	double end = now_s() + PATIENCE_S;
	struct ring_sole *sole;
	struct pinned thread;
	bool closed = false;

	ring_new(64);
	becomes_sole();
	sole = ring.sole;
	WRITE_ONCE(sole->turn, sole->turn + 1);
	pinned_start(&thread, -1, close_it, &closed);
	while (!READ_ONCE(ring.closed))
		require(now_s() < end);
	sleep_us(5000);
	require(!load_acquire(&closed));
	store_release(&sole->turn, sole->turn + 1);
	pinned_join(&thread);
	require(closed);
	ring_end();
}

/* ---- all at once ----------------------------------------------------------------------------- */

#define GIVERS 3u
#define OBJS   256u

struct giver {
	struct pinned thread;
	uint64_t stream;
	unsigned int burst;
	uint64_t given;
	uint64_t refused;
	uint64_t sole;
};

static unsigned int stop;
static unsigned char out[OBJS + 1]; /* 1: with a giver; it, or the consumer, writes it */
static struct pp_ring back; /* of objects that were eaten, to the givers */

/* Objects of the other ring. Its consumers take turns under a lock. */
static struct pp_lock fetching;

static unsigned int fetch(void **objs, unsigned int n)
{
	unsigned int i, k;

	pp_lock(&fetching);
	k = ring_consume(&back, objs, n);
	pp_unlock(&fetching);
	for (i = 0; i < k; i++)
		require(!__atomic_exchange_n(&out[(uintptr_t)objs[i]], 1, __ATOMIC_RELAXED));
	return k;
}

static void give_back(struct giver *g, void **objs, unsigned int n)
{
	unsigned int i, k;

	for (i = 0; i < n; i++)
		require(__atomic_exchange_n(&out[(uintptr_t)objs[i]], 0, __ATOMIC_RELAXED));
	k = ring_produce(&ring, objs, n);
	g->given += k;
	if (k == n)
		return;
	g->refused += n - k;
	require(ring_produce(&back, objs + k, n - k) == n - k);
}

static void giver_main(void *arg)
{
	struct giver *g = arg;
	struct rng rng = rng_init(g->stream);
	unsigned int i, n;
	void *objs[8];

	while (!load_acquire(&stop)) {
		for (i = 0; i < g->burst && !load_acquire(&stop); i++) {
			n = fetch(objs, 1 + rng_below(&rng, 8));
			if (n)
				give_back(g, objs, n);
			else
				sched_yield();
			g->sole += load_acquire(&ring.sole) != NULL;
		}
		sleep_us(1 + rng_below(&rng, 2000));
	}
}

/* From the ring to the other one; objects. */
static unsigned int pass_on(void)
{
	void *objs[64];
	unsigned int n = ring_consume(&ring, objs, 64);

	if (!n)
		sched_yield();
	require(ring_produce(&back, objs, n) == n);
	return n;
}

static void giver_start(struct giver *g, unsigned int i, unsigned int burst)
{
	g->stream = i;
	g->burst = burst;
	pinned_start(&g->thread, (int)test_cpu(i % test_cpus()), giver_main, g);
}

/*
 * Producers of bursts that are longer and shorter than a streak; every object is at one place. The
 * first one is alone until it is the sole producer.
 */
static void producers_at_once(void **state)
{
	static const unsigned int bursts[GIVERS] = { 100000, 4 * RING_STREAK, 1 };
	double end = now_s() + PATIENCE_S;
	struct giver g[GIVERS];
	uint64_t given = 0, refused = 0, sole = 0, n = 0;
	unsigned int i;
	void *obj;

	ring_new(64); /* so that it is full at times */
	memcpy(&back, &ring, sizeof(ring));
	require(!ring_init(&back, OBJS));
	back.may_be_sole = false;
	for (i = 1; i <= OBJS; i++) {
		obj = (void *)(uintptr_t)i;
		require(ring_produce(&back, &obj, 1) == 1);
	}
	stop = 0;
	memset(g, 0, sizeof(g));
	giver_start(&g[0], 0, bursts[0]);
	for (; !load_acquire(&ring.sole); n += pass_on())
		require(now_s() < end);
	for (i = 1; i < GIVERS; i++)
		giver_start(&g[i], i, bursts[i]);
	end = now_s() + test_seconds("PP_RING_SECONDS", 0.7, 10);
	while (now_s() < end)
		n += pass_on();
	store_release(&stop, 1);
	for (i = 0; i < GIVERS; i++) {
		pinned_join(&g[i].thread);
		given += g[i].given;
		refused += g[i].refused;
		sole += g[i].sole;
	}
	n += ring_count(&ring);
	print_message("%llu objects, %llu refused, %llu calls beside a sole producer\n",
		      (unsigned long long)n, (unsigned long long)refused, (unsigned long long)sole);
	assert_int_equal(n, given);
	assert_int_equal(ring.produced, given);
	assert_int_equal(ring_refused(&ring), refused);
	assert_int_equal(ring_count(&ring) + ring_count(&back), OBJS);
	ring_fini(&back);
	ring_close(&ring);
	ring_fini(&ring);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(streak_makes_sole),
		cmocka_unit_test(never_where_barriers_fail),
		cmocka_unit_test(another_producer_ends_it),
		cmocka_unit_test(full_ring_refuses),
		cmocka_unit_test(generations),
		cmocka_unit_test(stopped_in_a_turn),
		cmocka_unit_test(close_waits_for_the_turn),
		cmocka_unit_test(producers_at_once),
	};

	if (barrier_register())
		skip_because("%s", pp_error());
	return test_main("ring", tests, ARRAY_LEN(tests), 120);
}
