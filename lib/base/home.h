/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * home.h - the mark of a page that a pool or a zone has
 *
 * It stands in next, so that a second put is refused. Only bit 0 counts: a page can be at home and
 * chained to another, see stock/signal.c and zone/buddy.h.
 */
#ifndef PP_HOME_H
#define PP_HOME_H

#include "base/internal.h"

#define NEXT_HOME ((struct pp_page *)~(uintptr_t)0)

static __always_inline bool page_is_home(const struct pp_page *page)
{
	return (uintptr_t)READ_ONCE(page->next) & 1;
}

#endif /* PP_HOME_H */
