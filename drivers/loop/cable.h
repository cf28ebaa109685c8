/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cable.h - the cables of the process, by the names of their ends
 *
 * A cable has two ends and, for each of them, a wire that leads to it. A port without a peer has
 * a cable with one end; its wire carries the port's packets back to it.
 */
#ifndef PP_LOOP_CABLE_H
#define PP_LOOP_CABLE_H

#include "loop/wire.h"

#define CABLE_NAME_MAX 31u

struct loop_cable {
	struct loop_wire wire[2]; /* wire i leads to end i */
	struct loop_cable *next;
	char name[2][CABLE_NAME_MAX + 1];
	bool used[2];
	unsigned int ends; /* 1 or 2 */
};

/*
 * cable_plug() - take the end @name of the cable to @peer, and make the cable if there is none
 * @size: entries of a wire; 0: as the other end has it, or the default
 * @cable, @end: out: the cable, and which of its ends is the caller's
 *
 * 0, or -errno with pp_error(). The wire to that end may still have its sender as reader.
 */
int cable_plug(const char *name, const char *peer, uint32_t size, struct loop_cable **cable,
	       unsigned int *end);

/* The cable is freed with its last end. */
void cable_unplug(struct loop_cable *cable, unsigned int end);

#endif /* PP_LOOP_CABLE_H */
