/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * settle.c - pages that a process was moving when it died
 *
 * They have left the stock and have no holder yet, or have no holder any more and did not reach
 * the stock, or were in a cache that the dead had locked. So they have no holder, and are in no
 * place. The page of a call that is under way looks the same.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/handler.h"
#include "zone/share.h"

/* So many naps in a wait for one process's calls, and it is looked at. */
#define NAPS 64u

static bool await_phase(struct pp_zone *zone, unsigned int phase, uint64_t deadline_ns)
{
	struct zone_process *entry;
	unsigned int i, naps = 0;
	process_id id;

	for (i = 0; i < SHARE_PROCESSES; i++) {
		entry = &zone->shared->process[i];
		while ((id = READ_ONCE(entry->id)) && load_acquire(&entry->inside[phase])) {
			if (++naps % NAPS == 0 && zone_process_is_dead(zone, id))
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

static void mark_home(void *arg, void *const *objs, uint64_t n)
{
	struct suspects *s = arg;
	uint64_t i, k;

	for (i = 0; i < n; i++) {
		k = page_number(s->zone, objs[i]);
		s->home[k / 8] |= (unsigned char)(1u << k % 8);
	}
}

static void see_home(struct suspects *s)
{
	memset(s->home, 0, s->zone->managed / 8 + 1);
	free_area_walk(&s->zone->stock->area, mark_home, s);
}

/* The caches are closed, so that a page without a holder is in the free area or on its way. */
static void suspect_all(struct suspects *s)
{
	uint64_t *holder = s->zone->shared->holder, none;
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
		zone_take_home(s->zone, &page, 1);
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

	if (zone_close_counted(zone, min(left, 1000000u)))
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
	zone_open_counted(zone, zone_own_entry(zone));
	return n;
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Pages freed; *@err: -ETIMEDOUT */
static long recover_once(struct pp_zone *zone, unsigned char *bits, uint64_t deadline_ns, int *err)
{
	long n, k = 0;
	bool left;

	*err = -ETIMEDOUT;
	if (!zone_settling_lock(zone, deadline_ns))
		return 0;
	n = (long)zone_bury_all(zone, &left);
	if (zone->shared->unsettled)
		k = settle(zone, bits, deadline_ns);
	zone_settling_unlock(zone);
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
