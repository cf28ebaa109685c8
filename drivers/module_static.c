/* SPDX-License-Identifier: BSD-3-Clause */
/* module_static.c - the drivers that are modules elsewhere, for the static library */
#include <string.h>

#include "drivers.h"

extern const struct pp_netdev_ops pp_pcap_ops __attribute__((weak));
extern const struct pp_netdev_ops pp_dpdk_ops __attribute__((weak));

const struct pp_netdev_ops *pp_netdev_module(const char *driver)
{
	const struct pp_netdev_ops *ops = strcmp(driver, "pcap") ? &pp_dpdk_ops : &pp_pcap_ops;

	if (!ops)
		pp_set_error(ENOTSUP,
			     "driver '%s' is not in this static program; link it with "
			     "pkg-config --static --libs libpagepool-netdev-%s",
			     driver, driver);
	return ops;
}
