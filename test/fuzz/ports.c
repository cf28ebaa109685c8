/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ports.c - port strings: null and loop ports are opened and closed, the others up to the point
 * where they would touch a file, an interface or a device
 *
 * meson.build compiles these drivers with that step renamed to a function below.
 */
#include <errno.h>

#include <pagepool/netdev.h>

#include "netdev/args.h"
#include "netdev/priv.h"

#include "fuzz.h"

struct pp_iface;

/* pcap: the options are read, and files or the interface would be opened next */
struct pp_queue *fuzz_no_queue(struct pp_netdev *dev, size_t size, const struct pp_queue_ops *ops);
/* af_xdp: the options are read */
int fuzz_no_interface(const char *name, struct pp_iface *iface);
/* dpdk: as far as devargs that EAL would see */
int fuzz_no_eal(const char *devargs);

struct pp_queue *fuzz_no_queue(struct pp_netdev *dev, size_t size, const struct pp_queue_ops *ops)
{
	if (!pp_args_refuse_unknown(dev->args))
		pp_set_error(ENODEV, "%s: not opened here", dev->spec);
	return NULL;
}

int fuzz_no_interface(const char *name, struct pp_iface *iface)
{
	must(!name || strlen(name) < 65536);
	return pp_set_error(ENODEV, "af_xdp: no interface is looked at here");
}

int fuzz_no_eal(const char *devargs)
{
	must(devargs && *devargs && strlen(devargs) < 65536);
	return pp_set_error(ENODEV, "dpdk: no device is looked at here");
}

static struct pp_zone *zone_once(void)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = 256, .page_size = 2048 };
	static struct pp_zone *zone;

	if (!zone)
		zone = pp_zone_create(&p);
	must(zone);
	return zone;
}

/* a port that opens is a port: it has a queue, can be asked, and gives all back */
static void use(struct pp_netdev *dev, struct pp_zone *zone)
{
	struct pp_netdev_stats stats = { .sz = sizeof(stats) };
	struct pp_audit audit = { .sz = sizeof(audit) };
	struct pp_page *pages[8];
	unsigned int n;

	must(pp_netdev_queues(dev) >= 1 && pp_netdev_info(dev) && pp_netdev_driver(dev));
	n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 8);
	must(n <= 8);
	page_pool_put_bulk(pages, n);
	must(!pp_netdev_get_stats(dev, &stats));
	pp_netdev_close(dev);
	must(!pp_zone_audit(zone, &audit) && !audit.leaked && !audit.double_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_netdev_params params = { .sz = sizeof(params), .zone = zone_once() };
	char *spec = calloc(1, size + 1);
	struct pp_netdev *dev;

	must(spec);
	memcpy(spec, data, size);
	errno = 0;
	dev = pp_netdev_open(spec, &params);
	if (dev) {
		use(dev, params.zone);
	} else {
		/* why, in one sentence */
		must(errno > 0 && pp_error()[0] && !strchr(pp_error(), '\n'));
	}
	free(spec);
	return 0;
}
