/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.h - struct page_pool, and the turns by which its owner and others share it
 *
 * The owner uses cache and ring in turns, without a lock: it says in @turn that it is inside.
 * Another thread that wants them (a trim) closes the pool, has every thread pass a barrier, and
 * waits for the turn to end; an owner that comes meanwhile goes around them. See turn.h, trim.h.
 *
 * Owner:  turn is odd; compiler barrier; read special      one of the two sees the other,
 * Closer: special |= CLOSED; membarrier; read turn         as with a full barrier in both
 */
#ifndef PP_PAGE_POOL_INTERNAL_H
#define PP_PAGE_POOL_INTERNAL_H

#include <pagepool/page_pool.h>

#include "base/ring.h"
#include "zone/zone.h"
#include "zone/set/set.h"

/* Set in the release counter when the pool has ended: its last page then brings it to this. */
#define POOL_ENDED ((uint64_t)1 << 63)

/* No thread has this number; 0 is that of threads that have none yet, and so own nothing. */
#define NO_OWNER UINT64_MAX

/* Why the owner leaves its fast path. */
#define POOL_CLOSED  1u /* another thread is at cache and ring */
#define POOL_FENCED  2u /* no membarrier, by choice or for want: the owner pays for the barrier */
#define POOL_LIMITED 4u /* max_outstanding */
#define POOL_HOLDERS 8u /* each allocation leaves its name */
#define POOL_FAULT   32u /* an allocation may fail on purpose */
#define POOL_STALE   16u /* its node changed while it was closed: the next turn flushes the cache */

/* A pool as the client of one of its zones. */
struct pool_client {
	struct zone_client client;
	struct page_pool *pool;
};

/*
 * hold - release == cache + ring + reserve + outstanding, where hold counts the pages taken
 * from the zone or the provider, and release those given back.
 */
struct page_pool {
	/* read mostly */
	struct pp_zone *zone; /* of a set: any one; of a provider: perhaps none */
	struct pp_zone_set *set; /* NULL: there is @zone only */
	const struct page_pool_provider *provider; /* NULL: pages are from zone or set */
	void *provider_arg;
	int nid; /* PP_NODE_ANY: where the owner is */
	enum pp_numa numa;
	uint64_t owner; /* pp_self() of the owner; atomic */
	uint32_t cache_size;
	uint32_t refill;
	uint32_t order;
	bool holders; /* as POOL_HOLDERS, for threads that return pages */
	uint32_t idle_ms;
	uint64_t max_outstanding; /* 0: any */
	uint64_t low_water;
	void (*pressure)(void *arg, struct page_pool *pool, uint64_t available);
	void *pressure_arg;
	struct page_fresh fresh;
	char name[32];
	struct registered registered; /* while it is live */
	struct pool_client *clients; /* one for each zone; behind the reserve */
	unsigned int nr_clients;
	uint64_t id; /* no other pool of the process had it */
	uint64_t zone_id; /* these two: for when the zone may be gone; of a provider 0 */
	uint64_t page_size; /* of its buffers */
	struct page_pool *next; /* these three: ended.c */
	struct page_pool **link; /* points to this one in the list of ended pools */
	struct page_pool *next_done;
	uint64_t ended_ns;
	uint32_t waits; /* what page_pool_destroy_wait() holds of it */
	bool signal_safe; /* the zone's, which may be gone before the pool; set at the end */
	struct pp_page **reserve; /* behind the cache */
	uint32_t reserve_size;

	/* by any thread, rarely */
	uint64_t release __line_aligned; /* atomic */
	uint64_t released_ref;
	uint64_t wrong_owner;
	uint64_t double_puts;
	uint64_t trims;
	uint64_t trimmed;
	struct pp_lock closing; /* one closer at a time; what follows is the closer's */
	uint32_t idle_turn;
	uint64_t idle_since_ns;

	struct pp_ring ring;

	/* the owner's; its counters change in its turns */
	uint32_t count __line_aligned; /* the closer's, too */
	uint32_t turn; /* odd: the owner is inside; atomic */
	uint32_t special; /* POOL_*; atomic, by any thread, rarely */
	uint32_t reserved;
	bool taking; /* more pages come from the zone than a user asked for; see zone_run_moves() */
	uint64_t hold;
	uint64_t fast;
	uint64_t slow;
	uint64_t slow_ho;
	uint64_t empty;
	uint64_t refilled;
	uint64_t waived;
	uint64_t failures;
	uint64_t limited;
	uint64_t from_reserve;
	uint64_t cached;
	uint64_t cache_full;
	uint64_t inflight_max;
	bool low; /* the pressure callback was told */
	struct pp_page *frag_page; /* its last fragments are to be handed out */
	uint32_t frag_offset;
	int32_t frag_users;
	struct pp_page *cache[] __line_aligned; /* coldest first */
};

extern struct registry registered_pools;

/* Every live pool of the process in turn: the next one is pinned, @pool no more; see registry.h. */
static inline struct page_pool *pool_next(struct page_pool *pool)
{
	struct registered *next = registry_next(&registered_pools, pool ? &pool->registered : NULL);

	return next ? container_of(next, struct page_pool, registered) : NULL;
}

static inline void pool_unpin(struct page_pool *pool)
{
	registry_unpin(&pool->registered);
}

/* A number that no other thread of this process ever had, unlike a thread id or an address. */
extern __thread uint64_t self_number __attribute__((__visibility__("hidden")));
uint64_t self_acquire(void);

static __always_inline uint64_t pp_self(void)
{
	uint64_t self = self_number;

	return likely(self) ? self : self_acquire();
}

/* The calling thread owns @pool. */
static __always_inline bool pool_is_mine(const struct page_pool *pool)
{
	return likely(READ_ONCE(pool->owner) == self_number);
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* The owner alone writes it, so that this is no read-modify-write of memory others write. */
static __always_inline uint32_t turn_begin(struct page_pool *pool)
{
	uint32_t turn = pool->turn + 1;

	WRITE_ONCE(pool->turn, turn);
	compiler_barrier(); /* pairs with the membarrier in pool_close() */
	return turn;
}

/*
 * What turn_begin() returned spares the fast path a load that would wait for its own store: four
 * of those in a row were half of what a page cost there and back.
 */
static __always_inline void turn_end_of(struct page_pool *pool, uint32_t turn)
{
	/* pairs with the acquire in pool_close() */
	store_release(&pool->turn, turn + 1);
}

static __always_inline void turn_end(struct page_pool *pool)
{
	turn_end_of(pool, pool->turn);
}

/* ---- the zones that it is a client of -------------------------------------------------------- */

/* Every zone that the pool may take pages from; @c: struct pool_client *. */
#define for_each_client(c, pool) \
	for (c = (pool)->clients; c < (pool)->clients + (pool)->nr_clients; c++)

static inline struct page_pool *pool_of(const struct zone_client *client)
{
	return container_of(client, struct pool_client, client)->pool;
}

/* Become a client of its zones, with these verbs; and no more, when no visitor has it pinned. */
void pool_join(struct page_pool *pool, const struct zone_client_ops *ops);
void pool_leave(struct page_pool *pool);
/* Append a piece of a sentence for zone_client_ops.name(): @pages are out. */
bool pool_name_to(const struct page_pool *pool, uint64_t pages, const char *state, char *text,
		  size_t size);

/* Free pages are about to leave the pool, and have come to its zone. */
void pool_move_begin(struct page_pool *pool);
void pool_move_end(struct page_pool *pool);

/*
 * Pages with users: handed out, less given back. Not by hold and release, which know nothing
 * of pages on their way from here to the zone. Returns first: a page that goes
 * round meanwhile is seen as out, not as less than none.
 */
static inline uint64_t pool_outstanding(const struct page_pool *pool)
{
	uint64_t back = load_acquire(&pool->cached) + load_acquire(&pool->ring.produced) +
			load_acquire(&pool->ring.refused) + load_acquire(&pool->released_ref);

	return READ_ONCE(pool->fast) + READ_ONCE(pool->slow) + READ_ONCE(pool->slow_ho) +
	       READ_ONCE(pool->refilled) + READ_ONCE(pool->from_reserve) - back;
}

#endif /* PP_PAGE_POOL_INTERNAL_H */
