/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sleeper.c - preloaded, it makes the pool sleep while a core's cache is closed
 *
 * The library copies a block of pointers inside the window, with memcpy(). One such copy
 * in AFTER naps, unless PP_SLEEP=no.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AFTER 1000u

void *memcpy(void *restrict to, const void *restrict from, size_t n);

static int in_the_library(void *caller)
{
	static uintptr_t from, to;
	Dl_info info;

	if ((uintptr_t)caller >= from && (uintptr_t)caller < to)
		return 1;
	if (from || !dladdr(caller, &info) || !info.dli_fname ||
	    !strstr(info.dli_fname, "libpagepool.so"))
		return 0;
	from = (uintptr_t)info.dli_fbase;
	to = from + (1u << 20);
	return 1;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	const struct timespec nap = { .tv_nsec = 50000 };
	static __thread unsigned int calls, inside;
	const unsigned char *in = from;
	unsigned char *out = to;

	while (n--) {
		*out++ = *in++;
		__asm__ volatile("" : : : "memory"); /* not a call of memcpy() again */
	}
	if (inside++ == 0 && in_the_library(__builtin_return_address(0)) && ++calls % AFTER == 0 &&
	    !getenv("PP_SLEEP"))
		nanosleep(&nap, NULL);
	inside--;
	return to;
}
