/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.c - the slow half of the lock: waiters sleep, and the holder lets the next one in
 *
 * Real-time waiters and ordinary ones sleep at the same word and in two queues: the kernel keeps
 * futexes of one process (FUTEX_PRIVATE_FLAG) apart from those that may be shared. PI futexes are
 * private here and ordinary sleepers are not, so that neither queue meets waiters of the other
 * kind. LOCK_WAITERS stands for both, and an unlock looks into both.
 */
#include <pthread.h>

#include "base/lock.h"

/* Long enough for a batch of pages to be copied by the holder, far less than a time slice. */
#define LOCK_SPINS 200

/* FUTEX_LOCK_PI2, since Linux 5.14: its time is that of CLOCK_MONOTONIC */
#define LOCK_PI_MONOTONIC 13

/* A real-time waiter that the kernel refused looks again after so long. */
#define REFUSED_NS 1000000u

uint32_t lock_word = LOCK_HELD;
__thread uint32_t known_thread_id;

uint32_t __coldpath thread_id_acquire(void)
{
	known_thread_id = (uint32_t)syscall(SYS_gettid);
	return known_thread_id;
}

/* The child's only thread has another id than the one that it was copied from. */
static void forget_thread_id(void)
{
	known_thread_id = 0;
}

static void __attribute__((__constructor__)) watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_thread_id);
}

/* @until_ns: of now_ns(); 0: no limit. 0, or an error number; errno stays as it is. */
static int futex(uint32_t *word, int op, uint32_t value, uint64_t until_ns)
{
	const struct timespec until = { (time_t)(until_ns / 1000000000u),
					(long)(until_ns % 1000000000u) };
	int saved = errno, err = 0;

	/* FUTEX_WAIT_BITSET, unlike FUTEX_WAIT, takes a point in time */
	if (syscall(SYS_futex, word, op, value, until_ns ? &until : NULL, NULL,
		    FUTEX_BITSET_MATCH_ANY) < 0)
		err = errno;
	errno = saved;
	return err;
}

/* Policies FIFO, RR and DEADLINE of the calling thread itself, whatever it was lent. */
static bool is_realtime(void)
{
	int policy = (int)syscall(SYS_sched_getscheduler, 0);

	if (policy < 0)
		return false;
	policy &= ~SCHED_RESET_ON_FORK;
	return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

/*
 * Sleep until an unlock wakes this thread, or @until_ns; false when that has come. Not private: a
 * shared lock is in memory of several processes, and PI waiters have a queue of their own.
 */
static bool sleep_at(struct pp_lock *lock, uint64_t until_ns)
{
	uint32_t waiters = lock->shared ? LOCK_SLEEPERS : LOCK_WAITERS;
	uint32_t word = READ_ONCE(lock->word);

	/* makes the holder wake us, and leaves its name in the word */
	if (!word || (!(word & waiters) &&
		      !__atomic_compare_exchange_n(&lock->word, &word, word | waiters, false,
						   __ATOMIC_RELAXED, __ATOMIC_RELAXED)))
		return true;
	return futex(&lock->word, FUTEX_WAIT_BITSET, word | waiters, until_ns) != ETIMEDOUT;
}

/* Others may sleep, too: the thread that was woken leaves the mark of that in the word. */
static bool take_awakened(struct pp_lock *lock)
{
	uint32_t waiters = lock->shared ? LOCK_SLEEPERS : LOCK_WAITERS;
	uint32_t unlocked = 0;

	/* pairs with the release in pp_unlock() */
	return __atomic_compare_exchange_n(&lock->word, &unlocked, lock_self(lock) | waiters, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/*
 * Sleep with priority inheritance; 0: the lock is ours, else an error number. The kernel refuses
 * without PI futexes, and a holder that it cannot find.
 */
static int sleep_lending(struct pp_lock *lock, uint64_t until_ns)
{
	int op = until_ns ? LOCK_PI_MONOTONIC : FUTEX_LOCK_PI, err;

	do
		err = futex(&lock->word, op | FUTEX_PRIVATE_FLAG, 0, until_ns);
	while (err == EAGAIN || err == EINTR);
	if (!err)
		(void)load_acquire(&lock->word); /* pairs with the release in pp_unlock_slow() */
	return err;
}

static bool wait_realtime(struct pp_lock *lock, uint64_t until_ns)
{
	int err;

	while ((err = sleep_lending(lock, until_ns))) {
		if (err == ETIMEDOUT)
			return false;
		if (take_awakened(lock))
			return true;
		sleep_at(lock, now_ns() + REFUSED_NS);
		if (until_ns && now_ns() >= until_ns)
			return false;
	}
	return true;
}

static bool wait_ordinary(struct pp_lock *lock, uint64_t until_ns)
{
	while (!take_awakened(lock)) {
		if (!sleep_at(lock, until_ns))
			return false;
	}
	return true;
}

static bool take_in_time(struct pp_lock *lock, uint64_t until_ns)
{
	unsigned int i;

	for (i = 0; i < LOCK_SPINS; i++) {
		cpu_relax();
		if (READ_ONCE(lock->word) == 0 && lock_take(lock))
			return true;
	}
	return !lock->shared && is_realtime() ? wait_realtime(lock, until_ns)
					      : wait_ordinary(lock, until_ns);
}

static bool wait_for(struct pp_lock *lock, uint64_t until_ns)
{
	bool taken;

	handler_check_wait();
	lock_wanted();
	taken = take_in_time(lock, until_ns);
	if (!taken)
		lock_left();
	return taken;
}

void __coldpath pp_lock_slow(struct pp_lock *lock)
{
	wait_for(lock, 0);
}

bool __coldpath pp_lock_timed(struct pp_lock *lock, unsigned int timeout_us)
{
	return pp_trylock(lock) || wait_for(lock, now_ns() + timeout_us * (uint64_t)1000);
}

static void unlock_own(struct pp_lock *lock)
{
	int err;

	/* for the next holder's acquire: the kernel's store is no release in the C memory model */
	__atomic_fetch_or(&lock->word, LOCK_WAITERS, __ATOMIC_RELEASE);
	do
		err = futex(&lock->word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0);
	while (err == EAGAIN);
	if (err) /* no PI futexes here, so that there are no such waiters either */
		store_release(&lock->word, 0);
}

/* The lock may be gone once it is free: from then on only its address is used. */
void __coldpath pp_unlock_slow(struct pp_lock *lock)
{
	if (!lock->shared)
		unlock_own(lock);
	else if (!(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) & LOCK_SLEEPERS))
		return;
	futex(&lock->word, FUTEX_WAKE, 1, 0);
}
