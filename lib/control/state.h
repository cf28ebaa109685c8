/* SPDX-License-Identifier: BSD-3-Clause */
/* control/state.h - what requests leave behind: caches that are disabled */
#ifndef PP_CONTROL_STATE_H
#define PP_CONTROL_STATE_H

#include "zone/zone.h"

/* Zones that one socket keeps disabled caches of at a time. */
#define CONTROL_DISABLED 16u

/* The caches of a zone are disabled by us; zone 0: a free slot. */
struct control_disabled {
	uint64_t zone; /* its id: the zone may be gone */
	uint64_t until_ns; /* of now_ns(); UINT64_MAX: until a request enables them */
};

/* What requests leave behind; belongs to one thread. */
struct control_state {
	bool read_only;
	uint64_t requests;
	uint64_t errors;
	struct control_disabled disabled[CONTROL_DISABLED];
};

/* Until when the caches of @zone are disabled by a request; 0: they are not. */
static inline uint64_t control_until(const struct control_state *state, const struct pp_zone *zone)
{
	unsigned int i;

	for (i = 0; i < CONTROL_DISABLED; i++)
		if (state->disabled[i].zone == zone->id)
			return state->disabled[i].until_ns;
	return 0;
}

#endif /* PP_CONTROL_STATE_H */
