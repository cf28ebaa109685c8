/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/priv.h - the engine below pagepool/xsk.h: the state of a socket
 *
 * The rings are libxdp's inline accessors, a matter of its header alone: nothing of libxdp is
 * linked.
 */
#ifndef PP_XSK_PRIV_H
#define PP_XSK_PRIV_H

#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

#include <xdp/xsk.h>

#include <pagepool/xsk.h>

#include "xsk/uapi.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define XSK_REAP 64u /* pages returned at once */

/*
 * pp_page.owner of a page that a socket's rings have: the socket's number << XSK_KIND_BITS, bit 31,
 * and one of these. Bit 30 is 0 but in XSK_SHARED; dpdk's queues have bit 30 without bit 31.
 */
enum {
	XSK_KIND_FILL = 1,
	XSK_KIND_TX = 2,
	XSK_KIND_TX_MORE = 3, /* a page behind the first of a packet */
	XSK_KIND_BITS = 2,
};

#define XSK_MARK ((uint32_t)1 << 31)

/*
 * pp_page.owner of a page with chunks in rings: below are its chunks, a bit each. The sockets'
 * tables tell which ring has which.
 */
#define XSK_SHARED     ((uint32_t)3 << 30)
#define XSK_CHUNKS_MAX 16u /* a page */

/*
 * struct xsk_rx - written by the receiving thread
 * @chunks:   chunks smaller than pages: 1 for each that was posted; NULL otherwise
 * @head, @tail, @pieces, @bytes: of the packet that is being received
 * @skip:     drop the rest of it
 * @posted:   pages or chunks that the kernel has for reception
 * @retry_ns: do not ask the pool again before (CLOCK_MONOTONIC)
 */
struct xsk_rx {
	struct xsk_ring_prod fill;
	struct xsk_ring_cons rx;
	uint16_t *chunks;
	struct pp_page *head;
	struct pp_page *tail;
	uint64_t bytes;
	uint32_t pieces;
	bool skip;
	uint32_t posted;
	uint64_t retry_ns;
	struct {
		uint64_t packets, bytes, dropped, bad, nombuf, refilled;
	} st;
};

/*
 * struct xsk_tx - written by the sending thread
 * @chunks: chunks smaller than pages: the length of each that is out; NULL otherwise
 * @out:    pages or chunks that the kernel has for transmission
 * @lost:   of those, how many the kernel said it dropped
 * @pause:  rounds left before the kernel is asked again to send
 * @err:    why the last request to send failed, an errno; the port clears it
 * @gone:   atomic: the interface was deleted
 * @now:    when this burst was handed over
 */
struct xsk_tx {
	struct xsk_ring_prod tx;
	struct xsk_ring_cons comp;
	uint16_t *chunks;
	uint32_t out;
	uint32_t lost;
	uint32_t pause;
	int err;
	uint32_t gone;
	uint64_t now;
	struct {
		uint64_t packets, bytes, dropped, bad, nombuf, comp_bad, kicks, kick_errors;
		uint64_t tstamps, latency_sum, latency_max, tstamp_last;
	} st;
};

/*
 * struct pp_xsk - a socket
 * @base:     address that offsets in the UMEM are counted from
 * @mark_fill, @mark_tx: pp_page.owner of pages in its rings
 * @frames:   to have posted
 * @batch:    posted at once
 * @chunk:    bytes of a chunk
 * @plain:    aligned whole pages, one a packet: the short loops apply
 * @prepare:  packets need pp_xsk_tx_meta() before they are sent
 * @room:     bytes in front of each packet sent that the kernel keeps for metadata
 * @pieces:   most pages of a packet
 * @wait_ms:  that pp_xsk_tx() waits for room
 * @reclaimed, @kernel: for the counters, once the socket is closed
 */
struct pp_xsk {
	struct pp_xsk_umem umem;
	struct pp_zone *zone;
	struct page_pool *pool;
	const unsigned char *base;
	uint32_t mark_fill;
	uint32_t mark_tx;
	uint32_t frames;
	uint32_t batch;
	uint32_t chunk;
	uint32_t chunk_shift;
	uint32_t flags;
	uint32_t room;
	uint32_t pieces;
	uint32_t wait_ms;
	int fd;
	uint16_t port;
	bool plain;
	bool prepare;
	uint64_t reclaimed;
	struct xdp_statistics kernel;
	struct xsk_rx r __attribute__((aligned(128)));
	struct xsk_tx t __attribute__((aligned(128)));
};

/* sizeof(struct pp_xsk) in libpagepool-xsk, for libraries that read it */
extern const uint32_t pp_xsk_private;

/* Relaxed: pp_xsk_reclaim() of another socket reads the marks as they change. */
static inline uint32_t xsk_mark(const struct pp_page *page)
{
	return __atomic_load_n(&page->owner, __ATOMIC_RELAXED);
}

static inline void xsk_set_mark(struct pp_page *page, uint32_t mark)
{
	__atomic_store_n(&page->owner, mark, __ATOMIC_RELAXED);
}

/* one writer, readers anywhere */
static inline void xsk_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void xsk_add(uint32_t *gauge, uint32_t n)
{
	__atomic_store_n(gauge, *gauge + n, __ATOMIC_RELAXED);
}

static inline uint64_t xsk_now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* entries from @idx on, up to @n, before the ring of @size ends */
static inline uint32_t xsk_run(uint32_t n, uint32_t idx, uint32_t size)
{
	uint32_t run = size - (idx & (size - 1));

	return run < n ? run : n;
}

static inline uint32_t xsk_waiting(const struct pp_xsk *xsk)
{
	return xsk->t.tx.cached_prod - __atomic_load_n(xsk->t.tx.consumer, __ATOMIC_ACQUIRE);
}

/* does pp_xsk_complete() have something to do? */
static inline bool xsk_sending(struct pp_xsk *xsk)
{
	return xsk->t.out || xsk_cons_nb_avail(&xsk->t.comp, 1);
}

static inline uint32_t xsk_owed(const struct pp_xsk *xsk)
{
	uint32_t owed = xsk->frames - xsk->r.posted;

	return owed >= xsk->batch ? owed : 0;
}

/* the page of an address from the kernel if it has the mark, otherwise NULL */
static inline struct pp_page *xsk_page(const struct pp_xsk *xsk, uint64_t addr, uint32_t mark,
				       uint32_t *off)
{
	struct pp_page *page = pp_xsk_page(&xsk->umem, addr, off);

	return likely(page) && likely(xsk_mark(page) == mark) ? page : NULL;
}

/* no packet was received: the device below sleeps if it found the fill ring empty */
static inline void xsk_rx_wake(struct pp_xsk *xsk)
{
	if (xsk->flags & PP_XSK_NEED_WAKEUP && xsk_ring_prod__needs_wakeup(&xsk->r.fill))
		(void)recvfrom(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static inline bool xsk_is_zerocopy(int fd)
{
	struct xdp_options opts = { 0 };
	socklen_t len = sizeof(opts);

	return !getsockopt(fd, SOL_XDP, XDP_OPTIONS, &opts, &len) &&
	       opts.flags & XDP_OPTIONS_ZEROCOPY;
}

/* free a page, and with @chain those behind it; how many a ring has, which were left alone */
static inline unsigned int xsk_put(struct pp_page *page, bool chain)
{
	unsigned int left = 0;
	struct pp_page *next;

	for (; page; page = next) {
		next = chain ? page->next : NULL;
		if (xsk_mark(page)) {
			left++;
			continue;
		}
		if (next)
			page->next = NULL;
		page_pool_put_bulk(&page, 1);
	}
	return left;
}

/* ---- chunks smaller than pages: xsk/chunk.c -------------------------------------------------- */

static inline uint64_t chunk_index(const struct pp_xsk *xsk, const struct pp_page *page,
				   uint32_t off)
{
	return ((uint64_t)(page - xsk->umem.table) << (xsk->umem.shift - xsk->chunk_shift)) +
	       (off >> xsk->chunk_shift);
}

static inline uint32_t chunk_bit(const struct pp_xsk *xsk, uint32_t off)
{
	return (uint32_t)1 << (off >> xsk->chunk_shift);
}

/* false: a ring has the chunk already, or the page as a whole */
static inline bool chunk_claim(struct pp_page *page, uint32_t bit)
{
	uint32_t owner = xsk_mark(page);

	do {
		if (owner && ((owner & XSK_SHARED) != XSK_SHARED || owner & bit))
			return false;
	} while (!__atomic_compare_exchange_n(&page->owner, &owner, owner | XSK_SHARED | bit, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* makes the socket's records of chunks, for the rings that it has; 0 or -ENOMEM */
int pp_xsk_chunks_init(struct pp_xsk *xsk);

/* takes up to @want chunks from the pool and posts them; returns how many */
unsigned int pp_xsk_post_chunks(struct pp_xsk *xsk, unsigned int want);

/* the page of a chunk that the kernel gives back, by one of the socket's records, or NULL */
struct pp_page *pp_xsk_chunk_take(struct pp_xsk *xsk, uint16_t *chunks, uint64_t addr,
				  uint32_t *off, uint32_t *len);

/* returns the chunks of the records, and frees these; @unsent: out: chunks of the TX ring */
uint64_t pp_xsk_chunks_reclaim(struct pp_xsk *xsk, uint32_t *unsent);

/* ---- TX metadata, requests to the device besides sending: xsk/meta.c ------------------------- */

/*
 * do, or ask the device for, the features that the socket was created for; returns options of the
 * descriptor
 */
uint32_t pp_xsk_tx_meta(struct pp_xsk *xsk, struct pp_page *page);

/* move a packet that begins too low; it has room behind */
void pp_xsk_tx_make_room(const struct pp_xsk *xsk, struct pp_page *page);

/* it was sent: its tstamp is that time, or PP_TSTAMP_NONE; @lost: it was not */
void pp_xsk_tx_stamped(struct pp_xsk *xsk, struct pp_page *page, bool lost);

#endif /* PP_XSK_PRIV_H */
