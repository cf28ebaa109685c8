/* SPDX-License-Identifier: BSD-3-Clause */
#include "registry.h"

#include "page_pool.h"
#include "zone.h"

static struct pp_lock lock;
static struct pp_zone *zones;
static struct page_pool *pools;
static __thread bool held;

bool registry_held(void)
{
	return held;
}

void registry_lock(void)
{
	held = true;
	compiler_barrier(); /* a handler from here on sees it */
	pp_lock(&lock);
}

void registry_unlock(void)
{
	pp_unlock(&lock);
	compiler_barrier();
	held = false;
}

struct pp_zone *registry_next_zone(const struct pp_zone *zone)
{
	return zone ? zone->next : zones;
}

struct page_pool *registry_next_pool(const struct page_pool *pool)
{
	return pool ? pool->next : pools;
}

/* A list in the order of creation; there are few, and they come and go rarely. */
#define ADD(list, item)                         \
	do {                                    \
		__typeof__(item) *at = &(list); \
		registry_lock();                \
		while (*at)                     \
			at = &(*at)->next;      \
		(item)->next = NULL;            \
		*at = (item);                   \
		registry_unlock();              \
	} while (0)

#define DEL(list, item)                         \
	do {                                    \
		__typeof__(item) *at = &(list); \
		registry_lock();                \
		while (*at && *at != (item))    \
			at = &(*at)->next;      \
		if (*at)                        \
			*at = (item)->next;     \
		registry_unlock();              \
	} while (0)

void registry_add_zone(struct pp_zone *zone)
{
	ADD(zones, zone);
}

void registry_del_zone(struct pp_zone *zone)
{
	DEL(zones, zone);
}

void registry_add_pool(struct page_pool *pool)
{
	ADD(pools, pool);
}

void registry_del_pool(struct page_pool *pool)
{
	DEL(pools, pool);
}
