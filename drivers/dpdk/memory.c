/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/memory.c - the zones' memory as EAL knows it, and their mbufs
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_memory.h>

#include <pagepool/memory.h>

#include "dpdk/priv.h"

/**
 * struct known_zone - a zone with its memory registered in EAL
 * @slots: an mbuf for each page, see priv.h
 * @users: ports
 */
struct known_zone {
	struct known_zone *next;
	struct pp_zone *zone;
	void *slots;
	unsigned int users;
};

static struct known_zone *zones;

size_t dpdk_zone_span(struct pp_zone *zone)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = pp_zone_pages(zone) * pp_zone_page_size(zone);

	return (size + page - 1) & ~(page - 1);
}

static size_t slots_size(struct pp_zone *zone)
{
	return pp_zone_pages(zone) << DPDK_SLOT_SHIFT;
}

/* all zeroes; the system gives memory when a device first has the page of a slot */
static void *slots_map(struct pp_zone *zone)
{
	void *slots = mmap(NULL, slots_size(zone), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (slots == MAP_FAILED) {
		pp_set_error(ENOMEM, "dpdk: no memory for the mbufs of %llu pages",
			     (unsigned long long)pp_zone_pages(zone));
		return NULL;
	}
	madvise(slots, slots_size(zone), MADV_HUGEPAGE);
	return slots;
}

/* devices use the zone's addresses: no block may be accepted or given back meanwhile */
static int zone_register(struct pp_zone *zone)
{
	int err = pp_zone_pin(zone);

	if (err)
		return err;
	if (!rte_extmem_register(pp_zone_base(zone), dpdk_zone_span(zone), NULL, 0,
				 (size_t)sysconf(_SC_PAGESIZE)))
		return 0;
	err = rte_errno;
	pp_zone_unpin(zone);
	return pp_set_error(err, "dpdk: EAL does not take the zone's memory: %s",
			    *dpdk_said() ? dpdk_said() : rte_strerror(err));
}

void *dpdk_zone_get(struct pp_zone *zone)
{
	struct known_zone *known;

	for (known = zones; known; known = known->next) {
		if (known->zone == zone) {
			known->users++;
			return known->slots;
		}
	}
	known = calloc(1, sizeof(*known));
	if (!known) {
		pp_set_error(ENOMEM, "dpdk: no memory for a zone");
		return NULL;
	}
	known->slots = slots_map(zone);
	if (!known->slots)
		goto free_known;
	if (zone_register(zone))
		goto unmap;
	known->zone = zone;
	known->users = 1;
	known->next = zones;
	zones = known;
	return known->slots;
unmap:
	munmap(known->slots, slots_size(zone));
free_known:
	free(known);
	return NULL;
}

void dpdk_zone_put(struct pp_zone *zone)
{
	struct known_zone **at = &zones, *known;

	while ((*at)->zone != zone)
		at = &(*at)->next;
	known = *at;
	if (--known->users)
		return;
	rte_extmem_unregister(pp_zone_base(zone), dpdk_zone_span(zone));
	pp_zone_unpin(zone);
	munmap(known->slots, slots_size(zone));
	*at = known->next;
	free(known);
}
