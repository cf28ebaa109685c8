/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.h - bounded ring of pages: many producers under a lock, one consumer without
 *
 * What the kernel uses ptr_ring for. Differs: two free-running indices instead of
 * slots that must be cleared, so that both sides move blocks with memcpy, and no
 * slot looks occupied that is not.
 *
 * A thread that alone produces for a while becomes the sole producer: it needs no lock, and pays
 * for no atomic instruction. It works in turns, as the owner of a pool does: two plain stores, and
 * the next other producer pays for the barrier. That one waits for no turn to end: meanwhile the
 * ring refuses its pages.
 *
 * Invariant: 0 <= tail - head <= size; slots [head, tail) hold pages.
 */
#ifndef PP_RING_H
#define PP_RING_H

#include <stdlib.h>

#include "base/lock.h"

/* Threads that live and have been the sole producer: others keep to the lock. */
#define RING_SOLES 3u

/* Calls in a row, by one thread, that make it the sole producer. A membarrier costs as much. */
#define RING_STREAK 256u

/* Belongs to its thread for the thread's life: until then no other thread writes the turn. */
struct ring_sole {
	uint32_t thread; /* its id; 0: free; atomic */
	uint32_t turn; /* odd: it is inside; atomic */
};

struct pp_ring {
	/* read only after creation */
	void **slot;
	uint32_t size;
	bool may_be_sole; /* membarriers are to be had, and no handler produces */

	/* the producers', under the lock, or in the sole producer's turns */
	struct pp_lock lock __line_aligned;
	struct ring_sole *sole; /* atomic; changes under the lock */
	uint64_t produced;
	uint32_t tail;
	uint32_t head_seen; /* a lower bound of head */
	uint32_t max; /* most that were in it */
	struct ring_sole soles[RING_SOLES];

	/* the producers', under the lock, or in the sole producer's turns: rarely */
	uint64_t refused;
	/* the producers', under the lock */
	uint64_t passed; /* refused, too: for want of a turn's end */
	struct ring_sole *leaving; /* was the sole producer, and may be inside a last turn */
	uint32_t first_turn; /* when it became the sole producer */
	uint32_t last_turn; /* that turn, if the barrier has passed */
	bool barrier_passed;
	bool closed;
	uint32_t thread; /* the last producer's id */
	uint32_t streak; /* its calls in a row */
	uint32_t streak_needed;

	/* the consumer's */
	uint32_t head __line_aligned;
	uint32_t tail_seen; /* a lower bound of tail */
} __line_aligned;

/* @size: a power of two; 0 or -ENOMEM */
static inline int ring_init(struct pp_ring *ring, uint32_t size)
{
	ring->slot = malloc(size * sizeof(*ring->slot));
	ring->size = size;
	ring->streak_needed = RING_STREAK;
	return ring->slot ? 0 : pp_set_error(ENOMEM, "no memory for a ring of %u pages", size);
}

static inline void ring_fini(struct pp_ring *ring)
{
	free(ring->slot);
}

static inline uint32_t ring_count(const struct pp_ring *ring)
{
	uint32_t head = READ_ONCE(ring->head);

	return READ_ONCE(ring->tail) - head;
}

/* Pages that did not get in. */
static inline uint64_t ring_refused(const struct pp_ring *ring)
{
	return load_acquire(&ring->refused) + load_acquire(&ring->passed);
}

/* Under the lock: odd, or another than before: a producer that needs no lock is or was inside. */
static inline uint32_t ring_turn(const struct pp_ring *ring)
{
	const struct ring_sole *sole = ring->sole ?: ring->leaving;

	return sole ? load_acquire(&sole->turn) : 0;
}

/* Any thread: put up to @n pages, returns how many fitted; none once the ring is closed. */
unsigned int ring_produce(struct pp_ring *ring, void *const *objs, unsigned int n);

/* The consumer: take up to @n pages, oldest first, returns how many. */
static inline unsigned int ring_consume(struct pp_ring *ring, void **objs, unsigned int n)
{
	uint32_t head = ring->head, at, first, k;

	if (ring->tail_seen - head < n) {
		/* pairs with the release in ring_produce(): slots before tail are written */
		ring->tail_seen = load_acquire(&ring->tail);
	}
	k = min(n, ring->tail_seen - head);
	at = head & (ring->size - 1);
	first = min(k, ring->size - at);
	memcpy(objs, ring->slot + at, first * sizeof(*objs));
	if (unlikely(k > first)) /* it wraps around */
		memcpy(objs + first, ring->slot, (k - first) * sizeof(*objs));
	/* pairs with the acquire in ring_produce(): slots before head are read */
	store_release(&ring->head, head + k);
	return k;
}

/* After this no producer is inside, and later producers are refused. Sleeps, if one is inside. */
void ring_close(struct pp_ring *ring);

#endif /* PP_RING_H */
