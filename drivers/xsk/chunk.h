/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/chunk.h - chunks smaller than pages */
#ifndef PP_XSK_CHUNK_H
#define PP_XSK_CHUNK_H

#include "xsk/priv.h"

static inline uint64_t chunk_index(const struct pp_xsk *xsk, const struct pp_page *page,
				   uint32_t off)
{
	return ((uint64_t)(page - xsk->umem.table) << (xsk->umem.shift - xsk->chunk_shift)) +
	       (off >> xsk->chunk_shift);
}

static inline uint32_t chunk_bit(const struct pp_xsk *xsk, uint32_t off)
{
	return (uint32_t)1 << (off >> xsk->chunk_shift);
}

/* False: a ring has it already, or has the page as a whole. */
static inline bool chunk_claim(struct pp_page *page, uint32_t bit)
{
	uint32_t owner = xsk_mark(page);

	do {
		if (owner && ((owner & XSK_SHARED) != XSK_SHARED || owner & bit))
			return false;
	} while (!__atomic_compare_exchange_n(&page->owner, &owner, owner | XSK_SHARED | bit, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* the socket's records of chunks, for the rings that it has; -ENOMEM */
int pp_xsk_chunks_init(struct pp_xsk *xsk);

/* takes up to @want chunks from the pool and posts them; returns how many */
unsigned int pp_xsk_post_chunks(struct pp_xsk *xsk, unsigned int want);

/* the page of a chunk that the kernel gives back, by one of the socket's records, or NULL */
struct pp_page *pp_xsk_chunk_take(struct pp_xsk *xsk, uint16_t *chunks, uint64_t addr,
				  uint32_t *off, uint32_t *len);

/* returns the chunks of the records, and frees these; @unsent: out: chunks of the TX ring */
uint64_t pp_xsk_chunks_reclaim(struct pp_xsk *xsk, uint32_t *unsent);

#endif /* PP_XSK_CHUNK_H */
