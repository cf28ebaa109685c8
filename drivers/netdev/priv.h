/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * netdev/priv.h - the drivers' view of ports
 *
 * A driver is one file or folder with one struct pp_netdev_ops. Its port and queue structs
 * begin with struct pp_netdev and struct pp_queue. netdev.c allocates them, parses the spec,
 * makes the pools, and adds the counters up.
 */
#ifndef PP_NETDEV_PRIV_H
#define PP_NETDEV_PRIV_H

#include <errno.h>
#include <stdbool.h>

#include <pagepool/error.h>
#include <pagepool/netdev.h>
#include <pagepool/zone.h>

#define PP_QUEUES_MAX 64u

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct pp_args;

/**
 * struct pp_netdev_ops - a driver
 * @name:       the part of a spec before the colon
 * @dev_size:   sizeof the driver's port struct, which begins with struct pp_netdev
 * @sets:       the driver takes pages of any zone and any order: pp_netdev_params.order and set
 *              may be used; @zone is then one of the set's
 * @keeps:      its queues have tx_completed: pp_netdev_params.tx_keep may be 1
 * @own_syntax: the driver parses the part behind the colon, see pp_args_rest()
 * @open:       build the port and its queues (pp_netdev_add_queue()); 0 or -errno with
 *              pp_set_error(). After a failure netdev.c calls @close, which must cope with a
 *              port that is half built.
 * @stop:       take back every page; queues stay, for the counters; may be NULL
 * @close:      free what @open made, but for queues and pools; may be NULL
 * @get_stats:  add counters that the kernel keeps to @stats; may be NULL
 * @event:      see pp_netdev_event(); may be NULL
 * @configure:  options for all ports of the driver; see pp_netdev_dpdk_eal()
 */
struct pp_netdev_ops {
	const char *name;
	size_t dev_size;
	bool sets;
	bool keeps;
	bool own_syntax;
	int (*open)(struct pp_netdev *dev, struct pp_args *args);
	void (*stop)(struct pp_netdev *dev);
	void (*close)(struct pp_netdev *dev);
	void (*get_stats)(struct pp_netdev *dev, struct pp_netdev_stats *stats);
	const char *(*event)(struct pp_netdev *dev);
	int (*configure)(const char *args);
};

struct pp_netdev {
	const struct pp_netdev_ops *ops;
	struct pp_netdev_params params;
	struct pp_args *args;
	char *spec;
	char info[512];
	unsigned char mac[6];
	bool stopped;
	bool chains; /* see pp_netdev_chains() */
	uint32_t rx_meta; /* see pp_netdev_rx_meta() */
	bool done; /* atomic: set by a queue's thread, read by any */
	unsigned int nqueues;
	struct pp_queue *queues[PP_QUEUES_MAX];
};

/*
 * pp_netdev_add_queue() - allocate the next queue of a port, with its page_pool
 * @size: sizeof the driver's queue struct, which begins with struct pp_queue
 *
 * Zeroed, aligned to and padded by 128 bytes: two queues' threads must not share
 * adjacent lines. Returns NULL with errno and pp_error().
 */
struct pp_queue *pp_netdev_add_queue(struct pp_netdev *dev, size_t size,
				     const struct pp_queue_ops *ops);

/*
 * pp_netdev_open_with() - a port of this driver, once the spec is split
 *
 * On success the port owns @args. NULL with errno and pp_error(): the caller still owns them.
 */
struct pp_netdev *pp_netdev_open_with(const struct pp_netdev_ops *ops, struct pp_args *args,
				      const struct pp_netdev_params *params);

/*
 * The arguments of a spec: "af_xdp:eth0,queues=2" has the positional argument
 * "eth0" and the option queues. Each getter leaves *value alone if the key is not
 * there, and returns 0 or -EINVAL with a sentence that names key and range.
 * netdev.c refuses each option that no getter asked for. So a driver reads its options before
 * it adds its first queue. Strings of the getters live as long as the port.
 */
const char *pp_args_positional(struct pp_args *args); /* NULL: none */
const char *pp_args_str(struct pp_args *args, const char *key);
int pp_args_u32(struct pp_args *args, const char *key, uint32_t min, uint32_t max, uint32_t *value);
/* @names: the words allowed, ended by NULL; *value: index of the word */
int pp_args_word(struct pp_args *args, const char *key, const char *const *names,
		 unsigned int *value);
/* the part behind the colon as it stands, for a driver with a syntax of its own; "": none */
const char *pp_args_rest(struct pp_args *args);

/* counters have one writer; readers must not tear, which relaxed stores ensure */
static inline void pp_stat_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/**
 * PP_COLORS - the largest color: drivers that choose where a packet begins move it by 0, 128, 256
 * or 384 bytes
 *
 * Packets at the same offset of pages of 4096 bytes begin in the same few sets of the CPU's first
 * cache, which hold less than a burst.
 */
#define PP_COLORS 384u

/*
 * The color of a page. @colors: PP_COLORS, or 0 for none. The table of a zone's pages begins at a
 * page of memory, so that the address of an entry counts as its number does.
 */
static inline uint32_t pp_color(const struct pp_page *page, uint32_t colors)
{
	return (uint32_t)((uintptr_t)page * (128 / sizeof(*page))) & colors;
}

#endif /* PP_NETDEV_PRIV_H */
