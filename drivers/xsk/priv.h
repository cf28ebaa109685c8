/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/priv.h - between xsk.c (set up, the end), xsk/ring.c (every round) and xsk/chunk.c
 * (chunks smaller than pages)
 */
#ifndef PP_XSK_PRIV_H
#define PP_XSK_PRIV_H

#include <stdbool.h>

#include <linux/if_xdp.h>

#include <pagepool/xsk.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define XSK_REAP      64u /* pages brought home at once */
#define XSK_PKT_CONTD (1u << 0) /* XDP_PKT_CONTD: the packet goes on in the next buffer */

/*
 * pp_page.owner of a page with chunks in rings; below are its chunks, a bit each. Whose ring it
 * is is in the sockets' tables. No socket of whole pages has a mark with both these bits.
 */
#define XSK_SHARED     ((uint32_t)3 << 30)
#define XSK_CHUNKS_MAX 16u /* a page */

/* Relaxed: the walk in pp_xsk_fini() reads the marks of other sockets' frames as they run. */
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

/* ---- rings ------------------------------------------------------------------------------------*/

/* entries for us to take; acquire pairs with the kernel's release of what it wrote into them */
static inline uint32_t ring_avail(struct pp_xsk_cursor *c, uint32_t want)
{
	uint32_t n = c->other - c->mine;

	if (n < want && c->ring.size) {
		c->other = __atomic_load_n(c->ring.producer, __ATOMIC_ACQUIRE);
		n = c->other - c->mine;
	}
	return n < want ? n : want;
}

/* slots for us to write; acquire: the kernel has read what was in them */
static inline uint32_t ring_space(struct pp_xsk_cursor *c, uint32_t want)
{
	uint32_t n = c->ring.size - (c->mine - c->other);

	if (n < want && c->ring.size) {
		c->other = __atomic_load_n(c->ring.consumer, __ATOMIC_ACQUIRE);
		n = c->ring.size - (c->mine - c->other);
	}
	return n < want ? n : want;
}

/* the kernel may overwrite what we have read */
static inline void ring_release(struct pp_xsk_cursor *c, uint32_t n)
{
	c->mine += n;
	__atomic_store_n(c->ring.consumer, c->mine, __ATOMIC_RELEASE);
}

/* the kernel may read what we have written */
static inline void ring_submit(struct pp_xsk_cursor *c, uint32_t n)
{
	c->mine += n;
	__atomic_store_n(c->ring.producer, c->mine, __ATOMIC_RELEASE);
}

static inline uint64_t *ring_addr(const struct pp_xsk_cursor *c, uint32_t i)
{
	return (uint64_t *)c->ring.ring + ((c->mine + i) & (c->ring.size - 1));
}

static inline struct xdp_desc *ring_desc(const struct pp_xsk_cursor *c, uint32_t i)
{
	return (struct xdp_desc *)c->ring.ring + ((c->mine + i) & (c->ring.size - 1));
}

static inline bool ring_needs_wakeup(const struct pp_xsk *xsk, const struct pp_xsk_cursor *c)
{
	return !(xsk->flags & PP_XSK_NEED_WAKEUP) || !c->ring.flags ||
	       __atomic_load_n(c->ring.flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP;
}

static inline bool xsk_rx_whole(const struct pp_xsk *xsk, const struct xdp_desc *desc, uint32_t off)
{
	uint32_t size = (uint32_t)1 << xsk->chunk_shift;

	return !(desc->options & XSK_PKT_CONTD) && !xsk->r.multi &&
	       desc->len <= size - (off & (size - 1));
}

/* ---- xsk/ring.c -------------------------------------------------------------------------------*/

/* marks that no other socket of the process has */
void pp_xsk_marks(struct pp_xsk *xsk);

void pp_xsk_rx_wake(struct pp_xsk *xsk);
void pp_xsk_rx_drop(struct pp_xsk *xsk, struct pp_page *page, const struct xdp_desc *desc);
uint32_t pp_xsk_tx_room(struct pp_xsk *xsk, uint32_t n);
void pp_xsk_tx_submit(struct pp_xsk *xsk, uint32_t sent);

/* ---- xsk/chunk.c ------------------------------------------------------------------------------*/

/* the socket's records of chunks, for the rings that it has; -ENOMEM */
int pp_xsk_chunks_init(struct pp_xsk *xsk);
/* chunks for the next slots of the fill ring; returns how many were written */
unsigned int pp_xsk_post_chunks(struct pp_xsk *xsk, unsigned int want);
/* the page of a chunk that the kernel gives back, by one of the socket's records, or NULL */
struct pp_page *pp_xsk_chunk_take(struct pp_xsk *xsk, uint16_t *chunks, uint64_t addr,
				  uint32_t *off, uint32_t *len);
/* brings home what the records have, and frees them; @unsent: out: chunks of the TX ring */
uint64_t pp_xsk_chunks_fini(struct pp_xsk *xsk, uint32_t *unsent);

#endif /* PP_XSK_PRIV_H */
