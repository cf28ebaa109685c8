/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls.c - a call in a zone that processes share: its beginning, its end, and the pages' holder
 */
#include "zone/share.h"

unsigned int zone_enter(struct pp_zone *zone)
{
	struct zone_share *shared = zone->shared;
	unsigned int phase = READ_ONCE(shared->phase) & 1;
	struct zone_process *self = zone_own_entry(zone);

	/* seq_cst: before pages leave the stock; pairs with the barrier in await_calls() */
	__atomic_add_fetch(&self->inside[phase], 1, __ATOMIC_SEQ_CST);
	return phase;
}

void zone_leave(struct pp_zone *zone, unsigned int phase)
{
	/* release: pairs with the acquire in await_calls() */
	__atomic_sub_fetch(&zone_own_entry(zone)->inside[phase], 1, __ATOMIC_RELEASE);
}

void zone_hold(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	uint64_t *holder = zone->shared->holder;
	unsigned int i;

	compiler_barrier(); /* they have left the stock */
	for (i = 0; i < n; i++)
		WRITE_ONCE(holder[page_number(zone, objs[i])], zone->self);
}

/* Of a page that is at home, or another process's; its pool is not one of this process. */
static void __coldpath refuse(struct pp_zone *zone, const struct pp_page *page)
{
	if (PP_DEBUG)
		bug("a page that is not with this process was given back", page);
	count_add_shared(zone->double_puts, 1);
}

/* True: the page was of this process, and is of none now. */
static bool let_go(struct pp_zone *zone, struct pp_page *page)
{
	uint64_t *holder = &zone->shared->holder[page_number(zone, page)];

	if (unlikely(holder_process(READ_ONCE(*holder)) != zone->self)) {
		refuse(zone, page);
		return false;
	}
	/* release: after the call has counted itself, for await_calls() */
	store_release(holder, 0);
	return true;
}

unsigned int zone_let_go(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
			 struct pp_page **mine)
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		if (let_go(zone, pages[i]))
			mine[k++] = pages[i];
	}
	compiler_barrier(); /* before they go to the stock */
	return k;
}
