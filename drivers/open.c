/* SPDX-License-Identifier: BSD-3-Clause */
/* open.c - ports by name: the table of drivers */
#include <stdlib.h>
#include <string.h>

#include "drivers.h"
#include "netdev/args.h"

static const struct {
	const char *name;
	const struct pp_netdev_ops *ops; /* NULL: a module, or not built in */
	bool module;
} drivers[] = {
	{ "null", &pp_null_ops, false },
	{ "loop", &pp_loop_ops, false },
	{ "pcap", NULL, true },
	{ "af_xdp", PP_HAVE_AF_XDP ? &pp_af_xdp_ops : NULL, false },
	{ "dpdk", NULL, true },
};

#define NDRIVERS (sizeof(drivers) / sizeof(drivers[0]))

const char *const *pp_netdev_driver_names(void)
{
	static const char *names[NDRIVERS + 1];
	size_t i;

	/* two threads that call this first at the same time write the same */
	for (i = 0; i < NDRIVERS; i++)
		__atomic_store_n(&names[i], drivers[i].name, __ATOMIC_RELAXED);
	return names;
}

static const struct pp_netdev_ops *find_driver(const char *name)
{
	char list[64];
	size_t i;

	for (i = 0; i < NDRIVERS; i++) {
		if (strcmp(drivers[i].name, name))
			continue;
		if (drivers[i].module)
			return pp_netdev_module(name);
		if (!drivers[i].ops)
			pp_set_error(ENOTSUP,
				     "driver '%s' was not built in; install libxdp and libbpf "
				     "(libxdp-dev, libbpf-dev) and build again",
				     name);
		return drivers[i].ops;
	}
	pp_set_error(ENOENT, "unknown driver '%s'; there are %s", name,
		     pp_args_join(list, sizeof(list), pp_netdev_driver_names(), NDRIVERS));
	return NULL;
}

int pp_netdev_dpdk_eal(const char *args)
{
	const struct pp_netdev_ops *ops = find_driver("dpdk");

	return ops ? ops->configure(args) : -errno;
}

struct pp_netdev *pp_netdev_open(const char *spec, const struct pp_netdev_params *params)
{
	const struct pp_netdev_ops *ops;
	struct pp_netdev *dev = NULL;
	struct pp_args *args;
	int err;

	if (!spec) {
		pp_set_error(EINVAL, "no port given; write DRIVER:ARGUMENTS");
		return NULL;
	}
	args = pp_args_split(spec);
	if (!args)
		return NULL;
	ops = find_driver(args->driver);
	if (ops)
		dev = pp_netdev_open_with(ops, args, params);
	if (!dev) {
		err = errno;
		free(args);
		errno = err;
	}
	return dev;
}
