/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_if.c - the interface below an af_xdp port: what it is, and what becomes of it
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
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

static uint64_t caps_effective(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &header, data))
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/* "CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF": what the port needs and the process lacks */
static unsigned int caps_missing(const struct xdp_if *xif, char *text, size_t len)
{
	static const struct {
		unsigned int cap;
		const char *name;
	} needs[] = {
		{ CAP_NET_RAW, "CAP_NET_RAW" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_BPF, "CAP_BPF" },
	};
	unsigned int i, missing[3], nmissing = 0, total = xif->prog_there ? 1 : 3;
	uint64_t has = caps_effective();
	const char *sep;
	size_t at = 0;

	if (has >> CAP_SYS_ADMIN & 1)
		has |= 1ull << CAP_BPF; /* the kernel takes the one for the other */
	for (i = 0; i < total; i++)
		if (!(has >> needs[i].cap & 1))
			missing[nmissing++] = i;
	text[0] = '\0';
	for (i = 0; i < nmissing; i++) {
		sep = i + 1 < nmissing ? ", " : " and ";
		at += (size_t)snprintf(text + at, len - at, "%s%s", i ? sep : "",
				       needs[missing[i]].name);
	}
	return nmissing;
}

int pp_xdp_error(int err, const struct xdp_if *xif, const char *what)
{
	char caps[64];

	if ((err == -EPERM || err == -EACCES) && caps_missing(xif, caps, sizeof(caps)))
		return pp_set_error(-err, "no permission to %s for %s; run as root, or add %s",
				    what, xif->name, caps);
	if (err == -EPERM || err == -EACCES)
		return pp_set_error(-err,
				    "no permission to %s for %s, with the capabilities for it; run "
				    "outside of user namespaces, seccomp filters and the like",
				    what, xif->name);
	return pp_set_error(-err, "cannot %s for %s: %s", what, xif->name, strerror(-err));
}
