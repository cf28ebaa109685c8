/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * null.c - an endless source and a bottomless sink
 *
 * Receiving is one bulk allocation and one store of 16 bytes a page; sending is one bulk return.
 * So a forwarder on this port measures the pool, and little else.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers.h"

#define SIZE_DEFAULT  64u
#define SIZE_MIN      14u /* an Ethernet header: engines read it without looking at len */
#define FRAME_HEADERS (14u + 20u + 8u)

/* the part of struct pp_page that an allocation resets, from len to port */
struct null_head {
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
};

_Static_assert(offsetof(struct pp_page, data_off) - offsetof(struct pp_page, len) ==
		       offsetof(struct null_head, data_off),
	       "struct null_head mirrors pp_page");
_Static_assert(offsetof(struct pp_page, port) - offsetof(struct pp_page, len) ==
		       offsetof(struct null_head, port),
	       "struct null_head mirrors pp_page");

struct null_queue {
	struct pp_queue q;
	struct null_head head;
	uint32_t colors; /* see pp_color() */
	unsigned char *frame; /* copy=1: the packet that is received */
	unsigned char *sink; /* copy=1: sent packets are copied there */
	uint32_t room; /* bytes of the sink; it takes the beginning of longer packets */
};

struct null_dev {
	struct pp_netdev dev;
	unsigned char *frame;
	unsigned char *sink;
	int fd; /* see null_fd(); -1: not asked for */
};

static unsigned int null_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct null_queue *nq = (struct null_queue *)q;
	const struct null_head head = nq->head;
	const uint32_t colors = nq->colors;
	unsigned int i, got = page_pool_alloc_bulk(q->pool, pages, n);

	for (i = 0; i < got; i++) {
		memcpy(&pages[i]->len, &head, sizeof(head));
		pages[i]->data_off = (uint16_t)(head.data_off + pp_color(pages[i], colors));
		pages[i]->tstamp = PP_TSTAMP_NONE;
	}
	pp_stat_add(&q->stats.rx_packets, got);
	pp_stat_add(&q->stats.rx_bytes, (uint64_t)got * head.len);
	if (unlikely(got < n))
		pp_stat_add(&q->stats.rx_nombuf, n - got);
	return got;
}

static unsigned int null_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		bytes += pages[i]->len;
	page_pool_put_bulk(pages, n);
	pp_stat_add(&q->stats.tx_packets, n);
	pp_stat_add(&q->stats.tx_bytes, bytes);
	return n;
}

static unsigned int null_rx_copy(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct null_queue *nq = (struct null_queue *)q;
	unsigned int i, got = null_rx(q, pages, n);

	for (i = 0; i < got; i++)
		memcpy(pp_page_data(pages[i]), nq->frame, nq->head.len);
	return got;
}

static unsigned int null_tx_copy(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct null_queue *nq = (struct null_queue *)q;
	unsigned int i;

	for (i = 0; i < n; i++)
		memcpy(nq->sink, pp_page_data(pages[i]),
		       pages[i]->len < nq->room ? pages[i]->len : nq->room);
	return null_tx(q, pages, n);
}

/* packets are always there: a file that is always readable */
static int null_fd(struct pp_queue *q)
{
	struct null_dev *nd = (struct null_dev *)q->dev;

	if (nd->fd < 0)
		nd->fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	return nd->fd < 0 ? pp_set_error(errno, "null: /dev/zero: %s", strerror(errno)) : nd->fd;
}

static const struct pp_queue_ops null_queue_ops = {
	.rx_burst = null_rx,
	.tx_burst = null_tx,
	.fd = null_fd,
};

static const struct pp_queue_ops null_copy_ops = {
	.rx_burst = null_rx_copy,
	.tx_burst = null_tx_copy,
	.fd = null_fd,
};

static void put16(unsigned char *to, unsigned int value)
{
	to[0] = (unsigned char)(value >> 8);
	to[1] = (unsigned char)value;
}

static unsigned int ip_checksum(const unsigned char *ip)
{
	unsigned int i, sum = 0;

	for (i = 0; i < 20; i += 2)
		sum += (unsigned int)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16)) & 0xffff;
}

/*
 * UDP from 198.18.0.1 to 198.18.0.2, the addresses set aside for benchmarks, to
 * the discard port, without UDP checksum. A frame too short for that carries the
 * Ethertype for local experiments.
 */
static void build_frame(unsigned char *frame, unsigned int size, const unsigned char *mac)
{
	static const unsigned char ip_udp[] = {
		0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 18, 0, 2, 4, 0, 0, 9,
	};
	unsigned char *ip = frame + 14;

	memcpy(frame, mac, 6);
	frame[5] ^= 0x80; /* another address than the port's */
	memcpy(frame + 6, mac, 6);
	if (size < FRAME_HEADERS) {
		put16(frame + 12, 0x88b5);
		return;
	}
	put16(frame + 12, 0x0800);
	memcpy(ip, ip_udp, sizeof(ip_udp));
	put16(ip + 2, size - 14);
	put16(ip + 10, ip_checksum(ip));
	put16(ip + 24, size - 34);
}

static int null_open_copy(struct null_dev *nd, struct null_queue *nq)
{
	nd->frame = calloc(1, nq->head.len);
	nq->room = pp_zone_page_size(nd->dev.params.zone) << nd->dev.params.order;
	nd->sink = malloc(nq->room);
	if (!nd->frame || !nd->sink)
		return pp_set_error(ENOMEM, "null: no memory for copies");
	build_frame(nd->frame, nq->head.len, nd->dev.mac);
	nq->frame = nd->frame;
	nq->sink = nd->sink;
	return 0;
}

static int null_open(struct pp_netdev *dev, struct pp_args *args)
{
	static const char *const off_on[] = { "0", "1", NULL };
	struct null_dev *nd = (struct null_dev *)dev;
	uint32_t size = SIZE_DEFAULT, headroom = pp_zone_headroom(dev->params.zone);
	unsigned int order = dev->params.order;
	uint32_t room = (pp_zone_page_size(dev->params.zone) << order) - headroom;
	struct null_queue *nq;
	unsigned int copy = 0;
	int err;

	nd->fd = -1;
	if (room < SIZE_MIN)
		return pp_set_error(EINVAL,
				    "null: headroom %u leaves %u bytes for packets, which "
				    "need %u; use less headroom",
				    headroom, room, SIZE_MIN);
	size = size < room ? size : room;
	err = pp_args_u32(args, "size", SIZE_MIN, room, &size);
	if (!err)
		err = pp_args_word(args, "copy", off_on, &copy);
	if (err)
		return err;
	nq = (struct null_queue *)pp_netdev_add_queue(dev, sizeof(*nq),
						      copy ? &null_copy_ops : &null_queue_ops);
	if (!nq)
		return -errno;
	nq->head.len = size;
	nq->head.data_off = (uint16_t)headroom;
	nq->head.port = dev->params.port;
	if (pp_zone_page_size(dev->params.zone) >= 4096 && room - size >= PP_COLORS)
		nq->colors = PP_COLORS;
	if (copy) {
		err = null_open_copy(nd, nq);
		if (err)
			return err;
	}
	snprintf(dev->info, sizeof(dev->info), "%u-byte packets, payload %s", size,
		 copy ? "copied" : "untouched");
	return 0;
}

static void null_close(struct pp_netdev *dev)
{
	struct null_dev *nd = (struct null_dev *)dev;

	free(nd->frame);
	free(nd->sink);
	if (nd->fd >= 0)
		close(nd->fd);
}

const struct pp_netdev_ops pp_null_ops = {
	.name = "null",
	.sets = true,
	.dev_size = sizeof(struct null_dev),
	.open = null_open,
	.close = null_close,
};
