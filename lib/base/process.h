/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.h - which process this is, and whether another one is dead
 *
 * For what processes share: a lock's word names its holder, and a process that waits too long
 * asks here. A number alone is not enough: the kernel gives it to the next process.
 */
#ifndef PP_PROCESS_H
#define PP_PROCESS_H

#include "base/lock.h"

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

/*
 * Where a process_id means the same to every reader: the inodes of a PID namespace and a time
 * namespace. The kernel shifts each start time by the reader's own offset of the boot time. 0:
 * /proc does not tell, or the kernel has no such namespace.
 */
struct process_space {
	uint64_t pid;
	uint64_t time;
};

struct process_space process_space(void);

/* The kind of namespace, "PID" or "time", in which this process is not in @space; NULL: none. */
const char *process_outside(const struct process_space *space);

/* True: no thread of that process runs any more. The caller is not outside of its space. */
bool process_is_dead(process_id id);

#endif /* PP_PROCESS_H */
