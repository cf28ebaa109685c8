/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/turn.h - the owner enters its cache and ring, unless the pool is special */
#ifndef PP_POOL_TURN_H
#define PP_POOL_TURN_H

#include "pool/page_pool.h"

/* 0: something is special, and the turn has not begun: pool_enter_special(). */
static __always_inline uint32_t pool_enter(struct page_pool *pool)
{
	uint32_t turn = turn_begin(pool);

	/* pairs with the release in pool_open() */
	if (unlikely(load_acquire(&pool->special))) {
		turn_end_of(pool, turn);
		return 0;
	}
	if (!turn)
		__builtin_unreachable(); /* it is odd */
	return turn;
}

/* 0: it is closed: cache and ring must not be touched. */
uint32_t pool_enter_special(struct page_pool *pool);

static __always_inline uint32_t pool_enter_any(struct page_pool *pool)
{
	uint32_t turn = pool_enter(pool);

	return likely(turn) ? turn : pool_enter_special(pool);
}

/* A turn for the counters; true: cache and ring are open, too. */
static inline bool turn_begin_any(struct page_pool *pool)
{
	turn_begin(pool);
	if (unlikely(READ_ONCE(pool->special) & POOL_FENCED))
		full_barrier(); /* pairs with the one in pool_close() */
	/* pairs with the release in pool_open() */
	return !(load_acquire(&pool->special) & POOL_CLOSED);
}

#endif /* PP_POOL_TURN_H */
