/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slot.h - small numbers for threads, for caches that belong to a thread
 *
 * A thread gets the lowest free number when it first asks, and gives it back when it
 * ends. What the cache of that number holds stays there: any thread may drain it, or the
 * next thread with that number uses it.
 */
#ifndef PP_SLOT_H
#define PP_SLOT_H

#include "base/internal.h"

#define PP_SLOTS 256u

extern __thread int slot_of_thread; /* -1: none yet, -2: none was free */

int slot_acquire(void);

/* This thread's number; PP_SLOTS or more if it has none. */
static __always_inline unsigned int this_slot(void)
{
	int slot = slot_of_thread;

	return (unsigned int)(likely(slot >= 0) ? slot : slot_acquire());
}

/*
 * Keep numbers from being given out, and tell whether no thread has @slot: then its
 * cache is the caller's until slot_unlock(). Unlocked again if a thread has it.
 */
bool slot_lock_unowned(unsigned int slot);
void slot_unlock(void);

#endif /* PP_SLOT_H */
