/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/socket.c - AF_XDP sockets by system calls
 *
 * libxdp creates a UMEM only together with its first socket, which cannot be opened again while
 * another one lives. It knows neither TX metadata nor sockets that another program has bound.
 * Here each socket registers the whole memory for itself, which is cheap, so that any frame may
 * travel between them.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "af_xdp/port.h"

static const off_t pgoff[XDP_RINGS] = {
	[XDP_RING_RX] = XDP_PGOFF_RX_RING,
	[XDP_RING_TX] = XDP_PGOFF_TX_RING,
	[XDP_RING_FILL] = (off_t)XDP_UMEM_PGOFF_FILL_RING,
	[XDP_RING_COMP] = (off_t)XDP_UMEM_PGOFF_COMPLETION_RING,
};

int pp_xdp_socket_open(struct xdp_socket *s)
{
	s->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	return s->fd < 0 ? -errno : 0;
}

int pp_xdp_socket_register(struct xdp_socket *s, const struct xdp_umem_reg_meta *reg)
{
	return setsockopt(s->fd, SOL_XDP, XDP_UMEM_REG, reg, sizeof(*reg)) ? -errno : 0;
}

static int ring_map(struct xdp_socket *s, enum xdp_ring ring, const struct xdp_ring_offset *off,
		    uint32_t size)
{
	size_t entry = ring < XDP_RING_FILL ? sizeof(struct xdp_desc) : sizeof(uint64_t);
	size_t len = off->desc + size * entry;
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd,
			 pgoff[ring]);

	if (map == MAP_FAILED)
		return -errno;
	s->map[ring] = map;
	s->len[ring] = len;
	s->ring[ring] = (struct pp_xsk_ring){ .producer = (uint32_t *)((char *)map + off->producer),
					      .consumer = (uint32_t *)((char *)map + off->consumer),
					      .flags = (uint32_t *)((char *)map + off->flags),
					      .ring = (char *)map + off->desc,
					      .size = size };
	return 0;
}

static int rings_map(struct xdp_socket *s, uint32_t fill_size)
{
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	int err;

	if (getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		return -errno;
	err = ring_map(s, XDP_RING_RX, &off.rx, XDP_RX_SIZE);
	if (!err)
		err = ring_map(s, XDP_RING_TX, &off.tx, XDP_TX_SIZE);
	if (!err)
		err = ring_map(s, XDP_RING_FILL, &off.fr, fill_size);
	if (!err)
		err = ring_map(s, XDP_RING_COMP, &off.cr, XDP_TX_SIZE);
	return err;
}

int pp_xdp_socket_rings(struct xdp_socket *s, uint32_t fill_size)
{
	const uint32_t rx = XDP_RX_SIZE, tx = XDP_TX_SIZE;

	if (setsockopt(s->fd, SOL_XDP, XDP_UMEM_FILL_RING, &fill_size, sizeof(fill_size)) ||
	    setsockopt(s->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &tx, sizeof(tx)) ||
	    setsockopt(s->fd, SOL_XDP, XDP_RX_RING, &rx, sizeof(rx)) ||
	    setsockopt(s->fd, SOL_XDP, XDP_TX_RING, &tx, sizeof(tx)))
		return -errno;
	return rings_map(s, fill_size);
}

/* The kernel keeps a queue for 10 to 40 ms after its socket was closed, also by a kill. */
int pp_xdp_socket_bind(struct xdp_socket *s, int ifindex, uint32_t queue, uint16_t flags)
{
	struct sockaddr_xdp sxdp = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = flags,
		.sxdp_ifindex = (uint32_t)ifindex,
		.sxdp_queue_id = queue,
	};
	unsigned int ms;

	for (ms = 0;; ms += XDP_RETRY_STEP_MS) {
		if (!bind(s->fd, (struct sockaddr *)&sxdp, sizeof(sxdp)))
			return 0;
		if (errno != EBUSY || ms >= XDP_RETRY_MS)
			return -errno;
		pp_xdp_sleep_ms(XDP_RETRY_STEP_MS);
	}
}

/* The mapping of a larger ring succeeds too, but its indices wrap elsewhere. */
static bool ring_is_larger(const struct xdp_socket *s)
{
	unsigned int i;
	void *map;

	for (i = 0; i < XDP_RINGS; i++) {
		map = mmap(NULL, s->len[i] * 2 - 512, PROT_READ, MAP_SHARED, s->fd, pgoff[i]);
		if (map == MAP_FAILED)
			continue;
		munmap(map, s->len[i] * 2 - 512);
		return true;
	}
	return false;
}

int pp_xdp_socket_adopt(struct xdp_socket *s, int fd, uint32_t fill_size)
{
	socklen_t len = sizeof(int);
	int domain = 0, err;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		return -errno;
	if (domain != AF_XDP)
		return -EPROTOTYPE;
	/* tells whether it is bound; no packet is received this way */
	if (recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 && errno == ENXIO)
		return -ENOTCONN;
	s->fd = fd;
	err = rings_map(s, fill_size);
	if (!err && ring_is_larger(s))
		err = -EINVAL;
	if (err) {
		s->fd = -1; /* stays the caller's */
		pp_xdp_socket_close(s);
	}
	return err;
}

/* The queue stays busy while a ring is mapped; close() waits for the kernel's receive path. */
void pp_xdp_socket_close(struct xdp_socket *s)
{
	unsigned int i;

	for (i = 0; i < XDP_RINGS; i++) {
		if (s->map[i])
			munmap(s->map[i], s->len[i]);
		s->map[i] = NULL;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
