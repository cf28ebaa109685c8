/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.h - every zone and every live pool of the process
 *
 * For those who look at all of them: whoever runs short of pages and asks the pools, and
 * ppstat. Zones and pools enter when they are whole and leave before they are taken apart,
 * so what is listed may be used while the lock is held.
 *
 * Lock order: registry, a pool's closing, a zone's control, a cache's lock, a zone's lock.
 */
#ifndef PP_REGISTRY_H
#define PP_REGISTRY_H

#include <pagepool/page_pool.h>
#include <pagepool/zone.h>

void registry_lock(void);
void registry_unlock(void);
/* This thread has the lock: a handler that interrupted it must not wait for it. */
bool registry_held(void);

/* Under the lock: the first, oldest first, or the one behind @zone or @pool; NULL: no more. */
struct pp_zone *registry_next_zone(const struct pp_zone *zone);
struct page_pool *registry_next_pool(const struct page_pool *pool);

void registry_add_zone(struct pp_zone *zone);
void registry_del_zone(struct pp_zone *zone);
void registry_add_pool(struct page_pool *pool);
void registry_del_pool(struct page_pool *pool);

#endif /* PP_REGISTRY_H */
