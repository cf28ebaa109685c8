/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/put.h - pages come back */
#ifndef PP_POOL_PUT_H
#define PP_POOL_PUT_H

#include "pool/page_pool.h"

/* The only reference of the pool's is gone, or never was more than one: recycle or release. */
void pool_recycle_last(struct page_pool *pool, struct pp_page *page);

/* The verbs of pool_page_ops. */
void pool_last_put(struct pp_page *page);
void pool_put_twice(struct page_pool *pool);

#endif /* PP_POOL_PUT_H */
