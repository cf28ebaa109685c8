/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buddy.h - free pages as runs of 2^order, which split and merge
 *
 * It lies behind the zone's stack of pages, and holds free pages that are not wanted one by one, or
 * that are isolated. A free page has no user, so that the lists go through its own metadata; bit 0
 * of next stays set meanwhile (NEXT_HOME). No run crosses
 * a block, the unit in which memory is accepted, isolated and given back. The caller holds the
 * zone's lock.
 */
#ifndef PP_BUDDY_H
#define PP_BUDDY_H

#include "base/internal.h"

#define BUDDY_ORDERS 10u

enum buddy_set {
	BUDDY_USABLE,
	BUDDY_ISOLATED, /* free, and not to be handed out */
	BUDDY_SETS,
};

/*
 * count[USABLE] + count[ISOLATED] == sum of block_free; a run is in the set that its
 * block's isolated says.
 */
struct buddy {
	struct pp_page *pages;
	uint64_t nr;
	uint8_t max_order;
	uint8_t block_shift; /* log2 of the pages of a block */
	uint8_t *state; /* of each page: order + 1 of the free run that it begins, or 0 */
	uint32_t *block_free; /* of each block: its pages that are here */
	uint16_t *isolated; /* of each block: isolations that cover it */
	struct pp_page *head[BUDDY_SETS][BUDDY_ORDERS];
	uint64_t count[BUDDY_SETS]; /* pages */
	uint64_t refused; /* pages that came home twice */
	uintptr_t home; /* bit 0 of next, here and on the way out: 1, or 0 in a zone without prep */
	size_t mapped;
};

/* @block_pages: a power of two. 0 or -ENOMEM with pp_error(). Touches nothing yet. */
int buddy_init(struct buddy *buddy, struct pp_page *pages, uint64_t nr, uint32_t block_pages);
void buddy_fini(struct buddy *buddy);

static inline uint64_t buddy_index(const struct buddy *buddy, const struct pp_page *page)
{
	return (uint64_t)(page - buddy->pages);
}

/* The run behind that of @page in its list. */
static inline struct pp_page *buddy_next(const struct pp_page *page)
{
	return (struct pp_page *)((uintptr_t)page->next & ~(uintptr_t)1);
}

static inline uint64_t buddy_blocks(const struct buddy *buddy)
{
	return ((buddy->nr - 1) >> buddy->block_shift) + 1;
}

/* Pages of a block; the last one may be shorter. */
static inline uint64_t block_pages(const struct buddy *buddy, uint64_t block)
{
	uint64_t first = block << buddy->block_shift;

	return min((uint64_t)1 << buddy->block_shift, buddy->nr - first);
}

static inline bool page_isolated(const struct buddy *buddy, const struct pp_page *page)
{
	return READ_ONCE(buddy->isolated[buddy_index(buddy, page) >> buddy->block_shift]);
}

/* A run of 2^order pages comes home, and merges with its neighbours. */
void buddy_free(struct buddy *buddy, struct pp_page *page, unsigned int order);
/* The same for any number of pages. */
void buddy_free_range(struct buddy *buddy, uint64_t first, uint64_t n);

/* A usable run; NULL if there is none. */
struct pp_page *buddy_alloc(struct buddy *buddy, unsigned int order);
/* Up to @n usable pages, of the smallest runs first, highest address first; how many. */
unsigned int buddy_take(struct buddy *buddy, void **objs, unsigned int n);

/* Pages [first, first + n) from @first that are here without a gap, isolated or not. */
uint64_t buddy_run(const struct buddy *buddy, uint64_t first, uint64_t n);
/* Take exactly these pages, all of which are here. */
void buddy_take_range(struct buddy *buddy, uint64_t first, uint64_t n);

/* One more or one less isolation of a block: its runs change sets with the first and the last. */
void buddy_isolate(struct buddy *buddy, uint64_t block);
void buddy_restore(struct buddy *buddy, uint64_t block);

#endif /* PP_BUDDY_H */
