/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * before.c - an AF_XDP program as people write them: sends back what arrives at a queue
 * after.c - the same program; its frames are pages of a pool, not addresses in a list of its own
 *
 * doc/xdp.md walks through the difference.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>
#include <pagepool/xsk.h>
#include <pagepool/zone.h>

#define FRAMES	   4096u
#define FRAME_SIZE 2048u
#define BATCH	   64u

struct app {
	void *area;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons rx, comp;
	struct page_pool *pool;
	struct pp_xsk *pp;
	unsigned long received, sent;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "xsk: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static void memory_open(struct app *a)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = FRAMES, .page_size = FRAME_SIZE };
	struct page_pool_params pp = { .sz = sizeof(pp), .zone = pp_zone_create(&zp) };

	a->pool = pp.zone ? page_pool_create(&pp) : NULL;
	if (!a->pool)
		die(pp_error(), errno);
	a->area = pp_zone_base(pp.zone);
}

static void socket_open(struct app *a, const char *ifname, unsigned int queue)
{
	struct xsk_umem_config ucfg = {
		.fill_size = 1024,
		.comp_size = 512,
		.frame_size = FRAME_SIZE,
	};
	struct xsk_socket_config cfg = { .rx_size = 512, .tx_size = 512 };
	struct pp_xsk_params xp;
	int err, tries = 100;

	err = xsk_umem__create(&a->umem, a->area, (uint64_t)FRAMES * FRAME_SIZE, &a->fill, &a->comp,
			       &ucfg);
	if (err)
		die("register the UMEM (as root?)", err);
	/* the kernel keeps a queue for some 35 ms after its last socket was closed */
	do {
		err = xsk_socket__create(&a->xsk, ifname, queue, a->umem, &a->rx, &a->tx, &cfg);
	} while (err == -EBUSY && tries-- && !usleep(10000));
	if (err)
		die(ifname, err);
	xp = (struct pp_xsk_params){ .sz = sizeof(xp),
				     .pool = a->pool,
				     .fd = xsk_socket__fd(a->xsk),
				     PP_XSK_RINGS(&a->rx, &a->fill, &a->tx, &a->comp) };
	a->pp = pp_xsk_create(&xp);
	if (!a->pp)
		die(pp_error(), errno);
}

static void reflect(unsigned char *eth)
{
	unsigned char mac[6];

	memcpy(mac, eth, 6);
	memcpy(eth, eth + 6, 6);
	memcpy(eth + 6, mac, 6);
}

static uint32_t turn(struct app *a)
{
	struct pp_page *pages[BATCH];
	uint32_t i, k, n = pp_xsk_rx(a->pp, pages, BATCH);

	for (i = 0; i < n; i++)
		reflect(pp_page_data(pages[i]));
	k = pp_xsk_tx(a->pp, pages, n);
	page_pool_put_bulk(pages + k, n - k); /* a drop */
	a->sent += k;
	pp_xsk_complete(a->pp);
	pp_xsk_refill(a->pp);
	a->received += n;
	return n;
}

static void report(struct app *a)
{
	struct pp_audit audit = { .sz = sizeof(audit) };
	struct pp_zone *zone = page_pool_zone(a->pool);

	pp_xsk_destroy(a->pp);
	page_pool_destroy(a->pool);
	pp_zone_audit(zone, &audit);
	printf("%lu received, %lu sent, %lu of %u frames home\n", a->received, a->sent,
	       (unsigned long)audit.home, FRAMES);
}

int main(int argc, char **argv)
{
	static struct app app;
	struct pollfd fd = { .events = POLLIN };

	if (argc != 3) {
		fprintf(stderr, "usage: %s INTERFACE QUEUE\n", argv[0]);
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	memory_open(&app);
	socket_open(&app, argv[1], (unsigned int)atoi(argv[2]));
	fd.fd = xsk_socket__fd(app.xsk);
	while (!stop)
		if (!turn(&app))
			poll(&fd, 1, 1);
	xsk_socket__delete(app.xsk);
	xsk_umem__delete(app.umem);
	report(&app);
	return 0;
}
