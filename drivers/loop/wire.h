/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.h - one direction of a loop cable
 *
 * A wire is a bounded ring with one producer, the sender at the far end, and one consumer, the
 * receiver at the near end. Pages cross it without being copied.
 *
 * Either end may come and go while the other one runs. The reader word says which end may
 * consume:
 *
 *   NO_READER -> END      the near end is opened
 *   END -> NO_READER      it has stopped, and has emptied the wire
 *   NO_READER -> SENDER   the far end found no reader, and empties the wire of the pages that
 *   SENDER -> NO_READER   it sent while the near end was leaving
 *
 * Invariant: head - tail, the pages on the wire, is between 0 and size.
 */
#ifndef PP_LOOP_WIRE_H
#define PP_LOOP_WIRE_H

#include <stdint.h>
#include <string.h>

#include "netdev/priv.h"

#define WIRE_ALIGN 128u

enum wire_reader {
	NO_READER,
	END,
	SENDER,
};

struct loop_wire {
	/* written by the sender */
	uint32_t head __attribute__((aligned(WIRE_ALIGN)));
	uint32_t tail_seen;
	/* written by the receiver */
	uint32_t tail __attribute__((aligned(WIRE_ALIGN)));
	uint32_t head_seen;
	/* shared: written when an end comes or goes */
	uint32_t reader __attribute__((aligned(WIRE_ALIGN)));
	uint32_t size;
	struct pp_page **slots;
	int fd; /* eventfd of a receiver that sleeps; -1: none has asked for it */
	/* 1: the sender of the next packet writes to @fd; alone on its line: it seldom changes */
	uint32_t armed __attribute__((aligned(WIRE_ALIGN)));
} __attribute__((aligned(WIRE_ALIGN)));

/* the caller is the wire's sender; @n is at most wire_room() */
static inline void wire_push(struct loop_wire *w, struct pp_page *const *pages, unsigned int n)
{
	uint32_t at = w->head & (w->size - 1);
	uint32_t first = w->size - at < n ? w->size - at : n;

	memcpy(&w->slots[at], pages, first * sizeof(*pages));
	memcpy(w->slots, pages + first, (n - first) * sizeof(*pages));
	/* pairs with the load in wire_pull() */
	__atomic_store_n(&w->head, w->head + n, __ATOMIC_RELEASE);
}

static inline uint32_t wire_room(struct loop_wire *w, uint32_t want)
{
	uint32_t room = w->size - (w->head - w->tail_seen);

	if (room >= want)
		return room;
	/* pairs with the store in wire_pull(): the slots have been read */
	w->tail_seen = __atomic_load_n(&w->tail, __ATOMIC_ACQUIRE);
	return w->size - (w->head - w->tail_seen);
}

/* the caller is the wire's reader */
static inline unsigned int wire_pull(struct loop_wire *w, struct pp_page **pages, unsigned int n)
{
	uint32_t at = w->tail & (w->size - 1), first;

	if (w->head_seen - w->tail < n)
		w->head_seen = __atomic_load_n(&w->head, __ATOMIC_ACQUIRE);
	if (w->head_seen - w->tail < n)
		n = w->head_seen - w->tail;
	if (!n)
		return 0;
	first = w->size - at < n ? w->size - at : n;
	memcpy(pages, &w->slots[at], first * sizeof(*pages));
	memcpy(pages + first, w->slots, (n - first) * sizeof(*pages));
	/* pairs with the load in wire_room() */
	__atomic_store_n(&w->tail, w->tail + n, __ATOMIC_RELEASE);
	return n;
}

static inline uint64_t wire_empty(struct loop_wire *w)
{
	struct pp_page *pages[PP_BURST_MAX];
	uint64_t all = 0;
	unsigned int n;

	while ((n = wire_pull(w, pages, PP_BURST_MAX))) {
		page_pool_put_bulk(pages, n);
		all += n;
	}
	return all;
}

/* true: the caller may read the wire, until wire_leave() */
static inline bool wire_enter(struct loop_wire *w, enum wire_reader reader)
{
	uint32_t none = NO_READER;

	return __atomic_compare_exchange_n(&w->reader, &none, reader, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static inline void wire_leave(struct loop_wire *w)
{
	__atomic_store_n(&w->reader, NO_READER, __ATOMIC_RELEASE);
}

/* wire.c: a receiver that sleeps until its wire has a packet */
int wire_fd(struct loop_wire *w); /* the descriptor, or -errno with pp_error() */
int wire_arm(struct loop_wire *w); /* as pp_queue_arm() */
void wire_wake_slow(struct loop_wire *w);

/*
 * wire_wake() - after wire_push(): wake a receiver that sleeps
 *
 * The push must come before the load. The fence keeps the compiler from turning them round, and
 * the membarrier() of wire_arm() does the same to this CPU when it matters, so that in steady
 * state the sender pays for a load and a branch.
 */
static inline void wire_wake(struct loop_wire *w)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&w->armed, __ATOMIC_RELAXED)))
		wire_wake_slow(w);
}

#endif /* PP_LOOP_WIRE_H */
