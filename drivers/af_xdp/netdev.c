/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/netdev.c - an interface's driver and the metadata of packets
 *
 * The kernel's netdev family of generic netlink tells. No answer, or one that does not parse,
 * counts as no feature.
 */
#include <string.h>
#include <sys/ioctl.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "af_xdp/genl.h"
#include "af_xdp/priv.h"
#include "xsk/uapi.h"

uint64_t pp_xdp_dev_features(int ifindex, uint16_t attribute)
{
	const struct pp_genl_attr index = { NETDEV_A_DEV_IFINDEX, sizeof(ifindex), &ifindex };
	struct pp_genl_answer answer;
	uint64_t features = 0;
	struct pp_genl g;

	if (pp_genl_open(&g))
		return 0;
	if (!pp_genl_ask(&g, NETDEV_CMD_DEV_GET, 0, &index, 1, &answer) &&
	    pp_genl_get(&answer.nl, attribute, &features, sizeof(features)))
		features = 0;
	pp_genl_close(&g);
	return features;
}

bool pp_xdp_builds_of_pages(const struct pp_iface *xif)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };

	memcpy(ifr.ifr_name, xif->name, sizeof(ifr.ifr_name));
	return !ioctl(xif->ctl, SIOCETHTOOL, &ifr) && !strcmp(info.driver, "virtio_net");
}
