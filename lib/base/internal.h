/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * internal.h - compiler, architecture, atomics, CPU number
 *
 * The only file of the library with conditional compilation: whatever differs
 * between compilers, architectures and C libraries has one name here.
 */
#ifndef PP_INTERNAL_H
#define PP_INTERNAL_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <pagepool/error.h>
#include <pagepool/page.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __noinline  __attribute__((__noinline__))
#define __coldpath  __attribute__((__noinline__, __cold__))

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * Two lines, not one: the prefetcher pulls lines in pairs, so that a neighbour's
 * store in the adjacent line costs as much as one in our own (measured: threefold).
 */
#define PP_LINES       128
#define __line_aligned __attribute__((aligned(PP_LINES)))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define min(a, b)                       \
	({                              \
		__typeof__(a) _a = (a); \
		__typeof__(b) _b = (b); \
		_a < _b ? _a : _b;      \
	})
#define max(a, b)                       \
	({                              \
		__typeof__(a) _c = (a); \
		__typeof__(b) _d = (b); \
		_c > _d ? _c : _d;      \
	})

/* racy by design: gauges, hints, counters with one writer */
#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#define load_acquire(p)	    __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* one writer at a time (by a lock or by ownership), readers whenever they like */
#define count_add(x, n) WRITE_ONCE(x, READ_ONCE(x) + (n))
/* any number of writers */
#define count_add_shared(x, n) __atomic_fetch_add(&(x), (n), __ATOMIC_RELAXED)

/*
 * Two adjacent 32-bit counters in one load, acquire. ThreadSanitizer knows
 * synchronisation by address, so it gets a load for each.
 */
typedef uint64_t __attribute__((__may_alias__)) pp_pair;

#define PAIR_OF_ONES 0x0000000100000001ull

/*
 * PEEK() and peek_pair() are racy loads in no order, which may be operands of a comparison. An
 * atomic load is an instruction of its own. ThreadSanitizer gets atomic ones.
 */
#if defined(__SANITIZE_THREAD__)
#define PP_TSAN 1
#elif defined(__has_feature)
#define PP_TSAN __has_feature(thread_sanitizer)
#else
#define PP_TSAN 0
#endif
#if PP_TSAN
#define PEEK(x)	     READ_ONCE(x)
#define peek_pair(p) load_pair_acquire(p)

static inline uint64_t load_pair_acquire(const uint32_t *p)
{
	return (uint64_t)load_acquire(p + 1) << 32 | load_acquire(p);
}

/* It does not know fences, either. */
static inline void full_barrier(void)
{
	static uint32_t word;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}
#define load_barrier()	full_barrier()
#define store_barrier() full_barrier()
#else
/* loads before it come before loads and stores after it; loads and stores, before stores */
#define load_barrier()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define store_barrier() __atomic_thread_fence(__ATOMIC_RELEASE)

static __always_inline void full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#define PEEK(x) (x)

static __always_inline uint64_t peek_pair(const uint32_t *p)
{
	return *(const pp_pair *)p;
}

static __always_inline uint64_t load_pair_acquire(const uint32_t *p)
{
	return load_acquire((const pp_pair *)p);
}
#endif

/* ---- architecture ---------------------------------------------------------------------------- */

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/*
 * prefetch_for_write() fetches a line that another core wrote, to be written here, in one transfer.
 * A load would get it shared first, and the store would ask again.
 */
#if defined(__x86_64__)
static __always_inline void prefetch_for_write(const void *line)
{
	/* the builtin is a plain prefetch below -mprfchw; processors without it do nothing */
	__asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)line));
}

static __always_inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

static __always_inline uint64_t cycles_now(void)
{
	return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static __always_inline void prefetch_for_write(const void *line)
{
	__builtin_prefetch(line, 1);
}

static __always_inline void cpu_relax(void)
{
	__asm__ __volatile__("yield");
}

static __always_inline uint64_t cycles_now(void)
{
	uint64_t c;

	__asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(c));
	return c;
}
#else
static __always_inline void prefetch_for_write(const void *line)
{
	__builtin_prefetch(line, 1);
}

static __always_inline void cpu_relax(void)
{
}

static __always_inline uint64_t cycles_now(void)
{
	return now_ns();
}
#endif

/*
 * The CPU that the thread runs on, as a hint: it may be stale before the caller
 * looks at it. glibc registers restartable sequences for every thread, and the
 * kernel keeps the number in that area up to date: a plain load. Where they are
 * absent (old libc, valgrind, qemu-user, some containers) the field is negative.
 */
#if PP_HAVE_RSEQ && defined(__x86_64__)
#include <sys/rseq.h>
static __always_inline int this_cpu(void)
{
	int cpu;

	__asm__ __volatile__("movl %%fs:%c2(%1), %0"
			     : "=r"(cpu)
			     : "r"(__rseq_offset), "i"(offsetof(struct rseq, cpu_id)));
	return likely(cpu >= 0) ? cpu : sched_getcpu();
}
#elif PP_HAVE_RSEQ && defined(__aarch64__)
#include <sys/rseq.h>
static __always_inline int this_cpu(void)
{
	const struct rseq *rseq =
		(const void *)((const char *)__builtin_thread_pointer() + __rseq_offset);
	int cpu = (int)READ_ONCE(rseq->cpu_id);

	return likely(cpu >= 0) ? cpu : sched_getcpu();
}
#else
static __always_inline int this_cpu(void)
{
	return sched_getcpu();
}
#endif

/* ---- barriers that the other side pays for --------------------------------------------------- */

/* Orders nothing in the CPU: the partner's membarrier() makes up for that. */
#define compiler_barrier() __asm__ __volatile__("" ::: "memory")

/* What assembly moves is invisible to ThreadSanitizer: these tell it. Nothing without it. */
#if PP_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define asm_acquired(p) __tsan_acquire(p)
#define asm_releases(p) __tsan_release(p)
#else
#define asm_acquired(p) ((void)(p))
#define asm_releases(p) ((void)(p))
#endif

/* ---- pages at home --------------------------------------------------------------------------- */

/*
 * A page that a pool or a zone has bears this mark in next, so that a second put is refused. Only
 * bit 0 counts: a page can be at home and chained to another (stock/signal.c, zone/buddy.h).
 */
#define NEXT_HOME ((struct pp_page *)~(uintptr_t)0)

static __always_inline bool page_is_home(const struct pp_page *page)
{
	return (uintptr_t)READ_ONCE(page->next) & 1;
}

/* ---- parameters, debug checks ---------------------------------------------------------------- */

/*
 * Copy a caller's parameter struct of any age into ours of @size bytes, which is
 * zeroed first. 0, or -E2BIG if the caller set fields that this library does not know.
 */
int params_copy(void *to, size_t size, const void *from);

/* Write as much of a result struct as the caller knows; 0 or -E2BIG. */
int stats_copy(void *to, const void *from, size_t size);

/* "function+0x12" or "file.so+0x1234" into @buffer, which it returns. NULL: "unknown". */
const char *site_text(const void *site, char *buffer, size_t size);

/*
 * @size bytes of zeros, which take memory page by page when they are touched; NULL with errno and
 * pp_error(): no memory for @what.
 */
void *map_zeros(size_t size, const char *what);
/* @zeros: NULL: nothing */
void unmap_zeros(void *zeros, size_t size);

/* Debug builds: says what and where, and aborts. */
void bug(const char *what, const void *page) __attribute__((__cold__, __noreturn__));

#define BUG_ON(cond, page)                      \
	do {                                    \
		if (PP_DEBUG && unlikely(cond)) \
			bug(#cond, page);       \
	} while (0)

#endif /* PP_INTERNAL_H */
