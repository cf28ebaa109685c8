/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.h - bounded ring of pages: many producers under a lock, one consumer without
 *
 * What the kernel uses ptr_ring for. Differs: two free-running indices instead of
 * slots that must be cleared, so that both sides move blocks with memcpy, and no
 * slot looks occupied that is not.
 *
 * Invariant: 0 <= tail - head <= size; slots [head, tail) hold pages.
 */
#ifndef PP_RING_H
#define PP_RING_H

#include <stdlib.h>

#include "base/lock.h"

struct pp_ring {
	/* read only after creation */
	void **slot;
	uint32_t size;

	/* the producers', under the lock */
	struct pp_lock lock __line_aligned;
	bool closed;
	uint32_t tail;
	uint32_t head_seen; /* a lower bound of head */
	uint64_t produced;
	uint64_t refused;
	uint32_t max; /* most that were in it */

	/* the consumer's */
	uint32_t head __line_aligned;
	uint32_t tail_seen; /* a lower bound of tail */
} __line_aligned;

/* @size: a power of two; 0 or -ENOMEM */
static inline int ring_init(struct pp_ring *ring, uint32_t size)
{
	ring->slot = malloc(size * sizeof(*ring->slot));
	ring->size = size;
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

/* By the true head: head_seen may be old. */
static __noinline void note_max(struct pp_ring *ring, uint32_t tail)
{
	/* pairs with the release in ring_consume() */
	ring->head_seen = load_acquire(&ring->head);
	if (tail - ring->head_seen > ring->max)
		WRITE_ONCE(ring->max, tail - ring->head_seen);
}

/* Any thread: put up to @n pages, returns how many fitted; none once the ring is closed. */
static inline unsigned int ring_produce(struct pp_ring *ring, void *const *objs, unsigned int n)
{
	uint32_t tail, at, first, k;

	pp_lock(&ring->lock);
	tail = ring->tail;
	if (tail + n - ring->head_seen > ring->size) {
		/* pairs with the release in ring_consume(): slots before head are read */
		ring->head_seen = load_acquire(&ring->head);
	}
	k = ring->closed ? 0 : min(n, ring->size - (tail - ring->head_seen));
	at = tail & (ring->size - 1);
	first = min(k, ring->size - at);
	memcpy(ring->slot + at, objs, first * sizeof(*objs));
	if (unlikely(k > first)) /* it wraps around */
		memcpy(ring->slot, objs + first, (k - first) * sizeof(*objs));
	/* pairs with the acquire in ring_consume(): slots before tail are written */
	store_release(&ring->tail, tail + k);
	count_add(ring->produced, k);
	count_add(ring->refused, n - k);
	if (tail + k - ring->head_seen > ring->max)
		note_max(ring, tail + k);
	pp_unlock(&ring->lock);
	return k;
}

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

/* After this no producer is inside, and later producers are refused. */
static inline void ring_close(struct pp_ring *ring)
{
	pp_lock(&ring->lock);
	ring->closed = true;
	pp_unlock(&ring->lock);
}

#endif /* PP_RING_H */
