/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/priv.h - pages of a zone as mbufs, and the parts of the driver "dpdk"
 *
 * Each page of a zone has an mbuf in a slot of an array beside the zone, which only this driver and
 * DPDK write. A packet that crosses sets its fields; the others stay from the last crossing.
 *
 *   page  | color | front | RTE_PKTMBUF_HEADROOM | packet ...    |   received
 *                         ^ buf_addr of the mbuf
 *
 * net_af_xdp finds mbufs by the addresses of frames, so its pages begin with theirs:
 *
 *   0         64         192                                     page size
 *   | objhdr  | rte_mbuf | front | RTE_PKTMBUF_HEADROOM | packet ...
 *
 * Users of a page may write there, so every crossing lays such an mbuf out anew.
 *
 * In both cases all pages of a zone are objects of every queue's mempool, and page and mbuf are
 * found from each other by arithmetic alone.
 *
 * DPDK's rules for an mbuf that comes back: a free one has refcnt 1, nb_segs 1 and next NULL, and a
 * received one in a single segment has next NULL. A PMD may leave any other field changed, among
 * them buf_addr, buf_iova and buf_len of an mbuf that was attached and detached.
 */
#ifndef PP_DPDK_PRIV_H
#define PP_DPDK_PRIV_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "netdev/priv.h"

#define DPDK_OBJ_HEADER 64u
#define DPDK_INSIDE	(DPDK_OBJ_HEADER + (unsigned int)sizeof(struct rte_mbuf))
#define DPDK_FRAME_MIN	14u /* an Ethernet header */
#define DPDK_COLORED	3072u /* buffers with less have no room for colors */
#define DPDK_FREED	64u /* pages that a burst gives back at once */
#define DPDK_SLOT_SHIFT 8u
#define DPDK_SLOT_MBUF	128u /* offset of the mbuf in its slot, behind a counter of clones */
#define DPDK_RATIO	2u /* slots are so much larger than a struct pp_page, as log2 */

_Static_assert(sizeof(struct pp_page) << DPDK_RATIO == 1u << DPDK_SLOT_SHIFT, "slots and pages");
_Static_assert(sizeof(struct rte_mbuf) == 128, "the layout of a page");
_Static_assert(sizeof(struct rte_mempool_objhdr) <= DPDK_OBJ_HEADER, "the layout of a page");
_Static_assert(sizeof(struct rte_mbuf_ext_shared_info) + DPDK_OBJ_HEADER <= DPDK_SLOT_MBUF,
	       "the layout of a slot");

/**
 * struct dpdk_map - where mbufs and pages are
 *
 * Bursts copy it: the compiler cannot know that their stores leave it alone.
 *
 * @mbufs, @span: the first page's mbuf, and the bytes from it to the end of the mbufs
 * @zero:         where the mbuf of a page at address 0 would be
 * @room:         bytes of a page that a packet may reach: an mbuf counts them in 16 bits
 * @front:        offset of the buffer of a received packet, without its color
 * @least:        offset of the first byte of a page that packets may use
 * @colors:       PP_COLORS, or 0: small buffers, and those with their mbuf, have one color
 * @ratio:        log2 of the distance of mbufs to the size of a struct pp_page
 * @tag:          pp_page.owner of the pages that the device has, where mbufs lie in pages;
 *                unique among queues and drivers
 */
struct dpdk_map {
	uintptr_t mbufs;
	uintptr_t span;
	uintptr_t zero;
	uint32_t room;
	uint32_t front;
	uint32_t least;
	uint32_t colors;
	uint32_t ratio;
	uint32_t tag;
};

/**
 * struct dpdk_queue - a pair of ethdev queues and the mempool that feeds them
 * @port_id: ethdev port
 * @shift:   log2 of the page size
 * @inside:  mbufs lie in pages
 * @reaps:   the device has rte_eth_tx_done_cleanup()
 * @mp:      the pool's pages as mbufs
 * @blank:   an mbuf as it goes to DPDK, but for its buffer and lengths
 * @sender:  the thread that sends or reaps at the moment; NULL: none does; atomic
 * @freed:   @nfreed pages that the device gave back while it sends; none between calls
 */
struct dpdk_queue {
	struct pp_queue q;
	struct dpdk_map map;
	uint16_t port_id;
	uint8_t shift;
	bool inside;
	bool reaps;
	struct rte_mempool *mp;
	struct rte_mbuf blank;
	void *sender;
	unsigned int nfreed;
	struct pp_page *freed[DPDK_FREED];
};

/* where the buffer of a received packet begins in that page */
static inline uint32_t dpdk_front(const struct dpdk_map *map, const struct pp_page *page)
{
	return map->front + pp_color(page, map->colors);
}

/* @inside is a constant, and so is the shift of mbufs outside of pages */
static __rte_always_inline struct rte_mbuf *dpdk_mbuf_of(const struct dpdk_map *map, bool inside,
							 const struct pp_page *page)
{
	return (struct rte_mbuf *)(map->zero +
				   ((uintptr_t)page << (inside ? map->ratio : DPDK_RATIO)));
}

/* @mbuf is of the zone, see dpdk_in_zone() */
static inline struct pp_page *dpdk_page_of(const struct dpdk_map *map, const void *mbuf)
{
	return (struct pp_page *)(((uintptr_t)mbuf - map->zero) >> map->ratio);
}

static inline bool dpdk_in_zone(const struct dpdk_map *map, const void *mbuf)
{
	return (uintptr_t)mbuf - map->mbufs < map->span;
}

/* notes that the device has the page; @tag 0: it has not */
static inline void dpdk_page_tag(struct pp_page *page, uint32_t tag)
{
	__atomic_store_n(&page->owner, tag, __ATOMIC_RELAXED);
}

/**
 * struct dpdk_dev - the port
 * @devargs:   the spec without queues=; allocated
 * @want:      number of queues
 * @device:    the device to remove; NULL: none was probed
 * @port_id:   ethdev port, if @claimed
 * @claimed:   the ethdev belongs to this port, in ports_used
 * @slots:     the zone's mbufs; NULL: EAL does not know the zone
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
	void *slots;
	uint16_t port_id;
	bool claimed;
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

/*
 * dpdk/memory.c. A zone becomes known to EAL with its first port, and is forgotten with the last
 * one. get: the slots of the zone's mbufs, or NULL with errno and pp_error().
 */
void *dpdk_zone_get(struct pp_zone *zone);
void dpdk_zone_put(struct pp_zone *zone);
size_t dpdk_zone_span(struct pp_zone *zone); /* in whole pages of the system */

#endif /* PP_DPDK_PRIV_H */
