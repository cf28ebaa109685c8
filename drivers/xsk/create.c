/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/create.c - pages for sockets on AF_XDP: parameters, rings and sizes */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pagepool/error.h>
#include <pagepool/memory.h>
#include <pagepool/zone.h>

#include "xsk/priv.h"

#define ALL_FLAGS                                                                           \
	(PP_XSK_UNALIGNED | PP_XSK_NEED_WAKEUP | PP_XSK_SG | PP_XSK_COPY | PP_XSK_TX_CSUM | \
	 PP_XSK_TX_CSUM_SW | PP_XSK_TX_TSTAMP | PP_XSK_RX_META | PP_XSK_TX_LAUNCH |         \
	 PP_XSK_TX_KEEP)
/* need params.tx_metadata_len */
#define META_FLAGS (PP_XSK_TX_CSUM | PP_XSK_TX_TSTAMP | PP_XSK_TX_LAUNCH)
/* not for chunks smaller than pages */
#define PAGE_FLAGS \
	(PP_XSK_SG | PP_XSK_COPY | META_FLAGS | PP_XSK_TX_CSUM_SW | PP_XSK_RX_META | PP_XSK_TX_KEEP)

#define CHUNK_MIN    2048u /* the kernel's, for aligned ones */
#define METADATA_MAX 256u /* the kernel's limit of tx_metadata_len */

/* ---- parameters -------------------------------------------------------------------------------*/

#define PARAMS_MAX 4096u /* a larger sz is none */

static int params_copy(struct pp_xsk_params *to, const struct pp_xsk_params *from)
{
	const unsigned char *byte = (const unsigned char *)from;
	size_t i;

	if (from->sz > PARAMS_MAX)
		return pp_set_error(E2BIG, "xsk: parameters of %zu bytes", from->sz);
	for (i = sizeof(*to); i < from->sz; i++)
		if (byte[i])
			return pp_set_error(E2BIG,
					    "xsk: parameters of %zu bytes, of which this "
					    "library knows %zu",
					    from->sz, sizeof(*to));
	memset(to, 0, sizeof(*to));
	memcpy(to, from, from->sz < sizeof(*to) ? from->sz : sizeof(*to));
	return 0;
}

int pp_xsk_umem_init(struct pp_xsk_umem *umem, struct pp_zone *zone, const void *area,
		     uint32_t flags)
{
	uintptr_t base = (uintptr_t)pp_zone_base(zone);
	uintptr_t first = area ? (uintptr_t)area : base;
	uint32_t size = pp_zone_page_size(zone);

	if (!pp_zone_page_table(zone))
		return pp_set_error(EINVAL, "xsk: zone %s is a depot, which has no pages",
				    pp_zone_name(zone));
	if (flags & ~PP_XSK_UNALIGNED)
		return pp_set_error(EINVAL, "xsk: unknown flags %#x", flags);
	if (first > base)
		return pp_set_error(EINVAL,
				    "xsk: the UMEM begins behind zone %s; register at least "
				    "the zone's memory",
				    pp_zone_name(zone));
	if (!flags && (base - first) % size)
		return pp_set_error(EINVAL,
				    "xsk: zone %s begins %llu bytes into the UMEM, which is no "
				    "multiple of its pages of %u",
				    pp_zone_name(zone), (unsigned long long)(base - first), size);
	umem->table = pp_zone_page_table(zone);
	umem->pages = pp_zone_pages(zone);
	umem->offset = base - first;
	umem->shift = (uint32_t)__builtin_ctz(size);
	umem->flags = flags;
	return 0;
}

static int ring_check(const struct pp_xsk_ring *ring, const char *name)
{
	uint32_t producer, consumer;

	if (!ring->size)
		return 0;
	if (!ring->producer || !ring->consumer || !ring->ring || ring->size & (ring->size - 1))
		return pp_set_error(EINVAL,
				    "xsk: %s ring of %u entries: not a power of two, or not mapped",
				    name, ring->size);
	producer = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	consumer = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	if (producer != consumer)
		return pp_set_error(
			EINVAL,
			"xsk: %u entries are in the %s ring already; let pp_xsk_refill() "
			"and pp_xsk_tx() make the first",
			producer - consumer, name);
	return 0;
}

/* A missing ring looks empty and full for ever; a ring without flags always wants a call. */
static struct pp_xsk_ring ring_or_none(const struct pp_xsk_ring *from)
{
	static uint32_t none, always = XDP_RING_NEED_WAKEUP; /* never written */
	struct pp_xsk_ring ring = *from;

	if (!ring.size)
		ring.producer = ring.consumer = &none;
	if (!ring.size || !ring.flags)
		ring.flags = &always;
	return ring;
}

/* for both of libxdp's kinds of rings; of those that we fill, it keeps the consumer @ahead */
#define RING(r, ahead)                                                                \
	{                                                                             \
		.cached_prod = *(r).producer, .cached_cons = *(r).consumer + (ahead), \
		.mask = (r).size - 1, .size = (r).size, .producer = (r).producer,     \
		.consumer = (r).consumer, .ring = (r).ring, .flags = (r).flags,       \
	}

static void rings_take(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	struct pp_xsk_ring rx = ring_or_none(&p->rx), fill = ring_or_none(&p->fill);
	struct pp_xsk_ring tx = ring_or_none(&p->tx), comp = ring_or_none(&p->comp);

	xsk->r.rx = (struct xsk_ring_cons)RING(rx, 0);
	xsk->r.fill = (struct xsk_ring_prod)RING(fill, fill.size);
	xsk->t.tx = (struct xsk_ring_prod)RING(tx, tx.size);
	xsk->t.comp = (struct xsk_ring_cons)RING(comp, 0);
}

static int rings_init(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	int err;

	if (!p->rx.size && !p->tx.size)
		return pp_set_error(EINVAL, "xsk: neither RX nor TX ring");
	if (p->rx.size && (!p->fill.size || !p->pool))
		return pp_set_error(EINVAL, "xsk: an RX ring, and no %s to fill it from",
				    p->pool ? "fill ring" : "pool");
	if (p->tx.size && !p->comp.size)
		return pp_set_error(EINVAL, "xsk: a TX ring, and no completion ring");
	err = ring_check(&p->rx, "RX");
	if (!err)
		err = ring_check(&p->fill, "fill");
	if (!err)
		err = ring_check(&p->tx, "TX");
	if (!err)
		err = ring_check(&p->comp, "completion");
	if (!err)
		rings_take(xsk, p);
	return err;
}

/* Unaligned chunks are whole pages to the engine; it cuts smaller aligned ones from pages. */
static int chunk_size(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	uint32_t size = pp_zone_page_size(p->zone);
	uint32_t chunk = p->chunk_size ? p->chunk_size : size;

	xsk->chunk = chunk;
	xsk->chunk_shift = xsk->umem.shift;
	if (chunk <= size && (chunk == size || p->flags & PP_XSK_UNALIGNED))
		return 0;
	if (chunk > size || chunk < CHUNK_MIN || chunk & (chunk - 1) ||
	    size / chunk > XSK_CHUNKS_MAX)
		return pp_set_error(EINVAL,
				    "xsk: chunks of %u in pages of %u; aligned chunks are "
				    "pages, or a half to a %uth of them and %u or more",
				    chunk, size, XSK_CHUNKS_MAX, CHUNK_MIN);
	xsk->chunk_shift = (uint32_t)__builtin_ctz(chunk);
	return 0;
}

static int metadata_check(const struct pp_xsk_params *p)
{
	uint32_t least = p->flags & PP_XSK_TX_LAUNCH ? XDP_TX_META_LAUNCH_LEN
						     : sizeof(struct xdp_tx_meta);

	if (p->tx_metadata_len < METADATA_MAX && !(p->tx_metadata_len % 8) &&
	    (p->tx_metadata_len >= least || !(p->flags & META_FLAGS)))
		return 0;
	return pp_set_error(EINVAL,
			    "xsk: tx_metadata_len %u is no multiple of 8 from %u on below %u",
			    p->tx_metadata_len, least, METADATA_MAX);
}

/* the features of the flags, and whether the other parameters allow them */
static int features_check(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	bool parts = xsk->chunk_shift < xsk->umem.shift;
	int err;

	if (parts && p->flags & PAGE_FLAGS)
		return pp_set_error(EINVAL, "xsk: flags %#x are for chunks that are pages",
				    p->flags & PAGE_FLAGS);
	if (p->flags & PP_XSK_COPY && !p->pool)
		return pp_set_error(EINVAL, "xsk: PP_XSK_COPY, and no pool to copy into");
	if (p->flags & PP_XSK_TX_CSUM && p->flags & PP_XSK_TX_CSUM_SW)
		return pp_set_error(EINVAL, "xsk: checksums by the device and by the library; "
					    "take one of PP_XSK_TX_CSUM, PP_XSK_TX_CSUM_SW");
	err = metadata_check(p);
	if (err)
		return err;
	xsk->room = p->tx_metadata_len;
	xsk->prepare = p->tx_metadata_len || p->flags & PP_XSK_TX_CSUM_SW;
	xsk->pieces = p->flags & PP_XSK_SG ? PP_XSK_PAGES_MAX : 1;
	xsk->plain = !parts && !(p->flags & (PP_XSK_UNALIGNED | PP_XSK_SG));
	return 0;
}

/*
 * A fill ring is twice as large as the frames posted: the kernel shows a received frame before
 * it shows the slot of the fill ring that it came from.
 */
static int fill_sizes(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	uint32_t frames = p->frames;

	if (!p->rx.size)
		return 0;
	if (frames > p->fill.size)
		return pp_set_error(EINVAL, "xsk: %u frames in a fill ring of %u", frames,
				    p->fill.size);
	if (!frames) {
		frames = p->fill.size > 1 ? p->fill.size / 2 : 1;
		if (frames > p->rx.size)
			frames = p->rx.size;
	}
	if (p->batch > PP_BULK_MAX)
		return pp_set_error(EINVAL, "xsk: batch %u, at most %u", p->batch, PP_BULK_MAX);
	xsk->frames = frames;
	xsk->batch = p->batch ? p->batch : 64;
	if (xsk->batch > frames / 2)
		xsk->batch = frames / 2 ? frames / 2 : 1;
	return 0;
}

/* marks that no other socket of the process has */
static void marks_take(struct pp_xsk *xsk)
{
	static uint32_t sockets;
	uint32_t id = __atomic_fetch_add(&sockets, 1, __ATOMIC_RELAXED) << XSK_KIND_BITS;

	id = XSK_MARK | (id & ~XSK_SHARED);
	xsk->mark_fill = id | XSK_KIND_FILL;
	xsk->mark_tx = id | XSK_KIND_TX;
}

static int params_check(struct pp_xsk_params *p)
{
	if (!p->zone)
		p->zone = p->pool ? page_pool_zone(p->pool) : NULL;
	if (!p->zone)
		return pp_set_error(EINVAL, "xsk: neither pool nor zone");
	if (p->pool && (page_pool_zone_set(p->pool) || page_pool_zone(p->pool) != p->zone))
		return pp_set_error(EINVAL, "xsk: pool %s takes pages from elsewhere than zone %s",
				    page_pool_name(p->pool), pp_zone_name(p->zone));
	if (p->flags & ~ALL_FLAGS)
		return pp_set_error(EINVAL, "xsk: unknown flags %#x", p->flags & ~ALL_FLAGS);
	return 0;
}

/* the engine computes checksums that the device lacks; times that it lacks fall off */
static uint32_t flags_offered(const struct pp_xsk_params *p)
{
	uint32_t lacks;

	if (!p->ifindex || !(p->flags & META_FLAGS))
		return p->flags;
	lacks = p->flags & META_FLAGS & ~pp_xsk_tx_offers(p->fd, p->ifindex);
	return (p->flags & ~lacks) | (lacks & PP_XSK_TX_CSUM ? PP_XSK_TX_CSUM_SW : 0);
}

/* the zone's pin is the last step that pp_xsk_reclaim() takes back */
static int memory_pin(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	int err = pp_zone_pin(p->zone);

	if (err)
		return err;
	if (xsk->chunk_shift < xsk->umem.shift)
		err = pp_xsk_chunks_init(xsk);
	if (err)
		pp_zone_unpin(p->zone);
	return err;
}

static int xsk_init(struct pp_xsk *xsk, const struct pp_xsk_params *p)
{
	int err;

	err = pp_xsk_umem_init(&xsk->umem, p->zone, p->umem, p->flags & PP_XSK_UNALIGNED);
	if (!err)
		err = rings_init(xsk, p);
	if (!err)
		err = chunk_size(xsk, p);
	if (!err)
		err = features_check(xsk, p);
	if (!err)
		err = fill_sizes(xsk, p);
	if (!err)
		err = memory_pin(xsk, p);
	if (err)
		return err;
	xsk->zone = p->zone;
	xsk->pool = p->pool;
	xsk->base = (unsigned char *)pp_zone_base(p->zone) - xsk->umem.offset;
	xsk->flags = flags_offered(p);
	xsk->fd = p->fd;
	xsk->port = p->port;
	xsk->wait_ms = p->tx_wait_ms;
	marks_take(xsk);
	return 0;
}

/* In copy mode one sendto() takes a whole TX ring; kernels before 6.18 keep to 32 packets. */
static void send_at_once(const struct pp_xsk *xsk)
{
	const uint32_t packets = xsk->t.tx.size;

	if (packets)
		(void)setsockopt(xsk->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &packets,
				 sizeof(packets));
}

struct pp_xsk *pp_xsk_create(const struct pp_xsk_params *params)
{
	struct pp_xsk_params p;
	struct pp_xsk *xsk = NULL;
	int err;

	err = params_copy(&p, params);
	if (!err)
		err = params_check(&p);
	if (!err) {
		xsk = aligned_alloc(128, sizeof(*xsk)); /* the two threads' parts are lines apart */
		err = xsk ? 0 : pp_set_error(ENOMEM, "xsk: no memory for a socket");
	}
	if (!err) {
		memset(xsk, 0, sizeof(*xsk));
		err = xsk_init(xsk, &p);
	}
	if (err) {
		free(xsk);
		errno = -err;
		return NULL;
	}
	send_at_once(xsk);
	return xsk;
}
