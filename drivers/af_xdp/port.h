/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/port.h - a port on AF_XDP, and its queues, each with a socket */
#ifndef PP_AF_XDP_PORT_H
#define PP_AF_XDP_PORT_H

#include <pthread.h>

#include "af_xdp/priv.h"
#include "netdev/priv.h"
#include "xsk/genl.h"
#include "xsk/priv.h"

/* ---- a socket, with its own registration of the memory, and its rings: af_xdp/socket.c ------- */

#define XDP_RX_SIZE 2048u
#define XDP_TX_SIZE 2048u /* and as many completions */

/* the rings in the order of struct xdp_mmap_offsets */
enum xdp_ring {
	XDP_RING_RX,
	XDP_RING_TX,
	XDP_RING_FILL,
	XDP_RING_COMP,
	XDP_RINGS,
};

/*
 * struct xdp_socket - descriptor, mappings and rings
 * @fd: -1: closed
 */
struct xdp_socket {
	int fd;
	void *map[XDP_RINGS];
	size_t len[XDP_RINGS];
	struct pp_xsk_ring ring[XDP_RINGS];
};

/* All return 0 or -errno; pp_xdp_socket_close() may follow a failed call. */
int pp_xdp_socket_open(struct xdp_socket *s);
int pp_xdp_socket_register(struct xdp_socket *s, const struct xdp_umem_reg_meta *reg);
int pp_xdp_socket_rings(struct xdp_socket *s, uint32_t fill_size);

/* waits for as long as the kernel may keep the queue for a socket that is gone already */
int pp_xdp_socket_bind(struct xdp_socket *s, int ifindex, uint32_t queue, uint16_t flags);

/* bound by another program, with rings of our sizes; EINVAL: they are not */
int pp_xdp_socket_adopt(struct xdp_socket *s, int fd, uint32_t fill_size);

/* afterwards the kernel has no frame of the socket any more */
void pp_xdp_socket_close(struct xdp_socket *s);

/* ---- interrupts of a queue: af_xdp/napi.c, af_xdp/suspend.c ---------------------------------- */

enum xdp_napi_setting {
	NAPI_DEFER,
	NAPI_FLUSH,
	NAPI_SUSPEND,
	NAPI_THREADED,
	NAPI_SETTINGS
};

/*
 * struct xdp_napi_values - settings of a NAPI, in the kernel's units
 * @mask: those that are meant, as bits
 */
struct xdp_napi_values {
	uint32_t mask;
	uint64_t v[NAPI_SETTINGS];
};

/*
 * struct xdp_napi - of a queue
 * @next:      of the process, from pp_napi_open() to pp_napi_close()
 * @ep:        an epoll descriptor with the socket in it; -1: interrupts are not suspended
 * @suspended: the last look found packets
 * @id:        NAPI that was set; 0: none
 * @before:    its settings, to be restored
 * @genl:      to restore them, in the namespace of the interface
 * @record:    for the case of a kill
 */
struct xdp_napi {
	struct xdp_napi *next;
	int ep;
	bool suspended;
	uint32_t id;
	struct xdp_napi_values before;
	struct pp_genl genl;
	struct pp_record record;
};

/*
 * struct xdp_napi_params - the port's options
 * @asked:      settings asked for by name
 * @suspend_us: interrupts stay off at most for so long without a look; 0: no suspension
 * @look_us:    how long a look lasts that finds nothing
 * @budget:     packets of a look, or of a busy poll, at most
 */
struct xdp_napi_params {
	struct xdp_napi_values asked;
	uint32_t suspend_us;
	uint32_t look_us;
	uint32_t budget;
};

/* pp_napi_close() may follow */
void pp_napi_init(struct xdp_napi *n);

/*
 * Set the NAPI of the interface's @queue, which socket @fd is bound to. Also without a request it
 * restores what a killed process has left. Return: 0, or -errno with a sentence in pp_error():
 * the settings are as they were.
 */
int pp_napi_open(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		 const struct xdp_napi_params *how);
/* restore the settings; nothing to do after a failed open */
void pp_napi_close(struct xdp_napi *n);

/*
 * The kernel suspends the interrupts of a NAPI as long as epoll_wait(), with busy polling, finds
 * packets of it, and lets them on again as soon as it finds none (Linux 6.13).
 *
 * After pp_napi_open(): do that. Return: 0, or -errno with a sentence in pp_error(): the settings
 * are those of pp_napi_open().
 */
int pp_napi_suspend(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		    const struct xdp_napi_params *how);

/*
 * Poll the NAPI for up to @look_us. True: there are packets, and interrupts are suspended. False:
 * there are none, and interrupts are on.
 */
bool pp_napi_look(struct xdp_napi *n);

/* the parts of both: af_xdp/napi.c */

/* pp_set_error() that a setting is not made, and why; Return: @err */
int pp_napi_refuse(int err, const struct pp_iface *xif, enum xdp_napi_setting what, const char *why,
		   const char *what_to_do);
/* the same for a driver that names no NAPI for @queue, and for a refusal of the kernel */
int pp_napi_unnamed(const struct pp_iface *xif, enum xdp_napi_setting what, uint32_t queue);
int pp_napi_refused(int err, const struct pp_iface *xif, enum xdp_napi_setting what);
/* the NAPI of a queue by the kernel; *@id is 0 if the driver names none; 0 or -errno */
int pp_napi_named(struct pp_genl *g, int ifindex, uint32_t queue, uint32_t *id);
/* the NAPI that the socket knows, and epoll polls; 0: none */
uint32_t pp_napi_of_socket(int fd);
/* the settings that the kernel has, and their values; 0 or -errno */
int pp_napi_get(struct pp_genl *g, uint32_t id, struct xdp_napi_values *v);
/* record and make settings @v of NAPI @id; 0 or -errno */
int pp_napi_change(struct xdp_napi *n, uint32_t id, const struct xdp_napi_values *v);
/* restore those settings of @mask */
int pp_napi_restore(struct xdp_napi *n, uint32_t mask);

/* ---- ports and queues ------------------------------------------------------------------------ */

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
 * struct xdp_dev - a port; fields named as options of the spec have their values
 * @lock:            of the queues' socket descriptors, against get_stats()
 * @xif:             the interface as it was last reported
 * @how:             the program that the port asks for
 * @first, @nqueues: queues of the interface
 * @chunk:           bytes of a chunk: the page size, or with chunks=unaligned at most 4096
 * @spread:          channels and RSS of the interface
 * @longest:         bytes of the longest packet that the port receives
 * @socket_fd:       passed on by the program that has bound it; -1: none was
 * @rx_meta_offered: PP_RX_META_* that the driver has; 0: the port asks for none
 * @busy_poll_note, @csum_note, @tstamp_note, @promisc_note: for the port's description
 * @suspend_text:    the reason why interrupts are not suspended, for the first event; "": they are,
 *                   or the port does not ask for it
 * @offload, @offload_told: offloads in the way, and whether the first event has said so
 * @promisc:         enum xdp_promisc
 * @gone:            atomic: queues that were taken apart because the interface is gone
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
	unsigned int unaligned;
	unsigned int attach;
	unsigned int tx_csum;
	unsigned int tx_tstamp;
	unsigned int tx_launch;
	uint32_t busy_poll_us;
	struct xdp_napi_params napi;
	uint32_t fill_size;
	uint32_t chunk;
	uint32_t longest;
	int socket_fd;
	bool is_zerocopy;
	uint32_t rx_meta_offered;
	const char *busy_poll_note;
	char suspend_text[256];
	bool suspend_told;
	const char *csum_note;
	const char *tstamp_note;
	struct pp_spread_params spread_how;
	struct pp_spread *spread;
	unsigned int fix_offloads;
	struct pp_offload *offload;
	bool offload_told;
	unsigned int promisc;
	const char *promisc_note;
	unsigned int gone;
};

/*
 * struct xdp_queue - a queue: a socket and its pages
 * @xsk:       the engine of its pages and rings; NULL: it is not built
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

/* af_xdp/parse.c: 0, or -EINVAL with pp_error() */
int pp_xdp_parse(struct xdp_dev *xd, struct pp_args *args);

/*
 * af_xdp/open.c: build queue @queue of the interface; 0, or -errno with a sentence in pp_error(). A
 * half built queue is closed as any other.
 */
int pp_xdp_open_queue(struct xdp_dev *xd, unsigned int queue);

/* af_xdp/queue.c */
extern const struct pp_queue_ops pp_xdp_queue_ops;

/* ---- events of a queue besides packets: af_xdp/life.c ---------------------------------------- */

/* ask the kernel, in an idle poll, whether the socket still has its interface */
void pp_xdp_look(struct xdp_queue *x);

/* the interface is gone: take the queue apart, by its own thread */
void pp_xdp_gone(struct xdp_queue *x);

/* the next event of the interface since the last call; NULL: there is none */
const char *pp_xdp_event(struct pp_netdev *dev);

/* give the kernel @ms to send its packets; returns the ms left */
unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms);

/* close the socket, and take back every frame that the kernel had; the counters stay */
void pp_xdp_close_queue(struct xdp_queue *x);

/* add the counters of engine and kernel; the last answer once the socket is closed */
void pp_xdp_queue_stats(struct xdp_queue *x, struct pp_netdev_stats *stats);

#endif /* PP_AF_XDP_PORT_H */
