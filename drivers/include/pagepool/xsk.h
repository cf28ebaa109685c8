/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk.h - pages for programs that own their AF_XDP sockets and their UMEM
 *
 * The program makes socket, UMEM and rings by libxdp, or by setsockopt() and mmap(), and hands the
 * rings over. From then on frames are pages, and there is no list of free addresses:
 *
 *   pp_xsk_refill()    pages of a page_pool go into the fill ring, in bulk;
 *   pp_xsk_rx()        received packets are pages that the caller owns: it keeps them, frees
 *                      them from any thread with page_pool_put_bulk(), or
 *   pp_xsk_tx()        sends them, whichever socket of the UMEM they came from;
 *   pp_xsk_complete()  pages that were sent go home, each to the pool that it came from.
 *
 * Each frame has one owner record: pp_page.owner names the socket and the direction of a page that
 * the kernel holds. The engine counts an address that comes back without its mark, or twice, and
 * frees nothing. Once the socket is closed, pp_xsk_reclaim() finds the pages that its rings had.
 *
 *                               [1] [2] [3] [4]     X: the caller must exclude
 *  [1] pp_xsk_refill, rx         X   -   -   X      one thread, the owner of the pool
 *  [2] pp_xsk_tx, complete       -   X   -   X      one thread, the same or another
 *  [3] pp_xsk_get_stats          -   -   -   X
 *  [4] pp_xsk_create, reclaim,   X   X   X   X
 *      destroy
 *
 * With PP_XSK_COPY [1] and [2] are one thread, because tx may take pages from the pool. Other
 * sockets, also of the same UMEM, are other pp_xsk: nothing is excluded. Sockets that share a
 * queue share its fill and completion ring as well: the two rings belong to one pp_xsk, and only
 * that socket may send.
 *
 * If chunks are smaller than pages, several packets share one: pp_xsk_rx_chunks(),
 * pp_xsk_tx_chunks() and pp_xsk_put_chunks() do the same with struct pp_xsk_chunk, by the same
 * rules.
 *
 * Neither this header nor the code behind it needs libxdp or libbpf at run time. See doc/xdp.md.
 */
#ifndef PAGEPOOL_XSK_H
#define PAGEPOOL_XSK_H

#include <pagepool/page_pool.h>
#include <pagepool/rx_meta.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PP_XSK_UNALIGNED - the UMEM was registered with XDP_UMEM_UNALIGNED_CHUNK_FLAG */
#define PP_XSK_UNALIGNED (1u << 0)
/**
 * PP_XSK_NEED_WAKEUP - the socket was bound with XDP_USE_NEED_WAKEUP: make a system call only if
 * the ring's flag asks for one. Without it each burst sent is a call, an empty pp_xsk_rx() is none
 */
#define PP_XSK_NEED_WAKEUP (1u << 1)
/** PP_XSK_PAGES_MAX - most pages of a packet, with PP_XSK_SG */
#define PP_XSK_PAGES_MAX 18u
/**
 * PP_XSK_SG - the socket was bound with XDP_USE_SG: a packet may take several pages, which hang on
 * pp_page.next (pp_packet_put() of netdev.h frees such packets)
 */
#define PP_XSK_SG (1u << 2)
/**
 * PP_XSK_COPY - pp_xsk_tx() copies a page of another zone, or with several users, into a page of
 * params.pool, instead of dropping it
 */
#define PP_XSK_COPY (1u << 3)
/** PP_XSK_TX_CSUM - the device completes the checksums of TCP and UDP; params.tx_metadata_len */
#define PP_XSK_TX_CSUM (1u << 4)
/** PP_XSK_TX_CSUM_SW - pp_xsk_tx() completes the checksums of TCP and UDP */
#define PP_XSK_TX_CSUM_SW (1u << 5)
/** PP_XSK_TX_TSTAMP - measure from pp_xsk_tx() to the sending of each packet; tx_metadata_len */
#define PP_XSK_TX_TSTAMP (1u << 6)
/**
 * PP_XSK_RX_META - the XDP program writes struct pp_rx_meta (rx_meta.h) in front of each packet:
 * pp_xsk_rx() sets pp_page.tstamp from it
 */
#define PP_XSK_RX_META (1u << 7)
/**
 * PP_XSK_TX_LAUNCH - the device sends each packet at pp_page.tstamp, in ns of its clock, and one
 * with PP_TSTAMP_NONE at once; needs params.tx_metadata_len of 24 or more, and Linux 6.14
 */
#define PP_XSK_TX_LAUNCH (1u << 8)
/**
 * PP_XSK_TX_KEEP - packets that were sent wait for pp_xsk_completed(): pp_xsk_tx() and
 * pp_xsk_complete() bring none home
 */
#define PP_XSK_TX_KEEP (1u << 9)

/**
 * struct pp_xsk_ring - a ring that is shared with the kernel
 * @producer: index behind the newest entry
 * @consumer: index of the oldest entry
 * @flags:    the ring's flags, or NULL
 * @ring:     the entries
 * @size:     number of entries, a power of two; 0: there is no such ring
 *
 * From libxdp's rings: PP_XSK_RING(). From mmap(): the region plus the offsets that
 * getsockopt(XDP_MMAP_OFFSETS) tells.
 */
struct pp_xsk_ring {
	uint32_t *producer;
	uint32_t *consumer;
	uint32_t *flags;
	void *ring;
	uint32_t size;
};

/** PP_XSK_RING() - struct pp_xsk_ring of libxdp's struct xsk_ring_prod or xsk_ring_cons at @r */
#define PP_XSK_RING(r)                                                         \
	{                                                                      \
		(r)->producer, (r)->consumer, (r)->flags, (r)->ring, (r)->size \
	}

/**
 * PP_XSK_RINGS() - the four rings in an initialiser of struct pp_xsk_params, from libxdp's
 *
 * Only the names of their fields count: this header needs no libxdp.
 */
#define PP_XSK_RINGS(rx_, fill_, tx_, comp_)                                        \
	.rx = PP_XSK_RING(rx_), .fill = PP_XSK_RING(fill_), .tx = PP_XSK_RING(tx_), \
	.comp = PP_XSK_RING(comp_)

/** PP_XSK_SET_RINGS() - the same as a statement on a struct pp_xsk_params *, for older C++ */
#define PP_XSK_SET_RINGS(params, rx_, fill_, tx_, comp_)                \
	do {                                                            \
		const struct pp_xsk_ring pp_rx_ = PP_XSK_RING(rx_);     \
		const struct pp_xsk_ring pp_fill_ = PP_XSK_RING(fill_); \
		const struct pp_xsk_ring pp_tx_ = PP_XSK_RING(tx_);     \
		const struct pp_xsk_ring pp_comp_ = PP_XSK_RING(comp_); \
		(params)->rx = pp_rx_;                                  \
		(params)->fill = pp_fill_;                              \
		(params)->tx = pp_tx_;                                  \
		(params)->comp = pp_comp_;                              \
	} while (0)

/**
 * struct pp_xsk_umem - where a zone's pages are in a UMEM; see pp_xsk_page() and pp_xsk_addr()
 * @table:  metadata of the zone's pages
 * @pages:  number of pages
 * @offset: of the zone's first byte in the UMEM, bytes
 * @shift:  log2 of the page size
 * @flags:  PP_XSK_UNALIGNED or 0
 */
struct pp_xsk_umem {
	struct pp_page *table;
	uint64_t pages;
	uint64_t offset;
	uint32_t shift;
	uint32_t flags;
};

/**
 * struct pp_xsk_params - how a socket uses pages; zero means the default everywhere
 * @sz:     sizeof(struct pp_xsk_params)
 * @pool:   pool to refill from, of single pages; NULL: the socket only sends
 * @zone:   zone in the UMEM, with all its memory; NULL: the pool's
 * @umem:   first byte of the UMEM as it was registered; NULL: the zone's first byte
 * @flags:  PP_XSK_*
 * @chunk_size: of the UMEM, bytes; PP_XSK_UNALIGNED: at most the page size; otherwise the page
 *          size, or a power of two below it, from 2048 and a sixteenth of a page on: chunks are
 *          parts of pages then, for pp_xsk_rx_chunks() and pp_xsk_tx_chunks(); 0: the page size
 * @tx_metadata_len: as the UMEM was registered, with XDP_UMEM_TX_METADATA_LEN where the kernel
 *          has that flag; 16 or more for PP_XSK_TX_CSUM and PP_XSK_TX_TSTAMP, 24 or more for
 *          PP_XSK_TX_LAUNCH; 0: none
 * @fd:     the socket
 * @port:   stored in pp_page.port of every page received
 * @frames: frames to have posted for reception; 0: half of the fill ring, at most the RX ring:
 *          1,024 with libxdp's default rings of 2,048, 2,048 with a fill ring of 4,096 as well.
 *          More than fits into the RX ring is of use for zero-copy devices alone
 * @batch:  frames posted at once, at most PP_BULK_MAX and half of @frames; 0: 64
 * @tx_wait_ms: how long pp_xsk_tx() and pp_xsk_tx_chunks() may wait for room in the TX ring; 0:
 *          they do not wait
 * @rx:     RX ring; without one the socket only sends
 * @fill:   fill ring, with @rx
 * @tx:     TX ring; without one the socket only receives
 * @comp:   completion ring, with @tx
 * @ifindex: number of the interface that @fd is bound to: pp_xsk_create() asks pp_xsk_tx_offers().
 *          Without an offer PP_XSK_TX_CSUM becomes PP_XSK_TX_CSUM_SW, and PP_XSK_TX_TSTAMP and
 *          PP_XSK_TX_LAUNCH fall off; pp_xsk_flags() tells. 0: the flags stay as they are
 */
struct pp_xsk_params {
	size_t sz;
	struct page_pool *pool;
	struct pp_zone *zone;
	void *umem;
	uint32_t flags;
	uint32_t chunk_size;
	uint32_t tx_metadata_len;
	int fd;
	uint16_t port;
	uint32_t frames;
	uint32_t batch;
	uint32_t tx_wait_ms;
	struct pp_xsk_ring rx;
	struct pp_xsk_ring fill;
	struct pp_xsk_ring tx;
	struct pp_xsk_ring comp;
	uint32_t ifindex;
};

/**
 * struct pp_xsk_stats - counters of a socket
 * @sz:           sizeof(struct pp_xsk_stats), set by the caller
 * @rx_packets:   packets given to callers of pp_xsk_rx()
 * @rx_bytes:     their bytes
 * @rx_dropped:   packets dropped after reception: longer than their buffer, or in more buffers than
 *                one, with PP_XSK_SG than 18
 * @rx_bad:       received addresses that no frame of the socket's fill ring has
 * @rx_nombuf:    pages that a refill wanted and the pool did not have
 * @refilled:     pages posted
 * @posted:       frames that the kernel has for reception now
 * @debt:         frames that it should have besides
 * @tx_packets:   packets completed, but for those that a kick reported as dropped
 * @tx_bytes:     their bytes
 * @tx_dropped:   packets taken and dropped: too long or too short, of another zone, shared, refused
 *                by the kernel, or not sent when the socket was closed
 * @tx_bad:       packets offered to pp_xsk_tx() although a ring had a page of theirs: ignored
 * @tx_nombuf:    copies (PP_XSK_COPY) that the pool had no page for
 * @comp_bad:     completions for addresses that the socket has not sent, or a second time
 * @tx_out:       frames that the kernel has for transmission now
 * @kicks:        system calls made to send
 * @kick_errors:  those that failed, without those that the engine repeats
 * @reclaimed:    frames that pp_xsk_reclaim() found
 * @gone:         1: the kernel says that the interface does not exist any more
 * @kernel_rx_dropped:   XDP_STATISTICS: rx_dropped; in copy mode includes packets without a frame
 * @kernel_rx_ring_full: rx_ring_full
 * @kernel_fill_empty:   rx_fill_ring_empty_descs: packets that found no frame
 * @kernel_rx_invalid:   rx_invalid_descs
 * @kernel_tx_invalid:   tx_invalid_descs
 * @kernel_tx_empty:     tx_ring_empty_descs
 * @tx_tstamps:          PP_XSK_TX_TSTAMP: packets that came back with their time of sending
 * @tx_latency_sum_ns:   their times from pp_xsk_tx() on
 * @tx_latency_max_ns:   the longest
 * @tx_tstamp_last:      time of sending of the last of them, ns of CLOCK_TAI or the device's clock
 */
struct pp_xsk_stats {
	size_t sz;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_dropped;
	uint64_t rx_bad;
	uint64_t rx_nombuf;
	uint64_t refilled;
	uint64_t posted;
	uint64_t debt;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_dropped;
	uint64_t tx_bad;
	uint64_t tx_nombuf;
	uint64_t comp_bad;
	uint64_t tx_out;
	uint64_t kicks;
	uint64_t kick_errors;
	uint64_t reclaimed;
	uint64_t gone;
	uint64_t kernel_rx_dropped;
	uint64_t kernel_rx_ring_full;
	uint64_t kernel_fill_empty;
	uint64_t kernel_rx_invalid;
	uint64_t kernel_tx_invalid;
	uint64_t kernel_tx_empty;
	uint64_t tx_tstamps;
	uint64_t tx_latency_sum_ns;
	uint64_t tx_latency_max_ns;
	uint64_t tx_tstamp_last;
};

struct pp_xsk;

/**
 * pp_xsk_page() - the page that an address of the UMEM is in
 * @umem: which memory
 * @addr: address from a descriptor; any value. Unaligned: offset in the upper 16 bits
 * @off:  out: the byte in the page, for data_off; may be NULL; untouched if there is no page
 *
 * Context: any thread.
 * Cost:    a few instructions; touches neither page nor metadata.
 * Return:  the page, or NULL: the address is not the zone's, or its offset leads out of the page.
 * Source:  xsk_umem__extract_addr() and xsk_umem__add_offset_to_addr() together.
 */
static inline struct pp_page *pp_xsk_page(const struct pp_xsk_umem *umem, uint64_t addr,
					  uint32_t *off)
{
	uint64_t size = (uint64_t)1 << umem->shift;
	uint64_t i, at = 0;

	if (umem->flags & PP_XSK_UNALIGNED) {
		at = addr >> 48;
		addr &= ((uint64_t)1 << 48) - 1;
	}
	addr -= umem->offset; /* in front of the zone: very large */
	i = addr >> umem->shift;
	at += addr & (size - 1);
	if (i >= umem->pages || at >= size)
		return NULL;
	if (off)
		*off = (uint32_t)at;
	return umem->table + i;
}

/**
 * pp_xsk_addr() - the address of a byte of a page in the UMEM
 * @umem: which memory
 * @page: page of its zone
 * @off:  byte in the page, less than its size: 0 for the fill ring, data_off for the TX ring
 *
 * Context: any thread.
 * Cost:    a few instructions; touches neither page nor metadata.
 * Return:  the address for a descriptor; unaligned: with @off in the upper 16 bits.
 * Source:  the inverse of xsk_umem__extract_addr() and xsk_umem__extract_offset().
 */
static inline uint64_t pp_xsk_addr(const struct pp_xsk_umem *umem, const struct pp_page *page,
				   uint32_t off)
{
	uint64_t base = umem->offset + ((uint64_t)(page - umem->table) << umem->shift);

	return umem->flags & PP_XSK_UNALIGNED ? base | (uint64_t)off << 48 : base + off;
}

/**
 * pp_xsk_umem_init() - say where a zone's pages are in a UMEM
 * @umem:  out
 * @zone:  zone with all its memory in the UMEM
 * @area:  first byte of the UMEM as it was registered; NULL: the zone's first byte
 * @flags: PP_XSK_UNALIGNED or 0
 *
 * pp_xsk_create() does this by itself; it is for programs that drive their rings themselves.
 *
 * Context: any thread.
 * Cost:    a few instructions.
 * Return:  0; -EINVAL, with a sentence in pp_error(): a depot, @area behind the zone, unknown
 *          flags; without PP_XSK_UNALIGNED: a zone that does not begin at a chunk.
 * Source:  xdp_umem_reg() in net/xdp/xdp_umem.c. Differs: registers nothing.
 */
int pp_xsk_umem_init(struct pp_xsk_umem *umem, struct pp_zone *zone, const void *area,
		     uint32_t flags);

/**
 * pp_xsk_queues() - how many queues of an interface both receive and send
 * @ifname: interface of the calling thread's network namespace
 *
 * A socket can be bound to each, from 0 on.
 *
 * Context: any thread.
 * Cost:    three system calls.
 * Return:  the number of queues; 0: the driver does not tell, or there is no such interface.
 * Source:  xsk_get_max_queues() of libxdp. Differs: the queues that are there, not the most that
 *          the device can have.
 */
unsigned int pp_xsk_queues(const char *ifname);

/**
 * pp_xsk_create() - use pages at a socket from now on
 * @params: pool, UMEM, rings
 *
 * The UMEM contains the zone: register the zone's memory (pp_zone_base(), pp_zone_pages() of
 * pp_zone_page_size() bytes, after pp_zone_pin()), or build the zone over the registered memory
 * (PP_MEM_USER). Chunks are as large as pages, or smaller: params.chunk_size. The rings are empty,
 * and the library's alone until pp_xsk_reclaim(). Pins the zone. Posts nothing yet. Asks the kernel
 * to send as many packets with one call as the TX ring holds (XDP_MAX_TX_SKB_BUDGET, Linux 6.18).
 *
 * Context: any thread.
 * Cost:    a system call, with params.ifindex those of pp_xsk_tx_offers() besides; pp_zone_pin().
 * Return:  the socket's pages, or NULL with errno and a sentence in pp_error():
 *          EINVAL: no zone, another zone's pool, no ring, a ring without its partner, a size out of
 *          range, a ring that is not empty, flags that exclude each other or lack tx_metadata_len,
 *          and the cases of pp_xsk_umem_init();
 *          ENOMEM: for the struct, or the records of chunks smaller than pages, 4 bytes a chunk;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          and whatever pp_zone_pin() says.
 * Source:  xsk_socket__create() of libxdp. Differs: socket, UMEM and rings exist already.
 */
struct pp_xsk *pp_xsk_create(const struct pp_xsk_params *params);

/**
 * pp_xsk_tx_offers() - the requests by TX metadata that a socket's device fulfils
 * @fd:      socket, bound to a queue of the interface
 * @ifindex: number of the interface, in the calling thread's network namespace
 *
 * In zero-copy mode the driver decides. A driver without a feature sends the packet as it is and
 * reports no error, so ask before (xsk-features of the kernel's netdev family of netlink). In copy
 * mode the kernel fulfils them itself, from Linux 6.8 on. Kernels before 6.18 pass packets to
 * virtio_net without a look at their metadata: no checksums are offered there, and times may miss.
 * Launch times are the driver's work in either mode (tx-launch-time-fifo).
 *
 * Context: any thread.
 * Cost:    10 system calls, 16 in copy mode.
 * Return:  those of PP_XSK_TX_CSUM, PP_XSK_TX_TSTAMP, PP_XSK_TX_LAUNCH that it fulfils.
 * Source:  netdev_nl_dev_fill() in net/core/netdev-genl.c. Differs: knows copy mode, too.
 */
uint32_t pp_xsk_tx_offers(int fd, uint32_t ifindex);

/**
 * pp_xsk_flags() - the flags in effect
 * @xsk: socket
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  PP_XSK_* of params.flags; with params.ifindex without those that the device lacks.
 * Source:  none.
 */
uint32_t pp_xsk_flags(const struct pp_xsk *xsk);

/**
 * pp_xsk_get_umem() - the UMEM of a socket, for pp_xsk_page() and pp_xsk_addr()
 * @xsk: socket
 *
 * Context: any thread.
 * Cost:    an addition.
 * Return:  the UMEM, until pp_xsk_destroy().
 * Source:  none.
 */
const struct pp_xsk_umem *pp_xsk_get_umem(const struct pp_xsk *xsk);

/**
 * pp_xsk_reclaim() - take back every frame that the socket's rings held
 * @xsk: socket that is closed: close() has returned, and no ring is mapped
 *
 * With libxdp: after xsk_socket__delete(), and xsk_umem__delete() too if the UMEM was created for
 * this socket, since the two share a descriptor until then. The kernel may still write into a
 * frame of an open socket, so that a call before that corrupts packets. Does nothing the second
 * time. pp_xsk_get_stats() may follow.
 *
 * Context: no thread uses @xsk; others may use the zone. Also after page_pool_destroy().
 * Cost:    a look at each page of the zone, until all are found.
 * Return:  frames that went home.
 * Source:  none: the kernel and libxdp forget the frames of a socket that is closed.
 */
uint64_t pp_xsk_reclaim(struct pp_xsk *xsk);

/**
 * pp_xsk_destroy() - free the struct of pp_xsk_create()
 * @xsk: socket that is closed, as for pp_xsk_reclaim(), which this calls; or NULL
 *
 * Context: as pp_xsk_reclaim().
 * Cost:    as pp_xsk_reclaim(); little if that was called.
 * Source:  xsk_socket__delete() of libxdp. Differs: frames go home, and the socket is the caller's.
 */
void pp_xsk_destroy(struct pp_xsk *xsk);

/**
 * pp_xsk_refill() - post frames for reception, in bulk
 * @xsk: socket
 *
 * Takes pages from the pool first and slots of the ring after, so that a short pool leaves no
 * hole. Missing frames stay owed (stats.debt). A later call asks the pool again, at most every
 * 100 us while the pool has nothing. Does nothing while less than a batch is owed.
 *
 * With an empty fill ring no packet will wake up a sleeping program: as long as
 * pp_xsk_debt() is not 0, sleep no longer than reception may stop.
 *
 * Context: the receiving thread, which owns the pool. Does not block.
 * Cost:    per page at a batch of 64: page_pool_alloc_bulk(), a store to the metadata and one to
 *          the ring.
 * Return:  frames posted.
 * Source:  xsk_ring_prod__reserve() and xsk_ring_prod__submit() on libxdp's fill ring.
 */
unsigned int pp_xsk_refill(struct pp_xsk *xsk);

/**
 * pp_xsk_debt() - frames that the kernel should have for reception and has not
 * @xsk: socket
 *
 * Context: the receiving thread.
 * Cost:    a few instructions.
 * Return:  frames; 0 also for less than a batch, which is ordinary.
 * Source:  none.
 */
unsigned int pp_xsk_debt(const struct pp_xsk *xsk);

/**
 * pp_xsk_rx() - receive packets
 * @xsk:   socket
 * @pages: out: array of @n pointers; the first RETURN are written
 * @n:     packets wanted, any number
 *
 * The caller owns the pages: one reference, data_off and len set to the packet, port set,
 * tstamp PP_TSTAMP_NONE or with PP_XSK_RX_META the metadata's. With PP_XSK_SG a packet's further
 * pages hang on pp_page.next. Does not refill: call pp_xsk_refill() once in a round.
 *
 * Context: the receiving thread. Does not block; a system call if nothing was received and the
 *          kernel asks to be woken.
 * Cost:    per packet of one page: its descriptor and the page's metadata; no atomic instruction.
 * Return:  packets received, 0 .. @n; 0 if chunks are smaller than pages: pp_xsk_rx_chunks().
 * Source:  xsk_ring_cons__peek(), xsk_ring_cons__rx_desc() and xsk_ring_cons__release() of libxdp.
 *          Differs: believes an address only if its page has the socket's mark.
 */
unsigned int pp_xsk_rx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n);

/**
 * pp_xsk_tx() - send packets
 * @xsk:   socket
 * @pages: array of @n pages of the zone that the caller owns, of any pool; the content of the
 *         first RETURN slots is garbage afterwards
 * @n:     packets, any number
 *
 * Takes the first RETURN packets. Their pages come home in pp_xsk_complete(); the others stay the
 * caller's: the ring is full. A packet that can never be sent is taken, sent home and counted
 * (stats.tx_dropped): below 14 bytes, longer than its buffer, of another zone, or with other users
 * (page_pool_ref_page()). The last two are copied and sent with PP_XSK_COPY, if they have one page.
 * A page that is in a ring already is not the caller's, and is left there (stats.tx_bad). Kicks the
 * kernel.
 *
 * With PP_XSK_SG a packet is a page and those behind it on pp_page.next, at most 18. Metadata
 * (params.tx_metadata_len) takes room in front of each page: a packet that begins too low moves up.
 * With PP_XSK_TX_LAUNCH the caller sets pp_page.tstamp of each packet; a device refuses or sends at
 * once a packet with a time that is over, as that of a received one is.
 *
 * Context: the sending thread. Does not block, or with params.tx_wait_ms for that long at most.
 * Cost:    per packet of one page as pp_xsk_rx(), and the kick's system call.
 * Return:  packets taken, 0 .. @n; 0 if chunks are smaller than pages: pp_xsk_tx_chunks().
 * Source:  xsk_ring_prod__reserve(), xsk_ring_prod__tx_desc() and xsk_ring_prod__submit() of
 *          libxdp. Differs: takes as many as have room, not all or none.
 */
unsigned int pp_xsk_tx(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n);

/**
 * struct pp_xsk_chunk - a packet in a part of a page
 * @page: page; its packet fields (len, data_off, port, next, tstamp) are of no use, because others
 *        have its other parts
 * @off:  first byte of the packet in the page
 * @len:  bytes of packet
 */
struct pp_xsk_chunk {
	struct pp_page *page;
	uint32_t off;
	uint32_t len;
};

/**
 * pp_xsk_chunk_data() - the packet in a chunk
 * @chunk: chunk
 *
 * Context: any thread that owns the chunk.
 * Cost:    three loads.
 * Return:  its first byte.
 * Source:  xsk_umem__get_data() of libxdp.
 */
static inline void *pp_xsk_chunk_data(const struct pp_xsk_chunk *chunk)
{
	return chunk->page->addr + chunk->off;
}

/**
 * pp_xsk_rx_chunks() - receive packets where chunks are smaller than pages
 * @xsk:    socket with params.chunk_size less than the page size
 * @chunks: out: array of @n; the first RETURN are written
 * @n:      packets wanted, any number
 *
 * The caller owns the chunk that each packet is in, from the multiple of the chunk size at or below
 * off, and one reference of the pool to its page: it gives it back once, with
 * pp_xsk_put_chunks() or page_pool_put_page(), or sends it. Of struct pp_page only the
 * owner is written.
 *
 * Context: as pp_xsk_rx().
 * Cost:    an atomic instruction a packet, and one in its refill.
 * Return:  packets received, 0 .. @n; 0 if chunks are pages: pp_xsk_rx().
 * Source:  as pp_xsk_rx().
 */
unsigned int pp_xsk_rx_chunks(struct pp_xsk *xsk, struct pp_xsk_chunk *chunks, unsigned int n);

/**
 * pp_xsk_tx_chunks() - send packets where chunks are smaller than pages
 * @xsk:    socket with params.chunk_size less than the page size
 * @chunks: array of @n chunks of the zone that the caller owns: received, from
 *          page_pool_alloc_frag(), or whole pages with no other user; not written
 * @n:      packets, any number
 *
 * As pp_xsk_tx(): the first RETURN are taken and come home in pp_xsk_complete(). A chunk that
 * can never be sent is taken, sent home and counted (stats.tx_dropped): it is empty, longer than
 * its chunk, or of another zone. A chunk that is in some ring already is left there (stats.tx_bad).
 *
 * Context: as pp_xsk_tx().
 * Cost:    two atomic instructions a packet, and one to come home.
 * Return:  packets taken, 0 .. @n; 0 if chunks are pages: pp_xsk_tx().
 * Source:  as pp_xsk_tx().
 */
unsigned int pp_xsk_tx_chunks(struct pp_xsk *xsk, const struct pp_xsk_chunk *chunks,
			      unsigned int n);

/**
 * pp_xsk_put_chunks() - return chunks to where their pages belong
 * @chunks: array of @n chunks that the caller owns
 * @n:      any number
 *
 * Context: as page_pool_put_bulk(), which it calls.
 * Cost:    as page_pool_put_bulk(), of up to 64 pages at once.
 * Source:  page_pool_put_netmem_bulk() in net/core/page_pool.c. Differs: parts of pages.
 */
void pp_xsk_put_chunks(const struct pp_xsk_chunk *chunks, unsigned int n);

/**
 * pp_xsk_complete() - bring home the pages that were sent
 * @xsk: socket
 *
 * Kicks first if packets wait, but leaves the kernel alone for 16 calls after it refused. Call it
 * in every round, whether or not something was sent: otherwise reception starves when transmission
 * stops.
 *
 * Context: the sending thread. Does not block.
 * Cost:    per page: its metadata, and page_pool_put_bulk() of up to 64 pages.
 * Return:  pages that came home; with PP_XSK_TX_KEEP 0.
 * Source:  xsk_ring_cons__comp_addr() and xsk_ring_cons__release() of libxdp. Differs: believes an
 *          address only if its page has the socket's mark.
 */
unsigned int pp_xsk_complete(struct pp_xsk *xsk);

/**
 * pp_xsk_completed() - hand out the packets that were sent, with PP_XSK_TX_TSTAMP their times
 * @xsk:   socket
 * @pages: out: array of @n pointers; the first RETURN are written
 * @n:     packets wanted, any number
 *
 * Instead of pp_xsk_complete(). Without PP_XSK_TX_KEEP a pp_xsk_tx() that lacks room brings packets
 * home, too, which are not handed out then. The caller owns the pages, one a packet, in the order
 * of their completion, as they were sent. With PP_XSK_TX_TSTAMP in effect tstamp is the time of
 * sending, ns of CLOCK_TAI or the device's clock. It is PP_TSTAMP_NONE without that flag, if the
 * device tells no time, or if the packet was dropped. Further pages of a packet go home.
 *
 * Context: as pp_xsk_complete().
 * Cost:    per page: its metadata; with PP_XSK_TX_TSTAMP the line in front of the packet, too.
 * Return:  pages written, 0 .. @n; 0 if chunks are smaller than pages: pp_xsk_complete().
 * Source:  as pp_xsk_complete().
 */
unsigned int pp_xsk_completed(struct pp_xsk *xsk, struct pp_page **pages, unsigned int n);

/**
 * pp_xsk_kick() - make the kernel send the packets in the TX ring
 * @xsk: socket
 *
 * pp_xsk_tx() and pp_xsk_complete() do it. Repeats the call until the ring is empty or the kernel
 * refuses: in copy mode a kernel before 6.18 sends 32 packets at most with one call.
 *
 * Context: the sending thread. Does not block.
 * Cost:    a system call, none if the ring's flag asks for none; in copy mode before Linux 6.18 one
 *          for each 32 packets.
 * Return:  descriptors that still wait; a packet of several pages has one for each.
 * Source:  sendto() as libxdp's users call it, for xsk_sendmsg() in net/xdp/xsk.c.
 */
unsigned int pp_xsk_kick(struct pp_xsk *xsk);

/**
 * pp_xsk_get_stats() - read a socket's counters
 * @xsk:   socket, until it is closed, and again after pp_xsk_reclaim(); the kernel's counters are
 *         those of the last call before it
 * @stats: out; sz set by the caller
 *
 * Context: any thread.
 * Cost:    a system call; the socket's threads do not notice.
 * Return:  0; -E2BIG if stats->sz is larger than the library's, with a sentence in pp_error().
 * Source:  XDP_STATISTICS of xsk_getsockopt() in net/xdp/xsk.c. Differs: counts pages and packets,
 *          too.
 */
int pp_xsk_get_stats(struct pp_xsk *xsk, struct pp_xsk_stats *stats);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_XSK_H */
