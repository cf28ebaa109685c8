/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receive.c - pages that another process gave: those of its messages, and those without one
 *
 * The giver stands beside the holder until the receiver has the page from here. The exchange of
 * that word lets each given page come out of one call, once.
 */
#include "base/handler.h"
#include "zone/share.h"

static bool receive(struct pp_zone *zone, uint64_t i)
{
	uint64_t *holder = &zone->shared->holder[i], word = READ_ONCE(*holder);

	/* acquire: what the giver wrote to the page */
	return holder_process(word) == zone->self && holder_giver(word) &&
	       __atomic_compare_exchange_n(holder, &word, zone->self, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

unsigned int pp_zone_receive_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	unsigned int i, k = 0;
	uint64_t number;

	for (i = 0; zone->shared && i < n; i++) {
		if (page_of_zone(zone, pages[i], &number) && receive(zone, number))
			pages[k++] = pages[i];
	}
	return k;
}

/* The process that gave the page will send no message of it. */
static bool is_unannounced(const struct pp_zone *zone, uint64_t i)
{
	uint64_t word = READ_ONCE(zone->shared->holder[i]);

	return holder_process(word) == zone->self && holder_giver(word) &&
	       !zone_process(zone, holder_giver(word));
}

unsigned int pp_zone_claim_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	unsigned int k = 0;
	uint64_t i;

	not_a_handler();
	zone_bury(zone, 0); /* finds that givers died */
	for (i = 0; zone->shared && i < zone->managed && k < n; i++) {
		if (is_unannounced(zone, i) && receive(zone, i))
			pages[k++] = &zone->pages[i];
	}
	return k;
}
