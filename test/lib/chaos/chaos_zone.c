/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_zone.c - operations of zone.h, zone_set.h and page.h that take pages and give them back
 */
#include "chaos/chaos.h"

/* How many to ask for: often one, sometimes many; 0: no room. */
static unsigned int wanted(struct chaos_worker *w)
{
	static const unsigned int most[] = { 1, 1, 4, 16, 16, 64, 128 };
	unsigned int n = most[rng_below(&w->rng, ARRAY_LEN(most))];

	n = n < chaos_room(w) ? n : chaos_room(w);
	return n ? 1 + rng_below(&w->rng, n) : 0;
}

static unsigned int alloc_bulk(struct chaos_worker *w, struct pp_page **pages, unsigned int n)
{
	if (!w->z->set || rng_below(&w->rng, 4) == 0)
		return pp_zone_alloc_bulk(w->z->zone, pages, n);
	if (rng_below(&w->rng, 2))
		return pp_zone_set_alloc_bulk(w->z->set, pages, n);
	return pp_zone_set_alloc_bulk_node(w->z->set, rng_below(&w->rng, 2) ? PP_NODE_ANY : 0,
					   pages, n);
}

static void op_alloc(struct chaos_worker *w)
{
	struct pp_page *pages[CHAOS_HELD];
	unsigned int n = wanted(w), k;

	if (!n)
		return;
	chaos_call(w, n);
	k = alloc_bulk(w, pages, n);
	require(k <= n);
	chaos_answer(w, n, k, true);
	chaos_keep(w, pages, k);
}

/* an array with holes, between pages that we have */
static void op_alloc_fill(struct chaos_worker *w)
{
	struct pp_page *pages[CHAOS_HELD] = { NULL }, *new[CHAOS_HELD], *own;
	unsigned int n = wanted(w), holes = 0, k = 0, leading, i;

	own = w->hold->n ? w->hold->pages[0] : NULL;
	for (i = 0; i < n; i++) {
		if (own && rng_below(&w->rng, 3) == 0)
			pages[i] = own;
		holes += !pages[i];
	}
	if (!n)
		return;
	chaos_call(w, holes);
	leading = pp_zone_alloc_bulk_fill(w->z->zone, pages, n);
	for (i = 0; i < n; i++) {
		require(i >= leading || pages[i]);
		require(i != leading || !pages[i]);
		if (pages[i] && pages[i] != own)
			new[k++] = pages[i];
	}
	require(k <= holes);
	chaos_answer(w, holes, k, true);
	chaos_keep(w, new, k);
}

static void op_alloc_list(struct chaos_worker *w)
{
	struct pp_page *pages[CHAOS_HELD];
	struct pp_list list = PP_LIST_INIT;
	unsigned int n = wanted(w), k = 0;
	size_t got;

	chaos_call(w, n);
	got = pp_zone_alloc_bulk_list(w->z->zone, n, &list);
	require(got == list.n && got <= n);
	while (k < got)
		pages[k++] = pp_list_pop(&list);
	require(!list.head);
	chaos_answer(w, n, k, true);
	chaos_keep(w, pages, k);
}

/* up to @n pages that are in no pool leave what we have; lost already */
static unsigned int plain(struct chaos_worker *w, struct pp_page **pages, unsigned int n)
{
	struct chaos_hold *h = w->hold;
	unsigned int k = 0, i = h->n;

	while (i-- && k < n) {
		if (h->pages[i]->pool)
			continue;
		pages[k++] = h->pages[i];
		chaos_lose(w->z, h->pages[i], 0);
		h->pages[i] = h->pages[--h->n];
	}
	return k;
}

static void op_free(struct chaos_worker *w)
{
	struct pp_page *pages[CHAOS_HELD];
	unsigned int n = plain(w, pages, chaos_some(w, CHAOS_HELD));

	if (w->z->set && rng_below(&w->rng, 2))
		pp_zone_set_free_bulk(w->z->set, pages, n);
	else
		pp_zone_free_bulk(w->z->zone, pages, n);
	chaos_give(w->z, n);
}

static void op_free_list(struct chaos_worker *w)
{
	struct pp_page *pages[CHAOS_HELD];
	struct pp_list list = PP_LIST_INIT;
	unsigned int n = plain(w, pages, chaos_some(w, CHAOS_HELD)), i;

	for (i = 0; i < n; i++)
		pp_list_add_tail(&list, pages[i]);
	pp_zone_free_bulk_list(w->z->zone, &list);
	require(!list.head && !list.n);
	chaos_give(w->z, n);
}

/* with a second reference, of which the last one gives it back */
static void op_page_put(struct chaos_worker *w)
{
	struct pp_page *page;

	if (!plain(w, &page, chaos_some(w, 1)))
		return;
	if (rng_below(&w->rng, 2)) {
		pp_page_get(page);
		pp_page_put(page);
	}
	pp_page_put(page);
	chaos_give(w->z, 1);
}

/* pages of pools and of none, of this zone and of another */
static void op_put_bulk(struct chaos_worker *w)
{
	struct chaos_hold *other = &w->holds[rng_below(&w->rng, chaos_nzones)];
	struct chaos_zone *oz = &chaos_zones[other - w->holds];
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int n = chaos_some(w, CHAOS_HELD), k = 0, i;

	for (i = 0; i < n; i++) {
		pages[k] = w->hold->pages[--w->hold->n];
		chaos_lose(w->z, pages[k++], 0);
	}
	for (i = 0; other != w->hold && i < 32 && other->n; i++) {
		pages[k] = other->pages[--other->n];
		chaos_lose(oz, pages[k++], 0);
	}
	page_pool_put_bulk(pages, k);
	chaos_give(w->z, n);
	chaos_give(oz, k - n);
}

static void op_put_each(struct chaos_worker *w)
{
	unsigned int n = chaos_some(w, 32);

	while (n--)
		chaos_put(w, w->hold->pages[--w->hold->n]);
}

/* swap a page for one that another thread left */
static void op_swap(struct chaos_worker *w)
{
	struct pp_page *page = w->hold->n ? w->hold->pages[--w->hold->n] : NULL;
	unsigned int i = rng_below(&w->rng, CHAOS_SLOTS);

	page = __atomic_exchange_n(&w->z->slots[i], page, __ATOMIC_ACQ_REL);
	if (page)
		w->hold->pages[w->hold->n++] = page;
}

static void op_alloc_order(struct chaos_worker *w)
{
	struct chaos_hold *h = w->hold;
	unsigned int order = 1 + rng_below(&w->rng, 3), n = CHAOS_RUNS - h->nruns, k, i;

	if (!n)
		return;
	n = 1 + rng_below(&w->rng, n);
	chaos_call(w, n << order);
	/* that free pages lie beside each other is no promise */
	k = pp_zone_alloc_order_bulk(w->z->zone, order, h->runs + h->nruns, n);
	require(k <= n);
	chaos_answer(w, n << order, k << order, false);
	for (i = 0; i < k; i++) {
		chaos_got(w->z, h->runs[h->nruns], order, w->id + 1);
		require(pp_page_order(h->runs[h->nruns]) == order);
		h->nruns++;
	}
}

static void op_free_order(struct chaos_worker *w)
{
	struct pp_page *pages[CHAOS_RUNS + 8], *page;
	struct chaos_hold *h = w->hold;
	unsigned int k = 0, pulled = plain(w, pages, chaos_some(w, 8));
	int64_t n = pulled;

	k = pulled;
	while (h->nruns) {
		page = h->runs[--h->nruns];
		if (page->pool || rng_below(&w->rng, 4) == 0) {
			chaos_put(w, page);
			continue;
		}
		n += 1 << pp_page_order(page);
		chaos_lose(w->z, page, pp_page_order(page));
		pages[k++] = page;
	}
	pp_zone_free_order_bulk(w->z->zone, pages, k);
	chaos_give(w->z, n);
}

const struct chaos_op chaos_zone_ops[] = {
	{ "pp_zone_alloc_bulk", op_alloc, 300 },
	{ "pp_zone_alloc_bulk_fill", op_alloc_fill, 40 },
	{ "pp_zone_alloc_bulk_list", op_alloc_list, 40 },
	{ "pp_zone_free_bulk", op_free, 60 },
	{ "pp_zone_free_bulk_list", op_free_list, 30 },
	{ "pp_page_put", op_page_put, 60 },
	{ "page_pool_put_bulk", op_put_bulk, 50 },
	{ "page_pool_put_page", op_put_each, 60 },
	{ "a swap", op_swap, 80 },
	{ "pp_zone_alloc_order_bulk", op_alloc_order, 20 },
	{ "pp_zone_free_order_bulk", op_free_order, 30 },
	{ NULL, NULL, 0 },
};
