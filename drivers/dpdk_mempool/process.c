/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_mempool/process.c - the plugin arrives in a process: two places in DPDK's table of ops
 *
 * A mempool keeps the number of its ops, and every process of a group looks that number up in a
 * table of its own. So both names must get the same numbers in programs that are linked with
 * different drivers, and the table has 16 places, all of which DPDK's own drivers take in 26.07.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_build_config.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_spinlock.h>
#include <rte_version.h>

#include "dpdk_mempool/known.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_CAVIUM  0x177du

/* ---- the program's DPDK ---------------------------------------------------------------------- */

/* An ABI lasts from each November's release to the one before the next; its name is that year's. */
static unsigned int abi_year(unsigned int year, unsigned int month)
{
	return month >= 11 ? year + 1 : year;
}

/* Structures of DPDK are compiled into this file, and no symbol's version says which. */
static bool is_our_abi(void)
{
	unsigned int year = 0, month = 0;

	if (sscanf(rte_version(), "%*s %u.%u", &year, &month) == 2 &&
	    abi_year(year, month) == abi_year(RTE_VER_YEAR, RTE_VER_MONTH))
		return true;
	MEMPOOL_LOG(ERR,
		    "this file was built for DPDK %u.%02u, and the program has %s, another ABI; "
		    "build pagepool again with PKG_CONFIG_PATH set to that DPDK's",
		    RTE_VER_YEAR, RTE_VER_MONTH, rte_version());
	return false;
}

/* A static program has all its drivers. One from a file would bring a second DPDK in. */
static bool is_shared_dpdk(void)
{
	Dl_info eal;

	return dladdr((void *)(uintptr_t)rte_eal_init, &eal) && eal.dli_fname &&
	       strstr(eal.dli_fname, "librte_eal.so");
}

/* ---- places ---------------------------------------------------------------------------------- */

static bool has_pci_vendor(unsigned int vendor)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	unsigned int id;
	DIR *dir = opendir(PCI_DEVICES);
	FILE *f;

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/vendor", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		found = fscanf(f, "%x", &id) == 1 && id == vendor;
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool has_cavium(void)
{
	return has_pci_vendor(PCI_CAVIUM);
}

static bool has_dpaa(void)
{
	return !access("/sys/devices/platform/soc/soc:fsl,dpaa", F_OK) ||
	       !access("/sys/devices/platform/fsl,dpaa", F_OK);
}

static bool has_dpaa2(void)
{
	return !access("/sys/bus/fsl-mc", F_OK);
}

/* Ops that hand out buffers of a processor's own allocator, and how to see such a processor. */
static const struct {
	const char *name;
	bool (*is_here)(void);
} hardware_ops[] = {
	{ "octeontx_fpavf", has_cavium },
	{ "cn9k_mempool_ops", has_cavium },
	{ "cn10k_mempool_ops", has_cavium },
	{ "cn10k_hwpool_ops", has_cavium },
	{ "cn20k_mempool_ops", has_cavium },
	{ "dpaa2", has_dpaa2 },
	{ "dpaa", has_dpaa },
};

static bool lacks_hardware(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(hardware_ops); i++) {
		if (!strcmp(hardware_ops[i].name, name))
			return !hardware_ops[i].is_here();
	}
	return false;
}

/*
 * Takes the ops of hardware that this machine does not have out of the table, and moves those
 * behind them down. Before EAL has started, nothing remembers a number; then it is too late.
 */
static void make_room(void)
{
	struct rte_mempool_ops_table *table = &rte_mempool_ops_table;
	uint32_t i;

	if (rte_eal_iova_mode() != RTE_IOVA_DC) /* EAL has started */
		return;
	rte_spinlock_lock(&table->sl);
	for (i = table->num_ops; i-- > 0;) {
		if (!lacks_hardware(table->ops[i].name))
			continue;
		MEMPOOL_LOG(DEBUG, "ops %s: no such hardware here, its place is free",
			    table->ops[i].name);
		table->num_ops--;
		memmove(&table->ops[i], &table->ops[i + 1],
			(table->num_ops - i) * sizeof(table->ops[0]));
	}
	rte_spinlock_unlock(&table->sl);
}

/* ---- drivers of EAL's directory -------------------------------------------------------------- */

static int is_mempool_driver(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return !strncmp(entry->d_name, "librte_mempool_", 15) && end && !strcmp(end, ".so") &&
	       !strstr(entry->d_name, "pagepool");
}

static void load_driver(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", RTE_EAL_PMD_PATH, name);
	if (!dlopen(path, RTLD_NOW))
		MEMPOOL_LOG(DEBUG, "%s", dlerror());
	make_room(); /* also for the next driver: with another plugin's ops not all fit */
}

/*
 * Some programs are linked with a driver that others load after this plugin. With all of them
 * loaded before, the table has the same length in all programs, and ours come last. EAL loads
 * them anyway.
 */
static void load_other_drivers(void)
{
	struct dirent **entry;
	int n, i;

	/* testpmd is linked with it and has it first: then the others' numbers agree, too */
	load_driver("librte_mempool_dpaa.so");
	n = scandir(RTE_EAL_PMD_PATH, &entry, is_mempool_driver, alphasort);
	for (i = 0; i < n; i++) {
		load_driver(entry[i]->d_name);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

/* ---- arrival --------------------------------------------------------------------------------- */

static void register_ops(const struct rte_mempool_ops *ops)
{
	if (rte_mempool_register_ops(ops) < 0)
		MEMPOOL_LOG(ERR,
			    "ops %s not registered: all %u places are taken; load fewer plugins "
			    "that bring mempool ops, or this one before them",
			    ops->name, RTE_MEMPOOL_MAX_OPS_IDX);
}

RTE_INIT(pagepool_register)
{
	mempool_logtype = rte_log_register_type_and_pick_level("mempool.pagepool", RTE_LOG_NOTICE);
	if (!rte_mempool_register_ops || !is_our_abi())
		return;
	if (is_shared_dpdk())
		load_other_drivers();
	make_room();
	register_ops(&mempool_plain_ops);
	register_ops(&mempool_debug_ops);
	mempool_config_read();
	mempool_telemetry_register();
	pthread_atfork(NULL, NULL, mempool_forget_all);
}
