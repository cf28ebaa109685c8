/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/offers.c - requests by TX metadata that the device of a socket fulfils */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "xsk/genl.h"
#include "xsk/priv.h"

/* In copy mode it gets packets built of pages: Linux before 6.18 ignores their metadata. */
static bool is_virtio_net(uint32_t ifindex)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is = if_indextoname(ifindex, ifr.ifr_name) && !ioctl(fd, SIOCETHTOOL, &ifr) &&
		  !strcmp(info.driver, "virtio_net");

	if (fd >= 0)
		close(fd);
	return is;
}

uint32_t pp_xsk_tx_offers(int fd, uint32_t ifindex)
{
	uint64_t features = pp_xdp_dev_features((int)ifindex, NETDEV_A_DEV_XSK_FEATURES);
	uint32_t offers = 0;

	if (features & NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO)
		offers |= PP_XSK_TX_LAUNCH;
	if (!xsk_is_zerocopy(fd))
		return offers | PP_XSK_TX_TSTAMP | (is_virtio_net(ifindex) ? 0 : PP_XSK_TX_CSUM);
	if (features & NETDEV_XSK_FLAGS_TX_TIMESTAMP)
		offers |= PP_XSK_TX_TSTAMP;
	if (features & NETDEV_XSK_FLAGS_TX_CHECKSUM)
		offers |= PP_XSK_TX_CSUM;
	return offers;
}
