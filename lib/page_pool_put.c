/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool_put.c - anybody gives pages back: to the owner's cache, the ring, or the zone
 */
#include "page_pool.h"

_Static_assert(offsetof(struct pp_page, pp_refs) == offsetof(struct pp_page, refs) + 4,
	       "both counts in one load");

/* 0 if @page is of @pool and out, nobody else holds it, and all users of it are done. */
static __always_inline uint64_t page_is_odd(const struct pp_page *page,
					    const struct page_pool *pool)
{
	/* pairs with the release of whoever dropped the other references */
	return ((uintptr_t)READ_ONCE(page->pool) ^ (uintptr_t)pool) |
	       (load_pair_acquire(&page->refs) ^ PAIR_OF_ONES) | (READ_ONCE(page->next) == HOME);
}

static void recycle_in_ring(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	unsigned int k = ring_produce(&pool->ring, (void **)pages, n);

	if (unlikely(k < n))
		pool_release_pages(pool, pages + k, n - k);
}

/* Every page is of @pool, sole, and marked as home. */
static __always_inline void recycle(struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
	unsigned int k;

	if (unlikely(READ_ONCE(pool->holders)))
		pool_untag(pages, n);
	if (likely(READ_ONCE(pool->owner) == pp_self()) && pool_enter_any(pool)) {
		k = min(n, pool->cache_size - pool->count);
		copy_objs((void **)pool->cache + pool->count, (void **)pages, k);
		WRITE_ONCE(pool->count, pool->count + k);
		count_add(pool->cached, k);
		if (likely(k == n)) {
			turn_end(pool);
			return;
		}
		count_add(pool->cache_full, n - k);
		turn_end(pool);
		pages += k;
		n -= k;
	}
	recycle_in_ring(pool, pages, n);
}

static __coldpath void put_twice(struct pp_page *page)
{
	struct page_pool *pool = READ_ONCE(page->pool);

	BUG_ON(true, page); /* it is home already */
	if (pool)
		count_add_shared(pool->double_puts, 1);
	if (page->zone)
		count_add_shared(page->zone->double_puts, 1);
}

/* The pool's last reference is gone. True: the page can be recycled, and is marked. */
static bool page_is_ours(struct page_pool *pool, struct pp_page *page)
{
	if (likely(load_acquire(&page->refs) == 1)) {
		WRITE_ONCE(page->next, HOME);
		return true;
	}
	/* somebody else holds the buffer: it leaves us, and goes home when they are done */
	if (unlikely(READ_ONCE(pool->holders)))
		pool_untag(&page, 1);
	count_add_shared(pool->released_ref, 1);
	if (pool->provider) {
		pp_page_put(page); /* whose last one gives it to the provider */
		return false;
	}
	WRITE_ONCE(page->pool, NULL);
	pp_page_put(page);
	pool_released(pool, 1);
	return false;
}

/*
 * Drop one of the pool's references, and what follows from it if the page must
 * not be recycled. True: it was the last one, and the page can be.
 */
static bool put_reference(struct pp_page *page)
{
	struct page_pool *pool = READ_ONCE(page->pool);

	if (unlikely(READ_ONCE(page->next) == HOME)) {
		put_twice(page);
		return false;
	}
	if (!pool) {
		pp_page_put(page);
		return false;
	}
	return !page_pool_unref_page(page, 1) && page_is_ours(pool, page);
}

/*
 * Pages of several pools, or with more than one reference: sorted out pool by pool.
 * The first @done are sole ones of the first one's pool, and marked.
 */
static __noinline void put_mixed(struct pp_page **pages, unsigned int done, unsigned int n)
{
	struct pp_page *same[PP_BULK_MAX];
	struct page_pool *pool;
	unsigned int i, k, left = done;

	for (i = done; i < n; i++) {
		if (put_reference(pages[i]))
			pages[left++] = pages[i];
	}
	while (left) {
		pool = pages[0]->pool;
		n = left;
		for (i = left = k = 0; i < n; i++) {
			if (pages[i]->pool == pool)
				same[k++] = pages[i];
			else
				pages[left++] = pages[i];
		}
		recycle(pool, same, k);
	}
}

void page_pool_put_bulk(struct pp_page **pages, unsigned int n)
{
	struct page_pool *pool;
	unsigned int i;

	if (unlikely(!n))
		return;
	pool = READ_ONCE(pages[0]->pool);
	for (i = 0; pool && i < n; i++) {
		if (unlikely(page_is_odd(pages[i], pool)))
			break;
		WRITE_ONCE(pages[i]->next, HOME);
	}
	if (likely(i == n))
		recycle(pool, pages, n);
	else
		put_mixed(pages, i, n);
}

static __coldpath void put_from_wrong_thread(struct page_pool *pool, struct pp_page *page)
{
	BUG_ON(true, page); /* allow_direct by a thread that is not the owner */
	count_add_shared(pool->wrong_owner, 1);
	page_pool_put_bulk(&page, 1);
}

void page_pool_put_page(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	if (unlikely(allow_direct && READ_ONCE(pool->owner) != pp_self())) {
		put_from_wrong_thread(pool, page);
	} else if (likely(!page_is_odd(page, pool))) {
		WRITE_ONCE(page->next, HOME);
		recycle(pool, &page, 1);
	} else {
		put_mixed(&page, 0, 1);
	}
}

void page_pool_put_unrefed_page(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	if (unlikely(allow_direct && READ_ONCE(pool->owner) != pp_self())) {
		BUG_ON(true, page); /* as put_from_wrong_thread() */
		count_add_shared(pool->wrong_owner, 1);
	}
	pool_recycle_last(pool, page);
}

void pool_recycle_last(struct page_pool *pool, struct pp_page *page)
{
	if (unlikely(READ_ONCE(page->next) == HOME))
		put_twice(page);
	else if (page_is_ours(pool, page))
		recycle(pool, &page, 1);
}

/* Only a provider's pages stay with their pool when they are put while others hold them. */
void page_pool_take_back(struct pp_page *page)
{
	struct page_pool *pool = page->pool;

	BUG_ON(!pool->provider, page); /* belongs to a pool: page_pool_put_page() */
	if (pool->provider)
		pool_release_pages(pool, &page, 1);
	else
		count_add_shared(pool->double_puts, 1);
}
