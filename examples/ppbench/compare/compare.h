/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare.h - the same work for every allocator
 *
 * compare/work_impl.h has each kind of work once. Every rival compiles it over its own get
 * and put, so that these are inlined for all rivals alike. Time bounds a job, not a count:
 * some rivals all but stop with more threads than CPUs.
 */
#ifndef PPBENCH_COMPARE_H
#define PPBENCH_COMPARE_H

#include "bench.h"
#include "common/part.h"

#define CMP_KEEP 1024u /* pages held at most: more than any cache holds */

enum cmp_kind {
	CMP_RAW, /* take and give back at once; pointers only */
	CMP_PREP, /* the same, pages ready for a packet */
	CMP_KEEP_MANY, /* take CMP_KEEP, then give all back */
	CMP_BURSTY, /* 1 to CMP_KEEP at a time, each power of two as often */
	CMP_CROSS, /* one thread takes, another gives back */
	CMP_CROWD, /* two threads a CPU, free to move */
	CMP_CHURN, /* every 4096 pages the thread ends and another comes */
	CMP_FOREIGN, /* CMP_RAW in a thread that registered nowhere */
	CMP_KINDS,
};

#define CMP_BIT(kind) (1u << (kind))
#define CMP_ALL_RAW   (CMP_BIT(CMP_KINDS) - 1 - CMP_BIT(CMP_PREP))
#define CMP_ONE_CORE  (CMP_BIT(CMP_RAW) | CMP_BIT(CMP_KEEP_MANY) | CMP_BIT(CMP_BURSTY))

/*
 * struct cmp_job - a measurement; also sent to other processes
 * @core:   CPUs; the second is for CMP_CROSS and CMP_CROWD
 * @budget: cycles that it should take
 */
struct cmp_job {
	uint32_t kind;
	uint32_t bulk;
	uint32_t core[2];
	uint64_t budget;
};

/*
 * struct cmp_result
 * @cycles:   of one CPU; of CMP_CROWD of both CPUs together
 * @shorts:   allocations that failed
 * @switches: how often the scheduler took a CPU from the process that worked
 */
struct cmp_result {
	uint64_t pages;
	uint64_t cycles;
	uint64_t shorts;
	int64_t switches;
};

struct cmp_rival;
typedef int cmp_run_fn(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res);

/*
 * struct cmp_rival - an allocator that can do the work
 * @kinds:   CMP_BIT() of the kinds that it does
 * @run:     0, or -1 with @missing set
 * @missing: the reason why it is absent, or cannot go on; NULL: it is present
 * @unable:  the reason why it leaves out a kind; NULL: there is none to tell
 */
struct cmp_rival {
	char name[BENCH_NAME];
	unsigned int kinds;
	cmp_run_fn *run;
	void *pool;
	const char *missing;
	const char *unable;
	double samples[BENCH_REPEAT_MAX];
};

/* the next of the rivals, the @n-th of @r; @name is that of its rows */
struct cmp_rival *cmp_add(struct cmp_rival *r, unsigned int *n, unsigned int kinds, cmp_run_fn *run,
			  void *pool, const char *name, ...) __attribute__((format(printf, 6, 7)));

/* compare/ours.c; at most CMP_PER_POLICY rivals */
#define CMP_PER_POLICY 3u
struct cmp_ours {
	struct pp_zone *raw;
	struct pp_zone *prep;
	struct pp_zone *under_pool;
	struct page_pool *pool;
};
int cmp_ours_open(struct cmp_ours *o, struct cmp_rival *r, unsigned int *n, const char *policy);
int cmp_ours_close(struct bench *b, struct cmp_ours *o);

/* compare/plain.c */
#define CMP_PLAIN 4u
int cmp_plain_open(struct cmp_rival *r, unsigned int *n);
int cmp_plain_audit(void);
void cmp_plain_close(void);

/* compare/malloc.c: each in a process of its own */
#define CMP_MALLOCS 4u
int cmp_malloc_open(struct cmp_rival *r, unsigned int *n);
void cmp_malloc_close(void);

/* compare/dpdk.c, in builds with DPDK; *why: a sentence about all that is absent */
#define CMP_DPDK 17u
PART void cmp_dpdk_open(unsigned int core, struct cmp_rival *r, unsigned int *n, const char **why);
PART int cmp_dpdk_audit(void);
PART void cmp_dpdk_close(void);

#endif /* PPBENCH_COMPARE_H */
