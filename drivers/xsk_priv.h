/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk_priv.h - between xsk.c (set up, the end) and xsk_ring.c (every round)
 */
#ifndef PP_XSK_PRIV_H
#define PP_XSK_PRIV_H

#include <pagepool/xsk.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define XSK_REAP 64u /* pages brought home at once */

/* Relaxed: the walk in pp_xsk_fini() reads the marks of other sockets' frames as they run. */
static inline uint32_t xsk_mark(const struct pp_page *page)
{
	return __atomic_load_n(&page->owner, __ATOMIC_RELAXED);
}

static inline void xsk_set_mark(struct pp_page *page, uint32_t mark)
{
	__atomic_store_n(&page->owner, mark, __ATOMIC_RELAXED);
}

/* one writer, readers anywhere */
static inline void xsk_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void xsk_add(uint32_t *gauge, uint32_t n)
{
	__atomic_store_n(gauge, *gauge + n, __ATOMIC_RELAXED);
}

/* marks that no other socket of the process has */
void pp_xsk_marks(struct pp_xsk *xsk);

#endif /* PP_XSK_PRIV_H */
