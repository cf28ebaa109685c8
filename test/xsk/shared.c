/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shared.c - one UMEM, four threads, each with a socket on a queue of its own
 *
 *   shared umem|memory [SECONDS]
 *
 * umem: the sockets share the UMEM of one that nobody restarts (XDP_SHARED_UMEM);
 * memory: each registers the same memory for itself.
 *
 * A thread receives into its own pool. What it received it frees, sends back, or
 * leaves to the next thread, which does the same; so every page is freed from, and
 * sent by, every thread. The last socket has a thread for each direction. All the
 * time threads are stopped with their rings full, their sockets closed, their pools
 * destroyed, and new ones started. In the end every page is home, once, and no
 * address came back that was not out.
 *
 * A page that the kernel writes to while a thread has it would change the sequence number
 * in the packet: it is remembered at reception and compared at the end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "sock.h"

#define QUEUES 4u
#define BURST  16u
#define PAGES  1280u /* few, so that what one socket leaves is soon another one's */
#define SHELF  512u
#define KEEP   192u /* of them lie there for a while */

/* pages that lie about for any thread, oldest first */
static struct {
	pthread_mutex_t lock;
	unsigned int first, n;
	struct pp_page *pages[SHELF];
} shelf = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct worker {
	pthread_t thread;
	unsigned int queue;
	unsigned int seed;
	bool stop;
	uint64_t born, rx, tx, taken, reclaimed, bad, changed, dropped;
};

struct half {
	struct worker *w;
	struct pp_xsk *xsk;
};

static struct pp_zone *zone;
static struct sock anchor = { .fd = -1 };
static bool share_umem;
static bool quiet; /* no more packets */

static uint64_t frame_seq(const struct pp_page *page)
{
	uint64_t seq;

	memcpy(&seq, (unsigned char *)pp_page_data(page) + FRAME_SEQ, sizeof(seq));
	return seq;
}

static unsigned int shelf_take(struct pp_page **pages, unsigned int n, unsigned int keep)
{
	unsigned int i;

	pthread_mutex_lock(&shelf.lock);
	for (i = 0; i < n && shelf.n > keep; i++, shelf.n--)
		pages[i] = shelf.pages[shelf.first++ % SHELF];
	pthread_mutex_unlock(&shelf.lock);
	return i;
}

/* returns how many found room */
static unsigned int shelf_put(struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	pthread_mutex_lock(&shelf.lock);
	for (i = 0; i < n && shelf.n < SHELF; i++)
		shelf.pages[(shelf.first + shelf.n++) % SHELF] = pages[i];
	pthread_mutex_unlock(&shelf.lock);
	return i;
}

static void check(struct worker *w, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		w->changed += frame_seq(pages[i]) != pages[i]->tstamp;
}

/* the end of a burst, from any socket: free, send, or leave to the others */
static void dispose(struct worker *w, struct pp_xsk *xsk, struct pp_page **pages, unsigned int n)
{
	unsigned int k = 0;

	switch (rand_r(&w->seed) % 4) {
	case 0:
		check(w, pages, n);
		break;
	case 1:
		check(w, pages, n);
		k = n ? pp_xsk_tx(xsk, pages, n) : 0;
		break;
	default:
		k = shelf_put(pages, n);
		check(w, pages + k, n - k);
	}
	page_pool_put_bulk(pages + k, n - k);
}

static void work(struct worker *w, struct pp_xsk *xsk)
{
	struct pp_page *pages[BURST];
	unsigned int n, i;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		pp_xsk_refill(xsk);
		n = pp_xsk_rx(xsk, pages, BURST);
		for (i = 0; i < n; i++)
			pages[i]->tstamp = frame_seq(pages[i]);
		dispose(w, xsk, pages, n);
		n = shelf_take(pages, rand_r(&w->seed) % BURST, KEEP);
		w->taken += n;
		dispose(w, xsk, pages, n);
		pp_xsk_complete(xsk);
		if (!n)
			sched_yield();
	}
}

/* the sending half of a worker: what others left, and what is complete */
static void *send_half(void *arg)
{
	struct half *half = arg;
	struct pp_page *pages[BURST];
	unsigned int n, k;

	while (!__atomic_load_n(&half->w->stop, __ATOMIC_RELAXED)) {
		n = shelf_take(pages, BURST / 2, KEEP);
		check(half->w, pages, n);
		k = pp_xsk_tx(half->xsk, pages, n);
		page_pool_put_bulk(pages + k, n - k);
		pp_xsk_complete(half->xsk);
		if (!n)
			sched_yield();
	}
	return NULL;
}

/* the receiving half */
static void receive_half(struct worker *w, struct pp_xsk *xsk)
{
	struct pp_page *pages[BURST];
	unsigned int n, i, k;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		pp_xsk_refill(xsk);
		n = pp_xsk_rx(xsk, pages, BURST);
		for (i = 0; i < n; i++)
			pages[i]->tstamp = frame_seq(pages[i]);
		k = shelf_put(pages, n);
		page_pool_put_bulk(pages + k, n - k);
		if (!n)
			sched_yield();
		w->taken++;
	}
}

static void work_split(struct worker *w, struct pp_xsk *xsk)
{
	struct half half = { w, xsk };
	pthread_t thread;

	if (pthread_create(&thread, NULL, send_half, &half))
		die("start a thread");
	receive_half(w, xsk);
	pthread_join(thread, NULL);
}

static void account(struct worker *w, struct pp_xsk *xsk)
{
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	w->reclaimed += pp_xsk_reclaim(xsk);
	if (pp_xsk_get_stats(xsk, &st))
		die("statistics");
	w->rx += st.rx_packets;
	w->tx += st.tx_packets;
	w->dropped += st.tx_dropped;
	w->bad += st.rx_bad + st.comp_bad + st.tx_bad + st.rx_dropped;
	if (st.posted || st.tx_out)
		die("frames in the rings of a closed socket");
	pp_xsk_destroy(xsk);
}

static void *worker(void *arg)
{
	struct worker *w = arg;
	/* small, so that most pages go through the zone, and to another socket */
	struct page_pool_params pp = {
		.sz = sizeof(pp), .zone = zone, .pool_size = 32, .cache_size = 32, .refill = 16
	};
	int umem_fd = share_umem ? anchor.fd : -1;
	struct pp_xsk_params xp;
	struct pp_xsk *xsk;
	struct sock s = { .fd = -1 };

	w->born++;
	sock_open(&s, zone, 0, 0, umem_fd);
	sock_bind(&s, IF_XSK, w->queue, umem_fd);
	xp = sock_params(&s);
	xp.pool = page_pool_create(&pp);
	xsk = xp.pool ? pp_xsk_create(&xp) : NULL;
	if (!xsk)
		die("use pages at the socket");
	pp_xsk_refill(xsk);
	net_redirect(w->queue, s.fd);
	if (w->queue == QUEUES - 1)
		work_split(w, xsk);
	else
		work(w, xsk);
	/* no farewell: rings full, sends under way, pages with others */
	sock_close(&s);
	if (w->seed & 1)
		page_pool_destroy(xp.pool);
	account(w, xsk);
	if (!(w->seed & 1))
		page_pool_destroy(xp.pool);
	w->seed++;
	return NULL;
}

static void *sender(void *arg)
{
	int fd = peer_open(false);
	uint64_t seq = 0;

	while (!__atomic_load_n(&quiet, __ATOMIC_RELAXED)) {
		peer_send(fd, ++seq);
		if (seq % 64 == 0)
			sched_yield();
	}
	close(fd);
	return NULL;
}

static void start(struct worker *w)
{
	__atomic_store_n(&w->stop, false, __ATOMIC_RELAXED);
	if (pthread_create(&w->thread, NULL, worker, w))
		die("start a thread");
}

static void stop(struct worker *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
	if (pthread_join(w->thread, NULL))
		die("join a thread");
}

static int verdict(struct worker *w)
{
	struct pp_audit audit = { .sz = sizeof(audit) };
	bool ok = true;
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		printf("queue %u: %llu sockets, %llu received, %llu sent (%llu dropped), %llu of "
		       "others; %llu reclaimed, %llu bad addresses, %llu changed in our hands\n",
		       i, (unsigned long long)w[i].born, (unsigned long long)w[i].rx,
		       (unsigned long long)w[i].tx, (unsigned long long)w[i].dropped,
		       (unsigned long long)w[i].taken, (unsigned long long)w[i].reclaimed,
		       (unsigned long long)w[i].bad, (unsigned long long)w[i].changed);
		ok &= w[i].born > 2 && w[i].rx && w[i].tx && w[i].taken && w[i].reclaimed;
		ok &= !w[i].bad && !w[i].changed;
	}
	if (pp_zone_audit(zone, &audit))
		die("audit");
	printf("%llu of %llu pages home, %llu leaked, %llu twice\n", (unsigned long long)audit.home,
	       (unsigned long long)audit.managed, (unsigned long long)audit.leaked,
	       (unsigned long long)audit.double_free);
	ok &= audit.home == audit.managed && !audit.leaked && !audit.double_free;
	ok &= !pp_zone_destroy(zone);
	printf("%s\n", ok ? "ok" : "FAILED");
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = PAGES, .page_size = 2048 };
	double seconds = argc > 2 ? atof(argv[2]) : 5;
	struct worker workers[QUEUES] = { 0 };
	struct pp_page *left[BURST];
	unsigned int i, n, seed = (unsigned int)time(NULL);
	time_t end = time(NULL) + (time_t)seconds;
	pthread_t gen;

	if (argc > 3)
		seed = (unsigned int)atoi(argv[3]);
	share_umem = argc > 1 && !strcmp(argv[1], "umem");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("PP_SEED=%u\n", seed);
	net_open(QUEUES);
	zone = pp_zone_create(&zp);
	if (!zone || pp_zone_pin(zone))
		die("memory");
	if (share_umem) {
		sock_open(&anchor, zone, 0, 0, -1);
		sock_bind(&anchor, "lo", 0, -1);
	}
	for (i = 0; i < QUEUES; i++) {
		workers[i].queue = i;
		workers[i].seed = seed + i;
		start(&workers[i]);
	}
	if (pthread_create(&gen, NULL, sender, NULL))
		die("start the sender");
	while (time(NULL) <= end) {
		usleep(20000 + rand_r(&seed) % 100000);
		i = rand_r(&seed) % QUEUES;
		stop(&workers[i]);
		start(&workers[i]);
	}
	__atomic_store_n(&quiet, true, __ATOMIC_RELAXED);
	for (i = 0; i < QUEUES; i++)
		stop(&workers[i]);
	pthread_join(gen, NULL);
	while ((n = shelf_take(left, BURST, 0)))
		page_pool_put_bulk(left, n);
	if (share_umem)
		sock_close(&anchor);
	pp_zone_unpin(zone);
	return verdict(workers);
}
