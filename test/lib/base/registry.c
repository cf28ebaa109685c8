/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.c - threads that visit every zone and pool keep no other thread from its work
 *
 * Requests of the control socket, asked without a socket, stand for the visitors: one trims a pool
 * with a provider that waits for a lock, one waits for a thread that closes a zone's caches.
 */
#include <string.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "harness.h"

#include "base/registry.h"
#include "control/verbs.h"

#define PATIENCE_S 20 /* far more than any step takes, far less than the watchdog */

static void wait_until(const bool *flag)
{
	double end = now_s() + PATIENCE_S;

	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
		require(now_s() < end);
		sleep_us(100);
	}
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

/* ---- a visitor ------------------------------------------------------------------------------- */

struct visitor {
	struct pinned thread;
	const char *line;
	struct json_writer answer;
	bool done;
};

static void visit(void *arg)
{
	struct control_state state = { 0 };
	struct visitor *v = arg;

	control_answer(&state, v->line, strlen(v->line), &v->answer);
	control_expire(&state, UINT64_MAX);
	set(&v->done);
}

static void visitor_start(struct visitor *v, const char *line)
{
	memset(v, 0, sizeof(*v));
	v->line = line;
	pinned_start(&v->thread, -1, visit, v);
}

static void visitor_end(struct visitor *v, const char *part)
{
	pinned_join(&v->thread);
	if (!strstr(v->answer.text, part))
		fail_msg("%s is not in: %s", part, v->answer.text);
	jw_free(&v->answer);
}

/* ---- what must go on meanwhile --------------------------------------------------------------- */

struct bystander {
	struct pinned thread;
	bool done;
};

/* A zone and a pool come and go, and the zone runs short, so that every pool is asked. */
static void make_and_run_short(void *arg)
{
	struct bystander *b = arg;
	struct pp_zone_params p = zone_params(64);
	struct pp_zone *zone = zone_new(&p);
	struct page_pool *pool = pool_new(zone, 64, 32, 16);
	struct pp_page *pages[65];

	require(page_pool_alloc_bulk(pool, pages, 65) == 64);
	page_pool_put_bulk(pages, 64);
	page_pool_destroy(pool);
	zone_end(zone);
	set(&b->done);
}

/* In a thread of its own: on failure the test ends with a sentence, not by the watchdog. */
static void others_go_on(void)
{
	struct bystander b = { 0 };

	pinned_start(&b.thread, -1, make_and_run_short, &b);
	wait_until(&b.done);
	pinned_join(&b.thread);
}

/* ---- a provider with a lock of its own ------------------------------------------------------- */

struct guarded {
	pthread_mutex_t lock;
	struct pp_zone *zone;
	bool releasing;
};

static unsigned int guarded_alloc(void *arg, struct page_pool *pool, struct pp_page **pages,
				  unsigned int n)
{
	struct guarded *g = arg;

	pthread_mutex_lock(&g->lock);
	n = pp_zone_alloc_bulk(g->zone, pages, n);
	pthread_mutex_unlock(&g->lock);
	return n;
}

static void guarded_release(void *arg, struct page_pool *pool, struct pp_page **pages,
			    unsigned int n)
{
	struct guarded *g = arg;

	set(&g->releasing);
	pthread_mutex_lock(&g->lock);
	pp_zone_free_bulk(g->zone, pages, n);
	pthread_mutex_unlock(&g->lock);
}

static const struct page_pool_provider guarded_provider = {
	.alloc_bulk = guarded_alloc,
	.release_bulk = guarded_release,
};

/* A trim waits in release_bulk for the lock, under which this thread takes pages. */
static void provider_waits(void **state)
{
	struct guarded g = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct page_pool_params p = { .sz = sizeof(p),
				      .name = "guarded",
				      .provider = &guarded_provider,
				      .provider_arg = &g };
	struct pp_zone_params zp = zone_params(64);
	struct page_pool *pool;
	struct pp_page *pages[64];
	struct visitor v;
	unsigned int got;

	g.zone = zone_new(&zp);
	pool = page_pool_create(&p);
	assert_non_null(pool);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, 8), 8);
	page_pool_put_bulk(pages, 8);
	pthread_mutex_lock(&g.lock);
	visitor_start(&v, "1 trim guarded timeout_us=1000000");
	wait_until(&g.releasing);
	got = pp_zone_alloc_bulk(g.zone, pages, 64); /* runs short: every pool of it is asked */
	pp_zone_free_bulk(g.zone, pages, got);
	others_go_on();
	pthread_mutex_unlock(&g.lock);
	visitor_end(&v, "\"trimmed\"");
	page_pool_destroy(pool);
	zone_end(g.zone);
}

/* ---- a slow thread in a zone's control ------------------------------------------------------- */

struct isolation {
	struct pinned thread;
	struct pp_zone *zone;
	struct pp_page *page; /* policy request: its thread never comes by again */
	bool cached;
	bool begun;
	bool over;
};

static void idle_owner(void *arg)
{
	struct isolation *i = arg;

	require(pp_zone_alloc_bulk(i->zone, &i->page, 1) == 1);
	pp_zone_free_bulk(i->zone, &i->page, 1);
	set(&i->cached);
	wait_until(&i->over);
}

static void isolate(void *arg)
{
	struct isolation *i = arg;

	set(&i->begun);
	/* the idle owner's cache is awaited for this long */
	require(pp_zone_isolate_hard(i->zone, 0, 64, 3000000) == -ETIMEDOUT);
	set(&i->over);
}

static void isolation_is_slow(void **state)
{
	struct pp_zone_params p = zone_params(1024);
	struct isolation i = { 0 };
	struct pinned owner;
	struct visitor v;

	p.policy = "request";
	p.name = "slow";
	i.zone = zone_new(&p);
	pinned_start(&owner, -1, idle_owner, &i);
	wait_until(&i.cached);
	pinned_start(&i.thread, -1, isolate, &i);
	wait_until(&i.begun);
	sleep_us(20000); /* until it waits; earlier, this proves less */
	visitor_start(&v, "1 disable slow timeout_us=1000000");
	others_go_on();
	assert_false(__atomic_load_n(&i.over, __ATOMIC_ACQUIRE));
	visitor_end(&v, "\"timeout\"");
	/* the request has its own end, not the isolation's */
	assert_false(__atomic_load_n(&i.over, __ATOMIC_ACQUIRE));
	pinned_join(&i.thread);
	pinned_join(&owner);
	zone_end(i.zone);
}

/* ---- visitors beside entries that come and go ------------------------------------------------ */

#define MAKERS 3

struct maker {
	struct pinned thread;
	const bool *stop;
	unsigned int made;
};

static void make_pools(void *arg)
{
	struct maker *m = arg;
	struct pp_zone_params p = zone_params(256);
	struct pp_page *pages[8];
	struct page_pool *pool;
	struct pp_zone *zone;
	unsigned int got;

	while (!__atomic_load_n(m->stop, __ATOMIC_ACQUIRE)) {
		zone = zone_new(&p);
		pool = pool_new(zone, 16, 16, 8);
		got = page_pool_alloc_bulk(pool, pages, 8);
		page_pool_put_bulk(pages, got);
		page_pool_destroy(pool);
		require(pp_zone_destroy(zone) == 0);
		__atomic_add_fetch(&m->made, 1, __ATOMIC_RELAXED);
	}
}

static void entries_come_and_go(void **state)
{
	static const char *const lines[] = { "1 stat",	 "1 trim",
					     "1 drain",	 "1 disable lease_ms=1",
					     "1 enable", "1 holders" };
	struct control_state control = { 0 };
	struct json_writer answer = { 0 };
	struct maker makers[MAKERS];
	bool stop = false;
	unsigned int i, n = 0;

	for (i = 0; i < MAKERS; i++) {
		makers[i] = (struct maker){ .stop = &stop };
		pinned_start(&makers[i].thread, -1, make_pools, &makers[i]);
	}
	for (i = 0; i < MAKERS;) {
		control_answer(&control, lines[n % 6], strlen(lines[n % 6]), &answer);
		n++;
		if (__atomic_load_n(&makers[i].made, __ATOMIC_RELAXED) > 200 && n > 600)
			i++;
	}
	set(&stop);
	for (i = 0; i < MAKERS; i++)
		pinned_join(&makers[i].thread);
	control_expire(&control, UINT64_MAX);
	jw_free(&answer);
}

/* ---- a list that ends ------------------------------------------------------------------------ */

struct closing {
	struct pinned thread;
	struct registry list;
	struct registered entry[3];
	bool closed;
};

static void close_list(void *arg)
{
	struct closing *c = arg;

	registry_close(&c->list);
	set(&c->closed);
}

/* The end of a list waits for the one entry that is pinned, which then is in no list. */
static void end_of_a_list(void **state)
{
	struct closing c = { 0 };
	struct registered *entry;
	unsigned int i;

	assert_false(registry_pin(&c.entry[0]));
	for (i = 0; i < 3; i++)
		registry_add(&c.list, &c.entry[i]);
	entry = registry_next(&c.list, registry_next(&c.list, NULL, NULL), NULL);
	assert_ptr_equal(entry, &c.entry[1]);
	pinned_start(&c.thread, -1, close_list, &c);
	while (registry_pin(entry)) { /* until it leaves */
		registry_unpin(entry);
		sleep_us(100);
	}
	assert_false(__atomic_load_n(&c.closed, __ATOMIC_ACQUIRE));
	registry_unpin(entry);
	wait_until(&c.closed);
	pinned_join(&c.thread);
	assert_null(c.list.first);
	for (i = 0; i < 3; i++) {
		assert_false(registry_pin(&c.entry[i]));
		registry_del(&c.entry[i]); /* which is nothing by now */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(provider_waits),
		cmocka_unit_test(isolation_is_slow),
		cmocka_unit_test(entries_come_and_go),
		cmocka_unit_test(end_of_a_list),
	};

	return test_main("registry", tests, ARRAY_LEN(tests), 120);
}
