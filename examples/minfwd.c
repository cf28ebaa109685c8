/* SPDX-License-Identifier: BSD-3-Clause */
/* minfwd.c - forward packets between two ports: minfwd PORT PORT, until Ctrl-C */
#include <signal.h>
#include <stdio.h>
#include <pagepool/error.h>
#include <pagepool/netdev.h>
#include <pagepool/zone.h>

#define BURST 32

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static void forward(struct pp_queue *from, struct pp_queue *to)
{
	struct pp_page *pages[BURST];
	unsigned int n, k = 0;

	n = pp_rx_burst(from, pages, BURST); /* the pages are ours now */
	if (n)
		k = pp_tx_burst(to, pages, n); /* the first k are the driver's */
	page_pool_put_bulk(pages + k, n - k); /* the rest goes home: a drop */
	pp_tx_clean(to); /* so does what has been sent */
}

static struct pp_netdev *open_port(const char *spec, struct pp_zone *zone)
{
	struct pp_netdev_params params = { .sz = sizeof(params), .zone = zone };
	struct pp_netdev *port = pp_netdev_open(spec, &params);

	if (!port)
		fprintf(stderr, "minfwd: port %s: %s\n", spec, pp_error());
	return port;
}

int main(int argc, char **argv)
{
	struct pp_zone_params params = { .sz = sizeof(params), .pages = 32768 }; /* of 4 KiB */
	struct pp_audit audit = { .sz = sizeof(audit) };
	struct pp_netdev *a = NULL, *b = NULL;
	struct pp_zone *zone;

	if (argc != 3) {
		fprintf(stderr, "usage: minfwd PORT PORT, as in: minfwd af_xdp:eth0 af_xdp:eth1\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	zone = pp_zone_create(&params);
	if (!zone)
		fprintf(stderr, "minfwd: memory: %s\n", pp_error());
	if (zone && (a = open_port(argv[1], zone)) && (b = open_port(argv[2], zone))) {
		while (!stop && !(pp_netdev_done(a) && pp_netdev_done(b))) {
			forward(pp_netdev_queue(a, 0), pp_netdev_queue(b, 0));
			forward(pp_netdev_queue(b, 0), pp_netdev_queue(a, 0));
		}
	}
	pp_netdev_close(a);
	pp_netdev_close(b);
	if (a && b && !pp_zone_audit(zone, &audit)) /* every page came home, once? */
		printf("%llu of %llu pages home\n", (unsigned long long)audit.home,
		       (unsigned long long)audit.managed);
	pp_zone_destroy(zone);
	return audit.managed && !audit.leaked && !audit.double_free ? 0 : 1;
}
