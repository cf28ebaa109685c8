/* SPDX-License-Identifier: BSD-3-Clause */
/* zone.h - struct pp_zone: stocks of pages and of runs, and the memory under them */
#ifndef PP_ZONE_INTERNAL_H
#define PP_ZONE_INTERNAL_H

#include <pagepool/zone.h>

#include "base/registry.h"
#include "stock/hold.h"
#include "zone/block.h"
#include "zone/buddy.h"
#include "zone/client.h"
#include "zone/memory.h"

struct zone_share;

/* What an allocation resets: the first 16 bytes of struct pp_page, in one store. */
struct page_fresh {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

#define CACHED_ORDERS 4u /* 0 .. 3; of order 0 are single pages */

_Static_assert(sizeof(struct pp_page) == 64, "a page's metadata is one cache line");
_Static_assert(sizeof(struct page_fresh) == 16, "reset with one store");
_Static_assert(offsetof(struct pp_page, addr) == sizeof(struct page_fresh), "reset comes first");

static __always_inline void page_prep(struct pp_page *page, const struct page_fresh *fresh)
{
	memcpy(page, fresh, sizeof(*fresh));
}

/*
 * free + cached + in_flight + isolated + unaccepted == managed, where free is the stack's
 * count and the buddy's usable pages; in_flight is what is left, it is counted nowhere.
 */
struct pp_zone {
	struct stock stock[CACHED_ORDERS]; /* of single pages, and of runs of 2^1 .. 2^3 */

	/* read only after creation */
	struct page_fresh fresh __line_aligned;
	bool prep;
	uint8_t shift;
	struct pp_page *pages;
	uint64_t managed;
	struct zone_share *shared; /* share.h: other processes use it, too; else NULL */
	uint32_t headroom;

	/* by any thread, rarely */
	uint64_t double_puts __line_aligned;

	/* from here on of this process, also if the zone is shared; begins with region */
	struct region region __line_aligned;
	uint64_t id; /* no other zone of the process had it */
	uint32_t self; /* its number, if the zone is shared */
	process_id process;
	uint64_t moved; /* see zone_run_moves() */
	uint32_t moving;

	/* what the stock's lock protects, too */
	struct buddy buddy __line_aligned; /* behind the area */
	uint64_t isolated_blocks;
	struct pp_lock isolate_lock; /* before control: isolations begin and end one at a time */
	struct blocks blocks;

	struct put_place *places; /* poison.h: one a page; NULL: none */

	void *tags; /* of zone_make_tags(); atomic */
	size_t tags_size;

	struct zone_clients clients;
	struct registered registered;
} __line_aligned;

/* The zone that @stock is of. */
static inline struct pp_zone *stock_zone(struct stock *stock)
{
	return container_of(stock - stock->order, struct pp_zone, stock[0]);
}

/* NULL: no run of that order was asked for yet. */
static inline struct stock *zone_stock(struct pp_zone *zone, unsigned int order)
{
	struct stock *stock = &zone->stock[order];

	/* pairs with the release in make_stock() */
	return load_acquire(&stock->pcps) ? stock : NULL;
}

/* From order @k on */
static inline struct stock *zone_stock_from(struct pp_zone *zone, unsigned int *k)
{
	while (*k < CACHED_ORDERS && !zone_stock(zone, *k))
		++*k;
	return *k < CACHED_ORDERS ? &zone->stock[*k] : NULL;
}

/* Every stock that there is, and its order @k: from 0 on, and those of runs alone. */
#define for_each_stock(stock, zone, k)	   for (k = 0; (stock = zone_stock_from(zone, &(k))); k++)
#define for_each_run_stock(stock, zone, k) for (k = 1; (stock = zone_stock_from(zone, &(k))); k++)

/*
 * pp_zone_free_bulk() for pages that the library gives back, also in the middle of an allocation:
 * not a second call, which would be taken for a handler's.
 */
void zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* pp_zone_alloc_bulk() without the preparation, for pools, which do their own */
unsigned int zone_take(struct pp_zone *zone, void **objs, unsigned int n);

/* The same as far as no other core is asked: its cache, the free area, memory to be accepted. */
unsigned int zone_take_near(struct pp_zone *zone, void **objs, unsigned int n);

/* What an allocation resets, unless the zone was told to leave it. */
static __always_inline void zone_prep(const struct pp_zone *zone, struct pp_page **pages,
				      unsigned int n)
{
	struct page_fresh fresh;
	unsigned int i;

	if (!zone->prep)
		return;
	fresh = zone->fresh; /* a copy: the stores might alias */
	for (i = 0; i < n; i++)
		page_prep(pages[i], &fresh);
}

/* Where a block begins in the zone's memory, and its bytes. */
static inline uint64_t block_offset(const struct pp_zone *zone, uint64_t block)
{
	return block << zone->buddy.block_shift << zone->shift;
}

static inline size_t block_len(const struct pp_zone *zone, uint64_t block)
{
	return block_pages(&zone->buddy, block) << zone->shift;
}

/* ---- a search that fails must have looked everywhere ----------------------------------------- */

/* Free pages are about to go from one place to another, without the stock's lock; see stock.h. */
static inline void zone_move_begin(struct pp_zone *zone)
{
	/* seq_cst: before the pages leave; pairs with the barrier in zone_run_moves() */
	__atomic_add_fetch(&zone->moving, 1, __ATOMIC_SEQ_CST);
}

static inline void zone_move_end(struct pp_zone *zone)
{
	__atomic_add_fetch(&zone->moved, 1, __ATOMIC_RELAXED);
	/* release: after the pages have come, and are counted */
	__atomic_sub_fetch(&zone->moving, 1, __ATOMIC_RELEASE);
}

/* search.moves of runs, and of pages out of the buddy; page by page there are more. */
uint64_t zone_run_moves(const struct search *search, bool *on_their_way);

/* ---- drains: drain.c ------------------------------------------------------------------------- */

/* Runs in these cores' caches, and in the stack behind, go to the buddy; pages of the caches. */
long runs_drain(struct pp_zone *zone, unsigned int first, unsigned int last,
		unsigned int timeout_us);
/*
 * Trim the clients, and drain every core's caches, of pages and of runs. False: a holder of a pool
 * or of a cache did not let go in time.
 */
bool zone_drain_once(struct pp_zone *zone);

/*
 * A search for pages beside each other. Single pages move all the time: until the end none goes
 * from the free area to a cache.
 */
void zone_seek_begin(struct pp_zone *zone);
void zone_seek_end(struct pp_zone *zone);

/* ---- runs of pages: runs.c, order.c ---------------------------------------------------------- */

/* Between the buddy and a user, any order. @freed: pages that no cache has counted as freed. */
unsigned int runs_take_buddy(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n);
void runs_give_buddy(struct pp_zone *zone, unsigned int order, void *const *objs, unsigned int n,
		     uint64_t freed);

/* NULL: no cache for this order, or not now. Handlers have none. */
struct stock *runs_cached(struct pp_zone *zone, unsigned int order);

/* The free runs that no cache has go to the buddy. */
void runs_spill(struct stock *stock);

/*
 * As pp_zone_alloc_order_bulk() and pp_zone_free_order_bulk(), for pools: no preparation,
 * and pages that the pool has marked as home
 */
unsigned int zone_take_runs(struct pp_zone *zone, unsigned int order, void **objs, unsigned int n);
void zone_free_runs(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* zone_take_runs() as far as no other core is asked */
unsigned int zone_take_runs_near(struct pp_zone *zone, unsigned int order, void **objs,
				 unsigned int n);

/* -ENOTSUP with pp_error() if other processes use the zone, too: they would not know of @what. */
int zone_alone(const struct pp_zone *zone, const char *what);

/* ---- the zones of the process: info.c -------------------------------------------------------- */

extern struct registry registered_zones;

/* Every zone of the process in turn: the next one is pinned, @zone no more; see registry.h. */
struct pp_zone *zone_next(struct pp_zone *zone);

static inline void zone_unpin(struct pp_zone *zone)
{
	registry_unpin(&zone->registered);
}

/* ---- for the floor of pools ------------------------------------------------------------------ */

/* pp_set_error() for a zone that pages are out of: -EBUSY. */
int zone_busy(struct pp_zone *zone, uint64_t in_flight);

/*
 * A table of tags of @size bytes, one a page, all zero; made at the first call, and gone with the
 * zone. 0 or -ENOMEM with pp_error().
 */
int zone_make_tags(struct pp_zone *zone, size_t size);

#endif /* PP_ZONE_INTERNAL_H */
