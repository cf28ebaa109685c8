/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/refs.h - the references that a pool hands out with a page */
#ifndef PP_POOL_REFS_H
#define PP_POOL_REFS_H

#include "pool/page_pool.h"

/* More references than a page can ever have users: what a page of fragments begins with. */
#define FRAG_BIAS (INT32_MAX / 2)

/* One of the references that the pool handed out is dropped; references left. */
int pool_unref_checked(struct page_pool *pool, struct pp_page *page);

/* Debug builds: users and references change together, so that a put can compare them. */
void refs_check_begin(void);
void refs_check_end(void);

static __always_inline int pool_unref(struct page_pool *pool, struct pp_page *page)
{
	return PP_DEBUG ? pool_unref_checked(pool, page) : page_pool_unref_page(page, 1);
}

#endif /* PP_POOL_REFS_H */
