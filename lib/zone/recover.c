/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recover.c - what a dead process had goes to the others: pages with a holder, locks, closed caches
 *
 * settle.c finds the pages that had no holder at that moment.
 */
#include "base/handler.h"
#include "zone/home.h"
#include "zone/share.h"

/* Sockets of a dead process are closed in the background: measured, below 40 ms. */
#define RINGS_NS 200000000u
/* How often allocations that run short look for dead processes. */
#define LOOK_NS 10000000u
/* A process that keeps the lock for so long is looked at. */
#define SUSPECT_US 20000u
#define PART	   64u

void zone_take_home(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	struct pp_page *page;
	unsigned int i;

	if (!n)
		return;
	for (i = 0; i < n; i++) {
		page = pages[i];
		WRITE_ONCE(page->pool, NULL);
		WRITE_ONCE(page->refs, 1);
		WRITE_ONCE(page->pp_refs, 1);
		WRITE_ONCE(page->owner, 0);
		WRITE_ONCE(page->shift, zone->shift);
		WRITE_ONCE(page->flags, DEBUG_HOME);
		page_prep(page, &zone->fresh);
		page_mark_home(zone, page);
	}
	stock_lock(zone->stock);
	free_area_push(&zone->stock->area, (void *const *)pages, n);
	count_add(zone->stock->frees, n);
	stock_unlock(zone->stock);
	count_add_shared(zone->shared->recovered, n);
}

/* ---- pages that are given to another process ------------------------------------------------- */

/* The receiver is gone: these pages go home, unless the walk for the dead has them. */
static void __coldpath take_back(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
				 uint32_t process)
{
	const uint64_t given = (uint64_t)zone->self << 32 | process;
	uint64_t *holder = zone->shared->holder, theirs;
	unsigned int phase = zone_enter(zone), i;
	struct pp_page *page;

	for (i = 0; i < n; i++) {
		theirs = given;
		page = pages[i];
		if (__atomic_compare_exchange_n(&holder[page_number(zone, page)], &theirs, 0, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			zone_take_home(zone, &page, 1);
	}
	zone_leave(zone, phase);
}

void zone_hand_over(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		    uint32_t process)
{
	const uint64_t given = (uint64_t)zone->self << 32 | process;
	uint64_t *holder = zone->shared->holder;
	unsigned int i;

	/* release: the receiver may find the page by this word alone */
	for (i = 0; i < n; i++)
		store_release(&holder[page_number(zone, pages[i])], given);
	full_barrier(); /* pairs with the store of dead before its pages are looked for */
	if (unlikely(!zone_process(zone, process)))
		take_back(zone, pages, n, process);
}

/* ---- one process at a time ------------------------------------------------------------------- */

/*
 * The caches are closed as often as living and dead processes have counted. A process that died
 * between that and the count has the lock, and had closed once more.
 */
static void open_uncounted(struct pp_zone *zone)
{
	unsigned int counted = 0, i;

	for (i = 0; i < SHARE_PROCESSES; i++)
		counted += READ_ONCE(zone->shared->process[i].closed);
	while (READ_ONCE(zone->stock->disabled) > counted)
		stock_enable(zone->stock);
}

bool zone_settling_lock(struct pp_zone *zone, uint64_t deadline_ns)
{
	struct share *share = &zone->shared->share;
	uint64_t now, left_us;

	while (!pp_trylock(&share->settling)) {
		share_recover(zone->stock); /* it may be a dead process's */
		now = now_ns();
		left_us = deadline_ns > now ? (deadline_ns - now) / 1000 : 0;
		if (pp_lock_timed(&share->settling,
				  (unsigned int)min(left_us, (uint64_t)SUSPECT_US)))
			break;
		if (!left_us)
			return false;
	}
	if (unlikely(share->broken)) {
		open_uncounted(zone);
		WRITE_ONCE(share->broken, false);
	}
	return true;
}

void zone_settling_unlock(struct pp_zone *zone)
{
	pp_unlock(&zone->shared->share.settling);
}

/* ---- closed caches, under settling ----------------------------------------------------------- */

int zone_close_counted(struct pp_zone *zone, unsigned int timeout_us)
{
	int err = stock_disable(zone->stock, timeout_us);

	if (!err)
		count_add(zone_own_entry(zone)->closed, 1);
	return err;
}

void zone_open_counted(struct pp_zone *zone, struct zone_process *entry)
{
	count_add(entry->closed, -1u);
	compiler_barrier(); /* a process that dies here leaves it to open_uncounted() */
	stock_enable(zone->stock);
}

int zone_close(struct pp_zone *zone, unsigned int timeout_us)
{
	int err;

	if (!zone_settling_lock(zone, now_ns() + (uint64_t)timeout_us * 1000))
		return pp_set_error(ETIMEDOUT,
				    "zone %s: another process settles what a dead one left",
				    zone->stock->name);
	err = zone_close_counted(zone, timeout_us);
	zone_settling_unlock(zone);
	return err;
}

void zone_open(struct pp_zone *zone)
{
	zone_settling_lock(zone, UINT64_MAX);
	if (zone_own_entry(zone)->closed)
		zone_open_counted(zone, zone_own_entry(zone));
	zone_settling_unlock(zone);
}

/* ---- pages with a holder --------------------------------------------------------------------- */

/*
 * A giver may die between its store of the holder and its look at it. If the receiver was off the
 * list before that store, the walk for it did not see the page.
 */
static bool falls_with(const struct pp_zone *zone, uint64_t word, uint32_t dead)
{
	return holder_process(word) == dead ||
	       (holder_giver(word) == dead && !zone_listed(zone, holder_process(word)));
}

/* @rings: also what its rings hold. Pages freed; *@left: some are not. */
static uint64_t free_pages_of(struct pp_zone *zone, uint32_t dead, bool rings, bool *left)
{
	uint64_t *holder = zone->shared->holder, theirs;
	struct pp_page *pages[PART];
	unsigned int n = 0;
	uint64_t all = 0, i;

	for (i = 0; i < zone->managed; i++) {
		theirs = READ_ONCE(holder[i]);
		if (!falls_with(zone, theirs, dead))
			continue;
		if (!rings && READ_ONCE(zone->pages[i].owner)) {
			*left = true;
			continue;
		}
		/* or another process that was giving it has taken it back */
		if (!__atomic_compare_exchange_n(&holder[i], &theirs, 0, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		pages[n++] = &zone->pages[i];
		if (n < PART)
			continue;
		zone_take_home(zone, pages, n);
		all += n;
		n = 0;
	}
	zone_take_home(zone, pages, n);
	return all + n;
}

/* Under settling */
static uint64_t bury(struct pp_zone *zone, struct zone_process *entry)
{
	struct zone_share *shared = zone->shared;
	process_id id = READ_ONCE(entry->id);
	bool left = false;
	uint64_t n = 0;

	if (!id || !zone_process_is_dead(zone, id))
		return 0;
	/* seq_cst: before its pages are looked for; pairs with the barrier in zone_hand_over() */
	__atomic_store_n(&entry->dead, 1, __ATOMIC_SEQ_CST);
	full_barrier();
	share_recover(zone->stock);
	if (!entry->died_ns) { /* seen for the first time */
		WRITE_ONCE(shared->unsettled, true);
		WRITE_ONCE(entry->died_ns, now_ns());
	}
	if (entry->number)
		n = free_pages_of(zone, entry->number, now_ns() - entry->died_ns >= RINGS_NS,
				  &left);
	while (entry->closed)
		zone_open_counted(zone, entry);
	if (!left)
		zone_forget(entry);
	return n;
}

uint64_t zone_bury_all(struct pp_zone *zone, bool *left)
{
	uint64_t n = 0;
	unsigned int i;

	*left = false;
	for (i = 0; i < SHARE_PROCESSES; i++) {
		n += bury(zone, &zone->shared->process[i]);
		*left |= READ_ONCE(zone->shared->process[i].dead) &&
			 READ_ONCE(zone->shared->process[i].id);
	}
	return n;
}

uint64_t zone_bury(struct pp_zone *zone, unsigned int timeout_us)
{
	uint64_t n;
	bool left;

	if (!zone->shared || !zone_settling_lock(zone, now_ns() + (uint64_t)timeout_us * 1000))
		return 0;
	n = zone_bury_all(zone, &left);
	zone_settling_unlock(zone);
	return n;
}

uint64_t zone_bury_seldom(struct pp_zone *zone)
{
	uint64_t now = now_ns(), before = READ_ONCE(zone->shared->looked_ns);

	if (now - before < LOOK_NS)
		return 0;
	WRITE_ONCE(zone->shared->looked_ns, now);
	return zone_bury(zone, 0);
}

/* ---- the end of a process that lives --------------------------------------------------------- */

uint64_t zone_share_end(struct pp_zone *zone)
{
	struct zone_process *self = zone_own_entry(zone);
	unsigned int phase;
	uint64_t held;
	bool left;

	if (zone->process != process_self())
		return 0; /* a child of fork() that did not attach: its parent is listed */
	held = pp_zone_held(zone, zone->self);
	if (held)
		return held;
	/* after this mark another process gives us no page; pages that came before it go home */
	__atomic_store_n(&self->dead, 1, __ATOMIC_SEQ_CST);
	full_barrier(); /* pairs with the one in zone_hand_over() */
	phase = zone_enter(zone);
	free_pages_of(zone, zone->self, true, &left);
	zone_leave(zone, phase);
	while (self->closed)
		zone_open(zone);
	zone_forget(self);
	share_detach(zone->stock);
	return 0;
}
