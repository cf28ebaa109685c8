/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/device.c - the ethdev below a port: probed, configured and started, and removed at the end
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "dpdk/pool.h"

#define RX_DESC	     512u
#define TX_DESC	     512u
#define LINK_TRIES   100u
#define LINK_WAIT_NS 20000000
#define RING_DRAIN   65536u /* more than the entries of net_ring's largest ring */

static bool ports_used[RTE_MAX_ETHPORTS]; /* under the lock of dpdk_enter() */

/* ---- bursts ---------------------------------------------------------------------------------- */

/* a device without done_cleanup reaps when it sends, also when it sends nothing */
static unsigned int dpdk_tx_clean(struct pp_queue *q)
{
	struct dpdk_queue *dq = (struct dpdk_queue *)q;
	struct rte_mbuf *none[1] = { NULL };
	int n = 0;

	dpdk_free_begin(dq);
	if (dq->reaps)
		n = rte_eth_tx_done_cleanup(dq->port_id, (uint16_t)q->index, 0);
	else
		rte_eth_tx_burst(dq->port_id, (uint16_t)q->index, none, 0);
	dpdk_free_end(dq);
	if (unlikely(n < 0)) {
		dq->reaps = n != -ENOTSUP;
		return 0;
	}
	return (unsigned int)n;
}

static const struct pp_queue_ops dpdk_queue_ops = {
	.rx_burst = dpdk_rx_burst,
	.tx_burst = dpdk_tx_burst,
	.tx_clean = dpdk_tx_clean,
};

/* ---- open ------------------------------------------------------------------------------------ */

static int dpdk_error(const struct dpdk_dev *dd, int err, const char *what)
{
	const char *said = dpdk_said();

	return pp_set_error(err > 0 ? err : EIO, "dpdk: %s: %s: %s%s%s%s", dd->devargs, what,
			    rte_strerror(err), *said ? " (" : "", said, *said ? ")" : "");
}

/* takes the first ethdev of the device, unless another port has it */
static int claim_port(struct dpdk_dev *dd)
{
	struct rte_dev_iterator it;
	uint16_t id;

	RTE_ETH_FOREACH_MATCHING_DEV(id, dd->devargs, &it)
	{
		rte_eth_iterator_cleanup(&it);
		if (ports_used[id])
			return pp_set_error(EBUSY, "dpdk: %s: is open already; name another device",
					    dd->devargs);
		dd->port_id = id;
		dd->claimed = ports_used[id] = true;
		return 0;
	}
	return pp_set_error(ENODEV, "dpdk: %s: this device is not an Ethernet port", dd->devargs);
}

static int probe_device(struct dpdk_dev *dd, struct rte_eth_dev_info *info)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	bool existed;
	uint16_t id;
	int err;

	/* some PMDs take new arguments when an existing device is probed again */
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(dd->devargs, ","), dd->devargs);
	err = rte_eth_dev_get_port_by_name(name, &id) ? -rte_dev_probe(dd->devargs) : EEXIST;
	if (err == EFAULT || err == EPERM)
		err = ENODEV; /* no driver knows the name; PMDs give the same for other reasons */
	if (err && err != EEXIST)
		return dpdk_error(dd, err, "no such device, or its driver refuses it");
	existed = err == EEXIST;
	err = claim_port(dd);
	if (err) {
		if (!existed)
			rte_eal_hotplug_remove("vdev", name);
		return err;
	}
	err = -rte_eth_dev_info_get(dd->port_id, info);
	if (err)
		return dpdk_error(dd, err, "the driver does not describe it");
	dd->device = info->device;
	return 0;
}

/* maps the zone for devices that access it; virtual devices copy */
static int map_memory(struct dpdk_dev *dd)
{
	struct pp_zone *zone = dd->dev.params.zone;
	void *base = pp_zone_base(zone);

	dd->slots = dpdk_zone_get(zone);
	if (!dd->slots)
		return -errno;
	if (!strcmp(rte_bus_name(rte_dev_bus(dd->device)), "vdev"))
		return 0;
	if (rte_eal_iova_mode() != RTE_IOVA_VA)
		return pp_set_error(ENOTSUP,
				    "dpdk: %s: EAL uses physical addresses, and a zone has virtual "
				    "ones; add --iova-mode=va to --eal, with an IOMMU and vfio-pci",
				    dd->devargs);
	if (!rte_dev_dma_map(dd->device, base, (uint64_t)(uintptr_t)base, dpdk_zone_span(zone)))
		dd->mapped = true;
	else if (rte_errno != ENOTSUP)
		return dpdk_error(dd, rte_errno, "the zone's memory cannot be mapped");
	return 0;
}

static int configure_device(struct dpdk_dev *dd, const struct rte_eth_dev_info *info,
			    uint16_t *rx_desc, uint16_t *tx_desc)
{
	struct rte_eth_conf conf = { 0 };
	uint16_t n = (uint16_t)dd->want;
	int err;

	if (n > info->max_rx_queues || n > info->max_tx_queues)
		return pp_set_error(EINVAL,
				    "dpdk: %s: queues=%u, and it has %u to receive and %u "
				    "to send; ask for fewer",
				    dd->devargs, n, info->max_rx_queues, info->max_tx_queues);
	if (n > 1 && info->flow_type_rss_offloads) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	/* holds for each mbuf sent: one mempool, one reference */
	conf.txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	/* a frame longer than a page's room comes in several mbufs, or not at all */
	conf.rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	err = -rte_eth_dev_configure(dd->port_id, n, n, &conf);
	if (!err)
		err = -rte_eth_dev_adjust_nb_rx_tx_desc(dd->port_id, rx_desc, tx_desc);
	return err ? dpdk_error(dd, err, "cannot be configured") : 0;
}

/* @inside: net_af_xdp takes the mempool for a UMEM, and looks for mbufs where the frames are */
static void place_mbufs(struct dpdk_queue *dq, struct dpdk_dev *dd, bool inside)
{
	struct pp_zone *zone = dd->dev.params.zone;
	uint32_t size = pp_zone_page_size(zone), headroom = pp_zone_headroom(zone), more;
	struct dpdk_map *map = &dq->map;
	unsigned int shift;

	dq->inside = inside;
	dq->shift = (uint8_t)__builtin_ctz(size);
	shift = inside ? dq->shift : DPDK_SLOT_SHIFT;
	map->mbufs = inside ? (uintptr_t)pp_zone_base(zone) + DPDK_OBJ_HEADER
			    : (uintptr_t)dd->slots + DPDK_SLOT_MBUF;
	map->span = pp_zone_pages(zone) << shift;
	map->ratio = shift - (unsigned int)__builtin_ctz(sizeof(struct pp_page));
	map->zero = map->mbufs - ((uintptr_t)pp_zone_page_table(zone) << map->ratio);
	map->room = RTE_MIN(size, (uint32_t)UINT16_MAX);
	map->least = inside ? DPDK_INSIDE : 0;
	more = RTE_MAX(headroom, map->least + RTE_PKTMBUF_HEADROOM) - map->least -
	       RTE_PKTMBUF_HEADROOM;
	map->front = map->least + RTE_ALIGN(more, RTE_MBUF_PRIV_ALIGN);
	if (!inside && map->room - map->front >= DPDK_COLORED)
		map->colors = PP_COLORS;
}

static int add_queue(struct dpdk_dev *dd, const struct rte_eth_dev_info *info, uint16_t rx_desc,
		     uint16_t tx_desc)
{
	struct dpdk_queue *dq;
	uint16_t i;
	int err;

	dq = (struct dpdk_queue *)pp_netdev_add_queue(&dd->dev, sizeof(*dq), &dpdk_queue_ops);
	if (!dq)
		return -errno;
	place_mbufs(dq, dd, !strcmp(info->driver_name, "net_af_xdp"));
	dq->port_id = dd->port_id;
	dq->reaps = true;
	err = dpdk_pool_create(dq);
	if (err)
		return err;
	i = (uint16_t)dq->q.index;
	err = -rte_eth_rx_queue_setup(dd->port_id, i, rx_desc, SOCKET_ID_ANY, NULL, dq->mp);
	if (!err)
		err = -rte_eth_tx_queue_setup(dd->port_id, i, tx_desc, SOCKET_ID_ANY, NULL);
	return err ? dpdk_error(dd, err, "a queue cannot be set up") : 0;
}

/* a link may stay down: it may come up later, and some devices do not report it */
static bool wait_for_link(const struct dpdk_dev *dd, struct rte_eth_link *link)
{
	const struct timespec wait = { .tv_nsec = LINK_WAIT_NS };
	unsigned int i;

	for (i = 0; i < LINK_TRIES; i++) {
		if (rte_eth_link_get_nowait(dd->port_id, link))
			return false;
		if (link->link_status == RTE_ETH_LINK_UP)
			return true;
		nanosleep(&wait, NULL);
	}
	return false;
}

static int start_device(struct dpdk_dev *dd)
{
	int err = -rte_eth_dev_start(dd->port_id);

	if (err)
		return dpdk_error(dd, err, "does not start");
	dd->started = true;
	err = -rte_eth_promiscuous_enable(dd->port_id);
	if (err && err != ENOTSUP && err != ENOSYS)
		return dpdk_error(dd, err, "cannot receive promiscuously");
	rte_eth_stats_reset(dd->port_id);
	return 0;
}

static void describe_device(struct dpdk_dev *dd, const struct rte_eth_dev_info *info,
			    unsigned int rx_desc, unsigned int tx_desc)
{
	struct rte_eth_link link = { 0 };
	struct rte_ether_addr mac;
	bool up = wait_for_link(dd, &link);

	if (!rte_eth_macaddr_get(dd->port_id, &mac))
		memcpy(dd->dev.mac, mac.addr_bytes, sizeof(dd->dev.mac));
	snprintf(dd->dev.info, sizeof(dd->dev.info),
		 "%s, %u queue%s of %u and %u descriptors, link %s", info->driver_name, dd->want,
		 dd->want == 1 ? "" : "s", rx_desc, tx_desc, up ? "up" : "down");
}

int dpdk_device_open(struct dpdk_dev *dd)
{
	uint16_t rx_desc = RX_DESC, tx_desc = TX_DESC;
	struct rte_eth_dev_info info;
	unsigned int i;
	int err;

	err = probe_device(dd, &info);
	if (!err)
		err = map_memory(dd);
	if (!err)
		err = configure_device(dd, &info, &rx_desc, &tx_desc);
	for (i = 0; !err && i < dd->want; i++)
		err = add_queue(dd, &info, rx_desc, tx_desc);
	if (!err)
		err = start_device(dd);
	if (!err)
		describe_device(dd, &info, rx_desc, tx_desc);
	return err;
}

/* ---- close ----------------------------------------------------------------------------------- */

static void drain_ring(struct pp_queue *q)
{
	const struct pp_netdev_stats before = q->stats;
	struct pp_page *pages[32];
	unsigned int n, all;

	page_pool_enable_direct_recycling(q->pool);
	for (all = 0; all < RING_DRAIN; all += n) {
		n = dpdk_rx_burst(q, pages, 32);
		if (!n)
			break;
		page_pool_put_bulk(pages, n);
	}
	/* no engine has received them */
	q->stats = before;
	pp_stat_add(&q->stats.rx_dropped, all);
}

/* net_ring frees its rings and not the mbufs in them */
static bool is_ring(const struct dpdk_dev *dd)
{
	struct rte_eth_dev_info info;

	return !rte_eth_dev_info_get(dd->port_id, &info) && !strcmp(info.driver_name, "net_ring");
}

/* pages in a ring that two ports share are left for the other port */
static void close_device(struct dpdk_dev *dd)
{
	bool ring = dd->claimed && is_ring(dd);
	unsigned int i;

	for (i = 0; dd->started && ring && i < dd->dev.nqueues; i++)
		drain_ring(dd->dev.queues[i]);
	if (dd->started) {
		rte_eth_dev_stop(dd->port_id);
		rte_eth_stats_get(dd->port_id, &dd->last);
		dd->closed = true;
	}
	dd->started = false;
	if (!dd->claimed)
		return;
	rte_eth_dev_close(dd->port_id);
	ports_used[dd->port_id] = false;
	dd->claimed = false;
	for (i = 0; i < dd->dev.nqueues; i++)
		dpdk_pool_reclaim((struct dpdk_queue *)dd->dev.queues[i]);
}

void dpdk_device_close(struct dpdk_dev *dd)
{
	struct pp_zone *zone = dd->dev.params.zone;
	void *base = pp_zone_base(zone);
	unsigned int i;

	close_device(dd);
	if (dd->mapped)
		rte_dev_dma_unmap(dd->device, base, (uint64_t)(uintptr_t)base,
				  dpdk_zone_span(zone));
	dd->mapped = false;
	if (dd->device)
		rte_dev_remove(dd->device);
	dd->device = NULL;
	for (i = 0; i < dd->dev.nqueues; i++)
		dpdk_pool_free((struct dpdk_queue *)dd->dev.queues[i]);
	if (dd->slots)
		dpdk_zone_put(zone);
	dd->slots = NULL;
}
