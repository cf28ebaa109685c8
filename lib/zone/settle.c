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
/* Pages that one hold of the stock's lock copies. */
#define PART 1024u

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

static void mark_home(struct suspects *s, void *const *objs, uint64_t n)
{
	uint64_t i, k;

	for (i = 0; i < n; i++) {
		k = page_number(s->zone, objs[i]);
		s->home[k / 8] |= (unsigned char)(1u << k % 8);
	}
}

/* A copy of what a list that was handed over has from @begin on, at most PART; how many. */
static uint64_t copy_list(struct stock *stock, const struct pcp *pcp, uint64_t begin, void **objs)
{
	uint64_t all, n;

	stock_lock(stock);
	all = pcp_handed(pcp);
	n = all > begin ? min(all - begin, (uint64_t)PART) : 0;
	memcpy(objs, pcp_handed_list(pcp)->obj + begin, n * sizeof(*objs));
	stock_unlock(stock);
	return n;
}

/* The same of the stack. */
static uint64_t copy_stack(struct stock *stock, uint64_t begin, void **objs)
{
	const struct free_area *area = &stock->area;
	uint64_t n;

	stock_lock(stock);
	n = area->count > begin ? min(area->count - begin, (uint64_t)PART) : 0;
	memcpy(objs, area->obj + begin, n * sizeof(*objs));
	stock_unlock(stock);
	return n;
}

/*
 * Sees each page that stays in the free area meanwhile: the caches are closed, so that nothing but
 * a call moves it. It may see, or miss, a page that a call takes or brings. Each hold of the lock
 * copies a part, so that calls that wait for it come in between.
 */
static void see_home(struct suspects *s)
{
	struct stock *stock = s->zone->stock;
	void *objs[PART];
	uint64_t begin, n;
	unsigned int i;

	memset(s->home, 0, s->zone->managed / 8 + 1);
	for (i = 0; i < stock->cores; i++) {
		for (begin = 0; (n = copy_list(stock, stock_pcp(stock, i), begin, objs));
		     begin += n)
			mark_home(s, objs, n);
	}
	for (begin = 0; (n = copy_stack(stock, begin, objs)); begin += n)
		mark_home(s, objs, n);
}

/* A page without a holder that was not seen. */
static void suspect_all(struct suspects *s)
{
	uint64_t *holder = s->zone->shared->holder, none;
	uint64_t i;

	see_home(s);
	for (i = 0; i < s->zone->managed; i++) {
		none = 0;
		if (!bit_of(s->home, i) &&
		    (__atomic_compare_exchange_n(&holder[i], &none, HOLDER_SUSPECT, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) ||
		     none == HOLDER_SUSPECT))
			s->bits[i / 8] |= (unsigned char)(1u << i % 8);
	}
}

/* Acquit pages that a call has brought to a place since. */
static void acquit(struct suspects *s)
{
	uint64_t i;

	see_home(s);
	for (i = 0; i < s->zone->managed; i++) {
		if (bit_of(s->home, i) ||
		    load_acquire(&s->zone->shared->holder[i]) != HOLDER_SUSPECT)
			s->bits[i / 8] &= (unsigned char)~(1u << i % 8);
	}
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
 * Under settling. A suspect may be on its way in a call, or have been missed at home. The first
 * wait ends each call that was under way: it writes a holder, or puts the page into the free area.
 * The second look sees the page there, unless a later call takes it before. That call
 * ends in the second wait, and has written a holder. No call writes HOLDER_SUSPECT. So a page that
 * is suspect after that, and was not seen, is with no call.
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
