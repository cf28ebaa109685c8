/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * accept_race.c - blocks that come, go or hang while others look for pages, runs and ranges
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include <pagepool/memory.h>

#include "harness.h"

#define BLOCK 512u /* pages of 4 KiB */
#define MOST  (64 * BLOCK)

/* Firmware that can be told to hang, and then answers all at once. */
static struct {
	unsigned int delay_us;
	int hang; /* the next so many calls do */
	int hanging;
	int accepted;
} fw;

static int fw_accept(void *arg, void *base, size_t len)
{
	if (fw.delay_us)
		sleep_us(fw.delay_us);
	if (__atomic_load_n(&fw.hang, __ATOMIC_ACQUIRE) > 0 &&
	    __atomic_fetch_sub(&fw.hang, 1, __ATOMIC_ACQ_REL) > 0) {
		__atomic_fetch_add(&fw.hanging, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&fw.hanging, __ATOMIC_ACQUIRE))
			sleep_us(200);
	}
	__atomic_fetch_add(&fw.accepted, 1, __ATOMIC_RELAXED);
	return 0;
}

static const struct pp_zone_ops ops = { .accept = fw_accept };

static struct pp_zone_params lazy_params(uint64_t pages, uint32_t flags)
{
	struct pp_zone_params p = zone_params(pages);

	memset(&fw, 0, sizeof(fw));
	p.page_size = 4096;
	p.flags = PP_ZONE_LAZY | flags;
	p.ops = &ops;
	p.drain_us = 10000000; /* others are waited for, however busy the machine */
	return p;
}

struct taker {
	struct pp_zone *zone;
	unsigned int order;
	unsigned int most;
	unsigned int n;
	struct pp_page *pages[MOST];
};

static struct taker takers[4];

static void take(void *arg)
{
	struct taker *t = arg;

	while (t->n < t->most && pp_zone_alloc_order_bulk(t->zone, t->order, t->pages + t->n, 1))
		t->n++;
}

static void give(struct taker *t)
{
	while (t->n)
		pp_zone_free_order_bulk(t->zone, &t->pages[--t->n], 1);
}

static void take_by(struct taker *t, struct pp_zone *zone, unsigned int order, unsigned int most)
{
	t->zone = zone;
	t->order = order;
	t->most = most;
	t->n = 0;
}

static void wait_hanging(int n)
{
	while (__atomic_load_n(&fw.hanging, __ATOMIC_ACQUIRE) < n)
		sleep_us(200);
}

static void let_go(struct pinned *thread)
{
	__atomic_store_n(&fw.hanging, 0, __ATOMIC_RELEASE);
	pinned_join(thread);
}

/* Until nothing is left: nobody is told so while a block is on its way. */
static void nobody_is_short(void **state)
{
	static const uint32_t flags[] = { 0, PP_ZONE_ACCEPT_THREAD,
					  PP_ZONE_ACCEPT_THREAD | PP_ZONE_SIGNAL_SAFE };
	double end = now_s() + test_seconds("PP_ACCEPT_SECONDS", 1, 30);
	struct pinned threads[ARRAY_LEN(takers)];
	struct pp_zone_params p;
	unsigned int i, n, round;
	struct pp_zone *zone;
	struct rng r = rng_init(5);

	/* a busy machine does few rounds in that time */
	for (round = 0; now_s() < end || round <= 10; round++) {
		p = lazy_params(2 * BLOCK, flags[round % 3]);
		fw.delay_us = round & 4 ? rng_below(&r, 300) : 0;
		zone = zone_new(&p);
		for (i = n = 0; i < ARRAY_LEN(takers); i++) {
			take_by(&takers[i], zone, 0, MOST);
			pinned_start(&threads[i], -1, take, &takers[i]);
		}
		for (i = 0; i < ARRAY_LEN(takers); i++) {
			pinned_join(&threads[i]);
			n += takers[i].n;
		}
		require(n == 2 * BLOCK);
		for (i = 0; i < ARRAY_LEN(takers); i++)
			give(&takers[i]);
		zone_end(zone);
	}
	print_message("# %u rounds\n", round);
	assert_true(round > 10);
}

/*
 * An acceptor that has claimed its block and stands still: no lock is held, others take
 * other blocks, and a thread that needs that very block gives up in time.
 */
static void stalled(void **state)
{
	struct pp_zone_params p = lazy_params(4 * BLOCK, 0);
	struct pp_zone *zone;
	struct pinned thread;
	struct pp_page *first;
	double start;

	p.drain_us = 30000;
	zone = zone_new(&p);
	fw.hang = 1;
	take_by(&takers[0], zone, 0, 1);
	pinned_start(&thread, -1, take, &takers[0]);
	wait_hanging(1);
	take_by(&takers[1], zone, 0, MOST);
	start = now_s();
	take(&takers[1]);
	assert_int_equal(takers[1].n, 3 * BLOCK);
	assert_true(now_s() - start > 0.029 && now_s() - start < 5);
	assert_int_equal(zone_stats(zone).unaccepted, BLOCK);
	/* a call for all of it, or for runs of it, ends in time as well */
	give(&takers[1]);
	assert_int_equal(pp_zone_alloc_contig(zone, 4 * BLOCK, 1, PP_CONTIG_NORMAL, 0, &first),
			 -EBUSY);
	assert_int_equal(pp_zone_alloc_contig(zone, 4 * BLOCK, 1, PP_CONTIG_HARD, 50000, &first),
			 -ETIMEDOUT);
	take_by(&takers[1], zone, 9, 4);
	take(&takers[1]);
	assert_int_equal(takers[1].n, 3);
	give(&takers[1]);
	/* neither isolating nor giving back waits for it */
	assert_int_equal(pp_zone_isolate_hard(zone, 0, 4 * BLOCK, 100000), 0);
	assert_int_equal(pp_zone_isolate_hard_undo(zone, 0, 4 * BLOCK), 0);
	assert_int_equal(pp_zone_offline(zone, 0, 4 * BLOCK, 50000), -EBUSY);
	assert_int_equal(pp_zone_shrink(zone, 0) % (2 << 20), 0);
	assert_true(now_s() - start < 10);
	let_go(&thread);
	assert_int_equal(takers[0].n, 1);
	zone_check(zone, 1);
	give(&takers[0]);
	zone_end(zone);
}

/* Single pages in use everywhere, so that only an unaccepted block has the run. */
static void runs_where_pages_are_in_pieces(void **state)
{
	static const uint32_t flags[] = { 0, PP_ZONE_ACCEPT_THREAD,
					  PP_ZONE_ACCEPT_THREAD | PP_ZONE_SIGNAL_SAFE };
	struct pp_page *kept[8 * BLOCK], *run;
	struct pp_zone_params p;
	struct pp_zone *zone;
	unsigned int i, k, n;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		p = lazy_params(16 * BLOCK, flags[i]);
		zone = zone_new(&p);
		take_by(&takers[0], zone, 0, 8 * BLOCK);
		take(&takers[0]);
		assert_int_equal(takers[0].n, 8 * BLOCK);
		for (k = n = 0; k < 8 * BLOCK; k++) {
			if (page_index(zone, takers[0].pages[k]) % 8)
				pp_zone_free_bulk(zone, &takers[0].pages[k], 1);
			else
				kept[n++] = takers[0].pages[k];
		}
		for (k = 0; k < 8; k++) {
			takers[1].n = pp_zone_alloc_order_bulk(zone, 9, &run, 1);
			assert_int_equal(takers[1].n, 1);
			takers[1].pages[k] = run;
		}
		for (k = 0; k < 8; k++)
			pp_zone_free_order_bulk(zone, &takers[1].pages[k], 1);
		while (n)
			pp_zone_free_bulk(zone, &kept[--n], 1);
		zone_end(zone);
	}
}

static void get_one(void *arg)
{
	struct taker *t = arg;

	t->n = pp_zone_alloc_bulk(t->zone, t->pages, 1);
}

/* What is being accepted when it is taken offline goes offline, or the answer is not 0. */
static void offline_of_what_comes(void **state)
{
	struct pp_zone_params p = lazy_params(4 * BLOCK, 0);
	struct pinned thread;
	struct pp_zone *zone;
	unsigned int i, round, gone = 0;
	int err;

	for (round = 0; round < 20; round++) {
		p = lazy_params(4 * BLOCK, 0);
		p.low = 1;
		zone = zone_new(&p);
		fw.hang = 1;
		take_by(&takers[0], zone, 0, 1);
		pinned_start(&thread, -1, get_one, &takers[0]);
		wait_hanging(1);
		err = pp_zone_offline(zone, 0, 4 * BLOCK, 5000);
		assert_int_equal(err, -EBUSY);
		__atomic_store_n(&fw.hanging, 0, __ATOMIC_RELEASE);
		/* on its way while it is waited for */
		err = pp_zone_offline(zone, 0, 4 * BLOCK, 2000);
		assert_true(!err || err == -EBUSY);
		gone += !err && zone_stats(zone).unaccepted == 4 * BLOCK;
		pinned_join(&thread);
		for (i = 0; i < takers[0].n; i++)
			pp_zone_free_bulk(zone, takers[0].pages, 1);
		assert_int_equal(pp_zone_offline(zone, 0, 4 * BLOCK, 100000), 0);
		assert_int_equal(zone_stats(zone).unaccepted, 4 * BLOCK);
		zone_end(zone);
	}
	print_message("# %u of %u offline at once\n", gone, round);
}

/* ---- other nodes ----------------------------------------------------------------------------- */

static struct {
	struct pp_zone *slow;
	bool stop;
} grow_zone;

/* As long as there are enough for the bystander. */
static void grow(void *arg)
{
	struct taker *t = arg;

	while (!__atomic_load_n(&grow_zone.stop, __ATOMIC_ACQUIRE) && t->n < MOST - 2 * BLOCK)
		t->n += pp_zone_alloc_bulk(t->zone, t->pages + t->n, 1);
}

struct bystander {
	struct pp_zone *zone;
	long waits;
	uint64_t calls;
};

/* RUSAGE_THREAD counts how often a thread slept of its own accord: a lock, a futex, a nap. */
static void stand_by(void *arg)
{
	struct bystander *b = arg;
	struct pp_page *pages[32];
	struct rusage before, after;

	require(pp_zone_alloc_bulk(b->zone, pages, 32) == 32);
	pp_zone_free_bulk(b->zone, pages, 32);
	require(!getrusage(RUSAGE_THREAD, &before));
	while (!__atomic_load_n(&grow_zone.stop, __ATOMIC_ACQUIRE)) {
		require(pp_zone_alloc_bulk(b->zone, pages, 32) == 32);
		pp_zone_free_bulk(b->zone, pages, 32);
		__atomic_store_n(&b->calls, b->calls + 1, __ATOMIC_RELAXED);
	}
	require(!getrusage(RUSAGE_THREAD, &after));
	b->waits = after.ru_nvcsw - before.ru_nvcsw;
}

static bool many_calls(const struct bystander *b)
{
	return __atomic_load_n(&b->calls, __ATOMIC_RELAXED) > 100;
}

/* One zone's memory is slow to come: the second zone's threads never wait, nor accept for it. */
static void another_zone_never_waits(void **state)
{
	struct pp_zone_params p = lazy_params(MOST, 0), q = lazy_params(8 * BLOCK, 0);
	double start = now_s();
	struct bystander same, other;
	struct pinned grower, a, b;
	unsigned int accepts;

	need_two_cpus();
	q.ops = NULL;
	grow_zone.stop = false;
	grow_zone.slow = zone_new(&p);
	same = (struct bystander){ .zone = grow_zone.slow };
	other = (struct bystander){ .zone = zone_new(&q) };
	take_by(&takers[1], other.zone, 0, 64);
	take(&takers[1]);
	give(&takers[1]);
	accepts = (unsigned int)zone_stats(other.zone).accepts;
	fw.delay_us = 1000;
	take_by(&takers[0], grow_zone.slow, 0, MOST);
	pinned_start(&grower, (int)test_cpu(1), grow, &takers[0]);
	pinned_start(&a, (int)test_cpu(0), stand_by, &same);
	pinned_start(&b, (int)test_cpu(0), stand_by, &other);
	do /* longer on a busy machine */
		sleep_us(150000);
	while (!(many_calls(&same) && many_calls(&other)) && now_s() < start + 10);
	__atomic_store_n(&grow_zone.stop, true, __ATOMIC_RELEASE);
	pinned_join(&grower);
	pinned_join(&a);
	pinned_join(&b);
	print_message("# %d blocks of 1 ms; waits: same zone %ld in %llu calls, other zone %ld in "
		      "%llu\n",
		      fw.accepted, same.waits, (unsigned long long)same.calls, other.waits,
		      (unsigned long long)other.calls);
	assert_true(fw.accepted > 3 && other.calls > 100 && same.calls > 100);
	assert_int_equal(other.waits, 0);
	assert_int_equal(zone_stats(other.zone).accepts, accepts);
	/* it has free pages, and meets the acceptor at the zone's lock at most */
	assert_true(same.waits <= fw.accepted);
	give(&takers[0]);
	zone_end(grow_zone.slow);
	zone_end(other.zone);
}

/* ---- what lazy is for ------------------------------------------------------------------------ */

static double first_page(uint32_t flags, double *created)
{
	struct pp_zone_params p = zone_params(1 << 16); /* 256 MiB; eager has to find it */
	struct pp_zone *zone;
	struct pp_page *page;
	double start = now_s(), t;

	p.page_size = 4096;
	p.flags = flags;
	zone = zone_new(&p);
	*created = now_s() - start;
	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	page->addr[0] = 1;
	t = now_s() - start;
	pp_zone_free_bulk(zone, &page, 1);
	zone_end(zone);
	return t;
}

static void first_page_is_sooner(void **state)
{
	double lazy = 1e9, eager = 1e9, made, t;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		t = first_page(PP_ZONE_LAZY, &made);
		lazy = t < lazy ? t : lazy;
	}
	eager = first_page(0, &made);
	print_message(
		"# 256 MiB, to the first page: lazy %.3f ms, eager %.3f ms: %.0f times sooner\n",
		lazy * 1e3, eager * 1e3, eager / lazy);
	assert_true(eager > 20 * lazy);
}

/* A zone may end while its acceptor is at work. */
static void end_of_a_busy_zone(void **state)
{
	struct pp_zone_params p;
	struct pp_zone *zone;
	struct pp_page *page;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		p = lazy_params(16 * BLOCK,
				PP_ZONE_ACCEPT_THREAD | (i & 1 ? PP_ZONE_SIGNAL_SAFE : 0));
		fw.delay_us = i % 5 * 300;
		zone = zone_new(&p);
		if (i % 3) {
			assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
			assert_int_equal(pp_zone_destroy(zone), -EBUSY);
			pp_zone_free_bulk(zone, &page, 1);
		}
		assert_int_equal(pp_zone_destroy(zone), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_short),
		cmocka_unit_test(stalled),
		cmocka_unit_test(runs_where_pages_are_in_pieces),
		cmocka_unit_test(offline_of_what_comes),
		cmocka_unit_test(another_zone_never_waits),
		cmocka_unit_test(first_page_is_sooner),
		cmocka_unit_test(end_of_a_busy_zone),
	};

	return test_main("accept_race", tests, ARRAY_LEN(tests),
			 120 + (unsigned int)test_seconds("PP_ACCEPT_SECONDS", 1, 30) * 2);
}
