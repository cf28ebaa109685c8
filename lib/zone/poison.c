/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poison.c - what poison.h says, in builds that have it
 *
 * AddressSanitizer is found at run time: its functions are weak here, so that a debug library
 * serves programs with and without it.
 */
#include <stdio.h>

#include <memory_checker.h>

#include "zone/zone.h"
#include "zone/poison.h"

#define __weak_symbol __attribute__((__weak__))

void __asan_poison_memory_region(const void *addr, size_t size) __weak_symbol;
void __asan_unpoison_memory_region(const void *addr, size_t size) __weak_symbol;
void __asan_set_error_report_callback(void (*report)(const char *text)) __weak_symbol;
void *__asan_get_report_address(void) __weak_symbol;

__thread const void *put_site;

static void poison(const void *addr, size_t len)
{
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(addr, len);
	checker_no_access(addr, len);
}

static void unpoison(const void *addr, size_t len)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(addr, len);
	checker_access(addr, len); /* as defined: valgrind does not see what the kernel receives */
}

static struct put_place *place_of(const struct pp_page *page)
{
	const struct pp_zone *zone = page->zone;

	return zone && zone->places ? zone->places + (page - zone->pages) : NULL;
}

/* ---- what a report says ---------------------------------------------------------------------- */

const char *put_place_text(const struct pp_page *page, char *buffer, size_t size)
{
	const struct put_place *place = place_of(page);
	char site[256];

	if (place && place->site)
		snprintf(buffer, size, "thread %u gave it back at %s", place->thread,
			 site_text(place->site, site, sizeof(site)));
	else
		snprintf(buffer, size, "it was not handed out since its memory came");
	return buffer;
}

/* AddressSanitizer has printed its report: add what it cannot know. The program is about to end. */
static void add_to_report(const char *text)
{
	uintptr_t addr = (uintptr_t)__asan_get_report_address();
	const struct registered *entry = registered_zones.first;
	const struct pp_zone *zone = NULL;
	const struct pp_page *page = NULL;
	char place[400];

	/* without the lock, which the thread at fault may hold */
	for (; entry && !page; entry = entry->next) {
		zone = container_of(entry, struct pp_zone, registered);
		page = pp_zone_page_at(zone, addr - (uintptr_t)zone->region.base);
	}
	if (!page)
		return;
	fprintf(stderr, "pagepool: %p is byte %llu of page %llu of zone %s: %s\n", (void *)addr,
		(unsigned long long)(addr - (uintptr_t)page->addr),
		(unsigned long long)(page - zone->pages), zone->stock->name,
		place_of(page)->site || page_is_home(page)
			? put_place_text(page, place, sizeof(place))
			: "not of the fragment that was used");
}

/* ---- a zone's life --------------------------------------------------------------------------- */

int poison_init_on(struct pp_zone *zone)
{
	zone->places = map_zeros(zone->managed * sizeof(*zone->places), "the put places");
	if (!zone->places)
		return -ENOMEM;
	if (__asan_set_error_report_callback && __asan_get_report_address)
		__asan_set_error_report_callback(add_to_report);
	return 0;
}

void poison_fini_on(struct pp_zone *zone)
{
	uint64_t i;

	if (!zone->places)
		return;
	unpoison_range_on(zone, 0, zone->managed << zone->shift);
	for (i = 0; checker_runs() && i < zone->managed; i++)
		checker_end_block(&zone->places[i].block);
	unmap_zeros(zone->places, zone->managed * sizeof(*zone->places));
	zone->places = NULL;
}

void poison_range_on(struct pp_zone *zone, uint64_t offset, size_t len)
{
	poison(zone->region.base + offset, len);
}

void unpoison_range_on(struct pp_zone *zone, uint64_t offset, size_t len)
{
	unpoison(zone->region.base + offset, len);
}

/* ---- a page's way ---------------------------------------------------------------------------- */

void poison_pages_on(struct pp_page *const *pages, unsigned int n)
{
	struct put_place *place;
	unsigned int i;

	for (i = 0; i < n; i++) {
		place = place_of(pages[i]);
		if (!place || place->site)
			continue; /* the first put says where it was: this one is on the way on */
		place->site = put_site;
		place->thread = thread_id();
		poison(pages[i]->addr, pp_page_size(pages[i]));
		checker_begin_block(&place->block, pages[i]->addr, pp_page_size(pages[i]));
	}
}

void unpoison_pages_on(struct pp_page *const *pages, unsigned int n)
{
	struct put_place *place;
	unsigned int i;

	for (i = 0; i < n; i++) {
		place = place_of(pages[i]);
		if (!place)
			continue;
		place->site = NULL;
		checker_end_block(&place->block);
		unpoison(pages[i]->addr, pp_page_size(pages[i]));
	}
}

void poison_fragments_on(const struct pp_page *page)
{
	if (place_of(page))
		poison(page->addr, pp_page_size(page));
}

void unpoison_fragment_on(const struct pp_page *page, uint32_t offset, uint32_t len)
{
	if (place_of(page))
		unpoison(page->addr + offset, len);
}
