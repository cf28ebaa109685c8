/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk/clone.h - bursts while the program has callbacks on the device's queue */
#ifndef PP_DPDK_CLONE_H
#define PP_DPDK_CLONE_H

#include "dpdk/priv.h"

/* the first callback of the queue, as rte_eth_rx_burst() finds it; NULL: none */
static inline void *dpdk_callbacks(const struct rte_ethdev_qdata *queues, uint16_t index)
{
	return __atomic_load_n((void **)&queues->clbk[index], __ATOMIC_ACQUIRE);
}

/* rte_eth_rx_burst() and rte_eth_tx_burst() for mbufs beside the zone, which callbacks may clone */
uint16_t dpdk_rx_called(struct dpdk_queue *dq, struct rte_mbuf **mbufs, uint16_t n) __rte_cold;
uint16_t dpdk_tx_called(struct dpdk_queue *dq, struct rte_mbuf **mbufs, uint16_t n) __rte_cold;

/* False: no callbacks, or net_af_xdp */
static __rte_always_inline bool dpdk_is_called(const struct dpdk_queue *dq,
					       const struct rte_ethdev_qdata *queues)
{
	return dpdk_callbacks(queues, (uint16_t)dq->q.index) && !dq->inside;
}

#endif /* PP_DPDK_CLONE_H */
