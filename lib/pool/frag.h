/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/frag.h - several buffers from one page */
#ifndef PP_POOL_FRAG_H
#define PP_POOL_FRAG_H

#include "pool/page_pool.h"

/* The page that fragments are cut from is not ours any more. */
void pool_drop_frag_page(struct page_pool *pool);

#endif /* PP_POOL_FRAG_H */
