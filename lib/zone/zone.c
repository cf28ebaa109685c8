/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone.c - the order in which an allocation looks for pages: this core's cache, the
 * free area, every core's cache, none; and the way back
 */
#include <pagepool/memory.h>

#include "base/fault.h"
#include "base/probes.h"
#include "zone/zone.h"

/* A step of a call that goes on, or a call by a thread: no handler drains or trims. */
static bool step_begin(const struct pp_zone *zone)
{
	if (likely(!zone->signal_safe) || handler_calls)
		return false;
	handler_call_begin();
	handler_excluded = true;
	return true;
}

static void step_end(bool began)
{
	if (began)
		handler_call_end();
}

bool __coldpath zone_lock_contended(struct pp_zone *zone)
{
	WRITE_ONCE(handler_locked, false); /* or it would speak for a handler */
	if (handler_calls && in_handler())
		return false;
	pp_lock(&zone->lock); /* a handler that comes before the next line sees handler_locks */
	WRITE_ONCE(handler_locked, true);
	compiler_barrier();
	return true;
}

/* ---- free and drain -------------------------------------------------------------------------- */

/* As a chain it says what its next said, too: whether it is marked as home. */
static void chain(struct pp_page *page, const struct pp_page *to)
{
	WRITE_ONCE(page->next, (struct pp_page *)((uintptr_t)to | page_is_home(page)));
}

static struct pp_page *unchain(struct pp_page *page)
{
	uintptr_t home = page_is_home(page), next = (uintptr_t)page->next - home;

	WRITE_ONCE(page->next, home ? HOME : NULL);
	return (struct pp_page *)next;
}

void zone_defer(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	struct pp_page *const *pages = (struct pp_page *const *)objs;
	struct pp_page *head = READ_ONCE(zone->deferred);
	unsigned int i;

	for (i = 0; i + 1 < n; i++)
		chain(pages[i], pages[i + 1]);
	do
		chain(pages[n - 1], head);
	/* release: pairs with the exchange in zone_absorb_deferred() */
	while (!__atomic_compare_exchange_n(&zone->deferred, &head, pages[0], true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* Under the zone's lock: what handlers left comes home with one exchange. */
void zone_absorb_deferred(struct pp_zone *zone)
{
	struct pp_page *page;
	unsigned int order;
	uint64_t n = 0;
	void *obj;

	if (likely(!READ_ONCE(zone->deferred)))
		return;
	/* pairs with the release in zone_defer() */
	page = __atomic_exchange_n(&zone->deferred, NULL, __ATOMIC_ACQUIRE);
	while (page) {
		obj = page;
		page = unchain(page);
		order = pp_page_order(obj);
		if (order)
			buddy_come_home(zone, obj, order);
		else
			free_area_push(&zone->area, &obj, 1);
		n += (uint64_t)1 << order;
	}
	count_add(zone->frees, n);
}

/* The cache was closed to us: past it. */
void __coldpath zone_give_area(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	count_add_shared(zone->fallbacks, 1);
	if (!zone_lock(zone)) {
		zone_defer(zone, objs, n);
		return;
	}
	free_area_push(&zone->area, objs, n);
	count_add(zone->frees, n);
	zone_unlock(zone);
}

/* More than a batch: in parts, which bounds what one hold moves. */
static __noinline void free_in_batches(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	unsigned int k;

	for (; n; n -= k, objs += k) {
		k = min(n, READ_ONCE(zone->batch));
		if (unlikely(!zone_ops(zone)->free_bulk(zone, objs, k)))
			zone_give_area(zone, objs, k);
	}
}

static __always_inline void give_back(struct pp_zone *zone, struct pp_page *const *pages,
				      unsigned int n)
{
	void *const *objs = (void *const *)pages;
	unsigned int i;
	PUT_FROM_HERE;

	poison_pages(pages, n);
	for (i = 0; PP_DEBUG && i < n; i++)
		page_goes_home(zone, pages[i]);
	if (unlikely(n > READ_ONCE(zone->batch)))
		free_in_batches(zone, objs, n);
	else if (unlikely(!zone_ops(zone)->free_bulk(zone, objs, n)))
		zone_give_area(zone, objs, n);
}

void pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	if (unlikely(!n))
		return;
	zone_call_begin(zone);
	give_back(zone, pages, n);
	zone_call_end(zone);
}

void zone_give_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	bool began = step_begin(zone);

	give_back(zone, pages, n);
	step_end(began);
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

static void free_last(struct pp_page *page)
{
	struct pp_zone *zone = page->zone;

	if (unlikely(page_is_home(page))) {
		page_put_twice(page);
		return;
	}
	if (unlikely(page->pool)) {
		pool_page_ops->last_put(page);
		return;
	}
	page_mark_home(zone, page);
	poison_pages(&page, 1);
	zone_free_order(zone, &page, 1);
}

void pp_page_put(struct pp_page *page)
{
	PUT_FROM_HERE;

	/* acquire: pairs with the release of whoever dropped the last but one */
	if (load_acquire(&page->refs) != 1) {
		if (__atomic_fetch_sub(&page->refs, 1, __ATOMIC_ACQ_REL) != 1)
			return;
		WRITE_ONCE(page->refs, 1);
	}
	free_last(page);
}

long zone_drain_core(struct pp_zone *zone, unsigned int core, uint32_t keep, uint32_t timeout_us,
		     bool force)
{
	struct pcp *pcp = pcp_at(zone->pcps, zone->pcp_stride, core);
	uint32_t died = READ_ONCE(zone->died);
	long moved = 0, k = 0;
	bool began;

	if (!force && pcp_count(pcp) <= keep)
		return 0;
	began = step_begin(zone);
	/* bounded: an owner that keeps filling does not keep us */
	do {
		k = zone_ops(zone)->drain(zone, pcp, keep, timeout_us);
		moved += max(k, 0l);
	} while (k > 0 && !(zone_policy(zone)->flags & PCP_WHOLE) && moved < (long)pcp->capacity);
	step_end(began);
	count_add_shared(zone->drains, 1);
	count_add_shared(zone->drained_pages, (uint64_t)moved);
	probe_zone_drain(zone, core, k < 0 ? k : moved);
	if (k >= 0)
		return moved;
	if (zone->shared && pp_depot_recover(zone, NULL) != died)
		return zone_drain_core(zone, core, keep, timeout_us, force);
	count_add_shared(zone->drain_timeouts, 1);
	return k;
}

long pp_zone_drain(struct pp_zone *zone, unsigned int core, unsigned int timeout_us)
{
	long moved;

	if (zone->signal_safe)
		not_a_handler();
	if (core >= zone->cores)
		return pp_set_error(EINVAL, "core %u has no cache: there are %u", core,
				    zone->cores);
	moved = zone_drain_core(zone, core, 0, timeout_us, false);
	if (moved >= 0)
		moved += orders_drain(zone, core, core, timeout_us);
	else
		pp_set_error(ETIMEDOUT, "core %u's cache was held for more than %u us", core,
			     timeout_us);
	return moved;
}

long pp_zone_drain_all(struct pp_zone *zone, unsigned int timeout_us)
{
	bool timeout = false;
	long moved = 0, k;
	unsigned int i;

	if (zone->signal_safe)
		not_a_handler();
	for (i = 0; i < zone->cores; i++) {
		k = zone_drain_core(zone, i, 0, timeout_us, false);
		timeout |= k < 0;
		moved += max(k, 0l);
	}
	moved += orders_drain(zone, 0, zone->cores, timeout_us);
	if (timeout)
		return pp_set_error(ETIMEDOUT, "a core's cache was held for more than %u us",
				    timeout_us);
	return moved;
}

/* ---- allocation ------------------------------------------------------------------------------ */

unsigned int zone_take_area(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got;

	if (!zone_lock(zone))
		return 0;
	got = free_area_pop(&zone->area, objs, n);
	count_add(zone->allocs, got);
	zone_unlock(zone);
	return got;
}

bool zone_in_handler(const struct pp_zone *zone)
{
	return unlikely(zone->signal_safe) && in_handler();
}

/* Every core's cache, until there is enough. */
static unsigned int take_drained(struct pp_zone *zone, void **objs, unsigned int n, bool *timeout)
{
	unsigned int got = 0, i;
	long moved;

	for (i = 0; i < zone->cores && got < n; i++) {
		moved = zone_drain_core(zone, i, 0, zone->drain_us, false);
		*timeout |= moved < 0;
		if (moved)
			got += zone_take_area(zone, objs + got, n - got);
	}
	return got;
}

/*
 * Drains like pp_zone_drain_all(), but stops as soon as there is enough; then trims the clients.
 * Blocks that other threads are accepting are awaited only when all that failed.
 */
static unsigned int search(struct pp_zone *zone, void **objs, unsigned int n, bool *timeout)
{
	unsigned int got = take_drained(zone, objs, n, timeout);

	if (got < n && zone->area.buddy) {
		if (clients_trim(&zone->clients, n - got, zone->drain_us, timeout))
			got += take_drained(zone, objs + got, n - got, timeout);
		if (got < n)
			orders_drain(zone, 0, zone->cores, zone->drain_us);
	}
	if (got < n)
		got += zone->area.buddy ? zone_take_more(zone, objs + got, n - got, true)
					: zone_take_area(zone, objs + got, n - got);
	return got;
}

uint64_t zone_moves(struct pp_zone *zone, bool runs, bool *on_their_way)
{
	uint64_t moves;

	full_barrier(); /* pairs with zone_move_begin(): what was looked at before is older */
	*on_their_way = load_acquire(&zone->moving);
	moves = load_acquire(&zone->moved) + READ_ONCE(zone->area.refills) + orders_moves(zone);
	if (!runs)
		moves += READ_ONCE(zone->area.moves);
	if (zone->area.buddy)
		moves += clients_moves(&zone->clients, on_their_way);
	load_barrier(); /* before a search: it looks at nothing until all this is read */
	return moves;
}

/* Searches that are granted whatever the clock says: this thread itself may have lost its CPU. */
#define SEARCHES 16u

bool search_again(struct pcp_wait *wait)
{
	uint64_t now = now_ns();

	if (!wait->deadline_ns)
		wait->deadline_ns = now + (uint64_t)wait->timeout_us * 1000;
	else if (now >= wait->deadline_ns && wait->spins >= SEARCHES)
		return false;
	return pcp_wait(wait);
}

/* Pages that users gave back while others looked count as well, if they are still there. */
static bool looks_free(struct pp_zone *zone)
{
	uint64_t n = READ_ONCE(zone->area.count);
	unsigned int i;

	if (zone->area.buddy)
		n += READ_ONCE(zone->buddy.count[BUDDY_USABLE]) + clients_kept(&zone->clients);
	for (i = 0; i < zone->cores && !n; i++)
		n = pcp_count(pcp_at(zone->pcps, zone->pcp_stride, i)) + orders_cached(zone, i);
	return n;
}

/*
 * The promise: a short answer only if no page is free anywhere. A search that found too little is
 * repeated if free pages moved while it looked, for at most drain_us. A holder of a cache or a
 * pool that does not let go for as long ends it, too.
 */
static unsigned int take_everywhere(struct pp_zone *zone, void **objs, unsigned int n)
{
	struct pcp_wait wait = { .timeout_us = zone->drain_us };
	bool on_their_way, timeout = false;
	unsigned int got = 0;
	uint64_t before;

	do {
		before = zone_moves(zone, false, &on_their_way);
		got += search(zone, objs + got, n - got, &timeout);
	} while (got < n && !timeout &&
		 (zone_moves(zone, false, &on_their_way) != before || on_their_way ||
		  looks_free(zone)) &&
		 search_again(&wait));
	return got;
}

/* The cache was closed to us, or it and the free area have less than @n. */
unsigned int __coldpath zone_take_slow(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got = zone_take_area(zone, objs, n);
	int err = errno;

	if (got == n) {
		count_add_shared(zone->fallbacks, 1);
		return got;
	}
	if (zone->area.buddy)
		got += zone_take_more(zone, objs + got, n - got, false);
	if (got < n && !zone_in_handler(zone))
		got += take_everywhere(zone, objs + got, n - got);
	if (got < n)
		count_add_shared(zone->alloc_failures, 1);
	errno = err;
	return got;
}

/* The free area, then what its zone has not merged or accepted yet; nobody is waited for. */
static __coldpath unsigned int take_undrained(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got = zone_take_area(zone, objs, n);

	if (got < n && zone->area.buddy)
		got += zone_take_more(zone, objs + got, n - got, false);
	return got;
}

static __always_inline unsigned int take(struct pp_zone *zone, void **objs, unsigned int n,
					 const bool may_drain)
{
	unsigned int got, i;

	zone_call_begin(zone);
	got = zone_ops(zone)->alloc_bulk(zone, objs, n);
	if (unlikely(got < n) && !zone_fault_taken())
		got += may_drain ? zone_take_slow(zone, objs + got, n - got)
				 : take_undrained(zone, objs + got, n - got);
	zone_call_end(zone);
	for (i = 0; PP_DEBUG && i < got; i++)
		page_leaves_home(zone, objs[i]);
	return got;
}

unsigned int zone_take(struct pp_zone *zone, void **objs, unsigned int n)
{
	return take(zone, objs, n, true);
}

/* As far as no other core is asked: this one's cache, the free area, memory to be accepted. */
unsigned int zone_take_undrained(struct pp_zone *zone, void **objs, unsigned int n)
{
	return take(zone, objs, n, false);
}

unsigned int pp_zone_alloc_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	unsigned int got = zone_take(zone, (void **)pages, n);

	unpoison_pages(pages, got);
	/* a second pass: the cache is open again while we walk the pages */
	zone_prep(zone, pages, got);
	return got;
}

/* At most @PP_BULK_MAX slots. */
static unsigned int fill_part(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	struct pp_page *fresh[PP_BULK_MAX];
	unsigned int holes = 0, i, k = 0;

	for (i = 0; i < n; i++)
		holes += !pages[i];
	if (holes)
		holes = pp_zone_alloc_bulk(zone, fresh, holes);
	for (i = 0; i < n; i++) {
		if (pages[i])
			continue;
		if (k == holes)
			break;
		pages[i] = fresh[k++];
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
