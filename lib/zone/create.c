/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/create.c - a zone's beginning and end */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/node.h"
#include "zone/home.h"
#include "zone/share.h"

#define PAGE_SIZE_MIN 2048u
#define PAGE_SIZE_MAX 65536u
#define ZONE_FLAGS                                                                      \
	(PP_ZONE_HUGE_FALLBACK | PP_ZONE_TRACE | PP_ZONE_NO_PREP | PP_ZONE_PER_THREAD | \
	 PP_ZONE_SIGNAL_SAFE | PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD | PP_ZONE_LOCK |    \
	 PP_ZONE_SHARED)

/* ---- creation -------------------------------------------------------------------------------- */

/* rseq needs no atomic and falls back to the zone least; trylock runs everywhere */
static int find_policy(const char *name, uint32_t flags)
{
	int i;

	if (name && !strcmp(name, "auto"))
		name = flags & PP_ZONE_PER_THREAD || pp_policy_check("rseq") ? NULL : "rseq";
	i = stock_find_policy(name, flags & PP_ZONE_SIGNAL_SAFE ? PCP_SIGNAL_SAFE
				    : flags & PP_ZONE_SHARED	? PCP_SHAREABLE
								: 0);
	if (i >= 0 && (flags & PP_ZONE_PER_THREAD) && (pcp_policies[i]->flags & PCP_CORE_ONLY))
		return pp_set_error(ENOTSUP, "policy: %s has caches for cores, not for threads",
				    pcp_policies[i]->name);
	return i;
}

/*
 * Cores may keep a quarter of the zone, which drains give back anyhow; more would
 * make them frequent in a small zone. The kernel's batch is 63 at most, for the
 * sake of interrupt latency; moving 128 halves what a page costs across cores, and 512 halves it
 * again. Returns what a streak of moves may take: a batch that the caller chose does not grow.
 */
static uint32_t set_defaults(struct pp_zone_params *p, unsigned int cores)
{
	uint32_t batch_max = p->batch;

	if (!p->page_size)
		p->page_size = 4096;
	if (!p->high) {
		p->high = (uint32_t)min(p->pages / (4 * cores), (uint64_t)512);
		p->high = max(p->high, 4u);
		p->high = max(p->high, min(p->batch, PP_BULK_MAX));
	}
	if (!p->batch) {
		p->batch = min(max(p->high / 4, 1u), 128u);
		batch_max = max(min(p->high, PP_BULK_MAX), p->batch);
	}
	if (!p->high_max)
		p->high_max = p->high;
	if (!p->drain_us)
		p->drain_us = 20000;
	if (!p->name)
		p->name = "zone";
	return batch_max;
}

static int check_params(const struct pp_zone_params *p)
{
	if (p->pages < 1 || p->pages > UINT32_MAX)
		return pp_set_error(EINVAL, "pages: %llu is not in 1 .. 4294967295",
				    (unsigned long long)p->pages);
	if (p->page_size < PAGE_SIZE_MIN || p->page_size > PAGE_SIZE_MAX ||
	    (p->page_size & (p->page_size - 1)))
		return pp_set_error(EINVAL, "page_size: %u is not a power of two in 2048 .. 65536",
				    p->page_size);
	if (p->headroom >= p->page_size)
		return pp_set_error(EINVAL, "headroom: %u is not less than the page size %u",
				    p->headroom, p->page_size);
	if ((unsigned int)p->mem > PP_MEM_USER)
		return pp_set_error(EINVAL, "mem: %u is no kind of memory", (unsigned int)p->mem);
	if (p->flags & ~ZONE_FLAGS)
		return pp_set_error(EINVAL, "flags: 0x%x has unknown bits", p->flags);
	if ((p->flags & PP_ZONE_ACCEPT_THREAD) && !(p->flags & PP_ZONE_LAZY))
		return pp_set_error(EINVAL,
				    "flags: PP_ZONE_ACCEPT_THREAD is for PP_ZONE_LAZY zones");
	if ((p->flags & PP_ZONE_SIGNAL_SAFE) && (p->flags & PP_ZONE_LAZY) &&
	    !(p->flags & PP_ZONE_ACCEPT_THREAD))
		return pp_set_error(EINVAL, "flags: a lazy zone that signal handlers use needs "
					    "PP_ZONE_ACCEPT_THREAD");
	if ((p->flags & PP_ZONE_SHARED) && zone_share_check(p))
		return -errno;
	return stock_check_cache(p->high, p->high_max, p->batch);
}

static void fill_area(struct pp_zone *zone)
{
	uint64_t i;

	init_pages(zone, 0, zone->managed);
	for (i = 0; i < zone->managed; i++)
		zone->stock->area.obj[zone->managed - 1 - i] =
			&zone->pages[i]; /* lowest address on top */
	zone->stock->area.count = zone->managed;
}

static int alloc_page_table(struct pp_zone *zone)
{
	size_t size = zone->managed * sizeof(struct pp_page);

	if (stock_policy(zone->stock)->flags & PCP_LINKS) {
		zone->stock->links = calloc(zone->managed, sizeof(*zone->stock->links));
		if (!zone->stock->links)
			return pp_set_error(ENOMEM, "no memory for the links of llist");
	}
	zone->pages = zone->stock->pages = map_zeros(size, "the metadata of pages");
	if (!zone->pages)
		return -ENOMEM;
	if (zone->region.node >= 0)
		topology->settle(zone->pages, size, zone->region.node);
	return 0;
}

/* Of a zone that processes share: all is there, and all zero. */
static int make_memory(struct pp_zone *zone, const struct pp_zone_params *p,
		       const struct pcp_config *config)
{
	int err;

	zone->stock->stride = pcp_stride_of(config->capacity);
	if (zone->shared) {
		pcp_init(zone->stock->pcps, zone->stock->cores, config, zone->stock);
		share_init(zone->stock, &zone->shared->share);
		return 0;
	}
	err = region_map(&zone->region, p);
	if (!err)
		err = alloc_page_table(zone);
	if (!err)
		err = free_area_init(&zone->stock->area, zone->managed);
	if (err)
		return err;
	zone->stock->pcps = pcp_create(zone->stock->cores, config, zone->stock);
	return zone->stock->pcps ? 0 : -ENOMEM;
}

static int make_buddy(struct pp_zone *zone)
{
	int err = buddy_init(&zone->buddy, zone->pages, zone->managed,
			     (uint32_t)(BLOCK_SIZE >> zone->shift));

	zone->buddy.home = zone->prep;
	if (zone->shared) /* each process has an empty one */
		zone->buddy.max_order = 0;
	return err;
}

int zone_make_own_half(struct pp_zone *zone)
{
	const struct pp_zone_params p = { .low = 1 };
	int err = make_buddy(zone);

	return err ? err : blocks_init(zone, &p);
}

/* Calls that need no step before or after the cache's jump to the policy. */
static void set_ops(struct pp_zone *zone, unsigned int ops)
{
	struct stock *stock = zone->stock;
	bool jump = !ops && !stock->watched && !PP_DEBUG && !PP_POISON;

	WRITE_ONCE(stock->ops, (uint8_t)ops);
	WRITE_ONCE(stock->jump_give, jump);
	WRITE_ONCE(stock->jump_take, jump && !zone->prep);
}

static int zone_init(struct pp_zone *zone, const struct pp_zone_params *p)
{
	const struct pcp_config config = {
		.high_min = p->high,
		.high_max = stock_policy(zone->stock)->flags & PCP_CORE_ONLY ? p->high
									     : p->high_max,
		.capacity = p->high_max,
		.batch = p->batch,
		.traced = p->flags & PP_ZONE_TRACE,
	};
	int err;

	zone->stock->traced = config.traced;
	zone->stock->batch = p->batch;
	zone->fresh.data_off = (uint16_t)p->headroom;
	zone->headroom = p->headroom;
	zone->prep = !(p->flags & PP_ZONE_NO_PREP);
	set_ops(zone, config.traced);
	zone->shift = (uint8_t)__builtin_ctz(p->page_size);
	zone->stock->drain_us = p->drain_us;
	zone->managed = p->pages;
	snprintf(zone->stock->name, sizeof(zone->stock->name), "%s", p->name);

	err = make_memory(zone, p, &config);
	if (!err)
		err = make_buddy(zone);
	if (!err && !zone->shared)
		err = poison_init(zone); /* other processes may write what this one freed */
	if (err)
		return err;
	if (!(p->flags & PP_ZONE_LAZY))
		fill_area(zone);
	err = blocks_init(zone, p);
	if (!err && !zone->shared && !(p->flags & PP_ZONE_LAZY))
		poison_range(zone, 0, zone->managed << zone->shift);
	return err;
}

/* Copes with a zone that is built in part. */
void zone_free(struct pp_zone *zone)
{
	struct stock *stock;
	unsigned int k;
	int err = errno;

	blocks_fini(zone);
	if (zone->shared) {
		buddy_fini(&zone->buddy);
		unmap_zeros(zone->tags, zone->tags_size);
		zone_share_unmap(zone);
		errno = err;
		return;
	}
	for (k = 0; k < CACHED_ORDERS; k++) {
		stock = &zone->stock[k];
		if (stock->pcps)
			pcp_free(stock->pcps, stock->cores, stock->stride);
		free_area_fini(&stock->area);
	}
	buddy_fini(&zone->buddy);
	free(zone->stock->links);
	unmap_zeros(zone->tags, zone->tags_size);
	unmap_zeros(zone->pages, zone->managed * sizeof(struct pp_page));
	region_unmap(&zone->region);
	free(zone);
	errno = err;
}

int zone_make_tags(struct pp_zone *zone, size_t size)
{
	void *none = NULL, *table;

	if (load_acquire(&zone->tags))
		return 0;
	table = map_zeros(zone->managed * size, "holder tags");
	if (!table)
		return -ENOMEM;
	WRITE_ONCE(zone->tags_size, zone->managed * size);
	/* release: pairs with the acquire of a reader; another thread may have been first */
	if (!__atomic_compare_exchange_n(&zone->tags, &none, table, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		unmap_zeros(table, zone->managed * size);
	return 0;
}

/* Of zones that processes share none: the allocations of the others would fail, too. */
static void arm_zones(bool on)
{
	struct pp_zone *zone = NULL;

	while ((zone = zone_next(zone))) {
		if (!zone->shared)
			set_ops(zone, zone->stock->traced | (on ? OPS_FAULT : 0));
	}
}

static struct pp_zone *zone_alloc(void)
{
	struct pp_zone *zone = aligned_alloc(PP_LINES, sizeof(*zone));

	if (!zone) {
		pp_set_error(ENOMEM, "no memory for a zone");
		return NULL;
	}
	memset(zone, 0, sizeof(*zone));
	zone->region.fd = -1;
	return zone;
}

void zone_register(struct pp_zone *zone)
{
	static uint64_t last_id;

	zone->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	registry_add(&registered_zones, &zone->registered);
	fault_joined(FAULT_ZONE_ALLOC, arm_zones);
}

struct pp_zone *pp_zone_create(const struct pp_zone_params *params)
{
	struct pp_zone_params p;
	struct pp_zone *zone;
	unsigned int cores = (unsigned int)max(sysconf(_SC_NPROCESSORS_CONF), 1l);
	uint32_t batch_max;
	int policy;

	not_a_handler();
	if (params_copy(&p, sizeof(p), params))
		return NULL;
	batch_max = set_defaults(&p, cores);
	policy = find_policy(p.policy, p.flags);
	if (policy < 0 || check_params(&p) || fault_from_env())
		return NULL;
	zone = p.flags & PP_ZONE_SHARED ? zone_share_map(&p, cores, p.high_max) : zone_alloc();
	if (!zone)
		return NULL;
	zone->stock->policy = (uint8_t)policy;
	zone->stock->per_thread = (p.flags & PP_ZONE_PER_THREAD) ||
				  (stock_policy(zone->stock)->flags & PCP_THREAD_ONLY);
	zone->stock->signal_safe = p.flags & PP_ZONE_SIGNAL_SAFE;
	zone->stock->watched = p.flags & (PP_ZONE_SIGNAL_SAFE | PP_ZONE_SHARED);
	zone->stock->cores = zone->stock->per_thread ? PP_SLOTS : cores;
	zone->stock->batch_max = batch_max;
	if (zone_init(zone, &p) || (zone->shared && zone_share_begin(zone))) {
		zone_free(zone);
		return NULL;
	}
	zone_register(zone);
	return zone;
}

int zone_busy(struct pp_zone *zone, uint64_t in_flight)
{
	char pools[180];

	clients_name(&zone->clients, pools, sizeof(pools));
	return pp_set_error(EBUSY, "zone %s: %llu pages are still out%s%s", zone->stock->name,
			    (unsigned long long)in_flight, *pools ? ": " : "", pools);
}

int pp_zone_destroy(struct pp_zone *zone)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	if (!zone)
		return 0;
	if (zone->shared)
		s.in_flight = zone_share_end(zone);
	else
		pp_zone_get_stats(zone, &s);
	if (s.in_flight)
		return zone_busy(zone, s.in_flight);
	registry_del(&zone->registered);
	registry_close(&zone->clients.list);
	zone_free(zone);
	return 0;
}
