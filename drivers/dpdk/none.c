/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk/none.c - built without DPDK */
#include "netdev/priv.h"

int pp_netdev_dpdk_eal(const char *args)
{
	return pp_set_error(ENOTSUP, "driver 'dpdk' was not built in; install DPDK 22.11 "
				     "(libdpdk-dev) and build again");
}
