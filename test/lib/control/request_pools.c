/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request_pools.c - the control socket's requests about pools: trim, holders, ended pools, faults
 */
#include <pthread.h>

#include "control/request.h"

static uint64_t kept(struct page_pool *pool)
{
	struct page_pool_stats s = { .sz = sizeof(s) };

	assert_int_equal(page_pool_get_stats(pool, &s), 0);
	return s.cache + s.ring;
}

static void trim(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct page_pool *pools[2] = { make_pool(zone, "p"), make_pool(zone, "q") };
	struct control_state state = { 0 };
	struct pp_page *page;
	char line[32], part[64];
	int i;

	for (i = 0; i < 2; i++) {
		page = page_pool_alloc_pages(pools[i]);
		page_pool_put_page(pools[i], page, false);
		assert_int_equal(kept(pools[i]), 16);
	}
	has(ask(&state, "1 trim q keep=10"), "\"name\":\"q\",\"trimmed\":6}]}");
	assert_int_equal(kept(pools[0]), 16);
	assert_int_equal(kept(pools[1]), 10);
	snprintf(line, sizeof(line), "1 trim %llu", (unsigned long long)pools[0]->id);
	snprintf(part, sizeof(part), "[{\"id\":%llu,\"name\":\"p\",\"trimmed\":16}]}",
		 (unsigned long long)pools[0]->id);
	has(ask(&state, line), part);
	assert_int_equal(kept(pools[1]), 10);
	has(ask(&state, "1 trim timeout_us=1000"), "\"trimmed\":0},{\"id\":");
	has(answer.text, "\"name\":\"q\",\"trimmed\":10}]}");
	assert_int_equal(kept(pools[1]), 0);
	page_pool_destroy(pools[0]);
	page_pool_destroy(pools[1]);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static void holders(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct page_pool *pool = make_pool(zone, "p");
	struct control_state state = { 0 }, looker = { .read_only = true };
	struct pp_page *pages[3];
	char part[64];

	has(ask(&looker, "1 holders track=on"), "\"code\":\"denied\"");
	has(ask(&looker, "1 holders"), "\"tracked\":false}]}");
	has(ask(&state, "1 holders p track=on"), "\"tracked\":true,\"ages\":[0,0,0,0,0,0,0],"
						 "\"holders\":[]}]}");
	assert_int_equal(page_pool_alloc_bulk(pool, pages, 3), 3);
	ask(&looker, "1 holders");
	snprintf(part, sizeof(part), "\"thread\":%d,\"thread_name\":\"test-control", (int)gettid());
	has(answer.text, part);
	has(answer.text, "\"in_driver\":false}");
	has_not(ask(&looker, "1 holders oldest=1"), "},{");
	page_pool_put_bulk(pages, 3);
	has(ask(&state, "1 holders track=off"), "\"ages\":[0,0,0,0,0,0,0]");
	has(ask(&state, "1 holders"), "\"tracked\":false}]}");
	page_pool_destroy(pool);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

#define LAZY_PAGES 8192u

struct taker {
	struct page_pool *pool;
	struct pp_page *pages[LAZY_PAGES];
	unsigned int taken; /* atomic */
};

static void *take_all(void *arg)
{
	struct taker *t = arg;
	unsigned int n = 0;

	page_pool_enable_direct_recycling(t->pool);
	while (n < LAZY_PAGES) {
		n += page_pool_alloc_bulk(t->pool, t->pages + n, 32);
		__atomic_store_n(&t->taken, n, __ATOMIC_RELAXED);
	}
	page_pool_disable_direct_recycling(t->pool);
	return NULL;
}

/* The oldest pages are those of the block that was just accepted: ThreadSanitizer judges that. */
static void holders_beside_an_acceptor(void **unused)
{
	struct pp_zone_params p = {
		.sz = sizeof(p), .name = "z", .pages = LAZY_PAGES, .flags = PP_ZONE_LAZY
	};
	static struct taker t;
	struct control_state state = { 0 };
	struct pp_zone *zone;
	unsigned int seen = 0;
	pthread_t thread;

	zone = pp_zone_create(&p);
	assert_non_null(zone);
	t.pool = make_pool(zone, "p");
	ask(&state, "1 holders p track=on");
	page_pool_disable_direct_recycling(t.pool);
	assert_int_equal(pthread_create(&thread, NULL, take_all, &t), 0);
	while (__atomic_load_n(&t.taken, __ATOMIC_RELAXED) < LAZY_PAGES)
		seen += !!strstr(ask(&state, "1 holders oldest=1000"), "\"page\":");
	assert_int_equal(pthread_join(thread, NULL), 0);
	has(ask(&state, "1 holders oldest=1"), "\"page\":");
	printf("# %u answers named pages meanwhile\n", seen);
	page_pool_put_bulk(t.pages, LAZY_PAGES);
	page_pool_destroy(t.pool);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* A pool that was destroyed while pages are out is told of until the last one is home. */
static void ended_pools(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct page_pool *pool = make_pool(zone, "gone"), *plain = make_pool(zone, "plain");
	struct control_state state = { 0 }, looker = { .read_only = true };
	struct pp_page *pages[3], *page;
	char part[200], request[32];
	uint64_t id = pool->id;

	assert_int_equal(page_pool_holders_enable(pool, true), 0);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, 3), 3);
	page = page_pool_alloc_pages(plain);
	page_pool_destroy(pool);
	page_pool_destroy(plain);
	ask(&looker, "1 stat");
	snprintf(part, sizeof(part),
		 "\"pools\":[],\"ended\":[{\"id\":%llu,\"name\":\"gone\","
		 "\"zone\":%llu,\"detach_time_ns\":",
		 (unsigned long long)id, (unsigned long long)zone->id);
	has(answer.text, part);
	has(answer.text, ",\"inflight\":3,\"inflight_mem\":12288,\"tracked\":true,\"threads\":[{");
	snprintf(part, sizeof(part), "[{\"thread\":%d,\"thread_name\":\"test-control",
		 (int)gettid());
	has(answer.text, part);
	has(answer.text, "\"pages\":3,\"oldest_ns\":");
	has(answer.text, "\"inflight\":1,\"inflight_mem\":4096,\"tracked\":false}]}");
	snprintf(request, sizeof(request), "1 holders %llu", (unsigned long long)id);
	has(ask(&looker, request), "\"name\":\"gone\",\"ended\":true,\"tracked\":true,\"ages\":[");
	has(answer.text, "\"site\":\"");
	has(ask(&looker, "1 holders plain"), "\"ended\":true,\"tracked\":false}]}");
	has(ask(&state, "1 trim gone"), "\"code\":\"not_found\"");
	assert_int_equal(pp_zone_destroy(zone), -EBUSY);
	has(pp_error(), "4 pages are still out: 3 with pool gone, ended ");
	page_pool_put_bulk(pages, 2);
	has(ask(&looker, "1 stat"), "\"inflight\":1,\"inflight_mem\":4096,\"tracked\":true,");
	page_pool_put_bulk(pages + 2, 1);
	has_not(ask(&looker, "1 stat"), "\"gone\"");
	page_pool_put_bulk(&page, 1);
	has(ask(&looker, "1 stat"), "\"ended\":[]}");
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static void faults(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct page_pool *pool = make_pool(zone, "p");
	struct control_state state = { 0 }, looker = { .read_only = true };
	struct pp_page *page;
	unsigned int i, failed = 0;
	char line[64];

	has(ask(&looker, "1 fault zone_alloc every=1"), "\"code\":\"denied\"");
	has(ask(&looker, "1 fault"), "[{\"at\":\"page_pool_alloc\",\"every\":0,");
	has(ask(&state, "1 fault page_pool_alloc every=10 after=20"),
	    "\"verb\":\"fault\",\"faults\":[{\"at\":\"page_pool_alloc\",\"every\":10,"
	    "\"after\":20,\"calls\":0,\"injected\":0},{\"at\":\"zone_alloc\",\"every\":0,");
	for (i = 0; i < 50; i++) {
		page = page_pool_alloc_pages(pool);
		failed += !page;
		if (page)
			page_pool_put_page(pool, page, true);
	}
	assert_int_equal(failed, 3);
	has(ask(&looker, "1 stat"), "\"faults\":[{\"at\":\"page_pool_alloc\",\"every\":10,"
				    "\"after\":20,\"calls\":50,\"injected\":3}],");
	snprintf(line, sizeof(line), "1 fault page_pool_alloc every=1 thread=%d", getpid() + 1);
	has(ask(&state, line), "\"thread\":");
	assert_non_null(page = page_pool_alloc_pages(pool));
	page_pool_put_page(pool, page, true);
	has(ask(&state, "1 fault page_pool_alloc every=0"), "\"every\":0,");
	assert_int_equal(pp_zone_destroy(zone), -EBUSY);
	page_pool_destroy(pool);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trim),
		cmocka_unit_test(holders),
		cmocka_unit_test(holders_beside_an_acceptor),
		cmocka_unit_test(ended_pools),
		cmocka_unit_test(faults),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	jw_free(&answer);
	return failed;
}
