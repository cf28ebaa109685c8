/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/queues.c - how many sockets an interface has room for */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <pagepool/xsk.h>

/* Asks the device, not sysfs, which may show another namespace: the one that it was mounted in. */
unsigned int pp_xsk_queues(const char *ifname)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (void *)&ch };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned int rx, tx;
	int err = -1;

	if (strlen(ifname) < sizeof(ifr.ifr_name)) {
		strcpy(ifr.ifr_name, ifname);
		err = ioctl(fd, SIOCETHTOOL, &ifr);
	}
	if (fd >= 0)
		close(fd);
	if (err)
		return 0;
	rx = ch.combined_count + ch.rx_count;
	tx = ch.combined_count + ch.tx_count;
	return rx < tx ? rx : tx;
}
