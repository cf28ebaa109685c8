/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/socket.h - an AF_XDP socket with its own registration of the memory, and its rings */
#ifndef PP_AF_XDP_SOCKET_H
#define PP_AF_XDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <pagepool/xsk.h>

#include "xsk/uapi.h"

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

#endif /* PP_AF_XDP_SOCKET_H */
