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

	va_start(args, fmt);
	vsnprintf(error_text, sizeof(error_text), fmt, args);
	va_end(args);
	errno = err;
	return -err;
}

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

void __coldpath pp_lock_slow(struct pp_lock *lock)
{
	unsigned int i;

	for (i = 0; i < LOCK_SPINS; i++) {
		cpu_relax();
		if (READ_ONCE(lock->word) == 0 && pp_trylock(lock))
			return;
	}
	/* pairs with the exchange in pp_unlock(); 2 makes the holder wake us */
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void __coldpath pp_lock_wake(struct pp_lock *lock)
{
	syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
