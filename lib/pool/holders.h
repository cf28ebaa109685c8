/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/holders.h - the thread and the place that took a page */
#ifndef PP_POOL_HOLDERS_H
#define PP_POOL_HOLDERS_H

#include "pool/page_pool.h"

/* Write down the thread that took @pages, the place and the time; and forget it. */
void pool_tag(struct pp_page *const *pages, unsigned int n, const void *site);
void pool_untag(struct pp_page *const *pages, unsigned int n);

#define PP_REPORT_HOLDERS 16u
unsigned int pool_find_holders(const struct page_pool *pool, struct pp_holder *out, unsigned int n,
			       uint64_t *ages, uint64_t *in_drivers);

/* Which threads have a pool's pages; pages of more threads than there is room for are @others. */
#define POOL_THREADS 16u
struct pool_threads {
	unsigned int n;
	uint64_t others;
	uint64_t in_drivers; /* of all these pages */
	struct {
		uint64_t thread; /* 0: unknown */
		uint64_t pages;
		uint64_t oldest_ns;
	} of[POOL_THREADS];
};
void pool_threads(struct pool_threads *threads, const struct page_pool *pool);

#endif /* PP_POOL_HOLDERS_H */
