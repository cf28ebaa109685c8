/* SPDX-License-Identifier: BSD-3-Clause */
/* iface.c - the interface's state, by ioctl(): a mounted sysfs may be another namespace's */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app.h"

static int query_state(struct iface *iface, int fd)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, iface->name, sizeof(iface->name));
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	if (!(ifr.ifr_flags & IFF_UP))
		return -ENETDOWN;
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return -errno;
	iface->mtu = (unsigned int)ifr.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	memcpy(iface->mac, ifr.ifr_hwaddr.sa_data, sizeof(iface->mac));
	iface->queues = pp_xsk_queues(iface->name);
	if (!iface->queues)
		iface->queues = 1;
	return 0;
}

int iface_query(struct iface *iface, const char *name)
{
	int fd, err;

	memset(iface, 0, sizeof(*iface));
	if (strlen(name) < sizeof(iface->name))
		iface->index = (int)if_nametoindex(name);
	if (!iface->index)
		return fail("there is no interface %s in this network namespace; \"ip link\" lists "
			    "what there is",
			    name);
	strcpy(iface->name, name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail("cannot ask for the state of %s: %s", name, strerror(errno));
	err = query_state(iface, fd);
	close(fd);
	if (err == -ENETDOWN)
		return fail("interface %s is down; set it up first: ip link set dev %s up", name,
			    name);
	if (err)
		return fail("cannot ask for the state of %s: %s", name, strerror(-err));
	return 0;
}

/* It may have been renamed, or moved to another namespace, where its sockets are of no use. */
bool iface_is_gone(const struct iface *iface)
{
	char name[IFNAMSIZ];

	return !if_indextoname((unsigned int)iface->index, name) && errno == ENXIO;
}
