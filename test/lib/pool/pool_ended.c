/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_ended.c - pools that ended while pages are out: listed until the last page is home, named by
 * a zone that cannot be destroyed, and freed once, whatever looks at them and wherever the last
 * page is returned
 *
 * Linked with the library's objects; the linker's --wrap shows what is freed.
 */
#include <errno.h>
#include <signal.h>

#include <pagepool/zone_set.h>

#include "pool/invariants.h"

void __real_free(void *mem);
void __wrap_free(void *mem);

static struct {
	void *memory;
	unsigned int times;
} freed;

void __wrap_free(void *mem)
{
	if (mem && mem == __atomic_load_n(&freed.memory, __ATOMIC_RELAXED))
		__atomic_fetch_add(&freed.times, 1, __ATOMIC_RELAXED);
	__real_free(mem);
}

static void watch(void *mem)
{
	freed.times = 0;
	__atomic_store_n(&freed.memory, mem, __ATOMIC_RELAXED);
}

static struct page_pool *named(struct pp_zone *zone, const char *name)
{
	struct page_pool_params p = { .sz = sizeof(p), .name = name, .zone = zone, .refill = 8 };
	struct page_pool *pool = page_pool_create(&p);

	assert_non_null(pool);
	return pool;
}

/* ---- the list -------------------------------------------------------------------------------- */

static void listed_until_the_last_page(void **state)
{
	struct fixture f = fixture(64, 16, 16, 8), g = { .zone = f.zone };
	struct pool_ended e[3];
	uint64_t before = now_ns(), id = f.pool->id;

	g.pool = named(f.zone, "second");
	assert_true(g.pool->id > id);
	take(&f, 0, 5);
	take(&g, 0, 2);
	assert_int_equal(pools_ended(e, 3), 0);
	page_pool_destroy(f.pool);
	page_pool_destroy(g.pool);
	assert_int_equal(pools_ended(e, 3), 2);
	assert_int_equal(e[0].id, id);
	assert_int_equal(e[0].inflight, 5);
	assert_int_equal(e[0].zone, f.zone->id);
	assert_int_equal(e[0].page_size, pp_zone_page_size(f.zone));
	assert_in_range(e[0].ended_ns, before, now_ns());
	assert_false(e[0].tracked);
	assert_string_equal(e[1].name, "second");
	assert_int_equal(e[1].inflight, 2);
	assert_int_equal(pools_ended(NULL, 0), 2);
	page_pool_put_bulk(f.pages, 4);
	assert_int_equal(pools_ended(e, 1), 2);
	assert_int_equal(e[0].inflight, 1);
	page_pool_put_page(NULL, f.pages[4], false);
	assert_int_equal(pools_ended(e, 3), 1);
	assert_string_equal(e[0].name, "second");
	page_pool_put_bulk(g.pages, 2);
	assert_int_equal(pools_ended(e, 3), 0);
	zone_end(f.zone);
}

/* A pool without pages out was never listed; one that waits is, and its own hold is no page. */
static void report_sees_list(void *arg, const struct page_pool_report *report)
{
	struct pool_ended *e = arg;

	require(pools_ended(e, 1) == 1);
	require(report->outstanding == e->inflight);
}

static void waits_are_listed(void **state)
{
	struct pool_ended e = { .inflight = 0 };
	struct page_pool_end end = { .sz = sizeof(end), .report = report_sees_list, .arg = &e };
	struct fixture f = fixture(64, 16, 16, 8);

	take(&f, 0, 3);
	assert_int_equal(page_pool_destroy_wait(f.pool, &end), -ETIMEDOUT);
	assert_int_equal(e.inflight, 3);
	assert_int_equal(pools_ended(&e, 1), 1);
	assert_int_equal(e.inflight, 3);
	page_pool_put_bulk(f.pages, 3);
	assert_int_equal(pools_ended(&e, 1), 0);
	f.pool = pool_new(f.zone, 16, 16, 8);
	watch(f.pool);
	assert_int_equal(page_pool_destroy_wait(f.pool, &end), 0);
	assert_int_equal(freed.times, 1);
	watch(NULL);
	zone_end(f.zone);
}

/* ---- the zone's refusal ---------------------------------------------------------------------- */

static void has(const char *part)
{
	if (!strstr(pp_error(), part))
		fail_msg("%s is not in: %s", part, pp_error());
}

static void refusal_names_pools(void **state)
{
	struct fixture f = fixture(256, 16, 16, 8), other = fixture(64, 16, 16, 8);
	struct page_pool *many[20];
	struct pp_page *pages[20];
	char name[32];
	unsigned int i;

	page_pool_destroy(f.pool);
	f.pool = named(f.zone, "gone");
	take(&f, 0, 3);
	take(&other, 0, 3);
	page_pool_destroy(f.pool);
	f.pool = named(f.zone, "alive");
	take(&f, 3, 1);
	assert_int_equal(pp_zone_destroy(f.zone), -EBUSY);
	has(": 11 pages are still out: 3 with pool gone, ended 0.");
	has(" s ago; 8 with pool alive, not destroyed");
	assert_null(strstr(pp_error(), ";  "));
	page_pool_put_bulk(f.pages, 4);
	page_pool_destroy(f.pool);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "a pool with a long name %u", i);
		many[i] = named(f.zone, name);
		require(page_pool_alloc_bulk(many[i], &pages[i], 1) == 1);
		page_pool_destroy(many[i]);
	}
	assert_int_equal(pp_zone_destroy(f.zone), -EBUSY);
	has("1 with pool a pool with a long name 0, ended ");
	has(" pools more");
	page_pool_put_bulk(pages, 20);
	zone_end(f.zone);
	give(&other, 0, 3, true);
	fixture_end(&other);
}

/* The zones of a set are destroyed together, and none leads to the pool any more. */
static void refusal_of_a_set(void **state)
{
	struct pp_zone_params zp = zone_params(256);
	struct pp_zone_set_params sp = { .sz = sizeof(sp), .zone = &zp };
	struct page_pool_params p = { .sz = sizeof(p), .name = "spread", .refill = 8 };
	struct pp_page *pages[5];
	struct page_pool *pool;
	struct pool_ended e;

	p.set = pp_zone_set_create(&sp);
	assert_non_null(p.set);
	pool = page_pool_create(&p);
	assert_non_null(pool);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, 5), 5);
	page_pool_destroy(pool);
	assert_int_equal(pp_zone_set_destroy(p.set), -EBUSY);
	has(" pages are still out: up to 5 with pool spread, ended ");
	page_pool_put_bulk(pages, 4);
	assert_int_equal(pools_ended(&e, 1), 1);
	assert_int_equal(e.inflight, 1);
	page_pool_put_bulk(pages + 4, 1);
	assert_int_equal(pp_zone_set_destroy(p.set), 0);
	assert_int_equal(pools_ended(&e, 1), 0);
}

/* ---- the last page comes home while the list is locked --------------------------------------- */

static struct {
	struct pp_page *page;
	unsigned int handlers;
} late;

static void return_it(int sig)
{
	page_pool_put_page(NULL, late.page, false);
	late.handlers++;
}

static void in_the_lock(void *arg, const struct page_pool *pool)
{
	unsigned int in_thread = *(unsigned int *)arg;
	struct fixture f = { .pages = { late.page } };

	if (in_thread)
		give_remote(&f, 0, 1);
	else
		raise(SIGUSR1);
	require(!freed.times && pool->name[0]); /* it stays for as long as it is looked at */
}

static void returned_under_the_lock(bool signal_safe, unsigned int in_thread)
{
	struct sigaction sa = { .sa_handler = return_it }, old;
	struct pp_zone_params zp = zone_params(64);
	struct fixture f = { .pages = { NULL } };
	uint64_t id;

	sigaction(SIGUSR1, &sa, &old);
	zp.flags = signal_safe ? PP_ZONE_SIGNAL_SAFE : 0;
	f.zone = zone_new(&zp);
	f.pool = pool_new(f.zone, 16, 16, 8);
	take(&f, 0, 1);
	late.page = f.pages[0];
	id = f.pool->id;
	watch(f.pool);
	page_pool_destroy(f.pool);
	assert_int_equal(freed.times, 0);
	assert_true(pool_ended_look(id, in_the_lock, &in_thread));
	assert_int_equal(freed.times, 1);
	assert_false(pool_ended_look(id, in_the_lock, &in_thread));
	watch(NULL);
	zone_end(f.zone);
	sigaction(SIGUSR1, &old, NULL);
}

static void last_page_under_the_lock(void **state)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		returned_under_the_lock(i & 1, i & 2);
	assert_int_equal(late.handlers, 2);
}

/* free() may be what the handler interrupted: the next ordinary call on pools does it. */
static void handlers_free_nothing(void **state)
{
	struct sigaction sa = { .sa_handler = return_it }, old;
	struct pp_zone_params zp = zone_params(64);
	struct fixture f = { .pages = { NULL } };
	unsigned int i;

	sigaction(SIGUSR1, &sa, &old);
	zp.flags = PP_ZONE_SIGNAL_SAFE;
	for (i = 0; i < 3; i++) {
		f.zone = zone_new(&zp);
		f.pool = pool_new(f.zone, 16, 16, 8);
		take(&f, 0, 1);
		late.page = f.pages[0];
		watch(f.pool);
		page_pool_destroy(f.pool);
		raise(SIGUSR1);
		assert_int_equal(freed.times, 0);
		assert_int_equal(pools_ended(NULL, 0), 0);
		if (i == 1) /* a pool's creation frees it */
			page_pool_destroy(named(f.zone, "next"));
		assert_int_equal(pp_zone_destroy(f.zone), 0); /* or this */
		assert_int_equal(freed.times, 1);
	}
	watch(NULL);
	sigaction(SIGUSR1, &old, NULL);
}

/* ---- everything at once ---------------------------------------------------------------------- */

struct storm {
	unsigned int stop;
	unsigned long looked;
};

static void count_threads(void *arg, const struct page_pool *pool)
{
	struct pool_threads threads;

	pool_threads(&threads, pool);
	*(unsigned long *)arg += threads.n;
}

static void reader_main(void *arg)
{
	struct storm *s = arg;
	struct pool_ended e[8];
	unsigned int n, i;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		n = pools_ended(e, 8);
		for (i = 0; i < n && i < 8; i++) {
			require(e[i].inflight && e[i].inflight <= 64);
			pool_ended_look(e[i].id, count_threads, &s->looked);
		}
	}
}

/* Zones come and go with the pools: what a reader finds in the list has a page table. */
static void life_main(void *arg)
{
	struct pp_zone_params zp = zone_params(64);
	struct page_pool_params pp = { .sz = sizeof(pp), .refill = 8, .flags = PAGE_POOL_HOLDERS };
	struct rng r = rng_init((uint64_t)(uintptr_t)arg);
	struct pinned thread;
	struct fixture f;
	unsigned int round, n;

	for (round = 0; round < 150; round++) {
		memset(&f, 0, sizeof(f));
		f.zone = pp.zone = zone_new(&zp);
		f.pool = page_pool_create(&pp);
		require(f.pool);
		n = 1 + rng_below(&r, 40);
		require(page_pool_alloc_bulk(f.pool, f.pages, n) == n);
		pinned_start(&thread, -1, give_main, &f);
		page_pool_destroy(f.pool);
		pinned_join(&thread);
		require(!pp_zone_destroy(f.zone));
	}
}

static void storm(void **state)
{
	struct pinned readers[2], lives[2];
	struct storm s[2] = { { 0 }, { 0 } };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pinned_start(&readers[i], -1, reader_main, &s[i]);
		pinned_start(&lives[i], -1, life_main, &lives[i]);
	}
	for (i = 0; i < 2; i++)
		pinned_join(&lives[i]);
	for (i = 0; i < 2; i++) {
		__atomic_store_n(&s[i].stop, 1, __ATOMIC_RELEASE);
		pinned_join(&readers[i]);
	}
	assert_int_equal(pools_ended(NULL, 0), 0);
	print_message("%lu threads seen\n", s[0].looked + s[1].looked);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_until_the_last_page),
		cmocka_unit_test(waits_are_listed),
		cmocka_unit_test(refusal_names_pools),
		cmocka_unit_test(refusal_of_a_set),
		cmocka_unit_test(last_page_under_the_lock),
		cmocka_unit_test(handlers_free_nothing),
		cmocka_unit_test(storm),
	};

	return test_main("pool ended", tests, ARRAY_LEN(tests), 120);
}
