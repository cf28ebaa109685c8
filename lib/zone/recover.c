/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recover.c - the pages of processes that died go home
 *
 * Most are known by their holder. Some are on their way when a process is killed: they have left
 * the stock and have no holder yet, or have no holder any more and did not reach the stock, or were
 * in a cache that the dead had locked. settle() finds those: pages without a holder that are in no
 * place, and that no call of a living process can be moving.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/handler.h"
#include "zone/home.h"
#include "zone/share.h"

/* Sockets of a dead process are closed in the background: measured, below 40 ms. */
#define RINGS_NS 200000000u
/* How often allocations that run short look for dead processes. */
#define LOOK_NS 10000000u
/* A process that keeps the lock, or a call, for so long is looked at. */
#define SUSPECT_US 20000u
#define PART	   64u

/* Pages that no user has any more go to the stock, fresh. */
static void take_home(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
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

void zone_hand_over(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		    uint32_t process)
{
	uint32_t *holder = zone->shared->holder, theirs;
	struct pp_page *page;
	unsigned int i;

	for (i = 0; i < n; i++)
		WRITE_ONCE(holder[page_number(zone, pages[i])], process);
	full_barrier(); /* pairs with the store of dead before its pages are looked for */
	if (likely(zone_process(zone, process)))
		return;
	for (i = 0; i < n; i++) {
		theirs = process;
		page = pages[i];
		/* or the walk for the dead has it */
		if (__atomic_compare_exchange_n(&holder[page_number(zone, page)], &theirs, 0, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			take_home(zone, &page, 1);
	}
}

/* ---- one process at a time ------------------------------------------------------------------- */

/* The lock, also if it is a dead process's. */
static bool lock_settling(struct pp_zone *zone, uint64_t deadline_ns)
{
	struct zone_share *shared = zone->shared;
	process_id id;
	unsigned int i;

	while (!pp_lock_timed(&shared->settling, SUSPECT_US)) {
		for (i = 0; i < SHARE_PROCESSES; i++) {
			id = READ_ONCE(shared->process[i].id);
			if (id && process_is_dead(id) && share_inherit_lock(&shared->settling, id))
				return true;
		}
		if (now_ns() >= deadline_ns)
			return false;
	}
	return true;
}

/* ---- pages with a holder --------------------------------------------------------------------- */

/* @rings: also what its rings hold. Pages freed; *@left: some are not. */
static uint64_t free_pages_of(struct pp_zone *zone, uint32_t dead, bool rings, bool *left)
{
	uint32_t *holder = zone->shared->holder, theirs;
	struct pp_page *pages[PART];
	unsigned int n = 0;
	uint64_t all = 0, i;

	for (i = 0; i < zone->managed; i++) {
		theirs = dead;
		if (READ_ONCE(holder[i]) != dead)
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
		take_home(zone, pages, n);
		all += n;
		n = 0;
	}
	take_home(zone, pages, n);
	return all + n;
}

/* Under settling */
static uint64_t bury(struct pp_zone *zone, struct zone_process *entry)
{
	struct zone_share *shared = zone->shared;
	process_id id = READ_ONCE(entry->id);
	bool left = false;
	uint64_t n = 0;

	if (!id || !process_is_dead(id))
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
	for (; entry->closed; WRITE_ONCE(entry->closed, entry->closed - 1))
		stock_enable(zone->stock);
	if (!left)
		zone_forget(entry);
	return n;
}

/* Under settling. *@left: some dead process's rings have pages still. */
static uint64_t bury_all(struct pp_zone *zone, bool *left)
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

uint64_t zone_bury(struct pp_zone *zone)
{
	uint64_t n;
	bool left;

	if (!zone->shared || !lock_settling(zone, 0))
		return 0;
	n = bury_all(zone, &left);
	pp_unlock(&zone->shared->settling);
	return n;
}

uint64_t zone_bury_seldom(struct pp_zone *zone)
{
	uint64_t now = now_ns(), before = READ_ONCE(zone->shared->looked_ns);

	if (now - before < LOOK_NS)
		return 0;
	WRITE_ONCE(zone->shared->looked_ns, now);
	return zone_bury(zone);
}

/* ---- pages on their way ---------------------------------------------------------------------- */

static bool await_phase(struct pp_zone *zone, unsigned int phase, uint64_t deadline_ns)
{
	struct zone_process *entry;
	unsigned int i, naps = 0;
	process_id id;

	for (i = 0; i < SHARE_PROCESSES; i++) {
		entry = &zone->shared->process[i];
		while ((id = READ_ONCE(entry->id)) && load_acquire(&entry->inside[phase])) {
			if (++naps % 64 == 0 && process_is_dead(id))
				break;
			if (now_ns() >= deadline_ns)
				return false;
			usleep(50);
		}
	}
	return true;
}

/*
 * Returns when every call that was under way has ended. A call counts itself by the phase that it
 * saw, and new calls count by the other one, so that they do not keep us. False: the time is over.
 */
static bool await_calls(struct pp_zone *zone, uint64_t deadline_ns)
{
	unsigned int round, phase;

	for (round = 0; round < 2; round++) {
		/* seq_cst: pairs with the addition in zone_enter() */
		phase = __atomic_fetch_add(&zone->shared->phase, 1, __ATOMIC_SEQ_CST) & 1;
		full_barrier();
		if (!await_phase(zone, phase, deadline_ns))
			return false;
	}
	return true;
}

struct suspects {
	struct pp_zone *zone;
	unsigned char *home; /* a bit a page, of the free area */
	unsigned char *bits; /* of pages that are in no place */
};

static bool bit_of(const unsigned char *bits, uint64_t i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void see_home(struct suspects *s)
{
	const struct free_area *area = &s->zone->stock->area;
	uint64_t i, k;

	memset(s->home, 0, s->zone->managed / 8 + 1);
	for (i = 0; i < area->count; i++) {
		k = page_number(s->zone, area->obj[i]);
		s->home[k / 8] |= (unsigned char)(1u << k % 8);
	}
}

/* The caches are closed, so that a page without a holder is in the free area or on its way. */
static void suspect_all(struct suspects *s)
{
	uint32_t *holder = s->zone->shared->holder, none;
	uint64_t i;

	stock_lock(s->zone->stock);
	see_home(s);
	for (i = 0; i < s->zone->managed; i++) {
		none = 0;
		if (!bit_of(s->home, i) &&
		    (__atomic_compare_exchange_n(&holder[i], &none, HOLDER_SUSPECT, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) ||
		     none == HOLDER_SUSPECT))
			s->bits[i / 8] |= (unsigned char)(1u << i % 8);
	}
	stock_unlock(s->zone->stock);
}

/* Acquit pages that a call has brought to a place since. */
static void acquit(struct suspects *s)
{
	uint64_t i;

	stock_lock(s->zone->stock);
	see_home(s);
	for (i = 0; i < s->zone->managed; i++) {
		if (bit_of(s->home, i) ||
		    load_acquire(&s->zone->shared->holder[i]) != HOLDER_SUSPECT)
			s->bits[i / 8] &= (unsigned char)~(1u << i % 8);
	}
	stock_unlock(s->zone->stock);
}

static uint64_t free_suspects(struct suspects *s)
{
	struct pp_page *page;
	uint64_t n = 0, i;

	for (i = 0; i < s->zone->managed; i++) {
		if (!bit_of(s->bits, i))
			continue;
		WRITE_ONCE(s->zone->shared->holder[i], 0);
		page = &s->zone->pages[i];
		take_home(s->zone, &page, 1);
		n++;
	}
	return n;
}

/*
 * Under settling. A suspect of the first look may be on its way in a call. That call ends in the
 * first wait: it writes a holder, or puts the page into the free area. From there only a call that
 * is under way at the second look can have it, and writes a holder in the second wait. No call
 * writes HOLDER_SUSPECT. So a page that is still suspect after that is with no call.
 */
static long settle(struct pp_zone *zone, unsigned char *bits, uint64_t deadline_ns)
{
	struct suspects s = { zone, bits + zone->managed / 8 + 1, bits };
	uint64_t now = now_ns();
	unsigned int left = deadline_ns > now ? (unsigned int)((deadline_ns - now) / 1000) : 0;
	long n = -ETIMEDOUT;

	if (pp_zone_pcp_disable(zone, min(left, 1000000u)))
		return -ETIMEDOUT;
	memset(bits, 0, zone->managed / 8 + 1);
	suspect_all(&s);
	if (!await_calls(zone, deadline_ns))
		goto out;
	acquit(&s);
	if (!await_calls(zone, deadline_ns))
		goto out;
	acquit(&s);
	n = (long)free_suspects(&s);
	WRITE_ONCE(zone->shared->unsettled, false);
out:
	pp_zone_pcp_enable(zone);
	return n;
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Pages freed; *@err: -ETIMEDOUT */
static long recover_once(struct pp_zone *zone, unsigned char *bits, uint64_t deadline_ns, int *err)
{
	long n, k = 0;
	bool left;

	*err = -ETIMEDOUT;
	if (!lock_settling(zone, deadline_ns))
		return 0;
	n = (long)bury_all(zone, &left);
	if (zone->shared->unsettled)
		k = settle(zone, bits, deadline_ns);
	pp_unlock(&zone->shared->settling);
	*err = left || k < 0 ? -ETIMEDOUT : 0;
	return n + max(k, 0l);
}

long pp_zone_recover(struct pp_zone *zone, unsigned int timeout_us)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)timeout_us * 1000;
	unsigned char *bits;
	long n = 0;
	int err;

	not_a_handler();
	if (!zone->shared)
		return 0;
	bits = calloc(2, zone->managed / 8 + 1);
	if (!bits)
		return pp_set_error(ENOMEM, "no memory to look for the pages of dead processes");
	for (;;) {
		n += recover_once(zone, bits, deadline_ns, &err);
		if (!err || now_ns() >= deadline_ns)
			break;
		usleep(5000);
	}
	free(bits);
	if (err)
		return pp_set_error(ETIMEDOUT,
				    "zone %s: pages of dead processes are left: the kernel closes "
				    "their sockets, or a call of another process takes long",
				    zone->stock->name);
	return n;
}
