/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/ended.h - the list of pools that ended while pages are out */
#ifndef PP_POOL_ENDED_H
#define PP_POOL_ENDED_H

#include "pool/page_pool.h"

/* A pool that ended while pages were out. */
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

#endif /* PP_POOL_ENDED_H */
