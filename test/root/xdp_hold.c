/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xdp_hold.c - be in the way: hold a queue of an interface, or put a program on it
 *
 *   xdp_hold socket IF QUEUE
 *   xdp_hold prog IF native|skb
 *   xdp_hold exec IF IF -- COMMAND...   attach programs, and become COMMAND with their maps,
 *                                       named xsks_map, as descriptors 20 and 21
 *   xdp_hold pin IF PATH                the same for one, with the map pinned
 *   xdp_hold count               programs and maps of af_xdp ports, on the whole machine
 *
 * Prints "ready" and stays until it is killed. The program is attached as
 * "ip link set xdp" would do it, and removed at SIGTERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <xdp/xsk.h>

#define FRAMES 64u

static int fail(const char *what, int err)
{
	fprintf(stderr, "xdp_hold: %s: %s\n", what, strerror(-err));
	return 1;
}

static void hold(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	sigwait(&set, &sig);
}

static int hold_socket(const char *ifname, unsigned int queue)
{
	struct xsk_socket_config cfg = {
		.rx_size = FRAMES,
		.tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	};
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	void *mem;
	int err;

	mem = mmap(NULL, FRAMES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return fail("mmap", -errno);
	err = xsk_umem__create(&umem, mem, FRAMES * 4096, &fill, &comp, NULL);
	if (err)
		return fail("umem", err);
	err = xsk_socket__create(&xsk, ifname, queue, umem, &rx, &tx, &cfg);
	if (err)
		return fail("bind", err);
	hold();
	xsk_socket__delete(xsk);
	xsk_umem__delete(umem);
	return 0;
}

static int hold_prog(const char *ifname, uint32_t flags)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int ifindex = (int)if_nametoindex(ifname);
	int fd, err;

	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", insns, 2, NULL);
	if (fd < 0)
		return fail("load", fd);
	err = bpf_xdp_attach(ifindex, fd, flags, NULL);
	if (err)
		return fail("attach", err);
	hold();
	return bpf_xdp_detach(ifindex, flags, NULL) ? 1 : 0;
}

/* descriptor of the map; that of the link stays open, also in a COMMAND */
static int attach_redirect(const char *ifname)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 16 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int map, prog, link;

	map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "xsks_map", 4, 4, 4, NULL);
	if (map < 0)
		return map;
	insns[1].imm = map;
	prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", insns, 6, NULL);
	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, (int)if_nametoindex(ifname), BPF_XDP, NULL);
	if (link < 0 || fcntl(link, F_SETFD, 0))
		return -errno;
	return map;
}

static int hold_pinned(const char *ifname, const char *path)
{
	int map = attach_redirect(ifname);

	if (map < 0 || bpf_obj_pin(map, path))
		return fail(path, map < 0 ? map : -errno);
	hold();
	return unlink(path) ? 1 : 0;
}

static int hand_over(char **argv)
{
	int i, map;

	for (i = 0; i < 2; i++) {
		map = attach_redirect(argv[i]);
		if (map < 0)
			return fail(argv[i], map);
		if (dup2(map, 20 + i) < 0)
			return fail("dup2", -errno);
		close(map);
	}
	execvp(argv[3], argv + 3);
	return fail(argv[3], -errno);
}

static bool is_ours(const char *name)
{
	return !strcmp(name, "pp_af_xdp");
}

static int count(void)
{
	unsigned int id, progs = 0, maps = 0;
	struct bpf_prog_info prog;
	struct bpf_map_info map;
	uint32_t len;
	int fd;

	for (id = 0; !bpf_prog_get_next_id(id, &id);) {
		memset(&prog, 0, sizeof(prog));
		len = sizeof(prog);
		fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &prog, &len))
			continue;
		progs += is_ours(prog.name);
		close(fd);
	}
	for (id = 0; !bpf_map_get_next_id(id, &id);) {
		memset(&map, 0, sizeof(map));
		len = sizeof(map);
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &map, &len))
			continue;
		maps += is_ours(map.name);
		close(fd);
	}
	printf("programs: %u, maps: %u\n", progs, maps);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "socket"))
		return hold_socket(argv[2], (unsigned int)atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "prog"))
		return hold_prog(argv[2],
				 strcmp(argv[3], "skb") ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	if (argc == 4 && !strcmp(argv[1], "pin"))
		return hold_pinned(argv[2], argv[3]);
	if (argc > 5 && !strcmp(argv[1], "exec"))
		return hand_over(argv + 2);
	if (argc == 2 && !strcmp(argv[1], "count"))
		return count();
	fprintf(stderr,
		"usage: xdp_hold socket IF QUEUE | prog IF native|skb | exec IF IF -- COMMAND... | "
		"pin IF PATH | count\n");
	return 2;
}
