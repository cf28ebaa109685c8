/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/plain.c - the least that can do the work of `ppbench compare`
 *
 * The rivals are the thread's own array, raw and with preparation; a stack under a
 * spinning lock, as programs for AF_XDP write it; and no pool at all, the floor of the
 * kinds of work that hand over and start threads.
 */
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
#define WORK_ENTER()	     ((void)0)
#define WORK_LEAVE()	     ((void)0)
#include "compare/work_impl.h"

#define WORK(name)	     prep_##name
#define WORK_GET(pool, o, n) prep_get(pool, o, n)
#define WORK_PUT(pool, o, n) stack_give(pool, o, n)
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

	metadata = bench_blank_pages(BENCH_PAGES);
	if (!metadata)
		return -1;
	stack_fill(&array, metadata, BENCH_PAGES);
	stack_fill(&locked, metadata, BENCH_PAGES);
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
