/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/mempool.h - the ops pagepool and pagepool_debug */
#ifndef PP_DPDK_MEMPOOL_H
#define PP_DPDK_MEMPOOL_H

#include <rte_mempool.h>

extern const struct rte_mempool_ops mempool_plain_ops;
extern const struct rte_mempool_ops mempool_debug_ops;

#endif /* PP_DPDK_MEMPOOL_H */
