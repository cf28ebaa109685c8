/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/af_xdp.c - ports on AF_XDP sockets: a zone's memory is the UMEM
 *
 * Each queue has a socket with its own registration of the whole zone. So the queues of all ports
 * share one memory, frames travel between them, and each may come and go by itself, which the
 * sockets of a shared UMEM cannot. A queue's rings are the engine's (xsk/), as for programs that
 * own their sockets.
 *
 * The fill ring is twice the RX ring, and the port posts no more frames than the RX ring holds in
 * copy mode: the kernel shows a received frame before it shows the slot of the fill ring that it
 * came from, so that a fill ring without slack looks full at times.
 */
#include <stdio.h>
#include <string.h>

#include "drivers.h"
#include "af_xdp/port.h"

#define XDP_CHUNK_MIN	  2048u /* the kernel's limits */
#define XDP_CHUNK_MAX	  4096u
#define XDP_HEADROOM	  256u /* the kernel's own, in front of the zone's */
#define XDP_CHUNK_RESERVE 704u /* a chunk has at least this beside the zone's headroom */

#define XDP_FLUSH_MS 100u /* that all queues of a stopped port have to send their packets */

static void xdp_get_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	unsigned int i;

	for (i = 0; i < dev->nqueues; i++)
		pp_xdp_queue_stats(to_xdp(dev->queues[i]), stats);
	stats->link_downs += __atomic_load_n(&xd->xif.downs, __ATOMIC_RELAXED);
}

static void xdp_stop(struct pp_netdev *dev)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	struct xdp_queue *x;
	unsigned int i, ms = XDP_FLUSH_MS;

	for (i = 0; i < dev->nqueues && xd->prog; i++)
		pp_xdp_prog_unset(xd->prog, xd->first + i);
	for (i = 0; i < dev->nqueues; i++) {
		x = to_xdp(dev->queues[i]);
		if (x->xsk && x->s.fd >= 0)
			ms = pp_xdp_flush(x, ms);
	}
	/* the NAPI of a veth goes with the program */
	for (i = 0; i < dev->nqueues; i++)
		pp_napi_close(&to_xdp(dev->queues[i])->napi);
	pp_xdp_prog_put(xd->prog);
	xd->prog = NULL;
	pp_iface_promisc_end(&xd->xif);
	pp_offload_close(xd->offload);
	xd->offload = NULL;
	for (i = 0; i < dev->nqueues; i++)
		pp_xdp_close_queue(to_xdp(dev->queues[i]));
}

static void xdp_close(struct pp_netdev *dev)
{
	unsigned int i;

	xdp_stop(dev);
	for (i = 0; i < dev->nqueues; i++)
		pp_xsk_destroy(to_xdp(dev->queues[i])->xsk);
	pp_spread_close(to_xdp_dev(dev)->spread);
	pp_iface_close(&to_xdp_dev(dev)->xif);
	pthread_mutex_destroy(&to_xdp_dev(dev)->lock);
}

/* chunks lie in pages, from their first byte on */
static int xdp_check_pages(struct xdp_dev *xd, uint32_t headroom)
{
	uint32_t size = pp_zone_page_size(xd->dev.params.zone);

	if (size < XDP_CHUNK_MIN || (size > XDP_CHUNK_MAX && !xd->unaligned))
		return pp_set_error(EINVAL, "AF_XDP takes pages of %u or %u bytes, not %u%s",
				    XDP_CHUNK_MIN, XDP_CHUNK_MAX, size,
				    size > XDP_CHUNK_MAX ? "; take chunks=unaligned for larger ones"
							 : "");
	xd->chunk = size < XDP_CHUNK_MAX ? size : XDP_CHUNK_MAX;
	if (headroom > xd->chunk - XDP_CHUNK_RESERVE)
		return pp_set_error(EINVAL,
				    "a headroom of %u bytes is more than AF_XDP allows in pages of "
				    "%u, which is %u",
				    headroom, size, xd->chunk - XDP_CHUNK_RESERVE);
	return 0;
}

/* refuses settings that would fail late, or lose packets without failing */
static int xdp_check(struct xdp_dev *xd)
{
	const struct pp_iface *xif = &xd->xif;
	uint32_t headroom = pp_zone_headroom(xd->dev.params.zone), size;
	int err = xdp_check_pages(xd, headroom);

	if (err)
		return err;
	size = xd->chunk;
	xd->longest = size - XDP_HEADROOM - headroom;
	if (xd->how.frags)
		xd->longest = PP_PACKET_PAGES_MAX * xd->longest;
	if (xif->mtu + PP_ETH_OVERHEAD > xd->longest)
		return pp_set_error(
			EMSGSIZE,
			"%s has MTU %u, frames of up to %u bytes, and a page of %u "
			"holds %u; %stake sg=on, or set the MTU: ip link set dev %s mtu %u",
			xif->name, xif->mtu, xif->mtu + PP_ETH_OVERHEAD, size, xd->longest,
			size < 4096 ? "take pages of 4096, " : "", xif->name,
			xd->longest - PP_ETH_OVERHEAD);
	if (xif->channels && xd->first + xd->nqueues > xif->channels)
		return pp_set_error(
			EINVAL, "%s has no queue %u: it has %u, numbered from 0 (ethtool -l %s)",
			xif->name, xd->first + xd->nqueues - 1, xif->channels, xif->name);
	return 0;
}

static const char *xdp_mode_name(const struct xdp_dev *xd)
{
	if (!xd->prog)
		return "passed socket";
	if (xd->prog->mode == PP_XDP_OTHERS)
		return "program that was there";
	return xd->prog->mode == PP_XDP_SKB ? "skb" : "native";
}

static void xdp_describe(struct xdp_dev *xd)
{
	const char *note = xd->busy_poll_note, *csum = xd->csum_note, *tstamp = xd->tstamp_note;
	const char *offloads = pp_offload_brief(xd->offload);
	const char *fallback = xd->prog ? xd->prog->fallback : "";
	char meta[80] = "", asked[32], offered[32];

	if (xd->how.rx_meta)
		snprintf(meta, sizeof(meta), ", rx_meta %s of %s",
			 pp_xdp_rx_meta_words(xd->how.rx_meta, asked, sizeof(asked)),
			 pp_xdp_rx_meta_words(xd->rx_meta_offered, offered, sizeof(offered)));
	snprintf(xd->dev.info, sizeof(xd->dev.info),
		 "%s%s%s%s, %s, %u queue%s%s%s%s%s%s%s%s%s%s%s%s", xdp_mode_name(xd),
		 fallback[0] ? " (" : "", fallback, fallback[0] ? ")" : "",
		 xd->is_zerocopy ? "zero-copy" : "copy", xd->nqueues, xd->nqueues == 1 ? "" : "s",
		 note ? ", " : "", note ? note : "", csum ? ", " : "", csum ? csum : "",
		 tstamp ? ", " : "", tstamp ? tstamp : "", xd->promisc_note, meta,
		 xd->how.vlan_insert ? ", tags inserted" : "", offloads[0] ? "; " : "", offloads);
}

/*
 * Asks for promiscuous mode, as every other kind of port does. A process that was given a socket
 * may lack the right. Then the port goes on with the packets that the interface lets through,
 * unless promisc=on.
 */
static int xdp_promisc(struct xdp_dev *xd)
{
	int err;

	xd->promisc_note = "";
	if (xd->promisc == PROMISC_OFF)
		return 0;
	err = pp_iface_promisc(&xd->xif);
	if (!err)
		xd->promisc_note = ", promiscuous";
	else if (xd->promisc == PROMISC_ON)
		return pp_xdp_error(err, &xd->xif, "have promiscuous mode");
	else
		xd->promisc_note = ", not promiscuous: no right to ask for it";
	return 0;
}

static int xdp_find_iface(struct xdp_dev *xd, struct pp_args *args)
{
	const char *name = pp_args_positional(args);
	int err;

	if (!name || !name[0])
		return pp_set_error(EINVAL, "no interface given; write af_xdp:IF, for instance "
					    "af_xdp:eth0");
	err = pp_iface_query(name, &xd->xif);
	if (!err)
		err = pp_spread_open(&xd->spread, &xd->xif, &xd->spread_how);
	if (err)
		return err;
	xd->xif.channels = pp_xsk_queues(name);
	xd->xif.prog_there = xd->how.map;
	memcpy(xd->dev.mac, xd->xif.mac, sizeof(xd->dev.mac));
	if (xd->tx_launch && !(pp_xdp_dev_features(xd->xif.index, NETDEV_A_DEV_XSK_FEATURES) &
			       NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO))
		return pp_set_error(EOPNOTSUPP,
				    "the driver of %s sends no packet at a given time "
				    "(tx-launch-time-fifo of xsk-features); leave tx_launch out",
				    name);
	return xdp_check(xd);
}

/* Comes before the sockets: until they are in its map, the program passes all packets on. */
static int xdp_attach(struct xdp_dev *xd)
{
	int err;

	if (xd->socket_fd >= 0)
		return 0;
	err = pp_xdp_rx_meta_check(&xd->xif, &xd->how, &xd->rx_meta_offered);
	if (err)
		return err;
	xd->prog = pp_xdp_prog_get(&xd->xif, &xd->how);
	if (!xd->prog)
		return -errno;
	if (xd->zerocopy == ZC_ON && xd->prog->mode == PP_XDP_SKB)
		return pp_set_error(EOPNOTSUPP,
				    "zerocopy=on needs native XDP, not to be had on %s: %s",
				    xd->xif.name, xd->prog->fallback);
	return 0;
}

static int xdp_open(struct pp_netdev *dev, struct pp_args *args)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	unsigned int i;
	int err;

	/* close() comes after a failed open, and 0 is a descriptor */
	pp_iface_init(&xd->xif);
	pthread_mutex_init(&xd->lock, NULL);
	err = pp_xdp_parse(xd, args);
	if (!err)
		err = xdp_find_iface(xd, args);
	if (!err)
		err = xdp_attach(xd);
	for (i = 0; !err && i < xd->nqueues; i++)
		err = pp_xdp_open_queue(xd, xd->first + i);
	if (!err)
		err = xdp_promisc(xd);
	if (err)
		return err;
	xd->offload = pp_offload_open(&xd->xif, xd->fix_offloads,
				      (xd->tx_csum != CSUM_OFF ? CSUM_BITS : 0) |
					      (xd->how.vlan_insert ? VLAN_BITS : 0));
	xdp_describe(xd);
	return 0;
}

const struct pp_netdev_ops pp_af_xdp_ops = {
	.name = "af_xdp",
	.dev_size = sizeof(struct xdp_dev),
	.keeps = true,
	.open = xdp_open,
	.stop = xdp_stop,
	.close = xdp_close,
	.event = pp_xdp_event,
	.get_stats = xdp_get_stats,
};
