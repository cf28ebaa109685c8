/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk_mempool/telemetry.h - /pagepool/... for dpdk-telemetry.py */
#ifndef PP_DPDK_MEMPOOL_TELEMETRY_H
#define PP_DPDK_MEMPOOL_TELEMETRY_H

void mempool_telemetry_register(void);

#endif /* PP_DPDK_MEMPOOL_TELEMETRY_H */
