/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_holders.c - holders of pages are reported, and no others
 */
#include <unistd.h>
#include <sys/syscall.h>

#include "pool/pool_fixture.h"

static unsigned int holders(struct fixture *f)
{
	struct pp_holder out[64];

	return page_pool_holders(f->pool, out, 64, NULL);
}

static void who_and_when(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);
	uint64_t ages[PP_HOLDER_AGES], old = 0;
	struct pp_holder out[4];
	unsigned int i;
	char text[128];

	assert_int_equal(page_pool_holders_enable(f.pool, true), 0);
	take(&f, 0, 1);
	sleep_us(20000);
	take(&f, 1, 9);
	assert_int_equal(page_pool_holders(f.pool, out, 4, ages), 4);
	assert_ptr_equal(out[0].page, f.pages[0]);
	assert_true(out[0].age_ns >= 20000000 && out[0].age_ns >= out[1].age_ns);
	assert_int_equal(out[0].thread, syscall(SYS_gettid));
	assert_non_null(strchr(pp_holder_site(&out[0], text, sizeof(text)), '+'));
	/* 20 ms is class 2; on a busy machine any page may be older than the test wants it to be */
	for (i = 2; i < PP_HOLDER_AGES; i++)
		old += ages[i];
	assert_true(old >= 1 && ages[0] + ages[1] + old == 10);
	give(&f, 0, 5, true);
	give_remote(&f, 5, 5);
	assert_int_equal(holders(&f), 0);
	fixture_end(&f);
}

/* Taken with tags, given back without: at home, so nobody has it when they are on again. */
static void off_and_on(void **state)
{
	struct fixture f = fixture(256, 0, 0, 0);

	assert_int_equal(page_pool_holders_enable(f.pool, true), 0);
	take(&f, 0, 10);
	assert_int_equal(page_pool_holders_enable(f.pool, false), 0);
	give(&f, 0, 10, true);
	assert_int_equal(page_pool_holders_enable(f.pool, true), 0);
	assert_int_equal(holders(&f), 0);
	fixture_end(&f);
}

/* Left the pool because another user held it, and came back through the zone. */
static void by_the_zone(void **state)
{
	struct fixture f = fixture(64, 0, 64, 32);
	unsigned int i;

	assert_int_equal(page_pool_holders_enable(f.pool, true), 0);
	take(&f, 0, 32);
	for (i = 0; i < 32; i++)
		pp_page_get(f.pages[i]);
	page_pool_put_bulk(f.pages, 0);
	give(&f, 0, 32, true);
	assert_int_equal(holders(&f), 0);
	for (i = 0; i < 32; i++)
		pp_page_put(f.pages[i]);
	assert_true(page_pool_trim(f.pool, 0, 0) >= 0);
	take(&f, 0, 33); /* 64 pages are of the pool now, 31 of them at home */
	assert_int_equal(holders(&f), 33);
	give(&f, 0, 33, true);
	fixture_end(&f);
}

/* The tags outlive a pool that knew nothing of them: off, a trim, and on in another pool. */
static void stale_tags(void **state)
{
	struct fixture f = fixture(64, 0, 64, 32);
	struct page_pool *other = pool_new(f.zone, 0, 64, 64);
	struct page_pool *first = f.pool;

	assert_int_equal(page_pool_holders_enable(f.pool, true), 0);
	take(&f, 0, 64);
	assert_int_equal(page_pool_holders_enable(f.pool, false), 0);
	give(&f, 0, 64, true);
	assert_int_equal(page_pool_trim(f.pool, 0, 0), 64);
	assert_int_equal(page_pool_holders_enable(other, true), 0);
	f.pool = other;
	take(&f, 0, 3);
	assert_int_equal(holders(&f), 3);
	give(&f, 0, 3, true);
	page_pool_destroy(first);
	fixture_end(&f);
}

/* ---- beside an acceptor ---------------------------------------------------------------------- */

#define LAZY_PAGES 8192u

struct beside {
	struct page_pool *pool;
	unsigned int stop;
};

static void ask_on(void *arg)
{
	struct beside *b = arg;
	struct pp_holder out[8];

	while (!__atomic_load_n(&b->stop, __ATOMIC_RELAXED))
		require(page_pool_holders(b->pool, out, 8, NULL) <= 8);
}

/* The walk meets pages that an acceptor is making just then: ThreadSanitizer judges that. */
static void beside_an_acceptor(void **state)
{
	static struct pp_page *pages[LAZY_PAGES];
	struct pp_zone_params p = zone_params(LAZY_PAGES);
	struct pp_zone *zone;
	struct pinned asker;
	struct beside b = { 0 };
	unsigned int n;

	p.flags = PP_ZONE_LAZY;
	zone = zone_new(&p);
	b.pool = pool_new(zone, 64, 64, 64);
	require(!page_pool_holders_enable(b.pool, true));
	pinned_start(&asker, -1, ask_on, &b);
	for (n = 0; n < LAZY_PAGES; n += 32)
		require(page_pool_alloc_bulk(b.pool, pages + n, 32) == 32);
	require(!page_pool_holders_enable(b.pool, false));
	require(!page_pool_holders_enable(b.pool, true));
	__atomic_store_n(&b.stop, 1, __ATOMIC_RELAXED);
	pinned_join(&asker);
	for (n = 0; n < LAZY_PAGES; n++)
		page_pool_put_page(b.pool, pages[n], true);
	page_pool_destroy(b.pool);
	zone_end(zone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_and_when),	      cmocka_unit_test(off_and_on),
		cmocka_unit_test(by_the_zone),	      cmocka_unit_test(stale_tags),
		cmocka_unit_test(beside_an_acceptor),
	};

	return test_main("pool holders", tests, ARRAY_LEN(tests), 60);
}
