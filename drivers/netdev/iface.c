/* SPDX-License-Identifier: BSD-3-Clause */
/* iface.c - see iface.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <linux/sockios.h>

#include <pagepool/error.h>

#include "netdev/iface.h"
#include "netdev/priv.h"

void pp_iface_init(struct pp_iface *iface)
{
	memset(iface, 0, sizeof(*iface));
	iface->ctl = -1;
	iface->promisc = -1;
}

static int if_ioctls(int fd, struct pp_iface *iface)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, iface->name, sizeof(ifr.ifr_name));
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	if (!(ifr.ifr_flags & IFF_UP))
		return pp_set_error(ENETDOWN,
				    "interface %s is down; set it up first: ip link set dev %s up",
				    iface->name, iface->name);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return -errno;
	iface->mtu = (unsigned int)ifr.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	memcpy(iface->mac, ifr.ifr_hwaddr.sa_data, sizeof(iface->mac));
	return 0;
}

int pp_iface_query(const char *name, struct pp_iface *iface)
{
	int err;

	pp_iface_init(iface);
	if (strlen(name) < sizeof(iface->name))
		iface->index = (int)if_nametoindex(name);
	if (!iface->index)
		return pp_set_error(ENOENT,
				    "there is no interface %s in this network namespace; "
				    "\"ip link\" lists what there is",
				    name);
	strcpy(iface->name, name);

	iface->ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (iface->ctl < 0)
		return pp_set_error(errno, "cannot ask for the state of interface %s: %s", name,
				    strerror(errno));
	err = if_ioctls(iface->ctl, iface);
	if (err && err != -ENETDOWN)
		err = pp_set_error(-err, "cannot ask for the state of interface %s: %s", name,
				   strerror(-err));
	return err;
}

void pp_iface_promisc_end(struct pp_iface *iface)
{
	if (iface->promisc >= 0)
		close(iface->promisc);
	iface->promisc = -1;
}

void pp_iface_close(struct pp_iface *iface)
{
	pp_iface_promisc_end(iface);
	if (iface->ctl >= 0)
		close(iface->ctl);
	iface->ctl = -1;
}

/* A membership of a socket, not the interface's flag: the kernel counts those, and ends them. */
int pp_iface_promisc(struct pp_iface *iface)
{
	struct packet_mreq mreq = { .mr_ifindex = iface->index, .mr_type = PACKET_MR_PROMISC };
	int err, fd;

	/* protocol 0: the socket itself receives no packet */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq))) {
		err = -errno;
		close(fd);
		return err;
	}
	iface->promisc = fd;
	return 0;
}

enum pp_link pp_iface_look(const struct pp_iface *iface, struct pp_iface *now)
{
	struct ifreq ifr;

	*now = *iface;
	memset(&ifr, 0, sizeof(ifr));
	/* by number: a name may have gone to another interface meanwhile */
	ifr.ifr_ifindex = iface->index;
	if (ioctl(iface->ctl, SIOCGIFNAME, &ifr))
		return PP_LINK_GONE;
	memcpy(now->name, ifr.ifr_name, sizeof(now->name));
	if (!ioctl(iface->ctl, SIOCGIFMTU, &ifr))
		now->mtu = (unsigned int)ifr.ifr_mtu;
	if (ioctl(iface->ctl, SIOCGIFFLAGS, &ifr))
		return PP_LINK_GONE;
	return ifr.ifr_flags & IFF_UP ? PP_LINK_UP : PP_LINK_DOWN;
}

void pp_iface_link_seen(struct pp_iface *iface, enum pp_link link)
{
	int was = __atomic_load_n(&iface->link, __ATOMIC_RELAXED);

	do {
		if (was == (int)link || was == PP_LINK_GONE)
			return;
	} while (!__atomic_compare_exchange_n(&iface->link, &was, link, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	/* gone after down is one fall, not two */
	if (was == PP_LINK_UP)
		__atomic_fetch_add(&iface->downs, 1, __ATOMIC_RELAXED);
}

static unsigned int gone_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	return 0;
}

/* as on an unplugged cable */
static unsigned int gone_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	if (q->dev->chains)
		pp_packet_put(pages, n);
	else
		page_pool_put_bulk(pages, n);
	pp_stat_add(&q->stats.tx_dropped, n);
	return n;
}

const struct pp_queue_ops pp_iface_gone_ops = {
	.rx_burst = gone_rx,
	.tx_burst = gone_tx,
};

static int news_link(struct pp_iface *iface, enum pp_link link)
{
	static const char *const says[] = {
		[PP_LINK_UP] = "is up again",
		[PP_LINK_DOWN] = "is down: nothing is received, and what is sent waits",
		[PP_LINK_GONE] = "is gone, deleted or moved: this port is done",
	};

	if (link == iface->told)
		return 0;
	iface->told = link;
	return snprintf(iface->news, sizeof(iface->news), "interface %s %s", iface->name,
			says[link]);
}

static int news_mtu(struct pp_iface *iface, const struct pp_iface *now, uint32_t longest)
{
	unsigned int was = iface->mtu;

	if (now->mtu == was)
		return 0;
	iface->mtu = now->mtu;
	if (now->mtu + PP_ETH_OVERHEAD > longest)
		return snprintf(iface->news, sizeof(iface->news),
				"interface %s has MTU %u now, not %u: packets of more than %u "
				"bytes are dropped (rx_dropped)",
				now->name, now->mtu, was, longest);
	return snprintf(iface->news, sizeof(iface->news), "interface %s has MTU %u now, not %u",
			now->name, now->mtu, was);
}

static int news_name(struct pp_iface *iface, const struct pp_iface *now)
{
	char was[IFNAMSIZ];

	if (!strcmp(iface->name, now->name))
		return 0;
	memcpy(was, iface->name, sizeof(was));
	memcpy(iface->name, now->name, sizeof(iface->name));
	return snprintf(iface->news, sizeof(iface->news), "interface %s is named %s now", was,
			iface->name);
}

const char *pp_iface_event(struct pp_iface *iface, uint32_t longest)
{
	struct pp_iface now;
	enum pp_link link;

	if (iface->told == PP_LINK_GONE)
		return NULL;
	link = pp_iface_look(iface, &now);
	pp_iface_link_seen(iface, link);
	if (news_link(iface, link) || news_mtu(iface, &now, longest) || news_name(iface, &now))
		return iface->news;
	return NULL;
}
