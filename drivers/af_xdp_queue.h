/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_queue.h - an AF_XDP socket and its four rings, as a queue
 */
#ifndef PP_AF_XDP_QUEUE_H
#define PP_AF_XDP_QUEUE_H

#include <xdp/xsk.h>

#include "netdev_priv.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define XDP_RX_SIZE 2048u
#define XDP_TX_SIZE 2048u

/* pp_page.owner is socket << XDP_OWNER_BITS | one of these; 0 is nobody */
enum {
	XDP_OWNER_FILL = 1,
	XDP_OWNER_TX = 2,
	XDP_OWNER_BITS = 2,
};

/*
 * struct xdp_queue - a socket
 * @table, @npages, @shift: the zone, so that an address becomes a page without a call
 * @owner_fill, @owner_tx:  tags of this socket
 * @posted, @target:        frames that the kernel has for reception, and should have
 * @batch:                  frames posted at once
 * @tx_out:                 frames that the kernel has for transmission
 * @tx_lost:                of those, how many it dropped
 * @kick_pause, @fill_pause: polls left before sendto() or the pool is asked again
 * @gone:                   the interface was deleted
 * @kernel:                 what XDP_STATISTICS said when the socket was closed
 */
struct xdp_queue {
	struct pp_queue q;
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	struct xsk_ring_prod tx;
	struct xsk_ring_cons comp;
	struct pp_page *table;
	uint64_t npages;
	unsigned int shift;
	int fd;
	uint32_t owner_fill;
	uint32_t owner_tx;
	uint32_t posted;
	uint32_t target;
	uint32_t batch;
	uint32_t tx_out;
	uint32_t tx_lost;
	uint32_t kick_pause;
	uint32_t fill_pause;
	uint16_t port;
	bool wakeup;
	bool busy_poll;
	bool gone;
	struct xsk_umem *umem;
	struct pp_zone *pinned; /* for umem */
	struct xsk_socket *xsk;
	struct pp_netdev_stats kernel;
};

extern const struct pp_queue_ops pp_xdp_queue_ops;

static inline struct xdp_queue *to_xdp(struct pp_queue *q)
{
	return (struct xdp_queue *)q;
}

/* post frames up to the target, as far as the pool has them */
void pp_xdp_refill(struct xdp_queue *x);

/* give the kernel @ms to send what it has, and the queue nothing more to do; returns the ms left */
unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms);

/* once the socket is closed: take back every frame that the kernel had */
void pp_xdp_bring_home(struct xdp_queue *x);

/* add what only the kernel counts; the last answer once the socket is closed */
void pp_xdp_kernel_stats(struct xdp_queue *x, struct pp_netdev_stats *stats);

#endif /* PP_AF_XDP_QUEUE_H */
