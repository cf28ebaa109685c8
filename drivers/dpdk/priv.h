/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/priv.h - between the files of the driver "dpdk"
 *
 * A page as DPDK sees it, an object of a mempool:
 *
 *   0         64+C       192+C                                   page size
 *   | objhdr  | rte_mbuf | room in front | packet ...            |
 *                        ^ buf_addr of a sent packet; a received one has the larger of
 *                          RTE_PKTMBUF_HEADROOM and the zone's headroom in front
 *
 * C, the color, is 0 .. 3 times the size of an mbuf. Without it the mbufs of a burst lie in the
 * same few sets of the CPU's caches, because pages lie a power of two apart.
 *
 * An mbuf is valid only while DPDK has its page: a page that goes to DPDK gets a whole new mbuf,
 * because its last user may have used the room. So every page of a zone is an object of every
 * queue's mempool, nothing is written into pages that others hold, and page and mbuf are found
 * from each other by arithmetic alone.
 */
#ifndef PP_DPDK_PRIV_H
#define PP_DPDK_PRIV_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "netdev/priv.h"

#define DPDK_OBJ_HEADER 64u
#define DPDK_FRONT	(DPDK_OBJ_HEADER + (unsigned int)sizeof(struct rte_mbuf))
#define DPDK_FRAME_MIN	14u /* an Ethernet header */
#define DPDK_COLORS	4u
#define DPDK_COLORED	4096u /* smaller pages have no room for colors */
#define DPDK_COLOR_SIZE ((unsigned int)sizeof(struct rte_mbuf))
#define DPDK_FREED	64u /* pages that a burst gives back at once */

_Static_assert(sizeof(struct rte_mbuf) == 128, "the layout of a page");
_Static_assert(sizeof(struct rte_mempool_objhdr) <= DPDK_OBJ_HEADER, "the layout of a page");

/**
 * struct dpdk_queue - a pair of ethdev queues and the mempool that feeds them
 * @base, @span: the zone's memory
 * @table:       the zone's pages
 * @port_id:     ethdev port
 * @shift:       log2 of the page size
 * @colors:      DPDK_COLORS - 1, or 0: the device or small pages want all mbufs at one offset
 * @front:       offset of the room in front of received packets: DPDK_FRONT and private area
 * @tag:         pp_page.owner of the pages that the device has; unique among queues and drivers
 * @reaps:       the device has rte_eth_tx_done_cleanup()
 * @mp:          the pool's pages as mbufs
 * @received:    an mbuf as it goes to DPDK to be filled, but for addresses
 * @sent:        an mbuf as it goes to DPDK to be sent, but for addresses and lengths
 * @freed:       @nfreed pages that the device gave back while it sends; none between calls
 */
struct dpdk_queue {
	struct pp_queue q;
	uintptr_t base;
	size_t span;
	struct pp_page *table;
	uint16_t port_id;
	uint8_t shift;
	uint8_t colors;
	uint32_t front;
	uint32_t tag;
	bool reaps;
	struct rte_mempool *mp;
	struct rte_mbuf received;
	struct rte_mbuf sent;
	unsigned int nfreed;
	struct pp_page *freed[DPDK_FREED];
};

/* bytes by which the mbuf of the page with that number lies further back */
static inline uint32_t dpdk_color(const struct dpdk_queue *dq, uintptr_t number)
{
	return (uint32_t)(number & dq->colors) * DPDK_COLOR_SIZE;
}

static inline struct rte_mbuf *dpdk_mbuf_at(const struct dpdk_queue *dq, uintptr_t number,
					    uint32_t color)
{
	return (struct rte_mbuf *)(dq->base + (number << dq->shift) + DPDK_OBJ_HEADER + color);
}

/* @obj lies in the zone, see dpdk_in_zone(), anywhere in the page */
static inline struct pp_page *dpdk_page_of(const struct dpdk_queue *dq, const void *obj)
{
	return dq->table + (((uintptr_t)obj - dq->base) >> dq->shift);
}

/* the device has the page; @tag 0: it has not */
static inline void dpdk_page_tag(struct pp_page *page, uint32_t tag)
{
	__atomic_store_n(&page->owner, tag, __ATOMIC_RELAXED);
}

static inline bool dpdk_in_zone(const struct dpdk_queue *dq, const void *at)
{
	return (uintptr_t)at - dq->base < dq->span;
}

/* @from and the addresses; a private area makes up for a zone's headroom beyond DPDK's */
static inline void dpdk_mbuf_fill(struct rte_mbuf *m, const struct rte_mbuf *from, uint32_t front)
{
	*m = *from;
	m->buf_addr = (char *)m - DPDK_OBJ_HEADER + front;
	rte_mbuf_iova_set(m, (rte_iova_t)(uintptr_t)m->buf_addr);
}

/**
 * struct dpdk_dev - the port
 * @devargs:   the spec without queues=; allocated
 * @want:      queues asked for
 * @device:    the device to remove; NULL: none was probed
 * @port_id:   ethdev port, if @claimed
 * @claimed:   the ethdev belongs to this port, in ports_used
 * @known:     EAL knows the zone
 * @mapped:    the device may reach the zone's memory
 * @started:   packets come and go
 * @closed:    it was started, and @last is final
 * @last:      the device's counters, once it is closed
 */
struct dpdk_dev {
	struct pp_netdev dev;
	char *devargs;
	uint32_t want;
	struct rte_device *device;
	uint16_t port_id;
	bool claimed;
	bool known;
	bool mapped;
	bool started;
	bool closed;
	struct rte_eth_stats last;
};

/* dpdk/burst.c */
unsigned int dpdk_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n);
unsigned int dpdk_tx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n);

/*
 * dpdk/device.c, under the lock of dpdk_enter(). open: 0 or -errno with pp_error(); close copes
 * with a device that is half open.
 */
int dpdk_device_open(struct dpdk_dev *dd);
void dpdk_device_close(struct dpdk_dev *dd);

/*
 * dpdk/eal.c. One port at a time is opened or closed: these two lock and unlock, and keep the
 * output of DPDK's libraries meanwhile. dpdk_said(): its first line, "": none.
 */
int dpdk_configure(const char *args);
int dpdk_enter(const char *devargs);
void dpdk_leave(void);
const char *dpdk_said(void);

/* A zone becomes known to EAL with its first port, and is forgotten with the last one. */
int dpdk_zone_get(struct pp_zone *zone);
void dpdk_zone_put(struct pp_zone *zone);
size_t dpdk_zone_span(struct pp_zone *zone); /* in whole pages of the system */

#endif /* PP_DPDK_PRIV_H */
