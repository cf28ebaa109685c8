/* SPDX-License-Identifier: BSD-3-Clause */
/* futex.h - sleep until a word of this process changes */
#ifndef PP_FUTEX_H
#define PP_FUTEX_H

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/handler.h"

/* Returns when @word is not @seen, at a wake, at a signal, and after @timeout_us < 1 s. */
static inline void futex_wait(uint32_t *word, uint32_t seen, unsigned int timeout_us)
{
	const struct timespec most = { .tv_nsec = (long)timeout_us * 1000 };

	handler_check_wait();
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &most, NULL, 0);
}

/* @word may be freed memory: the kernel uses its address only. */
static inline void futex_wake_all(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* Count an event in @word, and wake all that wait for it. */
static inline void futex_signal(uint32_t *word)
{
	/* pairs with the acquire of a thread that is about to sleep */
	__atomic_fetch_add(word, 1, __ATOMIC_RELEASE);
	futex_wake_all(word);
}

#endif /* PP_FUTEX_H */
