/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_signal.c - a handler that allocates and frees wherever a timer meets its thread
 */
#include <errno.h>
#include <string.h>

#include "chaos/chaos.h"
#include "interrupts.h"

#define MOST   16u
#define MARKED 1000u /* users that are handlers: this and the worker's number */

static __thread struct chaos_worker *self;

static struct chaos_zone *safe_zone(struct chaos_worker *w)
{
	struct chaos_zone *z;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		z = &chaos_zones[rng_below(&w->handler_rng, chaos_nzones)];
		if (z->flags & PP_ZONE_SIGNAL_SAFE)
			return z;
	}
	return NULL;
}

static void give_back(struct chaos_zone *z, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		chaos_lose(z, pages[i], 0);
	pp_zone_free_bulk(z->zone, pages, n);
	chaos_give(z, n);
}

static unsigned int take(struct chaos_worker *w, struct chaos_zone *z, struct pp_page **pages)
{
	unsigned int n = 1 + rng_below(&w->handler_rng, MOST), k = 0, i;
	struct pp_list list = PP_LIST_INIT;

	chaos_take(z, n);
	if (rng_below(&w->handler_rng, 4)) {
		k = pp_zone_alloc_bulk(z->zone, pages, n);
	} else {
		pp_zone_alloc_bulk_list(z->zone, n, &list);
		while (list.n && k < n)
			pages[k++] = pp_list_pop(&list);
	}
	require(k <= n && !list.n);
	chaos_give(z, n - k);
	for (i = 0; i < k; i++)
		chaos_got(z, pages[i], 0, MARKED + w->id);
	return k;
}

/* the last handler's go back, and some of the new ones are kept for the next */
static void use(struct chaos_worker *w, struct chaos_zone *z)
{
	struct pp_page *pages[MOST];
	unsigned int n = take(w, z, pages);

	while (w->nkept) {
		w->nkept--;
		give_back(w->kept_of[w->nkept], &w->kept[w->nkept], 1);
	}
	while (n && w->nkept < CHAOS_KEPT && rng_below(&w->handler_rng, 2)) {
		w->kept_of[w->nkept] = z;
		w->kept[w->nkept++] = pages[--n];
	}
	give_back(z, pages, n);
}

static void handler(void)
{
	struct chaos_worker *w = self;
	struct chaos_zone *z;
	char text[64];

	z = w ? safe_zone(w) : NULL;
	if (z) {
		memccpy(text, pp_error(), 0, sizeof(text));
		errno = EXDEV; /* nothing of ours fails so */
		use(w, z);
		w->errnos += errno != EXDEV || strncmp(text, pp_error(), sizeof(text));
		w->handlers++;
	}
}

void chaos_signals_init(void)
{
	interrupts_init(handler);
}

void chaos_timer_start(struct chaos_worker *w, unsigned int hz)
{
	self = w;
	if (hz)
		interrupts_start(hz);
	else
		interrupts_unblock();
}

void chaos_timer_stop(void)
{
	interrupts_stop();
	self = NULL;
}

void chaos_kept_put(struct chaos_worker *w)
{
	while (w->nkept) {
		w->nkept--;
		give_back(w->kept_of[w->nkept], &w->kept[w->nkept], 1);
	}
}
