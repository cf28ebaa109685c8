/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/info.h - what a pool tells about itself */
#ifndef PP_POOL_INFO_H
#define PP_POOL_INFO_H

#include "pool/page_pool.h"

/* Pages that the pool could still get: at home in it, or with its zones. A gauge. */
uint64_t pool_available(const struct page_pool *pool);

#endif /* PP_POOL_INFO_H */
