/* SPDX-License-Identifier: BSD-3-Clause */
/* contig.c - pages that lie beside each other, across as many blocks as it takes */
#include <pagepool/memory.h>

#include "zone/home.h"

#define NONE UINT64_MAX

struct wanted {
	uint64_t n;
	uint64_t align;
};

static uint64_t align_to(uint64_t i, uint64_t align)
{
	return (i + align - 1) & ~(align - 1);
}

/* ---- fast: what is free now ------------------------------------------------------------------ */

/*
 * The first page of a usable range; under the zone's lock. Blocks of which nothing is here
 * are stepped over.
 */
static uint64_t find_free(const struct pp_zone *zone, const struct wanted *want)
{
	const struct buddy *buddy = &zone->buddy;
	uint64_t i = 0, run, next = 0, block, step;

	while (i + want->n <= zone->managed) {
		for (run = 0; run < want->n; run += next) {
			block = (i + run) >> buddy->block_shift;
			step = min(want->n - run, ((block + 1) << buddy->block_shift) - (i + run));
			next = 0;
			if (buddy->block_free[block] && !buddy->isolated[block])
				next = buddy_run(buddy, i + run, step);
			if (next < step)
				break;
		}
		if (run >= want->n)
			return i;
		run += next;
		block = (i + run) >> buddy->block_shift;
		if (!buddy->block_free[block] || buddy->isolated[block])
			run = ((block + 1) << buddy->block_shift) - i - 1;
		i = align_to(i + run + 1, want->align);
	}
	return NONE;
}

static struct pp_page *hand_out(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct pp_page *page;
	uint64_t i;

	for (i = first; i < first + n; i++) {
		page = &zone->pages[i];
		page_leaves_home(zone, page);
		page_prep(page, &zone->fresh);
		unpoison_pages(&page, 1);
	}
	return &zone->pages[first];
}

static int take_free(struct pp_zone *zone, const struct wanted *want, struct pp_page **first)
{
	uint64_t i;

	zone_spill(zone);
	stock_lock(zone->stock);
	i = find_free(zone, want);
	if (i != NONE) {
		buddy_take_range(&zone->buddy, i, want->n);
		count_add(zone->stock->allocs, want->n);
	}
	stock_unlock(zone->stock);
	if (i == NONE)
		return -EBUSY;
	*first = hand_out(zone, i, want->n);
	return 0;
}

/* ---- normal: and what caches and addresses have ---------------------------------------------- */

/* Pages of a range that are neither free nor unaccepted; NONE if part of it is isolated. */
static uint64_t count_missing(const struct pp_zone *zone, uint64_t first, uint64_t n)
{
	const struct buddy *buddy = &zone->buddy;
	uint64_t end = first + n, missing = 0, next, block, here;

	for (; first < end; first = next) {
		block = first >> buddy->block_shift;
		next = min(end, (block + 1) << buddy->block_shift);
		if (buddy->isolated[block])
			return NONE;
		if (!block_test(zone->blocks.accepted, block))
			continue;
		if (!buddy->block_free[block]) {
			missing += next - first;
			continue;
		}
		while (first < next) {
			here = buddy_run(buddy, first, next - first);
			missing += first + here < next;
			first += here + (first + here < next);
		}
	}
	return missing;
}

/*
 * The range that lacks the fewest pages, in steps that keep the search short: of a block
 * for what is larger than one. The lock is dropped between: a hint, which is checked later.
 */
static uint64_t find_best(struct pp_zone *zone, const struct wanted *want, uint64_t *least)
{
	uint64_t step = max(want->align, (uint64_t)1 << zone->buddy.block_shift);
	/* the last range need not begin at a multiple of the step */
	uint64_t last = (zone->managed - want->n) & ~(want->align - 1);
	uint64_t i = 0, missing, best = NONE;

	if (want->n <= step / 2)
		step = max(want->align, align_to(want->n, 64));
	*least = NONE;
	for (;;) {
		stock_lock(zone->stock);
		missing = count_missing(zone, i, want->n);
		stock_unlock(zone->stock);
		if (missing < *least) {
			*least = missing;
			best = i;
		}
		if (i == last || !*least)
			return best;
		i = min(align_to(i + step, want->align), last);
	}
}

/* Others' acceptances are waited for as long as an allocation would, or until the deadline. */
static int accept_range(struct pp_zone *zone, uint64_t first, uint64_t n, uint64_t deadline_ns)
{
	deadline_ns = max(deadline_ns, now_ns() + (uint64_t)zone->stock->drain_us * 1000);
	if (zone->stock->signal_safe && !zone->blocks.has_thread)
		return 0;
	return blocks_need(zone, first >> zone->buddy.block_shift,
			   (first + n - 1) >> zone->buddy.block_shift, deadline_ns);
}

static int take_normal(struct pp_zone *zone, const struct wanted *want, struct pp_page **first)
{
	uint64_t i, missing;
	int err;

	zone_drain_once(zone);
	err = take_free(zone, want, first);
	if (!err)
		return 0;
	i = find_best(zone, want, &missing);
	if (i == NONE || missing)
		return -EBUSY;
	err = accept_range(zone, i, want->n, 0);
	if (err)
		return err == -ETIMEDOUT ? -EBUSY : err;
	return take_free(zone, want, first);
}

/* ---- hard: and what users have --------------------------------------------------------------- */

/* Under the zone's lock: no other isolation covers these blocks. */
static bool only_ours(const struct pp_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t block = first >> zone->buddy.block_shift;

	for (; block <= (first + n - 1) >> zone->buddy.block_shift; block++) {
		if (zone->buddy.isolated[block] != 1)
			return false;
	}
	return true;
}

static int take_hard(struct pp_zone *zone, const struct wanted *want, uint64_t deadline_ns,
		     struct pp_page **first)
{
	uint64_t missing, i = find_best(zone, want, &missing), now;
	int err;

	if (i == NONE)
		return -EBUSY;
	err = accept_range(zone, i, want->n, deadline_ns);
	now = min(now_ns(), deadline_ns);
	if (!err)
		err = pp_zone_isolate_hard(zone, i, want->n,
					   (unsigned int)((deadline_ns - now) / 1000));
	if (err)
		return err;
	err = zone_wait_home(zone, i, want->n, deadline_ns);
	if (!err) {
		stock_lock(zone->stock);
		/* another thread may have given the memory back, or isolated the range, too */
		if (only_ours(zone, i, want->n) && buddy_run(&zone->buddy, i, want->n) == want->n) {
			buddy_take_range(&zone->buddy, i, want->n);
			count_add(zone->stock->allocs, want->n);
			*first = &zone->pages[i];
		} else {
			err = -EBUSY;
		}
		stock_unlock(zone->stock);
	}
	pp_zone_isolate_hard_undo(zone, i, want->n);
	if (!err)
		hand_out(zone, i, want->n);
	return err;
}

int pp_zone_alloc_contig(struct pp_zone *zone, uint64_t n, uint64_t align, enum pp_contig mode,
			 unsigned int timeout_us, struct pp_page **first)
{
	uint64_t deadline_ns = now_ns() + (uint64_t)timeout_us * 1000;
	const struct timespec nap = { .tv_nsec = 50000 };
	const struct wanted want = { .n = n, .align = align ? align : 1 };
	struct block_range range;
	int err = zone_alone(zone, "contiguous ranges") ?: zone_range(zone, 0, n, &range);

	if (err)
		return err;
	if ((want.align & (want.align - 1)) || (unsigned int)mode > PP_CONTIG_HARD)
		return pp_set_error(EINVAL,
				    "align: %llu is not a power of two, or mode: %u unknown",
				    (unsigned long long)align, (unsigned int)mode);
	err = take_free(zone, &want, first);
	if (err && mode >= PP_CONTIG_NORMAL) {
		zone_seek_begin(zone);
		err = take_normal(zone, &want, first);
		zone_seek_end(zone);
	}
	while (err && mode == PP_CONTIG_HARD) {
		err = take_hard(zone, &want, deadline_ns, first);
		/* others want it, too: the first has it, the others look elsewhere */
		if (err != -EBUSY || now_ns() >= deadline_ns)
			break;
		nanosleep(&nap, NULL);
	}
	if (!err)
		return 0;
	count_add_shared(zone->stock->alloc_failures, 1);
	/* otherwise pp_error() says already why a block was not accepted */
	if (err != -EBUSY && err != -ETIMEDOUT)
		return err;
	return pp_set_error(-err, "zone %s: no %llu pages beside each other are free%s",
			    zone->stock->name, (unsigned long long)n,
			    err == -ETIMEDOUT ? ", nor came home in time" : "");
}

/* A part of what is given back, all of which was out. */
static void free_range(struct pp_zone *zone, struct pp_page *first, uint64_t n)
{
	uint64_t i = buddy_index(&zone->buddy, first), k;

	for (k = 0; PP_DEBUG && k < n; k++)
		page_goes_home(zone, first + k);
	for (; n; n -= k, i += k) {
		k = min(n, (uint64_t)1 << zone->buddy.block_shift);
		stock_lock(zone->stock);
		buddy_free_range(&zone->buddy, i, k);
		count_add(zone->stock->frees, k);
		stock_unlock(zone->stock);
	}
}

void pp_zone_free_contig(struct pp_zone *zone, struct pp_page *first, uint64_t n)
{
	uint64_t i = ((uintptr_t)first - (uintptr_t)zone->pages) / sizeof(*first);
	struct pp_page *page, *end;
	PUT_FROM_HERE;

	if (!n)
		return;
	if (unlikely(i >= zone->managed || n > zone->managed - i)) {
		if (PP_DEBUG)
			bug("a range that is not of its zone was given back", first);
		count_add_shared(zone->double_puts, 1);
		return;
	}
	end = first + n;
	for (page = first; page < end; page++) {
		if (likely(page_comes_home(zone, page))) {
			poison_pages(&page, 1);
			continue;
		}
		free_range(zone, first, (uint64_t)(page - first));
		first = page + 1;
	}
	free_range(zone, first, (uint64_t)(end - first));
}

/* ---- reclaimers ------------------------------------------------------------------------------ */

/* A program's client is the library's part of its struct pp_reclaimer. */
_Static_assert(sizeof(struct zone_client) <= sizeof(((struct pp_reclaimer *)0)->client),
	       "a reclaimer has room for a client");

static void call_reclaimer(struct zone_client *client, uint64_t first, uint64_t n)
{
	struct pp_reclaimer *r = container_of((void *)client, struct pp_reclaimer, client);

	r->reclaim(r->arg, client->zone, first, n);
}

static const struct zone_client_ops reclaimer_ops = { .reclaim = call_reclaimer };

void pp_zone_reclaimer_add(struct pp_zone *zone, struct pp_reclaimer *reclaimer)
{
	struct zone_client *client = (struct zone_client *)reclaimer->client;

	*client = (struct zone_client){ .ops = &reclaimer_ops, .zone = zone };
	clients_add(&zone->clients, client);
}

void pp_zone_reclaimer_del(struct pp_zone *zone, struct pp_reclaimer *reclaimer)
{
	struct zone_client *client = (struct zone_client *)reclaimer->client;

	if (client->zone == zone)
		registry_del(&client->registered);
}
