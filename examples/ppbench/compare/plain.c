/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/plain.c - the least that can do the work of `ppbench compare`
 *
 * An array of the thread's own, raw and with preparation; a stack under a spinning
 * lock, as programs for AF_XDP write it for themselves; and nothing at all, the
 * floor of the kinds of work that hand over and start threads.
 */
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"

#define CAPACITY BENCH_PAGES

struct stack {
	unsigned int lock;
	unsigned int n;
	struct pp_page *slot[CAPACITY] __attribute__((aligned(128)));
} __attribute__((aligned(128)));

/* the part of struct pp_page that an allocation resets */
struct fresh {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

static struct stack array, locked;
static struct pp_page *metadata;

/* The library does not know its counts when it is compiled; neither may these. */
static inline size_t slot_bytes(unsigned int n)
{
	size_t size = n * sizeof(struct pp_page *);

	__asm__("" : "+r"(size));
	return size;
}

static inline unsigned int array_get(struct stack *st, void **objects, unsigned int n)
{
	if (unlikely(st->n < n))
		return 0;
	st->n -= n;
	memcpy(objects, &st->slot[st->n], slot_bytes(n));
	return n;
}

static inline void array_put(struct stack *st, void *const *objects, unsigned int n)
{
	if (unlikely(st->n + n > CAPACITY))
		return;
	memcpy(&st->slot[st->n], objects, slot_bytes(n));
	st->n += n;
	bench_use(st);
}

static inline unsigned int prep_get(struct stack *st, void **objects, unsigned int n)
{
	const struct fresh fresh = { .data_off = BENCH_HEADROOM };
	unsigned int got = array_get(st, objects, n), i;

	for (i = 0; i < got; i++)
		memcpy(objects[i], &fresh, sizeof(fresh));
	return got;
}

static inline void stack_lock(struct stack *st)
{
	while (__atomic_exchange_n(&st->lock, 1, __ATOMIC_ACQUIRE))
		continue;
}

static inline void stack_unlock(struct stack *st)
{
	__atomic_store_n(&st->lock, 0, __ATOMIC_RELEASE);
}

static inline unsigned int locked_get(struct stack *st, void **objects, unsigned int n)
{
	unsigned int got;

	stack_lock(st);
	got = array_get(st, objects, n);
	stack_unlock(st);
	return got;
}

static inline void locked_put(struct stack *st, void *const *objects, unsigned int n)
{
	stack_lock(st);
	array_put(st, objects, n);
	stack_unlock(st);
}

#define WORK(name)	     array_##name
#define WORK_GET(pool, o, n) array_get(pool, o, n)
#define WORK_PUT(pool, o, n) array_put(pool, o, n)
#define WORK_ENTER()	     ((void)0)
#define WORK_LEAVE()	     ((void)0)
#include "compare/work_impl.h"

#define WORK(name)	     prep_##name
#define WORK_GET(pool, o, n) prep_get(pool, o, n)
#define WORK_PUT(pool, o, n) array_put(pool, o, n)
#define WORK_ENTER()	     ((void)0)
#define WORK_LEAVE()	     ((void)0)
#include "compare/work_impl.h"

#define WORK(name)	     locked_##name
#define WORK_GET(pool, o, n) locked_get(pool, o, n)
#define WORK_PUT(pool, o, n) locked_put(pool, o, n)
#define WORK_ENTER()	     ((void)0)
#define WORK_LEAVE()	     ((void)0)
#include "compare/work_impl.h"

#define WORK(name)	     none_##name
#define WORK_GET(pool, o, n) ((void)(pool), (void)(o), (n))
#define WORK_PUT(pool, o, n) ((void)(pool), (void)(o))
#define WORK_ENTER()	     ((void)0)
#define WORK_LEAVE()	     ((void)0)
#include "compare/work_impl.h"

static int run_array(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	return array_run(r->pool, job, res);
}

static int run_prep(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	return prep_run(r->pool, job, res);
}

static int run_locked(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	return locked_run(r->pool, job, res);
}

static int run_none(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	return none_run(r->pool, job, res);
}

int cmp_plain_open(struct cmp_rival *r, unsigned int *n)
{
	struct cmp_rival *one;
	unsigned int i;

	metadata = aligned_alloc(sizeof(*metadata), CAPACITY * sizeof(*metadata));
	if (!metadata) {
		bench_error("compare: not enough memory for the baseline");
		return -1;
	}
	memset(metadata, 0, CAPACITY * sizeof(*metadata));
	for (i = 0; i < CAPACITY; i++)
		array.slot[i] = locked.slot[i] = &metadata[i];
	array.n = locked.n = CAPACITY;
	one = cmp_add(r, n, CMP_ONE_CORE, "array");
	one->run = run_array;
	one->pool = &array;
	one = cmp_add(r, n, CMP_BIT(CMP_PREP), "array");
	one->run = run_prep;
	one->pool = &array;
	one = cmp_add(r, n, CMP_ALL_RAW, "locked stack");
	one->run = run_locked;
	one->pool = &locked;
	one = cmp_add(r, n, CMP_BIT(CMP_CROSS) | CMP_BIT(CMP_CHURN), "no pool");
	one->run = run_none;
	return 0;
}

static int audit_stack(const char *name, struct stack *st)
{
	unsigned int i, lost = CAPACITY - st->n, twice = 0;

	for (i = 0; i < st->n; i++)
		twice += st->slot[i]->refs++ != 0;
	for (i = 0; i < st->n; i++)
		st->slot[i]->refs = 0;
	if (!lost && !twice)
		return 0;
	bench_error("compare: %s: %u of %u pages did not come home, %u came twice: no figure; "
		    "this is a bug, please report it",
		    name, lost, CAPACITY, twice);
	return -1;
}

int cmp_plain_audit(void)
{
	return metadata && (audit_stack("array", &array) || audit_stack("locked stack", &locked))
		       ? -1
		       : 0;
}

void cmp_plain_close(void)
{
	free(metadata);
	metadata = NULL;
}
