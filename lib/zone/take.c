/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone/take.c - the order in which an allocation looks for pages, and the way back
 *
 * near: this core's cache, the free area, the buddy, a block that can be accepted now
 * far:  every core's cache, the clients, the caches of runs, blocks that other threads accept; and
 *       again as long as free pages move
 */
#include <pagepool/memory.h>

#include "base/fault.h"
#include "zone/home.h"
#include "zone/share.h"

/* ---- free ------------------------------------------------------------------------------------ */

static __always_inline void give_back(struct pp_zone *zone, struct pp_page *const *pages,
				      unsigned int n)
{
	void *const *objs = (void *const *)pages;
	unsigned int i;
	PUT_FROM_HERE;

	poison_pages(pages, n);
	for (i = 0; PP_DEBUG && i < n; i++)
		page_goes_home(zone, pages[i]);
	if (unlikely(!stock_caches(zone->stock, n)))
		stock_give_slow(zone->stock, objs, n);
	else if (unlikely(!stock_ops(zone->stock)->free_bulk(zone->stock, objs, n)))
		stock_give_area(zone->stock, objs, n);
}

#define PART 64u

/* Pages that another process has stay where they are. */
static void free_shared(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	unsigned int phase = zone_enter(zone), part, k;
	struct pp_page *mine[PART];

	for (; n; n -= part, pages += part) {
		part = min(n, PART);
		k = zone_let_go(zone, pages, part, mine);
		if (k)
			give_back(zone, mine, k);
	}
	zone_leave(zone, phase);
}

static __noinline void free_bulk_slow(struct pp_zone *zone, struct pp_page *const *pages,
				      unsigned int n)
{
	if (zone->shared) {
		free_shared(zone, pages, n);
		return;
	}
	stock_call_begin(zone->stock);
	give_back(zone, pages, n);
	stock_call_end(zone->stock);
}

void pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	PUT_FROM_HERE;

	if (unlikely(!n))
		return;
	if (likely(READ_ONCE(zone->stock->jump_give)))
		stock_policy(zone->stock)->zone.give(zone->stock, (void *const *)pages, n);
	else
		free_bulk_slow(zone, pages, n);
}

void zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	bool began;

	if (unlikely(zone->shared)) {
		free_shared(zone, pages, n);
		return;
	}
	began = stock_step_begin(zone->stock);
	give_back(zone, pages, n);
	stock_step_end(began);
}

void pp_zone_free_bulk_list(struct pp_zone *zone, struct pp_list *list)
{
	struct pp_page *pages[64], *page;
	unsigned int n = 0;
	PUT_FROM_HERE;

	while ((page = pp_list_pop(list))) {
		page_mark_home(zone, page);
		pages[n++] = page;
		if (n == 64) {
			pp_zone_free_bulk(zone, pages, n);
			n = 0;
		}
	}
	pp_zone_free_bulk(zone, pages, n);
}

/* ---- allocation ------------------------------------------------------------------------------ */

/*
 * Drains like pp_zone_drain_all(), but stops as soon as there is enough; then trims the clients.
 * Blocks that other threads are accepting are awaited only when all that failed.
 */
static unsigned int zone_look(const struct search *search, void **objs, unsigned int n,
			      bool *timeout)
{
	struct pp_zone *zone = stock_zone(search->stock);
	unsigned int got = stock_take_caches(zone->stock, objs, n, timeout);

	if (got < n && unlikely(zone->shared) && zone_bury_seldom(zone))
		got += stock_take_area(zone->stock, objs + got, n - got);
	if (got == n)
		return got;
	if (clients_trim(&zone->clients, n - got, zone->stock->drain_us, timeout))
		got += stock_take_caches(zone->stock, objs + got, n - got, timeout);
	if (got < n)
		runs_drain(zone, 0, zone->stock->cores, zone->stock->drain_us);
	if (got < n)
		got += zone_take_blocks(zone, objs + got, n - got, true);
	return got;
}

uint64_t zone_run_moves(const struct search *search, bool *on_their_way)
{
	struct pp_zone *zone = stock_zone(search->stock);
	struct stock *stock;
	unsigned int k;
	uint64_t moves;

	full_barrier(); /* pairs with zone_move_begin(): what was looked at before is older */
	*on_their_way = load_acquire(&zone->moving);
	moves = load_acquire(&zone->moved) + READ_ONCE(zone->stock->area.refills);
	for_each_run_stock(stock, zone, k) {
		/* acquire: what a holder moved counts. A holder that is there now may move runs. */
		if (load_acquire(&stock->lock.word))
			*on_their_way = true;
		moves += READ_ONCE(stock->area.moves);
	}
	moves += clients_moves(&zone->clients, on_their_way);
	load_barrier(); /* before a look: it sees nothing until all this is read */
	return moves;
}

static uint64_t page_moves(const struct search *search, bool *on_their_way)
{
	uint64_t moves = zone_run_moves(search, on_their_way);

	moves += READ_ONCE(search->stock->area.moves);
	load_barrier(); /* before a look, as the others */
	return moves;
}

/* Pages that users gave back while others looked count as well, if they are still there. */
static uint64_t pages_seen(const struct search *search)
{
	struct pp_zone *zone = stock_zone(search->stock);
	uint64_t n = READ_ONCE(zone->buddy.count[BUDDY_USABLE]);
	struct stock *stock;
	unsigned int k;

	for_each_stock(stock, zone, k)
		n += stock_seen(stock);
	return n ? n : clients_kept(&zone->clients);
}

/*
 * The promise: a short answer only if no page is free anywhere. The cache was closed to us, or it
 * and the free area have less than @n.
 */
static __coldpath unsigned int take_pages_far(struct pp_zone *zone, void **objs, unsigned int n)
{
	const struct search search = { zone->stock, zone_look, page_moves, pages_seen };
	unsigned int got = stock_take_area(zone->stock, objs, n);
	int err = errno;

	if (got == n) {
		count_add_shared(zone->stock->fallbacks, 1);
		return got;
	}
	got += zone_take_blocks(zone, objs + got, n - got, false);
	if (got < n && !stock_in_handler(zone->stock))
		got += search_everywhere(&search, objs + got, n - got);
	if (got < n)
		count_add_shared(zone->stock->alloc_failures, 1);
	errno = err;
	return got;
}

/* Past this core's cache: the free area, the buddy, a block; waits for no other thread. */
static __coldpath unsigned int take_pages_near(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got = stock_take_area(zone->stock, objs, n);

	if (got < n)
		got += zone_take_blocks(zone, objs + got, n - got, false);
	return got;
}

static __always_inline unsigned int take_any(struct pp_zone *zone, void **objs, unsigned int n,
					     const bool may_drain)
{
	unsigned int got;

	got = stock_ops(zone->stock)->alloc_bulk(zone->stock, objs, n);
	if (unlikely(got < n) && !zone_fault_taken())
		got += may_drain ? take_pages_far(zone, objs + got, n - got)
				 : take_pages_near(zone, objs + got, n - got);
	return got;
}

static __noinline unsigned int take_watched(struct pp_zone *zone, void **objs, unsigned int n,
					    const bool may_drain)
{
	unsigned int got, phase;

	if (zone->shared) {
		phase = zone_enter(zone);
		got = take_any(zone, objs, n, may_drain);
		zone_hold(zone, objs, got);
		zone_leave(zone, phase);
		return got;
	}
	stock_call_begin(zone->stock);
	got = take_any(zone, objs, n, may_drain);
	stock_call_end(zone->stock);
	return got;
}

static __always_inline unsigned int take_pages(struct pp_zone *zone, void **objs, unsigned int n,
					       const bool may_drain)
{
	unsigned int got, i;

	if (unlikely(zone->stock->watched))
		got = take_watched(zone, objs, n, may_drain);
	else
		got = take_any(zone, objs, n, may_drain);
	for (i = 0; PP_DEBUG && i < got; i++)
		page_leaves_home(zone, objs[i]);
	return got;
}

unsigned int zone_take(struct pp_zone *zone, void **objs, unsigned int n)
{
	return take_pages(zone, objs, n, true);
}

unsigned int zone_take_near(struct pp_zone *zone, void **objs, unsigned int n)
{
	return take_pages(zone, objs, n, false);
}

static __noinline unsigned int alloc_bulk_prep(struct pp_zone *zone, struct pp_page **pages,
					       unsigned int n)
{
	unsigned int got = zone_take(zone, (void **)pages, n);

	unpoison_pages(pages, got);
	/* a second pass: the cache is open again while we walk the pages */
	zone_prep(zone, pages, got);
	return got;
}

static unsigned int __coldpath take_more(struct stock *stock, void **objs, unsigned int n,
					 unsigned int got)
{
	return got + take_pages_far(stock_zone(stock), objs + got, n - got);
}

unsigned int pp_zone_alloc_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	if (READ_ONCE(zone->stock->jump_take))
		return stock_policy(zone->stock)
			->zone.take(zone->stock, (void **)pages, n, take_more);
	return alloc_bulk_prep(zone, pages, n);
}

/* At most @PP_BULK_MAX slots. */
static unsigned int fill_part(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	struct pp_page *came[PP_BULK_MAX];
	unsigned int holes = 0, i, k = 0;

	for (i = 0; i < n; i++)
		holes += !pages[i];
	if (holes)
		holes = pp_zone_alloc_bulk(zone, came, holes);
	for (i = 0; i < n; i++) {
		if (pages[i])
			continue;
		if (k == holes)
			break;
		pages[i] = came[k++];
	}
	return i;
}

unsigned int pp_zone_alloc_bulk_fill(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	unsigned int done = 0, part, got;

	do {
		part = min(n - done, PP_BULK_MAX);
		got = fill_part(zone, pages + done, part);
		done += got;
	} while (unlikely(done < n) && got == part);
	return done;
}

size_t pp_zone_alloc_bulk_list(struct pp_zone *zone, size_t n, struct pp_list *list)
{
	struct pp_page *pages[64];
	unsigned int got, want, i;
	size_t left = n;

	while (left) {
		want = (unsigned int)min(left, (size_t)64);
		got = pp_zone_alloc_bulk(zone, pages, want);
		for (i = 0; i < got; i++)
			pp_list_add_tail(list, pages[i]);
		left -= got;
		if (got < want)
			break;
	}
	return n - left;
}
