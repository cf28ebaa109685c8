/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * one.h - one object into this core's cache, or out of it, without a call
 *
 * For the mempool plugin alone, and depots of policy rseq: most programs free one packet at a time,
 * and a call for each would cost more than rte_mempool's inline cache. The plugin is linked with
 * the library's archive, so that both are of one build.
 */
#ifndef PP_DEPOT_ONE_H
#define PP_DEPOT_ONE_H

#include <rseq_ops.h>

#include <pagepool/depot.h>

#include "stock/stock.h"

/* False: full or closed; take pp_depot_put_bulk(). */
static __always_inline bool depot_put_one(struct pp_depot *depot, void *const *obj)
{
	asm_releases(depot);
	return rseq_push(stock_of_depot(depot), obj, 1);
}

/* False: empty; take pp_depot_get_bulk(). */
static __always_inline bool depot_get_one(struct pp_depot *depot, void **obj)
{
	bool got = rseq_pop(stock_of_depot(depot), obj, 1);

	asm_acquired(depot);
	return got;
}

#endif /* PP_DEPOT_ONE_H */
