/* SPDX-License-Identifier: BSD-3-Clause */
/* pcp_drain_impl.h - drain, over pcp_seize() and pcp_release(); then the policy's table */
#include "base/trace.h"
#include "stock/hand.h"

/* The coldest first, so that a drain which ends early leaves the owner the warm ones. */
static __always_inline long do_drain(struct stock *stock, struct pcp *pcp, uint32_t keep,
				     uint32_t timeout_us, const bool traced)
{
	struct pcp_wait wait = {
		.timeout_us = timeout_us,
		.want = READ_ONCE(pcp->capacity) - keep,
		.served = -1,
	};
	struct pcp_objs list = pcp_seize(pcp, &wait);
	uint32_t batch, most, k;
	uint64_t start = 0;
	long moved = 0;

	if (!list.obj)
		return wait.served >= 0 ? wait.served : -ETIMEDOUT;
	if (traced)
		start = cycles_now();
	batch = max(READ_ONCE(pcp->batch), 1u);
	most = (PCP_FLAGS)&PCP_WHOLE ? UINT32_MAX : batch;
	keep = (PCP_FLAGS)&PCP_SWITCHES ? 0 : keep;
	if ((PCP_FLAGS)&PCP_HANDS && !keep)
		moved = pcp_hand_over(stock, pcp);
	while (*list.count > keep && (uint32_t)moved < most) {
		k = keep ? list_to_area(stock, list, min(*list.count - keep, batch))
			 : list_top_to_area(stock, list, batch);
		if (!k)
			break;
		moved += k;
	}
	if (traced)
		start = cycles_now() - start;
	pcp_release(pcp, list);
	if (traced)
		trace_window(pcp->trace, start, (unsigned int)moved);
	return moved;
}
