/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * starve.c - a consumer keeps every page there is, then lets go: reception comes back by itself
 *
 *   starve busy|sleep [ROUNDS]
 *
 * busy: the receiving thread never sleeps. sleep: it waits for packets in poll(), a
 * millisecond at most while frames are owed, since no packet can wake it then. Packets
 * arrive all the time. Another thread lets go. From then to the first packet: 10 ms.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "sock.h"

#define PAGES	  512u
#define BURST	  32u
#define ROUNDS	  21
#define LIMIT_MS  10.0
#define POSTED	  128u
#define QUIET_MS  20.0 /* nothing received for so long: nothing will be */
#define GIVE_UP_S 5.0

static struct sock sock;
static struct pp_xsk *xsk;
static struct pp_page *held[PAGES];
static unsigned int nheld;
static bool sleeps;
static bool quiet;
static double released_at;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static _Noreturn void failed(const char *what)
{
	printf("FAILED: %s\n", what);
	exit(1);
}

static struct pp_xsk_stats stats(void)
{
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	if (pp_xsk_get_stats(xsk, &st))
		die("statistics");
	return st;
}

static void *sender(void *arg)
{
	int fd = peer_open(false);
	uint64_t seq = 0;

	while (!__atomic_load_n(&quiet, __ATOMIC_RELAXED)) {
		peer_send(fd, ++seq);
		if (seq % 16 == 0)
			usleep(100);
	}
	close(fd);
	return NULL;
}

/* a round of the receiving thread */
static unsigned int turn(struct pp_page **pages)
{
	struct pollfd poll_fd = { .fd = sock.fd, .events = POLLIN };
	unsigned int n;

	pp_xsk_refill(xsk);
	n = pp_xsk_rx(xsk, pages, BURST);
	if (!n && sleeps)
		poll(&poll_fd, 1, pp_xsk_debt(xsk) ? 1 : 100);
	return n;
}

/* keep what comes until nothing comes any more */
static void starve(void)
{
	double begin = now_ms(), last = begin;
	unsigned int n;

	while (nheld < PAGES || now_ms() < last + QUIET_MS) {
		n = turn(held + nheld);
		nheld += n;
		if (n)
			last = now_ms();
		if (now_ms() > begin + GIVE_UP_S * 1e3)
			failed("the pool does not run empty");
	}
}

static void *release(void *arg)
{
	unsigned int i, n;

	usleep(3000); /* the receiver is in its rounds, or asleep */
	released_at = now_ms();
	for (i = 0; i < nheld; i += n) {
		n = nheld - i < BURST ? nheld - i : BURST;
		page_pool_put_bulk(held + i, n);
	}
	return NULL;
}

static double recover(void)
{
	struct pp_page *pages[BURST];
	double begin = now_ms(), first = 0;
	unsigned int n, got = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, release, NULL))
		die("start a thread");
	/* packets on end, more than there are pages, so that it is no flash in the pan */
	while (got < 2 * PAGES) {
		n = turn(pages);
		if (n && !got)
			first = now_ms();
		got += n;
		page_pool_put_bulk(pages, n);
		if (now_ms() > begin + GIVE_UP_S * 1e3)
			failed("reception does not come back");
	}
	pthread_join(thread, NULL);
	nheld = 0;
	return first - released_at;
}

static double round_of(void)
{
	struct pp_xsk_stats before = stats(), dry, after;
	double ms;

	starve();
	dry = stats();
	if (dry.debt != POSTED || dry.posted)
		failed("the pool is empty and frames are posted");
	if (dry.rx_nombuf == before.rx_nombuf)
		failed("rx_nombuf does not tell that the pool was short");
	if (dry.kernel_fill_empty == before.kernel_fill_empty)
		failed("kernel_fill_empty does not tell that packets found no frame");
	if (dry.rx_packets - before.rx_packets != PAGES)
		failed("not every page served a packet");
	ms = recover();
	after = stats();
	if (after.rx_bad || after.rx_dropped || after.kernel_rx_invalid)
		failed("addresses went wrong");
	return ms;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void open_socket(struct pp_zone *zone, struct page_pool *pool)
{
	struct pp_xsk_params xp;

	sock_open(&sock, zone, 0, 0, -1);
	sock_bind(&sock, IF_XSK, 0, -1);
	xp = sock_params(&sock);
	xp.pool = pool;
	xp.frames = POSTED;
	xp.batch = 16;
	xsk = pp_xsk_create(&xp);
	if (!xsk)
		die("use pages at the socket");
	net_redirect(0, sock.fd);
}

static void verdict(double *ms, int rounds)
{
	struct pp_xsk_stats st = stats();

	qsort(ms, (size_t)rounds, sizeof(*ms), compare);
	printf("%d times without a page, packets again after %.2f ms in the median, %.2f at most\n",
	       rounds, ms[rounds / 2], ms[rounds - 1]);
	printf("%llu received; short of %llu pages, %llu packets found no frame\n",
	       (unsigned long long)st.rx_packets, (unsigned long long)st.rx_nombuf,
	       (unsigned long long)st.kernel_fill_empty);
	if (ms[rounds / 2] > LIMIT_MS)
		failed("reception takes more than 10 ms to come back");
}

int main(int argc, char **argv)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = PAGES, .page_size = 2048 };
	struct page_pool_params pp = { .sz = sizeof(pp) };
	struct page_pool *pool;
	int i, rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	double ms[1000];
	pthread_t gen;

	sleeps = argc > 1 && !strcmp(argv[1], "sleep");
	net_open(1);
	pp.zone = pp_zone_create(&zp);
	if (!pp.zone || pp_zone_pin(pp.zone))
		die("memory");
	pool = page_pool_create(&pp);
	open_socket(pp.zone, pool);
	if (pthread_create(&gen, NULL, sender, NULL))
		die("start the sender");
	for (i = 0; i < rounds && i < 1000; i++)
		ms[i] = round_of();
	__atomic_store_n(&quiet, true, __ATOMIC_RELAXED);
	pthread_join(gen, NULL);
	verdict(ms, i);
	sock_close(&sock);
	pp_xsk_destroy(xsk);
	page_pool_destroy(pool);
	pp_zone_unpin(pp.zone);
	if (pp_zone_destroy(pp.zone))
		die("give the memory back");
	return 0;
}
