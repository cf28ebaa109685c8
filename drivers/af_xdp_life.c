/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_life.c - what happens to a queue besides packets: interfaces that go, the end, counters
 *
 * When an interface is deleted, or moved to another namespace, the kernel unbinds
 * its sockets and tells whoever asks (ENXIO). The queue's thread then closes the
 * socket, which waits until no receive path uses it any more, and takes the frames
 * in all four rings back: the other ports can have them while the program goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pagepool/memory.h>

#include "af_xdp_queue.h"

#define HOME_BATCH 64u
#define LOOK_POLLS 1024u /* idle polls between two questions: some 0.2 ns each */

void pp_xdp_link_seen(struct xdp_dev *xd, enum pp_link link)
{
	int was = __atomic_load_n(&xd->link, __ATOMIC_RELAXED);

	do {
		if (was == (int)link || was == PP_LINK_GONE)
			return;
	} while (!__atomic_compare_exchange_n(&xd->link, &was, link, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	/* gone after down is one fall, not two */
	if (was == PP_LINK_UP)
		__atomic_fetch_add(&xd->downs, 1, __ATOMIC_RELAXED);
}

/* Asks as cheaply as that goes: nothing is received this way. */
void pp_xdp_look(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	x->look = LOOK_POLLS;
	if (recvfrom(x->s.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) >= 0)
		pp_xdp_link_seen(xd, PP_LINK_UP);
	else if (errno == ENETDOWN)
		pp_xdp_link_seen(xd, PP_LINK_DOWN);
	else if (errno == ENXIO)
		x->gone = true;
	if (x->gone)
		pp_xdp_gone(x);
}

void pp_xdp_gone(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	pp_stat_add(&x->q.stats.rx_dropped, xsk_cons_nb_avail(&x->s.rx, XDP_RX_SIZE));
	pp_xdp_link_seen(xd, PP_LINK_GONE);
	pp_xdp_reap(x);
	x->target = 0;
	x->q.ops = &pp_xdp_gone_ops;
	pp_xdp_close_queue(x);
	/* the last one's release makes what all of them did visible with pp_netdev_done() */
	if (__atomic_add_fetch(&xd->gone, 1, __ATOMIC_ACQ_REL) == xd->nqueues)
		__atomic_store_n(&xd->dev.done, true, __ATOMIC_RELEASE);
}

static unsigned int gone_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	return 0;
}

/* as on an unplugged cable */
static unsigned int gone_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	page_pool_put_bulk(pages, n);
	pp_stat_add(&q->stats.tx_dropped, n);
	return n;
}

const struct pp_queue_ops pp_xdp_gone_ops = {
	.rx_burst = gone_rx,
	.tx_burst = gone_tx,
};

static int news_link(struct xdp_dev *xd, enum pp_link link)
{
	static const char *const says[] = {
		[PP_LINK_UP] = "is up again",
		[PP_LINK_DOWN] = "is down: nothing is received, and what is sent waits",
		[PP_LINK_GONE] = "is gone, deleted or moved: this port is done",
	};

	if (link == xd->told)
		return 0;
	xd->told = link;
	return snprintf(xd->news, sizeof(xd->news), "interface %s %s", xd->xif.name, says[link]);
}

static int news_mtu(struct xdp_dev *xd, const struct xdp_if *now)
{
	unsigned int was = xd->xif.mtu;

	if (now->mtu == was)
		return 0;
	xd->xif.mtu = now->mtu;
	if (now->mtu + XDP_ETH_OVERHEAD > xd->longest)
		return snprintf(xd->news, sizeof(xd->news),
				"interface %s has MTU %u now, not %u: packets of more than %u "
				"bytes are dropped (rx_dropped)",
				now->name, now->mtu, was, xd->longest);
	return snprintf(xd->news, sizeof(xd->news), "interface %s has MTU %u now, not %u",
			now->name, now->mtu, was);
}

static int news_name(struct xdp_dev *xd, const struct xdp_if *now)
{
	char was[IFNAMSIZ];

	if (!strcmp(xd->xif.name, now->name))
		return 0;
	memcpy(was, xd->xif.name, sizeof(was));
	memcpy(xd->xif.name, now->name, sizeof(xd->xif.name));
	return snprintf(xd->news, sizeof(xd->news), "interface %s is named %s now", was,
			xd->xif.name);
}

/* One thing a call: who is interested comes back soon. */
const char *pp_xdp_event(struct pp_netdev *dev)
{
	struct xdp_dev *xd = to_xdp_dev(dev);
	struct xdp_if now;
	enum pp_link link;

	if (xd->told == PP_LINK_GONE)
		return NULL;
	link = pp_xdp_if_look(&xd->xif, &now);
	pp_xdp_link_seen(xd, link);
	if (news_link(xd, link) || news_mtu(xd, &now) || news_name(xd, &now))
		return xd->news;
	return NULL;
}

static void kernel_stats(const struct xdp_queue *x, struct pp_netdev_stats *stats)
{
	struct xdp_statistics st;
	socklen_t len = sizeof(st);

	memset(&st, 0, sizeof(st));
	if (getsockopt(x->s.fd, SOL_XDP, XDP_STATISTICS, &st, &len))
		return;
	stats->rx_dropped += st.rx_dropped + st.rx_ring_full + st.rx_invalid_descs;
	stats->rx_fill_empty += st.rx_fill_ring_empty_descs;
	stats->rx_ring_full += st.rx_ring_full;
	stats->rx_invalid += st.rx_invalid_descs;
	stats->tx_invalid += st.tx_invalid_descs;
	stats->tx_ring_empty += st.tx_ring_empty_descs;
	stats->errors += st.tx_invalid_descs;
}

/* What only the kernel counts. In copy mode a packet that found no frame is in two counters. */
void pp_xdp_kernel_stats(struct xdp_queue *x, struct pp_netdev_stats *stats)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);

	pthread_mutex_lock(&xd->lock);
	if (x->s.fd >= 0) {
		kernel_stats(x, stats);
	} else {
		stats->rx_dropped += x->kernel.rx_dropped;
		stats->rx_fill_empty += x->kernel.rx_fill_empty;
		stats->rx_ring_full += x->kernel.rx_ring_full;
		stats->rx_invalid += x->kernel.rx_invalid;
		stats->tx_invalid += x->kernel.tx_invalid;
		stats->tx_ring_empty += x->kernel.tx_ring_empty;
		stats->errors += x->kernel.errors;
	}
	pthread_mutex_unlock(&xd->lock);
}

unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms)
{
	x->target = 0; /* nothing more is posted */
	for (;;) {
		x->kick_pause = 0;
		if (xdp_tx_waiting(x))
			pp_xdp_kick(x);
		if (pp_xdp_reap(x))
			continue;
		if (!x->tx_out || x->gone || !ms)
			return ms;
		pp_xdp_sleep_ms(1);
		ms--;
	}
}

/* After close() no frame with the socket's tag is in use by the kernel, wherever it was. */
static void bring_home(struct xdp_queue *x)
{
	struct pp_page *home[HOME_BATCH];
	unsigned int n = 0;
	uint32_t owner, unsent = 0;
	uint64_t i;

	for (i = 0; i < x->npages && x->posted + x->tx_out; i++) {
		owner = xdp_owner_get(x->table + i);
		if (owner == x->owner_fill)
			x->posted--;
		else if (owner == x->owner_tx)
			x->tx_out--, unsent++;
		else if (owner == (x->owner_tx | XDP_OWNER_TX_MORE))
			x->tx_out--;
		else
			continue;
		xdp_owner_set(x->table + i, 0);
		home[n++] = x->table + i;
		if (n == HOME_BATCH) {
			page_pool_put_bulk(home, n);
			n = 0;
		}
	}
	page_pool_put_bulk(home, n);
	if (unsent > x->tx_lost)
		pp_stat_add(&x->q.stats.tx_dropped, unsent - x->tx_lost);
	x->tx_lost = 0;
}

void pp_xdp_close_queue(struct xdp_queue *x)
{
	struct xdp_dev *xd = to_xdp_dev(x->q.dev);
	struct xdp_socket s;

	pthread_mutex_lock(&xd->lock);
	if (x->s.fd >= 0)
		kernel_stats(x, &x->kernel);
	s = x->s;
	memset(&x->s, 0, sizeof(x->s));
	x->s.fd = -1;
	pthread_mutex_unlock(&xd->lock);

	pp_xdp_socket_close(&s);
	bring_home(x);
	pp_xdp_sg_forget(x);
	if (x->share)
		pp_xdp_share_drop(xd->dev.params.zone, x->share);
	x->share = 0;
	if (x->pinned)
		pp_zone_unpin(x->pinned);
	x->pinned = NULL;
}
