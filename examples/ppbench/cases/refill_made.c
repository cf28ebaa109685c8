/* SPDX-License-Identifier: BSD-3-Clause */
/* refill_made.c - the ports that need nothing of the user: a file in memory, a veth, vdevs */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases/refill_run.h"

#define FRAMES 1024u

const unsigned char refill_frame[REFILL_FRAME] = {
	2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5,
};

static char capture_spec[64];
static int capture = -1;
static int home = -1; /* the network namespace that the program started in */

static bool write_frames(FILE *f)
{
	static const uint32_t file_head[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	static const uint32_t head[] = { 0, 0, REFILL_FRAME, REFILL_FRAME };
	unsigned int i;

	fwrite(file_head, sizeof(file_head), 1, f);
	for (i = 0; i < FRAMES; i++) {
		fwrite(head, sizeof(head), 1, f);
		fwrite(refill_frame, REFILL_FRAME, 1, f);
	}
	return !ferror(f);
}

static int make_capture(char *why, size_t size)
{
	bool written = false;
	FILE *f = NULL;

	capture = memfd_create("ppbench.pcap", MFD_CLOEXEC);
	if (capture >= 0)
		f = fdopen(dup(capture), "w");
	if (f) {
		written = write_frames(f);
		written &= !fclose(f);
	}
	snprintf(why, size, "cannot make a capture file in memory: %s", strerror(errno));
	snprintf(capture_spec, sizeof(capture_spec), "pcap:rx=/proc/self/fd/%d,loop=0", capture);
	return written ? 0 : -1;
}

/*
 * The veth lives in a network namespace of this thread's own. The kernel removes both when the
 * thread leaves the namespace, and also when the program is killed.
 */
static int make_veth(char *why, size_t size)
{
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || unshare(CLONE_NEWNET)) {
		snprintf(why, size, "cannot make a network namespace: %s; run it as root",
			 strerror(errno));
		close(home);
		home = -1;
		return -1;
	}
	if (!system("ip link add ppbench-a type veth peer name ppbench-b && "
		    "ip link set ppbench-a up && ip link set ppbench-b up"))
		return 0;
	snprintf(why, size, "cannot make a veth with ip; install iproute2");
	return -1;
}

void refill_ports_unmake(void)
{
	if (capture >= 0)
		close(capture);
	capture = -1;
	if (home >= 0 && setns(home, CLONE_NEWNET))
		bench_error("refill: cannot leave the network namespace: %m");
	if (home >= 0)
		close(home);
	home = -1;
}

const struct refill_port refill_ports[] = {
	{ .name = "null", .spec = { "null" }, .ours = true },
	{ .name = "loop",
	  .spec = { "loop:ppbench-a,peer=ppbench-b", "loop:ppbench-b,peer=ppbench-a" },
	  .fed = true,
	  .ours = true },
	{ .name = "pcap", .spec = { capture_spec }, .make = make_capture },
	{ .name = "af_xdp",
	  .spec = { "af_xdp:ppbench-a", "af_xdp:ppbench-b" },
	  .fed = true,
	  .slow = true,
	  .make = make_veth },
	{ .name = "dpdk:net_null", .spec = { "dpdk:net_null0" } },
	{ .name = "dpdk:net_ring", .spec = { "dpdk:net_ring0" }, .fed = true },
	{ .name = NULL },
};
