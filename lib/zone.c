/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone.c - a zone's life, and the order in which an allocation looks for pages:
 * this core's cache, the free area, every core's cache, none
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace.h"
#include "zone.h"

/* default first */
static const struct pcp_policy *const policies[] = { &pcp_trylock, &pcp_spin };

#define NR_POLICIES (sizeof(policies) / sizeof(policies[0]))

static const char *const policy_names[NR_POLICIES + 1] = { "trylock", "spin", NULL };

#define PAGE_SIZE_MIN 2048u
#define PAGE_SIZE_MAX 65536u
#define HIGH_MAX      65536u
#define ZONE_FLAGS    (PP_ZONE_HUGE_FALLBACK | PP_ZONE_TRACE | PP_ZONE_NO_PREP)

const char *const *pp_policy_names(void)
{
	return policy_names;
}

/* ---- creation -------------------------------------------------------------------------------- */

static const struct pcp_policy *find_policy(const char *name)
{
	unsigned int i;

	if (!name)
		return policies[0];
	for (i = 0; i < NR_POLICIES; i++) {
		if (!strcmp(name, policies[i]->name))
			return policies[i];
	}
	pp_set_error(EINVAL, "policy: \"%s\" is not known; this library has trylock and spin",
		     name);
	return NULL;
}

/*
 * Cores may keep a quarter of the zone, which drains give back anyhow; more would
 * make them frequent in a small zone. The kernel's batch is 63 at most, for the
 * sake of interrupt latency; moving 128 halves what a page costs across cores.
 */
static void set_defaults(struct pp_zone_params *p, unsigned int cores)
{
	if (!p->page_size)
		p->page_size = 4096;
	if (!p->high) {
		p->high = (uint32_t)min(p->pages / (4 * cores), (uint64_t)512);
		p->high = max(p->high, 4u);
		p->high = max(p->high, min(p->batch, PP_BULK_MAX));
	}
	if (!p->batch)
		p->batch = min(max(p->high / 4, 1u), 128u);
	if (!p->drain_us)
		p->drain_us = 20000;
	if (!p->name)
		p->name = "zone";
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
	if (p->high > HIGH_MAX)
		return pp_set_error(EINVAL, "high: %u is above %u", p->high, HIGH_MAX);
	if (p->batch > PP_BULK_MAX || p->batch > p->high)
		return pp_set_error(EINVAL, "batch: %u is above high %u, or above %u", p->batch,
				    p->high, PP_BULK_MAX);
	return 0;
}

static void init_pages(struct pp_zone *zone)
{
	struct pp_page *page;
	uint64_t i;

	for (i = 0; i < zone->managed; i++) {
		page = &zone->pages[i];
		page->addr = zone->region.base + (i << zone->shift);
		page->zone = zone;
		page->refs = 1;
		page->pp_refs = 1;
		page->shift = zone->shift;
		page->flags = PAGE_HOME;
		page->node = (uint16_t)max(zone->region.node, 0);
		page_prep(page, &zone->fresh);
		zone->area.obj[zone->managed - 1 - i] = page; /* lowest address on top */
	}
	zone->area.count = zone->managed;
}

static int alloc_page_table(struct pp_zone *zone)
{
	void *table;

	table = mmap(NULL, zone->managed * sizeof(struct pp_page), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table == MAP_FAILED)
		return pp_set_error(ENOMEM, "no memory for the metadata of %llu pages",
				    (unsigned long long)zone->managed);
	zone->pages = table;
	return 0;
}

static int zone_init(struct pp_zone *zone, const struct pp_zone_params *p)
{
	const struct pcp_config config = {
		.high = p->high,
		.batch = p->batch,
		.traced = p->flags & PP_ZONE_TRACE,
	};
	int err;

	zone->ops = config.traced ? zone->policy->traced : zone->policy->plain;
	zone->batch = p->batch;
	zone->fresh.data_off = (uint16_t)p->headroom;
	zone->headroom = p->headroom;
	zone->prep = !(p->flags & PP_ZONE_NO_PREP);
	zone->shift = (uint8_t)__builtin_ctz(p->page_size);
	zone->drain_us = p->drain_us;
	zone->managed = p->pages;
	snprintf(zone->name, sizeof(zone->name), "%s", p->name);

	err = region_map(&zone->region, p);
	if (!err)
		err = alloc_page_table(zone);
	if (!err)
		err = free_area_init(&zone->area, zone->managed);
	if (err)
		return err;
	zone->pcps = pcp_create(zone->cores, &config, &zone->pcp_stride);
	if (!zone->pcps)
		return -ENOMEM;
	init_pages(zone);
	return 0;
}

/* Copes with a zone that is built in part. */
static void zone_free(struct pp_zone *zone)
{
	int err = errno;

	if (zone->pcps)
		pcp_free(zone->pcps, zone->cores, zone->pcp_stride);
	free_area_fini(&zone->area);
	if (zone->pages)
		munmap(zone->pages, zone->managed * sizeof(struct pp_page));
	region_unmap(&zone->region);
	free(zone);
	errno = err;
}

struct pp_zone *pp_zone_create(const struct pp_zone_params *params)
{
	const struct pcp_policy *policy;
	struct pp_zone_params p;
	struct pp_zone *zone;
	unsigned int cores = (unsigned int)max(sysconf(_SC_NPROCESSORS_CONF), 1l);

	if (params_copy(&p, sizeof(p), params))
		return NULL;
	set_defaults(&p, cores);
	policy = find_policy(p.policy);
	if (!policy || check_params(&p))
		return NULL;
	zone = aligned_alloc(PP_LINES, sizeof(*zone));
	if (!zone) {
		pp_set_error(ENOMEM, "no memory for a zone");
		return NULL;
	}
	memset(zone, 0, sizeof(*zone));
	zone->region.fd = -1;
	zone->cores = cores;
	zone->policy = policy;
	if (zone_init(zone, &p)) {
		zone_free(zone);
		return NULL;
	}
	return zone;
}

int pp_zone_destroy(struct pp_zone *zone)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	if (!zone)
		return 0;
	pp_zone_stats(zone, &s);
	if (s.in_flight)
		return pp_set_error(EBUSY, "zone %s: %llu pages are still out", zone->name,
				    (unsigned long long)s.in_flight);
	zone_free(zone);
	return 0;
}

/* ---- free and drain -------------------------------------------------------------------------- */

/* The cache was closed to us: past it. */
static __coldpath void free_to_area(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	pp_lock(&zone->lock);
	free_area_push(&zone->area, objs, n);
	count_add(zone->frees, n);
	pp_unlock(&zone->lock);
	count_add_shared(zone->fallbacks, 1);
}

void pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	void *const *objs = (void *const *)pages;
	unsigned int i, k;

	for (i = 0; PP_DEBUG && i < n; i++)
		page_goes_home(zone, pages[i]);
	for (; n; n -= k, objs += k) {
		k = min(n, zone->batch); /* bounds what one hold moves */
		if (unlikely(!zone->ops.free_bulk(zone, objs, k)))
			free_to_area(zone, objs, k);
	}
}

void pp_zone_free_bulk_list(struct pp_zone *zone, struct pp_list *list)
{
	struct pp_page *pages[64], *page;
	unsigned int n = 0;

	while ((page = pp_list_pop(list))) {
		pages[n++] = page;
		if (n == 64) {
			pp_zone_free_bulk(zone, pages, n);
			n = 0;
		}
	}
	pp_zone_free_bulk(zone, pages, n);
}

static __coldpath void free_last(struct pp_page *page)
{
	BUG_ON(page->pool, page); /* belongs to a pool: page_pool_put_page() */
	pp_zone_free_bulk(page->zone, &page, 1);
}

void pp_page_put(struct pp_page *page)
{
	/* acquire: pairs with the release of whoever dropped the last but one */
	if (load_acquire(&page->refs) != 1) {
		if (__atomic_fetch_sub(&page->refs, 1, __ATOMIC_ACQ_REL) != 1)
			return;
		WRITE_ONCE(page->refs, 1);
	}
	free_last(page);
}

static long drain_core(struct pp_zone *zone, unsigned int core, uint32_t timeout_us)
{
	struct pcp *pcp = pcp_at(zone->pcps, zone->pcp_stride, core);
	long moved = 0, k;

	/* bounded: an owner that keeps filling does not keep us */
	do {
		k = zone->ops.drain(zone, pcp, timeout_us);
		moved += max(k, 0l);
	} while (k > 0 && moved < (long)READ_ONCE(pcp->high_max));
	count_add_shared(zone->drains, 1);
	count_add_shared(zone->drained_pages, (uint64_t)moved);
	if (k >= 0)
		return moved;
	count_add_shared(zone->drain_timeouts, 1);
	return k;
}

long pp_zone_drain(struct pp_zone *zone, unsigned int core, unsigned int timeout_us)
{
	long moved;

	if (core >= zone->cores)
		return pp_set_error(EINVAL, "core %u has no cache: there are %u", core,
				    zone->cores);
	moved = drain_core(zone, core, timeout_us);
	if (moved < 0)
		pp_set_error(ETIMEDOUT, "core %u's cache was held for more than %u us", core,
			     timeout_us);
	return moved;
}

long pp_zone_drain_all(struct pp_zone *zone, unsigned int timeout_us)
{
	bool timeout = false;
	long moved = 0, k;
	unsigned int i;

	for (i = 0; i < zone->cores; i++) {
		k = drain_core(zone, i, timeout_us);
		timeout |= k < 0;
		moved += max(k, 0l);
	}
	if (timeout)
		return pp_set_error(ETIMEDOUT, "a core's cache was held for more than %u us",
				    timeout_us);
	return moved;
}

/* ---- allocation ------------------------------------------------------------------------------ */

static unsigned int alloc_from_area(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got;

	pp_lock(&zone->lock);
	got = free_area_pop(&zone->area, objs, n);
	count_add(zone->allocs, got);
	pp_unlock(&zone->lock);
	return got;
}

/*
 * The cache was closed to us, or it and the free area have less than @n. Drains
 * like pp_zone_drain_all(), but stops as soon as there is enough.
 */
static __coldpath unsigned int alloc_slow(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got = alloc_from_area(zone, objs, n), i;

	if (got == n) {
		count_add_shared(zone->fallbacks, 1);
		return got;
	}
	for (i = 0; i < zone->cores && got < n; i++) {
		/* also a cache that looks empty: its count is only a hint */
		drain_core(zone, i, zone->drain_us);
		got += alloc_from_area(zone, objs + got, n - got);
	}
	if (got < n)
		count_add_shared(zone->alloc_failures, 1);
	return got;
}

unsigned int zone_take(struct pp_zone *zone, void **objs, unsigned int n)
{
	unsigned int got = zone->ops.alloc_bulk(zone, objs, n), i;

	if (unlikely(got < n))
		got += alloc_slow(zone, objs + got, n - got);
	for (i = 0; PP_DEBUG && i < got; i++)
		page_leaves_home(zone, objs[i]);
	return got;
}

unsigned int pp_zone_alloc_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	const struct page_fresh fresh = zone->fresh; /* a copy: the stores might alias */
	unsigned int got = zone_take(zone, (void **)pages, n), i;

	if (!zone->prep)
		return got;
	/* a second pass: the cache is open again while we walk the pages */
	for (i = 0; i < got; i++)
		page_prep(pages[i], &fresh);
	return got;
}

unsigned int pp_zone_alloc_bulk_fill(struct pp_zone *zone, struct pp_page **pages, unsigned int n)
{
	struct pp_page *fresh[PP_BULK_MAX];
	unsigned int holes = 0, i, k = 0;

	for (i = 0; i < n; i++)
		holes += !pages[i];
	if (holes)
		holes = pp_zone_alloc_bulk(zone, fresh, holes);
	for (i = 0; i < n; i++) {
		if (pages[i])
			continue;
		if (k == holes)
			break;
		pages[i] = fresh[k++];
	}
	return i;
}

size_t pp_zone_alloc_bulk_list(struct pp_zone *zone, size_t n, struct pp_list *list)
{
	struct pp_page *pages[64];
	unsigned int got, want, i;
	size_t left = n;

	while (left) {
		want = (unsigned int)min(left, (size_t)64);
		got = pp_zone_alloc_bulk(zone, pages, want);
		for (i = 0; i < got; i++)
			pp_list_add_tail(list, pages[i]);
		left -= got;
		if (got < want)
			break;
	}
	return n - left;
}
