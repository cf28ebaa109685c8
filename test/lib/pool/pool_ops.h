/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_ops.h - calls of page_pool.h and zone.h in any order, against a model that knows one thing:
 * the holder of each page
 *
 * The order comes from a random generator (pool_model.c) or from a fuzzer (fuzz/page_pool.c). An
 * operation is a function and a line in the table of pool_ops.c.
 */
#ifndef PP_TEST_POOL_OPS_H
#define PP_TEST_POOL_OPS_H

#include "harness.h"

#define MODEL_PAGES 256u
#define MODEL_REFS  1024u
#define MODEL_POOLS 2u
#define MODEL_LIVES 64u

/* Where choices come from: bytes of @data, or, if it is NULL, a generator that does not end. */
struct choices {
	const uint8_t *data;
	size_t left;
	struct rng rng;
};

/*
 * What is known of a page. @holders: references of users, of either kind, 0: it is home. Each is
 * dropped here before the library hears of it, so that the next user of a page must find 0.
 */
struct model_page {
	uint32_t holders; /* atomic */
	uint32_t of_pool; /* atomic: those that are the pool's to count */
	uint32_t parts; /* atomic: a bit for each 64 bytes that a user of a part has */
	int life; /* atomic: which pool it was allocated from; -1: the zone */
};

/* A pool from create to the return of its last page. */
struct model_life {
	struct page_pool *pool;
	uint32_t cache;
	uint32_t ring;
	uint32_t reserve;
	uint64_t limit; /* max_outstanding; 0: none */
	bool ended;
	bool parts; /* the pool cuts a page, of which it does not tell: sums are not known */
	uint64_t allocs; /* pages */
	uint64_t failures;
	uint64_t finals; /* atomic: last references that were dropped */
	uint64_t limited; /* times that the limit cut an allocation, if nobody else is there */
	uint64_t wrong; /* direct recycling that was asked for without being the owner */
	int64_t out; /* atomic: pages with references of the pool */
};

/* One reference that a user holds. */
struct model_ref {
	struct pp_page *page;
	bool of_pool; /* else taken with pp_page_get(), or with a page of the zone */
	uint32_t offset; /* where we wrote @stamp */
	uint32_t parts; /* as in struct model_page: what is this user's */
	uint64_t stamp;
};

struct model {
	struct choices from;
	struct pp_zone *zone;
	struct model_page pages[MODEL_PAGES];
	struct model_ref refs[MODEL_REFS];
	unsigned int nrefs;
	struct model_life lives[MODEL_LIVES];
	unsigned int nlives;
	unsigned int life[MODEL_POOLS]; /* the present ones */
	unsigned int closed; /* pp_zone_pcp_disable() */
	uint64_t stamp;
	uint64_t twice; /* pages that were put although they were home */
	uint64_t steps;
	/* a call that may take references instead of the model; true: taken */
	bool (*give_away)(struct model *m, struct model_ref ref);
	bool others; /* other threads may hold references: no exact sums now */
	pthread_mutex_t ending; /* pools end and begin: not while others look at them */
	bool gave; /* they had some: what a limit did then is not known */
};

void model_init(struct model *m, const uint8_t *data, size_t size, uint64_t stream);
/* one operation; false: no choices are left */
bool model_step(struct model *m);
/* everything that holds whenever nobody else is inside; with others, when they have returned all */
void model_check(struct model *m);
/* drop one reference; any thread, @n of them in one call if @bulk */
void model_drop(struct model *m, const struct model_ref *refs, unsigned int n, bool bulk);
/* give all back, end all pools and the zone */
void model_fini(struct model *m);

#endif /* PP_TEST_POOL_OPS_H */
