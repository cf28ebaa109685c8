/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.c - forward between two ports on a zone that other processes use, too
 *
 * The first process creates the zone: share PORT PORT. Each other one attaches to a process that
 * has it: share --attach PID PORT PORT. Any of them may end, or be killed; the others go on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pagepool/netdev.h>
#include <pagepool/share.h>

#define BURST 64

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

/* The descriptor of a shared zone that process @pid has, opened anew; -1: none. */
static int zone_fd_of(const char *pid)
{
	char dir[64], path[sizeof(dir) + 300], target[64];
	struct dirent *entry;
	ssize_t len;
	int fd = -1;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%.20s/fd", pid);
	d = opendir(dir);
	while (d && fd < 0 && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		if (!strncmp(target, "/memfd:pagepool:", 16))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (d)
		closedir(d);
	return fd;
}

static struct pp_zone *open_zone(const char *pid)
{
	struct pp_zone_params params = {
		.sz = sizeof(params), .pages = 32768, .mem = PP_MEM_MEMFD, .flags = PP_ZONE_SHARED
	};
	struct pp_zone *zone;
	int fd;

	if (!pid)
		return pp_zone_create(&params);
	fd = zone_fd_of(pid);
	if (fd < 0) {
		pp_set_error(ESRCH, "process %s shares no zone, or not with this user", pid);
		return NULL;
	}
	zone = pp_zone_attach(fd);
	close(fd);
	return zone;
}

static struct pp_netdev *open_port(const char *spec, struct pp_zone *zone)
{
	struct pp_netdev_params params = { .sz = sizeof(params), .zone = zone };
	struct pp_netdev *port = pp_netdev_open(spec, &params);

	if (!port)
		fprintf(stderr, "share: port %s: %s\n", spec, pp_error());
	return port;
}

static void forward(struct pp_queue *from, struct pp_queue *to)
{
	struct pp_page *pages[BURST];
	unsigned int n = pp_rx_burst(from, pages, BURST), k = n ? pp_tx_burst(to, pages, n) : 0;

	page_pool_put_bulk(pages + k, n - k);
	pp_tx_clean(to);
}

/* Pages that another program of this zone gave to this one, and died before it said so. */
static void free_unannounced(struct pp_zone *zone)
{
	struct pp_page *pages[BURST];
	unsigned int n;

	do {
		n = pp_zone_claim_bulk(zone, pages, BURST);
		pp_zone_free_bulk(zone, pages, n);
	} while (n == BURST);
}

static void run(struct pp_zone *zone, struct pp_netdev *a, struct pp_netdev *b)
{
	unsigned int turns;

	printf("process %d: %u on the zone\n", (int)getpid(), pp_zone_processes(zone));
	fflush(stdout);
	for (turns = 0; !stop; turns++) {
		forward(pp_netdev_queue(a, 0), pp_netdev_queue(b, 0));
		forward(pp_netdev_queue(b, 0), pp_netdev_queue(a, 0));
		if (turns % (1 << 20) == 0) {
			pp_zone_maintain(zone); /* frees what dead processes had */
			free_unannounced(zone);
		}
	}
}

int main(int argc, char **argv)
{
	const char *pid = argc == 5 && !strcmp(argv[1], "--attach") ? argv[2] : NULL;
	struct pp_netdev *a = NULL, *b = NULL;
	struct pp_zone *zone;
	int status = 1;

	if (argc != 3 && !pid) {
		fprintf(stderr, "usage: share [--attach PID] PORT PORT\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	zone = open_zone(pid);
	if (!zone)
		fprintf(stderr, "share: memory: %s\n", pp_error());
	if (zone && (a = open_port(argv[argc - 2], zone)) &&
	    (b = open_port(argv[argc - 1], zone))) {
		run(zone, a, b);
		status = 0;
	}
	pp_netdev_close(a);
	pp_netdev_close(b);
	if (zone && pp_zone_recover(zone, 1000000) >= 0) {
		free_unannounced(zone); /* after it: it finds that givers died */
		printf("%llu pages with processes, %llu here\n",
		       (unsigned long long)(pp_zone_pages(zone) - pp_zone_held(zone, 0)),
		       (unsigned long long)pp_zone_held(zone, pp_zone_self(zone)));
	}
	if (pp_zone_destroy(zone)) {
		fprintf(stderr, "share: memory: %s\n", pp_error());
		status = 1;
	}
	return status;
}
