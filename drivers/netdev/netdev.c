/* SPDX-License-Identifier: BSD-3-Clause */
/* netdev.c - a port's life: parameters, queues with their pools, counters */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netdev/args.h"
#include "netdev/priv.h"

#include <pagepool/memory.h>
#include <pagepool/zone_set.h>

#define PARAMS_MAX     4096u /* a larger sz is none */
#define QUEUE_ALIGN    128u /* two lines: neighbours fetch each other's, see doc/design.md */
#define CACHE_DEFAULT  128u
#define REFILL_DEFAULT 64u
#define POOL_DEFAULT   1024u

struct pp_queue *pp_netdev_add_queue(struct pp_netdev *dev, size_t size,
				     const struct pp_queue_ops *ops)
{
	struct page_pool_params pool = {
		.sz = sizeof(pool),
		.zone = dev->params.set ? NULL : dev->params.zone,
		.set = dev->params.set,
		.pool_size = dev->params.pool_size,
		.cache_size = dev->params.cache_size,
		.refill = dev->params.refill,
		.order = dev->params.order,
	};
	struct pp_queue *q;
	char name[32];

	if (dev->nqueues == PP_QUEUES_MAX) {
		pp_set_error(EINVAL, "%s: more than %u queues", dev->spec, PP_QUEUES_MAX);
		return NULL;
	}
	/* a driver reads its options before: a wrong one is refused before anything is touched */
	if (pp_args_refuse_unknown(dev->args))
		return NULL;
	size = (size + QUEUE_ALIGN - 1) & ~(size_t)(QUEUE_ALIGN - 1);
	q = aligned_alloc(QUEUE_ALIGN, size);
	if (!q) {
		pp_set_error(ENOMEM, "%s: no memory for queue %u", dev->spec, dev->nqueues);
		return NULL;
	}
	memset(q, 0, size);
	snprintf(name, sizeof(name), "port%u.q%u", dev->params.port, dev->nqueues);
	pool.name = name;
	q->pool = page_pool_create(&pool);
	if (!q->pool) {
		free(q);
		return NULL;
	}
	q->ops = ops;
	q->dev = dev;
	q->index = dev->nqueues;
	dev->queues[dev->nqueues++] = q;
	return q;
}

/* the bursts of a stopped port, for a thread that comes late */
static unsigned int stopped_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	return 0;
}

static const struct pp_queue_ops stopped_ops = {
	.rx_burst = stopped_burst,
	.tx_burst = stopped_burst,
};

static int copy_params(struct pp_netdev_params *to, const struct pp_netdev_params *from)
{
	const size_t least = offsetof(struct pp_netdev_params, zone) + sizeof(from->zone);
	const unsigned char *bytes = (const unsigned char *)from;
	size_t i;

	if (!from || from->sz < least)
		return pp_set_error(EINVAL, "struct pp_netdev_params: sz is not set");
	if (from->sz > PARAMS_MAX)
		return pp_set_error(E2BIG, "struct pp_netdev_params: sz is %zu", from->sz);
	for (i = sizeof(*to); i < from->sz; i++)
		if (bytes[i])
			return pp_set_error(E2BIG,
					    "struct pp_netdev_params: byte %zu is set, this "
					    "library knows %zu; use a newer one",
					    i, sizeof(*to));
	memcpy(to, from, from->sz < sizeof(*to) ? from->sz : sizeof(*to));
	to->sz = sizeof(*to);
	if (!to->zone == !to->set)
		return pp_set_error(EINVAL, "struct pp_netdev_params: one of zone and set is NULL, "
					    "and not both");
	if (to->order > PP_ORDER_MAX)
		return pp_set_error(EINVAL, "order: %u is above %u", to->order, PP_ORDER_MAX);
	if (to->set)
		to->zone = pp_zone_set_zone(to->set, __builtin_ctzll(pp_zone_set_nodes(to->set)));
	/* drivers size their rings by these: spell the pool's defaults out */
	if (!to->pool_size)
		to->pool_size = POOL_DEFAULT;
	if (!to->cache_size)
		to->cache_size = to->refill > CACHE_DEFAULT ? to->refill : CACHE_DEFAULT;
	if (!to->refill)
		to->refill = to->cache_size / 2 < REFILL_DEFAULT ? (to->cache_size + 1) / 2
								 : REFILL_DEFAULT;
	return 0;
}

static void free_netdev(struct pp_netdev *dev)
{
	unsigned int i;

	if (dev->ops->close)
		dev->ops->close(dev);
	for (i = 0; i < dev->nqueues; i++) {
		page_pool_destroy(dev->queues[i]->pool);
		free(dev->queues[i]);
	}
	free(dev->args);
	free(dev);
}

static struct pp_netdev *alloc_netdev(const struct pp_netdev_ops *ops, struct pp_args *args,
				      const struct pp_netdev_params *params)
{
	size_t size = (ops->dev_size + QUEUE_ALIGN - 1) & ~(size_t)(QUEUE_ALIGN - 1);
	struct pp_netdev *dev = aligned_alloc(QUEUE_ALIGN, size);

	if (!dev) {
		pp_set_error(ENOMEM, "no memory for the port '%s'", args->spec);
		return NULL;
	}
	memset(dev, 0, size);
	dev->ops = ops;
	dev->params = *params;
	dev->spec = args->spec;
	dev->args = args;
	dev->mac[0] = 0x02; /* locally administered */
	dev->mac[1] = 'p';
	dev->mac[2] = 'p';
	dev->mac[4] = (unsigned char)(params->port >> 8);
	dev->mac[5] = (unsigned char)params->port;
	return dev;
}

static int check_ops(const struct pp_netdev_ops *ops, const struct pp_netdev_params *params)
{
	if (params->set && !ops->sets)
		return pp_set_error(ENOTSUP, "%s: needs one zone's memory, not a set of zones",
				    ops->name);
	if (params->order && !ops->sets)
		return pp_set_error(ENOTSUP,
				    "%s: packets need single pages, not runs of them; order: 0",
				    ops->name);
	if (params->tx_keep && !ops->keeps)
		return pp_set_error(ENOTSUP, "%s: keeps no packets that were sent; tx_keep: 0",
				    ops->name);
	return 0;
}

struct pp_netdev *pp_netdev_open_with(const struct pp_netdev_ops *ops, struct pp_args *args,
				      const struct pp_netdev_params *params)
{
	struct pp_netdev_params copy = { 0 };
	struct pp_netdev *dev;
	int err;

	if (copy_params(&copy, params) || check_ops(ops, &copy))
		return NULL;
	if (!ops->own_syntax && pp_args_parse(args))
		return NULL;
	dev = alloc_netdev(ops, args, &copy);
	if (!dev)
		return NULL;
	err = ops->open(dev, args);
	if (!err) {
		err = pp_args_refuse_unknown(args);
		if (!err)
			return dev;
		pp_netdev_stop(dev);
	}
	dev->args = NULL; /* still the caller's */
	free_netdev(dev);
	errno = -err;
	return NULL;
}

int pp_queue_fd(struct pp_queue *q)
{
	if (q->ops->fd)
		return q->ops->fd(q);
	return pp_set_error(ENOTSUP, "%s: has no descriptor to wait for packets with; poll",
			    q->dev->ops->name);
}

int pp_queue_arm(struct pp_queue *q)
{
	return q->ops->arm ? q->ops->arm(q) : 0;
}

void pp_netdev_stop(struct pp_netdev *dev)
{
	unsigned int i;

	if (dev->stopped)
		return;
	dev->stopped = true;
	if (dev->ops->stop)
		dev->ops->stop(dev);
	for (i = 0; i < dev->nqueues; i++)
		dev->queues[i]->ops = &stopped_ops;
}

void pp_netdev_close(struct pp_netdev *dev)
{
	if (!dev)
		return;
	pp_netdev_stop(dev);
	free_netdev(dev);
}

const char *pp_netdev_name(const struct pp_netdev *dev)
{
	return dev->spec;
}

const char *pp_netdev_driver(const struct pp_netdev *dev)
{
	return dev->ops->name;
}

const char *pp_netdev_info(const struct pp_netdev *dev)
{
	return dev->info;
}

const unsigned char *pp_netdev_mac(const struct pp_netdev *dev)
{
	return dev->mac;
}

unsigned int pp_netdev_queues(const struct pp_netdev *dev)
{
	return dev->nqueues;
}

struct pp_queue *pp_netdev_queue(struct pp_netdev *dev, unsigned int i)
{
	return dev->queues[i];
}

bool pp_netdev_chains(const struct pp_netdev *dev)
{
	return dev->chains;
}

unsigned int pp_netdev_rx_meta(const struct pp_netdev *dev)
{
	return dev->rx_meta;
}

bool pp_netdev_done(const struct pp_netdev *dev)
{
	/* pairs with the drivers' release: earlier stores, say to dev->info, are visible */
	return __atomic_load_n(&dev->done, __ATOMIC_ACQUIRE);
}

/* A queue's thread may be counting. */
static void add_stats(struct pp_netdev_stats *sum, const struct pp_netdev_stats *q)
{
	static const struct pp_counter counters[] = PP_NETDEV_COUNTER_TABLE;
	const struct pp_counter *c;
	uint64_t *to, value;

	for (c = counters; c->name; c++) {
		to = (uint64_t *)((char *)sum + c->offset);
		value = __atomic_load_n((const uint64_t *)((const char *)q + c->offset),
					__ATOMIC_RELAXED);
		if (c->kind != PP_MAX)
			*to += value;
		else if (value > *to)
			*to = value;
	}
}

const char *pp_netdev_event(struct pp_netdev *dev)
{
	return dev->ops->event ? dev->ops->event(dev) : NULL;
}

int pp_netdev_get_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	struct pp_netdev_stats sum = { .sz = stats->sz };
	unsigned int i;

	if (stats->sz > sizeof(sum))
		return pp_set_error(E2BIG,
				    "struct pp_netdev_stats: sz is %zu, this library knows %zu",
				    stats->sz, sizeof(sum));
	for (i = 0; i < dev->nqueues; i++)
		add_stats(&sum, &dev->queues[i]->stats);
	if (dev->ops->get_stats)
		dev->ops->get_stats(dev, &sum);
	memcpy(stats, &sum, stats->sz);
	return 0;
}
