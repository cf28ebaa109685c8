/* SPDX-License-Identifier: BSD-3-Clause */
/* zone.h - struct pp_zone, for zone.c, page_pool.c and the policies */
#ifndef PP_ZONE_INTERNAL_H
#define PP_ZONE_INTERNAL_H

#include <pagepool/depot.h>
#include <pagepool/zone.h>

#include "zone/block.h"
#include "zone/client.h"
#include "stock/free_area.h"
#include "base/handler.h"
#include "zone/memory.h"
#include "zone/order.h"
#include "stock/pcp.h"
#include "base/poison.h"
#include "base/process.h"
#include "base/registry.h"
#include "base/slot.h"

/* What an allocation resets: the first 16 bytes of struct pp_page, in one store. */
struct page_fresh {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

_Static_assert(sizeof(struct pp_page) == 64, "a page's metadata is one cache line");
_Static_assert(sizeof(struct page_fresh) == 16, "reset with one store");
_Static_assert(offsetof(struct pp_page, addr) == sizeof(struct page_fresh), "reset comes first");

static __always_inline void page_prep(struct pp_page *page, const struct page_fresh *fresh)
{
	memcpy(page, fresh, sizeof(*fresh));
}

/*
 * free + cached + in_flight + isolated + unaccepted == managed, where free is the stack's
 * count and the buddy's usable pages; in_flight is what is left, nobody counts it.
 */
struct pp_zone {
	/* read only after creation */
	uint8_t policy; /* of pcp_policies */
	bool traced;
	uint8_t ops; /* of the policy's: traced, or with OPS_FAULT; atomic */
	struct pcp *pcps;
	size_t pcp_stride;
	unsigned int cores; /* caches; threads' if per_thread */
	uint32_t batch;
	bool per_thread;
	bool signal_safe;
	struct page_fresh fresh;
	bool prep;
	uint8_t shift;
	uint32_t drain_us;
	struct pp_page *pages;
	uint64_t managed;
	struct region region;
	uint32_t headroom;
	char name[32];
	uint64_t id; /* no other zone of the process had it; 0: a depot */

	/* by anybody, rarely */
	uint64_t alloc_failures __line_aligned;
	uint64_t drains;
	uint64_t drained_pages;
	uint64_t drain_timeouts;
	uint64_t fallbacks;
	uint64_t double_puts;
	uint64_t moved; /* see zone_moves() */
	uint32_t moving;

	/* what the lock protects */
	struct pp_lock lock __line_aligned;
	struct free_area area;
	uint64_t allocs; /* past the caches */
	uint64_t frees;

	struct buddy buddy; /* behind the area; a depot has none */
	uint64_t isolated_blocks;
	struct pp_lock isolate_lock; /* before control: isolations begin and end one at a time */
	struct pp_zone *inner[CACHED_ORDERS]; /* order.h: of runs, made when first asked for */
	struct pp_zone *outer; /* whose inner zone this is; */
	uint8_t order; /* of its runs */
	struct blocks blocks;

	/* signal safe zones: freed by handlers that could not take the lock; see zone_lock() */
	struct pp_page *deferred;

	/* llist: index of the page below each, plus one; NULL for the other policies */
	uint32_t *links;

	struct put_place *places; /* poison.h: one a page; NULL: none */

	void *tags; /* of zone_make_tags(); atomic */
	size_t tags_size;

	struct zone_clients clients;
	struct registered registered; /* not depots and inner zones */

	/* pcp_set, pcp_disable: one at a time */
	struct pp_lock control;
	unsigned int disabled;
	uint32_t saved_high_min;
	uint32_t saved_high_max;
	uint32_t saved_batch;

	/* depots, which processes share: no address of code, of the heap or of one process */
	bool shared;
	uint32_t magic;
	struct process_space space; /* of procs */
	uint64_t dropped; /* objects that dead processes took along, at most */
	uint32_t died; /* processes */
	process_id procs[PP_DEPOT_PROCESSES];
} __line_aligned;

static __always_inline const struct pcp_policy *zone_policy(const struct pp_zone *zone)
{
	return pcp_policies[zone->policy];
}

/* Looked up, not kept: a zone that processes share holds no address of code. */
static __always_inline const struct pcp_ops *zone_ops(const struct pp_zone *zone)
{
	return &zone_policy(zone)->ops[READ_ONCE(zone->ops)];
}

/* The cache of this core or thread; NULL if it has none. A core's is a hint: lock before use. */
static __always_inline struct pcp *pcp_this(const struct pp_zone *zone)
{
	unsigned int i = unlikely(zone->per_thread) ? this_slot() : (unsigned int)this_cpu();

	return likely(i < zone->cores) ? pcp_at(zone->pcps, zone->pcp_stride, i) : NULL;
}

/* The same for policies whose caches belong to threads. */
static __always_inline struct pcp *pcp_this_thread(const struct pp_zone *zone)
{
	unsigned int i = this_slot();

	return likely(i < zone->cores) ? pcp_at(zone->pcps, zone->pcp_stride, i) : NULL;
}

static inline unsigned int pcp_index(const struct pcp *pcp)
{
	return (unsigned int)(((uintptr_t)pcp - (uintptr_t)pcp->zone->pcps) /
			      pcp->zone->pcp_stride);
}

extern struct registry registered_zones;

/* Every zone of the process in turn: the next one is pinned, @zone no more; see registry.h. */
static inline struct pp_zone *zone_next(struct pp_zone *zone)
{
	struct registered *next = registry_next(&registered_zones, zone ? &zone->registered : NULL);

	return next ? container_of(next, struct pp_zone, registered) : NULL;
}

static inline void zone_unpin(struct pp_zone *zone)
{
	registry_unpin(&zone->registered);
}

static __always_inline void zone_call_begin(const struct pp_zone *zone)
{
	if (unlikely(zone->signal_safe))
		handler_call_begin();
}

static __always_inline void zone_call_end(const struct pp_zone *zone)
{
	if (unlikely(zone->signal_safe))
		handler_call_end();
}

/* ---- the zone's lock ------------------------------------------------------------------------- */

void zone_absorb_deferred(struct pp_zone *zone);
void zone_lock_slow(struct pp_zone *zone);
/* False, and handler_locked is false again: this is a handler. */
bool zone_lock_contended(struct pp_zone *zone);

static __always_inline bool zone_lock_safe(struct pp_zone *zone)
{
	if (handler_locked)
		return false;
	WRITE_ONCE(handler_locked, true);
	compiler_barrier(); /* a handler from here on sees it */
	if (unlikely(!pp_trylock(&zone->lock)) && !zone_lock_contended(zone))
		return false;
	zone_absorb_deferred(zone);
	return true;
}

/* Take the zone's lock. False only in a signal handler, in a signal safe zone: it goes without. */
static __always_inline bool zone_lock(struct pp_zone *zone)
{
	if (unlikely(zone->signal_safe))
		return zone_lock_safe(zone);
	if (unlikely(!pp_trylock(&zone->lock)))
		zone_lock_slow(zone);
	return true;
}

static __always_inline void zone_unlock(struct pp_zone *zone)
{
	pp_unlock(&zone->lock);
	if (unlikely(zone->signal_safe)) {
		compiler_barrier();
		WRITE_ONCE(handler_locked, false);
	}
}

/* A handler that may not lock leaves pages for the next holder. */
void zone_defer(struct pp_zone *zone, void *const *objs, unsigned int n);

/*
 * pp_zone_free_bulk() for pages that the library gives back, also in the middle of an allocation:
 * not a second call, which would be taken for a handler's.
 */
void zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* The call of memcpy() is a third of what one page costs. */
static __always_inline void copy_objs(void **to, void *const *from, unsigned int n)
{
	if (n == 1)
		*to = *from;
	else if (!(PP_DEBUG || PP_POISON) ||
		 n) /* for sanitizers: of none there need not be an array */
		memcpy(to, from, n * sizeof(*to));
}

/* ---- between a list and the free area -------------------------------------------------------- */

/* Move the @n coldest pages of a list that the caller holds to the zone; pages moved. */
static inline unsigned int list_to_zone(struct pp_zone *zone, struct pcp_list *list, unsigned int n)
{
	unsigned int left;

	n = min(n, list->count);
	if (!n || !zone_lock(zone))
		return 0;
	free_area_push(&zone->area, list->obj, n);
	count_add(zone->area.moves, 1);
	zone_unlock(zone);
	left = list->count - n;
	memmove(list->obj, list->obj + n, left * sizeof(*list->obj));
	WRITE_ONCE(list->count, left);
	return n;
}

/* The same, warmest first: without moving what stays, for lists that are to be emptied. */
static inline unsigned int list_top_to_zone(struct pp_zone *zone, struct pcp_list *list,
					    unsigned int n)
{
	n = min(n, list->count);
	if (!n || !zone_lock(zone))
		return 0;
	free_area_push(&zone->area, list->obj + (list->count - n), n);
	count_add(zone->area.moves, 1);
	zone_unlock(zone);
	WRITE_ONCE(list->count, list->count - n);
	return n;
}

/*
 * How many of the free area's pages may go to caches: a zone that runs short fills none, nor does
 * one that has isolated pages, perhaps among them, or of which a run is sought.
 */
static inline unsigned int zone_spare(const struct pp_zone *zone, unsigned int want)
{
	return zone->area.count > (uint64_t)READ_ONCE(zone->batch) && !zone->area.filter &&
			       !zone->area.seekers
		       ? want
		       : 0;
}

/*
 * Drain one cache. @keep: pages that may stay; @force: visit it even if it looks empty.
 * Pages moved, or -ETIMEDOUT.
 */
long zone_drain_core(struct pp_zone *zone, unsigned int core, uint32_t keep, uint32_t timeout_us,
		     bool force);

/* pp_zone_alloc_bulk() without the preparation, for page_pool.c, which does its own */
unsigned int zone_take(struct pp_zone *zone, void **objs, unsigned int n);

/* The same without draining, for zone_set.c, which has other zones to ask before that */
unsigned int zone_take_undrained(struct pp_zone *zone, void **objs, unsigned int n);

/* Past this core's cache: from the free area; and if that is not enough, from every cache. */
unsigned int zone_take_area(struct pp_zone *zone, void **objs, unsigned int n);
unsigned int zone_take_slow(struct pp_zone *zone, void **objs, unsigned int n);
void zone_give_area(struct pp_zone *zone, void *const *objs, unsigned int n);

/* The number of a policy that has all of @flags, PCP_*; -1 with errno and pp_error(). */
int zone_find_policy(const char *name, unsigned int flags);
int zone_check_cache(uint32_t high, uint32_t high_max, uint32_t batch);

/*
 * A depot's calls past this core's cache. What is more than a batch goes there at
 * once: it comes from a cache above us, and ours would only be in the way.
 */
int depot_get_slow(struct pp_zone *zone, void **objs, unsigned int n, unsigned int got);
int depot_put_slow(struct pp_zone *zone, void *const *objs, unsigned int n);

static __always_inline bool depot_caches(const struct pp_zone *zone, unsigned int n)
{
	return n <= READ_ONCE(zone->batch);
}

/* barrier_rseq() for the threads of every attached process */
bool depot_fence(struct pp_zone *zone, unsigned int cpu);

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

/* ---- a search that fails must have looked everywhere ----------------------------------------- */

/*
 * An allocation that finds nothing looked at one place after the other, and free pages move
 * between them: in refills, flushes, drains and trims. It may fail only if none moved meanwhile.
 * Each kind of move is counted where it happens. Pages on their way are in no place at all. A
 * search can see that, too: it happens under the zone's lock or in an owner's turn, or it is
 * announced here.
 */
static inline void zone_move_begin(struct pp_zone *zone)
{
	/* seq_cst: before the pages leave; pairs with the barrier in zone_moves() */
	__atomic_add_fetch(&zone->moving, 1, __ATOMIC_SEQ_CST);
}

static inline void zone_move_end(struct pp_zone *zone)
{
	__atomic_add_fetch(&zone->moved, 1, __ATOMIC_RELAXED);
	/* release: after the pages have come, and are counted */
	__atomic_sub_fetch(&zone->moving, 1, __ATOMIC_RELEASE);
}

/*
 * How often free pages moved in @zone, and whether some are on their way. Equal before and after a
 * search, and none on their way after it: each page was in one place all the time, and was there
 * when the search looked, unless another allocation took it. @runs: moves of runs, and of pages
 * out of the buddy, alone.
 */
uint64_t zone_moves(struct pp_zone *zone, bool runs, bool *on_their_way);

/*
 * A pause before a search is repeated; false: it has been for wait->timeout_us. By the clock from
 * the first time on, as each search may wait for holders; but some searches are granted at least.
 */
bool search_again(struct pcp_wait *wait);

/* ---- for the floor of pools ------------------------------------------------------------------ */

/* pp_set_error() for a zone that pages are out of: -EBUSY. */
int zone_busy(struct pp_zone *zone, uint64_t in_flight);

/*
 * A table of tags of @size bytes, one a page, all zero; made at the first call, and gone with the
 * zone. 0 or -ENOMEM with pp_error().
 */
int zone_make_tags(struct pp_zone *zone, size_t size);

/*
 * A page's next while a pool or a zone has it, so that a second put is refused. Only bit 0 counts:
 * a page can be at home and chained to another, see zone_defer() and buddy.h.
 *
 * Every way home that has the page's line writes it. pp_zone_free_bulk() does so in debug builds
 * only: it moves pointers, and the line would cost more than the rest of the call. A zone without
 * prep hands pages out as they are: its pages are marked in pools only.
 */
#define HOME ((struct pp_page *)~(uintptr_t)0)

static __always_inline bool page_is_home(const struct pp_page *page)
{
	return (uintptr_t)READ_ONCE(page->next) & 1;
}

static __always_inline void page_mark_home(const struct pp_zone *zone, struct pp_page *page)
{
	if (likely(zone->prep))
		WRITE_ONCE(page->next, HOME);
}

/* Count a put of a page that is at home; aborts in debug builds. */
void page_put_twice(struct pp_page *page);

/* A page of no pool is given back. False: it is at home already, and stays where it is. */
static __always_inline bool page_comes_home(const struct pp_zone *zone, struct pp_page *page)
{
	if (unlikely(page_is_home(page))) {
		page_put_twice(page);
		return false;
	}
	page_mark_home(zone, page);
	return true;
}

/* Debug builds: a page is home, or it is not; both at once is a double free. */
#define PAGE_HOME 1

static inline void page_goes_home(struct pp_zone *zone, struct pp_page *page)
{
	if (!PP_DEBUG)
		return;
	BUG_ON(page->zone != zone, page);
	if (__atomic_exchange_n(&page->flags, PAGE_HOME, __ATOMIC_RELAXED) == PAGE_HOME)
		page_put_twice(page);
	BUG_ON(READ_ONCE(page->refs) != 1, page);
	BUG_ON(READ_ONCE(page->pp_refs) != 1, page);
	BUG_ON(page->pool, page);
	BUG_ON(page->owner, page);
	page_mark_home(zone, page);
}

static inline void page_leaves_home(struct pp_zone *zone, struct pp_page *page)
{
	if (!PP_DEBUG)
		return;
	BUG_ON(page->zone != zone, page);
	BUG_ON(__atomic_exchange_n(&page->flags, 0, __ATOMIC_RELAXED) != PAGE_HOME, page);
}

#endif /* PP_ZONE_INTERNAL_H */
