/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * accept.c - memory on demand: blocks of 2 MiB become pages when the free ones run low
 *
 * Only the path that found the zone's stack of pages empty comes here. It takes from the
 * buddy first, so that one thread accepts a block while the others still have free
 * pages: outside the zone's lock, one acceptor a block.
 */
#include <stdlib.h>

#include "base/probes.h"
#include "zone/home.h"

/* Blocks that one call tries when the first one can not be accepted. */
#define TRIES 3u
#define NONE  UINT64_MAX

void init_pages(struct pp_zone *zone, uint64_t first, uint64_t n)
{
	struct pp_page *page;
	uint64_t i;

	for (i = first; i < first + n; i++) {
		page = &zone->pages[i];
		page->addr = zone->region.base + (i << zone->shift);
		page->zone = zone;
		page->refs = 1;
		page->pp_refs = 1;
		page->shift = zone->shift;
		page->flags = DEBUG_HOME;
		page->node = (uint16_t)max(zone->region.node, 0);
		page_prep(page, &zone->fresh);
		page_mark_home(zone, page);
	}
}

/* ---- one block ------------------------------------------------------------------------------- */

bool block_claim(struct pp_zone *zone, uint64_t block, bool accepted)
{
	if (!block_set(zone->blocks.busy, block))
		return false;
	if (block_test(zone->blocks.accepted, block) == accepted)
		return true;
	block_unclaim(zone, block);
	return false;
}

void block_unclaim(struct pp_zone *zone, uint64_t block)
{
	block_clear(zone->blocks.busy, block);
	futex_signal(&zone->blocks.changed);
}

/* Tell the zone's ops of a block that is memory now. */
static int tell_accepted(struct pp_zone *zone, uint64_t block)
{
	struct blocks *b = &zone->blocks;
	int err = 0;

	if (b->ops->accept)
		err = b->ops->accept(b->arg, zone->region.base + block_offset(zone, block),
				     block_len(zone, block));
	return err ? pp_set_error(-err, "zone %s: block %llu was not accepted: %s",
				  zone->stock->name, (unsigned long long)block, strerror(-err))
		   : 0;
}

static void tell_gone(struct pp_zone *zone, uint64_t block)
{
	struct blocks *b = &zone->blocks;

	if (b->ops->unaccept)
		b->ops->unaccept(b->arg, zone->region.base + block_offset(zone, block),
				 block_len(zone, block));
}

static int accept_memory(struct pp_zone *zone, uint64_t block)
{
	uint64_t offset = block_offset(zone, block);
	size_t len = block_len(zone, block);
	int err = region_accept(&zone->region, offset, len, zone->blocks.lock);

	if (err)
		return err;
	err = tell_accepted(zone, block);
	if (err) {
		region_release(&zone->region, offset, len);
		errno = -err;
	}
	return err;
}

/* A claimed block becomes memory, and is not claimed any more. 0 or -errno with pp_error(). */
static int block_accept(struct pp_zone *zone, uint64_t block)
{
	uint64_t first = block << zone->buddy.block_shift;
	uint64_t n = block_pages(&zone->buddy, block);
	struct blocks *b = &zone->blocks;
	int err;

	count_add_shared(b->accepting, n);
	err = accept_memory(zone, block);
	if (!err) {
		init_pages(zone, first, n);
		poison_range(zone, first << zone->shift, n << zone->shift);
		stock_lock(zone->stock);
		block_set(b->accepted, block);
		WRITE_ONCE(b->unaccepted, b->unaccepted - n);
		buddy_free_range(&zone->buddy, first, n);
		stock_unlock(zone->stock);
	}
	count_add_shared(b->accepting, -n);
	count_add_shared(*(err ? &b->failures : &b->accepts), 1);
	PROBE(4, zone_accept, zone, block, n, err);
	block_unclaim(zone, block);
	return err;
}

int block_release(struct pp_zone *zone, uint64_t block)
{
	uint64_t offset = block_offset(zone, block);
	size_t len = block_len(zone, block);
	int err;

	unpoison_range(zone, offset, len);
	tell_gone(zone, block);
	err = region_release(&zone->region, offset, len);
	/* if that failed, the memory is there for nothing, until the next acceptance */
	count_add_shared(zone->blocks.releases, 1);
	block_unclaim(zone, block);
	return err;
}

/* An unaccepted block that no thread had claimed, claimed; NONE if there is none. */
static uint64_t claim_next(struct pp_zone *zone)
{
	struct blocks *b = &zone->blocks;
	uint64_t start = READ_ONCE(b->cursor), i, block, words = (b->nr + 63) / 64, left;

	start = start < b->nr ? start : 0;
	/* the first word twice: from the cursor on, and at the end what is before it */
	for (i = 0; i <= words; i++) {
		block = (start / 64 + i) % words;
		left = ~READ_ONCE(b->accepted[block]) & ~READ_ONCE(b->busy[block]);
		if (!i)
			left &= ~(uint64_t)0 << start % 64;
		for (; left; left &= left - 1) {
			uint64_t k = block * 64 + (uint64_t)__builtin_ctzll(left);

			if (k < b->nr && !READ_ONCE(zone->buddy.isolated[k]) &&
			    block_claim(zone, k, false))
				return k;
		}
	}
	return NONE;
}

/* 1: a block was accepted, 0: there is none to accept, or -errno: none of those tried. */
static int accept_one(struct pp_zone *zone)
{
	unsigned int tries;
	uint64_t block;
	int err = 0;

	for (tries = 0; tries < TRIES; tries++) {
		block = claim_next(zone);
		if (block == NONE)
			break;
		err = block_accept(zone, block);
		/* what failed is tried again when the others were */
		WRITE_ONCE(zone->blocks.cursor, block + 1);
		if (!err)
			return 1;
	}
	return err;
}

int block_wait(struct pp_zone *zone, uint64_t block, uint32_t seen, uint64_t deadline_ns)
{
	if (!block_test(zone->blocks.busy, block))
		return 0;
	if (now_ns() >= deadline_ns)
		return pp_set_error(
			ETIMEDOUT,
			"zone %s: another thread is still accepting block %llu, or giving "
			"it back",
			zone->stock->name, (unsigned long long)block);
	futex_wait(&zone->blocks.changed, seen, 1000);
	return 0;
}

int blocks_need(struct pp_zone *zone, uint64_t first, uint64_t last, uint64_t deadline_ns)
{
	uint32_t seen;
	int err = 0;

	for (; first <= last && !err; first++) {
		while (!err && !block_test(zone->blocks.accepted, first)) {
			seen = load_acquire(&zone->blocks.changed);
			if (block_claim(zone, first, false))
				err = block_accept(zone, first);
			else
				err = block_wait(zone, first, seen, deadline_ns);
		}
	}
	return err;
}

/* ---- when pages run low ---------------------------------------------------------------------- */

uint64_t zone_usable(const struct pp_zone *zone)
{
	return free_area_count(&zone->stock->area) + READ_ONCE(zone->buddy.count[BUDDY_USABLE]);
}

static bool is_low(const struct pp_zone *zone)
{
	const struct blocks *b = &zone->blocks;

	return READ_ONCE(b->unaccepted) > READ_ONCE(b->accepting) &&
	       zone_usable(zone) + READ_ONCE(b->accepting) < b->low;
}

/* From the buddy onto the stack, and from there to the caller. */
static unsigned int take_buddy_pages(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got;

	if (!stock_lock(zone->stock))
		return 0;
	/* a few times what goes to a core's cache, so that it is seldom */
	area_refill(zone, max(4 * READ_ONCE(zone->stock->batch), PP_BULK_MAX));
	got = free_area_pop(&zone->stock->area, objs, n);
	count_add(zone->stock->allocs, got);
	stock_unlock(zone->stock);
	return got;
}

/* A thread accepts a block, or gives one back, which can be accepted after that. */
static bool any_coming(const struct blocks *b)
{
	uint64_t i;

	for (i = 0; i < (b->nr + 63) / 64; i++) {
		if (load_acquire(&b->busy[i]) & ~load_acquire(&b->accepted[i]))
			return true;
	}
	return false;
}

/* Accept a block; in a signal safe zone, where this may be a handler, the acceptor does it. */
static int accept_or_ask(struct pp_zone *zone)
{
	if (!zone->stock->signal_safe)
		return accept_one(zone);
	store_release(&zone->blocks.wanted, true);
	futex_signal(&zone->blocks.kicked);
	return 0;
}

bool zone_get_more(struct pp_zone *zone, uint64_t had, bool wait, uint64_t deadline_ns)
{
	struct blocks *b = &zone->blocks;
	uint32_t seen = load_acquire(&b->changed);
	int accepted;

	if (READ_ONCE(b->unaccepted) < had)
		return true; /* a block came after the caller had looked */
	if (!READ_ONCE(b->unaccepted))
		return false;
	accepted = accept_or_ask(zone);
	if (accepted > 0)
		return true;
	if (accepted < 0)
		seen = load_acquire(&b->changed); /* our own attempt changed it */
	wait = wait && now_ns() < deadline_ns &&
	       (zone->stock->signal_safe || any_coming(b) || load_acquire(&b->changed) != seen);
	if (wait)
		futex_wait(&b->changed, seen, 1000); /* returns at once if it has changed */
	return wait || READ_ONCE(b->unaccepted) < had;
}

unsigned int __coldpath zone_take_blocks(struct pp_zone *zone, void **objs, unsigned int n,
					 bool wait)
{
	uint64_t deadline_ns = wait ? now_ns() + (uint64_t)zone->stock->drain_us * 1000 : 0;
	unsigned int got = 0;
	uint64_t had;

	for (;;) {
		had = READ_ONCE(zone->blocks.unaccepted);
		got += take_buddy_pages(zone, objs + got, n - got);
		if (stock_in_handler(zone->stock) || (got == n && !is_low(zone)))
			return got;
		if (got == n)
			break;
		if (!zone_get_more(zone, had, wait, deadline_ns))
			return got;
	}
	/* the caller has its pages; one block at most, while the others have some, too */
	if (zone->blocks.has_thread)
		futex_signal(&zone->blocks.kicked);
	else
		accept_one(zone);
	return got;
}

static void *acceptor(void *arg)
{
	struct pp_zone *zone = arg;
	struct blocks *b = &zone->blocks;
	uint32_t seen, done = 0;
	int k;

	for (;;) {
		seen = load_acquire(&b->kicked);
		if (load_acquire(&b->stop))
			return NULL;
		/* without a kick: memory that was given back just now is not accepted at once */
		k = seen != done;
		done = seen;
		if (__atomic_exchange_n(&b->wanted, false, __ATOMIC_ACQ_REL))
			k = accept_one(zone); /* a run: what is free may be in pieces */
		while (k > 0 && zone_usable(zone) + READ_ONCE(b->accepting) < 2 * b->low &&
		       !load_acquire(&b->stop))
			k = accept_one(zone);
		futex_wait(&b->kicked, seen, 100000);
	}
}

/* ---- a zone's beginning and end -------------------------------------------------------------- */

static const struct pp_zone_ops no_ops;

/* The memory is there already: the zone's ops are told. */
static int accept_eagerly(struct pp_zone *zone)
{
	uint64_t block;
	int err = 0;

	for (block = 0; block < zone->blocks.nr && !err; block++) {
		err = tell_accepted(zone, block);
		if (!err)
			block_set(zone->blocks.accepted, block);
	}
	return err;
}

int blocks_init(struct pp_zone *zone, const struct pp_zone_params *p)
{
	struct blocks *b = &zone->blocks;
	uint64_t words;
	int err;

	b->nr = buddy_blocks(&zone->buddy);
	words = (b->nr + 63) / 64;
	b->ops = p->ops ? p->ops : &no_ops;
	b->arg = p->ops_arg;
	b->lock = p->flags & PP_ZONE_LOCK;
	b->low = min(p->low ? p->low : (uint64_t)2 << zone->buddy.block_shift, zone->managed);
	b->idle_ms = p->idle_ms;
	b->accepted = calloc(2 * words, sizeof(*b->accepted));
	if (!b->accepted)
		return pp_set_error(ENOMEM, "no memory for the state of %llu blocks",
				    (unsigned long long)b->nr);
	b->busy = b->accepted + words;
	if (!(p->flags & PP_ZONE_LAZY))
		return accept_eagerly(zone);
	b->unaccepted = zone->managed;
	if (!(p->flags & PP_ZONE_ACCEPT_THREAD))
		return 0;
	err = pthread_create(&b->thread, NULL, acceptor, zone);
	if (err)
		return pp_set_error(err, "no thread to accept memory: %s", strerror(err));
	b->has_thread = true;
	return 0;
}

void blocks_fini(struct pp_zone *zone)
{
	struct blocks *b = &zone->blocks;
	uint64_t block;

	if (b->has_thread) {
		store_release(&b->stop, true);
		futex_signal(&b->kicked);
		pthread_join(b->thread, NULL);
	}
	poison_fini(zone);
	for (block = 0; b->accepted && block < b->nr; block++) {
		if (block_test(b->accepted, block))
			tell_gone(zone, block);
	}
	free(b->accepted);
}
