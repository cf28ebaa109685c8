/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_share.c - parts of pages: the model's word of such a page counts them
 */
#include <string.h>

#include "chaos/chaos.h"

/* the word of a page that a pool gives out in parts: this bit, and how many are out */
#define SHARED (1u << 31)

static struct chaos_pool *a_pool(struct chaos_worker *w)
{
	struct chaos_pool *p = &w->pools[rng_below(&w->rng, CHAOS_POOLS)];

	if (!p->pool || p->order)
		return NULL;
	w->z = p->z;
	if (!p->cut)
		chaos_take(p->z, 1);
	p->cut = true;
	return p;
}

static unsigned char stamp(const struct chaos_part *part)
{
	return (unsigned char)(part->offset / 64 + 1);
}

static void got_part(struct chaos_worker *w, const struct chaos_part *part)
{
	uint32_t *word = &w->z->user[page_index(w->z->zone, part->page)];
	uint32_t was = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	require(part->offset + part->size <= pp_page_size(part->page) && part->size);
	do
		require(!was || was & SHARED);
	while (!__atomic_compare_exchange_n(word, &was, (was | SHARED) + 1, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE));
	memset(part->page->addr + part->offset, stamp(part), part->size);
}

static void lose_part(const struct chaos_part *part)
{
	uint32_t *word = &part->z->user[page_index(part->z->zone, part->page)];
	uint32_t was = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	const unsigned char *at = part->page->addr + part->offset;

	require(at[0] == stamp(part) && at[part->size - 1] == stamp(part));
	do
		require(was & SHARED && was != SHARED);
	while (!__atomic_compare_exchange_n(word, &was, was - 1 == SHARED ? 0 : was - 1, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

static void put_part(struct chaos_worker *w, struct chaos_part *part)
{
	struct page_pool *pool = part->page->pool;
	unsigned int i;
	bool own = false;

	for (i = 0; i < CHAOS_POOLS; i++)
		own |= w->pools[i].pool == pool;
	lose_part(part);
	if (own && rng_below(&w->rng, 4) == 0)
		page_pool_free_va(pool, part->page->addr + part->offset, true);
	else
		page_pool_put_page(pool, part->page, own && rng_below(&w->rng, 2));
	chaos_give(part->z, 1);
}

static void alloc_part(struct chaos_worker *w, struct chaos_pool *p, struct chaos_part *part)
{
	unsigned char *va;

	switch (rng_below(&w->rng, 3)) {
	case 0:
		part->page = page_pool_alloc_frag(p->pool, &part->offset, part->size);
		break;
	case 1:
		part->page = page_pool_alloc(p->pool, &part->offset, &part->size);
		break;
	default:
		va = page_pool_alloc_va(p->pool, &part->size);
		part->page = !va ? NULL
				 : pp_zone_page_at(p->z->zone,
						   (uint64_t)(va - (unsigned char *)pp_zone_base(
									   p->z->zone)));
		part->offset = va ? (unsigned int)(va - part->page->addr) : 0;
	}
}

static void op_part(struct chaos_worker *w)
{
	struct chaos_pool *p = a_pool(w);
	struct chaos_part part = { .z = w->z };

	if (!p || w->nparts == CHAOS_PARTS)
		return;
	part.z = w->z;
	part.size = 1 + rng_below(&w->rng, rng_below(&w->rng, 8) ? 700 : 2048);
	chaos_call(w, 1);
	alloc_part(w, p, &part);
	chaos_answer(w, 1, part.page != NULL, !p->limited);
	if (!part.page)
		return;
	got_part(w, &part);
	w->parts[w->nparts++] = part;
}

static void op_put_part(struct chaos_worker *w)
{
	struct chaos_part part;
	unsigned int i;

	if (!w->nparts)
		return;
	i = rng_below(&w->rng, w->nparts);
	part = w->parts[i];
	w->parts[i] = w->parts[--w->nparts];
	put_part(w, &part);
}

void chaos_parts_end(struct chaos_worker *w)
{
	while (w->nparts)
		put_part(w, &w->parts[--w->nparts]);
}

const struct chaos_op chaos_share_ops[] = {
	{ "page_pool_alloc_frag", op_part, 40 },
	{ "page_pool_put_page of a part", op_put_part, 40 },
	{ NULL, NULL, 0 },
};
