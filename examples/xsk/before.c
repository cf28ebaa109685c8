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

#define FRAMES	   4096u
#define FRAME_SIZE 2048u
#define BATCH	   64u

struct app {
	void *area;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons rx, comp;
	uint64_t free[FRAMES];
	unsigned int nfree;
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
	if (posix_memalign(&a->area, (size_t)getpagesize(), (size_t)FRAMES * FRAME_SIZE))
		die("memory", ENOMEM);
	for (; a->nfree < FRAMES; a->nfree++)
		a->free[a->nfree] = (uint64_t)a->nfree * FRAME_SIZE;
}

static void socket_open(struct app *a, const char *ifname, unsigned int queue)
{
	struct xsk_umem_config ucfg = {
		.fill_size = 1024,
		.comp_size = 512,
		.frame_size = FRAME_SIZE,
	};
	struct xsk_socket_config cfg = { .rx_size = 512, .tx_size = 512 };
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
	uint32_t idx, out, i, n = xsk_ring_cons__peek(&a->rx, BATCH, &idx);
	struct xdp_desc desc;

	for (i = 0; i < n; i++) {
		desc = *xsk_ring_cons__rx_desc(&a->rx, idx + i);
		reflect(xsk_umem__get_data(a->area, desc.addr));
		if (!xsk_ring_prod__reserve(&a->tx, 1, &out))
			continue; /* a drop, and the frame is lost from now on */
		*xsk_ring_prod__tx_desc(&a->tx, out) = desc;
		xsk_ring_prod__submit(&a->tx, 1);
		a->sent++;
	}
	xsk_ring_cons__release(&a->rx, n);
	sendto(xsk_socket__fd(a->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0);
	while (xsk_ring_cons__peek(&a->comp, 1, &idx)) {
		desc.addr = *xsk_ring_cons__comp_addr(&a->comp, idx);
		a->free[a->nfree++] = desc.addr / FRAME_SIZE * FRAME_SIZE;
		xsk_ring_cons__release(&a->comp, 1);
	}
	while (a->nfree && xsk_ring_prod__reserve(&a->fill, 1, &idx)) {
		*xsk_ring_prod__fill_addr(&a->fill, idx) = a->free[--a->nfree];
		xsk_ring_prod__submit(&a->fill, 1);
	}
	a->received += n;
	return n;
}

static void report(struct app *a)
{
	printf("%lu received, %lu sent, %lu of %u frames home\n", a->received, a->sent,
	       (unsigned long)a->nfree, FRAMES);
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
