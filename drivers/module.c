/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * module.c - drivers in files of their own, for the shared library
 *
 * Ports on pcap and DPDK need libraries that most programs do without. Such a driver is a module,
 * libpagepool-netdev-DRIVER.so.0, and is loaded when its first port is opened. A module needs the
 * library's private symbols of the same version, so that the linker refuses any other.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers.h"

/* The path of a file beside the library; false: it is missing, or every user may write there. */
static bool is_beside(char *path, size_t size, const char *file)
{
	struct stat st;
	Dl_info info;
	char *slash;
	int n;

	if (!dladdr(is_beside, &info) || !strchr(info.dli_fname, '/'))
		return false;
	n = snprintf(path, size, "%s", info.dli_fname);
	if (n < 0 || (size_t)n + strlen(file) >= size)
		return false;
	slash = strrchr(path, '/') + 1;
	*slash = '\0';
	if (stat(path, &st) || st.st_mode & S_IWOTH)
		return false;
	strcpy(slash, file);
	return !access(path, F_OK);
}

/* The linker's reason begins with a plain file name only if it finds no such file. */
static void refuse_module(const char *driver, const char *file, const char *why)
{
	if (!strncmp(why, file, strlen(file)))
		pp_set_error(ENOTSUP,
			     "driver '%s' is a module, and %s is neither beside "
			     "libpagepool-netdev nor where the linker looks; install the package "
			     "libpagepool-netdev-%s, or build with -D%s=enabled",
			     driver, file, driver, driver);
	else
		pp_set_error(ENOTSUP,
			     "driver '%s': its module does not load; install what it needs, "
			     "and pagepool's packages of one version: %s",
			     driver, why);
}

const struct pp_netdev_ops *pp_netdev_module(const char *driver)
{
	const struct pp_netdev_ops *ops = NULL;
	char path[PATH_MAX], file[64], symbol[32];
	void *module;

	snprintf(file, sizeof(file), "libpagepool-netdev-%s.so.0", driver);
	snprintf(symbol, sizeof(symbol), "pp_%s_ops", driver);
	/* global: plugins of EAL take DPDK's symbols from the program */
	module = dlopen(is_beside(path, sizeof(path), file) ? path : file, RTLD_NOW | RTLD_GLOBAL);
	if (module)
		ops = dlsym(module, symbol);
	if (!ops)
		refuse_module(driver, file, dlerror());
	return ops;
}
