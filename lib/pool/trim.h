/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/trim.h - a pool is closed to its owner, and emptied */
#ifndef PP_POOL_TRIM_H
#define PP_POOL_TRIM_H

#include "pool/page_pool.h"

/*
 * Cache and ring become the caller's, any thread, until pool_open(). 0, -ETIMEDOUT: the owner is
 * in the middle of something; -ENOTSUP: the barrier failed; -EDEADLK: by a handler of the owner.
 */
int pool_close(struct page_pool *pool, unsigned int timeout_us);
void pool_open(struct page_pool *pool);

/* What a zone asks of a live pool. */
extern const struct zone_client_ops pool_client_ops;

#endif /* PP_POOL_TRIM_H */
