/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap/live.c - pcap ports on interfaces, through libpcap
 *
 * libpcap shows a packet only while its callback runs, so the callback copies each one into a
 * page.
 */
#include <stdio.h>
#include <string.h>

#include "pcap/priv.h"

#define LIVE_BUFFER  (8 << 20)
#define LIVE_TIMEOUT 1 /* ms until the kernel hands over a block that is not full */

/* pcap_dispatch() calls this at most once for each page of the stash */
static void take_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct pcap_queue *pq = (struct pcap_queue *)user;
	const uint32_t len = h->caplen < pq->snaplen ? h->caplen : pq->snaplen;

	pp_pcap_take(pq, data, len, (uint64_t)h->ts.tv_sec * NSEC + (uint64_t)h->ts.tv_usec);
}

/* one batch: pq->nout packets; returns as pcap_dispatch() */
static int rx_batch(struct pcap_queue *pq, struct pp_page **pages, unsigned int n)
{
	int ret;

	pq->out = pages;
	pq->nout = 0;
	ret = pcap_dispatch(to_pcap_dev(&pq->q)->rx, (int)n, take_packet, (u_char *)pq);
	pp_stat_add(&pq->q.stats.rx_packets, pq->nout);
	return ret;
}

/* The kernel has closed the capture for good: no interface comes back under the same number. */
static void live_gone(struct pcap_queue *pq)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);

	pp_iface_link_seen(&pd->ifc, PP_LINK_GONE);
	page_pool_put_bulk(pq->stash, pq->nstash);
	pq->nstash = 0;
	pq->q.ops = &pp_iface_gone_ops;
	/* pairs with the load in pp_netdev_done() */
	__atomic_store_n(&pd->dev.done, true, __ATOMIC_RELEASE);
}

/*
 * libpcap gives the same error for an interface that went down, went away, or was renamed. The
 * last two are no errors of the port. An error that stays counts once, not at each poll.
 */
static void live_failed(struct pcap_queue *pq)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);
	enum pp_link link;
	struct pp_iface now;

	link = pp_iface_look(&pd->ifc, &now);
	if (link == PP_LINK_GONE) {
		live_gone(pq);
		return;
	}
	pp_iface_link_seen(&pd->ifc, link);
	if (link == PP_LINK_DOWN || pq->failing || strcmp(now.name, pd->iface))
		return;
	pq->failing = true;
	pp_stat_add(&pq->q.stats.errors, 1);
	pp_set_error(EIO, "pcap: receiving from '%s': %s", now.name, pcap_geterr(pd->rx));
}

static unsigned int live_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct pcap_queue *pq = (struct pcap_queue *)q;

	n = pp_pcap_fill_stash(pq, n);
	if (!n)
		return 0;
	if (unlikely(rx_batch(pq, pages, n) < 0))
		live_failed(pq);
	else
		pq->failing = false;
	return pq->nout;
}

/* 0: sent; -EAGAIN: the page stays the caller's; otherwise it can never be sent */
static int inject_page(struct pp_queue *q, const struct pp_page *page)
{
	/* libpcap refuses an empty packet, and leaves errno as it is */
	if (!page->len)
		return -EIO;
	errno = 0;
	if (pcap_inject(to_pcap_dev(q)->rx, pp_page_data(page), page->len) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return -EAGAIN;
	if (errno == ENETDOWN || errno == ENXIO || errno == ENODEV) {
		pp_iface_link_seen(&to_pcap_dev(q)->ifc, PP_LINK_DOWN);
		return -EIO;
	}
	/* longer than the MTU or shorter than a header is the packet's fault alone */
	if (errno != EMSGSIZE && errno != EINVAL)
		pp_stat_add(&q->stats.errors, 1);
	return -EIO;
}

static unsigned int live_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	unsigned int i, dropped = 0;
	uint64_t bytes = 0;
	int err;

	for (i = 0; i < n; i++) {
		err = inject_page(q, pages[i]);
		if (err == -EAGAIN)
			break;
		if (err)
			dropped++;
		else
			bytes += pages[i]->len;
	}
	page_pool_put_bulk(pages, i);
	pp_stat_add(&q->stats.tx_packets, i - dropped);
	pp_stat_add(&q->stats.tx_bytes, bytes);
	pp_stat_add(&q->stats.tx_dropped, dropped);
	return i;
}

static int live_fd(struct pp_queue *q)
{
	int fd = pcap_get_selectable_fd(to_pcap_dev(q)->rx);

	return fd >= 0 ? fd
		       : pp_set_error(ENOTSUP, "pcap: libpcap has no descriptor for '%s'; poll",
				      to_pcap_dev(q)->iface);
}

const struct pp_queue_ops pp_pcap_live_ops = {
	.rx_burst = live_rx,
	.tx_burst = live_tx,
	.fd = live_fd,
};

static int activate_capture(struct pcap_dev *pd)
{
	int err;

	pcap_set_snaplen(pd->rx, (int)CAP_PACKET_MAX);
	pcap_set_promisc(pd->rx, pd->promisc);
	pcap_set_timeout(pd->rx, LIVE_TIMEOUT);
	pcap_set_buffer_size(pd->rx, LIVE_BUFFER);
	pcap_set_tstamp_precision(pd->rx, PCAP_TSTAMP_PRECISION_NANO);
	err = pcap_activate(pd->rx);
	switch (err) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return pp_set_error(ENOENT, "pcap: there is no interface '%s'; see ip link",
				    pd->iface);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return pp_set_error(EPERM,
				    "pcap: no permission to capture on '%s'; run as root or "
				    "with CAP_NET_RAW",
				    pd->iface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return pp_set_error(ENETDOWN, "pcap: interface '%s' is down; ip link set %s up",
				    pd->iface, pd->iface);
	}
	if (err < 0)
		return pp_set_error(EIO, "pcap: cannot capture on '%s': %s", pd->iface,
				    pcap_geterr(pd->rx));
	return 0;
}

static int set_filter(struct pcap_dev *pd)
{
	struct bpf_program code;
	int err;

	if (!pd->filter)
		return 0;
	if (pcap_compile(pd->rx, &code, pd->filter, 1, PCAP_NETMASK_UNKNOWN))
		return pp_set_error(EINVAL, "pcap: filter '%s' is wrong: %s; see pcap-filter(7)",
				    pd->filter, pcap_geterr(pd->rx));
	err = pcap_setfilter(pd->rx, &code);
	pcap_freecode(&code);
	if (err)
		return pp_set_error(EIO, "pcap: filter '%s' on '%s': %s", pd->filter, pd->iface,
				    pcap_geterr(pd->rx));
	return 0;
}

static int check_link(const struct pcap_dev *pd)
{
	const int type = pcap_datalink(pd->rx);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	return pp_set_error(EPROTONOSUPPORT,
			    "pcap: '%s' has link type %s (%d), not Ethernet "
			    "(EN10MB, 1); capture on one Ethernet interface",
			    pd->iface, name ? name : "unknown", type);
}

int pp_pcap_open_live(struct pcap_dev *pd)
{
	const struct pp_netdev_params *params = &pd->dev.params;
	char text[PCAP_ERRBUF_SIZE];
	int err;

	pd->rx = pcap_create(pd->iface, text);
	if (!pd->rx)
		return pp_set_error(EINVAL, "pcap: interface '%s': %s", pd->iface, text);
	err = activate_capture(pd);
	if (!err)
		err = check_link(pd);
	if (!err)
		err = set_filter(pd);
	if (err)
		return err;
	/* IN: packets that this host sends, this port included, are not to be forwarded */
	if (pcap_setnonblock(pd->rx, 1, text) || pcap_setdirection(pd->rx, PCAP_D_IN))
		return pp_set_error(EIO, "pcap: interface '%s': %s", pd->iface,
				    pcap_geterr(pd->rx));
	err = pp_iface_query(pd->iface, &pd->ifc);
	if (err)
		return err;
	memcpy(pd->dev.mac, pd->ifc.mac, sizeof(pd->dev.mac));
	pd->longest =
		(pp_zone_page_size(params->zone) << params->order) - pp_zone_headroom(params->zone);
	snprintf(pd->dev.info, sizeof(pd->dev.info), "live on %s%s%s", pd->iface,
		 pd->promisc ? ", promiscuous" : "", pd->filter ? ", filtered" : "");
	return 0;
}

const char *pp_pcap_event(struct pp_netdev *dev)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	return pd->iface ? pp_iface_event(&pd->ifc, pd->longest) : NULL;
}
