/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * node.c - NUMA nodes by system calls and sysfs
 *
 * libnuma is not used: its calls print, and end the process if malloc fails.
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/internal.h"
#include "base/node.h"

#define NODES_DIR "/sys/devices/system/node/"

/* Of a mask that the kernel gets or fills: one less, it does not look at the last bit. */
#define MASK_WORDS 16
#define MASK_NODES (8 * MASK_WORDS * sizeof(long) - 1)

_Static_assert(sizeof(((struct node_policy *)0)->mask) == MASK_WORDS * sizeof(long),
	       "a thread's policy is a mask of nodes");

static bool in_mask(const unsigned long *mask, int node)
{
	const unsigned int bits = 8 * sizeof(*mask), n = (unsigned int)node;

	return n < MASK_NODES && (mask[n / bits] >> n % bits & 1);
}

static void set_node(unsigned long *mask, int node)
{
	const unsigned int bits = 8 * sizeof(*mask), n = (unsigned int)node;

	mask[n / bits] |= 1ul << n % bits;
}

/* Cleared but for @node; false with EINVAL: no mask has room for it. */
static bool one_node(unsigned long *mask, int node)
{
	memset(mask, 0, MASK_WORDS * sizeof(*mask));
	if ((unsigned int)node >= MASK_NODES) {
		errno = EINVAL;
		return false;
	}
	set_node(mask, node);
	return true;
}

/* A file of NODES_DIR as a string; false: not to be read. */
static bool read_file(const char *name, char *text, size_t size)
{
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), NODES_DIR "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[max(n, (ssize_t)0)] = '\0';
	return n > 0;
}

/* A list such as "0-1,3"; false: there is none. */
static bool read_nodes(const char *name, unsigned long *mask)
{
	char text[4096], *p = text;
	long from, to;

	memset(mask, 0, MASK_WORDS * sizeof(*mask));
	if (!read_file(name, text, sizeof(text)))
		return false;
	while (*p >= '0' && *p <= '9') {
		from = to = strtol(p, &p, 10);
		if (*p == '-')
			to = strtol(p + 1, &p, 10);
		for (; from <= to && from < (long)MASK_NODES; from++)
			set_node(mask, (int)from);
		p += *p == ',';
	}
	return true;
}

static long bind_memory(void *base, size_t len, int mode, const unsigned long *mask)
{
	return syscall(SYS_mbind, base, len, mode, mask, MASK_NODES + 1, 0);
}

static long set_policy(int mode, const unsigned long *mask)
{
	return syscall(SYS_set_mempolicy, mode, mask, MASK_NODES + 1);
}

static bool have_numa(void)
{
	return !syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0) ||
	       (errno != ENOSYS && errno != EPERM);
}

/* The nodes with memory for this process. */
static bool allowed_nodes(unsigned long *mask)
{
	memset(mask, 0, MASK_WORDS * sizeof(*mask));
	return !syscall(SYS_get_mempolicy, NULL, mask, MASK_NODES + 1, NULL, MPOL_F_MEMS_ALLOWED);
}

static int last_node(void)
{
	unsigned long online[MASK_WORDS];
	int node = 0;

	if (have_numa() && read_nodes("online", online))
		for (node = MASK_NODES - 1; node && !in_mask(online, node); node--)
			;
	return node;
}

static int machine_check(int node)
{
	unsigned long allowed[MASK_WORDS];

	if (node == -1 || (node == 0 && !have_numa()))
		return 0; /* a kernel without NUMA has node 0 */
	if (allowed_nodes(allowed) && in_mask(allowed, node))
		return 0;
	return pp_set_error(ENOTSUP, "node: NUMA node %d does not exist; the last is %d", node,
			    last_node());
}

static int machine_bind(void *base, size_t len, int node)
{
	unsigned long mask[MASK_WORDS];

	if (!have_numa())
		return 0;
	if (one_node(mask, node) && !bind_memory(base, len, MPOL_BIND, mask))
		return 0;
	return pp_set_error(errno, "cannot bind memory to node %d: %s; ask for any node", node,
			    strerror(errno));
}

/* Without a policy of its own the kernel would move it to the node of its users. */
static void machine_settle(void *base, size_t len, int node)
{
	unsigned long mask[MASK_WORDS];

	if (have_numa() && one_node(mask, node))
		bind_memory(base, len, MPOL_PREFERRED, mask);
}

static int machine_prefer(struct node_policy *saved, int node)
{
	unsigned long mask[MASK_WORDS];

	saved->mode = -1;
	if (!have_numa() || !one_node(mask, node))
		return 0;
	memset(saved->mask, 0, sizeof(saved->mask));
	if (!syscall(SYS_get_mempolicy, &saved->mode, saved->mask, MASK_NODES + 1, NULL, 0) &&
	    !set_policy(MPOL_PREFERRED, mask))
		return 0;
	saved->mode = -1;
	return -errno;
}

static void machine_restore(const struct node_policy *saved)
{
	int err = errno; /* called after pp_set_error() */

	if (saved->mode >= 0)
		set_policy(saved->mode, saved->mask);
	errno = err;
}

static uint64_t machine_memory(void)
{
	unsigned long allowed[MASK_WORDS], there[MASK_WORDS];
	uint64_t nodes = 0;
	int node;

	if (!read_nodes("has_memory", there) || !allowed_nodes(allowed))
		return 1;
	for (node = 0; node < NODES_MAX; node++)
		if (in_mask(there, node) && in_mask(allowed, node))
			nodes |= 1ull << node;
	return nodes ? nodes : 1;
}

static int machine_of_cpu(int cpu)
{
	int node, last = last_node();
	char path[96];

	for (node = 0; node <= last && last; node++) {
		snprintf(path, sizeof(path), NODES_DIR "node%d/cpu%d", node, cpu);
		if (!access(path, F_OK))
			return node;
	}
	return 0; /* a CPU that is not there yet */
}

/* A node's row has a number for each node that is online. */
static int machine_distance(int from, int to)
{
	unsigned long online[MASK_WORDS];
	char name[32], row[8192], *p = row;
	int node, distance = 0;

	if (!have_numa())
		return 10;
	snprintf(name, sizeof(name), "node%d/distance", from);
	if (!read_nodes("online", online) || !in_mask(online, to) ||
	    !read_file(name, row, sizeof(row)))
		return 0;
	for (node = 0; node <= to; node++)
		if (in_mask(online, node))
			distance = (int)strtol(p, &p, 10);
	return distance;
}

/* What is free, and what the kernel drops first; not what it would have to swap. */
static size_t machine_available(int node)
{
	size_t kib, sum = 0;
	char line[128], key[32];
	FILE *f;

	snprintf(line, sizeof(line), "/sys/devices/system/node/node%d/meminfo", node);
	f = fopen(line, "re");
	if (!f)
		return SIZE_MAX;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*d %31[^:]: %zu kB", key, &kib) != 2)
			continue;
		if (!strcmp(key, "MemFree") || !strcmp(key, "Active(file)") ||
		    !strcmp(key, "Inactive(file)") || !strcmp(key, "SReclaimable"))
			sum += kib;
	}
	fclose(f);
	return sum << 10;
}

static const struct topology machine = {
	.check = machine_check,
	.bind = machine_bind,
	.settle = machine_settle,
	.prefer = machine_prefer,
	.restore = machine_restore,
	.memory = machine_memory,
	.of_cpu = machine_of_cpu,
	.distance = machine_distance,
	.available = machine_available,
};

const struct topology *topology = &machine;
