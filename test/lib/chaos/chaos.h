/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos.h - every call of the library at random, from 16 threads, over zones of every policy
 *
 * The model is one atomic word a page that names its user, and for each zone an upper bound of the
 * pages that are not free for certain. A call raises the bound before it takes pages, and lowers
 * it after it has given them back. An allocation that gets less than it asked for, while the
 * bound never exceeded the zone's pages, broke the promise that one fails only if no page is free.
 */
#ifndef PP_TEST_CHAOS_H
#define PP_TEST_CHAOS_H

#include <pagepool/memory.h>
#include <pagepool/zone_set.h>

#include "depot/depot_fixture.h"
#include "harness.h"

#define CHAOS_THREADS 16u
#define CHAOS_ZONES   20u
#define CHAOS_HELD    192u /* single pages of a zone that a thread has, at most */
#define CHAOS_RUNS    4u
#define CHAOS_PARTS   16u
#define CHAOS_POOLS   2u /* of a thread */
#define CHAOS_SLOTS   16u /* through which threads exchange pages */
#define CHAOS_KEPT    4u /* pages that a handler keeps until the next one */
#define CHAOS_DEPOTS  2u
#define CHAOS_OBJECTS 600u
/* pages that an operation takes out of use for an unknown part of its time */
#define CHAOS_UNKNOWN (1ll << 40)

struct chaos_zone {
	struct pp_zone *zone; /* NULL: a depot */
	uint64_t size; /* pages or objects */
	struct pp_zone_set *set; /* that the zone is of, or NULL */
	const char *label;
	uint32_t flags;
	bool ranges; /* of which blocks are isolated and given back */
	bool judged; /* keeps the promise above; policy request does not */
	uint32_t *user; /* by page; 0: the library has it */
	int64_t taken; /* atomic: the bound */
	int64_t most[CHAOS_THREADS]; /* atomic: the bound since a thread's call began; -1: none */
	uint64_t short_answers; /* atomic */
	uint64_t broken; /* atomic: those while pages were free */
	uint64_t twice; /* pages given back twice, on purpose, at rests */
	struct pp_page *slots[CHAOS_SLOTS]; /* atomic */
};

/* a part of a page, which page_pool_alloc_frag() or page_pool_alloc() gave */
struct chaos_part {
	struct pp_page *page;
	struct chaos_zone *z;
	unsigned int offset;
	unsigned int size;
};

struct chaos_pool {
	struct page_pool *pool;
	struct chaos_zone *z;
	pthread_rwlock_t lock; /* the end, for writing; a trim by another thread, for reading */
	unsigned int order;
	bool limited;
	bool cut; /* into parts, of which the pool keeps a page */
	bool holders;
	unsigned int reserve;
};

struct chaos_hold {
	struct pp_page *pages[CHAOS_HELD];
	unsigned int n;
	struct pp_page *runs[CHAOS_RUNS];
	unsigned int nruns;
};

struct chaos_worker {
	struct rng rng;
	unsigned int id;
	struct chaos_zone *z; /* of this operation */
	struct chaos_hold *hold; /* of that zone */
	struct chaos_hold holds[CHAOS_ZONES];
	struct chaos_pool pools[CHAOS_POOLS];
	struct chaos_part parts[CHAOS_PARTS];
	unsigned int nparts;
	void *objects[CHAOS_DEPOTS][CHAOS_OBJECTS];
	unsigned int nobjects[CHAOS_DEPOTS];
	const char *doing; /* atomic: for the watchdog */
	uint64_t ops; /* atomic */
	/* the handler's */
	struct pp_page *kept[CHAOS_KEPT];
	struct chaos_zone *kept_of[CHAOS_KEPT];
	unsigned int nkept;
	uint64_t handlers;
	uint64_t errnos; /* times that a handler's calls changed errno or pp_error() */
	struct rng handler_rng;
};

struct chaos_op {
	const char *name;
	void (*fn)(struct chaos_worker *w);
	unsigned int weight;
};

/* the depots, of which the fields for pages are empty, come behind the zones */
extern struct chaos_zone chaos_zones[CHAOS_ZONES];
extern unsigned int chaos_nzones, chaos_ndepots;
extern struct chaos_worker chaos_workers[CHAOS_THREADS];

/* ended by an entry without a function */
extern const struct chaos_op chaos_zone_ops[];
extern const struct chaos_op chaos_memory_ops[];
extern const struct chaos_op chaos_control_ops[];
extern const struct chaos_op chaos_pool_ops[];
extern const struct chaos_op chaos_share_ops[];
extern const struct chaos_op chaos_other_ops[];

/* ---- chaos_model.c --------------------------------------------------------------------------- */

void chaos_take(struct chaos_zone *z, int64_t pages);
void chaos_give(struct chaos_zone *z, int64_t pages);
/* around a call that asks for @pages; the second says how many it got */
void chaos_call(struct chaos_worker *w, int64_t pages);
void chaos_answer(struct chaos_worker *w, int64_t pages, int64_t got, bool judged);
/* a page, or a run of 2^@order, is a user's from now on */
void chaos_got(struct chaos_zone *z, struct pp_page *page, unsigned int order, uint32_t user);
/* and is about to be given back */
void chaos_lose(struct chaos_zone *z, struct pp_page *page, unsigned int order);
/* add to what the worker has of its zone */
void chaos_keep(struct chaos_worker *w, struct pp_page **pages, unsigned int n);
/* room for single pages */
unsigned int chaos_room(const struct chaos_worker *w);
/* 1 .. @most of those that it has, 0 if it has none */
unsigned int chaos_some(struct chaos_worker *w, unsigned int most);
struct chaos_zone *chaos_zone_of(const struct pp_page *page);
/* pages of all zones that users have */
uint64_t chaos_out(const struct chaos_zone *z);

/* ---- chaos_zones.c --------------------------------------------------------------------------- */

void chaos_zones_new(void);
void chaos_zones_check(bool pools_ended);
void chaos_zones_end(void);
struct pp_zone_params chaos_params(const char *policy, uint32_t flags, uint64_t pages);
/* does this machine run it with these flags? */
bool chaos_runs(const char *policy, uint32_t flags);

/* ---- chaos_pool.c ---------------------------------------------------------------------------- */

void chaos_pool_end(struct chaos_worker *w, struct chaos_pool *p);
void chaos_pools_adopt(struct chaos_worker *w);
/* give a page of any kind back, by any call that may */
void chaos_put(struct chaos_worker *w, struct pp_page *page);
void chaos_parts_end(struct chaos_worker *w);

/* ---- chaos_other.c --------------------------------------------------------------------------- */

void chaos_depots_new(void);
void chaos_depots_check(void);
void chaos_depots_end(void);
void chaos_objects_put(struct chaos_worker *w);

/* ---- chaos_signal.c -------------------------------------------------------------------------- */

void chaos_signals_init(void);
/* a timer of the calling thread, @hz times a second; 0: none */
void chaos_timer_start(struct chaos_worker *w, unsigned int hz);
void chaos_timer_stop(void);
/* what the handlers kept goes home; the worker has ended */
void chaos_kept_put(struct chaos_worker *w);

/* ---- chaos_watch.c --------------------------------------------------------------------------- */

void chaos_watch_start(void);
void chaos_watch_stop(void);
void chaos_control_start(void);
void chaos_control_stop(void);

#endif /* PP_TEST_CHAOS_H */
