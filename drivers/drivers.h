/* SPDX-License-Identifier: BSD-3-Clause */
/* drivers.h - the drivers: each defines its operations, open.c has the table of them */
#ifndef PP_DRIVERS_H
#define PP_DRIVERS_H

#include "netdev/priv.h"

extern const struct pp_netdev_ops pp_null_ops;
extern const struct pp_netdev_ops pp_loop_ops;
extern const struct pp_netdev_ops pp_pcap_ops;
extern const struct pp_netdev_ops pp_af_xdp_ops;
extern const struct pp_netdev_ops pp_dpdk_ops;

/* A driver that is loaded, or linked, besides the library: NULL with errno and pp_error(). */
const struct pp_netdev_ops *pp_netdev_module(const char *driver);

#endif /* PP_DRIVERS_H */
