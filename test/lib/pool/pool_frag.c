/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_frag.c - parts of pages: bounds, last references, and parts given back twice
 */
#include "pool/pool_fixture.h"

static struct fixture pages_of_4k(uint64_t n)
{
	struct pp_zone_params p = zone_params(n);
	struct fixture f;

	p.page_size = 4096;
	f.zone = zone_new(&p);
	f.pool = pool_new(f.zone, 0, 0, 0);
	return f;
}

/* Every size: aligned, inside the page, apart from each other. */
static void sizes(void **state)
{
	static const unsigned int size[] = { 1, 63, 64, 65, 700, 1500, 2048, 2049, 4095, 4096 };
	struct fixture f = pages_of_4k(256);
	struct pp_page *page[64];
	unsigned int offset[64], got, i, k, n;

	for (k = 0; k < ARRAY_LEN(size); k++) {
		n = size[k];
		for (got = 0; got < 64; got++) {
			page[got] = page_pool_alloc_frag(f.pool, &offset[got], n);
			assert_non_null(page[got]);
			assert_int_equal(offset[got] % 64, 0);
			assert_true(offset[got] + n <= pp_page_size(page[got]));
			for (i = 0; i < got; i++)
				assert_true(page[i] != page[got] || offset[i] + n <= offset[got]);
			memset(page[got]->addr + offset[got], (int)got, n);
		}
		for (i = 0; i < got; i++)
			page_pool_put_page(f.pool, page[i], i % 2);
	}
	assert_null(page_pool_alloc_frag(f.pool, offset, 0));
	assert_null(page_pool_alloc_frag(f.pool, offset, 4097));
	assert_null(page_pool_alloc_frag(f.pool, offset, UINT32_MAX));
	page_pool_destroy(f.pool); /* takes the page that is being cut along */
	zone_end(f.zone);
}

struct put {
	struct page_pool *pool;
	struct pp_page *page;
	unsigned int *met;
};

static void put_main(void *arg)
{
	struct put *p = arg;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		meet(p->met, 2 * i);
		page_pool_put_bulk(&(struct pp_page *){ p->page }, 1);
		meet(p->met, 2 * i + 1);
	}
}

/* Two threads give back the last two parts at once: the page comes home, once. */
static void last_reference(void **state)
{
	struct fixture f = pages_of_4k(64);
	unsigned int met = 0, i;
	struct put p = { .pool = f.pool, .met = &met };
	struct pinned thread;

	p.page = page_pool_alloc_pages(f.pool);
	page_pool_fragment_page(p.page, 2);
	pinned_start(&thread, (int)test_cpu(1 % test_cpus()), put_main, &p);
	for (i = 0; i < 2000; i++) {
		meet(&met, 2 * i);
		page_pool_put_page(f.pool, p.page, true);
		meet(&met, 2 * i + 1);
		require(pool_stats(f.pool).outstanding == 0);
		if (i + 1 == 2000)
			break;
		p.page = page_pool_alloc_pages(f.pool);
		require(p.page);
		page_pool_fragment_page(p.page, 2);
	}
	pinned_join(&thread);
	fixture_end(&f);
}

/* The same page twice in one call is right for two of its parts. */
static void parts_in_one_bulk(void **state)
{
	struct fixture f = pages_of_4k(64);
	unsigned int offset, i;

	for (i = 0; i < 10; i++)
		f.pages[i] = page_pool_alloc_frag(f.pool, &offset, 2048);
	assert_ptr_equal(f.pages[0], f.pages[1]);
	page_pool_put_bulk(f.pages, 10);
	assert_true(pool_stats(f.pool).double_puts == 0);
	page_pool_destroy(f.pool);
	zone_end(f.zone);
}

/* Given back once too often while the page is being cut: counted, and the page is not lost. */
static void put_too_often(void **state)
{
	struct fixture f = pages_of_4k(64);
	struct pp_page *page;
	unsigned int offset, i;

	if (PP_DEBUG)
		skip_because("a debug build aborts here, as it should");
	page = page_pool_alloc_frag(f.pool, &offset, 2048);
	for (i = 0; i < 2; i++)
		page_pool_put_page(f.pool, page, true);
	for (i = 0; i < 2; i++)
		f.pages[i] = page_pool_alloc_frag(f.pool, &offset, 4096);
	assert_int_equal(pool_stats(f.pool).double_puts, 1);
	for (i = 0; i < 2; i++)
		page_pool_put_page(f.pool, f.pages[i], true);
	page_pool_destroy(f.pool);
	zone_end(f.zone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(last_reference),
		cmocka_unit_test(parts_in_one_bulk),
		cmocka_unit_test(put_too_often),
	};

	return test_main("pool frag", tests, ARRAY_LEN(tests), 60);
}
