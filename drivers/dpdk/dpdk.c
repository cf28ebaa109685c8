/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk.c - an ethdev of DPDK as a port
 *
 * The spec, the port's life, and its counters. dpdk/device.c has the ethdev, dpdk/pool.c the
 * mempools over page_pools, and dpdk/burst.c receiving and sending.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers.h"
#include "dpdk/priv.h"

/* ---- spec ------------------------------------------------------------------------------------ */

static int parse_queues(struct dpdk_dev *dd, const char *text, size_t len)
{
	char number[12];

	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	dd->want = (uint32_t)strtoul(number, NULL, 10);
	if (!len || len > 3 || number[strspn(number, "0123456789")] || !dd->want ||
	    dd->want > PP_QUEUES_MAX)
		return pp_set_error(EINVAL, "dpdk: queues=%.*s is not a number from 1 to %u",
				    (int)RTE_MIN(len, (size_t)64), text, PP_QUEUES_MAX);
	return 0;
}

/* two PMDs have an option of the same name and meaning, and must see it */
static bool keeps_queues(const char *devargs)
{
	return !strncmp(devargs, "net_vhost", 9) || !strncmp(devargs, "net_virtio_user", 15);
}

/* takes "queues=N" out; the rest goes to DPDK */
static int parse_spec(struct dpdk_dev *dd, const char *rest)
{
	const char *item, *end;
	bool given = false;
	char *to;
	int err;

	dd->want = 1;
	if (!*rest || *rest == ',')
		return pp_set_error(EINVAL, "dpdk: no device is named; write dpdk:net_null0, or "
					    "a PCI address");
	dd->devargs = to = calloc(1, strlen(rest) + 1);
	if (!to)
		return pp_set_error(ENOMEM, "dpdk: no memory for the port");
	for (item = rest; item; item = *end ? end + 1 : NULL) {
		end = strchrnul(item, ',');
		if (item != rest && !strncmp(item, "queues=", 7)) {
			if (given)
				return pp_set_error(EINVAL, "dpdk: option 'queues' is given "
							    "twice; keep one");
			given = true;
			err = parse_queues(dd, item + 7, (size_t)(end - item) - 7);
			if (err)
				return err;
			if (!keeps_queues(rest))
				continue;
		}
		to += sprintf(to, "%s%.*s", item == rest ? "" : ",", (int)(end - item), item);
	}
	return 0;
}

/* ---- the port's life ------------------------------------------------------------------------- */

static int dpdk_open(struct pp_netdev *dev, struct pp_args *args)
{
	struct dpdk_dev *dd = (struct dpdk_dev *)dev;
	int err;

	err = parse_spec(dd, pp_args_rest(args));
	if (err)
		return err;
	err = dpdk_enter(dd->devargs);
	if (err)
		return err;
	err = dpdk_device_open(dd);
	dpdk_leave();
	return err;
}

static void dpdk_stop(struct pp_netdev *dev)
{
	struct dpdk_dev *dd = (struct dpdk_dev *)dev;

	if (!dd->devargs || !dd->claimed || dpdk_enter(dd->devargs))
		return;
	dpdk_device_close(dd);
	dpdk_leave();
}

static void dpdk_close(struct pp_netdev *dev)
{
	struct dpdk_dev *dd = (struct dpdk_dev *)dev;

	dpdk_stop(dev);
	free(dd->devargs);
}

/* ---- counters -------------------------------------------------------------------------------- */

/*
 * The queues count received packets and missing pages. The device counts packets sent; its count is
 * final once it has stopped.
 */
static void dpdk_get_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	struct dpdk_dev *dd = (struct dpdk_dev *)dev;
	struct rte_eth_stats now = dd->last;
	uint64_t unsent;

	if (!dd->closed && rte_eth_stats_get(dd->port_id, &now))
		return;
	stats->rx_dropped += now.imissed;
	stats->errors += now.ierrors;
	if (!dd->closed || now.opackets >= stats->tx_packets)
		return;
	unsent = stats->tx_packets - now.opackets;
	stats->tx_packets = now.opackets;
	stats->tx_dropped += unsent;
}

const struct pp_netdev_ops pp_dpdk_ops = {
	.configure = dpdk_configure,
	.name = "dpdk",
	.dev_size = sizeof(struct dpdk_dev),
	.own_syntax = true,
	.open = dpdk_open,
	.stop = dpdk_stop,
	.close = dpdk_close,
	.get_stats = dpdk_get_stats,
};
