/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spsc.h - a bounded ring from one thread to another, in bursts
 *
 * The hand-over between two threads that share pages. Each side keeps a copy of
 * the other's index, so that it reads the other's line only when it must.
 */
#ifndef PPBENCH_SPSC_H
#define PPBENCH_SPSC_H

#include <string.h>

#include "bench.h"

#define SPSC_SIZE 1024u

struct spsc {
	struct {
		unsigned int head;
		unsigned int tail_seen;
	} producer __attribute__((aligned(128)));
	struct {
		unsigned int tail;
		unsigned int head_seen;
	} consumer __attribute__((aligned(128)));
	struct pp_page *slot[SPSC_SIZE] __attribute__((aligned(128)));
};

static inline void spsc_copy_in(struct spsc *r, unsigned int at, struct pp_page *const *pages,
				unsigned int n)
{
	unsigned int first = SPSC_SIZE - at % SPSC_SIZE;

	if (first > n)
		first = n;
	memcpy(&r->slot[at % SPSC_SIZE], pages, first * sizeof(*pages));
	memcpy(r->slot, pages + first, (n - first) * sizeof(*pages));
}

static inline void spsc_copy_out(const struct spsc *r, unsigned int at, struct pp_page **pages,
				 unsigned int n)
{
	unsigned int first = SPSC_SIZE - at % SPSC_SIZE;

	if (first > n)
		first = n;
	memcpy(pages, &r->slot[at % SPSC_SIZE], first * sizeof(*pages));
	memcpy(pages + first, r->slot, (n - first) * sizeof(*pages));
}

/* all of @n or nothing */
static inline bool spsc_push(struct spsc *r, struct pp_page *const *pages, unsigned int n)
{
	unsigned int head = r->producer.head;

	if (SPSC_SIZE - (head - r->producer.tail_seen) < n) {
		/* pairs with the release in spsc_pop(): the slots were read before they are free */
		r->producer.tail_seen = __atomic_load_n(&r->consumer.tail, __ATOMIC_ACQUIRE);
		if (SPSC_SIZE - (head - r->producer.tail_seen) < n)
			return false;
	}
	spsc_copy_in(r, head, pages, n);
	/* pairs with the acquire in spsc_pop(): the slots are written before they are seen */
	__atomic_store_n(&r->producer.head, head + n, __ATOMIC_RELEASE);
	return true;
}

/* all of @n or nothing */
static inline bool spsc_pop(struct spsc *r, struct pp_page **pages, unsigned int n)
{
	unsigned int tail = r->consumer.tail;

	if (r->consumer.head_seen - tail < n) {
		r->consumer.head_seen = __atomic_load_n(&r->producer.head, __ATOMIC_ACQUIRE);
		if (r->consumer.head_seen - tail < n)
			return false;
	}
	spsc_copy_out(r, tail, pages, n);
	__atomic_store_n(&r->consumer.tail, tail + n, __ATOMIC_RELEASE);
	return true;
}

#endif /* PPBENCH_SPSC_H */
