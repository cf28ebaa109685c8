/* SPDX-License-Identifier: BSD-3-Clause */
/* loop.c - an in-memory cable between two ports of a process */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "drivers.h"
#include "loop/cable.h"

#include <pagepool/zone_set.h>

#define SIZE_MIN     2u
#define SIZE_MAX_LEN 65536u

struct loop_queue {
	struct pp_queue q;
	struct loop_wire *in;
	struct loop_wire *out;
};

struct loop_dev {
	struct pp_netdev dev;
	struct loop_cable *cable;
	unsigned int end;
	bool plugged;
};

static uint64_t page_bytes(struct pp_page *const *pages, unsigned int n)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		bytes += pages[i]->len;
	return bytes;
}

/*
 * The far end is not there: packets are taken and lost, as on an unplugged cable. Packets that
 * were sent while that end was leaving are still on the wire. They count as sent.
 */
static __attribute__((noinline)) unsigned int
loop_tx_unplugged(struct loop_queue *lq, struct pp_page **pages, unsigned int n)
{
	if (wire_enter(lq->out, SENDER)) {
		wire_empty(lq->out);
		wire_leave(lq->out);
	}
	page_pool_put_bulk(pages, n);
	pp_stat_add(&lq->q.stats.tx_dropped, n);
	return n;
}

static unsigned int loop_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct loop_queue *lq = (struct loop_queue *)q;
	uint32_t room;
	uint64_t bytes;

	if (unlikely(__atomic_load_n(&lq->out->reader, __ATOMIC_ACQUIRE) != END))
		return loop_tx_unplugged(lq, pages, n);
	room = wire_room(lq->out, n);
	if (n > room)
		n = room;
	/* before wire_push(): then the metadata belong to the receiver */
	bytes = page_bytes(pages, n);
	wire_push(lq->out, pages, n);
	wire_wake(lq->out);
	pp_stat_add(&q->stats.tx_packets, n);
	pp_stat_add(&q->stats.tx_bytes, bytes);
	return n;
}

/* one packet into a page of the receiver's zone; NULL: dropped */
static struct pp_page *copy_page(struct pp_queue *q, const struct pp_page *from)
{
	struct pp_page *to = page_pool_alloc_pages(q->pool);

	if (!to) {
		pp_stat_add(&q->stats.rx_nombuf, 1);
		return NULL;
	}
	if (from->len > pp_page_tailroom(to)) {
		page_pool_put_page(q->pool, to, false);
		return NULL;
	}
	memcpy(pp_page_data(to), pp_page_data(from), from->len);
	to->len = from->len;
	return to;
}

static bool is_foreign(const struct pp_queue *q, const struct pp_page *page)
{
	const struct pp_netdev_params *p = &q->dev->params;

	return page->zone != (p->set ? pp_zone_set_zone(p->set, page->node) : p->zone);
}

/*
 * Pages of another zone are copied: the receiver may need its own zone's memory, for instance to
 * forward to an AF_XDP port. The receiver copies, because it owns the pool that the copy comes
 * from.
 */
static __attribute__((noinline)) unsigned int copy_foreign(struct pp_queue *q,
							   struct pp_page **pages, unsigned int n)
{
	unsigned int i, kept = 0;
	struct pp_page *page;

	for (i = 0; i < n; i++) {
		page = pages[i];
		if (is_foreign(q, page)) {
			page = copy_page(q, page);
			page_pool_put_bulk(&pages[i], 1);
			if (!page) {
				pp_stat_add(&q->stats.rx_dropped, 1);
				continue;
			}
		}
		pages[kept++] = page;
	}
	return kept;
}

static unsigned int loop_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct loop_queue *lq = (struct loop_queue *)q;
	const struct pp_zone *zone = q->dev->params.zone;
	bool foreign = false;
	unsigned int i;

	n = wire_pull(lq->in, pages, n);
	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		foreign |= pages[i]->zone != zone;
	if (unlikely(foreign)) /* also another zone of the port's set, which copy_foreign() keeps */
		n = copy_foreign(q, pages, n);
	for (i = 0; i < n; i++) {
		pages[i]->port = q->dev->params.port;
		pages[i]->tstamp = PP_TSTAMP_NONE;
	}
	pp_stat_add(&q->stats.rx_packets, n);
	pp_stat_add(&q->stats.rx_bytes, page_bytes(pages, n));
	return n;
}

static int loop_fd(struct pp_queue *q)
{
	return wire_fd(((struct loop_queue *)q)->in);
}

static int loop_arm(struct pp_queue *q)
{
	return wire_arm(((struct loop_queue *)q)->in);
}

static const struct pp_queue_ops loop_queue_ops = {
	.fd = loop_fd,
	.arm = loop_arm,
	.rx_burst = loop_rx,
	.tx_burst = loop_tx,
};

/* waits while the far end empties the wire, which is short */
static void plug_in(struct loop_dev *ld, struct loop_queue *lq)
{
	struct loop_cable *cable = ld->cable;

	lq->in = &cable->wire[ld->end];
	lq->out = &cable->wire[cable->ends - 1 - ld->end];
	while (!wire_enter(lq->in, END))
		sched_yield();
	ld->plugged = true;
}

static int check_name(const char *what, const char *name)
{
	if (name && strlen(name) <= CABLE_NAME_MAX)
		return 0;
	return pp_set_error(EINVAL, "loop: %s is %s; write loop:NAME with at most %u characters",
			    what, name ? "too long" : "missing", CABLE_NAME_MAX);
}

static int loop_open(struct pp_netdev *dev, struct pp_args *args)
{
	const char *name = pp_args_positional(args), *peer = pp_args_str(args, "peer");
	struct loop_dev *ld = (struct loop_dev *)dev;
	struct loop_queue *lq;
	uint32_t size = 0;
	int err;

	peer = peer ? peer : name;
	err = check_name("the name", name);
	if (!err)
		err = check_name("the peer's name", peer);
	if (!err)
		err = pp_args_u32(args, "size", SIZE_MIN, SIZE_MAX_LEN, &size);
	if (!err && (size & (size - 1)))
		err = pp_set_error(EINVAL, "loop: size=%u is not a power of two", size);
	if (err)
		return err;
	lq = (struct loop_queue *)pp_netdev_add_queue(dev, sizeof(*lq), &loop_queue_ops);
	if (!lq)
		return -errno;
	err = cable_plug(name, peer, size, &ld->cable, &ld->end);
	if (err)
		return err;
	plug_in(ld, lq);
	snprintf(dev->info, sizeof(dev->info), "cable to %s, %u entries", peer, lq->in->size);
	return 0;
}

static void loop_stop(struct pp_netdev *dev)
{
	struct loop_dev *ld = (struct loop_dev *)dev;
	struct loop_queue *lq = (struct loop_queue *)dev->queues[0];

	/* pages on the wire to this end are lost; its own packets stay for the far end, if any */
	pp_stat_add(&lq->q.stats.rx_dropped, wire_empty(lq->in));
	wire_leave(lq->in);
	ld->plugged = false;
	if (wire_enter(lq->out, SENDER)) {
		wire_empty(lq->out);
		wire_leave(lq->out);
	}
}

static void loop_close(struct pp_netdev *dev)
{
	struct loop_dev *ld = (struct loop_dev *)dev;

	if (!ld->cable)
		return;
	if (ld->plugged)
		loop_stop(dev);
	cable_unplug(ld->cable, ld->end);
}

const struct pp_netdev_ops pp_loop_ops = {
	.name = "loop",
	.sets = true,
	.dev_size = sizeof(struct loop_dev),
	.open = loop_open,
	.stop = loop_stop,
	.close = loop_close,
};
