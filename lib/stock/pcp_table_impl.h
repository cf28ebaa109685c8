/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_table_impl.h - a policy's table: do_alloc_bulk, do_free_bulk and do_drain, each compiled
 * plain and traced; take_all and give_all; get_all and put_all. Twice: with OPS_FAULT allocations
 * may fail on purpose
 *
 * Needs the names that a policy file defines: PCP_POLICY, PCP_FLAGS, PCP_PROBE, PCP_COUNT,
 * PCP_WALK and PCP_RECOVER; see struct pcp_policy.
 */
#include "base/fault.h"

static unsigned int plain_alloc_bulk(struct stock *stock, void **objs, unsigned int n)
{
	return do_alloc_bulk(stock, objs, n, false);
}

static unsigned int traced_alloc_bulk(struct stock *stock, void **objs, unsigned int n)
{
	return do_alloc_bulk(stock, objs, n, true);
}

static unsigned int faulty_alloc_bulk(struct stock *stock, void **objs, unsigned int n)
{
	return zone_fault_hit(&stock->alloc_failures, n) ? 0 : do_alloc_bulk(stock, objs, n, false);
}

static unsigned int faulty_traced_alloc_bulk(struct stock *stock, void **objs, unsigned int n)
{
	return zone_fault_hit(&stock->alloc_failures, n) ? 0 : do_alloc_bulk(stock, objs, n, true);
}

static bool plain_free_bulk(struct stock *stock, void *const *objs, unsigned int n)
{
	return do_free_bulk(stock, objs, n, false);
}

static bool traced_free_bulk(struct stock *stock, void *const *objs, unsigned int n)
{
	return do_free_bulk(stock, objs, n, true);
}

static long plain_drain(struct stock *stock, struct pcp *pcp, uint32_t keep, uint32_t timeout_us)
{
	return do_drain(stock, pcp, keep, timeout_us, false);
}

static long traced_drain(struct stock *stock, struct pcp *pcp, uint32_t keep, uint32_t timeout_us)
{
	return do_drain(stock, pcp, keep, timeout_us, true);
}

static int depot_get(struct pp_depot *depot, void **objs, unsigned int n)
{
	return get_all(stock_of_depot(depot), objs, n);
}

static int depot_put(struct pp_depot *depot, void *const *objs, unsigned int n)
{
	return put_all(stock_of_depot(depot), objs, n);
}

static unsigned int zone_take_all(struct stock *stock, void **objs, unsigned int n,
				  stock_more_fn *more)
{
	return take_all(stock, objs, n, more);
}

static void zone_give_all(struct stock *stock, void *const *objs, unsigned int n)
{
	give_all(stock, objs, n);
}

#define PCP_PASTE_(a, b) a##b
#define PCP_PASTE(a, b)	 PCP_PASTE_(a, b)
#define PCP_STRING_(a)	 #a
#define PCP_STRING(a)	 PCP_STRING_(a)

const struct pcp_policy PCP_PASTE(pcp_, PCP_POLICY) = {
	.name = PCP_STRING(PCP_POLICY),
	.flags = PCP_FLAGS,
	.probe = PCP_PROBE,
	.count = PCP_COUNT,
	.walk = PCP_WALK,
	.recover = PCP_RECOVER,
	.zone = { zone_take_all, zone_give_all },
	.ops = {
		{ plain_alloc_bulk, plain_free_bulk, plain_drain, { depot_get, depot_put } },
		{ traced_alloc_bulk, traced_free_bulk, traced_drain, { NULL, NULL } },
		{ faulty_alloc_bulk, plain_free_bulk, plain_drain, { NULL, NULL } },
		{ faulty_traced_alloc_bulk, traced_free_bulk, traced_drain, { NULL, NULL } },
	},
};
