/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue.c - a socket, its page_pool, and the thread that answers its packets
 *
 * Each socket registers the zone's memory for itself: libxdp cannot open a
 * socket of a shared UMEM again while another one lives, and registering the
 * same memory twice costs next to nothing.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

#include "app.h"
#include "common/clock.h"

#define RX_SIZE	  1024u
#define TX_SIZE	  1024u
#define FILL_SIZE (2 * RX_SIZE)
#define BURST	  32u

/* the kernel keeps a queue for some 10 ms after its socket was closed, also by a kill */
#define BIND_MS	     1000
#define BIND_STEP_MS 5

#define IDLE_MS 100 /* longest sleep of a thread without packets */
#define OWED_MS 1 /* the same while it owes the kernel frames, or awaits some */

static int open_umem(struct queue *q, struct pp_zone *zone, const char *interface)
{
	struct xsk_umem_config cfg = {
		.fill_size = FILL_SIZE,
		.comp_size = TX_SIZE,
		.frame_size = pp_zone_page_size(zone),
	};
	uint64_t len = pp_zone_pages(zone) * cfg.frame_size;
	int err;

	err = xsk_umem__create(&q->umem, pp_zone_base(zone), len, &q->fill, &q->comp, &cfg);
	if (!err)
		return 0;
	q->umem = NULL;
	if (err == -ENOBUFS)
		return fail("not allowed to lock %llu KiB of packet memory for %s; raise the limit "
			    "(ulimit -l), or run with CAP_IPC_LOCK",
			    (unsigned long long)len >> 10, interface);
	if (err == -EPERM)
		return no_permission("open an AF_XDP socket", interface);
	if (err == -EAFNOSUPPORT)
		return fail("this kernel has no AF_XDP (CONFIG_XDP_SOCKETS), needed for %s",
			    interface);
	return fail("cannot register packet memory for %s: %s", interface, strerror(-err));
}

static int open_socket(struct queue *q, const char *interface)
{
	struct xsk_socket_config cfg = {
		.rx_size = RX_SIZE,
		.tx_size = TX_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP,
	};
	unsigned int ms;
	int err = -EBUSY;

	for (ms = 0; err == -EBUSY && ms <= BIND_MS; ms += BIND_STEP_MS) {
		if (ms)
			sleep_ms(BIND_STEP_MS);
		err = xsk_socket__create_shared(&q->socket, interface, q->index, q->umem, &q->rx,
						&q->tx, &q->fill, &q->comp, &cfg);
	}
	if (!err)
		return 0;
	q->socket = NULL;
	if (err == -EBUSY)
		return fail("queue %u of %s is in use by another AF_XDP socket; stop its owner",
			    q->index, interface);
	if (err == -EINVAL)
		return fail("%s has no queue %u for AF_XDP; ethtool -l %s shows what it has",
			    interface, q->index, interface);
	return fail("cannot bind an AF_XDP socket to queue %u of %s: %s", q->index, interface,
		    strerror(-err));
}

/* frames to receive into: at most half of the memory, the rest is for packets in use */
static uint32_t frames_most(const struct app *app)
{
	uint64_t share = pp_zone_pages(app->zone) / 2 / app->nqueues;

	return share < RX_SIZE ? (uint32_t)share : RX_SIZE;
}

/* From here on the rings are the library's, and their entries are pages. */
static int use_pages(struct queue *q, const struct app *app)
{
	const struct pp_xsk_params params = {
		.sz = sizeof(params),
		.pool = q->pool,
		.flags = PP_XSK_NEED_WAKEUP,
		.fd = xsk_socket__fd(q->socket),
		.port = (uint16_t)q->index,
		.frames = frames_most(app),
		PP_XSK_RINGS(&q->rx, &q->fill, &q->tx, &q->comp),
	};

	q->xsk = pp_xsk_create(&params);
	if (!q->xsk)
		return fail("queue %u of %s: %s", q->index, app->iface.name, pp_error());
	q->fd = params.fd;
	pp_xsk_refill(q->xsk); /* this thread has made the pool, and owns it for now */
	return 0;
}

int queue_open(struct queue *q, struct app *app, unsigned int index)
{
	struct page_pool_params pool = { .sz = sizeof(pool), .zone = app->zone };

	q->index = index;
	q->slow = &app->slow;
	q->options = &app->options;
	q->stop = &app->stop;
	if (open_umem(q, app->zone, app->iface.name) || open_socket(q, app->iface.name))
		return -1;
	q->pool = page_pool_create(&pool);
	if (!q->pool)
		return fail("page pool of queue %u: %s", index, pp_error());
	return use_pages(q, app);
}

/* The rings go first, then the socket; only then is no frame in the kernel's hands any more. */
void queue_close(struct queue *q)
{
	struct pp_xsk_stats stats = { .sz = sizeof(stats) };

	if (q->xsk)
		pp_xsk_get_stats(q->xsk, &stats); /* the kernel's counters end with the socket */
	if (q->socket)
		xsk_socket__delete(q->socket);
	q->socket = NULL;
	if (q->umem)
		xsk_umem__delete(q->umem);
	q->umem = NULL;
	if (q->xsk)
		pp_xsk_reclaim(q->xsk);
	page_pool_destroy(q->pool);
	q->pool = NULL;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static enum verdict answer_packet(struct queue *q, struct pp_page *page)
{
	struct packet packet = {
		.data = pp_page_data(page),
		.room = page->len + pp_page_tailroom(page),
		.len = page->len,
	};
	enum verdict verdict;

	verdict = respond(&q->options->responder, &packet, slow_room(q->slow));
	page->len = packet.len;
	return verdict;
}

/* sends @n answers; drops those that find no room in the TX ring, even after a look at it */
static void send_answers(struct queue *q, struct pp_page **pages, unsigned int n)
{
	unsigned int k = pp_xsk_tx(q->xsk, pages, n);

	if (k < n) {
		pp_xsk_complete(q->xsk);
		k += pp_xsk_tx(q->xsk, pages + k, n - k);
	}
	if (k < n) {
		counter_add(&q->unsent, n - k);
		page_pool_put_bulk(pages + k, n - k);
	}
}

static void answer_packets(struct queue *q, struct pp_page **pages, unsigned int n)
{
	struct pp_page *answers[BURST], *drops[BURST];
	unsigned int i, nanswers = 0, ndrops = 0;
	enum verdict verdict;

	counter_add(&q->received, n);
	for (i = 0; i < n; i++) {
		verdict = answer_packet(q, pages[i]);
		counter_add(&q->verdicts[verdict], 1);
		if (verdict <= VERDICT_LAST_SENT)
			answers[nanswers++] = pages[i];
		else if (verdict == VERDICT_SLOW)
			slow_keep(q->slow, pages[i]);
		else
			drops[ndrops++] = pages[i];
	}
	if (nanswers)
		send_answers(q, answers, nanswers);
	page_pool_put_bulk(drops, ndrops);
}

/*
 * No event wakes a thread that owes the kernel its frames, or has packets that wait for a kick, so
 * it must not sleep for long. Completions alone can wait for the next packet.
 */
static void sleep_idle(struct queue *q)
{
	struct pollfd fd = { .fd = q->fd, .events = POLLIN };
	bool owed;

	if (q->options->busy)
		return;
	owed = pp_xsk_debt(q->xsk) || pp_xsk_kick(q->xsk);
	if (poll(&fd, 1, owed ? OWED_MS : IDLE_MS) > 0 && (fd.revents & (POLLERR | POLLHUP)))
		sleep_ms(IDLE_MS); /* the interface is down or gone: poll does not wait any more */
}

static void *queue_thread(void *arg)
{
	struct pp_page *pages[BURST];
	struct queue *q = arg;
	unsigned int n, done;

	page_pool_enable_direct_recycling(q->pool); /* it is ours from here on */
	while (!__atomic_load_n(q->stop, __ATOMIC_RELAXED)) {
		n = pp_xsk_rx(q->xsk, pages, BURST);
		if (n)
			answer_packets(q, pages, n);
		done = pp_xsk_complete(q->xsk);
		done += pp_xsk_refill(q->xsk);
		if (!n && !done)
			sleep_idle(q);
	}
	return NULL;
}

int queue_start(struct queue *q)
{
	int err = pthread_create(&q->thread, NULL, queue_thread, q);

	if (err)
		return fail("cannot start the thread of queue %u: %s", q->index, strerror(err));
	q->started = true;
	return 0;
}

void queue_join(struct queue *q)
{
	if (q->started)
		pthread_join(q->thread, NULL);
	q->started = false;
}
