/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop.c - an in-memory cable between two ports of a process
 *
 * A cable has two ends and, for each of them, a wire: a bounded ring with one
 * producer, the far end's sender, and one consumer, the near end's receiver.
 * Pages cross it without being copied. A port without a peer has a cable with
 * one end, whose wire carries what it sends back to it.
 *
 * Either end may come and go while the other one runs. So a cable belongs to
 * both ends, and a wire has a reader word that says who may consume:
 *
 *   NOBODY -> END      the near end is opened
 *   END -> NOBODY      it has stopped, and has emptied the wire
 *   NOBODY -> SENDER   the far end found nobody there, and empties the wire of
 *   SENDER -> NOBODY   what it sent while the near end was leaving
 *
 * Invariant: head - tail, the pages on the wire, is between 0 and the cable's size.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netdev/priv.h"

#include <pagepool/zone_set.h>

#define NAME_MAX_LEN 31u
#define SIZE_DEFAULT 1024u
#define SIZE_MIN     2u
#define SIZE_MAX_LEN 65536u
#define LINES	     128u

enum wire_reader {
	NOBODY,
	END,
	SENDER,
};

struct loop_wire {
	/* the sender's */
	uint32_t head __attribute__((aligned(LINES)));
	uint32_t tail_seen;
	/* the receiver's */
	uint32_t tail __attribute__((aligned(LINES)));
	uint32_t head_seen;
	/* neither's: written when an end comes or goes */
	uint32_t reader __attribute__((aligned(LINES)));
	uint32_t size;
	struct pp_page **slots;
} __attribute__((aligned(LINES)));

struct loop_cable {
	struct loop_wire wire[2]; /* wire i leads to end i */
	struct loop_cable *next;
	char name[2][NAME_MAX_LEN + 1];
	bool used[2];
	unsigned int ends; /* 1 or 2 */
};

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

/* all cables of the process; the lock is for open and close */
static pthread_mutex_t cables_lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop_cable *cables;

/* the caller is the wire's sender and its @n is at most what fits */
static void wire_push(struct loop_wire *w, struct pp_page *const *pages, unsigned int n)
{
	uint32_t at = w->head & (w->size - 1);
	uint32_t first = w->size - at < n ? w->size - at : n;

	memcpy(&w->slots[at], pages, first * sizeof(*pages));
	memcpy(w->slots, pages + first, (n - first) * sizeof(*pages));
	/* pairs with the load in wire_pull() */
	__atomic_store_n(&w->head, w->head + n, __ATOMIC_RELEASE);
}

static uint32_t wire_room(struct loop_wire *w, uint32_t want)
{
	uint32_t room = w->size - (w->head - w->tail_seen);

	if (room >= want)
		return room;
	/* pairs with the store in wire_pull(): the slots have been read */
	w->tail_seen = __atomic_load_n(&w->tail, __ATOMIC_ACQUIRE);
	return w->size - (w->head - w->tail_seen);
}

/* the caller is the wire's reader */
static unsigned int wire_pull(struct loop_wire *w, struct pp_page **pages, unsigned int n)
{
	uint32_t at = w->tail & (w->size - 1), first;

	if (w->head_seen - w->tail < n)
		w->head_seen = __atomic_load_n(&w->head, __ATOMIC_ACQUIRE);
	if (w->head_seen - w->tail < n)
		n = w->head_seen - w->tail;
	if (!n)
		return 0;
	first = w->size - at < n ? w->size - at : n;
	memcpy(pages, &w->slots[at], first * sizeof(*pages));
	memcpy(pages + first, w->slots, (n - first) * sizeof(*pages));
	/* pairs with the load in wire_room() */
	__atomic_store_n(&w->tail, w->tail + n, __ATOMIC_RELEASE);
	return n;
}

static uint64_t wire_empty(struct loop_wire *w)
{
	struct pp_page *pages[PP_BURST_MAX];
	uint64_t all = 0;
	unsigned int n;

	while ((n = wire_pull(w, pages, PP_BURST_MAX))) {
		page_pool_put_bulk(pages, n);
		all += n;
	}
	return all;
}

/* may this caller read the wire? It gives it back with wire_leave(). */
static bool wire_enter(struct loop_wire *w, enum wire_reader who)
{
	uint32_t nobody = NOBODY;

	return __atomic_compare_exchange_n(&w->reader, &nobody, who, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static void wire_leave(struct loop_wire *w)
{
	__atomic_store_n(&w->reader, NOBODY, __ATOMIC_RELEASE);
}

static uint64_t page_bytes(struct pp_page *const *pages, unsigned int n)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		bytes += pages[i]->len;
	return bytes;
}

/*
 * Nobody at the far end: like on an unplugged cable, packets are taken and lost.
 * What was sent while that end was leaving is on the wire still; it counts as
 * sent, as what is lost on any cable does.
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
	/* once a page is on the wire its metadata are the receiver's */
	bytes = page_bytes(pages, n);
	wire_push(lq->out, pages, n);
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
 * Pages of another zone are copied, here rather than by the sender: this thread
 * owns the pool that the copy comes from. The receiver may need its own zone's
 * memory, for instance to forward to an AF_XDP port.
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
	if (unlikely(foreign)) /* a set's other zones, too, which copy_foreign() lets pass */
		n = copy_foreign(q, pages, n);
	for (i = 0; i < n; i++) {
		pages[i]->port = q->dev->params.port;
		pages[i]->tstamp = PP_TSTAMP_NONE;
	}
	pp_stat_add(&q->stats.rx_packets, n);
	pp_stat_add(&q->stats.rx_bytes, page_bytes(pages, n));
	return n;
}

static const struct pp_queue_ops loop_queue_ops = {
	.rx_burst = loop_rx,
	.tx_burst = loop_tx,
};

static void free_cable(struct loop_cable *cable)
{
	free(cable->wire[0].slots);
	free(cable->wire[1].slots);
	free(cable);
}

static struct loop_cable *new_cable(const char *name, const char *peer, uint32_t size)
{
	struct loop_cable *cable = aligned_alloc(LINES, sizeof(*cable));
	unsigned int i;

	if (!cable)
		return NULL;
	memset(cable, 0, sizeof(*cable));
	cable->ends = strcmp(name, peer) ? 2 : 1;
	strcpy(cable->name[0], name);
	strcpy(cable->name[1], peer);
	for (i = 0; i < cable->ends; i++) {
		cable->wire[i].size = size;
		cable->wire[i].slots = calloc(size, sizeof(*cable->wire[i].slots));
		if (!cable->wire[i].slots) {
			free_cable(cable);
			return NULL;
		}
	}
	return cable;
}

/* the cable that has @name at an end */
static struct loop_cable *find_cable(const char *name, unsigned int *end)
{
	struct loop_cable *cable;

	for (cable = cables; cable; cable = cable->next)
		for (*end = 0; *end < cable->ends; ++*end)
			if (!strcmp(cable->name[*end], name))
				return cable;
	*end = 0;
	return NULL;
}

/* is this the cable that a port @name, with that peer and ring size, means? */
static int check_cable(const struct loop_cable *cable, unsigned int end, const char *peer,
		       uint32_t size)
{
	const char *name = cable->name[end];
	const char *other = cable->name[cable->ends - 1 - end];

	if (cable->used[end])
		return pp_set_error(EBUSY, "loop: port '%s' is open already; choose another name",
				    name);
	if (strcmp(other, peer))
		return pp_set_error(EINVAL,
				    "loop: port '%s' names '%s' its peer; write "
				    "loop:%s,peer=%s",
				    other, name, name, other);
	if (size && size != cable->wire[0].size)
		return pp_set_error(EINVAL,
				    "loop: size=%u, but '%s' opened the cable with %u; "
				    "give both ends the same",
				    size, other, cable->wire[0].size);
	return 0;
}

static int plug_locked(struct loop_dev *ld, const char *name, const char *peer, uint32_t size)
{
	struct loop_cable *cable;
	unsigned int end;
	int err;

	cable = find_cable(name, &end);
	if (cable) {
		err = check_cable(cable, end, peer, size);
		if (err)
			return err;
	} else {
		cable = find_cable(peer, &end);
		if (cable)
			return pp_set_error(EBUSY,
					    "loop: port '%s' is cabled to '%s'; choose "
					    "another peer",
					    peer, cable->name[cable->ends - 1 - end]);
		end = 0;
		cable = new_cable(name, peer, size ? size : SIZE_DEFAULT);
		if (!cable)
			return pp_set_error(ENOMEM, "loop: no memory for %u ring entries",
					    size ? size : SIZE_DEFAULT);
		cable->next = cables;
		cables = cable;
	}
	cable->used[end] = true;
	ld->cable = cable;
	ld->end = end;
	return 0;
}

/* the far end may be emptying the wire right now, which is short */
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
	if (name && strlen(name) <= NAME_MAX_LEN)
		return 0;
	return pp_set_error(EINVAL, "loop: %s is %s; write loop:NAME with at most %u characters",
			    what, name ? "too long" : "missing", NAME_MAX_LEN);
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
	pthread_mutex_lock(&cables_lock);
	err = plug_locked(ld, name, peer, size);
	pthread_mutex_unlock(&cables_lock);
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

	/* what is on the wire to us is lost; what we sent is the far end's, if there is one */
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
	struct loop_cable *cable = ld->cable, **link;

	if (!cable)
		return;
	if (ld->plugged)
		loop_stop(dev);
	pthread_mutex_lock(&cables_lock);
	cable->used[ld->end] = false;
	if (!cable->used[0] && !cable->used[1]) {
		for (link = &cables; *link != cable; link = &(*link)->next)
			;
		*link = cable->next;
		free_cable(cable);
	}
	pthread_mutex_unlock(&cables_lock);
}

const struct pp_netdev_ops pp_loop_ops = {
	.name = "loop",
	.sets = true,
	.dev_size = sizeof(struct loop_dev),
	.open = loop_open,
	.stop = loop_stop,
	.close = loop_close,
};
