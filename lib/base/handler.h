/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handler.h - calls on a signal safe zone by signal handlers
 *
 * A handler and the thread that it interrupted make the same calls. Rule: a handler takes no lock
 * that it does not get at once, waits for nothing, never sleeps, drains no cache and trims no pool.
 * Facts and a sign tell a handler:
 *
 *   calls > 1    it interrupted a call on a signal safe zone
 *   locks        it interrupted a thread that has, or is about to have, a lock of the library
 *   mask         it blocks more signals than the thread did where it was not in a handler
 *
 * The facts are exact, and enough against a deadlock. The sign costs a system call, so it is
 * looked at only before a wait. It fails with SA_NODEFER, and for a thread that has unblocked a
 * signal since the library saw it last outside of handlers: such a handler may drain, and wait for
 * drain_us, unless a fact holds.
 */
#ifndef PP_HANDLER_H
#define PP_HANDLER_H

#include <signal.h>

#include "base/internal.h"

#define HIDDEN_TLS extern __thread __attribute__((__visibility__("hidden")))

HIDDEN_TLS unsigned int handler_calls; /* on signal safe zones that this thread is inside of */
HIDDEN_TLS unsigned int handler_locks; /* of any kind, that it has or wants; see lock.h */
HIDDEN_TLS bool handler_locked; /* one of them is a signal safe zone's */
HIDDEN_TLS bool handler_excluded; /* the one call was found to be a thread's */

/* By a call that no handler makes: remember which signals the thread blocks. */
void not_a_handler(void);

/* The policy has blocked all signals; @mask is what was blocked before, until NULL. */
void handler_use_mask(const sigset_t *mask);

/* A call on a signal safe zone begins. */
static __always_inline void handler_call_begin(void)
{
	if (!handler_calls)
		WRITE_ONCE(handler_excluded, false);
	compiler_barrier();
	WRITE_ONCE(handler_calls, handler_calls + 1);
	compiler_barrier(); /* a handler from here on sees it */
}

static __always_inline void handler_call_end(void)
{
	compiler_barrier();
	WRITE_ONCE(handler_calls, handler_calls - 1);
}

/* Inside a call on a signal safe zone: it is, or must be taken for, a handler's. */
bool in_handler(void);

void handler_waits(void);

/* Debug builds: every primitive that waits asks here that it is not a handler that does. */
static __always_inline void handler_check_wait(void)
{
	if (PP_DEBUG && handler_calls)
		handler_waits();
}

#endif /* PP_HANDLER_H */
