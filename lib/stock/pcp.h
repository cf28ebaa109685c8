/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp.h - the per-core page cache, and the policy that guards it
 *
 * A policy is four verbs on the fast path (see pcp_impl.h), which are compiled into a struct
 * pcp_ops, and the verbs of struct pcp_policy. A stock chooses its policy once. Lock order: cache,
 * then zone; never two caches.
 */
#ifndef PP_PCP_H
#define PP_PCP_H

#include <signal.h>

#include <pagepool/policy.h>

#include "base/lock.h"
#include "base/process.h"

struct stock;
struct pcp_trace;

/*
 * The pages themselves, coldest first. The policy decides which thread may touch a list.
 * Invariant, outside a hold: count <= pcp.high; a decay beside the owner may leave more until the
 * next one. A policy that holds the cache keeps its count in struct pcp, beside the lock: a
 * drainer's look, and a drain, then move that line alone.
 */
struct pcp_list {
	uint32_t count; /* of policies that switch lists, or never hold */
	void *obj[] __attribute__((aligned(16))); /* what is copied by 16 bytes */
};

/*
 * The counts of a cache that is held. The owner's half changes under the cache's lock, the free
 * area's half under the stock's; both at once, by one store, under both locks. See hand.c.
 */
union pcp_hold {
	uint64_t both;
	struct {
		uint32_t count; /* objects of the live list */
		uint32_t handed; /* objects of the other list << 1 | it is the first */
	};
};

/* The objects of a cache in one hold. */
struct pcp_objs {
	uint32_t *count;
	void **obj; /* NULL: the cache could not be entered */
};

/*
 * The first line is the policy's and the fast path's, the second the tuner's and the
 * counters'. high moves between high_min and high_max; equal, they fix it.
 */
struct pcp {
	/* the policy's own state; a cache begins with zeros */
	union {
		struct { /* trylock; spin and irqsave use lock alone, request the rest */
			uint32_t lock;
			uint32_t want; /* pages asked of the owner */
			uint32_t served; /* pages that the owner moved for drainers */
			uint32_t answers; /* requests that ended with an empty cache */
		};
		struct {
			uint32_t keep_out; /* a drainer has the cache, or waits for it */
			uint32_t inside; /* the owner */
		} softmask;
		struct {
			uint32_t inside; /* odd: the owner is */
		} rcu;
		struct {
			uint64_t head; /* tag << 32 | index of the top page + 1 */
		} llist;
	};
	struct pcp_list *list; /* the live one */
	uint32_t high;
	uint32_t high_min;
	uint32_t high_max; /* 0: closed */
	uint32_t batch;
	struct pcp_trace *trace; /* NULL: zone not traced */
	union pcp_hold hold;

	/* the drainer's */
	struct stock *stock __attribute__((aligned(64)));
	struct pp_lock drain; /* rcu, rseq, softmask: one at a time */
	struct pcp *next_handed; /* under the stock's lock, of free_area.handed */
	bool linked; /* there, with or without objects */
	union {
		struct { /* rcu, rseq; see pcp_switch.h */
			struct pcp_list *spare; /* empty; NULL: never used */
			struct pcp_list *old; /* switched away, and not empty yet */
			uint32_t old_inside; /* rcu: inside when old was switched away */
			bool fenced; /* the barrier after the switch was passed */
		} switched;
		struct {
			sigset_t mask; /* the drainer's signals */
		} irqsave;
	};

	/* the tuner's, inside a hold; high and the factors also outside */
	uint32_t capacity __line_aligned; /* of list and spare */
	uint32_t free_count; /* pages freed without an allocation between, bounded */
	uint32_t alloc_factor; /* refills take batch << alloc_factor */
	uint32_t free_factor; /* flushes give batch << free_factor */
	uint64_t raises;
	uint64_t decays;

	/* written inside a hold only, but for rseq and llist, where they may miss a few */
	uint64_t allocs;
	uint64_t frees;
	uint64_t refills;
	uint64_t flushes;
} __line_aligned;

/* One hold of a cache, from enter to exit. */
struct pcp_guard {
	struct pcp *pcp;
	uint64_t before; /* cycles, if traced: before anything was masked */
	uint64_t start; /* cycles, if traced: the cache is ours */
	uint32_t inside; /* rcu */
	sigset_t mask; /* irqsave */
};

/**
 * struct pcp_ops - a policy, compiled
 * @alloc_bulk: up to @n pages from this core's cache, refilling it from the zone; 0 if the cache
 *              could not be entered or the zone is empty
 * @free_bulk:  put @n <= batch pages into this core's cache; false if it could not be entered
 * @drain:      move pages from @pcp to the zone until it has @keep. Each time that its owner is
 *              kept out at most a batch is copied, unless PCP_WHOLE, or the list goes over as it
 *              is; pages moved, 0 when there is no more, or -ETIMEDOUT
 * @depot:      pp_depot_get_bulk() and pp_depot_put_bulk(), whole, to jump to
 */
struct pcp_ops {
	unsigned int (*alloc_bulk)(struct stock *stock, void **objs, unsigned int n);
	bool (*free_bulk)(struct stock *stock, void *const *objs, unsigned int n);
	long (*drain)(struct stock *stock, struct pcp *pcp, uint32_t keep, uint32_t timeout_us);
	struct pp_depot_calls depot;
};

/* The rest of an allocation of @n objects, of which @objs has @got; how many there are then. */
typedef unsigned int stock_more_fn(struct stock *stock, void **objs, unsigned int n,
				   unsigned int got);

/**
 * struct pcp_zone_calls - a zone's whole calls, to jump to: no frame, no look at what they did
 * @take: as alloc_bulk() of struct pcp_ops, then @more(), which is called if it came up short
 * @give: all of @n objects, into the cache or past it
 */
struct pcp_zone_calls {
	unsigned int (*take)(struct stock *stock, void **objs, unsigned int n, stock_more_fn *more);
	void (*give)(struct stock *stock, void *const *objs, unsigned int n);
};

/* A cache belongs to a thread, not to a core: no other thread is inside. */
#define PCP_THREAD_ONLY (1u << 0)
/* A signal handler may allocate and free, whatever it interrupted. */
#define PCP_SIGNAL_SAFE (1u << 1)
/* A cache belongs to a core, not to a thread. */
#define PCP_CORE_ONLY (1u << 2)
/* A drain takes all at once: beginning it costs more than moving the pages. */
#define PCP_WHOLE (1u << 3)
/* A drain takes the list itself, so that no page can stay. */
#define PCP_SWITCHES (1u << 4)
/* Several processes may share the caches: no content is valid in one process only. */
#define PCP_SHAREABLE (1u << 5)
/* It needs stock.links. */
#define PCP_LINKS (1u << 6)
/* Entering it blocks signals. */
#define PCP_MASKS (1u << 7)
/* A drain that keeps nothing hands over the list as it is: hand.c. */
#define PCP_HANDS (1u << 8)

/* Of the index in pcp_policy.ops: allocations may fail on purpose, see fault.h. */
#define OPS_FAULT 2u

/**
 * struct pcp_policy - what a stock asks of a policy
 * @name:    its name, that of its file
 * @flags:   PCP_*
 * @probe:   0, or -ENOTSUP with pp_error(); NULL: it runs everywhere
 * @count:   objects that a drain of @pcp would find; a gauge, racy
 * @walk:    call @see() with all objects of @pcp, in parts; no call runs in the stock
 * @recover: free what @dead held of @pcp, and count in @lost the objects that went with it; NULL
 *           if the policy is not PCP_SHAREABLE
 * @zone:    of zones that are neither traced nor fail on purpose
 * @ops:     plain, traced; and both with OPS_FAULT
 */
struct pcp_policy {
	const char *name;
	unsigned int flags;
	int (*probe)(void);
	unsigned int (*count)(const struct pcp *pcp);
	void (*walk)(const struct pcp *pcp, void (*see)(void *arg, void *const *objs, uint64_t n),
		     void *arg);
	void (*recover)(struct pcp *pcp, process_id dead, uint64_t *lost);
	struct pcp_zone_calls zone;
	struct pcp_ops ops[4];
};

#define POLICY(name) extern const struct pcp_policy pcp_##name;
#include "stock/sync/policies.def"
#undef POLICY

/* A stock keeps a policy's number, which is the same in every process. */
enum policy_number {
#define POLICY(name) POLICY_##name,
#include "stock/sync/policies.def"
#undef POLICY
	NR_POLICIES,
};

extern const struct pcp_policy *const pcp_policies[NR_POLICIES];

/* The number of a policy that has all of @flags, PCP_*; or -errno with pp_error(). */
int stock_find_policy(const char *name, unsigned int flags);
/* The parameters of a cache: 0, or -EINVAL with pp_error(). */
int stock_check_cache(uint32_t high, uint32_t high_max, uint32_t batch);

/* A bounded wait for a holder: spin, give the CPU away, then sleep, so that any holder can run. */
struct pcp_wait {
	uint32_t timeout_us;
	uint32_t spins;
	uint64_t deadline_ns;
	uint32_t want; /* pages that the drainer would like */
	long served; /* the owner did it: pages that it moved for us, 0 or more; -1: it did not */
};

/* One more round; false when the time is over. */
bool pcp_wait(struct pcp_wait *wait);

/*
 * Take a cache's lock word, if its holder leaves within some 10 us or a few turns of the
 * scheduler: a holder that this thread preempted never does.
 */
bool pcp_lock_briefly(uint32_t *lock);

/* Take the lock, if the time allows. */
bool pcp_lock_wait(struct pp_lock *lock, const struct pcp_wait *wait);

struct pcp_config {
	uint32_t high_min;
	uint32_t high_max;
	uint32_t capacity; /* what high_max may ever be */
	uint32_t batch;
	bool traced;
};

/* Bytes from one core's cache to the next. */
size_t pcp_stride_of(uint32_t capacity);
/* In memory that is all zero. */
void pcp_init(struct pcp *pcps, unsigned int cores, const struct pcp_config *config,
	      struct stock *stock);

/* All cores' caches; a stride apart. NULL with pp_error() when there is no memory. */
struct pcp *pcp_create(unsigned int cores, const struct pcp_config *config, struct stock *stock);
void pcp_free(struct pcp *pcps, unsigned int cores, size_t stride);

static __always_inline struct pcp *pcp_at(struct pcp *pcps, size_t stride, unsigned int core)
{
	return (struct pcp *)((char *)pcps + core * stride);
}

/* Each cache has two lists: for the policies that switch lists, and for hand.c. */
static inline struct pcp_list *pcp_first_list(const struct pcp *pcp)
{
	return (struct pcp_list *)(pcp + 1);
}

struct pcp_list *pcp_second_list(const struct pcp *pcp);

static __always_inline struct pcp_objs list_objs(struct pcp_list *list)
{
	return (struct pcp_objs){ &list->count, list->obj };
}

/* The other list: its objects, and whether it is the first. */
static inline uint32_t pcp_handed(const struct pcp *pcp)
{
	return READ_ONCE(pcp->hold.handed) >> 1;
}

static inline struct pcp_list *pcp_handed_list(const struct pcp *pcp)
{
	return pcp->hold.handed & 1 ? pcp_first_list(pcp) : pcp_second_list(pcp);
}

/* The live list follows from the counts. */
static inline void pcp_find_list(struct pcp *pcp)
{
	WRITE_ONCE(pcp->list, pcp->hold.handed & 1 ? pcp_second_list(pcp) : pcp_first_list(pcp));
}

/* Of a cache that the caller holds. */
static __always_inline struct pcp_objs held_objs(struct pcp *pcp)
{
	return (struct pcp_objs){ &pcp->hold.count, pcp->list->obj };
}

static __always_inline struct pcp_objs no_objs(void)
{
	return (struct pcp_objs){ NULL, NULL };
}

/* The verbs count and walk of a policy that holds the cache. */
static inline unsigned int held_count(const struct pcp *pcp)
{
	return READ_ONCE(pcp->hold.count);
}

static inline void held_walk(const struct pcp *pcp,
			     void (*see)(void *arg, void *const *objs, uint64_t n), void *arg)
{
	see(arg, pcp->list->obj, pcp->hold.count);
}

/*
 * What the cache may hold now. The bounds are read at every use, so that a tuner which
 * pp_zone_pcp_disable() overtook can not open the cache again, nor, after the
 * enable, leave it shut.
 */
static __always_inline uint32_t pcp_limit(const struct pcp *pcp)
{
	uint32_t high = max(READ_ONCE(pcp->high), READ_ONCE(pcp->high_min));

	return min(high, READ_ONCE(pcp->high_max));
}

/* ---- tuning: kernel-like, inside a hold ------------------------------------------------------ */

/*
 * How many pages to move by a cache of fixed size, at most @most or a batch; also outside a hold,
 * where two threads of a core may count one move.
 */
uint32_t pcp_streak_refill(struct pcp *pcp, uint32_t most);
uint32_t pcp_streak_flush(struct pcp *pcp, uint32_t count, uint32_t most);

/* How many pages to take from the zone for a cache that ran empty. */
uint32_t pcp_tune_refill(struct pcp *pcp, uint32_t most);
/* How many pages to give to the zone from a cache that would overflow by @n. */
uint32_t pcp_tune_flush(struct pcp *pcp, uint32_t count, uint32_t n, uint32_t most);
/* The tick: lower high towards high_min; returns how many of @count pages are too many now. */
uint32_t pcp_tune_decay(struct pcp *pcp, uint32_t count);

static __always_inline bool pcp_is_tuned(const struct pcp *pcp)
{
	return READ_ONCE(pcp->high_min) != READ_ONCE(pcp->high_max);
}

#endif /* PP_PCP_H */
