/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/put.c - any thread gives pages back: to the owner's cache, the ring, or the zone */
#include "pool/page_pool.h"
#include "zone/home.h"

_Static_assert(offsetof(struct pp_page, pp_refs) == offsetof(struct pp_page, refs) + 4,
	       "both counts in one load");

/*
 * Not of @pool, or at home, or held by others, too, or used by others: a put of it takes longer.
 * False: load_barrier() comes before what the put does with the page.
 */
static __always_inline bool page_needs_care(const struct pp_page *page,
					    const struct page_pool *pool)
{
	return unlikely(PEEK(page->pool) != pool) ||
	       unlikely(peek_pair(&page->refs) != PAIR_OF_ONES) ||
	       unlikely((uintptr_t)PEEK(page->next) & 1);
}

static __always_inline void recycle_in_ring(struct page_pool *pool, struct pp_page **pages,
					    unsigned int n)
{
	unsigned int k = ring_produce(&pool->ring, (void **)pages, n);

	if (unlikely(k < n))
		pool_release_pages(pool, pages + k, n - k);
}

/* Every page is of @pool, sole, and marked as home. */
static __always_inline void recycle_pages(struct page_pool *pool, struct pp_page **pages,
					  unsigned int n)
{
	unsigned int count, k;
	uint32_t turn = 0;

	if (unlikely(READ_ONCE(pool->holders)))
		pool_untag(pages, n);
	if (pool_is_mine(pool))
		turn = pool_enter(pool) ?: pool_enter_slow(pool);
	if (likely(turn)) {
		count = pool->count;
		k = min(n, pool->p.cache_size - count);
		copy_objs((void **)pool->cache + count, (void **)pages, k);
		WRITE_ONCE(pool->count, count + k);
		count_add(pool->cached, k);
		if (likely(k == n)) {
			turn_end_of(pool, turn);
			return;
		}
		count_add(pool->cache_full, n - k);
		turn_end_of(pool, turn);
		pages += k;
		n -= k;
	}
	recycle_in_ring(pool, pages, n);
}

static __noinline void recycle_page_slow(struct page_pool *pool, struct pp_page *page)
{
	recycle_pages(pool, &page, 1);
}

/* recycle_pages() of one by the owner: its address goes through no memory but the cache's. */
static __always_inline void recycle_page(struct page_pool *pool, struct pp_page *page)
{
	uint32_t turn = pool_enter(pool); /* 0 with holder tags, too */
	unsigned int count;

	if (unlikely(!turn)) {
		recycle_page_slow(pool, page);
		return;
	}
	count = pool->count;
	if (unlikely(count == pool->p.cache_size)) {
		turn_end_of(pool, turn);
		recycle_page_slow(pool, page);
		return;
	}
	pool->cache[count] = page;
	WRITE_ONCE(pool->count, count + 1);
	count_add(pool->cached, 1);
	turn_end_of(pool, turn);
}

void __coldpath pool_put_twice(struct page_pool *pool)
{
	count_add_shared(pool->double_puts, 1);
}

/* The pool's last reference is gone. True: the page can be recycled, and is marked. */
static bool page_is_ours(struct page_pool *pool, struct pp_page *page)
{
	if (likely(load_acquire(&page->refs) == 1)) {
		WRITE_ONCE(page->next, NEXT_HOME);
		poison_pages(&page, 1);
		return true;
	}
	/* another user holds the buffer: it leaves us, and goes home when that user is done */
	if (unlikely(READ_ONCE(pool->holders)))
		pool_untag(&page, 1);
	count_add_shared(pool->released_ref, 1);
	if (pool->p.provider) {
		pp_page_put(page); /* the last reference gives it to the provider */
		return false;
	}
	WRITE_ONCE(page->pool, NULL);
	pp_page_put(page);
	pool_released(pool, 1);
	return false;
}

/* ---- references ------------------------------------------------------------------------------ */

static struct pp_lock check_lock;

void refs_check_begin(void)
{
	if (PP_DEBUG)
		pp_lock(&check_lock);
}

void refs_check_end(void)
{
	if (PP_DEBUG)
		pp_unlock(&check_lock);
}

/* Drop one reference; references left. The pool may be gone afterwards. */
static int unref_page(struct page_pool *pool, struct pp_page *page)
{
	int least, left;

	if (!PP_DEBUG)
		return page_pool_unref_page(page, 1);
	refs_check_begin();
	least = pool->frag_page == page ? FRAG_BIAS - pool->frag_users : 0;
	left = page_pool_unref_page(page, 1);
	refs_check_end();
	if (left < least)
		bug("a page has had more puts than users: a fragment was given back twice", page);
	return left;
}

/*
 * Drop one of the pool's references, and what follows from it if the page must
 * not be recycled. True: it was the last one, and the page can be.
 */
static bool put_reference(struct pp_page *page)
{
	struct page_pool *pool = READ_ONCE(page->pool);

	if (unlikely(page_is_home(page))) {
		page_put_twice(page);
		return false;
	}
	if (!pool) {
		pp_page_put(page);
		return false;
	}
	return !unref_page(pool, page) && page_is_ours(pool, page);
}

/* At most PP_BULK_MAX pages; the first @done are sole ones of the first one's pool, and marked. */
static __noinline void put_part(struct pp_page **pages, unsigned int done, unsigned int n)
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
		recycle_pages(pool, same, k);
	}
}

/* Pages of several pools, or with more than one reference: sorted out pool by pool. */
static void put_mixed(struct pp_page **pages, unsigned int done, unsigned int n)
{
	unsigned int marked;

	for (; unlikely(n > PP_BULK_MAX); n -= PP_BULK_MAX, pages += PP_BULK_MAX) {
		marked = min(done, PP_BULK_MAX);
		put_part(pages, marked, PP_BULK_MAX);
		done -= marked;
	}
	put_part(pages, done, n);
}

void __noinline fetch_pages(struct pp_page *const *pages, unsigned int n)
{
	for (; n >= 4; n -= 4, pages += 4) {
		prefetch_for_write(pages[0]);
		prefetch_for_write(pages[1]);
		prefetch_for_write(pages[2]);
		prefetch_for_write(pages[3]);
	}
	while (n--)
		prefetch_for_write(*pages++);
}

/* Mark @page as home. False: it needs care. */
static __always_inline bool mark_page(struct pp_page *page, const struct page_pool *pool)
{
	if (unlikely(page_needs_care(page, pool)))
		return false;
	WRITE_ONCE(page->next, NEXT_HOME);
	poison_pages(&page, 1);
	return true;
}

/* Mark pages up to the first that needs care; pages marked. */
static __always_inline unsigned int mark_pages(struct pp_page **pages, unsigned int n,
					       const struct page_pool *pool)
{
	unsigned int i = 0;

	for (; n - i >= 4; i += 4) {
		if (!mark_page(pages[i], pool))
			return i;
		if (!mark_page(pages[i + 1], pool))
			return i + 1;
		if (!mark_page(pages[i + 2], pool))
			return i + 2;
		if (!mark_page(pages[i + 3], pool))
			return i + 3;
	}
	for (; i < n; i++) {
		if (!mark_page(pages[i], pool))
			return i;
	}
	return n;
}

void page_pool_put_bulk(struct pp_page **pages, unsigned int n)
{
	struct page_pool *pool;
	unsigned int marked;
	PUT_FROM_HERE;

	if (unlikely(!n))
		return;
	pool = READ_ONCE(pages[0]->pool);
	if (unlikely(!pool)) {
		put_mixed(pages, 0, n);
		return;
	}
	if (!pool_is_mine(pool))
		fetch_pages(pages, n);
	marked = mark_pages(pages, n, pool);
	/* pairs with the release of the threads that dropped the other references */
	load_barrier();
	if (unlikely(marked < n))
		put_mixed(pages, marked, n);
	else
		recycle_pages(pool, pages, n);
}

/* allow_direct by a thread that is not the owner */
static void check_direct(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	if (unlikely(allow_direct && pool && !pool_is_mine(pool))) {
		BUG_ON(true, page);
		count_add_shared(pool->wrong_owner, 1);
	}
}

/* By another thread, or of another pool than @pool, or with more references. */
static __noinline void put_elsewhere(struct page_pool *pool, struct pp_page *page,
				     bool allow_direct)
{
	const struct page_pool *of = READ_ONCE(page->pool);

	check_direct(pool, page, allow_direct);
	if (of && pool_is_mine(of))
		put_mixed(&page, 0, 1); /* a fragment, mostly */
	else
		page_pool_put_bulk(&page, 1);
}

/* @pool may be gone unless the page is of it: nothing of it is read before that is known. */
static __always_inline void put_page(struct page_pool *pool, struct pp_page *page,
				     bool allow_direct)
{
	if (likely(pool && !page_needs_care(page, pool) && pool_is_mine(pool))) {
		load_barrier(); /* as in page_pool_put_bulk() */
		WRITE_ONCE(page->next, NEXT_HOME);
		poison_pages(&page, 1);
		recycle_page(pool, page);
	} else {
		put_elsewhere(pool, page, allow_direct);
	}
}

void page_pool_put_page(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	PUT_FROM_HERE;

	put_page(pool, page, allow_direct);
}

void page_pool_put_full_page(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	PUT_FROM_HERE;

	put_page(pool, page, allow_direct);
}

void page_pool_recycle_direct(struct page_pool *pool, struct pp_page *page)
{
	PUT_FROM_HERE;

	put_page(pool, page, true);
}

void page_pool_put_unrefed_page(struct page_pool *pool, struct pp_page *page, bool allow_direct)
{
	PUT_FROM_HERE;

	check_direct(pool, page, allow_direct);
	pool_recycle_last(pool, page);
}

void pool_recycle_last(struct page_pool *pool, struct pp_page *page)
{
	if (unlikely(page_is_home(page)))
		page_put_twice(page);
	else if (page_is_ours(pool, page))
		recycle_pages(pool, &page, 1);
}

/* Only a provider's pages stay with their pool when they are put while others hold them. */
void pool_last_put(struct pp_page *page)
{
	struct page_pool *pool = page->pool;

	BUG_ON(!pool->p.provider, page); /* belongs to a pool: page_pool_put_page() */
	if (pool->p.provider)
		pool_release_pages(pool, &page, 1);
	else
		count_add_shared(pool->double_puts, 1);
}
