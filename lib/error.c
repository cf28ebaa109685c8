/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.c - the reason of the last failure; parameter structs; the sleeping lock's slow half
 */
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

static __thread char error_text[240];

const char *pp_error(void)
{
	return error_text;
}

int pp_set_error(int err, const char *fmt, ...)
{
	va_list args;
	char *c;

	va_start(args, fmt);
	vsnprintf(error_text, sizeof(error_text), fmt, args);
	va_end(args);
	/* a name that it quotes may hold anything, but one line is promised */
	for (c = error_text; *c; c++) {
		if ((unsigned char)*c < ' ')
			*c = '?';
	}
	errno = err;
	return -err;
}

/* No struct of parameters will ever be larger: beyond it lies memory that is not the caller's. */
#define PARAMS_MAX 4096u

int params_copy(void *to, size_t size, const void *from)
{
	const unsigned char *p = from;
	size_t sz, i;

	memset(to, 0, size);
	if (!from)
		return pp_set_error(EINVAL, "no parameters given");
	memcpy(&sz, from, sizeof(sz));
	if (sz < sizeof(sz))
		return pp_set_error(EINVAL, "parameters: sz is %zu; set it to sizeof the struct",
				    sz);
	if (sz > PARAMS_MAX)
		return pp_set_error(E2BIG, "parameters: sz is %zu, more than any struct has", sz);
	for (i = size; i < sz; i++) {
		if (p[i])
			return pp_set_error(E2BIG,
					    "parameters: byte %zu is set, but this library knows "
					    "only %zu; update the library",
					    i, size);
	}
	memcpy(to, from, min(size, sz));
	return 0;
}

int stats_copy(void *to, const void *from, size_t size)
{
	size_t sz;

	memcpy(&sz, to, sizeof(sz));
	if (sz < sizeof(sz) || sz > size)
		return pp_set_error(E2BIG, "statistics: sz is %zu, this library knows %zu bytes",
				    sz, size);
	memcpy((char *)to + sizeof(sz), (const char *)from + sizeof(sz), sz - sizeof(sz));
	return 0;
}

void bug(const char *what, const void *page)
{
	fprintf(stderr, "pagepool: BUG: %s, page %p\n", what, page);
	abort();
}

/* Long enough for a batch of pages to be copied by the holder, far less than a time slice. */
#define LOCK_SPINS 200

uint32_t lock_word = LOCK_HELD;

/*
 * Sleep at most @timeout_us for the lock; false when the time is over. Not
 * FUTEX_PRIVATE: a depot's lock is in memory that processes share.
 */
bool __coldpath pp_lock_timed(struct pp_lock *lock, unsigned int timeout_us)
{
	const struct timespec most = {
		.tv_sec = timeout_us / 1000000,
		.tv_nsec = (long)(timeout_us % 1000000) * 1000,
	};
	uint32_t word;
	unsigned int i;

	for (i = 0; i < LOCK_SPINS; i++) {
		cpu_relax();
		if (READ_ONCE(lock->word) == 0 && pp_trylock(lock))
			return true;
	}
	for (;;) {
		word = READ_ONCE(lock->word);
		/* pairs with the exchange in pp_unlock(); others may sleep, too: wake them */
		if (!word &&
		    __atomic_compare_exchange_n(&lock->word, &word, lock_word | LOCK_SLEEPERS,
						false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
		/* makes the holder wake us, and leaves in the word who that is */
		if (!word ||
		    !__atomic_compare_exchange_n(&lock->word, &word, word | LOCK_SLEEPERS, false,
						 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		if (syscall(SYS_futex, &lock->word, FUTEX_WAIT, word | LOCK_SLEEPERS, &most, NULL,
			    0) &&
		    errno == ETIMEDOUT)
			return false;
	}
}

void __coldpath pp_lock_slow(struct pp_lock *lock)
{
	while (!pp_lock_timed(lock, 1000000))
		;
}

void __coldpath pp_lock_wake(struct pp_lock *lock)
{
	syscall(SYS_futex, &lock->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
