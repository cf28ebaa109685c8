/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/source.h - pages come from a zone, a set or a provider, and go back there */
#ifndef PP_POOL_SOURCE_H
#define PP_POOL_SOURCE_H

#include "pool/page_pool.h"

/* Pages leave the pool. Nothing of @pool may be touched afterwards: it may be gone. */
void pool_release_pages(struct page_pool *pool, struct pp_page **pages, unsigned int n);
void pool_released(struct page_pool *pool, uint64_t n);
void pool_release_array(struct page_pool *pool, struct pp_page **pages, uint32_t *count);

/*
 * Up to @want pages from zone, set or provider, outside a turn. Other cores and pools are searched
 * only for the first @need. If there are more than those, pool_taken() says that all have come to
 * the places where a search finds them.
 */
unsigned int pool_take(struct page_pool *pool, struct pp_page **pages, unsigned int need,
		       unsigned int want);

static inline void pool_taken(struct page_pool *pool)
{
	/* release: after the pages have come */
	store_release(&pool->taking, false);
}

#endif /* PP_POOL_SOURCE_H */
