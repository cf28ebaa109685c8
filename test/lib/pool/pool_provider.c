/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_provider.c - foreign memory behind a pool, and providers that do what they should not
 */
#include <errno.h>
#include <string.h>

#include <pagepool/memory.h>

#include "harness.h"

#define PAGES 256u

struct foreign {
	struct pp_page *pages;
	char *memory;
	struct pp_page *free[PAGES];
	unsigned int nfree;
	unsigned int most; /* pages a call */
	unsigned int lie; /* added to the answer */
	struct pp_page *give[64]; /* what an allocation makes the owner return */
	unsigned int ngive;
	int init_says;
	unsigned int inits;
	unsigned int destroys;
	unsigned int small; /* log2 of every second page's bytes */
};

static int f_init(void *arg, struct page_pool *pool)
{
	struct foreign *f = arg;

	f->inits++;
	return f->init_says;
}

static unsigned int f_alloc(void *arg, struct page_pool *pool, struct pp_page **pages,
			    unsigned int n)
{
	struct foreign *f = arg;
	unsigned int got = 0, k = f->ngive;

	while (got < n && got < f->most && f->nfree)
		pages[got++] = f->free[--f->nfree];
	f->ngive = 0;
	page_pool_put_bulk(f->give, k);
	return got + f->lie;
}

static void f_release(void *arg, struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	struct foreign *f = arg;
	unsigned int i;

	for (i = 0; i < n; i++) {
		require(f->nfree < PAGES);
		f->free[f->nfree++] = pages[i];
	}
}

static void f_destroy(void *arg, struct page_pool *pool)
{
	struct foreign *f = arg;

	f->destroys++;
}

static const struct page_pool_provider provider = {
	.init = f_init,
	.alloc_bulk = f_alloc,
	.release_bulk = f_release,
	.destroy = f_destroy,
};

static struct page_pool *foreign_pool(struct foreign *f, struct page_pool_params *p)
{
	unsigned int i;

	f->most = f->most ? f->most : PAGES;
	f->memory = aligned_alloc(4096, PAGES * 4096);
	f->pages = aligned_alloc(64, PAGES * sizeof(*f->pages));
	require(f->memory && f->pages);
	for (i = 0; i < PAGES; i++) {
		pp_page_init(&f->pages[i], f->memory + i * 4096ul,
			     i % 2 && f->small ? f->small : 12);
		f->free[f->nfree++] = &f->pages[i];
	}
	p->sz = sizeof(*p);
	p->provider = &provider;
	p->provider_arg = f;
	return page_pool_create(p);
}

static void foreign_end(struct foreign *f, unsigned int destroys)
{
	require(f->nfree == PAGES);
	require(f->inits == 1);
	require(f->destroys == destroys);
	free(f->pages);
	free(f->memory);
}

static void destroyed_once(void **state)
{
	struct page_pool_params p = { .reserve = 4 };
	struct pp_page *pages[100];
	struct foreign f = { .most = 3 };
	struct page_pool *pool = foreign_pool(&f, &p);

	assert_non_null(pool); /* a reserve of more than it gives at once */
	assert_int_equal(page_pool_alloc_bulk(pool, pages, 100), 100);
	page_pool_destroy(pool);
	assert_int_equal(f.destroys, 0);
	page_pool_put_bulk(pages, 100);
	foreign_end(&f, 1);
}

static void init_fails(void **state)
{
	struct page_pool_params p = { .name = "rx" };
	struct foreign f = { .init_says = -EIO };

	errno = 0;
	assert_null(foreign_pool(&f, &p));
	assert_int_equal(errno, EIO);
	assert_non_null(strstr(pp_error(), "init"));
	foreign_end(&f, 0);
}

static void reserve_fails(void **state)
{
	struct page_pool_params p = { .reserve = PAGES + 1 };
	struct foreign f = { .most = 7 };

	errno = 0;
	assert_null(foreign_pool(&f, &p));
	assert_int_equal(errno, ENOMEM);
	foreign_end(&f, 1);
}

/* says that it gave more than was asked for: what it did not give is not counted */
static void gives_too_much(void **state)
{
	struct page_pool_params p = { .refill = 8, .cache_size = 8 };
	struct foreign f = { .lie = 5 };
	struct pp_page *pages[8];
	struct page_pool *pool = foreign_pool(&f, &p);

	assert_int_equal(page_pool_alloc_bulk(pool, pages, 8), 8);
	assert_int_equal(page_pool_inflight(pool), 8);
	page_pool_put_bulk(pages, 8);
	pool_check(pool, 0);
	page_pool_destroy(pool);
	foreign_end(&f, 1);
}

/*
 * A provider reaps completions when it is asked for pages, so the owner's cache fills while
 * it is being refilled: no page is lost, whether there is room for all or not.
 */
static void owner_returns_in_refill(unsigned int give, unsigned int most)
{
	struct page_pool_params p = { .refill = 32, .cache_size = 48 };
	struct foreign f = { 0 };
	struct pp_page *pages[PAGES];
	struct page_pool *pool = foreign_pool(&f, &p);
	unsigned int got;

	require(page_pool_alloc_bulk(pool, pages, 64) == 64);
	memcpy(f.give, pages, give * sizeof(*pages));
	f.ngive = give;
	f.most = most;
	got = page_pool_alloc_bulk(pool, pages + 64, 4);
	require(got == 4);
	pool_check(pool, 64 - give + 4);
	page_pool_put_bulk(pages + give, 64 - give + 4);
	pool_check(pool, 0);
	page_pool_destroy(pool);
	foreign_end(&f, 1);
}

static void returns_in_refill(void **state)
{
	owner_returns_in_refill(8, PAGES); /* there is room */
	owner_returns_in_refill(40, PAGES); /* for a few */
	owner_returns_in_refill(48, PAGES); /* for none */
	owner_returns_in_refill(8, 0); /* and nothing else came */
	owner_returns_in_refill(8, 1);
}

/* the second return of a page without its pool finds no pool, and nothing to crash on */
static void put_after_the_end(void **state)
{
	struct page_pool_params p = { .name = "rx" };
	struct foreign f = { 0 };
	struct page_pool *pool;
	struct pp_page *page, *again;

	if (PP_DEBUG)
		skip_because("a debug build aborts here, as it should");
	pool = foreign_pool(&f, &p);
	page = again = page_pool_alloc_pages(pool);
	assert_non_null(page);
	page_pool_destroy(pool);
	page_pool_put_bulk(&page, 1);
	assert_int_equal(f.destroys, 1);
	page_pool_put_bulk(&again, 1);
	foreign_end(&f, 1);
}

/* put while another user holds it: stays with the pool until that is over, then comes home */
static void elevated_reference(void **state)
{
	struct page_pool_params p = { .name = "rx" };
	struct foreign f = { 0 };
	struct page_pool *pool = foreign_pool(&f, &p);
	struct pp_page *page = page_pool_alloc_pages(pool), *held = page;

	pp_page_get(held);
	page_pool_put_bulk(&page, 1);
	assert_int_equal(pool_stats(pool).recycle_released_ref, 1);
	page_pool_destroy(pool);
	assert_int_equal(f.destroys, 0);
	assert_int_equal(f.nfree, PAGES - 1);
	pp_page_put(held);
	foreign_end(&f, 1);
}

/* pages of two sizes: no fragment is larger than what it lies in */
static void pages_of_two_sizes(void **state)
{
	struct page_pool_params p = { .refill = 1, .cache_size = 1 };
	struct foreign f = { .small = 10 };
	struct page_pool *pool = foreign_pool(&f, &p);
	unsigned int i, offset, size, small = 0, got = 0;
	struct pp_page *page, *pages[64];

	pages[got++] = page_pool_alloc_pages(pool); /* a small one: the next to be cut is large */
	for (i = 0; i < 8; i++) {
		size = 700; /* half of a large page, not of a small one */
		page = page_pool_alloc(pool, &offset, &size);
		assert_non_null(page);
		assert_true(size >= 700 && offset + size <= pp_page_size(page));
		small += pp_page_size(page) == 1024;
		pages[got++] = page;
	}
	for (i = 0; i < 16; i++) {
		size = i % 3 ? 1900 : 600;
		page = page_pool_alloc_frag(pool, &offset, size);
		if (!page)
			continue;
		assert_true(offset + size <= pp_page_size(page));
		pages[got++] = page;
	}
	assert_true(small);
	while (got)
		page_pool_put_page(pool, pages[--got], false);
	page_pool_destroy(pool);
	foreign_end(&f, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(destroyed_once),     cmocka_unit_test(init_fails),
		cmocka_unit_test(reserve_fails),      cmocka_unit_test(gives_too_much),
		cmocka_unit_test(returns_in_refill),  cmocka_unit_test(put_after_the_end),
		cmocka_unit_test(elevated_reference), cmocka_unit_test(pages_of_two_sizes),
	};

	return test_main("pool provider", tests, ARRAY_LEN(tests), 60);
}
