/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/home.c - puts of pages that are at home already are refused, and counted */
#include <stdio.h>

#include "zone/home.h"

static __coldpath void bug_at_home(const struct pp_page *page)
{
	char place[300] = "", text[400];

	if (PP_POISON)
		put_place_text(page, place, sizeof(place));
	snprintf(text, sizeof(text), "a page that is at home already was given back again%s%s",
		 *place ? ": the first time, " : "", place);
	bug(text, page);
}

void __coldpath page_put_twice(struct pp_page *page)
{
	struct page_pool *pool = READ_ONCE(page->pool);

	if (PP_DEBUG)
		bug_at_home(page);
	if (pool)
		READ_ONCE(pool_page_ops)->put_twice(pool);
	if (page->zone)
		count_add_shared(page->zone->double_puts, 1);
}
