/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/frag.c - several buffers from one page
 *
 * The page is handed out with more references than it can ever have users; what is too
 * many is taken back at once when its last fragment is cut. So cutting one costs no
 * atomic instruction, only giving it back does.
 */
#include <pagepool/zone.h>

#include "pool/page_pool.h"
#include "zone/home.h"

#define FRAG_ALIGN 64u /* two users never share a line */

/*
 * Before the next fragment is cut: more puts than users would let the page start anew, or go home,
 * under a user of the next one.
 */
static __coldpath void take_back_excess(struct page_pool *pool, int32_t excess)
{
	if (PP_DEBUG)
		bug("a page has had more puts than users: a fragment was given back twice",
		    pool->frag_page);
	count_add_shared(pool->double_puts, (uint64_t)excess);
	__atomic_fetch_add(&pool->frag_page->pp_refs, excess, __ATOMIC_RELAXED);
}

static __always_inline void check_puts(struct page_pool *pool, const struct pp_page *page)
{
	int32_t excess = FRAG_BIAS - pool->frag_users - READ_ONCE(page->pp_refs);

	if (unlikely(excess > 0))
		take_back_excess(pool, excess);
}

static bool has_room(const struct page_pool *pool, uint64_t need)
{
	return pool->frag_page && pool->frag_offset + need <= pp_page_size(pool->frag_page);
}

static void start_page(struct page_pool *pool, struct pp_page *page)
{
	refs_check_begin();
	page_pool_fragment_page(page, FRAG_BIAS);
	pool->frag_page = page;
	pool->frag_offset = 0;
	pool->frag_users = 0;
	refs_check_end();
	poison_fragments(page);
}

/* The last fragment is cut: what references are left is taken back. */
void pool_drop_frag_page(struct page_pool *pool)
{
	struct pp_page *page = pool->frag_page;
	int left;

	if (!page)
		return;
	refs_check_begin();
	pool->frag_page = NULL;
	left = page_pool_unref_page(page, FRAG_BIAS - pool->frag_users);
	refs_check_end();
	BUG_ON(left < 0, page); /* a fragment was given back twice */
	if (unlikely(left < 0)) {
		count_add_shared(pool->double_puts, (uint64_t)-left);
		WRITE_ONCE(page->pp_refs, 1);
	}
	if (left <= 0)
		pool_recycle_last(pool, page);
}

/* True: all its users are gone already, and it starts anew. */
static bool starts_anew(struct page_pool *pool)
{
	struct pp_page *page = pool->frag_page;

	if (!page)
		return false;
	/* pairs with the release of the threads that dropped the other references */
	if (load_acquire(&page->pp_refs) != FRAG_BIAS - pool->frag_users ||
	    load_acquire(&page->refs) != 1) {
		pool_drop_frag_page(pool);
		return false;
	}
	start_page(pool, page);
	return true;
}

static bool take_page(struct page_pool *pool)
{
	struct pp_page *page = page_pool_alloc_pages(pool);

	if (page)
		start_page(pool, page);
	return page;
}

/* A page with room for @need bytes; false: there is none, or no page is so large. */
static bool make_room(struct page_pool *pool, uint64_t need)
{
	if (!pool->frag_page && !take_page(pool))
		return false;
	if (need > pp_page_size(pool->frag_page))
		return false;
	if (has_room(pool, need))
		return true;
	if (!starts_anew(pool) && !take_page(pool))
		return false;
	return has_room(pool, need); /* a provider's pages may differ */
}

static struct pp_page *cut_fragment(struct page_pool *pool, unsigned int *offset, unsigned int size)
{
	uint64_t need = ((uint64_t)size + FRAG_ALIGN - 1) & ~(uint64_t)(FRAG_ALIGN - 1);
	struct pp_page *page = pool->frag_page;

	if (page)
		check_puts(pool, page);
	if (!size || (unlikely(!has_room(pool, need)) && !make_room(pool, need)))
		return NULL;
	refs_check_begin();
	pool->frag_users++;
	refs_check_end();
	*offset = pool->frag_offset;
	unpoison_fragment(pool->frag_page, *offset, (uint32_t)need);
	pool->frag_offset += (uint32_t)need;
	return pool->frag_page;
}

static struct pp_page *cut_or_take(struct page_pool *pool, unsigned int *offset, unsigned int *size)
{
	struct pp_page *page;
	uint32_t room;

	if (!pool->zone && !pool->frag_page && !take_page(pool))
		return NULL;
	room = pool->zone ? 1u << (pool->zone->shift + pool->p.order)
			  : pp_page_size(pool->frag_page);
	if (!*size || *size > room)
		return NULL;
	if ((uint64_t)*size * 2 > room) {
		page = page_pool_alloc_pages(pool);
		if (page && pp_page_size(page) < *size) {
			page_pool_put_page(pool, page, false);
			page = NULL;
		}
		if (!page)
			return NULL;
		*offset = 0;
		*size = pp_page_size(page);
		return page;
	}
	page = cut_fragment(pool, offset, *size);
	if (!page)
		return NULL;
	/* what is left is too small for this size */
	if (!has_room(pool, pool->frag_offset - *offset))
		pool->frag_offset = pp_page_size(page);
	*size = pool->frag_offset - *offset;
	unpoison_fragment(page, *offset, *size);
	return page;
}

/* A page of several users is held by the last of them, as far as its tag knows. */
static struct pp_page *held_by(struct page_pool *pool, struct pp_page *page, const void *site)
{
	if (unlikely(page && READ_ONCE(pool->holders)))
		pool_tag(&page, 1, site);
	return page;
}

struct pp_page *page_pool_alloc_frag(struct page_pool *pool, unsigned int *offset,
				     unsigned int size)
{
	return held_by(pool, cut_fragment(pool, offset, size), __builtin_return_address(0));
}

struct pp_page *page_pool_alloc(struct page_pool *pool, unsigned int *offset, unsigned int *size)
{
	return held_by(pool, cut_or_take(pool, offset, size), __builtin_return_address(0));
}

void *page_pool_alloc_va(struct page_pool *pool, unsigned int *size)
{
	unsigned int offset;
	struct pp_page *page = cut_or_take(pool, &offset, size);

	page = held_by(pool, page, __builtin_return_address(0));
	return page ? page->addr + offset : NULL;
}

/* The first page of the buffer that @va lies in; NULL: it is not of this pool. */
static struct pp_page *page_of(const struct page_pool *pool, const void *va)
{
	const struct pool_client *c;
	struct pp_page *page = NULL;
	const struct pp_zone *zone;

	for_each_client(c, pool)
	{
		zone = c->client.zone;
		page = pp_zone_page_at(zone, (uintptr_t)va - (uintptr_t)pp_zone_base(zone));
		if (page)
			break;
	}
	if (page && pool->p.order)
		page = pool->zone->pages +
		       ((page - pool->zone->pages) & ~(((ptrdiff_t)1 << pool->p.order) - 1));
	return page && READ_ONCE(page->pool) == pool ? page : NULL;
}

void page_pool_free_va(struct page_pool *pool, void *va, bool allow_direct)
{
	struct pp_page *page = page_of(pool, va);
	PUT_FROM_HERE;

	BUG_ON(!page, va);
	if (page)
		page_pool_put_page(pool, page, allow_direct);
	else
		count_add_shared(pool->double_puts, 1);
}
