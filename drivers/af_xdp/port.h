/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/port.h - a port on AF_XDP, and its queues, each with a socket */
#ifndef PP_AF_XDP_PORT_H
#define PP_AF_XDP_PORT_H

#include <pthread.h>

#include "af_xdp/napi.h"
#include "af_xdp/offload.h"
#include "af_xdp/priv.h"
#include "af_xdp/socket.h"
#include "netdev/priv.h"
#include "xsk/priv.h"

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

enum xdp_promisc {
	PROMISC_OFF,
	PROMISC_ON,
	PROMISC_AUTO, /* if the rights are there */
};

/*
 * struct xdp_dev - a port
 * @lock:   of the queues' socket descriptors, against get_stats()
 * @xif:    the interface as it was last reported
 * @gone:   atomic: queues that were taken apart because the interface is gone
 * @longest: packet that fits into a page
 * @offload, @offload_told: offloads in the way, and whether the first event has said so
 * @suspend_text: why interrupts are not suspended, for the first event; "": they are, or it was
 *           not asked for
 * @promisc: enum xdp_promisc
 * @rx_meta_offered: PP_RX_META_* that the driver has; 0: none was asked for
 * @socket_fd: passed on by the program that has bound it; -1: none was
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
	unsigned int sg;
	unsigned int attach;
	unsigned int tx_csum;
	unsigned int tx_tstamp;
	uint32_t busy_poll_us;
	struct xdp_suspend suspend;
	uint32_t fill_size;
	uint32_t longest;
	int socket_fd;
	bool is_zerocopy;
	uint32_t rx_meta_offered;
	const char *busy_poll_note;
	char suspend_text[256];
	bool suspend_told;
	const char *csum_note;
	unsigned int fix_offloads;
	struct pp_offload *offload;
	bool offload_told;
	unsigned int promisc;
	const char *promisc_note;
	unsigned int gone;
};

/*
 * struct xdp_queue - a socket
 * @xsk:       its pages and rings; NULL: it was not built so far
 * @look:      idle polls left before the kernel is asked for the interface
 * @busy_poll: the driver of the device waits for the port to poll it
 * @napi:      interrupts of the queue
 * @tx_csum:   enum xdp_csum
 * @tx_room:   bytes in front of each packet sent that the kernel keeps for metadata
 * @share:     frames that the other queues of the zone leave to it
 * @pinned:    zone, for the memory registered
 */
struct xdp_queue {
	struct pp_queue q;
	struct xdp_socket s;
	struct pp_xsk *xsk;
	uint32_t look;
	bool busy_poll;
	struct xdp_napi napi;
	unsigned int tx_csum;
	uint32_t tx_room;
	uint32_t share;
	struct pp_zone *pinned;
};

static inline struct xdp_queue *to_xdp(struct pp_queue *q)
{
	return (struct xdp_queue *)q;
}

static inline struct xdp_dev *to_xdp_dev(struct pp_netdev *dev)
{
	return (struct xdp_dev *)dev;
}

/*
 * af_xdp/open.c: build queue @queue of the interface; 0, or -errno with a sentence in pp_error(). A
 * half built queue is closed as any other.
 */
int pp_xdp_open_queue(struct xdp_dev *xd, unsigned int queue);

/* af_xdp/queue.c */
extern const struct pp_queue_ops pp_xdp_queue_ops;

#endif /* PP_AF_XDP_PORT_H */
