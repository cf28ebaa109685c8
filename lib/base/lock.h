/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.h - a lock that sleeps, with priority inheritance for real-time waiters
 *
 * The word is 0, or names the holder. A free lock is taken and left with one instruction each.
 * A waiter spins briefly and then sleeps: it never burns the CPU of a preempted holder.
 *
 * Own locks: the word is the holder's thread id, as the kernel's PI futexes want it. A real-time
 * waiter sleeps in FUTEX_LOCK_PI, which lends the holder its priority until it unlocks. An
 * ordinary waiter sleeps in FUTEX_WAIT, and competes when it wakes: handing the lock over
 * to each of them would cost a switch of threads for each hold.
 *
 * Shared locks lie in memory of several processes. Their word names the holder's process, so that
 * the others notice its death (stock/share.c), and so it cannot carry a priority.
 */
#ifndef PP_LOCK_H
#define PP_LOCK_H

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/handler.h"

/* All zero is a free lock of this process. */
struct pp_lock {
	uint32_t word;
	bool shared;
};

/* Own locks: bits of the kernel's beside the thread id */
#define LOCK_WAITERS 0x80000000u

/* Shared locks: the process's number is above these */
#define LOCK_HELD     1u
#define LOCK_SLEEPERS 2u
#define LOCK_PID(w)   ((w) >> 2)

/*
 * The word of a shared lock, or of a core's cache, that this process holds: LOCK_HELD, and above it
 * the number of the process as soon as it shares memory with others (process.h).
 */
extern uint32_t lock_word __attribute__((__visibility__("hidden")));

/* 0: not read yet */
extern __thread uint32_t known_thread_id __attribute__((__visibility__("hidden")));
uint32_t thread_id_acquire(void);

/* The calling thread's id in the kernel. */
static __always_inline uint32_t thread_id(void)
{
	uint32_t id = known_thread_id;

	return likely(id) ? id : thread_id_acquire();
}

void pp_lock_slow(struct pp_lock *lock);
/* As pp_lock(), but waits at most @timeout_us; false when the time is over. */
bool pp_lock_timed(struct pp_lock *lock, unsigned int timeout_us);
void pp_unlock_slow(struct pp_lock *lock);

/* What the holder leaves in the word. */
static __always_inline uint32_t lock_self(const struct pp_lock *lock)
{
	return unlikely(lock->shared) ? lock_word : thread_id();
}

/* A handler that interrupts a holder, or a thread on its way to be one, sees it; handler.h. */
static __always_inline void lock_wanted(void)
{
	WRITE_ONCE(handler_locks, handler_locks + 1);
	compiler_barrier();
}

static __always_inline void lock_left(void)
{
	compiler_barrier();
	WRITE_ONCE(handler_locks, handler_locks - 1);
}

/* Between lock_wanted() and lock_left() */
static __always_inline bool lock_take(struct pp_lock *lock)
{
	uint32_t unlocked = 0;

	/* pairs with the release in pp_unlock() */
	return __atomic_compare_exchange_n(&lock->word, &unlocked, lock_self(lock), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static __always_inline bool pp_trylock(struct pp_lock *lock)
{
	lock_wanted();
	if (likely(lock_take(lock)))
		return true;
	lock_left();
	return false;
}

static __always_inline void pp_lock(struct pp_lock *lock)
{
	if (unlikely(!pp_trylock(lock)))
		pp_lock_slow(lock);
}

/* A word with sleepers, and that of a shared lock, is another than the thread's id. */
static __always_inline void pp_unlock(struct pp_lock *lock)
{
	uint32_t self = known_thread_id;

	/* pairs with the acquire in pp_trylock() */
	if (unlikely(!__atomic_compare_exchange_n(&lock->word, &self, 0, false, __ATOMIC_RELEASE,
						  __ATOMIC_RELAXED)))
		pp_unlock_slow(lock);
	lock_left();
}

/* ---- sleep until a word of this process changes ---------------------------------------------- */

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

#endif /* PP_LOCK_H */
