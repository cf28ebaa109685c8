/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/queue.h - a port on AF_XDP: its queues, each with a socket and four rings
 */
#ifndef PP_AF_XDP_QUEUE_H
#define PP_AF_XDP_QUEUE_H

#include <pthread.h>

#include "af_xdp/priv.h"
#include "af_xdp/socket.h"
#include "netdev/priv.h"
#include "af_xdp/offload.h"

/* pp_page.owner is socket << XDP_OWNER_BITS | one of these; 0 is nobody */
enum {
	XDP_OWNER_FILL = 1,
	XDP_OWNER_TX = 2,
	XDP_OWNER_TX_MORE = 3, /* a page behind the first of a packet; has the bits of TX */
	XDP_OWNER_BITS = 2,
};

enum xdp_zc {
	ZC_AUTO,
	ZC_ON,
	ZC_OFF,
};

enum xdp_csum {
	CSUM_OFF,
	CSUM_DEVICE,
	CSUM_SOFTWARE, /* by the port as it sends */
};

/*
 * struct xdp_dev - a port
 * @lock:   of the queues' socket descriptors and last statistics, against get_stats()
 * @xif:    the interface as it was last reported
 * @gone:   atomic: queues that were taken apart because the interface is gone
 * @longest: packet that fits into a page
 * @offload, @offload_told: offloads in the way, and whether the first event has said so
 * @no_promisc, @want_promisc: promisc=off, promisc=on; neither: if the rights are there
 * @socket_fd: passed by somebody who has bound it; -1: none was
 */
struct xdp_dev {
	struct pp_netdev dev;
	pthread_mutex_t lock;
	struct pp_iface xif;
	struct xdp_prog *prog;
	struct xdp_prog_params how;
	uint32_t first;
	uint32_t nqueues;
	unsigned int zerocopy;
	unsigned int wakeup;
	unsigned int tx_csum;
	unsigned int tx_tstamp;
	uint32_t busy_poll_us;
	uint32_t fill_size;
	uint32_t longest;
	int socket_fd;
	bool is_zerocopy;
	const char *busy_poll_note;
	const char *csum_note;
	unsigned int fix_offloads;
	struct pp_offload *offload;
	bool offload_told;
	unsigned int no_promisc;
	bool want_promisc;
	const char *promisc_note;
	unsigned int gone;
};

/*
 * struct xdp_queue - a socket
 * @table, @npages, @shift: the zone, so that an address becomes a page without a call
 * @base:                   its memory, from which the kernel counts
 * @owner_fill, @owner_tx:  tags of this socket
 * @posted, @target:        frames that the kernel has for reception, and should have
 * @share:                  what the other queues of the zone leave to it
 * @batch:                  frames posted at once
 * @tx_out:                 frames that the kernel has for transmission
 * @tx_lost:                of those, how many it dropped
 * @kick_pause, @fill_pause: polls left before sendto() or the pool is asked again
 * @look:                   idle polls left before the kernel is asked for the interface
 * @tx_room:                bytes in front of each packet sent that the kernel keeps for metadata;
 *                          0: there is none
 * @tx_csum:                enum xdp_csum
 * @tx_prepare:             packets need pp_xdp_tx_meta() before they are sent
 * @tx_now:                 when this burst was handed over
 * @gone:                   the interface is gone, and the socket goes next
 * @sg:                     packets may have several pages
 * @sg_head, @sg_tail, @sg_pages: of the packet that is being received
 * @sg_skip:                drop what is left of it
 * @kernel:                 what XDP_STATISTICS said when the socket was closed
 */
struct xdp_queue {
	struct pp_queue q;
	struct xdp_socket s;
	struct pp_page *table;
	const unsigned char *base;
	uint64_t npages;
	unsigned int shift;
	uint32_t owner_fill;
	uint32_t owner_tx;
	uint32_t posted;
	uint32_t target;
	uint32_t share;
	uint32_t batch;
	uint32_t tx_out;
	uint32_t tx_lost;
	uint32_t kick_pause;
	uint32_t fill_pause;
	uint32_t look;
	uint16_t port;
	bool wakeup;
	bool busy_poll;
	bool tx_prepare;
	bool tx_tstamp;
	unsigned int tx_csum;
	uint32_t tx_room;
	uint64_t tx_now;
	bool gone;
	bool sg;
	bool sg_skip;
	unsigned int sg_pages;
	struct pp_page *sg_head;
	struct pp_page *sg_tail;
	struct pp_zone *pinned; /* for the memory registered */
	struct pp_netdev_stats kernel;
};

extern const struct pp_queue_ops pp_xdp_queue_ops;

static inline struct xdp_queue *to_xdp(struct pp_queue *q)
{
	return (struct xdp_queue *)q;
}

static inline struct xdp_dev *to_xdp_dev(struct pp_netdev *dev)
{
	return (struct xdp_dev *)dev;
}

/* Relaxed: the walk in pp_xdp_bring_home() reads the tags of other ports' frames as they run. */
static inline uint32_t xdp_owner_get(const struct pp_page *page)
{
	return __atomic_load_n(&page->owner, __ATOMIC_RELAXED);
}

static inline void xdp_owner_set(struct pp_page *page, uint32_t owner)
{
	__atomic_store_n(&page->owner, owner, __ATOMIC_RELAXED);
}

static inline uint32_t xdp_tx_waiting(const struct xdp_queue *x)
{
	return x->s.tx.cached_prod - __atomic_load_n(x->s.tx.consumer, __ATOMIC_ACQUIRE);
}

/* the page of an address from the kernel if it has the tag @owner, otherwise NULL */
static inline struct pp_page *xdp_page(const struct xdp_queue *x, uint64_t addr, uint32_t owner)
{
	uint64_t i = xsk_umem__extract_addr(addr) >> x->shift;
	struct pp_page *page;

	if (unlikely(i >= x->npages))
		return NULL;
	page = x->table + i;
	return likely(xdp_owner_get(page) == owner) ? page : NULL;
}

static inline uint64_t xdp_addr(const struct xdp_queue *x, const struct pp_page *page)
{
	return (uint64_t)(page - x->table) << x->shift;
}

/* The kernel refuses a packet without room for metadata in front, also if it has none. */
static inline bool xdp_tx_fits(const struct xdp_queue *x, const struct pp_page *page)
{
	return page->len <= (1u << x->shift) - x->tx_room;
}

static inline bool xdp_tx_in_place(const struct xdp_queue *x, const struct pp_page *page)
{
	return page->zone == x->q.dev->params.zone && !xdp_owner_get(page) &&
	       __atomic_load_n(&page->pp_refs, __ATOMIC_RELAXED) <= 1;
}

/* af_xdp/open.c: 0 or -errno with pp_set_error(); a half built queue is closed as any other */
int pp_xdp_open_queue(struct xdp_dev *xd, unsigned int queue);
void pp_xdp_share_drop(const struct pp_zone *zone, uint32_t frames);

/* af_xdp/queue.c */

/* bring home what was sent; how many came */
unsigned int pp_xdp_reap(struct xdp_queue *x);

/* make the kernel send */
void pp_xdp_kick(struct xdp_queue *x);

/* af_xdp/rx.c */

/* post frames up to the target, as far as the pool has them */
void pp_xdp_refill(struct xdp_queue *x);

/* packets of one page; none: the ring is empty, or has only what is not to be believed */
unsigned int pp_xdp_receive(struct xdp_queue *x, struct pp_page **pages, unsigned int n);

/* af_xdp/sg.c */
unsigned int pp_xdp_sg_receive(struct xdp_queue *x, struct pp_page **pages, unsigned int n);
void pp_xdp_sg_forget(struct xdp_queue *x);
/* descriptors that a packet takes; 0: it can not be sent */
unsigned int pp_xdp_sg_pages(const struct xdp_queue *x, const struct pp_page *head);
void pp_xdp_sg_post(struct xdp_queue *x, struct pp_page *head);

/* af_xdp/meta.c: do or ask for what the port was opened with; options of the descriptor */
uint32_t pp_xdp_tx_meta(struct xdp_queue *x, struct pp_page *page);
/* move a packet that begins too low; xdp_tx_fits() */
void pp_xdp_tx_make_room(const struct xdp_queue *x, struct pp_page *page);
/* CLOCK_TAI, as the kernel's own times */
uint64_t pp_xdp_now(void);
/* it was sent: count its time */
void pp_xdp_tx_stamped(struct xdp_queue *x, const struct pp_page *page);

/* af_xdp/life.c */

/* idle: ask the kernel whether the socket still has its interface */
void pp_xdp_look(struct xdp_queue *x);

/* the interface is gone: take the queue apart, by its own thread */
void pp_xdp_gone(struct xdp_queue *x);

/* what has become of the interface since the last call; NULL: nothing */
const char *pp_xdp_event(struct pp_netdev *dev);

/* give the kernel @ms to send what it has, and the queue nothing more to do; returns the ms left */
unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms);

/* close the socket, and take back every frame that the kernel had */
void pp_xdp_close_queue(struct xdp_queue *x);

/* add what only the kernel counts; the last answer once the socket is closed */
void pp_xdp_kernel_stats(struct xdp_queue *x, struct pp_netdev_stats *stats);

#endif /* PP_AF_XDP_QUEUE_H */
