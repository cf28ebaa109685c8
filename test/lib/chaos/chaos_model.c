/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_model.c - each page has one user at most, and a bound of the pages that are not free
 */
#include <string.h>

#include "chaos/chaos.h"

#define PAGE 2048u

struct chaos_zone chaos_zones[CHAOS_ZONES];
unsigned int chaos_nzones;
struct chaos_worker chaos_workers[CHAOS_THREADS];

void chaos_take(struct chaos_zone *z, int64_t pages)
{
	int64_t now = __atomic_add_fetch(&z->taken, pages, __ATOMIC_SEQ_CST), most;
	unsigned int i;

	for (i = 0; i < CHAOS_THREADS; i++) {
		most = __atomic_load_n(&z->most[i], __ATOMIC_SEQ_CST);
		while (most >= 0 && most < now &&
		       !__atomic_compare_exchange_n(&z->most[i], &most, now, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}

void chaos_give(struct chaos_zone *z, int64_t pages)
{
	__atomic_sub_fetch(&z->taken, pages, __ATOMIC_SEQ_CST);
}

void chaos_call(struct chaos_worker *w, int64_t pages)
{
	/* seen by the others before our own pages are in the bound; pairs with chaos_take() */
	__atomic_store_n(&w->z->most[w->id], 0, __ATOMIC_SEQ_CST);
	chaos_take(w->z, pages);
}

void chaos_answer(struct chaos_worker *w, int64_t pages, int64_t got, bool judged)
{
	struct chaos_zone *z = w->z;
	int64_t most = __atomic_exchange_n(&z->most[w->id], -1, __ATOMIC_SEQ_CST);

	chaos_give(z, pages - got);
	if (got == pages)
		return;
	__atomic_fetch_add(&z->short_answers, 1, __ATOMIC_RELAXED);
	if (!judged || !z->judged || most > (int64_t)z->size)
		return;
	if (!__atomic_fetch_add(&z->broken, 1, __ATOMIC_RELAXED))
		fprintf(stderr,
			"chaos: %s: %s: %lld of %lld pages, at most %lld of %llu taken meanwhile\n",
			z->label, w->doing, (long long)got, (long long)pages,
			(long long)(most - pages + got), (unsigned long long)z->size);
}

static void bad_page(const struct chaos_zone *z, uint64_t i, uint32_t was, uint32_t user)
{
	fprintf(stderr, "chaos: %s: page %llu has user %u, and not %s (now %u)\n", z->label,
		(unsigned long long)i, was, user ? "none" : "any", user);
	require(!"a page has one user");
}

void chaos_got(struct chaos_zone *z, struct pp_page *page, unsigned int order, uint32_t user)
{
	uint64_t first = page_index(z->zone, page), i;
	uint32_t was;

	require(first + (1u << order) <= pp_zone_pages(z->zone) && first % (1u << order) == 0);
	for (i = first; i < first + (1u << order); i++) {
		was = __atomic_exchange_n(&z->user[i], user, __ATOMIC_ACQ_REL);
		if (was)
			bad_page(z, i, was, user);
	}
	require(__atomic_load_n(&page->refs, __ATOMIC_RELAXED) == 1);
	require(__atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) == 1);
	require(page->zone == z->zone && page->owner == 0);
	require(pp_page_size(page) == PAGE << order);
	memcpy(page->addr, &first, sizeof(first));
	memcpy(page->addr + (PAGE << order) - sizeof(first), &first, sizeof(first));
}

void chaos_lose(struct chaos_zone *z, struct pp_page *page, unsigned int order)
{
	uint64_t first = page_index(z->zone, page), i, head, tail;

	memcpy(&head, page->addr, sizeof(head));
	memcpy(&tail, page->addr + (PAGE << order) - sizeof(tail), sizeof(tail));
	require(head == first && tail == first);
	for (i = first; i < first + (1u << order); i++)
		if (!__atomic_exchange_n(&z->user[i], 0, __ATOMIC_ACQ_REL))
			bad_page(z, i, 0, 0);
}

void chaos_keep(struct chaos_worker *w, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		chaos_got(w->z, pages[i], 0, w->id + 1);
		w->hold->pages[w->hold->n++] = pages[i];
	}
}

unsigned int chaos_room(const struct chaos_worker *w)
{
	return CHAOS_HELD - w->hold->n;
}

unsigned int chaos_some(struct chaos_worker *w, unsigned int most)
{
	unsigned int n = w->hold->n < most ? w->hold->n : most;

	return n ? 1 + rng_below(&w->rng, n) : 0;
}

struct chaos_zone *chaos_zone_of(const struct pp_page *page)
{
	unsigned int i;

	for (i = 0; i < chaos_nzones; i++)
		if (chaos_zones[i].zone == page->zone)
			return &chaos_zones[i];
	require(!"a page of none of our zones");
	return NULL;
}

uint64_t chaos_out(const struct chaos_zone *z)
{
	uint64_t out = 0, i;

	for (i = 0; i < z->size; i++)
		out += __atomic_load_n(&z->user[i], __ATOMIC_RELAXED) != 0;
	return out;
}
