/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receive.c - pages that another process gave: those of its messages, and those without one
 *
 * The giver stands beside the holder until the receiver has the page from here. The exchange of
 * that word lets each given page come out of one call, once.
 */
#include "base/handler.h"
#include "zone/share.h"

/* @word: of the page's holder, as it was looked at: the page may be with another giver by now. */
static bool receive(struct pp_zone *zone, uint64_t i, uint64_t word)
{
	/* acquire: what the giver wrote to the page */
	return __atomic_compare_exchange_n(&zone->shared->holder[i], &word, zone->self, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Given to this process, which has not received it. */
static bool is_given(const struct pp_zone *zone, uint64_t word)
{
	return holder_process(word) == zone->self && holder_giver(word);
}

unsigned int pp_zone_receive_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	uint64_t number, word;
	unsigned int i, k = 0;

	for (i = 0; zone->shared && i < n; i++) {
		if (!page_of_zone(zone, pages[i], &number))
			continue;
		word = READ_ONCE(zone->shared->holder[number]);
		if (is_given(zone, word) && receive(zone, number, word))
			pages[k++] = pages[i];
	}
	return k;
}

unsigned int pp_zone_claim_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	unsigned int k = 0;
	uint64_t i, word;

	not_a_handler();
	zone_bury(zone, 0); /* finds that givers died */
	for (i = 0; zone->shared && i < zone->managed && k < n; i++) {
		word = READ_ONCE(zone->shared->holder[i]);
		/* a giver that is not attached sends no message; its number does not come again */
		if (is_given(zone, word) && !zone_process(zone, holder_giver(word)) &&
		    receive(zone, i, word))
			pages[k++] = &zone->pages[i];
	}
	return k;
}
