/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.h - struct page_pool, and what the files of this floor do for each other
 *
 * The owner uses cache and ring in turns, without a lock; doc/design.md, "Turns", has the handshake
 * with a thread that closes the pool to it.
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

/* More references than a page can ever have users: a page of fragments begins with so many. */
#define FRAG_BIAS (INT32_MAX / 2)

/* Reasons to leave the fast path; page_pool.slow_reasons has a bit for each that holds. */
#define POOL_CLOSED  1u /* another thread has cache and ring */
#define POOL_FENCED  2u /* no membarrier, by choice or for want: the owner pays for the barrier */
#define POOL_LIMITED 4u /* max_outstanding */
#define POOL_HOLDERS 8u /* each allocation leaves its name */
#define POOL_STALE   16u /* its node changed while it was closed: the next turn flushes the cache */
#define POOL_FAULT   32u /* an allocation may fail on purpose */

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
	uint64_t owner; /* pp_self() of the owner; atomic */
	int nid; /* PP_NODE_ANY: where the owner is */
	bool holders; /* as POOL_HOLDERS, for threads that return pages */
	struct page_pool_params p; /* with its defaults */
	struct pp_zone *zone; /* of a set: any one; of a provider: perhaps none */
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
	struct pp_page **reserve; /* p.reserve pages, behind the cache */

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
	uint32_t slow_reasons; /* POOL_*; atomic, written by any thread, rarely */
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
	struct registered *next =
		registry_next(&registered_pools, pool ? &pool->registered : NULL, NULL);

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

/*
 * Enter cache and ring: the turn, or 0: a reason of slow_reasons holds, and the turn has not begun.
 * Then pool_enter_slow() looks at the reasons; its 0 means closed: keep off cache and ring.
 */
static __always_inline uint32_t pool_enter(struct page_pool *pool)
{
	uint32_t turn = turn_begin(pool);

	/* pairs with the release in pool_open() */
	if (unlikely(load_acquire(&pool->slow_reasons))) {
		turn_end_of(pool, turn);
		return 0;
	}
	if (!turn)
		__builtin_unreachable(); /* it is odd */
	return turn;
}

uint32_t pool_enter_slow(struct page_pool *pool);

/* A turn for the counters, closed or not; true: cache and ring are open, too. */
static inline bool turn_begin_any(struct page_pool *pool)
{
	turn_begin(pool);
	if (unlikely(READ_ONCE(pool->slow_reasons) & POOL_FENCED))
		full_barrier(); /* pairs with the one in pool_close() */
	/* pairs with the release in pool_open() */
	return !(load_acquire(&pool->slow_reasons) & POOL_CLOSED);
}

/*
 * trim.c: cache and ring become the caller's, any thread, until pool_open(). 0; -ETIMEDOUT: the
 * owner is in the middle of a call; -ENOTSUP: the barrier failed; -EDEADLK: a handler of the owner.
 */
int pool_close(struct page_pool *pool, unsigned int timeout_us);
void pool_open(struct page_pool *pool);

/* ---- the zones that it is a client of -------------------------------------------------------- */

/* Every zone that the pool may take pages from; @c: struct pool_client *. */
#define for_each_client(c, pool) \
	for (c = (pool)->clients; c < (pool)->clients + (pool)->nr_clients; c++)

static inline struct page_pool *pool_of(const struct zone_client *client)
{
	return container_of(client, struct pool_client, client)->pool;
}

/* Become a client of its zones, with these verbs; and leave when no visitor has it pinned. */
void pool_join(struct page_pool *pool, const struct zone_client_ops *ops);
void pool_leave(struct page_pool *pool);
/* Append a piece of a sentence for zone_client_ops.name(): @pages are out. */
bool pool_name_to(const struct page_pool *pool, uint64_t pages, const char *state, char *text,
		  size_t size);
/* trim.c: the verbs of a live pool. */
extern const struct zone_client_ops pool_client_ops;

/* Free pages are about to leave the pool, and have come to its zone. */
void pool_move_begin(struct page_pool *pool);
void pool_move_end(struct page_pool *pool);

/* info.c: pages that the pool could still get, at home in it or with its zones. A gauge. */
uint64_t pool_available(const struct page_pool *pool);

/*
 * Pages with users: handed out, less given back. hold and release would miss the pages on their way
 * from here to the zone. Returns are read first, so that a page which goes round counts as out.
 */
static inline uint64_t pool_outstanding(const struct page_pool *pool)
{
	uint64_t back = load_acquire(&pool->cached) + load_acquire(&pool->ring.produced) +
			ring_refused(&pool->ring) + load_acquire(&pool->released_ref);

	return READ_ONCE(pool->fast) + READ_ONCE(pool->slow) + READ_ONCE(pool->slow_ho) +
	       READ_ONCE(pool->refilled) + READ_ONCE(pool->from_reserve) - back;
}

/* ---- pages come and go: source.c ------------------------------------------------------------- */

/*
 * Up to @want pages from zone, set or provider, outside a turn. Other cores and pools are searched
 * only for the first @need. If there are more than those, pool_taken() says that all have come to
 * the places where a search finds them.
 */
unsigned int pool_take(struct page_pool *pool, struct pp_page **pages, unsigned int need,
		       unsigned int want);

static inline void pool_taken(struct page_pool *pool)
{
	/* release: after the pages have come */
	store_release(&pool->taking, false);
}

/* Pages leave the pool. Nothing of @pool may be touched afterwards: it may be gone. */
void pool_release_pages(struct page_pool *pool, struct pp_page **pages, unsigned int n);
void pool_released(struct page_pool *pool, uint64_t n);
void pool_release_array(struct page_pool *pool, struct pp_page **pages, uint32_t *count);

/* ---- puts and fragments: put.c, frag.c ------------------------------------------------------- */

/* Metadata that another core wrote last is about to be written here. */
void fetch_pages(struct pp_page *const *pages, unsigned int n);

/* The pool's last reference to a page is gone: recycle it, or release it. */
void pool_recycle_last(struct page_pool *pool, struct pp_page *page);
/* The verbs of pool_page_ops. */
void pool_last_put(struct pp_page *page);
void pool_put_twice(struct page_pool *pool);
/* The page that fragments are cut from is not the pool's any more. */
void pool_drop_frag_page(struct page_pool *pool);
/* Debug builds: users and references change together, so that a put can compare them. */
void refs_check_begin(void);
void refs_check_end(void);

/* ---- holders: holders.c ---------------------------------------------------------------------- */

/* Write down the thread that took @pages, the place and the time; and forget it. */
void pool_tag(struct pp_page *const *pages, unsigned int n, const void *site);
void pool_untag(struct pp_page *const *pages, unsigned int n);

#define PP_REPORT_HOLDERS 16u
unsigned int pool_find_holders(const struct page_pool *pool, struct pp_holder *out, unsigned int n,
			       uint64_t *ages, uint64_t *in_drivers);

/* The threads that have a pool's pages; where there is no room for more, pages are @others. */
#define POOL_THREADS 16u
struct pool_threads {
	unsigned int n;
	uint64_t others;
	uint64_t in_drivers; /* of all these pages */
	struct {
		uint64_t thread; /* 0: unknown */
		uint64_t pages;
		uint64_t oldest_ns;
	} of[POOL_THREADS];
};
void pool_threads(struct pool_threads *threads, const struct page_pool *pool);

/* ---- pools that ended while pages are out: ended.c ------------------------------------------- */

struct pool_ended {
	uint64_t id;
	uint64_t zone; /* id; of a provider's pool 0 */
	uint64_t page_size; /* of its buffers; of a provider's pool 0 */
	uint64_t ended_ns; /* of now_ns() */
	uint64_t inflight;
	bool tracked; /* it has holder tags */
	char name[32];
};

/* Up to @n of them, oldest first; how many there are. */
unsigned int pools_ended(struct pool_ended *out, unsigned int n);
/* Call @look() with the ended pool @id; it and its zone stay meanwhile. False: it is gone. */
bool pool_ended_look(uint64_t id, void (*look)(void *arg, const struct page_pool *pool), void *arg);

/* The last page of an ended pool is home: free it, or leave that to the next holder of a lock. */
void pool_last_page(struct page_pool *pool);
/* Free the pools that handlers left. Waits for nothing. */
void pools_free_ended(void);

/* Pages that are out; 0: the last one is home. */
static inline uint64_t pages_out(const struct page_pool *pool)
{
	return POOL_ENDED - load_acquire(&pool->release) - READ_ONCE(pool->waits);
}

/* The list's lock; its unlock frees the pools that have all pages home. */
void ended_lock(void);
void ended_unlock(void);
/* Under the lock. */
void ended_add(struct page_pool *pool);

/* Keep the zones of an ended pool. False: one of them is about to end, since no page is out. */
bool pool_pin_zones(struct page_pool *pool);
void pool_unpin_zones(struct page_pool *pool);

#endif /* PP_PAGE_POOL_INTERNAL_H */
