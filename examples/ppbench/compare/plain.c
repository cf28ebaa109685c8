/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/plain.c - the least that can do the work of `ppbench compare`
 *
 * The rivals are the thread's own array, raw and with preparation; a stack under a
 * spinning lock, as programs for AF_XDP write it; and no pool at all, the floor of the
 * kinds of work that hand over and start threads.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "stack.h"

static struct stack array, locked;
static struct pp_page *metadata;

static inline unsigned int prep_get(struct stack *st, void **objects, unsigned int n)
{
	unsigned int got = stack_take(st, objects, n);

	stack_prepare(objects, got);
	return got;
}

static inline unsigned int locked_get(struct stack *st, void **objects, unsigned int n)
{
	unsigned int got;

	stack_lock(st);
	got = stack_take(st, objects, n);
	stack_unlock(st);
	return got;
}

static inline void locked_put(struct stack *st, void *const *objects, unsigned int n)
{
	stack_lock(st);
	stack_give(st, objects, n);
	stack_unlock(st);
}

#define WORK(name)	     array_##name
#define WORK_GET(pool, o, n) stack_take(pool, o, n)
#define WORK_PUT(pool, o, n) stack_give(pool, o, n)
#include "compare/work_impl.h"

#define WORK(name)	     prep_##name
#define WORK_GET(pool, o, n) prep_get(pool, o, n)
#define WORK_PUT(pool, o, n) stack_give(pool, o, n)
#include "compare/work_impl.h"

#define WORK(name)	     locked_##name
#define WORK_GET(pool, o, n) locked_get(pool, o, n)
#define WORK_PUT(pool, o, n) locked_put(pool, o, n)
#include "compare/work_impl.h"

#define WORK(name)	     none_##name
#define WORK_GET(pool, o, n) ((void)(pool), (void)(o), (n))
#define WORK_PUT(pool, o, n) ((void)(pool), (void)(o))
#include "compare/work_impl.h"

struct cmp_rival *cmp_add(struct cmp_rival *r, unsigned int *n, unsigned int kinds, cmp_run_fn *run,
			  void *pool, const char *name, ...)
{
	struct cmp_rival *one = &r[(*n)++];
	va_list ap;

	va_start(ap, name);
	vsnprintf(one->name, sizeof(one->name), name, ap);
	va_end(ap);
	one->kinds = kinds;
	one->run = run;
	one->pool = pool;
	return one;
}

int cmp_plain_open(struct cmp_rival *r, unsigned int *n)
{
	metadata = bench_alloc(BENCH_PAGES, sizeof(*metadata));
	if (!metadata)
		return -1;
	stack_fill(&array, metadata, BENCH_PAGES);
	stack_fill(&locked, metadata, BENCH_PAGES);
	cmp_add(r, n, CMP_ONE_CORE, array_run, &array, "array");
	cmp_add(r, n, CMP_BIT(CMP_PREP), prep_run, &array, "array");
	cmp_add(r, n, CMP_ALL_RAW, locked_run, &locked, "locked stack");
	cmp_add(r, n, CMP_BIT(CMP_CROSS) | CMP_BIT(CMP_CHURN), none_run, NULL, "no pool");
	return 0;
}

static int audit_stack(const char *name, struct stack *st)
{
	unsigned int i, lost = BENCH_PAGES - st->n, twice = 0;

	for (i = 0; i < st->n; i++)
		twice += st->slot[i]->refs++ != 0;
	for (i = 0; i < st->n; i++)
		st->slot[i]->refs = 0;
	if (!lost && !twice)
		return 0;
	bench_error("compare: %s: %u of %u pages did not come home, %u came twice: no figure; "
		    "this is a bug, please report it",
		    name, lost, BENCH_PAGES, twice);
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
