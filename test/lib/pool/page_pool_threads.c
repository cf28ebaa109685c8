/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool_threads.c - returns from other threads, last references, and the end of a pool
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

struct giver {
	struct page_pool *pool;
	struct pp_page **pages;
	unsigned int n;
	unsigned int *go;
	bool bulk;
	bool direct;
};

static void give_main(void *arg)
{
	struct giver *g = arg;
	unsigned int i, n;

	while (g->go && !__atomic_load_n(g->go, __ATOMIC_ACQUIRE))
		;
	for (i = 0; i < g->n; i += n) {
		n = 1;
		if (g->bulk) {
			n = g->n - i < 7 ? g->n - i : 7;
			page_pool_put_bulk(g->pages + i, n);
		} else {
			page_pool_put_page(g->pool, g->pages[i], g->direct);
		}
	}
}

static void take(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	require(page_pool_alloc_bulk(pool, pages, n) == n);
}

/* an owner allocates from what two others return all the time: the ring is the only way back */
static void ring_from_others(void **state)
{
	struct pp_zone_params zp = zone_params(512);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pool = pool_new(zone, 256, 64, 32);
	struct pp_page *pages[2][100];
	struct giver g[2];
	struct pinned threads[2];
	struct page_pool_stats s;
	unsigned int round, i;

	for (round = 0; round < 300; round++) {
		for (i = 0; i < 2; i++) {
			take(pool, pages[i], 100);
			g[i] = (struct giver){ pool, pages[i], 100, NULL, i == 0, false };
		}
		for (i = 0; i < 2; i++)
			pinned_start(&threads[i], -1, give_main, &g[i]);
		for (i = 0; i < 2; i++)
			pinned_join(&threads[i]);
		pool_check(pool, 0);
	}
	s = pool_stats(pool);
	assert_int_equal(s.recycle_ring, 300 * 200);
	assert_int_equal(s.recycle_cached, 0);
	assert_int_equal(s.recycle_ring_full, 0);
	assert_int_equal(s.wrong_owner, 0);
	page_pool_destroy(pool);
	zone_end(zone);
}

struct pipe {
	struct page_pool *pool;
	struct pp_page *slots[64];
	unsigned int stop;
};

static void pipe_drain(void *arg)
{
	struct pipe *p = arg;
	struct pp_page *batch[64], *page;
	unsigned int i, n, stop;

	do {
		stop = __atomic_load_n(&p->stop, __ATOMIC_ACQUIRE);
		for (i = n = 0; i < 64; i++) {
			page = __atomic_exchange_n(&p->slots[i], NULL, __ATOMIC_ACQ_REL);
			if (page)
				batch[n++] = page;
		}
		page_pool_put_bulk(batch, n);
	} while (!stop || n);
}

/* both sides at once: the owner refills while two others push */
static void ring_concurrent(void **state)
{
	struct pp_zone_params zp = zone_params(256);
	struct pp_zone *zone = zone_new(&zp);
	struct pipe p = { .pool = pool_new(zone, 64, 32, 16) };
	double end = now_s() + 0.7;
	struct pinned threads[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), pipe_drain, &p);
	while (now_s() < end)
		for (i = 0; i < 64; i++) {
			struct pp_page *page = page_pool_alloc_pages(p.pool);

			if (!page)
				continue;
			page_is_fresh(zone, page);
			page = __atomic_exchange_n(&p.slots[i], page, __ATOMIC_ACQ_REL);
			if (page)
				page_pool_recycle_direct(p.pool, page);
		}
	__atomic_store_n(&p.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pinned_join(&threads[i]);
	pool_check(p.pool, 0);
	assert_true(pool_stats(p.pool).recycle_ring > 0);
	assert_true(pool_stats(p.pool).alloc_refill > 0);
	page_pool_destroy(p.pool);
	zone_end(zone);
}

static void wrong_owner_child(struct page_pool *pool, struct pp_page **pages)
{
	struct giver g = { pool, pages, 1, NULL, false, true };
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	run_on(-1, give_main, &g);
	_exit(0);
}

static void wrong_owner_aborts(struct page_pool *pool, struct pp_page **pages)
{
	int status;
	pid_t pid;

	pid = child_fork();
	if (!pid)
		wrong_owner_child(pool, pages);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void wrong_owner_counted(struct page_pool *pool, struct pp_page **pages)
{
	struct giver g = { pool, pages, 5, NULL, false, true };
	struct page_pool_stats s;

	run_on(-1, give_main, &g);
	s = pool_stats(pool);
	assert_int_equal(s.wrong_owner, 5);
	assert_int_equal(s.recycle_cached, 0);
	assert_int_equal(s.recycle_ring, 5);
	pool_check(pool, 3);
}

/* PP_DEBUG is what the library was configured with: -Ddebug_checks */
static void wrong_owner(void **state)
{
	struct pp_zone_params zp = zone_params(64);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pool = pool_new(zone, 0, 0, 0);
	struct pp_page *pages[8];

	take(pool, pages, 8);
	if (PP_DEBUG) {
		wrong_owner_aborts(pool, pages);
		page_pool_put_bulk(pages, 8);
	} else {
		wrong_owner_counted(pool, pages);
		page_pool_put_bulk(pages + 5, 3);
	}
	page_pool_destroy(pool);
	zone_end(zone);
}

struct last {
	struct page_pool *pool;
	struct pp_page **pages;
	unsigned int n;
	unsigned int *arrived;
	bool bulk;
	bool foreign;
};

static void drop_last(void *arg)
{
	struct last *l = arg;
	struct pp_page *page;
	unsigned int i;

	for (i = 0; i < l->n; i++) {
		page = l->pages[i];
		meet(l->arrived, i);
		if (l->foreign)
			pp_page_put(page);
		else if (l->bulk)
			page_pool_put_bulk(&page, 1);
		else
			page_pool_put_page(l->pool, page, false);
	}
}

/* two threads, on two CPUs if there are two, drop what is left of each page at the same time */
static void drop_together(struct page_pool *pool, struct pp_page **pages, bool foreign)
{
	unsigned int i, arrived = 0;
	struct pinned threads[2];
	struct last l[2];

	for (i = 0; i < 2; i++) {
		l[i] = (struct last){ pool, pages, 200, &arrived, i == 1, foreign && i == 1 };
		pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), drop_last, &l[i]);
	}
	for (i = 0; i < 2; i++)
		pinned_join(&threads[i]);
}

/* the last two references of the pool: exactly one of the threads recycles the page */
static void last_reference(void **state)
{
	struct pp_zone_params zp = zone_params(512);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pool = pool_new(zone, 1024, 64, 64);
	struct pp_page *pages[200];
	unsigned int round, i;

	for (round = 0; round < 50; round++) {
		take(pool, pages, 200);
		for (i = 0; i < 200; i++) {
			require(pages[i]->pp_refs == 1);
			page_pool_fragment_page(pages[i], 2);
		}
		drop_together(pool, pages, false);
		pool_check(pool, 0);
		require(pool_stats(pool).recycle_ring == 200 * (round + 1));
		for (i = 0; i < 200; i++)
			require(pages[i]->pp_refs == 1 && pages[i]->refs == 1);
	}
	page_pool_destroy(pool);
	zone_end(zone);
}

/* the pool's put against the put of a foreign reference: recycled or released, never both */
static void elevated_race(void **state)
{
	struct pp_zone_params zp = zone_params(512);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pool = pool_new(zone, 1024, 64, 64);
	struct pp_page *pages[200];
	struct page_pool_stats s;
	unsigned int round, i;

	for (round = 0; round < 50; round++) {
		take(pool, pages, 200);
		for (i = 0; i < 200; i++)
			pp_page_get(pages[i]);
		drop_together(pool, pages, true);
		pool_check(pool, 0);
		for (i = 0; i < 200; i++)
			require(pages[i]->refs == 1 && pages[i]->pp_refs == 1);
	}
	s = pool_stats(pool);
	assert_int_equal(s.recycle_ring + s.recycle_released_ref, 200 * 50);
	print_message("# %llu recycled, %llu released\n", (unsigned long long)s.recycle_ring,
		      (unsigned long long)s.recycle_released_ref);
	page_pool_destroy(pool);
	zone_end(zone);
}

/* the owner destroys while two threads push: the last page frees the pool, once (ASan, TSan) */
static void destroy_race(void **state)
{
	struct pp_zone_params zp = zone_params(256);
	struct pp_zone *zone = zone_new(&zp);
	struct pp_page *pages[2][60];
	struct giver g[2];
	struct pinned threads[2];
	struct page_pool *pool;
	struct rng r = rng_init(40);
	unsigned int round, i, go;

	for (round = 0; round < 300; round++) {
		pool = pool_new(zone, round & 1 ? 2 : 64, 32, 16);
		go = 0;
		for (i = 0; i < 2; i++) {
			take(pool, pages[i], 60);
			g[i] = (struct giver){ pool, pages[i], 60, &go, i == 1, false };
			pinned_start(&threads[i], -1, give_main, &g[i]);
		}
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		if (round % 3)
			sleep_us(rng_below(&r, 60));
		page_pool_destroy(pool);
		for (i = 0; i < 2; i++)
			pinned_join(&threads[i]);
		zone_check(zone, 0);
	}
	zone_end(zone);
}

static void late_returns(void **state)
{
	struct pp_zone_params zp = zone_params(512);
	struct pp_zone *zone = zone_new(&zp);
	struct pp_page *pages[4][100];
	struct giver g[4];
	struct pinned threads[4];
	struct page_pool *pool;
	unsigned int round, i, go;

	for (round = 0; round < 50; round++) {
		pool = pool_new(zone, 0, 0, 0);
		go = 0;
		for (i = 0; i < 4; i++) {
			take(pool, pages[i], 100);
			g[i] = (struct giver){ pool, pages[i], 100, &go, i & 1, false };
			pinned_start(&threads[i], -1, give_main, &g[i]);
		}
		page_pool_destroy(pool);
		zone_check(zone, 400);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		for (i = 0; i < 4; i++)
			pinned_join(&threads[i]);
		zone_check(zone, 0);
	}
	zone_end(zone);
}

struct handover {
	struct page_pool *pool;
	struct pp_page *pages[32];
};

static void new_owner(void *arg)
{
	struct handover *h = arg;
	struct page_pool_stats before = pool_stats(h->pool), after;

	page_pool_enable_direct_recycling(h->pool);
	page_pool_put_page(h->pool, h->pages[0], true);
	after = pool_stats(h->pool);
	require(after.wrong_owner == before.wrong_owner);
	require(after.recycle_cached == before.recycle_cached + 1);
	require(page_pool_alloc_bulk(h->pool, h->pages, 1) == 1);
}

static void owner_handover(void **state)
{
	struct pp_zone_params zp = zone_params(128);
	struct pp_zone *zone = zone_new(&zp);
	struct handover h = { .pool = pool_new(zone, 64, 32, 16) };
	struct page_pool_stats s;

	take(h.pool, h.pages, 32);
	run_on(-1, new_owner, &h);
	/* this thread is not the owner any more, also if the other one is gone */
	page_pool_put_bulk(h.pages, 32);
	s = pool_stats(h.pool);
	assert_int_equal(s.recycle_ring, 32);
	assert_int_equal(s.recycle_cached, 1);
	page_pool_enable_direct_recycling(h.pool);
	take(h.pool, h.pages, 1);
	page_pool_recycle_direct(h.pool, h.pages[0]);
	assert_int_equal(pool_stats(h.pool).recycle_cached, 2);
	page_pool_destroy(h.pool);
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_owner),	   cmocka_unit_test(ring_from_others),
		cmocka_unit_test(ring_concurrent), cmocka_unit_test(last_reference),
		cmocka_unit_test(elevated_race),   cmocka_unit_test(destroy_race),
		cmocka_unit_test(late_returns),	   cmocka_unit_test(owner_handover),
	};

	return test_main("page_pool_threads", tests, ARRAY_LEN(tests), 120);
}
