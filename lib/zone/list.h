/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/list.h - the zones of the process */
#ifndef PP_ZONE_LIST_H
#define PP_ZONE_LIST_H

#include "zone/zone.h"

extern struct registry registered_zones;

/* Every zone of the process in turn: the next one is pinned, @zone no more; see registry.h. */
static inline struct pp_zone *zone_next(struct pp_zone *zone)
{
	struct registered *next = registry_next(&registered_zones, zone ? &zone->registered : NULL);

	return next ? container_of(next, struct pp_zone, registered) : NULL;
}

static inline void zone_unpin(struct pp_zone *zone)
{
	registry_unpin(&zone->registered);
}

#endif /* PP_ZONE_LIST_H */
