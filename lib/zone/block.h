/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * block.h - the units of 2 MiB in which a zone's memory is accepted, isolated and given back
 *
 * A block is unaccepted (only addresses), or accepted; busy while a thread changes that, or
 * is about to; and isolated as often as that was asked for (buddy.h). The thread that made it busy
 * populates it, or tells a device, outside the zone's lock.
 */
#ifndef PP_BLOCK_H
#define PP_BLOCK_H

#include <pthread.h>

#include <pagepool/memory.h>

#include "base/lock.h"

#define BLOCK_SIZE ((size_t)2 << 20)

struct blocks {
	uint64_t nr;
	uint64_t *accepted; /* bits; changed under the zone's lock, read without */
	uint64_t *busy; /* bits; atomic */
	const struct pp_zone_ops *ops; /* never NULL */
	void *arg;
	bool lock;
	uint64_t low; /* pages: fewer free ones, and a block is accepted */

	uint64_t unaccepted; /* pages; under the zone's lock */
	uint32_t pins; /* devices that have all of the memory; changed under the zone's lock */

	/* atomic */
	uint64_t accepting __line_aligned; /* pages */
	uint64_t cursor; /* where to look for the next one */
	uint64_t accepts;
	uint64_t failures;
	uint64_t releases;
	uint32_t changed; /* futex: a block is not busy any more */

	/* the background acceptor */
	uint32_t kicked; /* futex */
	bool wanted; /* atomic: a block, however many pages are free */
	bool stop;
	bool has_thread;
	pthread_t thread;

	/* shrink after idle time: pp_zone_maintain() */
	struct pp_lock idle_lock;
	uint32_t idle_ms;
	uint64_t idle_since_ns;
	uint64_t idle_peak; /* most pages in use since then */
};

static inline bool block_test(const uint64_t *bits, uint64_t block)
{
	/* pairs with the release in block_clear() */
	return load_acquire(&bits[block / 64]) >> block % 64 & 1;
}

/* True: it was clear, and the caller has set it. */
static inline bool block_set(uint64_t *bits, uint64_t block)
{
	uint64_t bit = (uint64_t)1 << block % 64;

	return !(__atomic_fetch_or(&bits[block / 64], bit, __ATOMIC_ACQ_REL) & bit);
}

static inline void block_clear(uint64_t *bits, uint64_t block)
{
	__atomic_fetch_and(&bits[block / 64], ~((uint64_t)1 << block % 64), __ATOMIC_RELEASE);
}

/* 0 or -errno with pp_error(). The ops of an eager zone are told of all blocks. */
int blocks_init(struct pp_zone *zone, const struct pp_zone_params *params);
void blocks_fini(struct pp_zone *zone);

/* Write the metadata of pages after their memory was accepted. */
void init_pages(struct pp_zone *zone, uint64_t first, uint64_t n);

/* Claim, for acceptance or release: true if no other thread has, and the block is (un)accepted. */
bool block_claim(struct pp_zone *zone, uint64_t block, bool accepted);
void block_unclaim(struct pp_zone *zone, uint64_t block);
/* A claimed block that counts as unaccepted already gives its memory back. 0 or -errno. */
int block_release(struct pp_zone *zone, uint64_t block);
/*
 * Make sure that blocks [first, last] are accepted; waits for others, but not beyond the
 * deadline. 0 or -errno with pp_error().
 */
int blocks_need(struct pp_zone *zone, uint64_t first, uint64_t last, uint64_t deadline_ns);
/* Let others finish with a block: returns as soon as something may have changed. 0, -ETIMEDOUT. */
int block_wait(struct pp_zone *zone, uint64_t block, uint32_t seen, uint64_t deadline_ns);

/* Pages that the zone, and not a cache, has free: the stack's and the buddy's. A gauge. */
uint64_t zone_usable(const struct pp_zone *zone);
/*
 * Up to @n more pages, when the stack of free pages ran empty: from the buddy, then from
 * blocks that are accepted for it. @wait: even for those that others are accepting.
 */
unsigned int zone_take_blocks(struct pp_zone *zone, void **objs, unsigned int n, bool wait);

/*
 * Pages are missing: accept a block, or @wait for one; true if there may be more than before.
 * @had: blocks.unaccepted, read before the caller looked for pages
 */
bool zone_get_more(struct pp_zone *zone, uint64_t had, bool wait, uint64_t deadline_ns);

/* ---- ranges ---------------------------------------------------------------------------------- */

/* Blocks, both ends included. */
struct block_range {
	uint64_t first;
	uint64_t last;
};

/* The blocks that have these pages; -EINVAL with pp_error(). */
int zone_range(const struct pp_zone *zone, uint64_t first, uint64_t n, struct block_range *range);
/* Isolated or unaccepted, all of them? */
bool zone_range_home(struct pp_zone *zone, uint64_t first, uint64_t n);
/* Wait for that, and ask the reclaimers; 0 or -ETIMEDOUT. */
int zone_wait_home(struct pp_zone *zone, uint64_t first, uint64_t n, uint64_t deadline_ns);
/* Under the stock's lock: from the buddy onto the stack, until it has @most; pages moved. */
unsigned int area_refill(struct pp_zone *zone, unsigned int most);
/*
 * Isolated pages of the stack from *@from on into the buddy, @n looked at; true when all have been
 * seen. The lock may be dropped between the calls: what is pushed then is looked at, and what is
 * popped is taken off the top.
 */
bool area_sweep(struct pp_zone *zone, uint64_t *from, unsigned int n);
/* Of the stack, while there are isolated blocks. */
extern const struct area_ops isolating_ops;
/* What is on the stack now goes into the buddy, warmest first, and merges. */
void zone_spill(struct pp_zone *zone);

#endif /* PP_BLOCK_H */
