/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * load.c - the plugin's stand-in in EAL's folder of drivers
 *
 * EAL loads each file of that folder, and does not start if one fails. The plugin fails in a
 * process that loads DPDK at run time, as for a dpdk port: its fast access to EAL's thread-local
 * variables needs them in the block that the linker lays out at the start. There DPDK starts
 * without it.
 */
#include <dlfcn.h>

static void __attribute__((constructor)) load(void)
{
	dlopen(PP_PLUGIN, RTLD_NOW);
}
