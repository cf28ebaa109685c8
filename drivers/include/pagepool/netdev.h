/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * netdev.h - ports and queues that receive into, and send from, pages of a pool
 *
 * A port is opened by a string such as "af_xdp:eth0,queues=2" and has one or
 * more queues; each queue has a page_pool of its own and is used by one thread
 * at a time.
 *
 * The life of a packet:
 *   pp_rx_burst()  the driver fills pages of the queue's pool and gives them to the caller;
 *   the caller     owns them: reads, writes, keeps, frees with page_pool_put_bulk(), or
 *   pp_tx_burst()  gives them to a driver, which takes the first k and leaves the rest;
 *   pp_tx_clean()  what was sent goes home to the pool that each page came from; or
 *   pp_tx_completed() hands it out once more, with the time of sending.
 */
#ifndef PAGEPOOL_NETDEV_H
#define PAGEPOOL_NETDEV_H

#include <pagepool/page_pool.h>
#include <pagepool/rx_meta.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pp_netdev;
struct pp_queue;

/** PP_BURST_MAX - the largest burst that the queue calls take */
#define PP_BURST_MAX PP_BULK_MAX

/** PP_PACKET_PAGES_MAX - most pages of a packet, as many as AF_XDP sends */
#define PP_PACKET_PAGES_MAX 18u

/**
 * struct pp_netdev_params - parameters of a port of any driver
 * @sz:         sizeof(struct pp_netdev_params)
 * @zone:       zone that the queues' pools take pages from; must outlive the port; NULL: @set
 * @pool_size:  recycle ring of each queue's pool; as page_pool_params
 * @cache_size: alloc cache of each queue's pool; as page_pool_params
 * @refill:     refill of each queue's pool, and how many buffers a driver posts at once
 * @port:       stored in pp_page.port of every page received
 * @set:        zones of several NUMA nodes, see zone_set.h; each pool prefers the node that its
 *              owner runs on. Drivers null, loop and pcap; a device knows one zone's memory.
 * @order:      each buffer is a run of 2^@order of the zone's pages, for jumbo frames; as
 *              page_pool_params. Drivers null, loop and pcap.
 * @tx_keep:    1: packets that were sent wait for pp_tx_completed(). Driver af_xdp
 */
struct pp_netdev_params {
	size_t sz;
	struct pp_zone *zone;
	uint32_t pool_size;
	uint32_t cache_size;
	uint32_t refill;
	uint16_t port;
	struct pp_zone_set *set;
	uint32_t order;
	uint32_t tx_keep;
};

/**
 * PP_NETDEV_COUNTERS() - counters of a queue or of a port; see struct pp_counter
 *
 * From rx_fill_empty on they are af_xdp's; pcap on interfaces counts link_downs, too. When the
 * kernel copies, each rx_fill_empty is also a packet in rx_dropped. The last four need
 * tx_tstamp=on. tx_tstamp_last is of the sender's clock: CLOCK_TAI if that is the kernel, as it
 * copies.
 */
#define PP_NETDEV_COUNTERS(C)                                                                   \
	C(rx_packets, PP_SUM, "packets given to callers of pp_rx_burst()")                      \
	C(rx_bytes, PP_SUM, "their bytes")                                                      \
	C(rx_dropped, PP_SUM,                                                                   \
	  "packets that the driver or the kernel below it received and dropped")                \
	C(rx_nombuf, PP_SUM,                                                                    \
	  "pages that the driver could not get from its pool when it wanted one")               \
	C(tx_packets, PP_SUM, "packets that the driver took and sent, as far as it can know")   \
	C(tx_bytes, PP_SUM, "their bytes")                                                      \
	C(tx_dropped, PP_SUM,                                                                   \
	  "packets that the driver took and dropped: they could never be sent")                 \
	C(errors, PP_SUM, "all other faults: truncated input, bad completions, kicks refused")  \
	C(copied, PP_SUM,                                                                       \
	  "packets that the driver had to copy into another page, either way (dpdk)")           \
	C(rx_fill_empty, PP_SUM,                                                                \
	  "times that the kernel wanted a buffer to receive into, and none was posted")         \
	C(rx_ring_full, PP_SUM,                                                                 \
	  "packets in rx_dropped that found the RX ring full: it was read too late")            \
	C(rx_invalid, PP_SUM, "buffers in rx_dropped that the kernel refused to receive into")  \
	C(rx_bad, PP_SUM, "descriptors in errors for a buffer that was not posted; left alone") \
	C(tx_invalid, PP_SUM, "descriptors in errors that the kernel refused to send")          \
	C(tx_ring_empty, PP_SUM, "times that the kernel was told to send, and found nothing")   \
	C(tx_bad, PP_SUM,                                                                       \
	  "completions in errors of a buffer that was not sent, or twice; left alone")          \
	C(link_downs, PP_SUM, "times that the interface was seen to go down, or away")          \
	C(tx_tstamps, PP_SUM, "packets in tx_packets with a sending time in their completion")  \
	C(tx_latency_sum_ns, PP_SUM,                                                            \
	  "time that those took, from pp_tx_burst() to the sending time")                       \
	C(tx_latency_max_ns, PP_MAX, "longest of them")                                         \
	C(tx_tstamp_last, PP_MAX, "latest sending time, ns")

/**
 * struct pp_netdev_stats - counters of a queue or of a port
 * @sz: sizeof(struct pp_netdev_stats), set by the caller
 *
 * Its members are PP_NETDEV_COUNTERS().
 */
struct pp_netdev_stats {
	size_t sz;
	PP_NETDEV_COUNTERS(PP_COUNTER_MEMBER)
};

#define PP_NETDEV_ROW(name, kind, help) \
	{ #name, help, kind, offsetof(struct pp_netdev_stats, name) },

/** PP_NETDEV_COUNTER_TABLE - the counters of struct pp_netdev_stats */
#define PP_NETDEV_COUNTER_TABLE                               \
	{                                                     \
		PP_NETDEV_COUNTERS(PP_NETDEV_ROW) PP_LAST_ROW \
	}

/** enum pp_link - the interface below a port */
enum pp_link {
	PP_LINK_UP,
	PP_LINK_DOWN,
	PP_LINK_GONE, /* deleted, or moved to another namespace */
};

/**
 * struct pp_queue_ops - the driver's functions for a queue; none of them blocks
 * @rx_burst: see pp_rx_burst(); @n is 0 .. PP_BURST_MAX
 * @tx_burst: see pp_tx_burst(); @n is 0 .. PP_BURST_MAX
 * @tx_clean: see pp_tx_clean(); NULL: the driver completes packets as it sends them
 * @fd:       see pp_queue_fd(); NULL: there is none
 * @arm:      see pp_queue_arm(); NULL: the descriptor is readable as long as packets are there
 * @tx_completed: see pp_tx_completed(); NULL: the driver keeps no packets for it
 */
struct pp_queue_ops {
	unsigned int (*rx_burst)(struct pp_queue *q, struct pp_page **pages, unsigned int n);
	unsigned int (*tx_burst)(struct pp_queue *q, struct pp_page **pages, unsigned int n);
	unsigned int (*tx_clean)(struct pp_queue *q);
	int (*fd)(struct pp_queue *q);
	int (*arm)(struct pp_queue *q);
	unsigned int (*tx_completed)(struct pp_queue *q, struct pp_page **pages, unsigned int n);
};

/**
 * struct pp_queue - one RX/TX pair of a port; drivers embed it
 * @ops:   the driver's functions
 * @dev:   its port
 * @pool:  the pool that it receives into
 * @index: 0 .. queues - 1
 * @stats: written by the queue's thread alone, read by any (relaxed)
 */
struct pp_queue {
	const struct pp_queue_ops *ops;
	struct pp_netdev *dev;
	struct page_pool *pool;
	unsigned int index;
	struct pp_netdev_stats stats;
};

/**
 * pp_rx_burst() - receive packets
 * @q:     queue
 * @pages: out: array of @n pointers; the first RETURN are written
 * @n:     packets wanted; above PP_BURST_MAX as PP_BURST_MAX
 *
 * The caller owns the pages: one reference, data_off and len set to the packet, port set; of a
 * packet of several pages (pp_netdev_chains()) the array has the first. The
 * driver refills itself from the queue's pool, in bulk, at the end.
 *
 * Context: the queue's thread. Does not block.
 * Cost:    two indirect calls, and the driver's work: see `ppbench refill`.
 * Return:  packets received, 0 .. @n.
 * Source:  rte_eth_rx_burst(). Differs: gives pages.
 */
static inline unsigned int pp_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	return q->ops->rx_burst(q, pages, n < PP_BURST_MAX ? n : PP_BURST_MAX);
}

/**
 * pp_tx_burst() - send packets
 * @q:     queue
 * @pages: array of @n pages that the caller owns, of any pool; the content of the first RETURN
 *         slots is garbage afterwards
 * @n:     packets; of more than PP_BURST_MAX only so many are looked at
 *
 * The driver takes the first RETURN pages, which come home in their own time; the others stay
 * the caller's. A packet that can never be sent (too long) is taken, dropped and counted.
 *
 * Context: the queue's thread. Does not block.
 * Cost:    two indirect calls, and the driver's work: see `ppbench refill`.
 * Return:  pages taken, 0 .. @n.
 * Source:  rte_eth_tx_burst(). Differs: counts what it drops.
 */
static inline unsigned int pp_tx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	return q->ops->tx_burst(q, pages, n < PP_BURST_MAX ? n : PP_BURST_MAX);
}

/**
 * pp_tx_clean() - bring home the pages that were sent
 * @q: queue
 *
 * Also pushes out what is waiting for a kick. Drivers do the same on their refill path, so that
 * reception never depends on transmission.
 *
 * Context: the queue's thread. Does not block.
 * Cost:    page_pool_put_bulk() of these pages; af_xdp: a system call if packets wait for a kick.
 * Return:  pages that came home.
 * Source:  rte_eth_tx_done_cleanup(). Differs: kicks, too.
 */
static inline unsigned int pp_tx_clean(struct pp_queue *q)
{
	return q->ops->tx_clean ? q->ops->tx_clean(q) : 0;
}

/**
 * pp_tx_completed() - hand out the packets that were sent, with tx_tstamp=on their times
 * @q:     queue of a port that was opened with params.tx_keep
 * @pages: out: array of @n pointers; the first RETURN are written
 * @n:     packets wanted, any number
 *
 * Instead of pp_tx_clean(), which only pushes then, as pp_rx_burst() does. The caller owns the
 * pages, one a packet, in the order of their completion, as they were sent. Until it takes them
 * they occupy the queue's rings, and pp_tx_burst() takes no more than these hold. With tx_tstamp=on
 * of an af_xdp port tstamp is the time of sending, ns of CLOCK_TAI or of the device's clock. It is
 * PP_TSTAMP_NONE without that option, if the device tells no time, or if the packet was dropped.
 * Further pages of a packet go home. If the interface goes, packets that wait go home, too.
 *
 * Context: the queue's thread. Does not block.
 * Cost:    as pp_xsk_completed().
 * Return:  pages written, 0 .. @n; 0 without params.tx_keep.
 * Source:  SO_TIMESTAMPING and the error queue of a socket, in spirit.
 */
static inline unsigned int pp_tx_completed(struct pp_queue *q, struct pp_page **pages,
					   unsigned int n)
{
	return q->ops->tx_completed ? q->ops->tx_completed(q, pages, n) : 0;
}

/**
 * pp_queue_fd() - a descriptor for poll(2), to sleep until the queue has a packet
 * @q: queue
 *
 * The port keeps and closes it; it is the same at each call until the port is done or stopped.
 * To sleep without losing or delaying a packet, the queue's thread repeats:
 *
 *	while (pp_rx_burst(q, pages, n))
 *		...;
 *	if (!pp_queue_arm(q))
 *		poll() on pp_queue_fd(q) for POLLIN;
 *
 * Ports null and pcap on files are always readable. Of pcap ports on interfaces, packets are there
 * up to 1 ms after they came, as without poll(). A thread that sleeps completes nothing: wake now
 * and then for pp_tx_clean() while sent packets are under way.
 *
 * Context: the queue's thread.
 * Cost:    loop, null: a system call or two, the first time. Else a few loads.
 * Return:  the descriptor; with a sentence in pp_error(): -ENOTSUP: dpdk, a pcap port that only
 *          writes a file or has none of libpcap, loop on a kernel without membarrier, ports that
 *          are done or stopped; -EMFILE, -ENFILE, -ENOMEM, -ENOENT, -EACCES: loop and null cannot
 *          make it.
 * Source:  rte_eth_dev_rx_intr_ctl_q_get_fd(). Differs: POLLIN says that packets are there.
 */
int pp_queue_fd(struct pp_queue *q);

/**
 * pp_queue_arm() - have the next packet make the descriptor readable
 * @q: queue, of which pp_queue_fd() was asked for
 *
 * Context: the queue's thread, right before poll().
 * Cost:    loop: a system call that interrupts the CPUs that run the process. af_xdp with suspend:
 *          a system call that looks for packets, for as long as the port was told. Else none.
 * Return:  0: poll() may sleep; 1: it may not: packets are there, or the port lacks buffers to
 *          receive into (af_xdp), and asks its pool for them in pp_rx_burst().
 * Source:  rte_eth_dev_rx_intr_enable(). Differs: tells whether packets are there already.
 */
int pp_queue_arm(struct pp_queue *q);

/**
 * pp_queue_own() - the calling thread will use the queue from now on
 * @q: queue that no other thread uses any more
 *
 * Makes the thread the owner of the queue's pool. The thread that opened the port owns all
 * queues until then.
 *
 * Context: the thread that will use the queue, as page_pool_enable_direct_recycling().
 * Cost:    as page_pool_enable_direct_recycling().
 * Source:  page_pool_enable_direct_recycling().
 */
static inline void pp_queue_own(struct pp_queue *q)
{
	page_pool_enable_direct_recycling(q->pool);
}

/**
 * pp_netdev_open() - open a port
 * @spec:   "DRIVER:ARGUMENTS,KEY=VALUE,...", see doc/ports.md
 * @params: zone and sizes
 *
 * After a failure the interface, its XDP program and the zone are as they were.
 *
 * Context: any thread; sleeps.
 * Cost:    buffers for the rings of each queue; af_xdp: loading and attaching an XDP program;
 *          dpdk: starting EAL, for the first port.
 * Return:  the port, or NULL with errno and a sentence in pp_error(). Every driver:
 *          EINVAL: no spec, an unknown option, a value out of range, params without sz, or with
 *          both of zone and set or none, or that page_pool_create() refuses;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          ENOMEM: for the port or its pools, too few pages for its rings;
 *          ENOENT: an unknown driver, a missing interface or file;
 *          ENOTSUP: a driver that was not built, a module that does not load, a driver that needs
 *          one zone or single pages and was given something else, params.tx_keep and a driver that
 *          keeps no packets, a module or library of another build.
 *          af_xdp: EPERM, EACCES: a capability is missing; ENETDOWN: the interface is down; ENODEV:
 *          it has gone meanwhile; EBUSY: the queue is another socket's, or the interface has an XDP
 *          program that does not fit; EMSGSIZE: its MTU is larger than a page; EOPNOTSUPP: the
 *          driver, the kernel or the build lacks what an option asks for; EAFNOSUPPORT: a kernel
 *          without AF_XDP; ENOBUFS: the limit of locked memory; EMFILE; ENOTCONN: socket= is not
 *          bound.
 *          loop: EBUSY: that end is open already.
 *          pcap: EBUSY: the file is another port's; EPERM; ENETDOWN; EPROTONOSUPPORT: not Ethernet;
 *          EIO: libpcap cannot read, write or capture.
 *          dpdk: EBUSY: the device is open already; ENODEV: it is no Ethernet port; ENOSPC: DPDK's
 *          table of mempool handlers is full; EIO: the device fails without a reason.
 *          Otherwise what the system, libbpf, libxdp or DPDK said.
 * Source:  rte_eth_dev_configure() and xsk_socket__create(), in spirit. Differs: one call.
 */
struct pp_netdev *pp_netdev_open(const char *spec, const struct pp_netdev_params *params);

/**
 * pp_netdev_stop() - stop receiving and sending, and take back every page
 * @dev: port; no thread uses its queues any more; it can only be closed afterwards
 *
 * Packets that were taken and not sent yet are sent if that takes no longer than 100 ms, and
 * dropped and counted otherwise. Pages with users come home later.
 *
 * Context: one thread; sleeps for a bounded time.
 * Cost:    af_xdp: closing the sockets, up to 50 ms each; others little.
 * Source:  rte_eth_dev_stop(). Differs: sends what it has taken.
 */
void pp_netdev_stop(struct pp_netdev *dev);

/**
 * pp_netdev_close() - stop a port, if that was not done, and free it
 * @dev: port, or NULL
 *
 * Context: as pp_netdev_stop(); no thread uses the port.
 * Cost:    as pp_netdev_stop(), and page_pool_destroy() of each queue's pool.
 * Source:  rte_eth_dev_close().
 */
void pp_netdev_close(struct pp_netdev *dev);

/**
 * pp_netdev_name() - the spec that a port was opened with
 * @dev: port
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the spec, until the port is closed.
 * Source:  rte_eth_dev_get_name_by_port(), in spirit.
 */
const char *pp_netdev_name(const struct pp_netdev *dev);

/**
 * pp_netdev_driver() - name of a port's driver
 * @dev: port
 *
 * Context: any thread.
 * Cost:    two loads.
 * Return:  a name of pp_netdev_driver_names(), until the port is closed.
 * Source:  rte_eth_dev_info.driver_name.
 */
const char *pp_netdev_driver(const struct pp_netdev *dev);

/**
 * pp_netdev_info() - a port's settings in effect, for people: "native, copy, 2 queues"
 * @dev: port
 *
 * Context: any thread. A pcap port on files writes a new text as it ends: other threads than the
 *          queue's read it before, or after pp_netdev_done().
 * Cost:    none.
 * Return:  the text, until the port is closed.
 * Source:  none.
 */
const char *pp_netdev_info(const struct pp_netdev *dev);

/**
 * pp_netdev_mac() - a port's Ethernet address
 * @dev: port
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  6 bytes, until the port is closed; of the port's own making if the medium has none.
 * Source:  rte_eth_macaddr_get().
 */
const unsigned char *pp_netdev_mac(const struct pp_netdev *dev);

/**
 * pp_netdev_queues() - number of a port's queues
 * @dev: port
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  1 or more.
 * Source:  rte_eth_dev_info.nb_rx_queues.
 */
unsigned int pp_netdev_queues(const struct pp_netdev *dev);

/**
 * pp_netdev_queue() - one of a port's queues
 * @dev: port
 * @i:   0 .. pp_netdev_queues() - 1; not checked
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the queue, until the port is closed.
 * Source:  none: DPDK has numbers of queues.
 */
struct pp_queue *pp_netdev_queue(struct pp_netdev *dev, unsigned int i);

/**
 * pp_netdev_chains() - does the port receive and send packets of several pages?
 * @dev: port
 *
 * Only those that were opened so (af_xdp with sg=on). Such a packet is its first page; the others
 * hang on pp_page.next, each with data_off and len of its own. Every page is freed for itself, or
 * all with pp_packet_put(). Other ports take packets of one page only: they would send the
 * first, and lose the others.
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  true: it does.
 * Source:  RTE_ETH_TX_OFFLOAD_MULTI_SEGS and XDP_USE_SG.
 */
bool pp_netdev_chains(const struct pp_netdev *dev);

/**
 * pp_netdev_rx_meta() - what pp_rx_meta_get() tells of packets that the port received
 * @dev: port
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  PP_RX_META_TSTAMP, _HASH and _VLAN, as rx_meta of an af_xdp port says; 0: no metadata.
 * Source:  xdp-rx-metadata-features of the kernel's netdev family of netlink.
 */
unsigned int pp_netdev_rx_meta(const struct pp_netdev *dev);

/**
 * pp_packet_put() - free packets of one page or several
 * @packets: array of @n first pages
 * @n:       packets
 *
 * Context: as page_pool_put_bulk().
 * Cost:    page_pool_put_bulk() of one page, for each page.
 * Source:  rte_pktmbuf_free_bulk().
 */
static inline void pp_packet_put(struct pp_page **packets, unsigned int n)
{
	struct pp_page *page, *next;
	unsigned int i;

	for (i = 0; i < n; i++) {
		for (page = packets[i]; page; page = next) {
			next = page->next;
			page->next = NULL;
			page_pool_put_bulk(&page, 1);
		}
	}
}

/**
 * pp_netdev_done() - has a port come to its end?
 * @dev: port
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  true once no packet will come any more: end of a file, interface gone.
 * Source:  rte_eth_dev_is_removed(). Differs: asks no device; also the end of a file.
 */
bool pp_netdev_done(const struct pp_netdev *dev);

/**
 * pp_netdev_event() - the next event of the interface below a port
 * @dev: port, running; its queues may be in use
 *
 * For a control thread, a few times a second. An interface that goes down, comes up, is given
 * another MTU or name, is deleted or moved to another namespace, is told once each, also if the
 * queues have noticed before.
 *
 * A port without its interface is done (pp_netdev_done()). The call on each of its queues that
 * notices it, which is within 1024 polls without a packet, gives the socket back and brings its
 * pages home, and takes up to 50 ms for that. From then on the queue receives nothing, and takes,
 * drops and counts what is to be sent. Other ports go on. The first event of a port may be about
 * offloads that are in its way.
 *
 * Context: one thread at a time. Does not block.
 * Cost:    three system calls; none if the driver has no interfaces.
 * Return:  a sentence without full stop, valid until the next call; NULL: nothing new, or a
 *          driver without interfaces.
 * Source:  rtnetlink's link messages. Differs: asks; nothing has to be received.
 */
const char *pp_netdev_event(struct pp_netdev *dev);

/**
 * pp_netdev_get_stats() - counters of all queues of a port, and of the kernel below it
 * @dev:   port, running or stopped
 * @stats: out; sz set by the caller
 *
 * Context: any thread.
 * Cost:    a load of each counter of each queue; af_xdp: a system call a queue.
 * Return:  0; -E2BIG if stats->sz is larger than the library's, with a sentence in pp_error().
 * Source:  rte_eth_stats_get(), and XDP_STATISTICS of AF_XDP.
 */
int pp_netdev_get_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats);

/**
 * pp_netdev_dpdk_eal() - what DPDK's environment layer (EAL) is to be started with
 * @args: its options as on a command line, separated by blanks; '...' and "..." keep blanks
 *        together; NULL: the default, see doc/ports.md
 *
 * The first "dpdk:" port starts EAL, which is possible once in a process and lasts until the
 * process ends; a program that has started it by itself needs no call. While EAL starts, and while
 * a device is opened, stdout and stderr of the process are redirected: DPDK's libraries print.
 *
 * Context: any thread; sleeps.
 * Cost:    loading the dpdk module, the first time.
 * Return:  0; with a sentence in pp_error(): -EINVAL: a quote that does not end, or more than 126
 *          options; -EBUSY: a port has started EAL already; -ENOTSUP: the dpdk module does not
 *          load; -ENOMEM.
 * Source:  rte_eal_init(). Differs: starts nothing yet.
 */
int pp_netdev_dpdk_eal(const char *args);

/**
 * pp_netdev_driver_names() - the drivers that this library knows, ended by NULL
 *
 * af_xdp may be left out of a build. pcap and dpdk are modules: they are loaded when their first
 * port is opened, and may be missing.
 *
 * Context: any thread.
 * Cost:    some stores.
 * Return:  the names, for as long as the library is loaded.
 * Source:  none.
 */
const char *const *pp_netdev_driver_names(void);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_NETDEV_H */
