/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/give.c - pages leave their pools, and become those of another process */
#include "pool/page_pool.h"
#include "zone/share.h"

static int check_page(const struct pp_zone *zone, const struct pp_page *page)
{
	uint64_t i;

	if (!page_of_zone(zone, page, &i) ||
	    holder_process(READ_ONCE(zone->shared->holder[i])) != zone->self || page_is_home(page))
		return pp_set_error(EINVAL, "zone %s: page %p is not with this process",
				    zone->stock->name, (const void *)page);
	if (READ_ONCE(page->owner))
		return pp_set_error(EBUSY, "zone %s: page %llu is in a ring of a driver",
				    zone->stock->name, (unsigned long long)i);
	/* pairs with the release of the threads that dropped the other references */
	if (load_pair_acquire(&page->refs) != PAIR_OF_ONES)
		return pp_set_error(EBUSY, "zone %s: page %llu has other references",
				    zone->stock->name, (unsigned long long)i);
	return 0;
}

static void leave_pool(struct pp_page *page)
{
	struct page_pool *pool = READ_ONCE(page->pool);

	if (!pool)
		return;
	if (unlikely(READ_ONCE(pool->holders)))
		pool_untag(&page, 1);
	WRITE_ONCE(page->pool, NULL);
	count_add_shared(pool->released_ref, 1);
	pool_released(pool, 1);
}

int pp_zone_give_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		      uint32_t process)
{
	unsigned int i;
	int err = 0;

	if (!zone->shared)
		return pp_set_error(EINVAL, "zone %s was not created with PP_ZONE_SHARED",
				    zone->stock->name);
	if (!zone_process(zone, process))
		return pp_set_error(ESRCH, "zone %s: no process %u is attached", zone->stock->name,
				    process);
	for (i = 0; i < n && !err; i++)
		err = check_page(zone, pages[i]);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		leave_pool(pages[i]);
	zone_hand_over(zone, pages, n, process);
	return 0;
}
