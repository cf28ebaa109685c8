/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/handler.h"

__thread unsigned int handler_calls;
__thread unsigned int handler_locks;
__thread bool handler_locked;
__thread bool handler_excluded;

static __thread uint64_t usual_mask; /* signals that the thread blocks outside of handlers */
static __thread bool mask_known; /* by a call that no handler makes */
static __thread bool mask_guessed; /* it is known only by calls that handlers make, too */
static __thread const sigset_t *saved_mask;

void handler_use_mask(const sigset_t *mask)
{
	WRITE_ONCE(saved_mask, mask);
	compiler_barrier();
}

/* The first 64 signals are all that Linux has. */
static uint64_t blocked_signals(void)
{
	const sigset_t *saved = READ_ONCE(saved_mask);
	uint64_t mask;
	sigset_t now;

	if (!saved) {
		pthread_sigmask(SIG_SETMASK, NULL, &now);
		saved = &now;
	}
	memcpy(&mask, saved, sizeof(mask));
	return mask;
}

void __coldpath not_a_handler(void)
{
	usual_mask = blocked_signals();
	compiler_barrier();
	mask_known = true;
}

/*
 * The first look at a thread that was never seen outside of a handler takes it to be outside. If it
 * is not, a later call outside blocks fewer signals, and those become the usual ones.
 */
static bool blocks_more(void)
{
	uint64_t mask = blocked_signals();

	if ((mask_known || mask_guessed) && (mask & ~usual_mask))
		return true;
	usual_mask = mask;
	compiler_barrier();
	mask_guessed = true;
	return false;
}

bool __coldpath in_handler(void)
{
	if (handler_calls > 1)
		return true;
	/* the thread's own locks, too, are no sign any more */
	if (handler_excluded)
		return false;
	if (handler_locked || handler_locks || blocks_more())
		return true;
	handler_excluded = true;
	return false;
}

void __coldpath handler_waits(void)
{
	if (in_handler())
		bug("a signal handler is about to wait", NULL);
}
