/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap.c - ports on capture files, and on live interfaces through libpcap
 *
 * Times are nanoseconds throughout.
 */
#include "drivers.h"
#include "pcap/priv.h"

#define SNAPLEN_MIN 14u

static int check_options(const struct pcap_dev *pd, bool loop, bool snaplen, bool only)
{
	if (pd->iface && (pd->rx_file || pd->tx_file || loop || snaplen || only))
		return pp_set_error(EINVAL,
				    "pcap: iface=%s takes filter= and promisc= only; rx, tx, "
				    "loop, snaplen and only are for files",
				    pd->iface);
	if (!pd->iface && !pd->rx_file && !pd->tx_file)
		return pp_set_error(EINVAL, "pcap: nothing to open; give rx=FILE, tx=FILE or "
					    "iface=INTERFACE");
	if (!pd->iface && pd->filter)
		return pp_set_error(EINVAL, "pcap: filter= is for iface=; filter a file with "
					    "tcpdump -r IN -w OUT EXPR");
	if ((loop || only) && !pd->rx_file)
		return pp_set_error(EINVAL, "pcap: %s= is for rx=FILE", loop ? "loop" : "only");
	return 0;
}

static int read_options(struct pcap_dev *pd, struct pp_args *args)
{
	bool loop = pp_args_str(args, "loop"), snaplen = pp_args_str(args, "snaplen");
	bool only = pp_args_str(args, "only"), promisc = pp_args_str(args, "promisc");
	static const char *const on[] = { "off", "on", NULL };
	unsigned int word = 1;
	int err;

	pd->rx_file = pp_args_str(args, "rx");
	pd->tx_file = pp_args_str(args, "tx");
	pd->iface = pp_args_str(args, "iface");
	pd->filter = pp_args_str(args, "filter");
	pd->passes = 1;
	pd->only = CAP_EVERY;
	pd->snaplen = CAP_PACKET_MAX;
	err = pp_args_u32(args, "loop", 0, UINT32_MAX, &pd->passes);
	if (!err)
		err = pp_args_u32(args, "snaplen", SNAPLEN_MIN, CAP_PACKET_MAX, &pd->snaplen);
	if (!err)
		err = pp_args_u32(args, "only", 0, CAP_EVERY - 1, &pd->only);
	if (!err)
		err = pp_args_word(args, "promisc", on, &word);
	pd->promisc = word;
	if (!err && promisc && !pd->iface)
		err = pp_set_error(EINVAL, "pcap: promisc= is for iface=");
	return err ? err : check_options(pd, loop, snaplen, only);
}

static int pcap_dev_open(struct pp_netdev *dev, struct pp_args *args)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;
	const struct pp_queue_ops *ops;
	struct pcap_queue *pq;
	int err;

	pd->rx_fd = -1;
	pp_iface_init(&pd->ifc);
	pthread_mutex_init(&pd->lock, NULL);
	err = read_options(pd, args);
	if (err)
		return err;
	ops = pd->iface	    ? &pp_pcap_live_ops
	      : pd->tx_file ? &pp_pcap_file_ops
			    : &pp_pcap_file_rx_ops;
	pq = (struct pcap_queue *)pp_netdev_add_queue(dev, sizeof(*pq), ops);
	if (!pq)
		return -errno;
	pq->snaplen = pd->snaplen;
	return pd->iface ? pp_pcap_open_live(pd) : pp_pcap_open_files(pd);
}

/* the caller holds the lock, or is the last user of the port */
static void read_drops(struct pcap_dev *pd)
{
	struct pcap_stat st;

	if (pd->iface && pd->rx && !pcap_stats(pd->rx, &st))
		pd->dropped = st.ps_drop;
}

static void close_handles(struct pcap_dev *pd)
{
	pp_pcap_close_files(pd);
	if (pd->rx)
		pcap_close(pd->rx);
	pd->rx = NULL;
}

static void pcap_dev_stop(struct pp_netdev *dev)
{
	struct pcap_queue *pq = (struct pcap_queue *)dev->queues[0];
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	page_pool_put_bulk(pq->stash, pq->nstash);
	pq->nstash = 0;
	pp_pcap_flush(pd);
	pthread_mutex_lock(&pd->lock);
	read_drops(pd);
	close_handles(pd);
	pthread_mutex_unlock(&pd->lock);
}

static void pcap_dev_close(struct pp_netdev *dev)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	close_handles(pd);
	pp_iface_close(&pd->ifc);
	pthread_mutex_destroy(&pd->lock);
}

static void pcap_dev_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	pthread_mutex_lock(&pd->lock);
	read_drops(pd);
	stats->rx_dropped += pd->dropped;
	stats->link_downs += __atomic_load_n(&pd->ifc.downs, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&pd->lock);
}

const struct pp_netdev_ops pp_pcap_ops = {
	.name = "pcap",
	.sets = true,
	.dev_size = sizeof(struct pcap_dev),
	.open = pcap_dev_open,
	.stop = pcap_dev_stop,
	.close = pcap_dev_close,
	.event = pp_pcap_event,
	.get_stats = pcap_dev_stats,
};
