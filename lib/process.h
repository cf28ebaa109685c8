/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.h - which process this is, and whether another one is dead
 *
 * For what processes share: a lock's word names its holder, and whoever waits too long
 * asks here. A number alone is not enough: the kernel gives it to the next process.
 */
#ifndef PP_PROCESS_H
#define PP_PROCESS_H

#include "internal.h"

/*
 * A process for good, in one word so that it can be exchanged: its number in the low
 * bits, above them when it began, in clock ticks after the boot. 0: none.
 */
typedef uint64_t process_id;

#define PROCESS_PID_BITS 22

static inline uint32_t process_pid(process_id id)
{
	return (uint32_t)id & ((1u << PROCESS_PID_BITS) - 1);
}

/*
 * This process, which from now on leaves its number in the locks that it holds. 0 with
 * errno and pp_error() where /proc does not tell.
 */
process_id process_self(void);

/* Where its numbers are valid: the inode of the PID namespace, 0 if /proc does not tell. */
uint64_t process_namespace(void);

/* It is certain that no thread of it runs any more. */
bool process_is_dead(process_id id);

#endif /* PP_PROCESS_H */
