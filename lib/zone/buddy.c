/* SPDX-License-Identifier: BSD-3-Clause */
#include "zone/buddy.h"

int buddy_init(struct buddy *buddy, struct pp_page *pages, uint64_t nr, uint32_t block_pages)
{
	unsigned int block_shift = (unsigned int)__builtin_ctz(block_pages);
	uint64_t blocks = ((nr - 1) >> block_shift) + 1;
	size_t state = (nr + 15) & ~(size_t)15;

	memset(buddy, 0, sizeof(*buddy));
	buddy->mapped = state + blocks * (sizeof(*buddy->block_free) + sizeof(*buddy->isolated));
	/* state of pages that are not accepted is not touched */
	buddy->state = map_zeros(buddy->mapped, "the buddy");
	if (!buddy->state)
		return -ENOMEM;
	buddy->pages = pages;
	buddy->nr = nr;
	buddy->block_shift = (uint8_t)block_shift;
	buddy->max_order = (uint8_t)min(block_shift, BUDDY_ORDERS - 1);
	buddy->block_free = (uint32_t *)(buddy->state + state);
	buddy->isolated = (uint16_t *)(buddy->block_free + blocks);
	return 0;
}

void buddy_fini(struct buddy *buddy)
{
	unmap_zeros(buddy->state, buddy->mapped);
}

/* ---- lists: forward through next, back through the time stamp -------------------------------- */

static inline struct pp_page *prev_of(const struct pp_page *page)
{
	return (struct pp_page *)(uintptr_t)page->tstamp;
}

/* A put that looks at @page meanwhile, which is a bug of its caller's, sees it at home. */
static inline void set_next(const struct buddy *buddy, struct pp_page *page,
			    const struct pp_page *next)
{
	WRITE_ONCE(page->next, (struct pp_page *)((uintptr_t)next | buddy->home));
}

static inline enum buddy_set set_of(const struct buddy *buddy, uint64_t i)
{
	return buddy->isolated[i >> buddy->block_shift] ? BUDDY_ISOLATED : BUDDY_USABLE;
}

static void link_run(struct buddy *buddy, uint64_t i, unsigned int order)
{
	enum buddy_set set = set_of(buddy, i);
	struct pp_page *page = buddy->pages + i, **head = &buddy->head[set][order];

	set_next(buddy, page, *head);
	page->tstamp = 0;
	if (*head)
		(*head)->tstamp = (uintptr_t)page;
	*head = page;
	buddy->state[i] = (uint8_t)(order + 1);
	count_add(buddy->count[set], (uint64_t)1 << order);
	count_add(buddy->block_free[i >> buddy->block_shift], 1u << order);
}

static void unlink_run(struct buddy *buddy, uint64_t i, unsigned int order)
{
	enum buddy_set set = set_of(buddy, i);
	struct pp_page *page = buddy->pages + i, *next = buddy_next(page);

	if (prev_of(page))
		set_next(buddy, prev_of(page), next);
	else
		buddy->head[set][order] = next;
	if (next)
		next->tstamp = page->tstamp;
	set_next(buddy, page, NULL);
	page->tstamp = 0;
	buddy->state[i] = 0;
	count_add(buddy->count[set], -((uint64_t)1 << order));
	count_add(buddy->block_free[i >> buddy->block_shift], -(1u << order));
}

/* The order of the free run that has page @i, and where it begins; -1: the page is not here. */
static int find_run(const struct buddy *buddy, uint64_t i, uint64_t *first)
{
	unsigned int order;

	for (order = 0; order <= buddy->max_order; order++) {
		*first = i & ~(((uint64_t)1 << order) - 1);
		if (buddy->state[*first] == order + 1)
			return (int)order;
	}
	return -1;
}

/* ---- free ------------------------------------------------------------------------------------ */

void buddy_free(struct buddy *buddy, struct pp_page *page, unsigned int order)
{
	uint64_t i = buddy_index(buddy, page), other;

	/* it, or a part of it, is here already: contain it, the audit tells */
	if (unlikely(find_run(buddy, i, &other) >= 0)) {
		buddy->refused += 1u << order;
		return;
	}
	for (; order < buddy->max_order; order++) {
		other = i ^ ((uint64_t)1 << order);
		if (other >= buddy->nr || buddy->state[other] != order + 1)
			break;
		unlink_run(buddy, other, order);
		i = min(i, other);
	}
	link_run(buddy, i, order);
}

void buddy_free_range(struct buddy *buddy, uint64_t first, uint64_t n)
{
	unsigned int order;

	while (n) {
		order = first ? (unsigned int)__builtin_ctzll(first) : BUDDY_ORDERS;
		order = min(order, (unsigned int)buddy->max_order);
		order = min(order, 63u - (unsigned int)__builtin_clzll(n));
		buddy_free(buddy, buddy->pages + first, order);
		first += (uint64_t)1 << order;
		n -= (uint64_t)1 << order;
	}
}

/* ---- allocation ------------------------------------------------------------------------------ */

/* Of a run that was unlinked, keep the first 2^@want pages, and link the rest. */
static void split_run(struct buddy *buddy, uint64_t i, unsigned int order, unsigned int want)
{
	while (order > want) {
		order--;
		link_run(buddy, i + ((uint64_t)1 << order), order);
	}
}

struct pp_page *buddy_alloc(struct buddy *buddy, unsigned int order)
{
	struct pp_page *page;
	unsigned int k;

	for (k = order; k <= buddy->max_order; k++) {
		page = buddy->head[BUDDY_USABLE][k];
		if (!page)
			continue;
		unlink_run(buddy, buddy_index(buddy, page), k);
		split_run(buddy, buddy_index(buddy, page), k, order);
		return page;
	}
	return NULL;
}

unsigned int buddy_take(struct buddy *buddy, void **objs, unsigned int n)
{
	unsigned int got = 0, order = 0, k;
	struct pp_page *page;

	while (got < n && order <= buddy->max_order) {
		page = buddy->head[BUDDY_USABLE][order];
		if (!page) {
			order++;
			continue;
		}
		/* as much of the run as is wanted, rounded down to a power of two */
		k = min(order, 31u - (unsigned int)__builtin_clz(n - got));
		unlink_run(buddy, buddy_index(buddy, page), order);
		split_run(buddy, buddy_index(buddy, page), order, k);
		order = min(order, k);
		for (k = 1u << k; k; k--)
			objs[got++] = page + k - 1;
	}
	return got;
}

uint64_t buddy_run(const struct buddy *buddy, uint64_t first, uint64_t n)
{
	uint64_t i = first, start;
	int order;

	while (i < first + n && i < buddy->nr) {
		order = find_run(buddy, i, &start);
		if (order < 0)
			break;
		i = start + ((uint64_t)1 << order);
	}
	return min(i - first, n);
}

void buddy_take_range(struct buddy *buddy, uint64_t first, uint64_t n)
{
	uint64_t i = first, end = first + n, start, last;
	int order;

	while (i < end) {
		order = find_run(buddy, i, &start);
		BUG_ON(order < 0, buddy->pages + i);
		if (order < 0)
			return;
		unlink_run(buddy, start, (unsigned int)order);
		last = start + ((uint64_t)1 << order);
		if (start < i)
			buddy_free_range(buddy, start, i - start);
		if (last > end)
			buddy_free_range(buddy, end, last - end);
		i = last;
	}
}

/* ---- isolation ------------------------------------------------------------------------------- */

/* Every run of a block off its list, or, after its set changed, on its list again. */
static void move_runs(struct buddy *buddy, uint64_t block, int change)
{
	uint64_t first = block << buddy->block_shift, end = first + block_pages(buddy, block), i;
	uint64_t n;

	for (i = first; i < end; i += n) {
		n = 1;
		if (!buddy->state[i])
			continue;
		n = (uint64_t)1 << (buddy->state[i] - 1);
		unlink_run(buddy, i, buddy->state[i] - 1u);
		count_add(buddy->isolated[block], change);
		link_run(buddy, i, (unsigned int)__builtin_ctzll(n));
		count_add(buddy->isolated[block], -change);
	}
	count_add(buddy->isolated[block], change);
}

void buddy_isolate(struct buddy *buddy, uint64_t block)
{
	if (buddy->isolated[block])
		count_add(buddy->isolated[block], 1);
	else
		move_runs(buddy, block, 1);
}

void buddy_restore(struct buddy *buddy, uint64_t block)
{
	if (buddy->isolated[block] > 1)
		count_add(buddy->isolated[block], -1);
	else if (buddy->isolated[block])
		move_runs(buddy, block, -1);
}
