/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/share.c - the memory of a zone that processes share, and the list of these processes */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/layout.h"
#include "zone/share.h"
#include "zone_layout.h" /* made by base/layout.py */

#define OWN offsetof(struct pp_zone, region)

_Static_assert(sizeof(struct pp_zone) - OWN <= 4096, "a process's own half fits in a page");

uint64_t zone_layout(void)
{
	return ZONE_LAYOUT + (PP_POISON != 0);
}

static size_t round_up(size_t size)
{
	return (size + zone_system_page() - 1) & ~(zone_system_page() - 1);
}

/* ---- the memory ------------------------------------------------------------------------------ */

int zone_share_check(const struct pp_zone_params *p)
{
	const uint32_t not_shared = PP_ZONE_TRACE | PP_ZONE_PER_THREAD | PP_ZONE_SIGNAL_SAFE |
				    PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD | PP_ZONE_HUGE_FALLBACK;

	if (p->mem != PP_MEM_MEMFD)
		return pp_set_error(ENOTSUP, "mem: a zone that processes share is a memfd; take "
					     "PP_MEM_MEMFD");
	if (p->flags & not_shared)
		return pp_set_error(ENOTSUP,
				    "flags: 0x%x does not go with PP_ZONE_SHARED: tracing, caches "
				    "for threads, signal handlers and lazy memory are for one "
				    "process",
				    p->flags & not_shared);
	if (p->idle_ms)
		return pp_set_error(ENOTSUP,
				    "idle_ms: a zone that processes share keeps its memory");
	if (p->ops)
		return pp_set_error(ENOTSUP, "ops: only one process would be told of the memory of "
					     "a zone that processes share");
	return 0;
}

int zone_alone(const struct pp_zone *zone, const char *what)
{
	if (likely(!zone->shared))
		return 0;
	return pp_set_error(ENOTSUP, "zone %s: %s: not for a zone that processes share",
			    zone->stock->name, what);
}

/* Where things are, as offsets into the file; the pages of the zone begin it. */
struct places {
	size_t own; /* a page-aligned gap, over which each process has a page of its own */
	size_t share;
	size_t pcps;
	size_t area;
	size_t pages;
	size_t holder;
	size_t trailer;
};

static void find_places(struct places *at, const struct pp_zone_params *p, unsigned int cores,
			uint32_t capacity)
{
	at->own = round_up(p->pages * p->page_size) + round_up(OWN);
	at->share = at->own + zone_system_page();
	at->pcps = at->share + round_up(sizeof(struct zone_share));
	at->area = at->pcps + round_up(cores * pcp_stride_of(capacity));
	at->pages = at->area + round_up(p->pages * sizeof(void *));
	at->holder = at->pages + round_up(p->pages * sizeof(struct pp_page));
	at->trailer = at->holder + round_up(p->pages * sizeof(uint64_t));
}

int zone_map_own_half(struct pp_zone *zone)
{
	void *own = mmap(&zone->region, zone_system_page(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (own == MAP_FAILED)
		return pp_set_error(errno, "no memory for a zone: %s", strerror(errno));
	zone->region.fd = -1;
	return 0;
}

static void set_places(struct pp_zone *zone, unsigned char *base, const struct places *at)
{
	zone->shared = (struct zone_share *)(base + at->share);
	zone->shared->holder = (uint64_t *)(base + at->holder);
	zone->shared->size = at->trailer + zone_system_page();
	zone->stock->pcps = (struct pcp *)(base + at->pcps);
	zone->stock->area.obj = (void **)(base + at->area);
	zone->pages = zone->stock->pages = (struct pp_page *)(base + at->pages);
}

struct pp_zone *zone_share_map(const struct pp_zone_params *p, unsigned int cores,
			       uint32_t capacity)
{
	struct region region;
	struct zone_trailer *trailer;
	struct pp_zone *zone;
	struct places at;

	find_places(&at, p, cores, capacity);
	if (region_map_shared(&region, p, at.trailer + zone_system_page()))
		return NULL;
	zone = (struct pp_zone *)(region.base + at.own - OWN);
	if (zone_map_own_half(zone)) {
		region_unmap_shared(&region, at.trailer + zone_system_page());
		return NULL;
	}
	zone->region = region;
	set_places(zone, region.base, &at);
	zone->stock->area.capacity = p->pages;
	zone->shared->region = region;
	zone->shared->flags = p->flags;
	trailer = (struct zone_trailer *)(region.base + at.trailer);
	*trailer = (struct zone_trailer){ 0, zone_layout(), region.base,
					  at.trailer + zone_system_page(), zone };
	return zone;
}

static struct zone_trailer *trailer_of(const struct pp_zone *zone)
{
	return (struct zone_trailer *)(zone->region.base + zone->shared->size - zone_system_page());
}

void zone_share_unmap(struct pp_zone *zone)
{
	struct region region = zone->region;

	region_unmap_shared(&region, zone->shared->size);
}

/* ---- the list of processes ------------------------------------------------------------------- */

static void set_number(struct pp_zone *zone, unsigned int place)
{
	struct zone_share *shared = zone->shared;
	struct zone_process *entry = &shared->process[place];
	uint32_t times;

	do
		times = __atomic_add_fetch(&shared->last_number, 1, __ATOMIC_RELAXED);
	while (!(times << PLACE_BITS));
	zone->self = times << PLACE_BITS | place;
	store_release(&entry->number, zone->self);
}

static bool list_process(struct pp_zone *zone)
{
	process_id none, self = process_self();
	unsigned int i;

	for (i = 0; i < SHARE_PROCESSES; i++) {
		none = 0;
		if (!__atomic_compare_exchange_n(&zone->shared->process[i].id, &none, self, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		zone->process = self;
		set_number(zone, i);
		return true;
	}
	return false;
}

int zone_share_begin(struct pp_zone *zone)
{
	int err = share_attach(zone->stock);

	if (err)
		return err;
	if (list_process(zone)) {
		/* the zone is whole, for read_trailer() */
		store_release(&trailer_of(zone)->magic, SHARE_MAGIC);
		return 0;
	}
	share_detach(zone->stock);
	return pp_set_error(ENOSPC, "zone %s: %u processes are attached, which is all there may be",
			    zone->stock->name, SHARE_PROCESSES);
}

struct zone_process *zone_process(const struct pp_zone *zone, uint32_t number)
{
	struct zone_process *entry = &zone->shared->process[number % SHARE_PROCESSES];
	/* first: pairs with the release in zone_forget(), before which the number is gone */
	uint32_t dead = __atomic_load_n(&entry->dead, __ATOMIC_SEQ_CST);

	return number && !dead && load_acquire(&entry->number) == number ? entry : NULL;
}

uint32_t pp_zone_self(const struct pp_zone *zone)
{
	return zone->self;
}

unsigned int pp_zone_processes(const struct pp_zone *zone)
{
	unsigned int n = 0, i;

	if (!zone->shared)
		return 1;
	for (i = 0; i < SHARE_PROCESSES; i++)
		n += READ_ONCE(zone->shared->process[i].number) != 0;
	return n;
}

static uint32_t holder_of(const struct pp_zone *zone, uint64_t page)
{
	uint64_t word = READ_ONCE(zone->shared->holder[page]);

	return word == HOLDER_SUSPECT ? 0 : holder_process(word);
}

uint32_t pp_zone_holder(const struct pp_zone *zone, const struct pp_page *page)
{
	return zone->shared ? holder_of(zone, page_number(zone, page)) : 0;
}

uint64_t pp_zone_held(const struct pp_zone *zone, uint32_t process)
{
	uint64_t n = 0, i;

	for (i = 0; zone->shared && i < zone->managed; i++)
		n += holder_of(zone, i) == process;
	return n;
}
