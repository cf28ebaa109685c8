/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/refs.c - the references that a pool hands out with a page, checked in debug builds */
#include "pool/refs.h"

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

/* Debug builds: a put of one reference. The pool may be gone once it is dropped. */
int pool_unref_checked(struct page_pool *pool, struct pp_page *page)
{
	int least, left;

	refs_check_begin();
	least = pool->frag_page == page ? FRAG_BIAS - pool->frag_users : 0;
	left = page_pool_unref_page(page, 1);
	refs_check_end();
	if (left < least)
		bug("a page has had more puts than users: a fragment was given back twice", page);
	return left;
}
