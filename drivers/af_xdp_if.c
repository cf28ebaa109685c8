/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_if.c - the interface below an af_xdp port: what it is, and what becomes of it
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <pagepool/error.h>

#include "af_xdp_priv.h"

void pp_xdp_sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/*
 * Asks the device, not sysfs: a mounted sysfs shows the namespace that it was
 * mounted in, which need not be the one that this process is in.
 */
static unsigned int if_channels(int fd, struct ifreq *ifr)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	unsigned int rx, tx;

	ifr->ifr_data = (void *)&ch;
	if (ioctl(fd, SIOCETHTOOL, ifr))
		return 0;
	rx = ch.combined_count + ch.rx_count;
	tx = ch.combined_count + ch.tx_count;
	return rx < tx ? rx : tx;
}

static int if_ioctls(int fd, struct xdp_if *xif)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, xif->name, sizeof(ifr.ifr_name));
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	if (!(ifr.ifr_flags & IFF_UP))
		return pp_set_error(ENETDOWN,
				    "interface %s is down; set it up first: ip link set dev %s up",
				    xif->name, xif->name);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return -errno;
	xif->mtu = (unsigned int)ifr.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	memcpy(xif->mac, ifr.ifr_hwaddr.sa_data, sizeof(xif->mac));
	xif->channels = if_channels(fd, &ifr);
	return 0;
}

int pp_xdp_if_query(const char *name, struct xdp_if *xif)
{
	int err;

	memset(xif, 0, sizeof(*xif));
	xif->ctl = -1;
	if (!name || !name[0])
		return pp_set_error(EINVAL, "no interface given; write af_xdp:IF, for instance "
					    "af_xdp:eth0");
	if (strlen(name) < sizeof(xif->name))
		xif->index = (int)if_nametoindex(name);
	if (!xif->index)
		return pp_set_error(ENOENT,
				    "there is no interface %s in this network namespace; "
				    "\"ip link\" lists what there is",
				    name);
	strcpy(xif->name, name);

	xif->ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (xif->ctl < 0)
		return pp_set_error(errno, "cannot ask for the state of interface %s: %s", name,
				    strerror(errno));
	err = if_ioctls(xif->ctl, xif);
	if (err && err != -ENETDOWN)
		err = pp_set_error(-err, "cannot ask for the state of interface %s: %s", name,
				   strerror(-err));
	return err;
}

void pp_xdp_if_close(struct xdp_if *xif)
{
	if (xif->ctl >= 0)
		close(xif->ctl);
	xif->ctl = -1;
}

enum pp_link pp_xdp_if_look(const struct xdp_if *xif, struct xdp_if *now)
{
	struct ifreq ifr;

	*now = *xif;
	memset(&ifr, 0, sizeof(ifr));
	/* by number: a name may have gone to another interface meanwhile */
	ifr.ifr_ifindex = xif->index;
	if (ioctl(xif->ctl, SIOCGIFNAME, &ifr))
		return PP_LINK_GONE;
	memcpy(now->name, ifr.ifr_name, sizeof(now->name));
	if (!ioctl(xif->ctl, SIOCGIFMTU, &ifr))
		now->mtu = (unsigned int)ifr.ifr_mtu;
	if (ioctl(xif->ctl, SIOCGIFFLAGS, &ifr))
		return PP_LINK_GONE;
	return ifr.ifr_flags & IFF_UP ? PP_LINK_UP : PP_LINK_DOWN;
}

int pp_xdp_error(int err, const struct xdp_if *xif, const char *what)
{
	if (err == -EPERM || err == -EACCES)
		return pp_set_error(-err,
				    "no permission to %s for %s; run as root or with CAP_NET_RAW, "
				    "CAP_NET_ADMIN and CAP_BPF",
				    what, xif->name);
	return pp_set_error(-err, "cannot %s for %s: %s", what, xif->name, strerror(-err));
}
